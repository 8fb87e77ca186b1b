# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module stack_lock without another Python where it can, and tells it which process is the playbook's."""

from __future__ import annotations

import os

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        # A task runs in a worker, which is a child of the playbook's own process.
        self._task.args.setdefault("owner", os.getppid())
        return super().run(tmp, task_vars)
