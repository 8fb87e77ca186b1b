# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an inventory changes of a kustomization."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.overlay import overlay

Object = dict[str, Any]


def template(role: str) -> Object:
    containers = [
        {"name": "log", "image": "busybox"},
        {"name": "vllm", "image": "vllm/vllm-openai:v0.19.0", "command": ["vllm", "serve"], "args": ["m"],
         "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
         "resources": {"limits": {"nvidia.com/gpu": "1", "memory": "1Gi"}}},
    ]  # fmt: skip
    return {"metadata": {"labels": {"llm-d.ai/role": role}}, "spec": {"containers": containers}}


def deployment(name: str, role: str = "decode") -> Object:
    spec = {"replicas": 1, "template": template(role)}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def group(name: str) -> Object:
    inner = {"size": 2, "leaderTemplate": template("decode"), "workerTemplate": template("decode")}
    spec = {"replicas": 1, "leaderWorkerTemplate": inner}
    return {"kind": "LeaderWorkerSet", "metadata": {"name": name}, "spec": spec}


def patches(objects: list[Object], **wanted: Any) -> dict[str, dict[str, Any]]:
    """Return by workload what its patch sets, by path."""
    findings = Findings()
    fields = overlay(objects, wanted, "llm_d_models[0].overlay", findings)
    assert not findings
    return {
        one["target"]["name"].strip("^$"): {step["path"]: step["value"] for step in json.loads(one["patch"])}
        for one in fields["patches"]
    }


def test_nothing_wanted_is_no_overlay() -> None:
    assert overlay([deployment("a")], {}, "x", Findings()) == {}


def test_only_containers_that_serve_are_changed() -> None:
    found = patches(
        [deployment("a")], env={"B": 3, "C": {"valueFrom": {"x": 1}}}, resources={"limits": {"memory": "2Gi"}}
    )
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "3"}, {"name": "C", "valueFrom": {"x": 1}}]
    place = "/spec/template/spec/containers/1"
    assert found == {"a": {f"{place}/env": env, f"{place}/resources/limits/memory": "2Gi"}}


def test_labels_and_nodes_reach_both_templates_of_a_group() -> None:
    found = patches([group("w")], labels={"team": "x"}, node_selector={"gpu": "h100"})["w"]
    assert found["/metadata/labels"] == {"team": "x"}
    for name in ("leaderTemplate", "workerTemplate"):
        assert found[f"/spec/leaderWorkerTemplate/{name}/metadata/labels/team"] == "x"
        assert found[f"/spec/leaderWorkerTemplate/{name}/spec/nodeSelector"] == {"gpu": "h100"}


def test_replicas_go_by_role_or_name() -> None:
    both = [deployment("a"), deployment("b", "prefill")]
    assert patches(both, replicas={"prefill": 3, "a": 2}) == {"a": {"/spec/replicas": 2}, "b": {"/spec/replicas": 3}}


@pytest.mark.parametrize(
    ("replicas", "where", "said"),
    [
        (2, "replicas", "is one number, but the kustomization has 2 workloads"),
        ({"prefil": 2}, "replicas.prefil", "did you mean prefill?"),
        ({"decode": -1}, "replicas.decode", "-1 is not a valid number"),
        ({"decode": True}, "replicas.decode", "True is not a valid number"),
    ],
)
def test_replicas_that_nothing_has(replicas: Any, where: str, said: str) -> None:
    findings = Findings()
    overlay([deployment("a"), deployment("b", "prefill")], {"replicas": replicas}, "m", findings)
    (found,) = findings
    assert found.text().startswith(f"m.{where}") and said.lower() in found.text().lower()
