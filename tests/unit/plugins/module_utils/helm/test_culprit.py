# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which key keeps a chart from being rendered."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import culprit as module
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.culprit import culprit, without

VALUES: dict[str, Any] = {"a": 1, "roles": {"decode": {"containers": [{"env": "text", "name": "x"}], "replicas": 1}}}


def renders(values: Any) -> bool:
    """Stand in for a chart that wants a list of variables."""
    containers = ((values.get("roles") or {}).get("decode") or {}).get("containers") or []
    return all(isinstance(one.get("env", []), list) for one in containers)


def test_the_deepest_key_to_blame_is_named() -> None:
    assert culprit(VALUES, renders) == ("roles", "decode", "containers", 0, "env")


def test_what_is_required_is_named_where_another_text_would_do() -> None:
    def takes(values: Any) -> bool:
        return all(": " not in one.get("image", ": ") for one in values.get("containers", []))

    values = {"containers": [{"name": "vllm", "image": "ghcr.io/a/b: v1", "args": ["--x"]}]}
    assert culprit(values, takes) == ("containers", 0, "image")
    assert values["containers"][0]["image"] == "ghcr.io/a/b: v1"


def test_no_key_is_named_where_none_alone_is_to_blame() -> None:
    assert culprit(VALUES, lambda _values: False) == ()


def test_the_search_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    tried: list[Any] = []
    assert culprit({str(n): n for n in range(100)}, lambda values: bool(tried.append(values))) == ()
    assert len(tried) == 3


def test_what_is_left_out_is_left_out_alone() -> None:
    assert without({"a": [1, {"b": 2, "c": 3}], "d": 4}, ("a", 1, "b")) == {"a": [1, {"c": 3}], "d": 4}
    assert without([1, 2, 3], (1,)) == [1, 3]
