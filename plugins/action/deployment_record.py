# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module deployment_record; takes the host's variables by itself, so that their secrets travel nowhere."""

from __future__ import annotations

import os

from ansible.release import __version__
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import in_job, job_author
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.inputs import variables_of, without_secrets
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction


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
        if result.get("summary") and in_job(os.environ):
            data = {"llm_d_deployed": {host: result["summary"]}}
            result["ansible_stats"] = {"data": data, "per_host": False, "aggregate": True}
        return result
