# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup orchestrator_mode."""

from __future__ import annotations

DOCUMENTATION = r"""
name: orchestrator_mode
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: Which mode of LLM-Orchestrator a workload asks for, and why
description:
  - Follows the decision matrix of LLM-Orchestrator's guide. What the guide leaves open, and what contradicts the
    choice, is among the warnings.
options:
  _terms:
    description: The mode that is wanted; V(auto) to choose it.
    type: list
    elements: str
  workload:
    description:
      - What the matrix asks for, by C(workflows_per_day), C(purpose) (production, development), C(availability) (basic,
        high), C(autoscaling), C(kubernetes), C(multi_tenancy), C(teams), C(edge), C(cloud), C(containers) and C(hosts).
      - By default the variable C(llm_orchestrator_workload).
    type: dict
"""

EXAMPLES = r"""
- name: Say which mode suits 2000 workflows a day
  ansible.builtin.debug:
    msg: "{{ lookup('llm_d.orchestrator.orchestrator_mode', 'auto', workload={'workflows_per_day': 2000}) }}"
"""
RETURN = r"""
_raw:
  description:
    - For each mode a map of C(mode), C(reasons), C(warnings) and C(mistakes), those of the workload; with
      mistakes there is no mode.
  type: list
  elements: dict
  sample: [{mode: distributed, reasons: [2000 workflows a day are more than 1000], warnings: [], mistakes: []}]
"""

import dataclasses
import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import plain
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.names import did_you_mean
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.decision import (
    AUTO,
    MODES,
    VARIABLE,
    Decision,
    decide,
)

NONE: dict[str, t.Any] = {"mode": "", "reasons": [], "warnings": []}


class LookupModule(LookupBase):
    """Chooses nothing but by the workload."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[dict]:
        """Return the choice for each term."""
        self.set_options(var_options=variables, direct=kwargs)
        workload = self.get_option("workload") or self._templar.template((variables or {}).get(VARIABLE)) or {}
        return [self._choose(str(term), plain(workload)) for term in terms or [AUTO]]

    def _choose(self, wanted: str, workload: t.Any) -> dict[str, t.Any]:
        if wanted in MODES:
            return dataclasses.asdict(Decision(wanted, ["llm_orchestrator_mode says so"], [])) | {"mistakes": []}
        if wanted != AUTO:
            guess, choices = did_you_mean(wanted, MODES), ", ".join((AUTO, *MODES))
            mistake = f"llm_orchestrator_mode: {wanted!r} is not a valid mode.{guess} -> use one of: {choices}"
            return {**NONE, "mistakes": [mistake]}
        decision, found = decide(workload)
        return {**(NONE if decision is None else dataclasses.asdict(decision)), "mistakes": found.texts}
