# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rendered and live objects of any shape: planning names what is wrong with them, and no rule fails."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.shape import objects_in
from hypothesis import given
from hypothesis import strategies as st
from rules.rendered import HELM

from fuzz.breaking import fuzzed, slips
from fuzz.stacks import read_all, stack

pytestmark = pytest.mark.skipif(HELM is None, reason="needs helm")


@pytest.mark.parametrize("name", ["pd", "lws", "events"])
def test_the_sound_stacks_have_no_misfits(name: str) -> None:
    found = read_all(name, stack(name)[1])
    assert "LLMD613" not in {one.rule for one in found}


@pytest.mark.parametrize(("name", "examples"), [("pd", 250), ("lws", 100), ("events", 100)])
def test_any_rendered_object_can_be_read(name: str, examples: int) -> None:
    @fuzzed(examples)
    @given(st.data())
    def run(data: Any) -> None:
        read_all(name, data.draw(slips(stack(name)[1])))

    run()


@fuzzed(100)
@given(st.data())
def test_any_live_object_can_be_read(data: Any) -> None:
    made, objects = stack("pd")
    live = {**made.objects, "HTTPRoute": list(made.routes.values()), "Gateway": objects["infra-main"]}
    live["InferencePool"] = [body for body in objects["gaie-a"] if body["kind"] == "InferencePool"]
    broken = data.draw(slips({kind: bodies for kind, bodies in live.items() if bodies}))
    bodies = {
        kind: [one for one in found if isinstance(one, dict)]
        for kind, found in broken.items()
        if isinstance(found, list)
    }
    read_all("pd", objects, bodies)


MISFITS = [
    ({"metadata": {}}, (), "has no metadata.name"),
    ({"kind": None}, (), "has no kind"),
    ({"apiVersion": None}, (), "has no apiVersion"),
    ({"metadata": {"name": "a", "labels": ["x=y"]}}, ("metadata", "labels"), "must be a map, not a list"),
    ({"data": "text"}, ("data",), "must be a map, not a string"),
    ({"data": {"a": {"b": "c"}}}, ("data", "a"), "must be a single value, not a map"),
]


@pytest.mark.parametrize(("change", "path", "text"), MISFITS)
def test_what_does_not_fit_is_told_and_left_out(change: dict[str, Any], path: tuple, text: str) -> None:
    sound = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    found, (misfit,) = objects_in([{**sound, **change}])
    assert (misfit.path, misfit.text) == (path, text)
    assert all(isinstance(body["metadata"], dict) for body in found)


def test_keys_are_texts_and_lists_are_opened() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {2: "x", True: "y"}}}
    found, misfits = objects_in([{"apiVersion": "v1", "kind": "ConfigMapList", "items": [body]}, None])
    assert [one["metadata"]["labels"] for one in found] == [{"2": "x", "true": "y"}]
    assert misfits == []
