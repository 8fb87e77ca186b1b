# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_diagnosis without another Python where it can, and prints what it found where asked."""

from __future__ import annotations

import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import screen
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.places import with_places
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import Ending, deploys, running_command, tell

# What a failed diagnosis says in its message already, and Ansible would dump below it once more.
SAID = ("counts", "evidence", "releases", "screen")


def continuing(arguments: list[str]) -> str:
    """Return the command that is running where it deploys, in a job of AWX what to do; "" else."""
    return running_command(arguments) if deploys(arguments) else ""


def told(result: dict) -> dict:
    """Return a failed result without what its message says."""
    return {key: value for key, value in result.items() if key not in SAID}


class ActionModule(CheckedAction):
    """The module of the same name."""

    def _placed(self, result: dict, task_vars: dict) -> dict:
        """Return a result whose causes name the values of the user's that they come from."""
        if not result.get("causes"):
            return result
        placed = {**result, "causes": with_places(result["causes"], task_vars)}
        placed["screen"] = screen(placed, state=placed["state"], command=self._task.args["command"])
        return {**placed, "msg": "\n".join(placed["screen"])} if result.get("failed") else placed

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        if not self._task.args.get("command"):
            self._task.args["command"] = continuing(sys.argv)
        result = self._placed(super().run(tmp, task_vars), task_vars or {})
        shown = self._task.args.get("show") in (True, "true", "True", "yes")
        if Ending.expected:
            return result
        if shown and result.get("failed"):
            return told(result)
        if shown and result.get("screen"):
            tell("\n".join(["", *result["screen"]]))
        return result
