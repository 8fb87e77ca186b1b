# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module deployment_plan without another Python where it can; tells it the command that is running."""

from __future__ import annotations

import os
import sys

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """The module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        if os.path.basename(sys.argv[0]).startswith("ansible"):
            variables = task_vars or {}
            several = len(variables.get("ansible_play_hosts_all") or []) > 1
            # Of two limits the later holds.
            limit = ["-l", str(variables.get("inventory_hostname"))] if several else []
            self._task.args.setdefault("arguments", [*masked_arguments(sys.argv[1:]), *limit])
        return super().run(tmp, task_vars)
