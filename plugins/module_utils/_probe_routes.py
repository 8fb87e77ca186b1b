# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The way to a model: which Gateway, listener, HTTPRoute and endpoint picker, and what their conditions claim."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._probe_objects import (
    Check,
    Object,
    condition,
    failed,
    find_pool,
    is_ready,
    labels_of,
    matches,
    name_of,
    namespace_of,
    pool_picker,
    trouble,
)

GATEWAY_LABELS = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")


def find_gateway(snapshot: Object, name: str | None, namespace: str) -> Object:
    """Return the Gateway: the named one, else the only one, else the one that the routes name.

    Raises OrchestratorError where there is none or the choice is open.
    """
    gateways = snapshot["gateways"]
    known = ", ".join(sorted(map(name_of, gateways))) or "none"
    if name:
        for gateway in gateways:
            if name_of(gateway) == name:
                return gateway
        raise OrchestratorError(
            f"Gateway {namespace}/{name} does not exist; in that namespace there is: {known}.",
            hint="Deploy the gateway component, or set verify_gateway to an existing Gateway.",
        )
    named = {ref["name"] for route in snapshot["routes"] for ref in route["spec"].get("parentRefs") or []}
    candidates = gateways if len(gateways) == 1 else [item for item in gateways if name_of(item) in named]
    if len(candidates) == 1:
        return candidates[0]
    raise OrchestratorError(
        f"Cannot tell which Gateway serves the models of namespace {namespace}; there is: {known}.",
        hint="Set verify_gateway to {name: ..., namespace: ...}.",
    )


def is_parent(ref: Object, route: Object, gateway: Object) -> bool:
    """Return whether a parentRef of a route means this Gateway."""
    namespace = ref.get("namespace") or namespace_of(route)
    kind = ref.get("kind") or "Gateway"
    return kind == "Gateway" and ref.get("name") == name_of(gateway) and namespace == namespace_of(gateway)


def find_route(spec: Object, snapshot: Object, gateway: Object) -> tuple[Object, Object] | None:
    """Return the HTTPRoute and the rule that lead from the Gateway to the model's pool, None where none does."""
    pool = find_pool(spec, snapshot)
    wanted = name_of(pool) if pool else spec.get("pool")
    found = []
    for route in snapshot["routes"]:
        for rule in route["spec"].get("rules") or []:
            backends = [ref.get("name") for ref in rule.get("backendRefs") or []]
            if (wanted in backends) if wanted else (name_of(route) == f"llm-d-{spec['name']}"):
                ours = any(is_parent(ref, route, gateway) for ref in route["spec"].get("parentRefs") or [])
                found.append((not ours, len(found), route, rule))
    return min(found, key=lambda item: item[:2])[2:] if found else None


def _backends(route: Object) -> str:
    refs = [ref for rule in route["spec"].get("rules") or [] for ref in rule.get("backendRefs") or []]
    return "/".join(dict.fromkeys(str(ref.get("name")) for ref in refs)) or "nothing"


def _parents(route: Object) -> str:
    return ", ".join(str(ref.get("name")) for ref in route["spec"].get("parentRefs") or []) or "none"


def listener_for(gateway: Object, route: Object | None) -> Object:
    """Return the listener that the route names, else the first for HTTP, else the first for HTTPS."""
    listeners = gateway["spec"].get("listeners") or []
    for ref in (route or {}).get("spec", {}).get("parentRefs") or []:
        if not is_parent(ref, t.cast(Object, route), gateway):
            continue
        for listener in listeners:
            if ref.get("sectionName", listener["name"]) != listener["name"]:
                continue
            if (ref.get("sectionName") or ref.get("port")) and ref.get("port", listener["port"]) == listener["port"]:
                return listener
    for protocol in ("HTTP", "HTTPS"):
        for listener in listeners:
            if listener.get("protocol") == protocol:
                return listener
    raise OrchestratorError(f"Gateway {name_of(gateway)} has no HTTP or HTTPS listener.")


def find_service(gateway: Object, services: list[Object]) -> Object | None:
    """Return the Service in front of the Gateway's pods: by owner, label or name (<gateway>-<class>, <gateway>)."""
    name = name_of(gateway)
    names = (f"{name}-{gateway['spec'].get('gatewayClassName')}", f"{name}-istio", name)
    tests: tuple[t.Callable[[Object], bool], ...] = (
        lambda item: any(ref.get("kind") == "Gateway" and ref.get("name") == name for ref in _owners(item)),
        lambda item: any(labels_of(item).get(label) == name for label in GATEWAY_LABELS),
        lambda item: name_of(item) in names,
    )
    for test in tests:
        for service in services:
            if namespace_of(service) == namespace_of(gateway) and test(service) and service["spec"].get("selector"):
                return service
    return None


def _owners(item: Object) -> list[Object]:
    return item["metadata"].get("ownerReferences") or []


def forward_target(service: Object, port: int, pods: list[Object]) -> tuple[str, int] | None:
    """Return a Ready pod behind a Service and the container port that the Service's port leads to."""
    entry = next((item for item in service["spec"].get("ports") or [] if item["port"] == port), None)
    if entry is None:
        return None
    target = entry.get("targetPort") or port
    for pod in pods:
        if not is_ready(pod) or not matches(labels_of(pod), service["spec"]["selector"]):
            continue
        number = target if isinstance(target, int) else _named_port(pod, target)
        if number:
            return name_of(pod), number
    return None


def _named_port(pod: Object, name: str) -> int | None:
    for container in pod["spec"].get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("name") == name:
                return port["containerPort"]
    return None


def gateway_address(gateway: Object) -> str | None:
    """Return the Gateway's first address that can be reached from outside the cluster."""
    addresses = (gateway.get("status") or {}).get("addresses") or []
    return next((item["value"] for item in addresses if not item["value"].endswith(".svc.cluster.local")), None)


def request_of(spec: Object, rule: Object | None, route: Object | None) -> tuple[str, dict[str, str]]:
    """Return the path before /v1 and the headers by which the route takes a request for the model."""
    headers: dict[str, str] = {}
    hostnames = [spec["hostname"]] if spec.get("hostname") else (route or {}).get("spec", {}).get("hostnames") or []
    if hostnames:
        headers["Host"] = hostnames[0].replace("*", "probe", 1)
    match = ((rule or {}).get("matches") or [{}])[0]
    for header in match.get("headers") or []:
        if header.get("type", "Exact") == "Exact":
            headers[header["name"]] = header["value"]
    prefix = spec.get("path_prefix")
    if prefix is None:
        path = match.get("path") or {}
        prefix = path.get("value", "/") if path.get("type", "PathPrefix") == "PathPrefix" else "/"
        prefix = "" if prefix.startswith("/v1") else prefix
    return prefix.rstrip("/"), headers


def check_gateway(spec: Object, gateway: Object) -> Check:
    """Judge the Gateway's Accepted and Programmed."""
    title = f"Gateway {namespace_of(gateway)}/{name_of(gateway)}"
    conditions = (gateway.get("status") or {}).get("conditions")
    hint = "Check that its class exists and its controller runs; without load balancers use a ClusterIP Service."
    return _claims(spec, "gateway", title, conditions, ("Accepted", "Programmed"), hint)


def check_route(spec: Object, snapshot: Object, gateway: Object) -> Check:
    """Judge that a route leads to the model's pool and is Accepted and ResolvedRefs for this Gateway."""
    found = find_route(spec, snapshot, gateway)
    pool = find_pool(spec, snapshot)
    wanted = (name_of(pool) if pool else spec.get("pool")) or spec["name"]
    if found is None:
        names = ", ".join(f"{name_of(item)} to {_backends(item)}" for item in snapshot["routes"][:8]) or "none"
        return failed(
            spec,
            "route",
            f"no HTTPRoute leads to {wanted}; there is: {names}",
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
            f"{title} has no status for Gateway {name_of(gateway)}; its parents are {_parents(route)}",
            "Make its parentRef name this Gateway, and check that the Gateway's controller runs.",
        )
    hint = "Make the route's parent, section, backend name, group and port agree with the Gateway and the pool."
    return _claims(spec, "route", title, mine.get("conditions"), ("Accepted", "ResolvedRefs"), hint)


def check_pool(spec: Object, snapshot: Object, gateway: Object) -> Check | None:
    """Judge the pool's conditions for this Gateway; a pool without parents claims nothing, as before any route."""
    pool = find_pool(spec, snapshot)
    if pool is None:
        return None
    statuses = (pool.get("status") or {}).get("parents") or (pool.get("status") or {}).get("parent") or []
    mine = next((s for s in statuses if is_parent(s.get("parentRef") or {}, pool, gateway)), None)
    title = f"InferencePool {name_of(pool)}"
    if mine is None:
        return Check(spec["name"], "pool", True, f"{title} reports no status for the Gateway")
    hint = "Check the pool's endpoint picker, and that Gateway, route and pool use the same API group."
    return _claims(spec, "pool", title, mine.get("conditions"), ("Accepted", "ResolvedRefs"), hint, absent=True)


def _claims(
    spec: Object, name: str, title: str, conditions: list[Object] | None, kinds: tuple, hint: str, absent: bool = False
) -> Check:
    """Judge conditions; absent: whether a missing one counts as true."""
    for kind in kinds:
        found = condition(conditions, kind)
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
    title = f"the endpoint picker of InferencePool {name_of(t.cast(Object, pool))}"
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
            f"{title} is asked on port {port}, Service {name} has {ports}",
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
