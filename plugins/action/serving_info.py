# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module serving_info where the user's variables are known, and adds the commands for the end of the screen.

Those name the kubeconfig, which a module's result must not.
"""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.commands import Ask, commands, kubectl
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction

ASK = "To ask the models:"


class ActionModule(CheckedAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        result = super().run(tmp, task_vars)
        asks = [Ask.of(row) for row in result.get("asks") or []]
        if asks and not self._task.check_mode:
            program = kubectl(self._task.args.get("kubeconfig"), self._task.args.get("context"))
            result["at_end"] = {"lines": [ASK], "commands": commands(asks, program)}
        return result
