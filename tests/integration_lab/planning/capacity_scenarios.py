# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes, pods that hold them, and workloads to be added: what the real scheduler does with them is compared."""

from __future__ import annotations

import dataclasses
from typing import Any

Object = dict[str, Any]
GPU = "nvidia.com/gpu"
EIGHT, FOUR = {GPU: "8"}, {GPU: "4"}
TAINT = {"key": "dedicated", "value": "models", "effect": "NoSchedule"}
TOLERATED = {"tolerations": [{"key": "dedicated", "operator": "Exists"}]}
LOW, HIGH, MEEK = "capacity-low", "capacity-high", "capacity-meek"
CLASSES = [
    {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value, **more}
    for name, value, more in ((LOW, -10, {}), (HIGH, 100, {}), (MEEK, 100, {"preemptionPolicy": "Never"}))
]


@dataclasses.dataclass(frozen=True)
class Scenario:
    """nodes: {suffix: entry of lab_nodes}; held: pods that are there before; before: Deployments that are there before.

    rules: what is to be found; pending: how many pods of all workloads have no node, or are not made, in the end.
    """

    name: str
    nodes: dict[str, Object]
    plan: list[Object]
    rules: list[str]
    pending: int
    held: tuple[tuple[str, Object], ...] = ()
    before: tuple[Object, ...] = ()
    limits: tuple[Object, ...] = ()
    evicted: int = 0


def pod(requests: Object | None = None, limits: Object | None = None, **more: Any) -> Object:
    """A pod's spec."""
    # Devices need a limit, equal to the request.
    limits = {**(limits or {}), **{name: value for name, value in (requests or {}).items() if "/" in name}}
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    container = {"name": "main", "image": "lab/model:1", "resources": resources}
    return {"containers": [container], "terminationGracePeriodSeconds": 0, **more}


def workload(name: str, spec: Object, replicas: int, kind: str = "Deployment", **more: Any) -> Object:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **more}
    body.update({"serviceName": name} if kind == "StatefulSet" else {})
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def quota(hard: Object, **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": hard, **more}}


def limit_range(**item: Any) -> Object:
    spec = {"limits": [{"type": "Container", **item}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "team"}, "spec": spec}


def apart(name: str) -> Object:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": name}}}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def spread(name: str) -> Object:
    selector = {"matchLabels": {"app": name}}
    rule = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}
    return {"topologySpreadConstraints": [rule]}


def on(key: str, operator: str, *values: str) -> Object:
    expression = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    term = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}}}


def init(*containers: tuple[str, str]) -> Object:
    """Init containers: (cores, restart policy)."""
    found = []
    for index, (cores, policy) in enumerate(containers):
        body = {"name": f"init-{index}", "image": "lab/init:1", "resources": {"requests": {"cpu": cores}}}
        found.append({**body, **({"restartPolicy": policy} if policy else {})})
    return {"initContainers": found}


TWO = {"a": {"gpus": 8}, "b": {"gpus": 8}}
CPUS = {"cpu": "4", "memory": "8Gi"}
CLASS_SCOPE = {"scopeName": "PriorityClass", "operator": "In", "values": [HIGH]}
SCENARIOS = [
    Scenario("fits", TWO, [workload("m", pod(EIGHT), 2)], [], 0),
    Scenario("busy", TWO, [workload("m", pod(EIGHT), 3)], ["LLMD701"], 2, held=(("a", pod(FOUR)),)),
    Scenario("memory", {"a": CPUS}, [workload("m", pod(None, {"memory": "3Gi"}), 3)], ["LLMD701"], 1),
    Scenario("pods", {"a": {"pods": 2}}, [workload("m", pod(), 3)], ["LLMD701"], 1),
    Scenario("large", TWO, [workload("m", pod({GPU: "9"}), 1)], ["LLMD702"], 1),
    Scenario("device", TWO, [workload("m", pod({"example.com/gpus": "1"}), 1)], ["LLMD703"], 1),
    Scenario("labels", TWO, [workload("m", pod(nodeSelector={"zone": "z"}), 2)], ["LLMD704"], 2),
    Scenario(
        "affinity",
        {"a": {**CPUS, "labels": {"gen": "1"}}, "b": {**CPUS, "labels": {"gen": "3"}}},
        [workload("m", pod({"cpu": "3"}, **on("gen", "Gt", "2")), 2)],
        ["LLMD701"],
        1,
    ),
    Scenario("taint", {"a": {"gpus": 8, "taints": [TAINT]}}, [workload("m", pod(EIGHT), 1)], ["LLMD705"], 1),
    Scenario("tolerated", {"a": {"gpus": 8, "taints": [TAINT]}}, [workload("m", pod(EIGHT, **TOLERATED), 1)], [], 0),
    Scenario("cordoned", {"a": {"gpus": 8, "cordoned": True}}, [workload("m", pod(EIGHT), 1)], ["LLMD706"], 1),
    Scenario("apart", {"a": {}, "b": {}}, [workload("m", pod(**apart("m")), 3)], ["LLMD709"], 1),
    Scenario(
        "zones",
        {"a": {"labels": {"zone": "x"}}, "b": {"labels": {"zone": "y"}, "cpu": 4}},
        [workload("m", pod({"cpu": "3"}, **spread("m")), 5)],
        ["LLMD709"],
        2,
    ),
    Scenario(
        "preempts",
        {"a": {"gpus": 8}},
        [workload("m", pod(EIGHT, priorityClassName=HIGH), 1)],
        ["LLMD707"],
        0,
        held=(("a", pod(FOUR, priorityClassName=LOW)), ("a", pod({"cpu": "1"}))),
        evicted=1,
    ),
    Scenario(
        "never",
        {"a": {"gpus": 8}},
        [workload("m", pod(EIGHT, priorityClassName=MEEK), 1)],
        ["LLMD701"],
        1,
        held=(("a", pod(FOUR, priorityClassName=LOW)),),
    ),
    # Sidecars run while later init containers do: 2 + 3 cores at once.
    Scenario(
        "sidecar",
        {"a": CPUS},
        [workload("m", pod({"cpu": "1"}, **init(("2", "Always"), ("3", ""))), 1)],
        ["LLMD702"],
        1,
    ),
    Scenario("init", {"a": CPUS}, [workload("m", pod({"cpu": "1"}, **init(("3", ""), ("2", "Always"))), 1)], [], 0),
    Scenario("stateful", TWO, [workload("m", pod(EIGHT), 3, "StatefulSet")], ["LLMD701"], 1),
    Scenario(
        "update",
        {"a": {"gpus": 8}},
        [workload("m", {**pod(EIGHT), "containers": [{**pod(EIGHT)["containers"][0], "image": "lab/model:2"}]}, 1)],
        ["LLMD708"],
        1,
        before=(workload("m", pod(EIGHT), 1),),
    ),
    Scenario("grows", TWO, [workload("m", pod(EIGHT), 2)], [], 0, before=(workload("m", pod(EIGHT), 1),)),
    Scenario("quota", TWO, [workload("m", pod(EIGHT), 2)], ["LLMD721"], 1, limits=(quota({f"requests.{GPU}": "8"}),)),
    Scenario(
        "defaults",
        {"a": {}},
        [workload("m", pod(), 3)],
        ["LLMD721"],
        1,
        limits=(quota({"limits.cpu": "4"}), limit_range(default={"cpu": "2"}, defaultRequest={"cpu": "1"})),
    ),
    Scenario(
        "scoped",
        {"a": {}},
        [workload("m", pod(priorityClassName=HIGH), 2), workload("n", pod(), 2)],
        ["LLMD721"],
        1,
        limits=(quota({"pods": "1"}, scopeSelector={"matchExpressions": [CLASS_SCOPE]}),),
    ),
]
