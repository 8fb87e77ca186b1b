# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Listeners of a Gateway: whether each is usable, and which routes it lets in."""

from __future__ import annotations

from typing import Any

from ..cluster.conditions import Condition, condition
from ..cluster.resources import GATEWAY_GROUP
from ..cluster.snapshot import Object, labels_of

PROTOCOL_KINDS = {"HTTP": ["HTTPRoute", "GRPCRoute"], "HTTPS": ["HTTPRoute", "GRPCRoute"], "TLS": ["TLSRoute"]}


def route_kinds(listener: Object) -> tuple[list[str], list[str]]:
    """(kinds that the listener takes, kinds asked for that its protocol cannot take)."""
    possible = PROTOCOL_KINDS.get(listener["protocol"], [])
    asked = (listener.get("allowedRoutes") or {}).get("kinds")
    if not asked:
        return possible, []
    good, bad = [], []
    for item in asked:
        fits = item.get("group", GATEWAY_GROUP) == GATEWAY_GROUP and item["kind"] in possible
        (good if fits else bad).append(item["kind"])
    return good, bad


def allows_namespace(listener: Object, gateway_namespace: str, route_namespace: Object | None, name: str) -> bool:
    """True if the listener lets in routes of that namespace (`route_namespace` is its object, where known)."""
    rule = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    source = rule.get("from", "Same")
    if source == "Selector":
        return route_namespace is not None and selects(rule.get("selector") or {}, labels_of(route_namespace))
    return source == "All" or (source == "Same" and name == gateway_namespace)


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """A label selector with matchLabels and matchExpressions; the empty one selects everything."""
    pairs = (selector.get("matchLabels") or {}).items()
    if any(labels.get(name) != value for name, value in pairs):
        return False
    return all(_expression(item, labels) for item in selector.get("matchExpressions") or [])


def _expression(item: Object, labels: dict[str, str]) -> bool:
    value, values = labels.get(item["key"]), item.get("values") or []
    answers = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return answers.get(item["operator"], False)


def protocol_conflict(listener: Object, others: list[Object]) -> bool:
    """True if another listener has the same port with a protocol that cannot share it."""
    return any(
        item["port"] == listener["port"] and item["protocol"] != listener["protocol"]
        for item in others
        if item["name"] != listener["name"]
    )


def is_usable(listener: Object, others: list[Object]) -> bool:
    """True if routes may attach and traffic may flow."""
    return listener["protocol"] in PROTOCOL_KINDS and not protocol_conflict(listener, others)


def _verdicts(listener: Object, others: list[Object]) -> list[tuple[Any, ...]]:
    known = listener["protocol"] in PROTOCOL_KINDS
    conflict = protocol_conflict(listener, others)
    _unused, bad_kinds = route_kinds(listener)
    needs_certificate = listener["protocol"] == "HTTPS" and not (listener.get("tls") or {}).get("certificateRefs")
    accepted = ("Accepted", True, "Accepted", "No errors found")
    if not known:
        accepted = ("Accepted", False, "UnsupportedProtocol", f"protocol {listener['protocol']} is not supported")
    elif conflict:
        accepted = ("Accepted", False, "PortUnavailable", "another listener has this port with another protocol")
    resolved = ("ResolvedRefs", True, "ResolvedRefs", "No errors found")
    if bad_kinds:
        resolved = ("ResolvedRefs", False, "InvalidRouteKinds", f"kinds not supported: {', '.join(bad_kinds)}")
    elif needs_certificate:
        resolved = ("ResolvedRefs", False, "InvalidCertificateRef", "HTTPS needs a certificateRef")
    programmed = ("Programmed", True, "Programmed", "No errors found")
    if not accepted[1] or not resolved[1]:
        programmed = ("Programmed", False, "Invalid", "the listener is not valid")
    conflicted = ("Conflicted", conflict, "ProtocolConflict" if conflict else "NoConflicts", "")
    return [accepted, conflicted, programmed, resolved]


def listener_status(listener: Object, others: list[Object], attached: int, generation: int) -> Object:
    """The entry of status.listeners for one listener, its conditions without times."""
    kinds, _unused = route_kinds(listener)
    conditions: list[Condition] = [
        condition(kind, ok, reason, message or "No conflicts found", generation)
        for kind, ok, reason, message in _verdicts(listener, others)
    ]
    return {
        "name": listener["name"],
        "attachedRoutes": attached,
        "supportedKinds": [{"group": GATEWAY_GROUP, "kind": kind} for kind in kinds],
        "conditions": conditions,
    }
