# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""The lookup failure."""

from __future__ import annotations

DOCUMENTATION = r"""
name: failure
author: llm_d.orchestrator developers (@llm-d)
version_added: 0.1.0
short_description: What failed in a block, and what was not started because of it
description:
  - For a C(rescue), of the task that failed. It reads C(ansible_failed_result) and C(ansible_failed_task).
options:
  _terms:
    description: Takes none.
    type: list
    elements: str
  components:
    description: The component table, rows with C(name) and C(needs).
    type: list
    elements: dict
    default: []
  busy:
    description: Names of the components that have something to do, by default all of the table.
    type: list
    elements: str
  collected:
    description: What M(llm_d.orchestrator.release_jobs) returned, where it may be what failed.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Do it, or say what failed
  block:
    - name: Do it
      ansible.builtin.include_role: {name: llm_d.orchestrator.gaie}
  rescue:
    - name: Say what failed
      ansible.builtin.fail:
        msg: "{{ lookup('llm_d.orchestrator.failure').message }}"
"""

RETURN = r"""
_raw:
  description: The failure.
  type: list
  elements: dict
  contains:
    failed: {description: The components that failed; else the role or the task., type: list, elements: str}
    done: {description: The components of earlier waves., type: list, elements: str}
    not_started: {description: The components that wait for those., type: list, elements: str}
    text: {description: What was said., type: str}
    message: {description: All of it., type: str}
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.failure import failure


class LookupModule(LookupBase):
    """Reads what Ansible keeps of the task that failed."""

    def run(self, terms: list[str], variables: dict | None = None, **kwargs: t.Any) -> list[dict]:
        """Return the failure."""
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        names = ("ansible_failed_result", "ansible_failed_task")
        result, task = (known.get(name) or {} for name in names)
        collected = self.get_option("collected")
        result = collected if collected.get("failed_components") or collected.get("cancelled_components") else result
        return [failure(result, task, self.get_option("components"), self.get_option("busy"))]
