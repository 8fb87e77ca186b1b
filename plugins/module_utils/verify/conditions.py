# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What Gateway, HTTPRoute, InferencePool and endpoint picker claim about a model."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..objects.pools import (
    Check,
    failed,
    find_pool,
    is_ready,
    labels_of,
    matches,
    name_of,
    namespace_of,
    pool_parents,
    pool_picker,
    title_of,
    trouble,
)
from .routes import backends, find_route, is_parent, parents


def check_gateway(spec: Object, gateway: Object) -> Check:
    """Judge the Gateway's Accepted and Programmed."""
    title = f"Gateway {namespace_of(gateway)}/{name_of(gateway)}"
    conditions = (gateway.get("status") or {}).get("conditions")
    hint = "Check that its class exists and its controller is running; without load balancers use a ClusterIP Service."
    return _claims(spec, "gateway", title, conditions, ("Accepted", "Programmed"), hint)


def check_route(spec: Object, snapshot: Object, gateway: Object) -> Check:
    """Judge that a route leads to the model's pool and is Accepted and ResolvedRefs for this Gateway."""
    found = find_route(spec, snapshot, gateway)
    pool = find_pool(spec, snapshot)
    wanted = (name_of(pool) if pool else spec.get("pool")) or spec["name"]
    if found is None:
        names = ", ".join(f"{name_of(item)} to {backends(item)}" for item in snapshot["routes"][:8]) or "none"
        return failed(
            spec,
            "route",
            f"no HTTPRoute refers to {wanted}; available: {names}",
            f"Deploy the httproute component for this model, or make its route's backend the InferencePool {wanted}.",
        )
    route = found[0]
    title = f"HTTPRoute {name_of(route)}"
    statuses = (route.get("status") or {}).get("parents") or []
    mine = next((item for item in statuses if is_parent(item["parentRef"], route, gateway)), None)
    if mine is None:
        return failed(
            spec,
            "route",
            f"{title} has no status for Gateway {name_of(gateway)}; its parents are {parents(route)}",
            "Make its parentRef name this Gateway, and check that the Gateway's controller is running.",
        )
    hint = "Make the route's parent, section, backend name, group and port agree with the Gateway and the pool."
    return _claims(spec, "route", title, mine.get("conditions"), ("Accepted", "ResolvedRefs"), hint)


def check_pool(spec: Object, snapshot: Object, gateway: Object) -> Check | None:
    """Judge the pool's conditions for this Gateway; a pool without parents claims nothing, as before any route."""
    pool = find_pool(spec, snapshot)
    if pool is None:
        return None
    mine = next((s for s in pool_parents(pool) if is_parent(s.get("parentRef") or {}, pool, gateway)), None)
    title = title_of(pool)
    if mine is None:
        return Check(spec["name"], "pool", True, f"{title} reports no status for the Gateway")
    hint = "Check the pool's endpoint picker, and that Gateway, route and pool use the same API group."
    return _claims(spec, "pool", title, mine.get("conditions"), ("Accepted", "ResolvedRefs"), hint, absent=True)


def _claims(
    spec: Object, name: str, title: str, conditions: list[Object] | None, kinds: tuple, hint: str, absent: bool = False
) -> Check:
    """Judge conditions; absent: whether a missing one counts as true."""
    for kind in kinds:
        found = next((item for item in conditions or [] if item.get("type") == kind), None)
        if found is None and absent:
            continue
        if found is None or found.get("status") != "True":
            reason = f"{found.get('reason')}: {found.get('message', '')}" if found else "not reported"
            status = found.get("status") if found else "missing"
            return failed(spec, name, f"{title} {kind}={status} ({reason[:300]})", hint)
    return Check(spec["name"], name, True, f"{title} is {' and '.join(kinds)}")


def check_picker(spec: Object, snapshot: Object) -> Check | None:
    """Judge that the pool's endpoint picker has a Service with the right port and a Ready pod."""
    pool = find_pool(spec, snapshot)
    name, port = pool_picker(pool) if pool else ("", None)
    if not name:
        return None
    title = f"the endpoint picker of {title_of(t.cast(Object, pool))}"
    service = next((item for item in snapshot["services"] if name_of(item) == name), None)
    if service is None:
        return failed(
            spec, "endpoint_picker", f"{title}, Service {name}, does not exist", "Install the gaie component."
        )
    ports = [entry["port"] for entry in service["spec"].get("ports") or []]
    if port and port not in ports:
        return failed(
            spec,
            "endpoint_picker",
            f"{title} is used on port {port}, but Service {name} has {ports}",
            "Make the pool's picker port and the Service's port agree.",
        )
    pods = [pod for pod in snapshot["pods"] if matches(labels_of(pod), service["spec"].get("selector") or {})]
    if any(is_ready(pod) for pod in pods):
        return Check(spec["name"], "endpoint_picker", True, f"{title} is ready")
    states = "; ".join(f"pod {name_of(pod)}: {trouble(pod)}" for pod in pods[:2]) or "it has no pod"
    return failed(
        spec,
        "endpoint_picker",
        f"{title}, Service {name}, has no ready pod: {states}",
        "Look at the endpoint picker's events and logs.",
    )
