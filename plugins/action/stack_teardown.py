# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_teardown where the user's variables are known: a misspelt one would remove something else."""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction


class ActionModule(CheckedAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result, or what is wrong with the variables."""
        # It runs Helm, whose environment needs a whole module.
        wrong = self.mistaken(task_vars or {})
        return wrong or self._execute_module(module_name=self._task.action, task_vars=task_vars)
