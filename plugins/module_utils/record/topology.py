# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The way of a request by a record, as a tree: Gateway, routes, pools, model servers, each with its state."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..components.gateway import gateway_of

GOOD, BAD, WARN, UNKNOWN = "ready", "not ready", "doubtful", "unknown"
GATEWAY, ROUTE, POOL, SERVERS = "Gateway", "HTTPRoute", "InferencePool", "model servers"
OBJECTS = (GATEWAY, ROUTE, POOL)
# A check of the verification is named as the kind that it speaks of ends; these are not.
OF_POOLS = {"selector": "pool", "endpoint_picker": "pool"}


@dataclasses.dataclass
class TopologyNode:
    """A part of the way. kind: what it is; lines: what to know of it; state: one of the constants above."""

    kind: str
    title: str
    lines: list[str] = dataclasses.field(default_factory=list)
    state: str = UNKNOWN
    children: list[TopologyNode] = dataclasses.field(default_factory=list)


def topology(record: Object) -> TopologyNode | None:
    """Return the Gateway with all that is behind it, None for a record that knows of no models."""
    stack = record["stack"]
    models = [model for model in stack.get("models") or [] if isinstance(model, dict)]
    if not models:
        return None
    states = _States(record)
    gateway = gateway_of(stack)
    name = gateway.get("name")
    lines = [f"{gateway.get('provider') or 'no provider'}, class {gateway.get('class_name') or 'unknown'}"]
    lines += ["existed before"] if gateway.get("adopted") else []
    root = TopologyNode(GATEWAY, str(name or "unknown"), lines, states.of(GATEWAY, name))
    routed: dict[str, TopologyNode] = {}
    for model in models:
        route = _route_of(stack.get("routes") or [], model)
        name = (route.get("metadata") or {}).get("name") if route else None
        node = routed.get(str(name))
        if node is None:
            node = routed[str(name)] = TopologyNode(ROUTE, str(name or "no route"))
            node.state = states.of(ROUTE, name, model.get("name")) if name else WARN
            root.children.append(node)
        node.lines += [line for line in _matches(model) if line not in node.lines] if name else []
        node.children.append(_pool(stack, model, states))
    return root


def _route_of(routes: list[Object], model: Object) -> Object:
    """Return the route that sends requests to a model's pool, {} for none."""
    for route in routes:
        for rule in (route.get("spec") or {}).get("rules") or []:
            names = [ref.get("name") for ref in rule.get("backendRefs") or []]
            if model.get("pool") in names or (not model.get("pool") and model.get("name") in names):
                return route
    return {}


def _matches(model: Object) -> list[str]:
    path = str(model.get("path_prefix") or "/")
    return [f"{host}{path}" for host in model.get("hostnames") or [""]]


def _pool(stack: Object, model: Object, states: _States) -> TopologyNode:
    found = [pool for pool in stack.get("pools") or [] if pool.get("name") == model.get("pool")]
    pool = found[0] if found else {}
    ports = ", ".join(str(port) for port in pool.get("target_ports") or [])
    lines = [f"picker {pool.get('endpoint_picker') or 'unknown'}", f"port {ports or 'unknown'}"] if pool else []
    name = model.get("pool")
    node = TopologyNode(POOL, str(name or "no pool"), lines)
    node.state = states.of(POOL, name, model.get("name")) if name else WARN
    node.children = [_servers(model, role, states) for role in model.get("roles") or {"": None}]
    return node


def _servers(model: Object, role: str, states: _States) -> TopologyNode:
    count = (model.get("roles") or {}).get(role)
    workload = str((model.get("workloads") or {}).get(role) or "")
    kind = str(model.get("workload_kind") or "Deployment")
    title = f"{role or 'model servers'}" + (f" \u00d7 {count}" if count is not None else "")
    lines = [str(model.get("model") or model.get("name")), f"port {model.get('port') or 'unknown'}"]
    lines += [f"{kind} {workload}"] if workload else []
    told = states.pods(model.get("name")) if len(model.get("roles") or {}) < 2 else ""
    return TopologyNode(
        SERVERS, title, [*lines, *([told] if told else [])], states.of(kind, workload, model.get("name"))
    )


class _States:
    """What the verification and the releases' objects say of each part."""

    def __init__(self, record: Object) -> None:
        verification = record["verification"]
        self.checks = [row for row in verification.get("checks") or [] if isinstance(row, dict)]
        self.ready: dict[tuple[str, str], t.Any] = {
            (str(item.get("kind")), str(item.get("name"))): item.get("ready")
            for release in record["releases"]
            for item in release.get("objects") or []
        }

    @staticmethod
    def part_of(check: str) -> str:
        """Return the kind of object that a check speaks of."""
        end = OF_POOLS.get(check, check)
        return next((kind for kind in OBJECTS if kind.lower().endswith(end)), SERVERS)

    def of(self, kind: str, name: t.Any, model: t.Any = None) -> str:
        """Return the state of an object of a kind, as far as it concerns a model (None: any)."""
        part = kind if kind in OBJECTS else SERVERS
        rows = [row for row in self.checks if model is None or row.get("model") in (model, "", None)]
        rows = [row for row in rows if self.part_of(str(row.get("name"))) == part]
        ready = self.ready.get((kind, str(name)))
        if ready is False or any(not row.get("ok") and row.get("level") != "warning" for row in rows):
            return BAD
        if any(row.get("level") == "warning" for row in rows):
            return WARN
        return GOOD if rows or ready else UNKNOWN

    def pods(self, model: t.Any) -> str:
        """Return what the verification counted of a model's pods, "" where it did not."""
        rows = [row for row in self.checks if row.get("model") == model and row.get("name") == "pods"]
        return str(rows[0].get("detail") or "") if rows else ""
