# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Placing pods on nodes: first fit without backtracking, the highest priority and the hardest to place first.

It says whether there is a way, not what the scheduler's scores make of it: of two orders the better one counts. A node
that is added at the end never makes more pods stay Pending, where no rules between pods and no preemption play a part.
Not modelled: volumes' nodes, host ports, dynamic resource allocation, disruption budgets, the scheduler's plugins.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping, number
from .nodes import REQUIRED, ClusterNode, RunningPod, labels_match, node_terms, repelling, selects, usable
from .pods import PodNeed

# Nodes on which eviction is tried; the scheduler tries not all either (DefaultPreemption, minCandidateNodesAbsolute).
ENOUGH = 100
# Bytes of memory that weigh as much as one core, in orders.
_CORE = 4 * 1024**3


@dataclasses.dataclass(frozen=True)
class Batch:
    """Pods of one kind to be placed."""

    name: str
    need: PodNeed
    count: int


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a batch. pending: pods without a node; victims: pods that would be evicted for it."""

    batch: Batch
    pending: int
    victims: tuple[RunningPod, ...] = ()


def size(need: PodNeed) -> tuple:
    """Return how large a pod is, for sorting: devices, then cores and memory."""
    wanted = need.wanted
    devices = sum(value for name, value in wanted.items() if "/" in name)
    return devices, wanted.get("cpu", 0) + wanted.get("memory", 0) / _CORE


def _narrow(need: PodNeed) -> int:
    """Return how many conditions a pod sets on its node."""
    spread = dicts(need.spec.get("topologySpreadConstraints"))
    apart = terms(need, "podAntiAffinity") + terms(need, "podAffinity")
    return len(need.selector) + len(node_terms(need) or ()) + len(spread) + len(apart) + bool(need.spec.get("nodeName"))


def place(batches: t.Sequence[Batch], nodes: t.Sequence[ClusterNode]) -> tuple[list[Outcome], list[ClusterNode]]:
    """Return the outcomes in the order of the batches, and the nodes as they would be then; nodes stay as they are."""
    orders = [
        sorted(batches, key=lambda one: (one.need.priority, size(one.need)), reverse=True),
        sorted(batches, key=lambda one: (one.need.priority, _narrow(one.need), size(one.need)), reverse=True),
    ]
    best: tuple[tuple[int, int], dict[str, Outcome], list[ClusterNode]] | None = None
    for order in orders if orders[0] != orders[1] else orders[:1]:
        trial = [node.copy() for node in nodes]
        found = {batch.name: _place(batch, trial) for batch in order}
        score = (sum(one.pending for one in found.values()), sum(len(one.victims) for one in found.values()))
        if best is None or score < best[0]:
            best = (score, found, trial)
        if score == (0, 0):
            break
    return ([best[1][batch.name] for batch in batches], best[2]) if best else ([], list(nodes))


def _place(batch: Batch, nodes: list[ClusterNode]) -> Outcome:
    need = batch.need
    candidates = [node for node in nodes if usable(need, node)]
    apart = Apart(need, nodes)
    victims: list[RunningPod] = []
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


def _first(candidates: list[ClusterNode], need: PodNeed, apart: Apart, start: int) -> int:
    for index in range(start, len(candidates)):
        node = candidates[index]
        if node.holds(need.requests) and (not apart.needed or apart.allows(node)):
            return index
    return len(candidates)


def _take(batch: Batch, node: ClusterNode, apart: Apart) -> None:
    need = batch.need
    anti = tuple(terms(need, "podAntiAffinity"))
    node.take(RunningPod("", need.namespace, node.name, need.requests, need.priority, need.labels, ("", ""), anti))
    apart.placed(node)


def _evict(need: PodNeed, candidates: list[ClusterNode], apart: Apart) -> tuple[ClusterNode, list[RunningPod]] | None:
    """Return the node where the fewest pods of lower priority have to go, and these pods; None where none helps."""
    best: tuple[ClusterNode, list[RunningPod]] | None = None
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


def _victims(need: PodNeed, node: ClusterNode, lower: list[RunningPod]) -> list[RunningPod]:
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


def terms(need: PodNeed, kind: str) -> list[Object]:
    """Return a pod's required terms. kind: podAffinity or podAntiAffinity."""
    return dicts(mapping(mapping(need.spec.get("affinity")).get(kind)).get(REQUIRED))


def term_selects(term: Object, own_namespace: str, own_labels: Object, namespace: str, labels: Object) -> bool:
    """Return whether a term of one pod selects another pod."""
    spaces = [str(name) for name in term.get("namespaces") or []] if isinstance(term.get("namespaces"), list) else []
    selector = term.get("namespaceSelector")
    if isinstance(selector, dict):
        if selector:
            return False
    elif namespace not in (spaces or [own_namespace]):
        return False
    for key, negate in (("matchLabelKeys", False), ("mismatchLabelKeys", True)):
        names = term.get(key)
        for name in map(str, names if isinstance(names, list) else []):
            if name in own_labels and (labels.get(name) == own_labels[name]) == negate:
                return False
    return labels_match(term.get("labelSelector"), labels)


@dataclasses.dataclass
class PlacementRule:
    """One rule of a pod: how many of the pods that it selects each domain has. skew: of a topology spread."""

    key: str
    term: Object
    counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    skew: int = 0
    domains: frozenset = frozenset()
    least: int = 1
    self_matching: bool = False


class Apart:
    """The rules of one kind of pod, followed while its pods are placed."""

    def __init__(self, need: PodNeed, nodes: t.Sequence[ClusterNode]) -> None:
        self.need = need
        self.anti = [self._rule(term, nodes) for term in terms(need, "podAntiAffinity")]
        self.near = [self._rule(term, nodes) for term in terms(need, "podAffinity")]
        spreads = dicts(need.spec.get("topologySpreadConstraints"))
        hard = [item for item in spreads if item.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]
        self.spread = [self._spread(item, nodes) for item in hard]
        self.closed = self._closed(nodes)
        self.needed = bool(self.anti or self.near or self.spread or self.closed)

    def _selects(self, term: Object, pod: RunningPod | PodNeed) -> bool:
        need = self.need
        return term_selects(term, need.namespace, need.labels, pod.namespace, pod.labels)

    def _rule(self, term: Object, nodes: t.Sequence[ClusterNode]) -> PlacementRule:
        rule = PlacementRule(str(term.get("topologyKey")), term, self_matching=self._selects(term, self.need))
        for node in nodes:
            domain = node.labels.get(rule.key)
            if domain is not None and node.pods:
                rule.counts[domain] += sum(self._selects(term, pod) for pod in node.pods)
        return rule

    def _spread(self, item: Object, nodes: t.Sequence[ClusterNode]) -> PlacementRule:
        rule = self._rule(item, nodes)
        eligible = [node for node in nodes if rule.key in node.labels]
        if item.get("nodeAffinityPolicy") != "Ignore":
            eligible = [node for node in eligible if selects(self.need, node)]
        if item.get("nodeTaintsPolicy") == "Honor":
            eligible = [node for node in eligible if not repelling(self.need, node)]
        rule.domains = frozenset(node.labels[rule.key] for node in eligible)
        rule.skew, rule.least = number(item.get("maxSkew")) or 1, number(item.get("minDomains")) or 1
        return rule

    def _closed(self, nodes: t.Sequence[ClusterNode]) -> set[tuple[str, str]]:
        """Return the domains that pods there keep this pod out of."""
        found = set()
        for node in nodes:
            for pod in node.pods:
                for term in pod.terms:
                    key = str(term.get("topologyKey"))
                    need = self.need
                    ours = term_selects(term, pod.namespace, pod.labels, need.namespace, need.labels)
                    if ours and key in node.labels:
                        found.add((key, node.labels[key]))
        return found

    def allows(self, node: ClusterNode) -> bool:
        """Return whether the next pod may go to a node."""
        if any(rule.counts[node.labels.get(rule.key)] > 0 for rule in self.anti):
            return False
        if any(node.labels.get(key) == domain for key, domain in self.closed):
            return False
        return all(self._is_near(rule, node) for rule in self.near) and all(
            self._is_even(rule, node) for rule in self.spread
        )

    def _is_near(self, rule: PlacementRule, node: ClusterNode) -> bool:
        if rule.key not in node.labels:
            return False
        # The first pod of a group that asks for its own company may go anywhere.
        return rule.counts[node.labels[rule.key]] > 0 or (rule.self_matching and not rule.counts.total())

    @staticmethod
    def _is_even(rule: PlacementRule, node: ClusterNode) -> bool:
        domain = node.labels.get(rule.key)
        if domain is None:
            return False
        fewest = min((rule.counts[name] for name in rule.domains), default=0)
        fewest = 0 if len(rule.domains) < rule.least else fewest
        return rule.counts[domain] + rule.self_matching - fewest <= rule.skew

    def placed(self, node: ClusterNode) -> None:
        """Count a pod of this kind that was placed on a node."""
        for rule in (*self.anti, *self.near, *self.spread):
            if rule.self_matching and rule.key in node.labels:
                rule.counts[node.labels[rule.key]] += 1
