# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A status as a table."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.conditions import State
from ansible_collections.llm_d.orchestrator.plugins.module_utils.status.rows import row
from ansible_collections.llm_d.orchestrator.plugins.module_utils.status.screen import table

POD = "ms-qwen3-0-6b-llm-d-modelservice-decode-6678bc8c49-8g7lp"
CRASHED = ((f"pod {POD}", "CrashLoopBackOff: container vllm exited with 1"),)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (
            State(
                False, "0 of 1 pods ready", details=((f"pod {POD}", "CrashLoopBackOff: container vllm exited with 1"),)
            ),
            "0 of 1 pods ready; CrashLoopBackOff: container vllm exited with 1",
        ),
        (State(False, "0 of 1 pods ready\n  after 3 s"), "0 of 1 pods ready after 3 s"),
        (State(False, "x" * 80), "x" * 67 + "..."),
    ],
)
def test_the_state_says_what_is_wrong(state, shown):
    assert table([row("Deployment", "n", "b", "a", "r", state)])[1] == f"a          Deployment b  {shown}  -"
