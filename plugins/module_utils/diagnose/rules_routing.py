# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: routes that are not accepted or not resolved."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.conditions import describe
from .base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof
from .evidence import Evidence, clean, ref, seconds

# A controller that has said nothing for so long (seconds) does not work on the object.
SILENT = 20.0


def parents(route: Object) -> t.Iterator[tuple[Object, str, Object | None]]:
    """Return (parentRef, its namespace, its status or None) of each Gateway that a route names."""
    home = ref(route)[1]
    statuses = (route.get("status") or {}).get("parents") or []
    for parent in (route.get("spec") or {}).get("parentRefs") or []:
        if parent.get("kind", "Gateway") != "Gateway":
            continue
        same = [status for status in statuses if _same(status.get("parentRef") or {}, parent, home)]
        yield parent, str(parent.get("namespace") or home), same[0] if same else None


def _same(one: Object, other: Object, home: str) -> bool:
    return all(one.get(key) == other.get(key) for key in ("name", "sectionName", "port")) and one.get(
        "namespace", home
    ) == other.get("namespace", home)


def _gateway_absent(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("Gateway"):
        return
    for route in evidence.of("HTTPRoute"):
        for parent, namespace, _status in parents(route):
            if evidence.find("Gateway", parent.get("name"), namespace) is None and namespace == evidence.namespace:
                known = listed([item["metadata"]["name"] for item in evidence.of("Gateway")], 5)
                text = f"parentRef {namespace}/{parent.get('name')}: no such Gateway; there is: {known or 'none'}"
                yield Proof((ref(route),), text, key=str(parent.get("name")), since=evidence.since(route))


def _route_ignored(evidence: Evidence) -> t.Iterator[Proof]:
    for route in evidence.of("HTTPRoute"):
        created = seconds(route["metadata"].get("creationTimestamp"))
        for parent, namespace, status in parents(route):
            age = evidence.now - created if created else 0.0
            if status is None and age > SILENT:
                text = f"Gateway {namespace}/{parent.get('name')} has said nothing of it for {age:.0f} s"
                because = (("Gateway", namespace, str(parent.get("name"))),)
                yield Proof((ref(route),), text, key=ref(route)[2], since=created, because=because)


def route(kind: str, *reasons: str, but: tuple[str, ...] = ()) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for routes whose condition of a kind is False for one of the reasons (none: any but those)."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for item in evidence.of("HTTPRoute"):
            for parent, namespace, status in parents(item):
                for found in (status or {}).get("conditions") or []:
                    fits = found.get("reason") in reasons if reasons else found.get("reason") not in but
                    if found.get("type") == kind and found.get("status") == "False" and fits:
                        text = (
                            f"Gateway {namespace}/{parent.get('name')}: {describe(found, kind)}{_backends(item, kind)}"
                        )
                        moment = seconds(found.get("lastTransitionTime"))
                        yield Proof((ref(item),), clean(text, 500), key=ref(item)[2], since=moment)

    return find


def _backends(item: Object, kind: str) -> str:
    if kind != "ResolvedRefs":
        return ""
    names = [
        f"{backend.get('kind', 'Service')} {backend.get('name')} (group {backend.get('group', '') or 'core'})"
        for rule in (item.get("spec") or {}).get("rules") or []
        for backend in rule.get("backendRefs") or []
    ]
    return f"; it refers to {listed(names, 4)}"


def _same_rule_names(evidence: Evidence) -> t.Iterator[Proof]:
    """F11: Istio looks up pickers by the names of rules of all routes on a Gateway."""
    seen: dict[tuple[str, str, str], list[Object]] = {}
    for item in evidence.of("HTTPRoute"):
        for parent, namespace, _status in parents(item):
            for rule in (item.get("spec") or {}).get("rules") or []:
                if rule.get("name"):
                    seen.setdefault((namespace, str(parent.get("name")), str(rule["name"])), []).append(item)
    for (namespace, gateway, name), routes in seen.items():
        if len({ref(item) for item in routes}) > 1:
            text = f"Gateway {namespace}/{gateway}: {len(routes)} routes have a rule named {name}"
            yield Proof(tuple(map(ref, routes)), text, key=name)


_ROUTE = "F6; Gateway API, RouteConditionReason"

RULES = (
    Diagnosis(
        "DIAG711", "A route names a Gateway that does not exist", _gateway_absent,
        "HTTPRoute with status.parents: []",
        "The name or namespace in parentRefs is wrong, or the Gateway was not deployed.",
        "Correct parentRefs, or deploy the gateway component.",
        "F6; vllm-project/aibrix#1845",
    ),
    Diagnosis(
        "DIAG712", "A route is not accepted: no listener matches", route("Accepted", "NoMatchingParent",
                                                                         "NoMatchingListenerHostname"),
        "HTTPRoute Accepted=False: NoMatchingParent or NoMatchingListenerHostname",
        "sectionName, port or hostname fit none of the Gateway's listeners.",
        "Make sectionName, port and hostnames agree with the Gateway's listeners.",
        _ROUTE,
    ),
    Diagnosis(
        "DIAG713", "A route is not accepted: the Gateway does not allow its namespace",
        route("Accepted", "NotAllowedByListeners"),
        "HTTPRoute Accepted=False: NotAllowedByListeners",
        "The listener's allowedRoutes exclude the route's namespace or kind.",
        "Widen allowedRoutes.namespaces of the listener (from: All, or a selector), or move the route.",
        _ROUTE,
    ),
    Diagnosis(
        "DIAG714", "A route is not accepted",
        route("Accepted", but=("NoMatchingParent", "NoMatchingListenerHostname", "NotAllowedByListeners")),
        "HTTPRoute Accepted=False: UnsupportedValue, IncompatibleFilters ...",
        "The Gateway's controller does not support something in the route.",
        "Correct what the condition names; GKE's classes, for one, refuse timeouts.",
        "F7; kubernetes-sigs/gateway-api-inference-extension#476",
    ),
    Diagnosis(
        "DIAG715", "A route refers to a backend that does not exist", route("ResolvedRefs", "BackendNotFound"),
        "HTTPRoute ResolvedRefs=False: BackendNotFound; answers 500",
        "The InferencePool or Service named in backendRefs is not there, or is in another namespace.",
        "Correct name and namespace in backendRefs, or deploy the pool (gaie).",
        "F6; vllm-project/aibrix#1845; kgateway-dev/kgateway#12219",
    ),
    Diagnosis(
        "DIAG716", "The Gateway's controller does not know InferencePools of that group",
        route("ResolvedRefs", "InvalidKind"),
        "HTTPRoute ResolvedRefs=False: InvalidKind; answers 500",
        "Its inference extension is off, or it knows another API group of InferencePool than the route names.",
        "Turn the extension on (Istio: ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true on istiod), and use one API group"
        " in pool, route and picker.",
        "F1, F2; llm-d/llm-d#578; istio/istio#57219; kubernetes-sigs/gateway-api-inference-extension#1344",
    ),
    Diagnosis(
        "DIAG717", "A route may not refer to another namespace", route("ResolvedRefs", "RefNotPermitted"),
        "HTTPRoute ResolvedRefs=False: RefNotPermitted",
        "A backend in another namespace needs a ReferenceGrant there.",
        "Make a ReferenceGrant in the backend's namespace, or move the route.",
        _ROUTE,
    ),
    Diagnosis(
        "DIAG718", "A route's references are not resolved",
        route("ResolvedRefs", but=("BackendNotFound", "InvalidKind", "RefNotPermitted")),
        "HTTPRoute ResolvedRefs=False",
        "The controller could not resolve something that the route refers to.",
        "Correct what the condition names.",
        _ROUTE,
    ),
    Diagnosis(
        "DIAG719", "No Gateway has looked at a route", _route_ignored,
        "HTTPRoute with status.parents: []",
        "The Gateway that the route names has no controller at work, or its status is stale.",
        "See what is wrong with the Gateway; where it is sound, touch it (an annotation) so that it is looked at"
        " again.",
        "F6; kserve/kserve#4972", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG720", "Routes of one Gateway have rules of the same name", _same_rule_names,
        "All conditions are True and the right model answers, but its picker counts no requests",
        "Istio looks pickers up by the names of rules: one is asked for both, and the other's pods take turns.",
        "Give every rule a name of its own, or none.",
        "F11; istio/istio#58392, #61594", WARNING,
    ),
)  # fmt: skip
