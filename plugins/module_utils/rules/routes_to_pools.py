# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what routes lead to: pools, their group, kind, port and namespace, and the model that is served there."""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, mapping, number
from ..base.findings import Finding
from ..base.names import did_you_mean
from ..components.httproute import HttprouteComponent
from ..model.items import InferencePool, Item, ServedModel, Workload
from ..model.model import StackModel
from .base import Side, finding, listed, rule_factory
from .pools import running, selected
from .routes_to_gateways import API, rules_of

# Headers by which requests are routed to a model's name: GAIE body-based routing, chart inferencepool.
MODEL_HEADERS = ("x-gateway-model-name", "x-gateway-base-model-name")


def _backends(model: StackModel, planned_only: bool = True) -> t.Iterator[tuple[Item, Object, Object, Side]]:
    """Yield (route, rule, reference, its place) of every backend."""
    for route in model.items("HTTPRoute", planned_only):
        for index, rule in rules_of(route):
            for place, ref in enumerate(dicts(rule.get("backendRefs"))):
                yield route, rule, ref, Side(route, ("spec", "rules", index, "backendRefs", place))


def _home(ref: Object, route: Item) -> str:
    return str(ref.get("namespace") or route.namespace)


def pool_of(ref: Object, route: Item, model: StackModel) -> InferencePool | None:
    """Return the pool that a backend names, whatever group or kind it says."""
    key = (str(ref.get("name")), _home(ref, route))
    return next((pool for pool in model.pools if (pool.item.name, pool.item.namespace) == key), None)


def exists(model: StackModel) -> t.Iterator[Finding]:
    for route, _rule, ref, side in _backends(model):
        kind = str(ref.get("kind", "Service"))
        if pool_of(ref, route, model) or not model.known("InferencePool"):
            continue
        name, home = str(ref.get("name")), _home(ref, route)
        if kind == "Service" and model.exists("Service", name, home) is not False:
            continue
        pools = [pool.item for pool in model.pools]
        guess = did_you_mean(name, [item.name for item in pools if item.name != name])
        known = listed((f"{item.namespace}/{item.name}" for item in pools), "no pool")
        text = f"route {route.name} refers to {kind} {home}/{name}, which does not exist; available: {known}.{guess}"
        near = [item for item in pools if item.name == name or not item.live]
        yield finding(text, (side, *map(Side, near)), ("backend", home, name))


def group(model: StackModel) -> t.Iterator[Finding]:
    for route, _rule, ref, side in _backends(model):
        pool = pool_of(ref, route, model)
        given = (str(ref.get("group") or ""), str(ref.get("kind", "Service")))
        if pool is None or given == (pool.item.group, "InferencePool"):
            continue
        if given == ("", "Service") and model.find("Service", pool.item.name, pool.item.namespace):
            continue
        shown = f"{given[1]} of group {given[0] or '(core)'}"
        text = (
            f"route {route.name} refers to the {shown} {pool.item.name}, which is an InferencePool of {pool.item.group}"
        )
        yield finding(text, (side, Side(pool.item, ("apiVersion",), "api")), ("group", pool.item.title))


def port(model: StackModel) -> t.Iterator[Finding]:
    for route, _rule, ref, side in _backends(model):
        pool = pool_of(ref, route, model)
        if pool and ref.get("port") is not None and pool.ports and number(ref["port"]) not in pool.ports:
            text = (
                f"route {route.name} uses port {ref['port']}, but pool {pool.item.name} sends to {listed(pool.ports)}"
            )
            yield finding(text, (side, Side(pool.item, pool.ports_path, "ports")), ("backend-port", pool.item.title))


def granted(model: StackModel) -> t.Iterator[Finding]:
    for route, _rule, ref, side in _backends(model):
        home, kind = _home(ref, route), str(ref.get("kind", "Service"))
        if home == route.namespace or not (pool := pool_of(ref, route, model)):
            continue
        if not model.known("ReferenceGrant"):
            continue  # none is planned, and nobody has said whether the cluster has one
        grants = [item for item in model.items("ReferenceGrant") if item.namespace == home]
        if not any(_grants(grant, route, kind, pool) for grant in grants):
            text = f"route {route.namespace}/{route.name} leads to a pool of namespace {home} without a ReferenceGrant"
            yield finding(text, (side, Side(pool.item)), ("grant", route.namespace, home))


def _grants(grant: Item, route: Item, kind: str, pool: InferencePool) -> bool:
    sources = dicts(grant.spec.get("from"))
    targets = dicts(grant.spec.get("to"))
    given = any(s.get("kind") == "HTTPRoute" and s.get("namespace") == route.namespace for s in sources)
    return given and any(
        target.get("kind") == kind
        and target.get("group") == pool.item.group
        and target.get("name") in (None, "", pool.item.name)
        for target in targets
    )


def served_name(model: StackModel) -> t.Iterator[Finding]:
    """The name that requests and probes use is one that the model's servers answer to."""
    for expected in model.expected:
        shared = sum(other.release == expected.release for other in model.expected) > 1
        own = [w for w in model.workloads if w.item.unit == expected.release and not w.item.live and w.replicas != 0]
        pools = [pool for pool in model.pools if pool.item.name == expected.pool] if expected.existing else []
        there = [workload for pool in pools for workload in running(pool, model)]
        for workload in there or ([] if shared else own):
            if expected.model and workload.served and expected.model not in workload.served:
                answers = listed(workload.served)
                text = f"{expected.name} is requested as {expected.model!r}, but its servers answer to {answers}"
                topic = (("topic", workload.item.title), ("name", workload.item.unit))
                yield finding(text, (_server_side(workload),), ("served", expected.name), explains=topic)
    for route, rule, ref, side in _backends(model):
        pool = pool_of(ref, route, model)
        names = {name for w in (selected(pool, model) if pool else []) for name in w.served}
        for value in _header_models(rule):
            if names and value not in names:
                text = f"route {route.name} sends requests for {value!r} to servers that answer to {listed(names)}"
                first = selected(pool, model)[0] if pool else None
                yield finding(text, (side, *([_server_side(first)] if first else [])), ("header", route.title, value))


def _server_side(workload: Workload) -> Side:
    index = workload.models[0].index
    return Side(workload.item, (*workload.path, "spec", "containers", index, "args"), "served")


def _header_models(rule: Object) -> list[str]:
    headers = [h for match in dicts(rule.get("matches")) for h in dicts(match.get("headers"))]
    exact = [h for h in headers if h.get("type", "Exact") == "Exact"]
    return list(dict.fromkeys(str(h.get("value")) for h in exact if str(h.get("name")).lower() in MODEL_HEADERS))


def _serving(expected: ServedModel, model: StackModel) -> list[tuple[Item, Object]]:
    """Return the rules that lead to a model's pool."""
    found = []
    for route, rule, ref, _side in _backends(model, planned_only=False):
        pool = pool_of(ref, route, model)
        if pool and pool.item.name == expected.pool:
            found.append((route, rule))
    return found


def routed(model: StackModel) -> t.Iterator[Finding]:
    """Every expected model's pool is reached by a route, unless its router lets requests in by itself."""
    broken = any(pool_of(ref, route, model) is None for route, _rule, ref, _side in _backends(model))
    broken |= any(item.component == HttprouteComponent.name and item.kind != "HTTPRoute" for item in model.planned)
    for expected in (one for one in model.expected if not one.service):
        pools = [pool for pool in model.pools if pool.item.name == expected.pool]
        if not pools or broken or not model.known("HTTPRoute") or _serving(expected, model):
            continue
        text = f"no route refers to pool {expected.pool} of model {expected.name}"
        routes = model.items("HTTPRoute", planned_only=True)
        yield finding(text, (Side(pools[0].item), *map(Side, routes)), ("routed", expected.name))


def prefix(model: StackModel) -> t.Iterator[Finding]:
    """Requests that go where a model is expected match a rule that leads to it."""
    for expected in model.expected:
        rules = _serving(expected, model)
        wanted = expected.path_prefix.rstrip("/")
        if not expected.path_prefix or not rules or any(_takes(rule, wanted) for _route, rule in rules):
            continue
        given = listed(str(_path(match).get("value", "/")) for _r, rule in rules for match in _matches(rule))
        text = f"model {expected.name} is requested under {wanted or '/'}, but its route matches {given}"
        sides = tuple(Side(route, ("spec", "rules")) for route, _rule in rules)
        explained = tuple(("rewrite", route.title) for route, _rule in rules)
        yield finding(text, sides, ("prefix", expected.name), explains=explained)


def _matches(rule: Object) -> list[Object]:
    return dicts(rule.get("matches")) or [{}]


def _path(match: Object) -> Object:
    return mapping(match.get("path"))


def _takes(rule: Object, wanted: str) -> bool:
    for match in _matches(rule):
        value, kind = str(_path(match).get("value", "/")).rstrip("/"), _path(match).get("type", "PathPrefix")
        if kind not in ("PathPrefix", "Exact"):
            return True
        if f"{wanted}/v1/completions/".startswith(f"{value}/"):
            return True
    return False


def rewritten(model: StackModel) -> t.Iterator[Finding]:
    """A model server knows /v1/... only, so a prefix before that is cut off by the route."""
    for route, rule, ref, side in _backends(model):
        pool = pool_of(ref, route, model)
        if pool is None or _rooted(pool, model):
            continue
        paths = [mapping(mapping(f.get("urlRewrite")).get("path")) for f in dicts(rule.get("filters"))]
        new = next((path for path in paths if path), None)
        prefixes = [_path(m) for m in _matches(rule) if _path(m).get("type", "PathPrefix") == "PathPrefix"]
        for given in [str(path.get("value", "/")) for path in prefixes]:
            kept = str(new.get("replacePrefixMatch", new.get("replaceFullPath", "/"))) if new else given
            if kept.rstrip("/") and kept[:3] != "/v1":
                how = f"as {kept}" if new else "unchanged"
                text = f"route {route.name} sends paths under {given} on {how}, model servers know /v1 only"
                yield finding(text, (side,), ("rewrite", route.title))


def _rooted(pool: InferencePool, model: StackModel) -> bool:
    return any("--root-path" in word for w in selected(pool, model) for s in w.models for word in s.line)


_rule = rule_factory("LLMD2")

RULES: t.Final = (
    _rule(
        5,
        "A route's pool exists",
        exists,
        "Each backendRef names an InferencePool that the plan makes or the cluster has.",
        "ResolvedRefs=False/BackendNotFound, requests get 500.",
        "use the name of the pool's release: the InferencePool has the same name",
        f"{API} spec.rules[].backendRefs; F6",
    ),
    _rule(
        6,
        "A backend has the pool's group and kind",
        group,
        "A backendRef says kind InferencePool and the API group that the pool is made in.",
        "ResolvedRefs=False/InvalidKind, requests get 500; the pool has no status.",
        "use the pool's own group and kind InferencePool in the route",
        f"{API} spec.rules[].backendRefs; F1",
    ),
    _rule(
        7,
        "A backend's port is a target port",
        port,
        "The port of a backendRef, where given, is one of the pool's target ports.",
        "Some gateways ignore it, others send requests to a port where nothing listens; no condition shows it.",
        "use the pool's target port, or remove the port",
        f"{API} spec.rules[].backendRefs[].port",
    ),
    _rule(
        8,
        "A pool of another namespace is granted",
        granted,
        "A route to a pool of another namespace needs a ReferenceGrant in that namespace.",
        "ResolvedRefs=False/RefNotPermitted, requests get 500.",
        "put route and pool into one namespace, or add a ReferenceGrant for the pool",
        "Gateway API v1beta1, ReferenceGrant; F6",
    ),
    _rule(
        9,
        "The served model name is the requested one",
        served_name,
        "The name that requests and probes use is one that the model's servers answer to (--served-model-name).",
        "404 from the model server: the model does not exist.",
        "use the same name in modelArtifacts.name, in model and in the route's headers",
        "vLLM, --served-model-name; llm-d-modelservice, modelArtifacts.name",
    ),
    _rule(
        14,
        "Every model has a route",
        routed,
        "Some route leads to the pool of each model.",
        "The model is loaded and Ready, requests for it get 404.",
        "add a route for the model's pool",
        f"{API} spec.rules[].backendRefs",
    ),
    _rule(
        15,
        "A model is reachable where it is requested",
        prefix,
        "The path prefix under which a model is probed matches a rule for its pool.",
        "404 from the gateway, or the answer of another model.",
        "use the same path prefix in the route and in the model's entry",
        f"{API} spec.rules[].matches[].path",
    ),
    _rule(
        16,
        "A prefix is removed",
        rewritten,
        "A rule for a prefix other than / or /v1 rewrites it, since model servers know /v1 only.",
        "404 from the model server for every request.",
        "add a URLRewrite filter with replacePrefixMatch: /",
        f"{API} spec.rules[].filters[].urlRewrite; vLLM serves /v1",
    ),
)
