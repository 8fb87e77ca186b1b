# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A status as a table."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.status.screen import table

POD = "ms-qwen3-0-6b-llm-d-modelservice-decode-6678bc8c49-8g7lp"


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (
            f"0 of 1 pods ready; pod {POD}: CrashLoopBackOff: container vllm exited with 1",
            "0 of 1 pods ready; CrashLoopBackOff: container vllm exited with 1",
        ),
        ("0 of 1 pods ready\n  after 3 s", "0 of 1 pods ready after 3 s"),
        ("x" * 80, "x" * 67 + "..."),
    ],
)
def test_the_state_says_what_is_wrong(state, shown):
    row = {"component": "a", "kind": "Deployment", "name": "b", "state": state, "drift": "", "detail": ""}
    assert table([row])[1] == f"a          Deployment b  {shown}  -"
