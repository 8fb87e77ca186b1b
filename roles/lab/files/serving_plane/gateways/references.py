# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""backendRefs of HTTPRoutes: whether each resolves, with the Gateway API's reason where it does not."""

from __future__ import annotations

from typing import NamedTuple

from ..cluster.resources import POOL_GROUP
from ..cluster.snapshot import Object, Snapshot

KINDS = {("", "Service"): "Service", (POOL_GROUP, "InferencePool"): "InferencePool"}


class Reference(NamedTuple):
    """A resolved backendRef; `reason` is "" where it is good."""

    kind: str
    namespace: str
    name: str
    reason: str = ""
    message: str = ""


def resolve(route: Object, ref: Object, snapshot: Snapshot) -> Reference:
    """The verdict on one backendRef of a route. A wrong port is not noticed here, as by the real controllers."""
    own = route["metadata"]["namespace"]
    namespace = ref.get("namespace") or own
    group, kind, name = ref.get("group", ""), ref.get("kind", "Service"), ref["name"]
    if (group, kind) not in KINDS:
        return Reference(kind, namespace, name, "InvalidKind", f"{group or 'core'}/{kind} is not a supported backend")
    if namespace != own and not granted(own, namespace, group, kind, name, snapshot):
        message = f"{kind} {namespace}/{name} is in another namespace and no ReferenceGrant permits it"
        return Reference(kind, namespace, name, "RefNotPermitted", message)
    if snapshot.get(kind, namespace, name) is None:
        return Reference(kind, namespace, name, "BackendNotFound", f"{kind} {namespace}/{name} not found")
    return Reference(kind, namespace, name)


def granted(from_namespace: str, namespace: str, group: str, kind: str, name: str, snapshot: Snapshot) -> bool:
    """True if a ReferenceGrant in `namespace` lets HTTPRoutes of `from_namespace` refer to the object."""
    return any(
        _from(grant, from_namespace) and _to(grant, group, kind, name)
        for grant in snapshot.within("ReferenceGrant", namespace)
    )


def _from(grant: Object, namespace: str) -> bool:
    return any(
        (item["group"], item["kind"], item["namespace"]) == ("gateway.networking.k8s.io", "HTTPRoute", namespace)
        for item in grant["spec"].get("from") or []
    )


def _to(grant: Object, group: str, kind: str, name: str) -> bool:
    return any(
        item["group"] == group and item["kind"] == kind and item.get("name") in (None, "", name)
        for item in grant["spec"].get("to") or []
    )


def references(route: Object, snapshot: Snapshot) -> list[Reference]:
    """All backendRefs of a route, resolved, in order."""
    return [
        resolve(route, ref, snapshot)
        for rule in route["spec"].get("rules") or []
        for ref in rule.get("backendRefs") or []
    ]
