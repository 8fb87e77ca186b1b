# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_info without another Python where it can, and tells it of the user's variables.

What is wrong with a shared variable is reported with all other mistakes, under its own name: the option that it sets
then has its default.
"""

from __future__ import annotations

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import mask_text, secrets_in, without
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.progress import FEW
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.approval import shown_later
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.file import masked_plan
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.screen import ROOM, counts_text, proposal
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import Ending, tell_line
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import SHARED_OPTIONS, read, role_specs


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        found = read(self._loader, self._templar, task_vars or {})
        args, options = self._task.args, role_specs()["stack"]["shared"]["options"]
        for name in {finding.mark.file.partition("[")[0] for finding in found.mistakes} & set(options):
            option = SHARED_OPTIONS.get(name, name.removeprefix("llm_d_"))
            if "default" in options[name] and option in args:
                args[option] = options[name]["default"]
            else:
                args.pop(option, None)
        args.update(places=found.places, mistakes=[finding.as_dict() for finding in found.mistakes])
        result = super().run(tmp, task_vars)
        if result.get("hidden") and result.get("plan") and Ending.expected:
            self._tell(result, args, task_vars or {})
        return result

    @staticmethod
    def _tell(result: dict, args: dict, task_vars: dict) -> None:
        """Say what changes, without secrets: Ansible keeps a result with secrets from callbacks."""
        plan = without(masked_plan(result["plan"]), secrets_in(args))
        many = len(task_vars.get("ansible_play_hosts_all") or []) > FEW
        rows = [] if many or shown_later(result, args) else proposal(plan, ROOM)
        rows = [mask_text(row) for row in rows]
        tell_line("planning", (result.get("stack") or {}).get("started"), counts_text(plan), task_vars, rows)
