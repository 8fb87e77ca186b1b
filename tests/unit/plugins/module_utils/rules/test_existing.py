# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pools for servers that already run, held against the pods that do."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check

from rules.world import World

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "mine-0", "namespace": "demo", "labels": {"app": "chat", "pod-template-hash": "5d8"}},
    "spec": {
        "containers": [
            {"name": "vllm", "image": "vllm/vllm-openai:v0.11.0", "args": ["--model", "org/chat", "--port=8000"]}
        ]
    },
    "status": {"phase": "Running"},
}


def pod(name: str = "mine-0", **more: Any) -> dict[str, Any]:
    """A pod with other labels, arguments or status."""
    found = copy.deepcopy(POD)
    found["metadata"].update(name=name, **{key: more[key] for key in ("labels", "deletionTimestamp") if key in more})
    found["status"].update({key: more[key] for key in ("phase",) if key in more})
    if "args" in more:
        found["spec"]["containers"][0]["args"] = more["args"]
    return found


def found(pods: list[dict[str, Any]] | None) -> list[tuple[str, str]]:
    """What the rules say of a stack that makes a pool and a route for these pods."""
    world = World()
    world.manifests.pop("modelservice")
    world.expected = [dataclasses.replace(world.expected[0], release="", existing=True)]
    live = {} if pods is None else {"Pod": pods}
    world.facts = dataclasses.replace(world.facts, objects={**world.facts.objects, **live})
    return [(one.rule, one.message) for one in check(world.model())]


@pytest.mark.parametrize(
    "pods",
    [
        None,
        [pod()],
        [pod(), pod("other", labels={"app": "other"}, args=["--model", "org/other"])],
        [pod(), pod("going", deletionTimestamp="2026-01-01T00:00:00Z")],
    ],
    ids=["pods may not be listed", "one", "another model's beside it", "one that goes"],
)
def test_what_fits_is_not_named(pods: list[dict[str, Any]] | None) -> None:
    assert found(pods) == []


@pytest.mark.parametrize(
    ("pods", "rule", "said"),
    [
        ([], "LLMD108", "no pod that runs in demo has the labels of model chat (app=chat)"),
        ([pod(labels={"app": "chatt"})], "LLMD108", "closest is pod mine-0: the selector requires app='chat'"),
        ([pod(phase="Failed")], "LLMD108", "no pod that runs"),
        ([pod(deletionTimestamp="2026-01-01T00:00:00Z")], "LLMD108", "no pod that runs"),
        ([pod(args=["--model", "org/chat", "--port=8080"])], "LLMD104", "8000"),
        ([pod(args=["--model", "org/Chat", "--port=8000"])], "LLMD209", "answer to org/Chat"),
        ([pod(), pod("b", args=["--model", "org/b", "--port=8000"])], "LLMD103", "also selects the pods of"),
    ],
)
def test_a_mistake_is_named(pods: list[dict[str, Any]], rule: str, said: str) -> None:
    told = found(pods)
    assert any(one == rule and said in text for one, text in told), told
