# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules between pods: required affinity and anti-affinity, and topology spread that forbids scheduling.

A namespaceSelector other than {} is not modelled (its term is left out), nor are soft rules.
Source: Kubernetes, "Inter-pod affinity and anti-affinity", "Pod Topology Spread Constraints".
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_match import (
    REQUIRED,
    labels_match,
    repelling,
    selects,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_nodes import Held, Node
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_pods import Need
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import Object, dicts, mapping, number


def terms(need: Need, kind: str) -> list[Object]:
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
        for name in map(str, term.get(key) if isinstance(term.get(key), list) else []):
            if name in own_labels and (labels.get(name) == own_labels[name]) == negate:
                return False
    return labels_match(term.get("labelSelector"), labels)


@dataclasses.dataclass
class Rule:
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

    def __init__(self, need: Need, nodes: t.Sequence[Node]) -> None:
        self.need = need
        self.anti = [self._rule(term, nodes) for term in terms(need, "podAntiAffinity")]
        self.near = [self._rule(term, nodes) for term in terms(need, "podAffinity")]
        spreads = dicts(need.spec.get("topologySpreadConstraints"))
        hard = [item for item in spreads if item.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]
        self.spread = [self._spread(item, nodes) for item in hard]
        self.closed = self._closed(nodes)
        self.needed = bool(self.anti or self.near or self.spread or self.closed)

    def _selects(self, term: Object, pod: Held | Need) -> bool:
        need = self.need
        return term_selects(term, need.namespace, need.labels, pod.namespace, pod.labels)

    def _rule(self, term: Object, nodes: t.Sequence[Node]) -> Rule:
        rule = Rule(str(term.get("topologyKey")), term, self_matching=self._selects(term, self.need))
        for node in nodes:
            domain = node.labels.get(rule.key)
            if domain is not None and node.pods:
                rule.counts[domain] += sum(self._selects(term, pod) for pod in node.pods)
        return rule

    def _spread(self, item: Object, nodes: t.Sequence[Node]) -> Rule:
        rule = self._rule(item, nodes)
        eligible = [node for node in nodes if rule.key in node.labels]
        if item.get("nodeAffinityPolicy") != "Ignore":
            eligible = [node for node in eligible if selects(self.need, node)]
        if item.get("nodeTaintsPolicy") == "Honor":
            eligible = [node for node in eligible if not repelling(self.need, node)]
        rule.domains = frozenset(node.labels[rule.key] for node in eligible)
        rule.skew, rule.least = number(item.get("maxSkew")) or 1, number(item.get("minDomains")) or 1
        return rule

    def _closed(self, nodes: t.Sequence[Node]) -> set[tuple[str, str]]:
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

    def allows(self, node: Node) -> bool:
        """Return whether the next pod may go to a node."""
        if any(rule.counts[node.labels.get(rule.key)] > 0 for rule in self.anti):
            return False
        if any(node.labels.get(key) == domain for key, domain in self.closed):
            return False
        return all(self._is_near(rule, node) for rule in self.near) and all(
            self._is_even(rule, node) for rule in self.spread
        )

    def _is_near(self, rule: Rule, node: Node) -> bool:
        if rule.key not in node.labels:
            return False
        # The first pod of a group that asks for its own company may go anywhere.
        return rule.counts[node.labels[rule.key]] > 0 or (rule.self_matching and not rule.counts.total())

    @staticmethod
    def _is_even(rule: Rule, node: Node) -> bool:
        domain = node.labels.get(rule.key)
        if domain is None:
            return False
        fewest = min((rule.counts[name] for name in rule.domains), default=0)
        fewest = 0 if len(rule.domains) < rule.least else fewest
        return rule.counts[domain] + rule.self_matching - fewest <= rule.skew

    def placed(self, node: Node) -> None:
        """Count a pod of this kind that was placed on a node."""
        for rule in (*self.anti, *self.near, *self.spread):
            if rule.self_matching and rule.key in node.labels:
                rule.counts[node.labels[rule.key]] += 1
