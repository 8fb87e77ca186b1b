# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_diagnosis without another Python where it can, and prints what it found where asked."""

from __future__ import annotations

import os
import shlex
import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.checked import CheckedAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import tell

# What a failed diagnosis says in its message already, and Ansible would dump below it once more.
SAID = ("counts", "evidence", "releases", "screen")


def continuing(arguments: list[str]) -> str:
    """Return the command that is running, secrets masked, where it deploys, in a job of AWX what to do; "" else."""
    program = os.path.basename(arguments[0])
    deploys = any(word.endswith(("site.yml", "orchestrator.site")) for word in arguments[1:])
    if not program.startswith("ansible-playbook") or not deploys:
        return ""
    if in_job(os.environ):
        return advice("deploy")
    return shlex.join([program, *masked_arguments(arguments[1:])])


def told(result: dict) -> dict:
    """Return a failed result without what its message says."""
    return {key: value for key, value in result.items() if key not in SAID}


class ActionModule(CheckedAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        if not self._task.args.get("command"):
            self._task.args["command"] = continuing(sys.argv)
        result = super().run(tmp, task_vars)
        shown = self._task.args.get("show") in (True, "true", "True", "yes")
        if shown and result.get("failed"):
            return told(result)
        if shown and result.get("screen"):
            tell("\n".join(["", *result["screen"]]))
        return result
