# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan's pods on a cluster's nodes: which stay Pending, which others they would evict, which updates stall."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..base.data import Object, mapping
from ..base.quantities import Amounts, added, exact
from ..model.model import StackModel
from .nodes import ClusterNode, RunningPod, held, occupied, usable
from .place import Batch, place
from .quota import uses
from .reasons import APART, BUSY, Reason, asks, reason
from .workloads import Growth, growths, leaving, surge


@dataclasses.dataclass(frozen=True)
class Stuck:
    """Pods of a workload that stay Pending, and why."""

    growth: Growth
    pending: int
    reason: Reason

    @property
    def text(self) -> str:
        one = self.growth
        many = f"{self.pending} of {one.wanted} pods of {one.title}"
        many = f"the pod of {one.title}" if one.wanted == 1 else many
        return f"{many} would stay Pending: {asks(one.need)}; {self.reason.text}"


@dataclasses.dataclass
class Fit:
    """before: the nodes as they are; after: as they would be, empty where it is not known how full they are.

    crowded: as stuck, of the pods that autoscalers may add to those of the plan.
    first: the pods only fit once those are gone that no part of the stack has any more.
    """

    before: list[ClusterNode] = dataclasses.field(default_factory=list)
    after: list[ClusterNode] = dataclasses.field(default_factory=list)
    stuck: list[Stuck] = dataclasses.field(default_factory=list)
    evictions: list[tuple[Growth, tuple[RunningPod, ...]]] = dataclasses.field(default_factory=list)
    stalled: list[tuple[Growth, Reason]] = dataclasses.field(default_factory=list)
    crowded: list[Stuck] = dataclasses.field(default_factory=list)
    first: bool = False


def fit(model: StackModel) -> Fit:
    """Return how the plan's pods fit, worked out once; nothing where nodes may not be listed."""
    if "fit" not in model.cache:
        found = _fit(model)
        if found.stuck and (unwanted := _unwanted(model)):
            without = _fit(model, unwanted)
            found = dataclasses.replace(without, first=True) if not without.stuck else found
        model.cache["fit"] = found
    return model.cache["fit"]


def _unwanted(model: StackModel) -> set[tuple[str, str]]:
    """Return namespace and name of the pods of workloads that go with the deployment."""
    capacity = model.facts.capacity
    bodies = (capacity.pods or ()) if capacity and capacity.unwanted else ()
    pods = [held(body) for body in bodies]
    return {(pod.namespace, pod.name) for pod in pods if capacity and (*pod.owner, pod.namespace) in capacity.unwanted}


def _fit(model: StackModel, unwanted: t.Collection[tuple[str, str]] = ()) -> Fit:
    capacity = model.facts.capacity
    if capacity is None or capacity.nodes is None:
        return Fit()
    whole = occupied(capacity.nodes, capacity.pods or ())
    wanted = [one for one in growths(model) if one.missing]
    if capacity.pods is None:
        return Fit(whole, [], [stuck for one in wanted if (stuck := _ever(one, whole))])
    gone = {(pod.namespace, pod.name) for pod in leaving(model)} | {*unwanted}
    rest = [pod for pod in capacity.pods if _key(pod) not in gone]
    start = occupied(capacity.nodes, rest)
    batches = [Batch(str(index), one.need, one.missing) for index, one in enumerate(wanted)]
    outcomes, after = place(batches, start)
    found = Fit(whole, after)
    for one, outcome in zip(wanted, outcomes, strict=True):
        if outcome.pending:
            found.stuck.append(Stuck(one, outcome.pending, reason(one.need, after, True, start)))
        if outcome.victims:
            found.evictions.append((one, outcome.victims))
    found.crowded = _crowded(model, after) if not found.stuck else []
    late = {id(entry.growth) for entry in found.stuck}
    found.stalled = [
        (one, reason(one.need, whole)) for one in growths(model) if id(one) not in late and _stalls(one, whole)
    ]
    return found


def _crowded(model: StackModel, nodes: list[ClusterNode]) -> list[Stuck]:
    """Return the pods for which there is no room where autoscalers make as many as they may. nodes: after the plan."""
    more = [one for one in growths(model) if one.most > one.wanted]
    if not more:
        return []
    batches = [Batch(str(index), one.need, one.most - one.wanted) for index, one in enumerate(more)]
    outcomes, after = place(batches, nodes)
    return [
        Stuck(one, outcome.pending, reason(one.need, after, True, nodes))
        for one, outcome in zip(more, outcomes, strict=True)
        if outcome.pending
    ]


def _key(pod: t.Mapping[str, t.Any]) -> tuple[str, str]:
    metadata = mapping(pod.get("metadata"))
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _ever(one: Growth, nodes: list[ClusterNode]) -> Stuck | None:
    """Return why no empty node would hold a pod; None where one would, or where only room could say."""
    found = reason(one.need, nodes, known=False)
    return None if found.kind in (APART, BUSY) else Stuck(one, one.missing, found)


def _stalls(one: Growth, nodes: list[ClusterNode]) -> bool:
    """Return whether a rolling update waits for room that only the pods that it replaces would free."""
    running = [pod for pod in one.live if pod.node]
    _more, fewer = surge(one)
    if not running or not one.rolls or fewer:
        return False
    return not any(usable(one.need, node) and node.holds(one.need.requests) for node in nodes)


def capacity_report(model: StackModel) -> Object:
    """Return what the plan's pods ask for and what the cluster has, {} where that is unknown.

    nodes: how many; requested: by all pods of the plan, by_component: of each; allocatable, free: of all nodes, before
    the plan (free only where pods may be listed, and only on nodes that take pods); pending: pods that stay Pending;
    quota: what the plan adds to each; unread: what may not be read. Amounts are Kubernetes quantities.
    """
    capacity = model.facts.capacity
    if capacity is None:
        return {}
    found = fit(model)
    parts: dict[str, Amounts] = collections.defaultdict(dict)
    for one in growths(model):
        parts[one.item.component] = added(parts[one.item.component], one.need.requests, one.wanted)
    requested: Amounts = {}
    for amounts in parts.values():
        requested = added(requested, amounts)
    allocatable: Amounts = {}
    free: Amounts = {}
    for node in found.before:
        allocatable = added(allocatable, node.allocatable)
        open_to_pods = node.ready and not node.cordoned
        free = added(free, {name: node.free(name) if open_to_pods else 0 for name in node.allocatable})
    names = {name for name in requested if requested[name]}
    return {
        "nodes": None if capacity.nodes is None else len(capacity.nodes),
        "requested": _written(requested, names),
        "free": {} if capacity.pods is None else _written(free, names),
        "allocatable": _written(allocatable, names),
        "by_component": {name: _written(amounts, names) for name, amounts in sorted(parts.items())},
        "pending": [
            {"workload": one.growth.title, "pods": one.pending, "of": one.growth.wanted, "why": one.reason.text}
            for one in found.stuck
        ],
        "quota": [
            {
                "name": use.name,
                "resource": use.resource,
                "hard": exact(use.resource, use.hard),
                "used": exact(use.resource, use.used),
                "added": exact(use.resource, use.added),
            }
            for use in uses(model)
        ],
        "unread": list(capacity.unread),
    }


def _written(amounts: Amounts, names: t.Collection[str]) -> dict[str, str]:
    return {name: exact(name, value) for name, value in sorted(amounts.items()) if name in names}
