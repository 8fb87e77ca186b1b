# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects that stand for a gateway implementation, and the ports that lead into pods."""

from __future__ import annotations

from typing import Any

import pytest
from plane_objects import gateway, gateway_class, listener, model_pod, obj, picker_pod, pod, pool, sidecar, snapshot_of
from serving_plane.forwards import OWNED, all_routes, port_forward, stale_forwards
from serving_plane.gateways.gateway_status import parameters_problem
from serving_plane.gateways.infrastructure import (
    certificates,
    deployment,
    gateway_objects,
    overlay,
    pool_service,
    service,
)
from serving_plane.gateways.view import View

PARAMETERS = {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "p"}}}
DEPLOYMENT = """
spec:
  template:
    spec:
      containers:
      - name: istio-proxy
        resources: {requests: {cpu: "4"}}
"""


@pytest.mark.parametrize(
    ("base", "patch", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ([{"name": "x", "v": 1}], [{"name": "x", "v": 2}, {"name": "y"}], [{"name": "x", "v": 2}, {"name": "y"}]),
        ([{"port": 80, "name": "h"}], [{"port": 80, "nodePort": 1}], [{"port": 80, "name": "h", "nodePort": 1}]),
        (["a"], ["b"], ["b"]),
        ({"a": 1}, None, {"a": 1}),
    ],
)
def test_overlay(base: Any, patch: Any, expected: Any) -> None:
    assert overlay(base, patch) == expected


@pytest.mark.parametrize(
    ("controller", "class_name", "name", "kind", "ports"),
    [
        ("istio.io/gateway-controller", "istio", "gw-istio", "LoadBalancer", [15021, 80, 8443]),
        (
            "openshift.io/gateway-controller/v1",
            "openshift-default",
            "gw-openshift-default",
            "LoadBalancer",
            [15021, 80, 8443],
        ),
        ("kgateway.dev/kgateway", "kgateway", "gw", "LoadBalancer", [80, 8443]),
        ("agentgateway.dev/agentgateway", "agentgateway-v2", "gw", "LoadBalancer", [80, 8443]),
        ("networking.gke.io/gateway", "gke-l7-rilb", "gw", "ClusterIP", [80, 8443]),
    ],
)
def test_objects_of_a_gateway(controller: str, class_name: str, name: str, kind: str, ports: list[int]) -> None:
    item = gateway(class_name=class_name, listeners=[listener(), listener("b", 80, hostname="b"), listener("c", 8443)])
    snapshot = snapshot_of(gateway=item, gateway_class=gateway_class(class_name, controller))
    made = gateway_objects(View(snapshot).gateways["demo", "gw"], snapshot)
    assert [(o["kind"], o["metadata"]["name"]) for o in made] == [
        ("ServiceAccount", name),
        ("Service", name),
        ("Deployment", name),
    ]
    for one in made:
        assert one["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] == "gw"
        assert one["metadata"]["ownerReferences"][0]["uid"] == item["metadata"]["uid"]
    assert (made[1]["spec"]["type"], [port["port"] for port in made[1]["spec"]["ports"]]) == (kind, ports)
    template = made[2]["spec"]["template"]
    assert made[2]["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()


def test_parameters_of_istio() -> None:
    parameters = obj("ConfigMap", "p", data={"deployment": DEPLOYMENT, "service": "spec: {type: NodePort}"})
    snapshot = snapshot_of(gateway=gateway(spec=PARAMETERS), p=parameters)
    item = View(snapshot).gateways["demo", "gw"]
    (container,) = deployment(item, snapshot)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"] == {"cpu": "4", "memory": "128Mi"}
    assert container["image"].startswith("docker.io/istio/proxyv2")
    assert service(item, snapshot)["spec"]["type"] == "NodePort"


def test_parameters_of_kgateway() -> None:
    kube = {"service": {"type": "ClusterIP"}, "envoyContainer": {"resources": {"requests": {"cpu": "3"}}}}
    parameters = obj("GatewayParameters", "p", api="gateway.kgateway.dev/v1alpha1", spec={"kube": kube})
    ref = {"group": "gateway.kgateway.dev", "kind": "GatewayParameters", "name": "p"}
    item = gateway(spec={"infrastructure": {"parametersRef": ref}})
    snapshot = snapshot_of(gateway=item, p=parameters, gateway_class=gateway_class("istio", "kgateway.dev/kgateway"))
    found = View(snapshot).gateways["demo", "gw"]
    assert service(found, snapshot)["spec"]["type"] == "ClusterIP"
    (container,) = deployment(found, snapshot)["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["requests"]["cpu"] == "3"


def test_parameters_of_agentgateway() -> None:
    spec = {"service": {"spec": {"type": "NodePort"}}, "deployment": {"spec": {"replicas": 2}}, "resources": {"a": 1}}
    parameters = obj("AgentgatewayParameters", "p", api="agentgateway.dev/v1alpha1", spec=spec)
    ref = {"group": "agentgateway.dev", "kind": "AgentgatewayParameters", "name": "p"}
    item = gateway(spec={"infrastructure": {"parametersRef": ref}})
    controller = gateway_class("istio", "agentgateway.dev/agentgateway")
    snapshot = snapshot_of(gateway=item, p=parameters, gateway_class=controller)
    found = View(snapshot).gateways["demo", "gw"]
    assert service(found, snapshot)["spec"]["type"] == "NodePort"
    made = deployment(found, snapshot)["spec"]
    assert (made["replicas"], made["template"]["spec"]["containers"][0]["resources"]["a"]) == (2, 1)
    assert parameters_problem(found, snapshot) == ""
    assert "not found" in parameters_problem(found, snapshot_of(gateway=item, gateway_class=controller))


@pytest.mark.parametrize(("infrastructure", "copied"), [({}, True), (PARAMETERS, False)])
def test_istio_copies_the_gateways_labels(infrastructure: dict[str, Any], copied: bool) -> None:
    snapshot = snapshot_of(gateway=gateway(labels={"team": "a"}, spec=infrastructure))
    labels = service(View(snapshot).gateways["demo", "gw"], snapshot)["metadata"]["labels"]
    assert ("team" in labels) is copied


def test_pool_service() -> None:
    made = pool_service(pool("p" * 63))
    assert len(made["metadata"]["name"]) <= 63
    assert made["spec"]["ports"][0] | {"name": ""} == {"name": "", "port": 54321, "protocol": "TCP", "targetPort": 8000}
    assert made["spec"]["clusterIP"] == "None"


def _ports(**parts: Any) -> dict[str, list[int]]:
    found = all_routes(View(snapshot_of(**parts))).values()
    return {item["metadata"]["name"]: sorted(route.port for route in routes) for item, routes in found}


def test_only_listening_ports_are_forwarded() -> None:
    proxy = pod("gw-0", {"gateway.networking.k8s.io/gateway-name": "gw"}, image="istio/proxyv2")
    decode = model_pod("decode", port=8200, initContainers=[sidecar()])
    found = _ports(proxy=proxy, decode=decode, busy=pod("busy", {}, image="x"), late=model_pod("late", ready=False))
    assert found == {
        "gw-0": [80, 15021],
        "decode": [8000, 8200],
        "model-0": [8000],
        "pool-epp-0": [9002, 9003, 9090],
    }


def test_proxy_of_a_missing_gateway_has_no_ports() -> None:
    proxy = pod("gw-0", {"gateway.networking.k8s.io/gateway-name": "gw"}, image="istio/proxyv2")
    assert "gw-0" not in _ports(proxy=proxy, gateway=None)


def test_stale_forwards_are_the_planes_own() -> None:
    mine = port_forward(picker_pod(), [(9002, 1)])
    mine["metadata"]["uid"] = "x"
    other = obj("PortForward", "by-hand")
    assert mine["metadata"]["labels"] == OWNED
    snapshot = snapshot_of(mine=mine, other=other)
    assert stale_forwards(snapshot, set()) == [mine]
    assert stale_forwards(snapshot, {("demo", "pool-epp-0")}) == []


def test_istiod_puts_its_certificates_into_every_namespace() -> None:
    spaces = {name: obj("Namespace", name, "") for name in ("one", "kube-system", "gone")}
    spaces["gone"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    made = certificates(snapshot_of(**spaces))
    names = ["istio-ca-root-cert", "istio-ca-crl"]
    found = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in made]
    assert found == [(space, name) for space in ("demo", "one") for name in names]
    assert all(item["metadata"]["labels"] == {"istio.io/config": "true"} for item in made)
    assert certificates(snapshot_of(gateway_class=gateway_class("kgateway", "kgateway.dev/kgateway"))) == []
