# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module of the same name beside Ansible, whatever the host is, and tells it where the variable stands."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import places_of


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result; kept from the screen where the server has secrets."""
        args = self._task.args
        name = args.get("variable") or "orchestrator_config"
        args["places"] = places_of(name, self._loader, self._templar, task_vars or {})
        result = super().run(tmp, task_vars)
        return {**result, "_ansible_no_log": True} if result.get("environment") else result

    def _here(self, task_vars: dict) -> bool:
        return True
