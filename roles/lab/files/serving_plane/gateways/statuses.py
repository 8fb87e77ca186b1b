# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The status that every Gateway API object should have, from what the plane remembers. Nothing here writes."""

from __future__ import annotations

from typing import NamedTuple

from ..cluster.conditions import Condition, condition
from ..cluster.resources import GATEWAY_GROUP
from ..cluster.snapshot import Object, Snapshot
from .attachment import Attachment, parent_key
from .classes import IMPLEMENTATIONS, ManagedGateway, managed_classes
from .gateway_status import gateway_status
from .references import references


class Wanted(NamedTuple):
    """The fields of an object's status that the plane owns; conditions have no times yet."""

    obj: Object
    status: Object


def class_statuses(snapshot: Snapshot) -> list[Wanted]:
    """GatewayClasses of ours: Accepted."""
    found = []
    for name in managed_classes(snapshot):
        obj = snapshot.need("GatewayClass", "", name)
        generation = obj["metadata"].get("generation", 1)
        found.append(Wanted(obj, {"conditions": [condition("Accepted", True, "Accepted", "Handled", generation)]}))
    return found


def gateway_statuses(
    snapshot: Snapshot, gateways: dict[tuple[str, str], ManagedGateway], attached: list[Attachment]
) -> list[Wanted]:
    """Gateways of ours, with the number of routes on each listener."""
    return [Wanted(item.obj, gateway_status(item, snapshot, attached)) for item in gateways.values()]


def route_statuses(snapshot: Snapshot, attached: list[Attachment]) -> list[Wanted]:
    """HTTPRoutes: one entry per parentRef of ours; other controllers' entries stay.

    A route whose Gateway or class does not exist has no parents at all; one that only names Gateways of
    controllers that the plane does not play is left alone.
    """
    mine: dict[str, list[Attachment]] = {}
    for item in attached:
        mine.setdefault(item.route["metadata"]["uid"], []).append(item)
    found = []
    for route in snapshot.all("HTTPRoute"):
        items = mine.get(route["metadata"]["uid"], [])
        present = (route.get("status") or {}).get("parents") or []
        foreign = [entry for entry in present if entry["controllerName"] not in IMPLEMENTATIONS]
        if not items and not _is_orphan(route, snapshot) and len(foreign) == len(present):
            continue
        found.append(Wanted(route, {"parents": foreign + [_route_parent(item, snapshot) for item in items]}))
    return found


def _is_orphan(route: Object, snapshot: Snapshot) -> bool:
    """True if no parentRef names a Gateway whose class exists."""
    for ref in route["spec"].get("parentRefs") or []:
        key = parent_key(route, ref)
        gateway = snapshot.get("Gateway", *key) if key else None
        if key is None or (gateway and snapshot.get("GatewayClass", "", gateway["spec"]["gatewayClassName"])):
            return False
    return True


def _route_parent(item: Attachment, snapshot: Snapshot) -> Object:
    generation = item.route["metadata"].get("generation", 1)
    bad = next((ref for ref in references(item.route, snapshot) if ref.reason), None)
    reason, message = (bad.reason, bad.message) if bad else ("ResolvedRefs", "All references resolved")
    return {
        "parentRef": item.parent_ref,
        "controllerName": item.gateway.controller,
        "conditions": [
            condition("Accepted", item.accepted, item.reason, item.message, generation),
            condition("ResolvedRefs", bad is None, reason, message, generation),
        ],
    }


def pool_statuses(snapshot: Snapshot, attached: list[Attachment]) -> list[Wanted]:
    """InferencePools: one parent per Gateway of ours through which a route refers to the pool."""
    users: dict[tuple[str, str], dict[tuple[str, str], list[Attachment]]] = {}
    for item in attached:
        for ref in references(item.route, snapshot):
            if ref.kind == "InferencePool" and not ref.reason:
                parents = users.setdefault((ref.namespace, ref.name), {})
                parents.setdefault((item.gateway.namespace, item.gateway.name), []).append(item)
    found = []
    for pool in snapshot.all("InferencePool"):
        parents = users.get((pool["metadata"]["namespace"], pool["metadata"]["name"]), {})
        present = (pool.get("status") or {}).get("parents") or []
        foreign = [entry for entry in present if entry.get("controllerName") not in IMPLEMENTATIONS]
        if parents or len(foreign) != len(present):
            mine = [_pool_parent(pool, items, snapshot) for _unused, items in sorted(parents.items())]
            found.append(Wanted(pool, {"parents": foreign + mine}))
    return found


def _pool_parent(pool: Object, items: list[Attachment], snapshot: Snapshot) -> Object:
    generation = pool["metadata"].get("generation", 1)
    gateway = items[0].gateway
    refused = next((item for item in items if not item.accepted), None)
    accepted = condition("Accepted", True, "Accepted", "Referenced by an HTTPRoute accepted by the parent", generation)
    if refused:
        name = refused.route["metadata"]["name"]
        accepted = condition("Accepted", False, "HTTPRouteNotAccepted", f"HTTPRoute {name} is not accepted", generation)
    return {
        "parentRef": {"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway.name, "namespace": gateway.namespace},
        "controllerName": gateway.controller,
        "conditions": [accepted, _extension(pool, snapshot, generation)],
    }


def _extension(pool: Object, snapshot: Snapshot, generation: int) -> Condition:
    ref, namespace = pool["spec"]["endpointPickerRef"], pool["metadata"]["namespace"]
    kind, name = ref.get("kind", "Service"), ref["name"]
    if ref.get("group", "") or kind != "Service":
        message = f"endpointPickerRef kind {kind} is not supported"
    elif snapshot.get("Service", namespace, name) is None:
        message = f"endpointPickerRef Service {namespace}/{name} not found"
    else:
        return condition("ResolvedRefs", True, "ResolvedRefs", "Referenced ExtensionRef resolved", generation)
    return condition("ResolvedRefs", False, "InvalidExtensionRef", message, generation)
