# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan's pods on a cluster's nodes: which stay Pending, which others they would evict, which updates stall."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_match import usable
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_nodes import Held, Node, occupied
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_place import Batch, place
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_reasons import (
    APART,
    BUSY,
    Reason,
    asks,
    reason,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_workloads import (
    Growth,
    growths,
    leaving,
    surge,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import mapping
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel


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
    """before: the nodes as they are; after: as they would be, empty where it is not known how full they are."""

    before: list[Node] = dataclasses.field(default_factory=list)
    after: list[Node] = dataclasses.field(default_factory=list)
    stuck: list[Stuck] = dataclasses.field(default_factory=list)
    evictions: list[tuple[Growth, tuple[Held, ...]]] = dataclasses.field(default_factory=list)
    stalled: list[tuple[Growth, Reason]] = dataclasses.field(default_factory=list)


def fit(model: StackModel) -> Fit:
    """Return how the plan's pods fit, worked out once; nothing where nodes may not be listed."""
    if "fit" not in model.cache:
        model.cache["fit"] = _fit(model)
    return model.cache["fit"]


def _fit(model: StackModel) -> Fit:
    capacity = model.facts.capacity
    if capacity is None or capacity.nodes is None:
        return Fit()
    whole = occupied(capacity.nodes, capacity.pods or ())
    wanted = [one for one in growths(model) if one.missing]
    if capacity.pods is None:
        return Fit(whole, [], [stuck for one in wanted if (stuck := _ever(one, whole))])
    gone = {(pod.namespace, pod.name) for pod in leaving(model)}
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
    late = {id(entry.growth) for entry in found.stuck}
    found.stalled = [
        (one, reason(one.need, whole)) for one in growths(model) if id(one) not in late and _stalls(one, whole)
    ]
    return found


def _key(pod: t.Mapping[str, t.Any]) -> tuple[str, str]:
    metadata = mapping(pod.get("metadata"))
    return str(metadata.get("namespace")), str(metadata.get("name"))


def _ever(one: Growth, nodes: list[Node]) -> Stuck | None:
    """Return why no empty node would hold a pod; None where one would, or where only room could say."""
    found = reason(one.need, nodes, known=False)
    return None if found.kind in (APART, BUSY) else Stuck(one, one.missing, found)


def _stalls(one: Growth, nodes: list[Node]) -> bool:
    """Return whether a rolling update waits for room that only the pods that it replaces would free."""
    running = [pod for pod in one.live if pod.node]
    _more, fewer = surge(one)
    if not running or not one.rolls or fewer:
        return False
    return not any(usable(one.need, node) and node.holds(one.need.requests) for node in nodes)
