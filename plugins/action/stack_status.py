# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_status without another Python where it can, and prints the status where asked."""

from __future__ import annotations

import os
import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments, next_command
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import Ending, tell


def fixing(arguments: list[str], **variables: str) -> str:
    """Return the command for site.yml that fits the running one; "" where that is no ansible-playbook.

    In a job of AWX, what to do there. variables: to be set besides.
    """
    if in_job(os.environ):
        return advice("deploy", **variables)
    if not os.path.basename(arguments[0]).startswith("ansible-playbook"):
        return ""
    return next_command(masked_arguments(arguments[1:]), variables)


def told(result: dict) -> dict:
    """Return a printed status; of a failed one, dumped below it, without what would push it off the screen."""
    if not result.get("failed"):
        return result
    rows = [row for row in result.get("rows") or [] if row["drift"] or row["ready"] is False]
    return {**{key: value for key, value in result.items() if key not in ("screen", "last")}, "rows": rows}


class ActionModule(CheckedAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        if not self._task.args.get("fix"):
            self._task.args["fix"] = fixing(sys.argv)
        if not self._task.args.get("prune"):
            self._task.args["prune"] = fixing(sys.argv, llm_d_prune="true")
        result = super().run(tmp, task_vars)
        shown = self._task.args.get("show") in (True, "true", "True", "yes")
        if Ending.expected and result.get("failed"):
            return result
        if shown and result.get("screen"):
            tell("\n".join(["", *result["screen"]]))
            return told(result)
        return result
