# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Tells the chaos tests where a playbook stands: appends a line when a task begins and when it has ended."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chaos_kill
type: notification
short_description: Tells the chaos tests where a playbook stands
description:
  - Waits in the playbook's own process where CHAOS_STOP names the place, for the test to kill it there.
author:
  - llm_d.orchestrator developers (@llm-d)
"""

import os
import pathlib
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """CHAOS_STOP is 'start of TASK' or 'end of TASK'; CHAOS_REACHED is a file that is made there."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "chaos_kill"

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """A task begins."""
        self._at(f"start of {task.name}")

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task has ended well."""
        task = getattr(result, "task", None) or result._task
        self._at(f"end of {task.name}")

    def _at(self, place: str) -> None:
        if os.environ.get("CHAOS_STOP") == place:
            pathlib.Path(os.environ["CHAOS_REACHED"]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
