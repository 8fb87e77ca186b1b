# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_lock without another Python where it can, and tells it which process is the playbook's."""

from __future__ import annotations

import os

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.locks import OFF
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.presence import stand_in


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        # A task runs in a worker, which is a child of the playbook's own process.
        playbook = os.getppid()
        if self._connection.transport != "ssh":
            self._task.args.setdefault("owner", playbook)
        elif self._takes():
            try:
                self._task.args["owner"] = stand_in(self, playbook)
            except OrchestratorError as exc:
                return {"failed": True, "msg": str(exc)}
        return super().run(tmp, task_vars)

    def _takes(self) -> bool:
        """Return whether a lock is taken, so that a process has to hold it."""
        given = self._task.args
        present = given.get("state", "present") == "present" and given.get("mode") != OFF
        return present and not self._task.check_mode and "owner" not in given
