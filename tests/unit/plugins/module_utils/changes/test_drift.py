# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What differs and how it is said, what autoscalers own, what nobody deployed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import MASK
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes import drift


def deployment(replicas: int | None = 1, image: str = "x:1", **env: str) -> dict[str, Any]:
    container = {"name": "c", "image": image, "env": [{"name": key, "value": value} for key, value in env.items()]}
    spec: dict[str, Any] = {"template": {"spec": {"containers": [container]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": spec}


@pytest.mark.parametrize(
    ("wanted", "live", "lines"),
    [
        (deployment(), deployment(), []),
        (deployment(1), deployment(3), ["spec.replicas: 3, deployed with 1"]),
        (deployment(None), deployment(3), []),
        (deployment(), deployment(image="x:2"), ["spec.template.spec.containers[c].image: x:2, deployed with x:1"]),
        (deployment(), deployment(ADDED="by hand"), []),
        (deployment(HF_TOKEN="a"), deployment(HF_TOKEN="b"), ["spec.template.spec.containers[c].env[HF_TOKEN].value"]),
    ],
)
def test_changes(wanted: dict[str, Any], live: dict[str, Any], lines: list[str]) -> None:
    assert drift.changes(wanted, live) == lines


def test_secrets_are_not_shown() -> None:
    def secret(value: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"plain": value}}

    assert drift.changes(secret("YQ=="), secret("Yg==")) == ["data.plain"]


@pytest.mark.parametrize(("kind", "left"), [("Deployment", False), ("StatefulSet", True), (None, False)])
def test_replicas_of_autoscalers(kind: str | None, left: bool) -> None:
    target = {"name": "d", **({"kind": kind} if kind else {})}
    scaler = {"kind": "ScaledObject", "metadata": {"name": "s", "namespace": "n"}, "spec": {"scaleTargetRef": target}}
    assert ("replicas" in drift.unscaled(deployment(), drift.scaled_by([scaler]))["spec"]) is left


def test_masked_is_taken_from_the_live_object() -> None:
    wanted = {"a": MASK, "b": ["x", MASK], "c": 1}
    assert drift.without_masked(wanted, {"a": "s", "b": ["y", "t"], "c": 2}) == {"a": "s", "b": ["x", "t"], "c": 1}
    assert drift.is_masked(wanted) and not drift.is_masked({"c": [1, "x"]})


def pod(owned: bool, **labels: str) -> dict[str, Any]:
    owner = {"ownerReferences": [{"kind": "ReplicaSet"}]} if owned else {}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "n", "labels": labels, **owner}}


@pytest.mark.parametrize(
    ("one", "found"), [(pod(False, m="a"), True), (pod(True, m="a"), False), (pod(False, m="b"), False)]
)
def test_stray_pods(one: dict[str, Any], found: bool) -> None:
    pool = {"kind": "InferencePool", "metadata": {"name": "p"}, "spec": {"selector": {"matchLabels": {"m": "a"}}}}
    assert bool(drift.stray_pods([one], [pool])) is found


def route(name: str, path: str, pool: str, gateway: str = "g") -> dict[str, Any]:
    rule = {"matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "backendRefs": [{"kind": "InferencePool", "name": pool}]}  # fmt: skip
    spec = {"parentRefs": [{"name": gateway}], "rules": [rule]}
    return {"kind": "HTTPRoute", "metadata": {"name": name, "namespace": "n"}, "spec": spec}


@pytest.mark.parametrize(
    ("other", "rival"),
    [
        (route("o", "/a", "other"), True),
        (route("o", "/b", "pool"), True),
        (route("o", "/b", "other"), False),
        (route("o", "/a", "other", "another"), False),
        (route("mine", "/a", "pool"), False),
    ],
)
def test_rival_routes(other: dict[str, Any], rival: bool) -> None:
    assert bool(drift.rival_routes([other], [route("mine", "/a", "pool")])) is rival
