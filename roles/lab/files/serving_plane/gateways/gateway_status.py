# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Status of a Gateway: conditions, addresses, listeners."""

from __future__ import annotations

from ..cluster.conditions import Condition, condition
from ..cluster.snapshot import Object, Snapshot
from .attachment import Attachment
from .classes import ManagedGateway
from .infrastructure import parse_overlay
from .listeners import is_usable, listener_status


def gateway_status(gateway: ManagedGateway, snapshot: Snapshot, attached: list[Attachment]) -> Object:
    """status of a Gateway, conditions without times.

    Programmed does not wait for the proxy's pod, as seen on the real Istio: it asks for the Service and, of a
    LoadBalancer, for its address.
    """
    generation = gateway.obj["metadata"].get("generation", 1)
    service = snapshot.get("Service", gateway.namespace, gateway.workload)
    listeners = [
        listener_status(item, gateway.listeners, _attached(gateway, item, attached), generation)
        for item in gateway.listeners
    ]
    accepted = _accepted(gateway, snapshot, generation)
    programmed, addresses = _programmed(gateway, service, accepted, generation)
    return {"conditions": [accepted, programmed], "addresses": addresses, "listeners": listeners}


def _attached(gateway: ManagedGateway, listener: Object, attached: list[Attachment]) -> int:
    routes = {
        item.route["metadata"]["uid"]
        for item in attached
        if item.accepted and item.gateway.uid == gateway.uid and listener["name"] in item.listeners
    }
    return len(routes)


# What spec.infrastructure.parametersRef may name, by implementation.
PARAMETERS = {"istio": "ConfigMap", "kgateway": "GatewayParameters", "agentgateway": "AgentgatewayParameters"}


def parameters_problem(gateway: ManagedGateway, snapshot: Snapshot) -> str:
    """What is wrong with spec.infrastructure.parametersRef; "" where nothing is."""
    ref = (gateway.obj["spec"].get("infrastructure") or {}).get("parametersRef")
    known = PARAMETERS.get(gateway.implementation.family)
    if not ref or known is None:
        return ""
    if ref["kind"] != known:
        return f"parametersRef kind {ref['kind']} is not supported"
    found = snapshot.get(known, gateway.namespace, ref["name"])
    if found is None:
        return f"{known} {gateway.namespace}/{ref['name']} not found"
    broken = [key for key, text in (found.get("data") or {}).items() if parse_overlay(text) is None]
    return f"{known} {ref['name']}: {', '.join(broken)} is no YAML map" if broken else ""


def _accepted(gateway: ManagedGateway, snapshot: Snapshot, generation: int) -> Condition:
    problem = parameters_problem(gateway, snapshot)
    if problem:
        return condition("Accepted", False, "InvalidParameters", problem, generation)
    usable = [is_usable(item, gateway.listeners) for item in gateway.listeners]
    if not all(usable):
        return condition("Accepted", any(usable), "ListenersNotValid", "some listeners are not valid", generation)
    return condition("Accepted", True, "Accepted", "Resource accepted", generation)


def _programmed(
    gateway: ManagedGateway, service: Object | None, accepted: Condition, generation: int
) -> tuple[Condition, list[Object]]:
    host = f"{gateway.workload}.{gateway.namespace}.svc.cluster.local"
    if accepted["status"] != "True":
        return condition("Programmed", False, "Invalid", accepted["message"], generation), []
    if service is None:
        return condition("Programmed", False, "Pending", f"Service {gateway.workload} is being made", generation), []
    addresses = _addresses(gateway, service, host)
    if not addresses:
        message = f"address pending for hostname {host!r}: no load balancer gave one to Service {gateway.workload}"
        return condition("Programmed", False, "AddressNotAssigned", message, generation), []
    return condition(
        "Programmed", True, "Programmed", f"Resource programmed, assigned to {host}", generation
    ), addresses


def _addresses(gateway: ManagedGateway, service: Object, host: str) -> list[Object]:
    if service["spec"].get("type") == "LoadBalancer":
        ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
        return [_address(item) for item in ingress]
    if gateway.implementation.hostname_address:
        return [{"type": "Hostname", "value": host}]
    cluster_ip = service["spec"].get("clusterIP")
    return [{"type": "IPAddress", "value": cluster_ip}] if cluster_ip and cluster_ip != "None" else []


def _address(ingress: Object) -> Object:
    if ingress.get("ip"):
        return {"type": "IPAddress", "value": ingress["ip"]}
    return {"type": "Hostname", "value": ingress["hostname"]}
