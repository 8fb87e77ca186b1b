# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_status without another Python where it can, and prints the status where asked."""

from __future__ import annotations

import os
import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments, next_command
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import tell


def fixing(arguments: list[str]) -> str:
    """Return the command for site.yml that fits the running one; "" where that is no ansible-playbook.

    In a job of AWX, what to do there.
    """
    if in_job(os.environ):
        return advice("deploy")
    if not os.path.basename(arguments[0]).startswith("ansible-playbook"):
        return ""
    playbooks = {name: os.path.join(os.path.dirname(name), "plan.yml")
                 for name in arguments[1:] if os.path.basename(name) == "status.yml"}  # fmt: skip
    return next_command(masked_arguments([playbooks.get(name, name) for name in arguments[1:]]), {})


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
        result = super().run(tmp, task_vars)
        shown = self._task.args.get("show") in (True, "true", "True", "yes")
        if shown and result.get("screen"):
            tell("\n".join(["", *result["screen"]]))
            return told(result)
        return result
