# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes a line of JSON for each task's result of each host: task, host and size, into the file in RESULT_SIZES."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: result_sizes
type: notification
short_description: Sizes of results
description: For tests.
"""


class CallbackModule(CallbackBase):
    """Writes sizes."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "result_sizes"

    def _write(self, result: Any) -> None:
        host, task, answer = (
            getattr(result, name, None) or getattr(result, f"_{name}") for name in ("host", "task", "result")
        )
        row = {"host": host.get_name(), "task": task.get_name(), "size": len(json.dumps(answer, default=str))}
        with open(os.environ["RESULT_SIZES"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        """Write the size of a result."""
        self._write(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Write the size of the result of what was not done."""
        self._write(result)
