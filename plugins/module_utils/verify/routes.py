# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The way to a model: which Gateway, listener, Service and HTTPRoute."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..objects.pools import find_pool, is_ready, labels_of, matches, name_of, namespace_of

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
            f"Gateway {namespace}/{name} does not exist; that namespace has: {known}.",
            hint="Deploy the gateway component, or set verify_gateway to an existing Gateway.",
        )
    named = {ref["name"] for route in snapshot["routes"] for ref in route["spec"].get("parentRefs") or []}
    candidates = gateways if len(gateways) == 1 else [item for item in gateways if name_of(item) in named]
    if len(candidates) == 1:
        return candidates[0]
    raise OrchestratorError(
        f"Cannot tell which Gateway serves the models of namespace {namespace}; available: {known}.",
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
    found: list[tuple[bool, int, Object, Object]] = []
    for route in snapshot["routes"]:
        for rule in route["spec"].get("rules") or []:
            backends = [ref.get("name") for ref in rule.get("backendRefs") or []]
            if (wanted in backends) if wanted else (name_of(route) == f"llm-d-{spec['name']}"):
                ours = any(is_parent(ref, route, gateway) for ref in route["spec"].get("parentRefs") or [])
                found.append((not ours, len(found), route, rule))
    return min(found, key=lambda item: item[:2])[2:] if found else None


def shares_rule_name(spec: Object, snapshot: Object, gateway: Object) -> bool:
    """Return whether the name of the model's rule is that of another route's rule on the same Gateway."""
    _route, rule = find_route(spec, snapshot, gateway) or ({}, {})
    others = [
        other
        for item in snapshot["routes"]
        if any(is_parent(ref, item, gateway) for ref in item["spec"].get("parentRefs") or [])
        for other in item["spec"].get("rules") or []
    ]
    return bool(rule.get("name")) and sum(other.get("name") == rule["name"] for other in others) > 1


def backends(route: Object) -> str:
    """Return the names that a route sends to, for a message."""
    refs = [ref for rule in route["spec"].get("rules") or [] for ref in rule.get("backendRefs") or []]
    return "/".join(dict.fromkeys(str(ref.get("name")) for ref in refs)) or "nothing"


def parents(route: Object) -> str:
    """Return the names of a route's parents, for a message."""
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
    return next(forward_targets(service, port, pods), None)


def forward_targets(service: Object, port: int, pods: list[Object]) -> t.Iterator[tuple[str, int]]:
    """Return the Ready pods behind a Service, each with the container port that the Service's port leads to."""
    entry: Object = next((item for item in service["spec"].get("ports") or [] if item["port"] == port), {})
    target = entry.get("targetPort") or port
    for pod in pods if entry else []:
        if namespace_of(pod) != namespace_of(service):
            continue
        if not is_ready(pod) or not matches(labels_of(pod), service["spec"].get("selector") or {}):
            continue
        number = target if isinstance(target, int) else _named_port(pod, target)
        if number:
            yield name_of(pod), number


def _named_port(pod: Object, name: str) -> int | None:
    for container in pod["spec"].get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("name") == name:
                return port["containerPort"]
    return None


def service_named(cluster: t.Any, namespace: str, name: str) -> Object | None:
    """Return a Service, None where there is none. All are listed, as whoever verifies may do."""
    return next((item for item in cluster.list("v1", "Service", namespace) if name_of(item) == name), None)


def service_address(service: Object) -> str:
    """Return a load balancer's address of a Service, else its name inside the cluster."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or [{}]
    return ingress[0].get("ip") or ingress[0].get("hostname") or f"{name_of(service)}.{namespace_of(service)}.svc"


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
