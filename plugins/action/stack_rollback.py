# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_rollback, and adds the command of a rollback that it offers."""

from __future__ import annotations

import os
import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_command import (
    masked_arguments,
    next_command,
)
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction


def returning(arguments: list[str]) -> str:
    """Return the command for rollback.yml that fits the running one for site.yml."""
    if not os.path.basename(arguments[0]).startswith("ansible-playbook"):
        return "ansible-playbook llm_d.orchestrator.rollback"
    words = next_command(masked_arguments(arguments[1:]), {}).split(" ")
    words[1] = words[1].replace("site.yml", "rollback.yml").replace("orchestrator.site", "orchestrator.rollback")
    return " ".join(words)


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        if self._task.args.get("state") in ("restored", "removed"):
            # These run Helm, whose environment needs a whole module.
            return self._execute_module(module_name=self._task.action, task_vars=task_vars)
        result = super().run(tmp, task_vars)
        if self._task.args.get("state") == "offered":
            result["command"] = returning(sys.argv) if result.get("to") else ""
        return result
