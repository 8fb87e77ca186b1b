# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which nodes a pod may run on, whatever is free there: labels, affinity, taints, cordoned and unready nodes.

Source: Kubernetes, "Assigning Pods to Nodes", "Taints and Tolerations"; component-helpers, scheduling/corev1.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_nodes import Node
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_pods import Need
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import Object, dicts, mapping

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


def node_terms(need: Need) -> list[Object] | None:
    """Return the terms of a pod's required node affinity, one of which has to hold; None where it has none."""
    affinity = mapping(mapping(need.spec.get("affinity")).get("nodeAffinity"))
    required = affinity.get(REQUIRED)
    return dicts(mapping(required).get("nodeSelectorTerms")) if isinstance(required, dict) else None


def selects(need: Need, node: Node) -> bool:
    """Return whether a node has the labels that a pod asks for, and is the node that it names, if any."""
    if need.spec.get("nodeName") and need.spec["nodeName"] != node.name:
        return False
    if any(node.labels.get(key) != value for key, value in need.selector.items()):
        return False
    terms = node_terms(need)
    return terms is None or any(term_holds(term, node.labels, node.name) for term in terms)


def tolerates(need: Need, taint: Object) -> bool:
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


def repelling(need: Need, node: Node) -> list[Object]:
    """Return the taints of a node that a pod does not tolerate, without those that tell of trouble."""
    taints = [taint for taint in node.taints if not str(taint.get("key")).startswith(STATE)]
    return [taint for taint in taints if not tolerates(need, taint)]


def trouble(need: Need, node: Node) -> str:
    """Return why a node takes no such pod now: cordoned, not ready, under pressure; '' where it does."""
    if node.cordoned and not tolerates(need, CORDON):
        return "cordoned"
    named = [taint for taint in node.taints if str(taint.get("key")).startswith(STATE) and not tolerates(need, taint)]
    if named:
        return str(named[0]["key"]).removeprefix(STATE)
    return "" if node.ready else "not-ready"


def usable(need: Need, node: Node) -> bool:
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
