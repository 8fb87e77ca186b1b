# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: routes that are not accepted or not resolved."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.names import did_you_mean
from ..base.words import listed
from ..objects.conditions import describe
from ..objects.pools import is_picker, labels_of, pool_picker
from ..objects.servers import words
from ..programs.compatibility import PROVIDERS
from .base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof
from .evidence import Evidence, clean, ref, seconds
from .rules_pools import makers_of, pickers_of

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
                text = f"parentRef {namespace}/{parent.get('name')}: Gateway not found; available: {known or 'none'}"
                yield Proof((ref(route),), text, key=str(parent.get("name")), since=evidence.since(route))


def _route_ignored(evidence: Evidence) -> t.Iterator[Proof]:
    for route in evidence.of("HTTPRoute"):
        created = seconds(route["metadata"].get("creationTimestamp"))
        for parent, namespace, status in parents(route):
            age = evidence.now - created if created else 0.0
            if status is None and age > SILENT:
                text = f"Gateway {namespace}/{parent.get('name')} has not reported a status for {age:.0f}s"
                because = (("Gateway", namespace, str(parent.get("name"))),)
                yield Proof((ref(route),), text, key=ref(route)[2], since=created, because=because)


def denied(evidence: Evidence, kind: str) -> t.Iterator[tuple[Object, Object, str, Object]]:
    """Return (route, its condition, the Gateway's name with its namespace, the Gateway or {}) of what is False."""
    for item in evidence.of("HTTPRoute"):
        for parent, namespace, status in parents(item):
            gateway = evidence.find("Gateway", parent.get("name"), namespace) or {}
            for found in (status or {}).get("conditions") or []:
                if found.get("type") == kind and found.get("status") == "False":
                    yield item, found, f"{namespace}/{parent.get('name')}", gateway


def route(kind: str, *reasons: str, but: tuple[str, ...] = ()) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for routes whose condition of a kind is False for one of the reasons (none: any but those)."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for item, found, gateway, _body in denied(evidence, kind):
            if found.get("reason") in reasons if reasons else found.get("reason") not in but:
                yield _proof(evidence, item, found, gateway, "" if kind == "Accepted" else _backends(item))

    return find


def _proof(evidence: Evidence, item: Object, found: Object, gateway: str, more: str, remedy: str = "") -> Proof:
    text = f"Gateway {gateway}: {describe(found, str(found.get('type')))}" + (f"; {more}" if more else "")
    moment = seconds(found.get("lastTransitionTime"))
    return Proof((ref(item),), clean(text), key=ref(item)[2], since=moment, remedy=remedy)


def backends(item: Object) -> list[Object]:
    """Return what a route's rules refer to."""
    return [entry for rule in (item.get("spec") or {}).get("rules") or [] for entry in rule.get("backendRefs") or []]


def _backends(item: Object) -> str:
    names = [f"{entry.get('kind', 'Service')} {entry.get('name')} (group {entry.get('group', '') or 'core'})"
             for entry in backends(item)]  # fmt: skip
    return f"it refers to {listed(names, 4)}"


class Sought(t.NamedTuple):
    """A backend that was looked up. there: whether it is, None where that is not known; group: the one it is of."""

    kind: str
    namespace: str
    name: str
    asked: str
    there: bool | None
    group: str


def sought(evidence: Evidence, item: Object) -> list[Sought]:
    """Return what a route refers to, each looked up: a condition may say of what is there that it is not."""
    found = []
    for entry in backends(item):
        kind, name = str(entry.get("kind") or "Service"), str(entry.get("name"))
        namespace = str(entry.get("namespace") or ref(item)[1])
        if namespace == evidence.namespace:
            bodies = [one for one in evidence.of(kind) if ref(one) == (kind, namespace, name)]
            groups = [str(one.get("apiVersion")).rpartition("/")[0] for one in bodies]
            there = bool(bodies) if evidence.seen(kind) else None
        else:
            there, groups = evidence.elsewhere.get((kind, namespace, name)), []
        asked = str(entry.get("group") or "")
        found.append(Sought(kind, namespace, name, asked, there, asked if asked in groups else next(iter(groups), "")))
    return found


def _not_found(evidence: Evidence) -> t.Iterator[Proof]:
    for item, found, gateway, _body in denied(evidence, "ResolvedRefs"):
        rows = sought(evidence, item) if found.get("reason") == "BackendNotFound" else []
        absent = [row for row in rows if row.there is not True]
        if found.get("reason") != "BackendNotFound" or (rows and not absent):
            continue
        looked = [row for row in absent if row.there is False]
        known = [one["metadata"]["name"] for row in looked for one in evidence.of(row.kind)]
        guess = "".join(did_you_mean(row.name, known) for row in looked)
        more = _backends(item)
        if looked:
            places = [(row, f"{row.namespace}/" if row.namespace != ref(item)[1] else "") for row in looked]
            names = listed([f"{row.kind} {place}{row.name}" for row, place in places], 4)
            more = f"{names} does not exist; available: {listed(sorted(set(known)), 5) or 'none'}.{guess}"
        yield _proof(evidence, item, found, gateway, more)


def _pools_unknown(evidence: Evidence) -> t.Iterator[Proof]:
    """Pools that are there, of which the Gateway's controller says that they are not, or that it knows no such kind."""
    for item, found, gateway, body in denied(evidence, "ResolvedRefs"):
        rows = sought(evidence, item)
        pools = [row for row in rows if row.kind == "InferencePool"]
        if found.get("reason") == "BackendNotFound":
            if not pools or any(row.there is not True for row in rows):
                continue
        elif found.get("reason") != "InvalidKind":
            continue
        there = [row for row in pools if row.there]
        other = next((row for row in there if row.group and row.group != row.asked), None)
        if other is not None:
            more = f"InferencePool {other.name} is of group {other.group}, but the route has {other.asked or 'none'}"
            remedy = (
                f"Set group: {other.group} in the route's backendRefs, or use one group for pool, route and picker."
            )
            yield _proof(evidence, item, found, gateway, more, remedy)
        elif there:
            names = listed([f"InferencePool {row.name}" for row in there], 3)
            more = f"{names} exists with the route's name and group"
            yield _proof(evidence, item, found, gateway, more, _switch(evidence, body))
        else:
            yield _proof(evidence, item, found, gateway, _backends(item))


def _switch(evidence: Evidence, gateway: Object) -> str:
    """Return how to turn the inference extension of a Gateway's controller on."""
    name = str((gateway.get("spec") or {}).get("gatewayClassName") or "")
    found = next((one for one in evidence.of("GatewayClass") if one["metadata"]["name"] == name), {})
    controller = str((found.get("spec") or {}).get("controllerName") or "")
    rows = [row for row in PROVIDERS if any(controller.startswith(known) for known in row.controllers)]
    flags = [f"{row.name}: {row.flag}" for row in rows or PROVIDERS if row.flag]
    who = f"the controller {controller} of class {name}" if controller else "the Gateway's controller"
    how = f" ({'; '.join(flags)})" if flags else ""
    return (
        f"Turn on the inference extension of {who}{how} and restart it: the pool itself is correct. If it is on, "
        "check whether the controller may list InferencePools (its ClusterRole) and of which API group."
    )


def _said_in_vain(evidence: Evidence) -> t.Iterator[Proof]:
    for item, found, gateway, _body in denied(evidence, "ResolvedRefs"):
        rows = sought(evidence, item)
        if (
            found.get("reason") == "BackendNotFound"
            and rows
            and all(row.there and row.kind != "InferencePool" for row in rows)
        ):
            yield _proof(
                evidence, item, found, gateway, f"{listed([f'{row.kind} {row.name}' for row in rows], 4)} exists"
            )


def leads_to(item: Object, pool: Object) -> bool:
    """Return whether a route sends requests to a pool."""
    return any(rule_leads_to(rule, ref(item)[1], pool) for rule in (item.get("spec") or {}).get("rules") or [])


def rule_leads_to(rule: Object, home: str, pool: Object) -> bool:
    """Return whether a rule of a route of a namespace sends requests to a pool."""
    return any(
        (entry.get("kind"), entry.get("namespace") or home, entry.get("name")) == ref(pool)
        for entry in rule.get("backendRefs") or []
    )


def _has_proxy(evidence: Evidence, pool: Object) -> bool:
    """Return whether a pool's picker has a proxy, to which a Service leads: it needs no route then.

    llm-d-router, chart llm-d-router-standalone: extraServicePorts; with proxy.mode service its Deployment has the label
    llm-d-router-proxy.
    """
    name, home = pool_picker(pool)[0], ref(pool)[1]
    apart = (labels_of(item) for item in evidence.of("Deployment"))
    if any("llm-d-router-proxy" in labels and labels.get("app.kubernetes.io/name") == name for labels in apart):
        return True
    service = evidence.find("Service", name, home) or {}
    spec = service.get("spec") or {}
    targets = {port.get("targetPort") or port.get("port") for port in spec.get("ports") or []}
    # A picker that has no pods at the moment has its proxy all the same.
    makers = makers_of(evidence, spec.get("selector") or {})
    bodies = [(item.get("spec") or {}).get("template") or {} for item in makers]
    beside = [
        container
        for pod in [*pickers_of(evidence, pool), *bodies]
        for container in (pod.get("spec") or {}).get("containers") or []
        if not is_picker(words(container))
    ]
    return any(
        targets & {port.get("containerPort"), port.get("name")} for one in beside for port in one.get("ports") or []
    )


def _no_route(evidence: Evidence) -> t.Iterator[Proof]:
    """Pools that no route leads to. In a run that has ended the routes may be what it had not come to."""
    if evidence.ended or not evidence.seen("HTTPRoute"):
        return
    for pool in evidence.of("InferencePool"):
        if any(leads_to(item, pool) for item in evidence.of("HTTPRoute")) or _has_proxy(evidence, pool):
            continue
        status = pool.get("status") or {}
        if not evidence.all_routes and any(
            (parent.get("parentRef") or {}).get("kind") == "Gateway" for parent in status.get("parents") or []
        ):
            continue
        others = [f"{ref(item)[2]} to {listed([str(entry.get('name')) for entry in backends(item)], 3) or 'nothing'}"
                  for item in evidence.of("HTTPRoute")]  # fmt: skip
        where = "the cluster" if evidence.all_routes else f"namespace {evidence.namespace} (others may not be read)"
        text = f"no HTTPRoute of {where} has a backendRef to InferencePool {ref(pool)[2]}: every request gets 404"
        text += f"; existing routes: {listed(others, 4)}" if others else "; there are no HTTPRoutes"
        # Where there is no Gateway either, requests may come by another way.
        severity = ERROR if evidence.of("Gateway") or evidence.of("HTTPRoute") else WARNING
        yield Proof((ref(pool),), clean(text), ref(pool)[2], evidence.since(pool), severity=severity)


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
        "DIAG711", "A route refers to a Gateway that does not exist", _gateway_absent,
        "HTTPRoute with status.parents: []",
        "The name or namespace in parentRefs is wrong, or the Gateway was not deployed.",
        "Correct parentRefs, or deploy the gateway component.",
        "F6; vllm-project/aibrix#1845",
    ),
    Diagnosis(
        "DIAG712", "A route is not accepted: no listener matches", route("Accepted", "NoMatchingParent",
                                                                         "NoMatchingListenerHostname"),
        "HTTPRoute Accepted=False: NoMatchingParent or NoMatchingListenerHostname",
        "sectionName, port or hostname match none of the Gateway's listeners.",
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
        "Correct the fields in the condition; for example, GKE's classes reject timeouts.",
        "F7; kubernetes-sigs/gateway-api-inference-extension#476",
    ),
    Diagnosis(
        "DIAG715", "A route refers to a backend that does not exist", _not_found,
        "HTTPRoute ResolvedRefs=False: BackendNotFound; answers 500",
        "The InferencePool or Service in backendRefs does not exist, or is in another namespace.",
        "Correct name and namespace in backendRefs, or deploy the pool (gaie).",
        "F6; vllm-project/aibrix#1845; kgateway-dev/kgateway#12219",
    ),
    Diagnosis(
        "DIAG716", "The Gateway's controller does not know the InferencePool", _pools_unknown,
        "HTTPRoute ResolvedRefs=False: InvalidKind, or BackendNotFound of an existing pool; answers 500",
        "Its inference extension is off, or it knows another API group of InferencePool than the route's.",
        "Turn on the extension (Istio: ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true on istiod), and use one API group "
        "in pool, route and picker.",
        "F1, F2; llm-d/llm-d#578; istio/istio#57219; kubernetes-sigs/gateway-api-inference-extension#1344",
    ),
    Diagnosis(
        "DIAG722", "A Gateway reports an existing backend as missing", _said_in_vain,
        "HTTPRoute ResolvedRefs=False: BackendNotFound of a Service that exists",
        "The status is stale, or the controller may not read the Service's namespace.",
        "Annotate the route so that it is reconciled again; read the controller's log.",
        "F6; kserve/kserve#4972", WARNING,
    ),
    Diagnosis(
        "DIAG717", "A route may not refer to another namespace", route("ResolvedRefs", "RefNotPermitted"),
        "HTTPRoute ResolvedRefs=False: RefNotPermitted",
        "A backend in another namespace needs a ReferenceGrant there.",
        "Create a ReferenceGrant in the backend's namespace, or move the route.",
        _ROUTE,
    ),
    Diagnosis(
        "DIAG718", "A route's references are not resolved",
        route("ResolvedRefs", but=("BackendNotFound", "InvalidKind", "RefNotPermitted")),
        "HTTPRoute ResolvedRefs=False",
        "The controller could not resolve something that the route refers to.",
        "Correct the fields in the condition.",
        _ROUTE,
    ),
    Diagnosis(
        "DIAG719", "No Gateway has reported a status for a route", _route_ignored,
        "HTTPRoute with status.parents: []",
        "The route's Gateway has no running controller, or its status is stale.",
        "Check the Gateway; if it is correct, annotate it so that it is reconciled again.",
        "F6; kserve/kserve#4972", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG720", "Routes of one Gateway have rules of the same name", _same_rule_names,
        "All conditions are True and the right model answers, but its picker counts no requests",
        (
            "Istio looks up pickers by the names of rules: one is used for both, and the other's pods are balanced "
            "without a picker."
        ),
        "Use a unique name for every rule, or none.",
        "F11; istio/istio#58392, #61594", WARNING,
    ),
)  # fmt: skip

POOLS = (
    Diagnosis(
        "DIAG721", "No route refers to the pool", _no_route,
        "InferencePool, picker and pods ready, Gateway programmed; every request gets 404",
        "No HTTPRoute has the pool in its backendRefs: it was never applied, was deleted, or refers to another pool.",
        "Apply the HTTPRoute (site.yml creates one for each model), or correct the pool's name in backendRefs.",
        "F6; Gateway API, HTTPRoute spec.rules[].backendRefs",
    ),
)  # fmt: skip
