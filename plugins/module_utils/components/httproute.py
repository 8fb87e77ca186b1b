# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The HTTPRoutes of a stack: names, prefixes, hostnames and timeouts from its models and routes."""

from __future__ import annotations

import re
import typing as t

from ..base.findings import Findings
from ..base.names import dns_label, hostname_problem, name_problem
from ..objects.routes import NO_TIMEOUTS, RouteRule, conflicts, parent_ref, route_manifest, with_parent
from .base import DEFAULT_PORT, Stack
from .gaie import Pool, pool_ports

PER_MODEL, SHARED = "per_model", "shared"


# gateway.networking.k8s.io/v1: spec.rules and spec.hostnames have at most 16 items.
API_LIMIT = 16


# GEP-2257: the durations that the Gateway API takes.
_DURATION = re.compile(r"([0-9]{1,5}(h|m|s|ms)){1,4}\Z")


_PREFIX = re.compile(r"/[A-Za-z0-9/\-._~!$&'()*+,;=:@%]*\Z")


def stack_routes(stack: Stack, problems: Findings) -> tuple[list[dict], list[RouteRule]]:
    """Return the manifests, without parents, and the rules behind them; mistakes go to problems."""
    options = stack.params["httproute"]
    entries = stack.route_entries
    rules = [_rule(entry, stack, len(entries), problems) for entry in entries]
    namespace = stack.params["namespace"]
    _check_timeouts(options.get("timeouts") or {}, "httproute_timeouts", problems)
    if options["mode"] == SHARED:
        routes = [route_manifest(options["name"], namespace, rules)] if rules else []
        _check_shared(entries, rules, problems)
    else:
        names = [_route_name(entry) for entry in entries]
        _check_route_names(names, entries, problems)
        routes = [route_manifest(name, namespace, [rule]) for name, rule in zip(names, rules, strict=True)]
    gateway = (stack.gateway.name or "gateway", stack.gateway.namespace)
    for conflict in conflicts([with_parent(route, parent_ref(*gateway)) for route in routes], [], gateway):
        problems.add(
            "httproute",
            conflict.text(owners=False),
            "another path_prefix or hostnames for one of them",
            rule="input-route-conflict",
            about=conflict.routes,
            covers=["LLMD212", "LLMD213"],
        )
    return routes, rules


def _rule(entry: dict, stack: Stack, count: int, problems: Findings) -> RouteRule:
    where = entry["where"]
    rule = RouteRule(
        where=where,
        pool=entry.get("pool") or "",
        port=_port(entry, stack),
        path_prefix=_prefix(entry, count, stack.params["httproute"]["mode"]),
        hostnames=tuple(entry.get("hostnames") or ()),
        timeouts=_timeouts(entry, stack),
        model=entry.get("model"),
    )
    if not _PREFIX.match(rule.path_prefix) or "//" in rule.path_prefix or "/./" in rule.path_prefix + "/":
        problems.add(
            f"{where}.path_prefix", f"{rule.path_prefix!r} is no path", "a path such as /qwen", rule="input-route-path"
        )
    wrong = name_problem(rule.pool, 253)
    if wrong:
        problems.add(f"{where}.pool", wrong, "the name of an InferencePool", rule="input-name")
    for host in rule.hostnames:
        bad = hostname_problem(host)
        if bad:
            problems.add(f"{where}.hostnames", bad, rule="input-hostname")
    _check_timeouts(entry.get("timeouts") or {}, f"{where}.timeouts", problems)
    return rule


def _check_timeouts(timeouts: dict, where: str, problems: Findings) -> None:
    for key, value in timeouts.items():
        if key not in NO_TIMEOUTS or not isinstance(value, str) or not _DURATION.match(value):
            fix = "request and backendRequest, each like 0s, 30s or 1h30m"
            problems.add(f"{where}.{key}", f"{value!r} is not understood", fix, rule="input-timeouts")


def _prefix(entry: dict, count: int, mode: str) -> str:
    """Return the prefix given, else / for the only route and one that has hostnames, else /NAME."""
    if entry.get("path_prefix"):
        prefix = entry["path_prefix"]
        return prefix.rstrip("/") or "/"
    if count == 1 or (entry.get("hostnames") and mode == PER_MODEL):
        return "/"
    return "/" + str(entry.get("model") or entry.get("name") or entry.get("pool"))


def _port(entry: dict, stack: Stack) -> int:
    if not entry.get("derived"):
        return entry["port"]
    pool: Pool | None = next((pool for pool in stack.pools if pool.release == entry["pool"]), None)
    ports = pool_ports(pool.values, stack.pool_chart) if pool else []
    return ports[0] if ports and isinstance(ports[0], int) else DEFAULT_PORT


def _timeouts(entry: dict, stack: Stack) -> dict[str, str] | None:
    """Return the rule's timeouts, None where the provider's routes may not have any."""
    if not stack.provider.route_timeouts:
        if entry.get("timeouts"):
            name = stack.provider.name
            stack.notes.append(f"{entry['where']}.timeouts is left out: {name} rejects routes with timeouts.")
        return None
    return {**(stack.params["httproute"].get("timeouts") or {}), **(entry.get("timeouts") or {})} or None


def _route_name(entry: dict) -> str:
    if entry.get("name"):
        return entry["name"]
    source = entry.get("model") or entry.get("pool") or "route"
    return dns_label(f"llm-d-{source}", 63)


def _check_route_names(names: t.Sequence[str], entries: t.Sequence[dict], problems: Findings) -> None:
    first: dict[str, str] = {}
    for name, entry in zip(names, entries, strict=True):
        wrong = name_problem(name)
        if wrong:
            problems.add(f"{entry['where']}.name", f"its HTTPRoute {wrong}", rule="input-name")
        if name in first:
            message = f"the HTTPRoute {name!r} is also that of {first[name]}"
            more: dict[str, t.Any] = {"about": [name], "covers": ["LLMD301", "LLMD302", "LLMD303"]}
            problems.add(f"{entry['where']}.name", message, "another name", rule="input-name-taken", **more)
        first.setdefault(name, entry["where"])


def _check_shared(entries: list[dict], rules: list[RouteRule], problems: Findings) -> None:
    if len(rules) > API_LIMIT:
        fix = "httproute_mode: per_model"
        problems.add(
            "httproute_mode",
            f"one route takes {API_LIMIT} rules at most, {len(rules)} are needed",
            fix,
            rule="input-route-limit",
        )
    if len({rule.hostnames for rule in rules}) > 1:
        where = next(rule.where for rule in rules if rule.hostnames != rules[0].hostnames)
        fix = "the same hostnames for all, or httproute_mode: per_model"
        problems.add(
            f"{where}.hostnames",
            "a shared route has one list of hostnames for all its rules",
            fix,
            rule="input-hostname",
        )
