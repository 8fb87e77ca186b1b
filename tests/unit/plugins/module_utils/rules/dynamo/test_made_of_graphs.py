# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the operator makes of graphs is looked at as any other object, and named by its place in the graph."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.workloads import growths
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.room import Capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer
from capacity.world import node

from rules.dynamo.graph_world import AGG, GraphWorld, line_of

WORKER = "spec.services.VllmDecodeWorker"


def test_a_correct_stack() -> None:
    assert GraphWorld().places() == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "key"),
    [
        ("envFromSecret: hf-token-secret", "envFromSecret: hf-tokens", "LLMD601", "envFromSecret"),
        ("      replicas: 1", "      pvc: {name: models, mountPoint: /models}", "LLMD603", "pvc.name"),
        ("      extraPodSpec:", "      extraPodSpec:\n        priorityClassName: high", "LLMD606", ""),
        ("vllm-runtime:0.5.0", "vllm-runtime:latest", "LLMD513", "extraPodSpec.mainContainer.image"),
        ("vllm-runtime:0.5.0", "VLLM-runtime:0.5.0", "LLMD805", "extraPodSpec.mainContainer.image"),
    ],
)
def test_what_pods_refer_to(old: str, new: str, rule: str, key: str) -> None:
    world = GraphWorld().edit("small", old, new)
    world.objects |= {"PersistentVolumeClaim": [], "PriorityClass": []}
    key = key or "extraPodSpec.priorityClassName"
    line = line_of(
        world.files["small"], (key.rpartition(".")[0] if key == "pvc.name" else key.rpartition(".")[2]) + ":"
    )
    assert (rule, "small.yaml", line, f"{WORKER}.{key}") in world.places()


def test_a_key_of_a_model_that_has_no_file() -> None:
    world = GraphWorld().edit("small", "hf-token-secret", "hf-tokens")
    body = world.model().graphs[1].item.body
    world.files = {"front": world.files["front"]}
    made = Layer({"name": "small", "hf_token_secret": "hf-tokens"}, "dynamo_models[0]")
    world.parts = [RenderedRelease("dynamo_models", "", "demo", [body], layers=[made])]
    assert world.places() == [("LLMD601", "dynamo_models[0]", 0, "hf_token_secret")]


def test_room_for_graphs() -> None:
    world = GraphWorld()
    world.facts["capacity"] = Capacity(nodes=[node("a", 2)])
    found = [one for one in world.findings() if one.rule == "LLMD702"]
    assert {(one.mark.file, one.path) for one in found} == {
        ("large.yaml", "spec.services.VllmDecodeWorker.resources"),
        ("large.yaml", "spec.services.VllmPrefillWorker.resources"),
    }


def test_pods_that_run_already_are_not_counted_again() -> None:
    world = GraphWorld("1.0.1", small=AGG)
    labels = {
        "nvidia.com/dynamo-graph-deployment-name": "small",
        "nvidia.com/dynamo-component": "VllmDecodeWorker",
        "pod-template-hash": "abc",
    }
    container = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    owners = [{"kind": "ReplicaSet", "name": "small-vllmdecodeworker-0a1b2c3d-abc", "controller": True}]
    live = {
        "metadata": {"name": "x", "namespace": "demo", "labels": labels, "ownerReferences": owners},
        "spec": {"nodeName": "a", "containers": [container]},
        "status": {"phase": "Running"},
    }
    world.facts["capacity"] = Capacity(nodes=[node("a", 1)], own_pods=[live])
    assert [(one.wanted, one.missing) for one in growths(world.model())] == [(1, 0)]


SERVICE = {
    "type": "object",
    "properties": {
        "componentType": {"type": "string"},
        "envFromSecret": {"type": "string"},
        "replicas": {"type": "integer"},
        **{
            name: {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            for name in ("extraPodSpec", "resources")
        },
        "dynamoNamespace": {"type": "string"},
    },
}
SERVICES = {"type": "object", "additionalProperties": SERVICE}
SPEC = {"type": "object", "properties": {"services": SERVICES}}
COMING = {
    "spec": {
        "group": "nvidia.com",
        "names": {"kind": "DynamoGraphDeployment"},
        "versions": [
            {
                "name": "v1alpha1",
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            }
        ],
    }
}


@pytest.mark.parametrize(
    ("old", "new", "rule", "key"),
    [
        ("replicas: 1", "replica: 1", "LLMD802", "replica"),
        ("replicas: 1", "replicas: one", "LLMD801", "replicas"),
        ("replicas: 1", "replicas: 1", "", ""),
    ],
)
def test_definitions_that_come_with_the_stack(old: str, new: str, rule: str, key: str) -> None:
    world = GraphWorld().edit("small", old, new)
    world.facts["definitions"] = [COMING]
    place = (rule, "small.yaml", line_of(world.files["small"], new), f"{WORKER}.{key}")
    assert world.places() == ([place] if rule else [])
