# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter orchestrator_compose."""

from __future__ import annotations

import json
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.compose import compose_text


def orchestrator_compose(settings: dict) -> str:
    """Return the text of compose.yaml; see orchestrator_compose.yml."""
    try:
        # Ansible's own kinds of numbers are none that YAML is written of.
        return compose_text(json.loads(json.dumps(settings)))
    except OrchestratorError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Names the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable]:
        """Return the filters of this file."""
        return {"orchestrator_compose": orchestrator_compose}
