# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes and what is free on them: allocatable minus the requests of the pods that hold resources, never below zero."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..base.quantities import MILLI, Amounts, amounts
from ..objects.graphs import owner_by_labels
from ..objects.pods import owner
from .pods import PodNeed, containers_of, pod_amounts

ENDED = ("Succeeded", "Failed")
EFFECTS = ("NoSchedule", "NoExecute")


@dataclasses.dataclass(frozen=True)
class RunningPod:
    """A pod on a node. terms: its required anti-affinity, which keeps others away too."""

    name: str
    namespace: str
    node: str
    requests: Amounts
    priority: int
    labels: Object
    owner: tuple[str, str]
    terms: tuple[Object, ...] = ()
    body: Object = dataclasses.field(default_factory=dict, repr=False, compare=False)


@dataclasses.dataclass
class ClusterNode:
    """A node; used and pods change while pods are placed. ready: also where its conditions do not say."""

    name: str
    labels: Object
    taints: tuple[Object, ...]
    cordoned: bool
    ready: bool
    allocatable: Amounts
    used: Amounts = dataclasses.field(default_factory=dict)
    pods: list[RunningPod] = dataclasses.field(default_factory=list)

    def free(self, name: str) -> int:
        """Return what is free of a resource, 0 where more is held than there is."""
        return max(0, self.allocatable.get(name, 0) - self.used.get(name, 0))

    def holds(self, wanted: t.Mapping[str, int], empty: bool = False) -> bool:
        """Return whether a pod's requests fit, or would if the node were empty. What is not asked for may be short."""
        room = self.allocatable.get if empty else self.free
        return all(value <= (room(name) or 0) for name, value in wanted.items() if value > 0)

    def copy(self) -> ClusterNode:
        """Return the node for another trial."""
        return dataclasses.replace(self, used=dict(self.used), pods=list(self.pods))

    def take(self, pod: RunningPod) -> None:
        """Let a pod hold its requests."""
        self.pods.append(pod)
        used = self.used
        for name, value in pod.requests.items():
            used[name] = used.get(name, 0) + value

    def release(self, pod: RunningPod) -> None:
        """Take a pod away."""
        self.pods.remove(pod)
        for name, value in pod.requests.items():
            self.used[name] -= value


def node_of(body: Object) -> ClusterNode:
    """Return a Node object's node."""
    metadata, spec, status = mapping(body.get("metadata")), mapping(body.get("spec")), mapping(body.get("status"))
    ready = {str(item.get("type")): item.get("status") for item in dicts(status.get("conditions"))}.get("Ready")
    taints = tuple(taint for taint in dicts(spec.get("taints")) if taint.get("effect") in EFFECTS)
    labels = mapping(metadata.get("labels"))
    return ClusterNode(
        name=str(metadata.get("name")),
        labels=labels,
        taints=taints,
        cordoned=spec.get("unschedulable") is True,
        ready=ready in (None, "True"),
        allocatable=amounts(status.get("allocatable")),
    )


def held(body: Object) -> RunningPod:
    """Return a live pod as what it holds; node is '' where it has none yet."""
    metadata, spec = mapping(body.get("metadata")), mapping(body.get("spec"))
    anti = mapping(mapping(spec.get("affinity")).get("podAntiAffinity"))
    status = mapping(body.get("status"))
    return RunningPod(
        name=str(metadata.get("name")),
        namespace=str(metadata.get("namespace")),
        node=str(spec.get("nodeName") or status.get("nominatedNodeName") or ""),
        requests=_requests(json.dumps([spec.get(key) for key in _ASKING], sort_keys=True)),
        priority=number(spec.get("priority")) or 0,
        labels=mapping(metadata.get("labels")),
        owner=owner_by_labels(mapping(metadata.get("labels"))) or owner(metadata),
        terms=tuple(dicts(anti.get("requiredDuringSchedulingIgnoredDuringExecution"))),
        body=body,
    )


_ASKING = ("containers", "initContainers", "overhead", "resources")


@functools.lru_cache(maxsize=4096)
def _requests(spec: str) -> Amounts:
    """Return a pod's requests; pods of one workload share them. Callers do not change the result."""
    body = dict(zip(_ASKING, json.loads(spec), strict=True))
    requests, _limits = pod_amounts(body, containers_of(body))
    return {**requests, "pods": MILLI}


def trimmed_node(body: Object) -> Object:
    """Return what is read of a Node; the list of its images, most of it, is dropped."""
    spec, status, metadata = (mapping(body.get(key)) for key in ("spec", "status", "metadata"))
    conditions = [item for item in dicts(status.get("conditions")) if item.get("type") == "Ready"]
    return {
        "metadata": {"name": metadata.get("name"), "labels": metadata.get("labels")},
        "spec": {key: spec.get(key) for key in ("taints", "unschedulable")},
        "status": {"allocatable": status.get("allocatable"), "conditions": conditions},
    }


_POD_SPEC = ("nodeName", "priority", "overhead", "resources", "affinity", "activeDeadlineSeconds")


def trimmed_pod(body: Object, whole: bool = False) -> Object:
    """Return what is read of a Pod. whole: its containers too, to compare them with those of the plan."""
    spec, status, metadata = (mapping(body.get(key)) for key in ("spec", "status", "metadata"))
    kept = ("name", "namespace", "labels", "ownerReferences", *(("annotations",) if whole else ()))
    small = {key: spec[key] for key in (spec if whole else _POD_SPEC) if spec.get(key) is not None}
    for key in ("containers", "initContainers"):
        if not whole and spec.get(key):
            small[key] = [
                {name: entry[name] for name in ("resources", "restartPolicy") if name in entry}
                for entry in dicts(spec[key])
            ]
    return {
        "metadata": {key: metadata.get(key) for key in kept},
        "spec": small,
        "status": {key: status[key] for key in ("phase", "nominatedNodeName") if status.get(key)},
    }


def occupied(nodes: t.Iterable[Object], pods: t.Iterable[Object]) -> list[ClusterNode]:
    """Return the nodes with the pods that hold resources on them: bound, and not ended."""
    found = [node_of(body) for body in nodes]
    by_name = {node.name: node for node in found}
    for body in pods:
        if mapping(body.get("status")).get("phase") in ENDED:
            continue
        pod = held(body)
        if pod.node in by_name:
            by_name[pod.node].take(pod)
    return found


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
# Taints that the control plane puts on nodes in trouble.
STATE = "node.kubernetes.io/"
_INTEGER = re.compile(r"[+-]?\d{1,19}\Z")


def expression_holds(labels: t.Mapping[str, t.Any], item: Object) -> bool:
    """Return whether labels meet a requirement {key, operator, values}; an unknown operator is met by none."""
    key, operator = str(item.get("key")), item.get("operator")
    values = item["values"] if isinstance(item.get("values"), list) else []
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) == (operator == "Exists")
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values
    sides = (str(labels.get(key, "")), str(values[0]) if values else "")
    if operator not in ("Gt", "Lt") or not all(_INTEGER.match(side) for side in sides):
        return False
    return int(sides[0]) > int(sides[1]) if operator == "Gt" else int(sides[0]) < int(sides[1])


def term_holds(term: Object, labels: t.Mapping[str, t.Any], name: str) -> bool:
    """Return whether a node selector term selects a node; an empty one selects none."""
    expressions, fields = dicts(term.get("matchExpressions")), dicts(term.get("matchFields"))
    if not expressions and not fields:
        return False
    by_name = {"metadata.name": name}
    return all(expression_holds(labels, item) for item in expressions) and all(
        expression_holds(by_name, item) for item in fields
    )


def node_terms(need: PodNeed) -> list[Object] | None:
    """Return the terms of a pod's required node affinity, one of which has to hold; None where it has none."""
    affinity = mapping(mapping(need.spec.get("affinity")).get("nodeAffinity"))
    required = affinity.get(REQUIRED)
    return dicts(mapping(required).get("nodeSelectorTerms")) if isinstance(required, dict) else None


def selects(need: PodNeed, node: ClusterNode) -> bool:
    """Return whether a node has the labels that a pod asks for, and is the node that it names, if any."""
    if need.spec.get("nodeName") and need.spec["nodeName"] != node.name:
        return False
    if any(node.labels.get(key) != value for key, value in need.selector.items()):
        return False
    terms = node_terms(need)
    return terms is None or any(term_holds(term, node.labels, node.name) for term in terms)


def tolerates(need: PodNeed, taint: Object) -> bool:
    """Return whether a pod tolerates a taint."""
    for item in need.tolerations:
        key, operator = item.get("key") or "", item.get("operator") or "Equal"
        if item.get("effect") and item["effect"] != taint.get("effect"):
            continue
        if operator == "Exists" and key in ("", taint.get("key")):
            return True
        if operator == "Equal" and key == taint.get("key") and (item.get("value") or "") == (taint.get("value") or ""):
            return True
    return False


def repelling(need: PodNeed, node: ClusterNode) -> list[Object]:
    """Return the taints of a node that a pod does not tolerate, without those that tell of trouble."""
    taints = [taint for taint in node.taints if not str(taint.get("key")).startswith(STATE)]
    return [taint for taint in taints if not tolerates(need, taint)]


def trouble(need: PodNeed, node: ClusterNode) -> str:
    """Return why a node takes no such pod now: cordoned, not ready, under pressure; '' where it does."""
    if node.cordoned and not tolerates(need, CORDON):
        return "cordoned"
    named = [taint for taint in node.taints if str(taint.get("key")).startswith(STATE) and not tolerates(need, taint)]
    if named:
        return str(named[0]["key"]).removeprefix(STATE)
    return "" if node.ready else "not-ready"


def usable(need: PodNeed, node: ClusterNode) -> bool:
    """Return whether a pod may run on a node, if there is room. A pod that names its node skips the scheduler."""
    if need.spec.get("nodeName"):
        return need.spec["nodeName"] == node.name
    return selects(need, node) and not repelling(need, node) and not trouble(need, node)


def labels_match(selector: t.Any, labels: t.Mapping[str, t.Any]) -> bool:
    """Return whether a label selector (matchLabels, matchExpressions) selects labels; none selects nothing."""
    if not isinstance(selector, dict):
        return False
    if any(labels.get(key) != value for key, value in mapping(selector.get("matchLabels")).items()):
        return False
    return all(expression_holds(labels, item) for item in dicts(selector.get("matchExpressions")))
