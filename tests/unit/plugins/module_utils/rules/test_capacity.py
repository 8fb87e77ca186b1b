# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which pods of a plan would stay Pending, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.fit import capacity_report
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.room import Capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer
from capacity.world import GPU, deployment, findings, group, model, node, pod, shown, spec

EIGHT = {GPU: "8"}
FOUR = {GPU: "4"}
TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "a"}}}
        ]
    }
}


def affinity(*expressions: dict[str, Any]) -> dict[str, Any]:
    terms = {"nodeSelectorTerms": [{"matchExpressions": list(expressions)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def spread(skew: int, key: str = "zone", **more: Any) -> dict[str, Any]:
    selector = {"labelSelector": {"matchLabels": {"app": "a"}}}
    rule = {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", **selector, **more}
    return {"topologySpreadConstraints": [rule]}


ZONES = [node("a", labels={"zone": "x"}), node("b", labels={"zone": "y"})]
# name, plan, nodes, pods, rule ('' for none), words of the finding
CASES: list[tuple[str, list, list, list, str, tuple[str, ...]]] = [
    ("fits", [deployment("a", spec(EIGHT))], [node("n", 8)], [], "", ()),
    (
        "too little is free",
        [deployment("a", spec(EIGHT), 4)],
        [node("n", 8), node("m", 8), node("o", 8)],
        [pod("x", "o", FOUR, namespace="other")],
        "LLMD701",
        (
            "2 of 4 pods of Deployment demo/a would stay Pending: each requests 8 nvidia.com/gpu; "
            "3 nodes could hold it, most free on one: o with 4 nvidia.com/gpu "
            "(4 free in all, 20 before the rest of the plan)",
            "llm_d_capacity: warn",
        ),
    ),
    (
        "with a selector",
        [deployment("a", spec(EIGHT, nodeSelector={"pool": "gpu"}), 2)],
        [node("n", 8, labels={"pool": "gpu"}), node("m", 8)],
        [],
        "LLMD701",
        ("1 of 2 pods", "1 node matches nodeSelector pool=gpu, most free on one: n with 0 nvidia.com/gpu"),
    ),
    (
        "a node has gpus but no memory left",
        [deployment("a", spec({**EIGHT, "memory": "32Gi"}))],
        [node("n", 8)],
        [pod("x", "n", {"memory": "40Gi"})],
        "LLMD701",
        ("n with 24Gi memory",),
    ),
    (
        "more is held than there is: nothing is free, not less",
        [deployment("a", spec(FOUR))],
        [node("n", 4)],
        [pod("x", "n", EIGHT), pod("y", "n", EIGHT)],
        "LLMD701",
        ("n with 0 nvidia.com/gpu",),
    ),
    ("ended pods hold nothing", [deployment("a", spec(EIGHT))], [node("n", 8)], [
        pod("x", "n", EIGHT, phase="Succeeded"), pod("y", "n", EIGHT, phase="Failed")], "", ()),
    ("pods without a node hold nothing", [deployment("a", spec(EIGHT))], [node("n", 8)], [
        pod("x", "", EIGHT, phase="Pending")], "", ()),
    ("too large for any node", [deployment("a", spec({GPU: "16"}))], [node("n", 8), node("m", 8)], [], "LLMD702",
     ("the pod of Deployment demo/a", "no node is large enough: the most that one has is 8 nvidia.com/gpu")),
    ("too large for the nodes with the label", [deployment("a", spec(EIGHT, nodeSelector={"pool": "small"}))],
     [node("n", 4, labels={"pool": "small"}), node("m", 8)], [], "LLMD702",
     ("of the 1 node that matches nodeSelector pool=small, the most that one has is 4",
      "m could, without those labels")),
    ("never all at once", [deployment("a", spec({"cpu": "12", "memory": "60Gi"}))],
     [node("n", cpu="16", memory="8Gi"), node("m", cpu="4")], [], "LLMD702", ("no single node has all of it",)),
    ("no pods left", [deployment("a", spec(), 3)], [node("n", allocatable={"pods": "2"})], [], "LLMD701",
     ("1 of 3 pods", "n with 0 pods")),
    ("a device that nobody has", [deployment("a", spec({"nvidia.com/gpus": "1"}))], [node("n", 8)], [], "LLMD703",
     ("no node has nvidia.com/gpus. Did you mean nvidia.com/gpu? Nodes have: nvidia.com/gpu",)),
    ("devices of another vendor", [deployment("a", spec({"amd.com/gpu": "1"}))], [node("n", 8)], [], "LLMD703",
     ("no node has amd.com/gpu. Nodes have: nvidia.com/gpu",)),
    ("devices at all", [deployment("a", spec({"rdma/ib": "1"}))], [node("n")], [], "LLMD703",
     ("no such devices",)),
    ("a label's value", [deployment("a", spec(FOUR, nodeSelector={"gpu": "H100"}))],
     [node("n", 8, labels={"gpu": "h100"}), node("m", labels={"gpu": "a100"})], [], "LLMD704",
     ("no node matches nodeSelector gpu=H100; nodes have gpu: a100, h100. Did you mean h100?",)),
    ("a label's key", [deployment("a", spec(nodeSelector={"nodepol": "x"}))],
     [node("n", labels={"nodepool": "x"})], [], "LLMD704", ("no node has the label nodepol. Did you mean nodepool?",)),
    ("labels on different nodes", [deployment("a", spec(nodeSelector={"a": "1", "b": "1"}))],
     [node("n", labels={"a": "1"}), node("m", labels={"b": "1"})], [], "LLMD704", ("no node has all of them",)),
    ("required affinity",
     [deployment("a", spec(affinity=affinity({"key": "gpu", "operator": "In", "values": ["h200"]})))],
     [node("n", labels={"gpu": "h100"})], [], "LLMD704", ("affinity gpu In h200; nodes have gpu: h100",)),
    ("a taint", [deployment("a", spec(EIGHT))], [node("n", 8, taints=[TAINT]), node("cpu")], [], "LLMD705",
     ("1 node could hold it, but have taints that it does not tolerate: nvidia.com/gpu=true:NoSchedule",
      "add to decode.tolerations of ms-a: "
      "[{key: nvidia.com/gpu, operator: Equal, value: 'true', effect: NoSchedule}]")),
    ("a cordoned node", [deployment("a", spec(EIGHT))],
     [node("n", 8, unschedulable=True, taints=[CORDON]), node("cpu")], [], "LLMD706", ("cordoned", "uncordon n")),
    ("a node that is not ready", [deployment("a", spec(EIGHT))], [node("n", 8, ready="Unknown")], [], "LLMD706",
     ("not-ready",)),
    ("no node", [deployment("a", spec(EIGHT))], [], [], "LLMD706", ("the cluster has no node",)),
    ("eviction", [deployment("a", spec(EIGHT, priorityClassName="high"))], [node("n", 8)],
     [pod("x", "n", FOUR, namespace="other"), pod("y", "n", {"cpu": "1"})], "LLMD707",
     ("fits only after evicting 1 pod of lower priority: other/x",)),
    ("no eviction of equals", [deployment("a", spec(EIGHT, priorityClassName="high"))], [node("n", 8)],
     [pod("x", "n", FOUR, priority=1000)], "LLMD701", ("n with 4",)),
    ("no eviction where the class is meek", [deployment("a", spec(EIGHT, priorityClassName="meek"))], [node("n", 8)],
     [pod("x", "n", FOUR)], "LLMD701", ("n with 4",)),
    ("anti-affinity", [deployment("a", spec(affinity=APART), 3)], [node("n"), node("m")], [], "LLMD709",
     ("1 of 3 pods", "required pod affinity or anti-affinity")),
    ("spread over zones", [deployment("a", spec({"cpu": "10"}, **spread(1)), 3)],
     [*ZONES, node("c", labels={"zone": "x"})], [], "", ()),
    ("a zone is full", [deployment("a", spec({"cpu": "10"}, **spread(1)), 3)],
     [ZONES[0], node("b", cpu="4", labels={"zone": "y"}), node("c", labels={"zone": "x"})], [], "LLMD709", ("2 of 3",)),
    ("groups", [group("a", spec(EIGHT), 2, 3)], [node(f"n{i}", 8) for i in range(5)], [], "LLMD701",
     ("1 of 4 pods of LeaderWorkerSet demo/a workers",)),
    ("leaders of their own", [group("a", spec(EIGHT), 2, 3, leader=spec({"cpu": "1"}))],
     [node(f"n{i}", 8) for i in range(4)], [], "", ()),
    ("the narrow pod comes first",
     [deployment("a", spec(EIGHT)), deployment("b", spec(EIGHT, nodeSelector={"p": "1"}))],
     [node("n", 8, labels={"p": "1"}), node("m", 8)], [], "", ()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "nodes", "pods", "rule", "words"), CASES, ids=[case[0] for case in CASES])
def test_pods_that_find_no_node_are_named(
    name: str, plan: list, nodes: list, pods: list, rule: str, words: tuple[str, ...]
) -> None:
    found = findings(model(plan, nodes, pods))
    assert [item.rule for item in found] == ([rule] if rule else []), shown(found)
    for word in words:
        assert word in shown(found)


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ({"parallelism": {"tensor": 16}}, True),
        ({"parallelism": {"tensor": 16}, "containers": [{"resources": {"limits": {"cpu": "2"}}}]}, True),
        ({"parallelism": {"tensor": 16}, "containers": [{"resources": {"limits": {GPU: "16"}}}]}, False),
        ({"containers": [{"resources": {}}]}, False),
    ],
)
def test_accelerators_that_the_chart_works_out_are_named_by_parallelism(role: dict, names: bool) -> None:
    part = RenderedRelease(
        "modelservice", "a", "demo", [deployment("a", spec({GPU: "16"}))], "llm-d-modelservice", "v1",
        [Layer({"decode": role}, "ms.yaml")],
    )  # fmt: skip
    facts = RuleFacts(capacity=Capacity(nodes=(node("n", 8),), pods=()))
    (found,) = findings(build_model([part], facts=facts))
    assert ("a: decode.parallelism" in found.keys) is names, found.keys


LIVE = [pod(f"a-{i}", f"n{i}", EIGHT, owner="a") for i in range(2)]
NODES = [node(f"n{i}", 8) for i in range(2)]
ROLLED = {"containers": [{**spec(EIGHT)["containers"][0], "image": "vllm:2"}]}
# name, plan, pods, rules
UPDATES: list[tuple[str, list, list, list[str]]] = [
    ("nothing is added", [deployment("a", spec(EIGHT), 2)], LIVE, []),
    ("one more", [deployment("a", spec(EIGHT), 3)], LIVE, ["LLMD701"]),
    ("a new image: the last pod has no room to go before", [deployment("a", ROLLED, 2)], LIVE, ["LLMD708"]),
    ("a new image, one pod may miss", [
        deployment("a", ROLLED, 2, strategy={"rollingUpdate": {"maxUnavailable": 1}})], LIVE, []),
    ("a new image, recreated", [deployment("a", ROLLED, 2, strategy={"type": "Recreate"})], LIVE, []),
    ("fewer leave room for others", [deployment("a", spec(EIGHT), 1), deployment("b", spec(EIGHT))], LIVE, []),
    ("smaller pods free what they had", [
        deployment("a", spec(FOUR), 4, strategy={"type": "Recreate"})], LIVE, []),
    ("an autoscaled number stays", [deployment("a", spec(EIGHT), None), deployment("b", spec(EIGHT))], LIVE,
     ["LLMD701"]),
    ("another Deployment's pods stay", [deployment("b", spec(EIGHT))], LIVE, ["LLMD701"]),
    ("a pod that waits already", [deployment("a", spec(EIGHT), 3)],
     [*LIVE, pod("a-2", "", EIGHT, owner="a", phase="Pending")], ["LLMD701"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plan", "pods", "rules"), UPDATES, ids=[case[0] for case in UPDATES])
def test_what_runs_already_counts_once(name: str, plan: list, pods: list, rules: list[str]) -> None:
    found = findings(model(plan, NODES, pods))
    assert [item.rule for item in found] == rules, shown(found)


def test_workloads_that_a_release_drops_free_their_room() -> None:
    live = {"kind": "Deployment", "metadata": {"name": "a", "namespace": "demo"}}
    plan = [deployment("b", spec(EIGHT), 2)]
    assert [item.rule for item in findings(model(plan, NODES, LIVE, workloads=[live]))] == ["LLMD701"]
    live["metadata"]["annotations"] = {"meta.helm.sh/release-name": "ms-a"}  # type: ignore[index]
    assert findings(model(plan, NODES, LIVE, workloads=[live])) == []


def test_autoscalers_say_how_many_there_are() -> None:
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "namespace": "demo"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "a"}, "minReplicas": 3},
    }
    (found,) = findings(model([deployment("a", spec(EIGHT), None), scaler], NODES))
    assert "1 of 3 pods" in found.message


@pytest.mark.parametrize(
    ("kind", "bounds", "rules"),
    [
        ("HorizontalPodAutoscaler", {"minReplicas": 1, "maxReplicas": 2}, []),
        ("HorizontalPodAutoscaler", {"minReplicas": 1, "maxReplicas": 5}, ["LLMD711"]),
        ("HorizontalPodAutoscaler", {"minReplicas": 3, "maxReplicas": 5}, ["LLMD701"]),
        ("ScaledObject", {"minReplicaCount": 0, "maxReplicaCount": 2}, []),
        ("ScaledObject", {"minReplicaCount": 0}, ["LLMD711"]),
    ],
)
def test_what_an_autoscaler_may_add_finds_room(kind: str, bounds: dict, rules: list[str]) -> None:
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "a"}}
    scaler = {"kind": kind, "metadata": {"name": "a", "namespace": "demo"}, "spec": {**target, **bounds}}
    found = findings(model([deployment("a", spec(EIGHT), None), scaler], NODES))
    assert [item.rule for item in found] == rules, shown(found)
    if bounds.get("maxReplicas") == 5 and rules == ["LLMD711"]:
        assert "may make 5 pods" in found[0].message and "3 would stay Pending" in found[0].message


def test_what_may_not_be_read_says_nothing_that_is_not_certain() -> None:
    busy, large = deployment("a", spec(EIGHT), 9), deployment("b", spec({GPU: "9"}))
    assert findings(model([busy, large], None)) == []
    found = findings(model([busy, large], NODES, pods_unknown=True))
    assert [item.rule for item in found] == ["LLMD702"], shown(found)


def test_the_report_says_what_there_is_and_what_waits() -> None:
    others = [pod("x", "n0", {GPU: "2", "cpu": "500m"}, namespace="other")]
    report = capacity_report(model([deployment("a", spec({GPU: "8", "memory": "1Gi"}), 2)], NODES, others))
    assert report["nodes"] == 2
    assert report["requested"] == {GPU: "16", "memory": "2Gi", "pods": "2"}
    assert report["by_component"] == {"modelservice": report["requested"]}
    assert report["free"] == {GPU: "14", "memory": "128Gi", "pods": "219"}
    assert report["allocatable"][GPU] == "16"
    (waits,) = report["pending"]
    assert (waits["workload"], waits["pods"], waits["of"]) == ("Deployment demo/a", 1, 2)
    assert "most free on one: n0 with 6 nvidia.com/gpu" in waits["why"]


def test_what_is_free_on_a_cordoned_node_is_not_free_in_the_report() -> None:
    nodes = [*NODES, node("n2", 8, unschedulable=True), node("n3", 8, ready="False")]
    report = capacity_report(model([deployment("a", spec({GPU: "8"}))], nodes))
    assert (report["free"][GPU], report["allocatable"][GPU]) == ("16", "32")
