# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about room on nodes: each pod that the plan adds finds it. Where nodes are not known they say nothing."""

from __future__ import annotations

import typing as t

from ..base.data import mapping
from ..base.findings import ERROR, WARNING, Finding
from ..capacity.fit import Stuck, fit
from ..capacity.reasons import APART, BUSY, LABELS, SMALL, TAINTS, TROUBLE, UNKNOWN, asks
from ..capacity.workloads import Growth
from ..model.items import Item
from ..model.model import StackModel
from .base import Check, Path, Rule, Side, finding, given, listed, made

WARN = "or llm_d_capacity: warn"


def chart_fact(item: Item) -> str:
    """Return which part of a chart's values makes a workload's pods: decode, prefill or the picker."""
    if item.serves_models:
        return "prefill" if "prefill" in item.name else "decode"
    return "epp" if item.release else ""


def pod_side(one: Growth, *path: t.Any) -> Side:
    """Return the place of a field of a workload's pod spec."""
    spec: Path = (*one.path, "spec") if one.path else ("spec",)
    return Side(one.item, (*spec, *path), chart_fact(one.item), path)


def container_path(one: Growth, resource: str = "") -> Path:
    """Return where the container that asks for a resource, else the first one, says what it asks for."""
    asking = [c for c in one.need.containers if c.requests.get(resource)] or list(one.need.containers)
    return (asking[0].key, asking[0].index, "resources") if asking else ()


def _sides(stuck: Stuck) -> list[Side]:
    """Return the places of what does not fit: its resources, and what the chart has worked its accelerators out of."""
    side = _side(stuck)
    role, more = side.fact, side.more
    if not role or more[-1:] != ("resources",):
        return [side]
    listed_ones = mapping(given(side.item, (role, *more)))
    by_user = {name for part in ("limits", "requests") for name in mapping(listed_ones.get(part))}
    made = {name for name in stuck.growth.need.wanted if "/" in name} - by_user
    return (
        [side, Side(side.item, (), role, ("parallelism",))]
        if made and given(side.item, (role, "parallelism"))
        else [side]
    )


def _side(stuck: Stuck) -> Side:
    one, key = stuck.growth, stuck.reason.key
    if key != "resources":
        return pod_side(one, key)
    return pod_side(one, *container_path(one, stuck.reason.detail))


def _stuck(kind: str) -> Check:
    def check(model: StackModel) -> t.Iterator[Finding]:
        for stuck in fit(model).stuck:
            if stuck.reason.kind == kind:
                item = stuck.growth.item
                key = ("capacity", kind, stuck.reason.detail) if kind == UNKNOWN else ("capacity", item.title)
                yield finding(stuck.text, _sides(stuck), key, _remedy(stuck))

    return check


def _remedy(stuck: Stuck) -> str:
    found = stuck.reason
    if found.kind == TAINTS and (key := _side(stuck).key):
        return f"add to {'.'.join(map(str, key))} of {stuck.growth.item.release}: {found.detail}"
    return found.remedy


def evictions(model: StackModel) -> t.Iterator[Finding]:
    for one, victims in fit(model).evictions:
        named = listed(f"{pod.namespace}/{pod.name}" for pod in victims[:4])
        named += f" and {len(victims) - 4} more" if len(victims) > 4 else ""
        many = f"{len(victims)} pod{'s' if len(victims) > 1 else ''} of lower priority"
        text = f"{one.title} fits only after evicting {many}: {named}"
        yield finding(text, (pod_side(one, "priorityClassName"),), ("evictions", one.title))


def stalled(model: StackModel) -> t.Iterator[Finding]:
    for one, found in fit(model).stalled:
        text = f"the update of {one.title} starts a new pod before it ends an old one, and there is no room for it: "
        text += f"{asks(one.need)}; {found.text}"
        place = ("spec", "strategy")
        yield finding(text, (Side(one.item, place, chart_fact(one.item), ("strategy",)),), ("stalled", one.item.title))


def crowded(model: StackModel) -> t.Iterator[Finding]:
    for stuck in fit(model).crowded:
        one, scaler = stuck.growth, stuck.growth.scaler
        if scaler is not None:
            key = "maxReplicas" if "maxReplicas" in scaler.spec else "maxReplicaCount"
            text = (
                f"{scaler.title} may make {one.most} pods of {one.title}, of which {stuck.pending} would stay Pending: "
            )
            text += f"{asks(one.need)}; {stuck.reason.text}"
            yield finding(text, (made(scaler, ("spec", key)),), ("crowded", scaler.title))


def _rule(
    number: int, title: str, check: Check, meaning: str, failure: str, remedy: str, source: str, severity: str = ERROR
) -> Rule:
    return Rule(f"LLMD7{number:02d}", title, severity, check, meaning, failure, remedy, source)


_PENDING = "The pod stays Pending (FailedScheduling), and the release waits until it times out."
_SCHEDULER = "Kubernetes, kube-scheduler"

RULES = (
    _rule(
        1,
        "Each pod finds room",
        _stuck(BUSY),
        "For each pod that the plan adds some node has enough free: allocatable minus the requests of the pods there. "
        "Pods that run already are not counted twice; those that an update ends free their room. It is the best case: "
        "the scheduler may spread pods so that less fits. Not modelled: nodes that volumes are bound to, host ports, "
        "dynamic resource allocation, and what is created between planning and deploying.",
        f"{_PENDING} Insufficient nvidia.com/gpu, cpu or memory.",
        "free or add nodes, or ask for less; where the cluster's autoscaler adds nodes, llm_d_capacity: warn",
        f"{_SCHEDULER}, NodeResourcesFit; F8; llm-d#1569",
    ),
    _rule(
        2,
        "Some node is large enough for a pod",
        _stuck(SMALL),
        "Some node that a pod may run on could hold it if it were empty.",
        f"{_PENDING} No pod that ends makes enough room.",
        f"ask for less (tensor parallelism, memory), add larger nodes, {WARN} where an autoscaler does",
        f"{_SCHEDULER}, NodeResourcesFit; F8",
    ),
    _rule(
        3,
        "Nodes have the devices that pods ask for",
        _stuck(UNKNOWN),
        "Some node has the extended resource (nvidia.com/gpu, rdma/ib ...) that a container asks for.",
        f"{_PENDING} The name is misspelt, or the nodes' device plugin does not run.",
        f"correct the resource's name, run its device plugin, {WARN} where an autoscaler adds such nodes",
        "Kubernetes, Extended Resources; F8",
    ),
    _rule(
        4,
        "Nodes have the labels that pods ask for",
        _stuck(LABELS),
        "Some node has all labels of a pod's nodeSelector and meets its required node affinity.",
        f"{_PENDING} didn't match Pod's node affinity/selector.",
        f"use labels that a node has, label the node, {WARN} where an autoscaler adds such nodes",
        f"{_SCHEDULER}, NodeAffinity; F8",
    ),
    _rule(
        5,
        "Pods tolerate the taints of the nodes that they need",
        _stuck(TAINTS),
        "Of the nodes that could hold a pod some has no taint that the pod does not tolerate.",
        f"{_PENDING} had untolerated taint.",
        "add the toleration to the pods",
        f"{_SCHEDULER}, TaintToleration; F8",
    ),
    _rule(
        6,
        "Nodes that pods need take pods",
        _stuck(TROUBLE),
        "Of the nodes that could hold a pod some is ready and not cordoned.",
        f"{_PENDING} were unschedulable, or had untolerated taint node.kubernetes.io/...",
        f"uncordon or repair the nodes, {WARN}",
        f"{_SCHEDULER}, NodeUnschedulable; F8",
    ),
    _rule(
        7,
        "No other pods are evicted",
        evictions,
        "The plan's pods find room without preemption: none of lower priority is evicted.",
        "Pods of others are evicted without asking: their work stops.",
        "agree on it with the owners of these pods, use another PriorityClass, or add nodes",
        "Kubernetes, Pod Priority and Preemption; llm-d#1569",
        WARNING,
    ),
    _rule(
        8,
        "Updates find room for the pod that they start first",
        stalled,
        "A rolling update that may miss no pod has room for one more pod than before.",
        "The new pod stays Pending, the old ones keep serving, and the update never finishes.",
        "let the update end a pod first (strategy Recreate, or maxUnavailable 1), or free room for one more pod",
        "Kubernetes, Deployments, Rolling Update",
        WARNING,
    ),
    _rule(
        9,
        "Pods that keep apart find enough nodes",
        _stuck(APART),
        "There are enough nodes for pods that required pod (anti-)affinity or topology spread keeps apart or together.",
        f"{_PENDING} didn't match pod anti-affinity rules, or pod topology spread constraints.",
        f"use fewer replicas, relax the constraint, add nodes, {WARN} where an autoscaler does",
        f"{_SCHEDULER}, InterPodAffinity and PodTopologySpread",
    ),
    _rule(
        11,
        "An autoscaler's most pods find room",
        crowded,
        "There is room for as many pods as a HorizontalPodAutoscaler or a ScaledObject may make of a workload.",
        "Under load the autoscaler asks for pods that stay Pending.",
        "lower the maximum, or add nodes; ignore it where the cluster's autoscaler adds them",
        "Kubernetes, HorizontalPodAutoscaler spec.maxReplicas; KEDA, ScaledObject spec.maxReplicaCount",
        WARNING,
    ),
)
