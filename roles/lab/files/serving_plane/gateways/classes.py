# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which gateway implementations the plane plays, and in what they differ."""

from __future__ import annotations

from dataclasses import dataclass

from ..cluster.snapshot import Object, Snapshot


@dataclass(frozen=True)
class Implementation:
    """One gateway implementation.

    `name_form` makes the name of its Deployment, Service and ServiceAccount; `service_type` is the type of the
    Service where nobody asks for another; `hostname_address` tells whether the Gateway's address is the Service's
    host name (Istio) or its cluster IP; `finds_picker_by_rule_name` is the trap of rules with equal names (Istio).
    """

    family: str
    name_form: str
    container: str
    image: str
    service_type: str = "LoadBalancer"
    hostname_address: bool = False
    finds_picker_by_rule_name: bool = False
    needs_tls_rule: bool = False
    refuses_timeouts: bool = False


_ISTIO = Implementation(
    "istio",
    "{gateway}-{class_name}",
    "istio-proxy",
    "docker.io/istio/proxyv2:1.29.2",
    hostname_address=True,
    finds_picker_by_rule_name=True,
    needs_tls_rule=True,
)
IMPLEMENTATIONS: dict[str, Implementation] = {
    "istio.io/gateway-controller": _ISTIO,
    "openshift.io/gateway-controller/v1": _ISTIO,
    "kgateway.dev/kgateway": Implementation(
        "kgateway", "{gateway}", "kgateway-proxy", "cr.kgateway.dev/kgateway-dev/envoy-wrapper:v2.1.2"
    ),
    "agentgateway.dev/agentgateway": Implementation(
        "agentgateway", "{gateway}", "agentgateway", "cr.agentgateway.dev/agentgateway:v1.4.1"
    ),
    "kgateway.dev/agentgateway": Implementation(
        "agentgateway", "{gateway}", "agentgateway", "cr.agentgateway.dev/agentgateway:v1.4.1"
    ),
    "networking.gke.io/gateway": Implementation(
        "gke", "{gateway}", "load-balancer-stand-in", "gke.gcr.io/stand-in:lab", "ClusterIP", refuses_timeouts=True
    ),
}


@dataclass(frozen=True)
class ManagedGateway:
    """A Gateway whose class is ours, with that class's controller."""

    obj: Object
    controller: str
    implementation: Implementation

    @property
    def namespace(self) -> str:
        """The Gateway's namespace."""
        return self.obj["metadata"]["namespace"]

    @property
    def name(self) -> str:
        """The Gateway's name."""
        return self.obj["metadata"]["name"]

    @property
    def uid(self) -> str:
        """The Gateway's uid."""
        return self.obj["metadata"]["uid"]

    @property
    def workload(self) -> str:
        """The name of its Deployment, Service and ServiceAccount."""
        form = self.implementation.name_form
        return form.format(gateway=self.name, class_name=self.obj["spec"]["gatewayClassName"])

    @property
    def listeners(self) -> list[Object]:
        """spec.listeners."""
        return self.obj["spec"].get("listeners") or []


def managed_classes(snapshot: Snapshot) -> dict[str, str]:
    """GatewayClass name -> controllerName, of the classes that the plane plays."""
    return {
        item["metadata"]["name"]: item["spec"]["controllerName"]
        for item in snapshot.all("GatewayClass")
        if item["spec"]["controllerName"] in IMPLEMENTATIONS
    }


def managed_gateways(snapshot: Snapshot) -> dict[tuple[str, str], ManagedGateway]:
    """(namespace, name) -> Gateway of a class of ours."""
    controllers = managed_classes(snapshot)
    found = {}
    for obj in snapshot.all("Gateway"):
        controller = controllers.get(obj["spec"]["gatewayClassName"])
        if controller and not obj["metadata"].get("deletionTimestamp"):
            found[obj["metadata"]["namespace"], obj["metadata"]["name"]] = ManagedGateway(
                obj, controller, IMPLEMENTATIONS[controller]
            )
    return found
