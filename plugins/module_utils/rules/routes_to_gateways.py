# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about routes and their Gateway: parents, listeners, hostnames, timeouts, matches and rule names."""

from __future__ import annotations

import typing as t

from ..base.apis import GATEWAY_GROUP
from ..base.data import Object, dicts, mapping, number
from ..base.findings import Finding
from ..base.names import did_you_mean
from ..capacity.nodes import labels_match
from ..model.items import Item
from ..model.model import StackModel, placed
from ..objects.routes import conflicts, route_title
from ..programs.compatibility import provider_of
from .base import Side, finding, listed, rule_factory


def rules_of(route: Item) -> list[tuple[int, Object]]:
    """Return the rules of a route with their index; what is not a map is left to the API server."""
    rules = route.spec.get("rules")
    return [(i, rule) for i, rule in enumerate(rules) if isinstance(rule, dict)] if isinstance(rules, list) else []


def _parents(model: StackModel) -> t.Iterator[tuple[Item, int, Object, Item | None]]:
    """Yield every reference of a planned route to a Gateway: route, index, reference, the Gateway if there is one."""
    for route in model.items("HTTPRoute", planned_only=True):
        for index, ref in enumerate(dicts(route.spec.get("parentRefs"))):
            if ref.get("kind", "Gateway") == "Gateway" and ref.get("group", GATEWAY_GROUP) == GATEWAY_GROUP:
                namespace = str(ref.get("namespace") or route.namespace)
                yield route, index, ref, model.find("Gateway", str(ref.get("name")), namespace)


def parent(model: StackModel) -> t.Iterator[Finding]:
    for route, index, ref, gateway in _parents(model):
        # A name that is empty follows from a variable that is wrong, and has been named.
        if gateway is not None or not model.known("Gateway") or not ref.get("name"):
            continue
        gateways = model.items("Gateway")
        namespace, name = ref.get("namespace") or route.namespace, str(ref.get("name"))
        known = listed((item.title.partition(" ")[2] for item in gateways), "no Gateway")
        guess = did_you_mean(name, [item.name for item in gateways if item.name != name])
        near = [item for item in gateways if not item.live or item.name == name]
        text = (
            f"route {route.name} is attached to Gateway {namespace}/{name}, which does not exist; available: {known}."
        )
        yield finding(
            text + guess, (Side(route, ("spec", "parentRefs", index)), *map(Side, near)), ("parent", namespace, name)
        )


def parent_kind(model: StackModel) -> t.Iterator[Finding]:
    """A route that refers to something, but to no Gateway."""
    for route in model.items("HTTPRoute", planned_only=True):
        refs = dicts(route.spec.get("parentRefs"))
        given = [(str(ref.get("group", GATEWAY_GROUP)), str(ref.get("kind", "Gateway"))) for ref in refs]
        if refs and not {(GATEWAY_GROUP, "Gateway"), ("", "Service")} & set(given):
            text = f"route {route.name} is attached to a {given[0][1]} of {given[0][0] or '(core)'}, not to a Gateway"
            yield finding(text, (Side(route, ("spec", "parentRefs", 0)),), ("parent", route.title))


def _listeners(gateway: Item) -> list[Object]:
    return dicts(gateway.spec.get("listeners"))


def _met(ref: Object, gateway: Item) -> list[Object]:
    section, port = ref.get("sectionName"), ref.get("port")
    found = [entry for entry in _listeners(gateway) if section is None or entry.get("name") == section]
    return [entry for entry in found if port is None or number(entry.get("port")) == number(port)]


def listener(model: StackModel) -> t.Iterator[Finding]:
    for route, index, ref, gateway in _parents(model):
        if gateway is None or not _listeners(gateway) or _met(ref, gateway):
            continue
        wanted = " and ".join(f"{key} {ref[key]}" for key in ("sectionName", "port") if key in ref)
        known = listed(f"{entry.get('name')}:{entry.get('port')}" for entry in _listeners(gateway))
        text = f"route {route.name} uses the listener with {wanted}, but Gateway {gateway.name} has {known}"
        sides = (Side(route, ("spec", "parentRefs", index)), Side(gateway, ("spec", "listeners"), "listeners"))
        yield finding(text, sides, ("listener", gateway.title, wanted))


def allowed(model: StackModel) -> t.Iterator[Finding]:
    """A listener admits routes of the route's namespace and kind."""
    for route, index, ref, gateway in _parents(model):
        met = _met(ref, gateway) if gateway else []
        verdicts = [_refusal(entry, route, gateway, model) for entry in met if gateway]
        if gateway and verdicts and all(verdicts):
            text = f"Gateway {gateway.name} does not accept route {route.name} of {route.namespace}: {verdicts[0]}"
            sides = (Side(gateway, ("spec", "listeners"), "listeners"), Side(route, ("spec", "parentRefs", index)))
            yield finding(text, sides, ("allowed", gateway.title, route.namespace))


def _refusal(entry: Object, route: Item, gateway: Item, model: StackModel) -> str:
    """Return why a listener refuses a route, '' where it takes it or that is unknown."""
    rule = mapping(entry.get("allowedRoutes"))
    kinds = [kind.get("kind") for kind in dicts(rule.get("kinds"))]
    if kinds and "HTTPRoute" not in kinds:
        return f"listener {entry.get('name')} accepts only {listed(kinds)}"
    if entry.get("protocol") in ("TCP", "UDP", "TLS") and not kinds:
        return f"listener {entry.get('name')} has protocol {entry.get('protocol')}"
    namespaces = mapping(rule.get("namespaces"))
    origin = namespaces.get("from", "Same")
    if origin == "Same" and route.namespace != gateway.namespace:
        return f"listener {entry.get('name')} accepts only routes of {gateway.namespace} (from: Same)"
    if origin == "None":
        return f"listener {entry.get('name')} accepts no routes (from: None)"
    selector, home = mapping(namespaces.get("selector")), model.find("Namespace", route.namespace)
    if origin == "Selector" and selector and home and not labels_match(selector, home.labels):
        shown = [f"{key}={value}" for key, value in mapping(selector.get("matchLabels")).items()]
        shown += [f"{one.get('key')} {one.get('operator')}" for one in dicts(selector.get("matchExpressions"))]
        return (
            f"listener {entry.get('name')} accepts namespaces with {', '.join(shown)}, but {home.name} does not have "
            "these labels"
        )
    return ""


def hostnames(model: StackModel) -> t.Iterator[Finding]:
    for route, _index, ref, gateway in _parents(model):
        wanted = [str(host) for host in route.spec.get("hostnames") or []]
        met = _met(ref, gateway) if gateway else []
        offered = [str(entry["hostname"]) for entry in met if entry.get("hostname")]
        if gateway and wanted and met and len(offered) == len(met) and not _meet(wanted, offered):
            answers = f"those of Gateway {gateway.name} {listed(offered)}"
            text = f"route {route.name} answers {listed(wanted)}, {answers}"
            sides = (Side(route, ("spec", "hostnames")), Side(gateway, ("spec", "listeners"), "listeners"))
            yield finding(text, sides, ("hostname", route.title))


def _meet(left: list[str], right: list[str]) -> bool:
    def covers(wide: str, host: str) -> bool:
        return wide == host or (wide.startswith("*.") and host.endswith(wide[1:]) and host != wide[1:])

    return any(covers(one, two) or covers(two, one) for one in left for two in right)


def timeouts_place(model: StackModel) -> t.Iterator[Finding]:
    for route in model.items("HTTPRoute", planned_only=True):
        if "timeouts" in route.spec:
            text = f"route {route.name} has timeouts under spec, but the API has none there"
            yield finding(text, (Side(route, ("spec", "timeouts")),))


def timeouts_gke(model: StackModel) -> t.Iterator[Finding]:
    for route, _index, _ref, gateway in _parents(model):
        provider = gateway_provider(gateway, model) if gateway else None
        timed = [index for index, rule in rules_of(route) if rule.get("timeouts")]
        if gateway and provider and not provider.route_timeouts and timed:
            text = f"route {route.name} has timeouts, which class {gateway.spec.get('gatewayClassName')} rejects"
            sides = [Side(route, ("spec", "rules", index, "timeouts")) for index in timed]
            yield finding(text, (*sides, Side(gateway, ("spec", "gatewayClassName"), "class")), ("gke", route.title))


def gateway_provider(gateway: Item, model: StackModel) -> t.Any:
    """Return the provider of a Gateway (_compatibility.Provider): by its live class's controller, else by its name."""
    name = str(gateway.spec.get("gatewayClassName") or "")
    live = model.find("GatewayClass", name)
    controller = str(live.spec.get("controllerName")) if live and live.spec.get("controllerName") else None
    return provider_of(name, controller) or (provider_of(name) if controller else None)


def duplicate_matches(model: StackModel) -> t.Iterator[Finding]:
    """Two rules on one Gateway that match the same requests (HTTPRoute: the older route wins, silently)."""
    for gateway in model.items("Gateway"):
        routes = model.routes_to(gateway)
        ours = [route for route in routes if not route.live]
        pairs = [placed(route) for route in ours], [placed(route) for route in routes if route.live]
        for conflict in conflicts(*pairs, (gateway.name, gateway.namespace)):
            if not conflict.named:
                among = [route for route in routes if route_title(route.namespace, route.name) in conflict.routes]
                sides = tuple(Side(route, ("spec", "rules")) for route in among)
                yield finding(conflict.text(owners=False), sides, ("conflict", *conflict.routes, conflict.said))


def rule_names(model: StackModel) -> t.Iterator[Finding]:
    """Rule names are unique per Gateway, whatever the hostnames (F11)."""
    for gateway in model.items("Gateway"):
        users: dict[str, list[Side]] = {}
        for route in model.routes_to(gateway):
            for index, rule in rules_of(route):
                if rule.get("name"):
                    users.setdefault(str(rule["name"]), []).append(Side(route, ("spec", "rules", index, "name")))
        for name, sides in users.items():
            if len(sides) > 1 and not all(side.item.live for side in sides):
                who = listed(side.item.name for side in sides)
                text = f"{len(sides)} rules on Gateway {gateway.name} are named {name!r} (routes {who})"
                yield finding(text, tuple(sides), ("rule-name", gateway.title, name))


API = "Gateway API v1, HTTPRoute"
_rule = rule_factory("LLMD2")

RULES: t.Final = (
    _rule(
        1,
        "A route's Gateway exists",
        parent,
        "Each parentRef names a Gateway of the plan or the cluster, in the namespace where that Gateway is.",
        "The route's status stays empty (parents: []), requests get 404.",
        "use the Gateway that the gateway component creates, with its namespace (httproute_gateway_name, "
        "httproute_gateway_namespace)",
        f"{API} spec.parentRefs; F6",
    ),
    _rule(
        17,
        "A route is attached to a Gateway",
        parent_kind,
        f"A parentRef has kind Gateway and group {GATEWAY_GROUP}.",
        "The route's status stays empty (parents: []), requests get 404.",
        "use kind Gateway and its group, or remove both",
        f"{API} spec.parentRefs",
    ),
    _rule(
        2,
        "A route's listener exists",
        listener,
        "The sectionName and port of a parentRef are those of one listener of the Gateway.",
        "Accepted=False/NoMatchingParent, requests get 404.",
        "use a listener that the Gateway has, or remove sectionName (httproute_section_name) and port",
        f"{API} spec.parentRefs[].sectionName; F6",
    ),
    _rule(
        3,
        "The listener admits the route",
        allowed,
        "allowedRoutes of the listener takes the route's namespace and kind.",
        "Accepted=False/NotAllowedByListeners, requests get 404.",
        "set allowedRoutes.namespaces.from: All on the listener, or put the route into the Gateway's namespace",
        "Gateway API v1, Gateway spec.listeners[].allowedRoutes",
    ),
    _rule(
        4,
        "Hostnames of route and listener meet",
        hostnames,
        "A route with hostnames shares at least one with a listener that has one.",
        "Accepted=False/NoMatchingListenerHostname, requests get 404.",
        "use a hostname that the listener answers",
        f"{API} spec.hostnames",
    ),
    _rule(
        10,
        "Timeouts stand under a rule",
        timeouts_place,
        "An HTTPRoute has timeouts under spec.rules[], not under spec.",
        "The API server drops or rejects it; long completions are cut off by the gateway's default.",
        "move timeouts under each rule",
        f"{API} spec.rules[].timeouts",
    ),
    _rule(
        11,
        "No timeouts on GKE's classes",
        timeouts_gke,
        "Routes of GKE's Gateway classes carry no timeouts.",
        "The route is rejected (UnsupportedValue) and never programmed.",
        "remove the timeouts; the pool chart's GCPBackendPolicy sets them instead",
        "kubernetes-sigs/gateway-api-inference-extension#476; F7",
    ),
    _rule(
        12,
        "No two rules match the same requests",
        duplicate_matches,
        "On one Gateway no two rules have the same match for the same hostnames.",
        "The older route gets all requests, and the other model is never reached; both are Accepted.",
        "give one of them another path_prefix or its own hostnames",
        f"{API} spec.rules[].matches; kserve/kserve#5800",
    ),
    _rule(
        13,
        "Rule names are unique per Gateway",
        rule_names,
        "The names of rules, where given, are used once on a Gateway.",
        "Istio looks pickers up by the names of rules: one picker is used for both, and the other model's pods are "
        "balanced without a picker, with all conditions True.",
        "rename one rule, or remove the names",
        "istio/istio#58392, istio/istio#61594; F11",
    ),
)
