# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The HTTPRoutes of a stack: names, prefixes, hostnames and timeouts from its models and routes."""

from __future__ import annotations

import re
import typing as t

from ..base import formats
from ..base.apis import GATEWAY_API, POOL_API
from ..base.data import Object, Values, texts
from ..base.findings import WARNING, Findings
from ..base.names import did_you_mean, dns_label, hostname_problem, name_problem
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL
from ..objects.routes import NO_TIMEOUTS, RouteRule, conflicts, parent_ref, route_manifest, with_parent
from ..values.layers import Layer, check_entry, locate
from .base import DEFAULT_PORT, LLM_D, OBJECTS, ROUTING, Component, NeededKind, Part, named
from .gaie import GaieComponent
from .gateway import GatewayComponent
from .modelservice import Model, ModelserviceComponent
from .pools.values import Pool, pool_ports

PER_MODEL, SHARED = "per_model", "shared"
# gateway.networking.k8s.io/v1: spec.rules and spec.hostnames have at most 16 items.
API_LIMIT = 16
# GEP-2257: the durations that the Gateway API takes.
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}\Z")
_PREFIX = re.compile(r"/[A-Za-z0-9/\-._~!$&'()*+,;=:@%]*\Z")
ROUTE_KEYS: dict[str, type] = {"name": str, "path_prefix": str, "hostnames": list, "timeouts": dict}


class HttprouteComponent(Component):
    """The component `httproute`: the routes from the Gateway to the pools."""

    name = "httproute"
    group = LLM_D
    by_gateway = True
    phase = ROUTING
    asks = "httproute_routes"

    shapes = {
        "name": formats.dns_name,
        "gateway_name": formats.dns_name,
        "gateway_namespace": formats.dns_label,
        "section_name": formats.dns_name,
    }

    def resolve(self) -> None:
        """Work out the manifests, without parents, and the rules behind them."""
        stack, given = self.stack, self.given
        pools = stack.of(GaieComponent)
        # A chart that makes the route of its pool needs none of ours.
        routed = {pool.release for pool in pools.pools if pools.pool_chart.makes_route(pool.values)}
        derived = [self._derived(pool) for pool in pools.pools if pool.model]
        self.entries = [entry for entry in derived if entry["pool"] not in routed]
        keys = {**ROUTE_KEYS, "pool": str, "port": int, "model": str}
        for entry, where in stack.entries(given.get("routes") or [], "httproute_routes", keys):
            self.entries.append({"port": DEFAULT_PORT, **entry, "where": where})
        self._check_twice([*derived, *(one for one in self.entries if not one.get("derived"))], routed)
        if self.idle:
            self._check_idle(derived)
            self.entries = []
        self.rules = [self._rule(entry) for entry in self.entries]
        _check_timeouts(given.get("timeouts") or {}, "httproute_timeouts", stack.findings)
        if given["mode"] == SHARED:
            self.routes = [self._route(given["name"], self.rules)] if self.rules else []
            _check_shared(self.entries, self.rules, stack.findings)
        else:
            names = [_route_name(entry) for entry in self.entries]
            _check_route_names(names, self.entries, stack.findings)
            rows = zip(names, self.rules, strict=True)
            self.routes = [self._route(name, [rule]) for name, rule in rows]

    def _check_twice(self, entries: t.Sequence[Values], routed: t.Collection[str]) -> None:
        """Note a route that is asked for beside the one that the pool's chart makes."""
        pools = self.stack.of(GaieComponent)
        key = ".".join(map(str, pools.pool_chart.route))
        for entry in entries:
            if entry.get("pool") in routed and (entry.keys() & ROUTE_KEYS.keys() or not entry.get("derived")):
                pool = next(pool for pool in pools.pools if pool.release == entry["pool"])
                at = locate(pool.layers, pools.pool_chart.route, f"{pool.where}.values")
                text = f"the chart makes an HTTPRoute for pool {pool.release} too ({at})"
                fix = f"set {key}: false, or remove this route"
                more: t.Any = {"about": [pool.release], "covers": ["LLMD212", "LLMD213"]}
                self.stack.findings.add(entry["where"], text, fix, rule="input-route-twice", **more)

    def _check_idle(self, derived: t.Sequence[Values]) -> None:
        """Note routes that are asked for where no Gateway takes part."""
        pools = self.stack.of(GaieComponent)
        if not pools.pool_chart.standalone:
            return
        text = f"{pools.given['chart']} lets requests in by itself, without Gateway and HTTPRoute"
        fix = "remove it, or set gaie_chart: llm-d-router-gateway"
        if self.given.get("routes"):
            self.stack.findings.add(self.asks, f"has no effect: {text}", fix, rule="input-no-gateway")
        for entry in derived:
            if entry.keys() & ROUTE_KEYS.keys():
                more: t.Any = {"rule": "input-no-gateway", "severity": WARNING}
                self.stack.findings.add(entry["where"], f"has no effect: {text}", fix, **more)

    def _route(self, name: str, rules: list[RouteRule]) -> Object:
        return route_manifest(name, self.namespace, rules, {MANAGED_LABEL: "true", COMPONENT_LABEL: self.name})

    def _derived(self, pool: Pool) -> Values:
        """Return the entry of a model's own route."""
        model = t.cast(Model, self.stack.of(GaieComponent).model_of(pool))
        where = f"{model.where}.route"
        entry = check_entry(model.entry.get("route") or {}, ROUTE_KEYS, where, self.stack.findings) or {}
        return {**entry, "model": model.name, "pool": pool.release, "derived": True, "where": where}

    def _rule(self, entry: Values) -> RouteRule:
        where, findings = entry["where"], self.stack.findings
        rule = RouteRule(
            where=where,
            pool=entry.get("pool") or "",
            port=self._port(entry),
            path_prefix=_prefix(entry, len(self.entries), self.given["mode"]),
            hostnames=tuple(texts(entry.get("hostnames"))),
            timeouts=self._timeouts(entry),
            model=entry.get("model"),
        )
        path = _path_problem(rule.path_prefix)
        if path:
            findings.add(f"{where}.path_prefix", *path, rule="input-route-path")
        wrong = name_problem(rule.pool, 253)
        if wrong:
            findings.add(f"{where}.pool", wrong, "set it to the name of an InferencePool", rule="input-name")
        for host in rule.hostnames:
            bad = hostname_problem(host)
            if bad:
                findings.add(f"{where}.hostnames", bad, rule="input-hostname")
        own = f"{where}.timeouts" if entry.get("timeouts") else "httproute_timeouts"
        _check_timeouts(entry.get("timeouts") or {}, own, findings)
        _check_order(rule, own, findings)
        return rule

    def _port(self, entry: Values) -> int:
        if not entry.get("derived"):
            return entry["port"]
        pools = self.stack.of(GaieComponent)
        pool = next((pool for pool in pools.pools if pool.release == entry["pool"]), None)
        ports = pool_ports(pool.values, pools.given["chart"]) if pool else []
        return ports[0] if ports and isinstance(ports[0], int) else DEFAULT_PORT

    def _timeouts(self, entry: Values) -> dict[str, str] | None:
        """Return the rule's timeouts, None where the provider's routes may not have any."""
        provider = self.stack.of(GatewayComponent).provider
        if not provider.route_timeouts:
            if entry.get("timeouts"):
                text = f"is ignored: {provider.name} rejects routes with timeouts"
                where, fix = f"{entry['where']}.timeouts", "remove it, or set a timeout at the load balancer"
                self.stack.findings.add(where, text, fix, rule="input-timeouts", severity=WARNING)
            return None
        return {**(self.given.get("timeouts") or {}), **(entry.get("timeouts") or {})} or None

    def check(self) -> None:
        """Note routes that would take each other's requests."""
        gateway = self.stack.of(GatewayComponent)
        place = (gateway.gateway or "gateway", gateway.namespace)
        placed = [with_parent(route, parent_ref(*place)) for route in self.routes]
        for conflict in conflicts(placed, [], place):
            self.stack.findings.add(
                "httproute",
                conflict.text(owners=False),
                "use another path_prefix or hostnames for one of them",
                rule="input-route-conflict",
                about=conflict.routes,
                covers=["LLMD212", "LLMD213"],
            )

    @property
    def parent(self) -> dict[str, str]:
        """The Gateway that routes go to, and its listener; an empty name stands for the namespace's only one."""
        gateway = self.stack.of(GatewayComponent)
        return {
            "name": self.given.get("gateway_name") or (gateway.gateway if gateway.chosen or gateway.adopted else ""),
            "namespace": self.given.get("gateway_namespace") or gateway.namespace,
            "section_name": self.given.get("section_name") or "",
        }

    def make_parts(self) -> list[Part]:
        spec = {"objects": self.routes, "gateway": self.parent, "prune": bool(self.given.get("prune"))}
        layers = [Layer(entry, entry["where"]) for entry in self.entries]
        return [Part(self.name, self.name, self.namespace, OBJECTS, spec, self.asks, layers)]

    def needs(self) -> list[NeededKind]:
        return [NeededKind(GATEWAY_API, "HTTPRoute", self.name), NeededKind(POOL_API, "InferencePool", "gaie")]

    def serves(self) -> list[Object]:
        return [named(GATEWAY_API, "HTTPRoute", route["metadata"]["name"], self.namespace) for route in self.routes]

    def tells(self) -> Object:
        models = [self._model(model) for model in self.stack.of(ModelserviceComponent).models]
        routes = {"routes": self.routes, "route_mode": self.given["mode"], "route_gateway": self.parent}
        return {"models": models, **routes}

    def _model(self, model: Model) -> Object:
        """Return what verification asks of a model: its pods and where requests to it go."""
        pools = self.stack.of(GaieComponent)
        pool = next((pool for pool in pools.pools if pool.model == model.name), None)
        rule = next((rule for rule in self.rules if rule.model == model.name), None)
        return {
            "name": model.name,
            "model": model.model,
            "release": model.release,
            "existing": model.existing,
            "pool": pool.release if pool else None,
            # The Service that lets requests in, "" where a Gateway does.
            "service": pools.entrance(pool) if pool else "",
            "labels": model.labels,
            "port": model.port,
            "roles": model.roles,
            "workloads": model.workloads,
            "workload_kind": "LeaderWorkerSet" if model.multinode else "Deployment",
            "path_prefix": rule.path_prefix if rule else "/",
            "hostnames": list(rule.hostnames) if rule else [],
        }


def _check_timeouts(timeouts: dict, where: str, findings: Findings) -> None:
    for key, value in timeouts.items():
        if key not in NO_TIMEOUTS or seconds(value) is None:
            fix = "use request and backendRequest, each like 0s, 30s or 1h30m"
            said = (
                f"{value!r} is not a valid timeout"
                if key in NO_TIMEOUTS
                else f"unknown key.{did_you_mean(key, NO_TIMEOUTS)}"
            )
            findings.add(f"{where}.{key}", said, fix, rule="input-timeouts")


def _check_order(rule: RouteRule, where: str, findings: Findings) -> None:
    """Note a backend's timeout above the whole request's, which the Gateway API refuses (HTTPRouteTimeouts)."""
    given = rule.timeouts or {}
    request, backend = (seconds(given.get(key)) for key in ("request", "backendRequest"))
    if request and backend and backend > request:
        text = f"{given['backendRequest']} is longer than request, {given['request']}"
        fix, same = f"use at most {given['request']}", ["LLMD801"]
        findings.add(f"{where}.backendRequest", text, fix, rule="input-timeouts", about=["HTTPRoute"], covers=same)


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(duration: t.Any) -> float | None:
    """Return a duration of the Gateway API (GEP-2257) in seconds, None where it is none."""
    if not isinstance(duration, str) or not _DURATION.match(duration):
        return None
    return sum(int(amount) * _UNITS[unit] for amount, unit in re.findall(r"([0-9]+)(ms|h|m|s)", duration))


def _path_problem(path: str) -> tuple[str, str] | None:
    """Return what is wrong with a path prefix, and what to write instead."""
    if "*" in path:
        plain = path.partition("*")[0].rstrip("/") or "/"
        return f"{path!r} has a wildcard, but a prefix is matched literally", (
            f"use {plain}: it matches every path below it"
        )
    if not _PREFIX.match(path) or "//" in path or any(part in (".", "..") for part in path.split("/")):
        return f"{path!r} is not a valid path", "use a path such as /qwen"
    return None


def _prefix(entry: dict, count: int, mode: str) -> str:
    """Return the prefix given, else / for the only route and one that has hostnames, else /NAME."""
    if entry.get("path_prefix"):
        prefix = entry["path_prefix"]
        return prefix.rstrip("/") or "/"
    if count == 1 or (entry.get("hostnames") and mode == PER_MODEL):
        return "/"
    return "/" + str(entry.get("model") or entry.get("name") or entry.get("pool"))


def _route_name(entry: dict) -> str:
    if entry.get("name"):
        return entry["name"]
    source = entry.get("model") or entry.get("pool") or "route"
    return dns_label(f"llm-d-{source}", 63)


def _check_route_names(names: t.Sequence[str], entries: t.Sequence[dict], findings: Findings) -> None:
    first: dict[str, str] = {}
    for name, entry in zip(names, entries, strict=True):
        wrong = name_problem(name)
        if wrong:
            findings.add(f"{entry['where']}.name", f"its HTTPRoute {wrong}", rule="input-name")
        if name in first:
            message = f"the HTTPRoute {name!r} is already used by {first[name]}"
            more: dict[str, t.Any] = {"about": [name], "covers": ["LLMD301", "LLMD302", "LLMD303"]}
            findings.add(f"{entry['where']}.name", message, "use another name", rule="input-name-taken", **more)
        first.setdefault(name, entry["where"])


def _check_shared(entries: list[dict], rules: list[RouteRule], findings: Findings) -> None:
    if len(rules) > API_LIMIT:
        fix = "set httproute_mode: per_model"
        findings.add(
            "httproute_mode",
            f"{len(rules)} rules are needed, but a route takes at most {API_LIMIT}",
            fix,
            rule="input-route-limit",
        )
    if len({rule.hostnames for rule in rules}) > 1:
        where = next(rule.where for rule in rules if rule.hostnames != rules[0].hostnames)
        fix = "use the same hostnames for all, or set httproute_mode: per_model"
        findings.add(
            f"{where}.hostnames",
            "the hostnames differ, but a shared route has one list of hostnames for all its rules",
            fix,
            rule="input-hostname",
        )
