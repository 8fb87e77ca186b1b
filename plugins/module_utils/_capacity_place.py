# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Placing pods on nodes: first fit without backtracking, the highest priority and the hardest to place first.

It says whether there is a way, not what the scheduler's scores make of it: of two orders the better one counts. A node
that is added at the end never makes more pods stay Pending, where no rules between pods and no preemption play a part.
Not modelled: volumes' nodes, host ports, dynamic resource allocation, disruption budgets, the scheduler's plugins.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_match import node_terms, usable
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_nodes import Held, Node
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_pods import Need
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_spread import Apart, terms
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import dicts

# Nodes on which eviction is tried; the scheduler tries not all either (DefaultPreemption, minCandidateNodesAbsolute).
ENOUGH = 100
# Bytes of memory that weigh as much as one core, in orders.
_CORE = 4 * 1024**3


@dataclasses.dataclass(frozen=True)
class Batch:
    """Pods of one kind to be placed."""

    name: str
    need: Need
    count: int


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a batch. pending: pods without a node; victims: pods that would be evicted for it."""

    batch: Batch
    pending: int
    victims: tuple[Held, ...] = ()


def size(need: Need) -> tuple:
    """Return how large a pod is, for sorting: devices, then cores and memory."""
    wanted = need.wanted
    devices = sum(value for name, value in wanted.items() if "/" in name)
    return devices, wanted.get("cpu", 0) + wanted.get("memory", 0) / _CORE


def _narrow(need: Need) -> int:
    """Return how many conditions a pod sets on its node."""
    spread = dicts(need.spec.get("topologySpreadConstraints"))
    apart = terms(need, "podAntiAffinity") + terms(need, "podAffinity")
    return len(need.selector) + len(node_terms(need) or ()) + len(spread) + len(apart) + bool(need.spec.get("nodeName"))


def place(batches: t.Sequence[Batch], nodes: t.Sequence[Node]) -> tuple[list[Outcome], list[Node]]:
    """Return the outcomes in the order of the batches, and the nodes as they would be then; nodes stay as they are."""
    orders = [
        sorted(batches, key=lambda one: (one.need.priority, size(one.need)), reverse=True),
        sorted(batches, key=lambda one: (one.need.priority, _narrow(one.need), size(one.need)), reverse=True),
    ]
    best: tuple[tuple[int, int], dict[str, Outcome], list[Node]] | None = None
    for order in orders if orders[0] != orders[1] else orders[:1]:
        trial = [node.copy() for node in nodes]
        found = {batch.name: _place(batch, trial) for batch in order}
        score = (sum(one.pending for one in found.values()), sum(len(one.victims) for one in found.values()))
        if best is None or score < best[0]:
            best = (score, found, trial)
        if score == (0, 0):
            break
    return ([best[1][batch.name] for batch in batches], best[2]) if best else ([], list(nodes))


def _place(batch: Batch, nodes: list[Node]) -> Outcome:
    need = batch.need
    candidates = [node for node in nodes if usable(need, node)]
    apart = Apart(need, nodes)
    victims: list[Held] = []
    start = 0
    for left in range(batch.count, 0, -1):
        index = _first(candidates, need, apart, 0 if apart.needed else start)
        if index < len(candidates):
            start = index
            _take(batch, candidates[index], apart)
            continue
        start = index
        target = _evict(need, candidates, apart) if need.preempts else None
        if target is None:
            return Outcome(batch, left, tuple(victims))
        victims += target[1]
        for pod in target[1]:
            target[0].release(pod)
        _take(batch, target[0], apart)
    return Outcome(batch, 0, tuple(victims))


def _first(candidates: list[Node], need: Need, apart: Apart, start: int) -> int:
    for index in range(start, len(candidates)):
        node = candidates[index]
        if node.holds(need.requests) and (not apart.needed or apart.allows(node)):
            return index
    return len(candidates)


def _take(batch: Batch, node: Node, apart: Apart) -> None:
    need = batch.need
    anti = tuple(terms(need, "podAntiAffinity"))
    node.take(Held("", need.namespace, node.name, need.requests, need.priority, need.labels, ("", ""), anti))
    apart.placed(node)


def _evict(need: Need, candidates: list[Node], apart: Apart) -> tuple[Node, list[Held]] | None:
    """Return the node where the fewest pods of lower priority have to go, and these pods; None where none helps."""
    best: tuple[Node, list[Held]] | None = None
    helped = 0
    for node in candidates:
        lower = [pod for pod in node.pods if pod.priority < need.priority]
        if not lower or (apart.needed and not apart.allows(node)):
            continue
        victims = _victims(need, node, lower)
        if victims and (best is None or len(victims) < len(best[1])):
            best = (node, victims)
        helped += bool(victims)
        if helped == ENOUGH or (best and len(best[1]) == 1):
            break
    return best


def _victims(need: Need, node: Node, lower: list[Held]) -> list[Held]:
    """Return the pods that have to leave a node, those of the highest priority last; [] where it does not help."""
    trial = node.copy()
    for pod in lower:
        trial.release(pod)
    if not trial.holds(need.requests):
        return []
    victims = []
    for pod in sorted(lower, key=lambda pod: -pod.priority):
        trial.take(pod)
        if not trial.holds(need.requests):
            trial.release(pod)
            victims.append(pod)
    return victims
