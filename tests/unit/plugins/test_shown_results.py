# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A failed result is dumped below what was printed: it has only what the screen and the fleet's summary need."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.action import stack_diagnosis, stack_status

WELL = {"name": "a", "drift": "", "ready": True}
UNKNOWN = {"name": "b", "drift": "", "ready": None}
DRIFTED = {"name": "c", "drift": "changed", "ready": True}
BROKEN = {"name": "d", "drift": "", "ready": False}
STATUS = {"healthy": False, "record": {}, "last": {}, "screen": ["x"], "rows": [WELL, UNKNOWN, DRIFTED, BROKEN]}


def test_a_failed_status_has_the_rows_that_matter():
    assert stack_status.told({**STATUS, "failed": True}) == {
        "failed": True,
        "healthy": False,
        "record": {},
        "rows": [DRIFTED, BROKEN],
    }


@pytest.mark.parametrize("result", [STATUS, {"failed": True, "msg": "no cluster", "rows": []}])
def test_another_status_is_whole(result):
    assert stack_status.told(result) == result


def test_a_failed_diagnosis_says_nothing_twice():
    result = {"failed": True, "msg": "x", "causes": [{}], "screen": ["x"], "evidence": [], "releases": [], "counts": {}}
    assert stack_diagnosis.told(result) == {"failed": True, "msg": "x", "causes": [{}]}
