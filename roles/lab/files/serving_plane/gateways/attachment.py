# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which route attaches to which listeners of which Gateway, and why not where it does not."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..cluster.resources import GATEWAY_GROUP
from ..cluster.snapshot import Object, Snapshot, is_deleted
from .classes import ManagedGateway
from .hostnames import intersect
from .listeners import allows_namespace, is_usable, route_kinds


@dataclass(frozen=True)
class Attachment:
    """A route's parentRef that names a Gateway of ours. `reason` is the Gateway API's for condition Accepted."""

    route: Object
    parent_ref: Object
    gateway: ManagedGateway
    reason: str
    message: str
    listeners: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """True if the route takes part in the Gateway's routing."""
        return self.reason == "Accepted"


def parent_key(route: Object, ref: Object) -> tuple[str, str] | None:
    """(namespace, name) of the Gateway that a parentRef names; None where it names another kind."""
    if ref.get("group", GATEWAY_GROUP) != GATEWAY_GROUP or ref.get("kind", "Gateway") != "Gateway":
        return None
    return ref.get("namespace") or route["metadata"]["namespace"], ref["name"]


def attachments(snapshot: Snapshot, gateways: dict[tuple[str, str], ManagedGateway]) -> list[Attachment]:
    """Every parentRef of every HTTPRoute that names a Gateway of ours."""
    found = []
    for route in snapshot.all("HTTPRoute"):
        for ref in route["spec"].get("parentRefs") or []:
            key = parent_key(route, ref)
            if key in gateways and not is_deleted(route):
                found.append(attach(route, ref, gateways[key], snapshot))
    return found


def attach(route: Object, ref: Object, gateway: ManagedGateway, snapshot: Snapshot) -> Attachment:
    """The verdict on one parentRef."""

    def refuse(reason: str, message: str) -> Attachment:
        return Attachment(route, ref, gateway, reason, message)

    named = [item for item in gateway.listeners if _is_named(ref, item)]
    if not named:
        wanted = " and ".join(f"{key} {ref[key]}" for key in ("sectionName", "port") if key in ref) or "its parentRef"
        return refuse("NoMatchingParent", f"no listener of Gateway {gateway.name} matches {wanted}")
    namespace = route["metadata"]["namespace"]
    route_namespace = snapshot.get("Namespace", "", namespace)
    open_to = [
        item
        for item in named
        if "HTTPRoute" in route_kinds(item)[0]
        and allows_namespace(item, gateway.namespace, route_namespace, namespace)
        and is_usable(item, gateway.listeners)
    ]
    if not open_to:
        return refuse("NotAllowedByListeners", f"Gateway {gateway.name} takes no HTTPRoutes of namespace {namespace}")
    hostnames = route["spec"].get("hostnames") or []
    shared = [
        item["name"] for item in open_to if not hostnames or any(intersect(item.get("hostname"), h) for h in hostnames)
    ]
    if not shared:
        return refuse("NoMatchingListenerHostname", f"no listener takes any of {', '.join(hostnames)}")
    if gateway.implementation.refuses_timeouts and any(rule.get("timeouts") for rule in route["spec"].get("rules", [])):
        return refuse("UnsupportedValue", "this implementation does not support spec.rules[].timeouts")
    return Attachment(route, ref, gateway, "Accepted", "Route was valid", shared)


def _is_named(ref: Object, listener: Object) -> bool:
    section, port = ref.get("sectionName"), ref.get("port")
    return (not section or section == listener["name"]) and (not port or port == listener["port"])
