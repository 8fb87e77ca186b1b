# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter service_account_objects."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.access.service_account import (
    account_objects,
    removable_objects,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError


def service_account_objects(settings: dict, role: str = "") -> list[dict]:
    """Return manifests of a jobs' ServiceAccount; see service_account_objects.yml."""
    try:
        return account_objects(role, settings) if settings["state"] == "present" else removable_objects(settings)
    except OrchestratorError as exc:
        raise AnsibleFilterError(str(exc)) from exc


class FilterModule:
    """Names the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable]:
        """Return the filters of this file."""
        return {"service_account_objects": service_account_objects}
