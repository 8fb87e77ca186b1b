# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.targets import allowed_failures, batches, waves


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        ([1, "25%", "100%"], [1, "25%", "100%"]),
        (3, [3]),
        ("3", [3]),
        ("25%", ["25%"]),
        (["25 %"], ["25%"]),
        ("1,25%,100%", [1, "25%", "100%"]),
        ("1 25% 100%", [1, "25%", "100%"]),
        ('[1, "25%", "100%"]', [1, "25%", "100%"]),
        ("[1, 25%, 100%]", [1, "25%", "100%"]),
        (["1", 2], [1, 2]),
    ],
)
def test_waves(value, expected):
    assert waves(value) == expected


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "many", ["101%"], ["0%"], ["%"], [1, None], {"a": 1}, ["2.5%"]])
def test_no_waves(value):
    with pytest.raises(OrchestratorError, match="llm_d_waves holds .* no size of a wave") as caught:
        waves(value)
    assert '[1, "25%", "100%"]' in caught.value.hint


@pytest.mark.parametrize(("value", "expected"), [(0, 0), ("2", 2), (12, 12)])
def test_allowed_failures(value, expected):
    assert allowed_failures(value) == expected


@pytest.mark.parametrize("value", [-1, "", "10%", None, True, [1]])
def test_no_allowed_failures(value):
    with pytest.raises(OrchestratorError, match="llm_d_wave_failures"):
        allowed_failures(value)


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ([], 4, [4]),
        ([1], 3, [1, 1, 1]),
        ([1, "25%", "100%"], 8, [1, 2, 5]),
        ([1, "25%"], 8, [1, 2, 2, 2, 1]),
        (["1%"], 3, [1, 1, 1]),
        ([10], 3, [3]),
        ([1], 0, []),
    ],
)
def test_batches(sizes, count, expected):
    hosts = [f"c{index}" for index in range(count)]
    found = batches(sizes, hosts)
    assert [len(batch) for batch in found] == expected
    assert [host for batch in found for host in batch] == hosts
