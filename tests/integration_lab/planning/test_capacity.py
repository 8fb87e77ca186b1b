# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Room, quotas and limits: what is predicted is what the real API server and the real scheduler do.

All scenarios are on the lab at once, each in a namespace and on nodes of its own.
"""

from __future__ import annotations

import copy
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.fit import fit
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.read import add_capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.objects import node_object
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.capacity import RULES as ROOM
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.quota import RULES as QUOTAS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from capacity_scenarios import CLASSES, SCENARIOS, Scenario
from plane_client import Lab, Object, eventually

from playbooks import play

LABEL = "capacity-scenario"


def space(scenario: Scenario) -> str:
    return f"capacity-{scenario.name}"


def placed(scenario: Scenario, body: Object) -> Object:
    """The workload in the scenario's namespace, on its nodes."""
    found = copy.deepcopy(body)
    found["metadata"]["namespace"] = space(scenario)
    if "template" in found["spec"]:
        selector = found["spec"]["template"]["spec"].setdefault("nodeSelector", {})
        selector[LABEL] = scenario.name
    return found


def prepare(lab: Lab, scenario: Scenario, index: int, port: int) -> None:
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space(scenario)}})
    for number, (suffix, entry) in enumerate(scenario.nodes.items()):
        labels = {LABEL: scenario.name, **entry.get("labels", {})}
        body = node_object(
            {**entry, "name": f"{space(scenario)}-{suffix}", "labels": labels}, 500 + 8 * index + number, port
        )
        if entry.get("cordoned"):
            body["spec"]["unschedulable"] = True
        lab.resource("v1", "Node").create(body=body)


def occupy(lab: Lab, scenario: Scenario) -> None:
    """What is there before: pods that hold nodes, Deployments, quotas and limits."""
    namespace = space(scenario)
    eventually(lambda: lab.get("v1", "ServiceAccount", namespace, "default"))
    for number, (suffix, spec) in enumerate(scenario.held):
        metadata = {"name": f"held-{number}", "namespace": namespace}
        spec = {**spec, "nodeSelector": {"kubernetes.io/hostname": f"{namespace}-{suffix}"}}
        lab.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    lab.apply(*(placed(scenario, body) for body in (*scenario.before, *scenario.limits)))


def pods(lab: Lab, scenario: Scenario) -> list[Object]:
    reply = lab.resource("v1", "Pod").get(namespace=space(scenario)).to_dict()["items"]
    return [pod for pod in reply if not pod["metadata"].get("deletionTimestamp")]


def occupied(lab: Lab, scenario: Scenario) -> bool:
    wanted = len(scenario.held) + sum(body["spec"]["replicas"] for body in scenario.before)
    quotas = lab.resource("v1", "ResourceQuota").get(namespace=space(scenario)).to_dict()["items"]
    nodes = [lab.get("v1", "Node", "", f"{space(scenario)}-{suffix}") for suffix in scenario.nodes]
    # The cordoned ones keep their taint, the others lose that of a new node.
    fresh = [
        taint for node in nodes for taint in (node or {})["spec"].get("taints") or [] if "not-ready" in taint["key"]
    ]
    bound = [pod for pod in pods(lab, scenario) if pod["spec"].get("nodeName")]
    return len(bound) == wanted and not fresh and all((body.get("status") or {}).get("hard") for body in quotas)


def predict(scenario: Scenario) -> StackModel:
    parts = [RenderedRelease("modelservice", "ms", space(scenario), [placed(scenario, body) for body in scenario.plan])]
    model = build_model(parts, [], [], RuleFacts(objects={"PriorityClass": CLASSES}))
    add_capacity(model, Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]}))
    return model


def outcome(lab: Lab, scenario: Scenario) -> int | None:
    """How many pods of the plan have no node or were not made; None while that is not settled."""
    found = [pod for pod in pods(lab, scenario) if not pod["metadata"]["name"].startswith("held-")]
    free = [pod for pod in found if not pod["spec"].get("nodeName")]
    tried = [pod for pod in free if any(c["reason"] == "Unschedulable" for c in pod["status"].get("conditions") or [])]
    if len(tried) < len(free) or any(pod["status"].get("nominatedNodeName") for pod in free):
        return None
    missing = 0
    for body in scenario.plan:
        live = lab.get("apps/v1", body["kind"], space(scenario), body["metadata"]["name"]) or {}
        status, wanted = live["status"], body["spec"]["replicas"]
        failed = any(c["type"] == "ReplicaFailure" for c in status.get("conditions") or [])
        if status.get("observedGeneration") != live["metadata"]["generation"]:
            return None
        lacking = wanted - len([pod for pod in found if pod["metadata"]["labels"]["app"] == body["metadata"]["name"]])
        if lacking > 0 and not failed:
            return None
        missing += max(0, lacking)
    return missing + len(free)


@pytest.fixture(scope="module")
def results(lab: Lab) -> Iterator[dict[str, tuple[StackModel, int | None, int]]]:
    """By scenario: the prediction, pods without a node, and pods evicted."""
    port = (
        lab.resource("v1", "Node").get().to_dict()["items"][0]["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    )
    try:
        lab.apply(*CLASSES)
        for index, scenario in enumerate(SCENARIOS):
            prepare(lab, scenario, index, port)
        for scenario in SCENARIOS:
            occupy(lab, scenario)
        for scenario in SCENARIOS:
            eventually(lambda scenario=scenario: occupied(lab, scenario))  # type: ignore[misc]
        predicted = {scenario.name: predict(scenario) for scenario in SCENARIOS}
        for scenario in SCENARIOS:
            lab.apply(*(placed(scenario, body) for body in scenario.plan))
        yield {scenario.name: (predicted[scenario.name], *settled(lab, scenario)) for scenario in SCENARIOS}
    finally:
        clean(lab)


def settled(lab: Lab, scenario: Scenario) -> tuple[int | None, int]:
    eventually(lambda: outcome(lab, scenario) is not None)
    held = [pod for pod in pods(lab, scenario) if pod["metadata"]["name"].startswith("held-")]
    return outcome(lab, scenario), len(scenario.held) - len(held)


def clean(lab: Lab) -> None:
    for scenario in SCENARIOS:
        if lab.get("v1", "Namespace", "", space(scenario)):
            lab.core.delete_namespace(space(scenario))
    lab.core.delete_collection_node(label_selector=LABEL)
    for body in CLASSES:
        lab.delete(body)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_the_scheduler_does_what_was_predicted(scenario: Scenario, results: dict[str, Any]) -> None:
    model, pending, evicted = results[scenario.name]
    found = check(model, (*ROOM, *QUOTAS))
    assert [item.rule for item in found] == scenario.rules, [item.message for item in found]
    assert (pending, evicted) == (scenario.pending, scenario.evicted)
    predicted = fit(model)
    assert sum(len(victims) for _one, victims in predicted.evictions) == evicted
    if not set(scenario.rules) & {"LLMD708", "LLMD721"}:
        assert sum(entry.pending for entry in predicted.stuck) == pending


@pytest.mark.parametrize(("capacity", "code"), [("block", 2), ("warn", 0)])
def test_a_deployment_without_room_is_stopped_with_file_and_line(
    capacity: str, code: int, lab: Lab, tmp_path: pathlib.Path
) -> None:
    devices = {"limits": {"nvidia.com/gpu": "64"}}
    container = {"name": "vllm", "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1", "modelCommand": "imageDefault"}
    container.update({"ports": [{"containerPort": 8000}], "resources": devices})
    decode = {"create": True, "replicas": 2, "containers": [container]}
    values = {"accelerator": {"type": "nvidia"}, "routing": {"proxy": {"enabled": False}}, "prefill": {"create": False}}
    (tmp_path / "big.yaml").write_text(yaml.safe_dump({**values, "decode": decode}))
    model = {"name": "big", "model": "org/big", "values_files": [str(tmp_path / "big.yaml")]}
    variables = {"llm_d_namespace": "capacity-none", "llm_d_models": [model], "llm_d_rules": "error"}
    run = play(tmp_path, "site", "--tags", "planning", llm_d_capacity=capacity, **variables)
    assert run.code == code, run.text
    for text in (
        "LLMD702",
        "big.yaml:",
        "2 of 2 pods of Deployment capacity-none/ms-big-",
        "the most that one has is 8",
    ):
        assert text in run.text, run.text
    assert lab.get("v1", "Namespace", "", "capacity-none") is None
