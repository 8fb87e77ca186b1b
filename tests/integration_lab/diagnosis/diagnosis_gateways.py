# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Gateways, classes and pickers' Services that look well and do not serve."""

from __future__ import annotations

from typing import Any

import plane_stack as make
from diagnosis_faults import Case
from plane_client import Lab, eventually
from plane_stack import GATEWAY, GATEWAY_API, Object, obj

GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


def gateway_class(namespace: str) -> Object:
    """A class that no controller works on."""
    spec = {"controllerName": "example.com/silent"}
    return {"apiVersion": GATEWAY_API, "kind": "GatewayClass", "metadata": {"name": f"c-{namespace}"}, "spec": spec}


def silent(namespace: str) -> list[Object]:
    """A Gateway of that class."""
    return [gateway_class(namespace), make.gateway(namespace, class_name=f"c-{namespace}")]


def accept(lab: Lab, namespace: str) -> None:
    """Accept the class in its controller's place, which then does nothing more."""
    entry = {
        "type": "Accepted",
        "status": "True",
        "reason": "Accepted",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    body = {"status": {"conditions": [entry]}}
    status = lab.resource(GATEWAY_API, "GatewayClass").status
    status.patch(name=f"c-{namespace}", body=body, content_type="application/merge-patch+json")


def parameters(namespace: str) -> list[Object]:
    """A Gateway that refers to parameters which are not there."""
    gateway = make.gateway(namespace)
    reference = {"group": "", "kind": "ConfigMap", "name": "absent"}
    gateway["spec"]["infrastructure"] = {"parametersRef": reference}
    return [gateway]


def stop(lab: Lab, namespace: str) -> None:
    """Scale a Gateway's Deployment to nothing, once it has served."""

    def programmed() -> str:
        gateway = lab.get(GATEWAY_API, "Gateway", namespace, GATEWAY) or {}
        found = {entry["type"]: entry["status"] for entry in (gateway.get("status") or {}).get("conditions") or []}
        deployments = lab.resource("apps/v1", "Deployment").get(namespace=namespace).items
        return deployments[0].metadata.name if found.get("Programmed") == "True" and deployments else ""

    lab.scale(namespace, eventually(programmed, 90), 0)


def foreign(namespace: str) -> list[Object]:
    """A route to the Gateway of another namespace, which takes routes of its own only."""
    other = namespace.removesuffix("foreign") + "rule-names"
    route = make.route(namespace, "r", "none", {"namespace": other})
    route["spec"]["rules"][0]["backendRefs"] = []
    return [route]


def stack(namespace: str, *picker: Object) -> list[Object]:
    """A model behind a Gateway, with another picker."""
    labels = {"app": "m"}
    parts = [make.gateway(namespace), make.model(namespace, "m", labels), make.pool(namespace, "m", labels)]
    return [*parts, make.route(namespace, "m", "m"), *picker]


def service(namespace: str, selector: dict[str, str], **port: Any) -> Object:
    """The picker's Service."""
    return obj("v1", "Service", "m-epp", namespace, spec={"selector": selector, "ports": [{"port": 9002, **port}]})


def other_port(namespace: str) -> list[Object]:
    """A picker's Service whose target is a name that no port of the picker has."""
    picker = [item for item in make.picker(namespace, "m") if item["kind"] != "Service"]
    return stack(namespace, *picker, service(namespace, {"inferencepool": "m-epp"}, targetPort="grpc-ext-proc"))


def plain_gateway(namespace: str) -> list[Object]:
    """A picker that speaks TLS, and no DestinationRule that has the Gateway speak it."""
    return stack(namespace, *(item for item in make.picker(namespace, "m") if item["kind"] != "DestinationRule"))


def plain_picker(namespace: str) -> list[Object]:
    """A picker without TLS, and a DestinationRule that has the Gateway speak it."""
    picker = make.picker(namespace, "m")
    picker[0]["spec"]["containers"][0]["args"].append("--secure-serving=false")
    return stack(namespace, *picker)


def uncut(namespace: str) -> list[Object]:
    """A route that leaves its prefix in the path, which no model server knows."""
    objects = stack(namespace, *make.picker(namespace, "m"))
    route = next(item for item in objects if item["kind"] == "HTTPRoute")
    del route["spec"]["rules"][0]["filters"]
    return objects


GATEWAYS = [
    Case("plain-gateway", "DIAG741", "it has no DestinationRule", plain_gateway),
    Case("plain-picker", "DIAG741", "speaks plain gRPC", plain_picker),
    Case("uncut", "LLMD216", "sends paths under /m on unchanged", uncut),
    Case("class-silent", "DIAG702", "example.com/silent", silent),
    Case("gateway-silent", "DIAG706", "Waiting for controller", silent, ahead=60.0, then=accept),
    Case("parameters", "DIAG703", "absent not found", parameters),
    Case("stopped", "DIAG707", "is scaled to 0", lambda ns: [make.gateway(ns)], ahead=60.0, then=stop),
    Case("foreign", "DIAG713", "NotAllowedByListeners", foreign),
    Case("no-pickers", "DIAG736", "has 0 pods", lambda ns: stack(ns, service(ns, {"app": "nobody"}))),
    Case("picker-port", "DIAG738", "targetPort grpc-ext-proc", other_port),
]
