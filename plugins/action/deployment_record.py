# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module deployment_record; takes the host's variables by itself, so that their secrets travel nowhere."""

from __future__ import annotations

import os
import sys

from ansible.release import __version__
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments, next_command
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job, job_author
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.screen import remaining
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.inputs import variables_of, without_secrets
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction


def pruning(host: str) -> str:
    """Return the command that deletes what is no longer wanted, in a job of AWX what to do.

    host: of several, "" where there is but one.
    """
    if in_job(os.environ):
        return advice("deploy", llm_d_prune="true")
    limit = ["-l", host] if host else []
    return next_command([*masked_arguments(sys.argv[1:]), *limit], {"llm_d_prune": "true"})


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result; in a job of AWX its summary is left to later jobs."""
        variables = task_vars or {}
        host = str(variables["inventory_hostname"])
        hostvars = variables["hostvars"][host]
        given = dict(self._task.args)
        if given.get("state") != "prepared":
            given.setdefault("by", job_author(hostvars))
            given["versions"] = {"ansible-core": __version__, **(given.get("versions") or {})}
            self._task.args = without_secrets(given, variables_of(hostvars))
        result = super().run(tmp, task_vars)
        left = ((given.get("planned") or {}).get("plan") or {}).get("leftovers")
        if left and given.get("outcome") != "failed" and str(given.get("pruned")).lower() != "true":
            several = len(variables.get("ansible_play_hosts_all") or []) > 1
            result["at_end"] = {"lines": remaining(left), "commands": [pruning(host if several else "")]}
        if result.get("summary") and in_job(os.environ):
            data = {"llm_d_deployed": {host: result["summary"]}}
            result["ansible_stats"] = {"data": data, "per_host": False, "aggregate": True}
        return result
