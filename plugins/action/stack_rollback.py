# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_rollback, and adds the command of a rollback that it offers."""

from __future__ import annotations

import os
import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments, next_command
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction


def returning(arguments: list[str], **variables: str) -> str:
    """Return the command for rollback.yml that fits the running one, for site.yml or rollback.yml.

    In a job of AWX, what to do there.
    """
    if in_job(os.environ):
        return advice("rollback", **variables)
    if not os.path.basename(arguments[0]).startswith("ansible-playbook"):
        return "ansible-playbook llm_d.orchestrator.rollback"
    return next_command(masked_arguments(arguments[1:]), variables, "rollback")


def offered(to: str, arguments: list[str]) -> dict:
    """Return how to return to a deployment, as a text and for the end of the screen; nothing where there is none."""
    if not to:
        return {"advice": ""}
    text, command = f"To roll back to the deployment of {to}:", returning(arguments)
    return {"advice": f"{text} {command}", "at_end": {"lines": [text], "commands": [command]}}


class ActionModule(CheckedAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        state = self._task.args.get("state")
        if state in ("restored", "removed"):
            # These run Helm, whose environment needs a whole module.
            return self._execute_module(module_name=self._task.action, task_vars=task_vars)
        result = super().run(tmp, task_vars)
        if state == "offered":
            result.update(offered(str(result.get("to") or ""), sys.argv))
        elif result.get("to_change") and (self._task.check_mode or result["refused"]):
            command = returning(sys.argv, llm_d_approved_digest=result["digest"])
            result["lines"] = [*result["lines"], f"To deploy exactly this once it is approved: {command}"]
        return result
