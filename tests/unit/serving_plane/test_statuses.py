# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Conditions of Gateways, HTTPRoutes and InferencePools, as the real Istio gives them."""

from __future__ import annotations

from typing import Any

import pytest
from plane_objects import POOL_GROUP, gateway, gateway_class, listener, obj, pool, pool_ref, route, rule, snapshot_of
from serving_plane.cluster.conditions import find
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.gateways.infrastructure import service as gateway_service
from serving_plane.gateways.statuses import gateway_statuses, pool_statuses, route_statuses
from serving_plane.gateways.view import View


def _grant(to_name: str | None = None, from_namespace: str = "demo") -> dict[str, Any]:
    to = {"group": POOL_GROUP, "kind": "InferencePool"} | ({"name": to_name} if to_name else {})
    source = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": from_namespace}
    return obj("ReferenceGrant", "grant", "else", spec={"from": [source], "to": [to]})


def _elsewhere(item: dict[str, Any]) -> dict[str, Any]:
    item["metadata"]["namespace"] = "else"
    return item


def _verdict(conditions: list[Any], kind: str) -> str:
    found = find(conditions, kind)
    return f"{found['status']}/{found['reason']}"


OPEN = gateway(listeners=[listener(allowedRoutes={"namespaces": {"from": "All"}})])
LABELLED = {"from": "Selector", "selector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}}
CHOSEN = gateway(listeners=[listener(allowedRoutes={"namespaces": LABELLED})])
FAR = route(namespace="else", parent={"name": "gw", "namespace": "demo"}, rules=[rule()])
CROSS = route(rules=[rule(pool_ref(namespace="else"))])
GOOD, RESOLVED = "True/Accepted", "True/ResolvedRefs"


@pytest.mark.parametrize(
    ("parts", "accepted", "resolved"),
    [
        ({}, GOOD, RESOLVED),
        ({"route": route(parent={"name": "gw", "port": 80, "sectionName": "default"})}, GOOD, RESOLVED),
        ({"route": route(parent={"name": "gw", "port": 81})}, "False/NoMatchingParent", RESOLVED),
        ({"route": route(parent={"name": "gw", "sectionName": "x"})}, "False/NoMatchingParent", RESOLVED),
        ({"route": FAR}, "False/NotAllowedByListeners", RESOLVED),
        ({"route": FAR, "gateway": OPEN}, GOOD, RESOLVED),
        ({"route": FAR, "gateway": CHOSEN, "n": obj("Namespace", "else", "")}, "False/NotAllowedByListeners", RESOLVED),
        ({"route": FAR, "gateway": CHOSEN, "n": obj("Namespace", "else", "", labels={"team": "a"})}, GOOD, RESOLVED),
        (
            {
                "gateway": gateway(listeners=[listener(hostname="a.example")]),
                "route": route(spec={"hostnames": ["b.x"]}),
            },
            "False/NoMatchingListenerHostname",
            RESOLVED,
        ),
        (
            {"gateway": gateway(listeners=[listener(allowedRoutes={"kinds": [{"kind": "GRPCRoute"}]})])},
            "False/NotAllowedByListeners",
            RESOLVED,
        ),
        ({"route": route(rules=[rule(pool_ref("x"))])}, GOOD, "False/BackendNotFound"),
        ({"route": route(rules=[rule({"name": "svc", "port": 1})])}, GOOD, "False/BackendNotFound"),
        ({"route": route(rules=[rule({"kind": "Pool", "name": "pool"})])}, GOOD, "False/InvalidKind"),
        ({"route": route(rules=[rule(pool_ref(group="inference.networking.x-k8s.io"))])}, GOOD, "False/InvalidKind"),
        ({"route": CROSS, "pool": _elsewhere(pool())}, GOOD, "False/RefNotPermitted"),
        ({"route": CROSS, "pool": _elsewhere(pool()), "grant": _grant()}, GOOD, RESOLVED),
        ({"route": CROSS, "pool": _elsewhere(pool()), "grant": _grant("pool")}, GOOD, RESOLVED),
        ({"route": CROSS, "pool": _elsewhere(pool()), "grant": _grant("other")}, GOOD, "False/RefNotPermitted"),
        ({"route": CROSS, "pool": _elsewhere(pool()), "grant": _grant(None, "x")}, GOOD, "False/RefNotPermitted"),
        ({"route": route(rules=[rule(pool_ref(port=1234))])}, GOOD, RESOLVED),
        ({"picker_service": None}, GOOD, RESOLVED),
        ({"pool": pool(port=1)}, GOOD, RESOLVED),
        (
            {
                "gateway_class": gateway_class("istio", "networking.gke.io/gateway"),
                "route": route(rules=[rule(pool_ref(), timeouts={"request": "0s"})]),
            },
            "False/UnsupportedValue",
            RESOLVED,
        ),
    ],
)
def test_route(parts: dict[str, Any], accepted: str, resolved: str) -> None:
    snapshot = snapshot_of(**parts)
    (wanted,) = route_statuses(snapshot, View(snapshot).attached)
    (parent,) = wanted.status["parents"]
    found = (_verdict(parent["conditions"], "Accepted"), _verdict(parent["conditions"], "ResolvedRefs"))
    assert found == (accepted, resolved)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"gateway": None}, [[]]),
        ({"gateway_class": None}, [[]]),
        ({"gateway_class": gateway_class("istio", "example.com/other")}, []),
    ],
    ids=["no Gateway", "no class", "a class of another controller"],
)
def test_route_without_parent_of_ours(parts: dict[str, Any], expected: list[Any]) -> None:
    snapshot = snapshot_of(**parts)
    assert [item.status["parents"] for item in route_statuses(snapshot, View(snapshot).attached)] == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, [(GOOD, RESOLVED)]),
        ({"route": None}, []),
        ({"route": route(parent={"name": "x"})}, []),
        ({"route": CROSS}, []),
        ({"picker_service": None}, [(GOOD, "False/InvalidExtensionRef")]),
        ({"picker_pod": None}, [(GOOD, RESOLVED)]),
        ({"pool": pool(port=8000, kind="Thing")}, [(GOOD, "False/InvalidExtensionRef")]),
        ({"route": route(parent={"name": "gw", "port": 81})}, [("False/HTTPRouteNotAccepted", RESOLVED)]),
        ({"second": route("r2", parent={"name": "gw", "port": 81})}, [("False/HTTPRouteNotAccepted", RESOLVED)]),
    ],
)
def test_pool(parts: dict[str, Any], expected: list[Any]) -> None:
    snapshot = snapshot_of(**parts)
    found = pool_statuses(snapshot, View(snapshot).attached)
    parents = [parent["conditions"] for item in found for parent in item.status["parents"]]
    assert [(_verdict(c, "Accepted"), _verdict(c, "ResolvedRefs")) for c in parents] == expected


def test_pool_loses_its_parents_with_its_route() -> None:
    stale = pool()
    stale["status"] = {"parents": [{"controllerName": "istio.io/gateway-controller", "parentRef": {"name": "gw"}}]}
    snapshot = snapshot_of(pool=stale, route=None)
    assert [item.status for item in pool_statuses(snapshot, View(snapshot).attached)] == [{"parents": []}]


def _status(snapshot: Snapshot) -> dict[str, Any]:
    view = View(snapshot)
    for item in view.gateways.values():
        made = gateway_service(item, snapshot)
        made["metadata"]["uid"] = "s"
        made["spec"]["clusterIP"] = "10.0.0.9"
        snapshot.put(made)
    return gateway_statuses(snapshot, view.gateways, view.attached)[0].status


CLUSTER_IP = {"networking.istio.io/service-type": "ClusterIP"}
PARAMETERS = {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "p"}}}
HOST = {"type": "Hostname", "value": "gw-istio.demo.svc.cluster.local"}
OVERLAY = obj("ConfigMap", "p", data={"service": "spec: {type: ClusterIP}"})


@pytest.mark.parametrize(
    ("parts", "accepted", "programmed", "addresses"),
    [
        ({}, GOOD, "False/AddressNotAssigned", []),
        ({"gateway": gateway(annotations=CLUSTER_IP)}, GOOD, "True/Programmed", [HOST]),
        ({"gateway": gateway(spec=PARAMETERS), "cm": OVERLAY}, GOOD, "True/Programmed", [HOST]),
        ({"gateway": gateway(spec=PARAMETERS)}, "False/InvalidParameters", "False/Invalid", []),
        (
            {"gateway": gateway(spec=PARAMETERS), "cm": obj("ConfigMap", "p", data={"service": "{"})},
            "False/InvalidParameters",
            "False/Invalid",
            [],
        ),
        (
            {"gateway_class": gateway_class("istio", "networking.gke.io/gateway")},
            GOOD,
            "True/Programmed",
            [{"type": "IPAddress", "value": "10.0.0.9"}],
        ),
        (
            {"gateway": gateway(listeners=[listener(protocol="FTP")], annotations=CLUSTER_IP)},
            "False/ListenersNotValid",
            "False/Invalid",
            [],
        ),
    ],
)
def test_gateway(parts: dict[str, Any], accepted: str, programmed: str, addresses: list[Any]) -> None:
    status = _status(snapshot_of(**parts))
    found = (_verdict(status["conditions"], "Accepted"), _verdict(status["conditions"], "Programmed"))
    assert (found, status["addresses"]) == ((accepted, programmed), addresses)


def test_listeners() -> None:
    both = gateway(listeners=[listener(), listener("tls", 80, "TLS"), listener("second", 81)])
    status = _status(snapshot_of(gateway=both, route=route(parent={"name": "gw", "sectionName": "second"})))
    first, _unused, second = status["listeners"]
    assert (first["attachedRoutes"], second["attachedRoutes"]) == (0, 1)
    assert [kind["kind"] for kind in second["supportedKinds"]] == ["HTTPRoute", "GRPCRoute"]
    assert _verdict(first["conditions"], "Conflicted") == "True/ProtocolConflict"
    kinds = ("Accepted", "Programmed", "ResolvedRefs", "Conflicted")
    verdicts = [_verdict(second["conditions"], kind) for kind in kinds]
    assert verdicts == [GOOD, "True/Programmed", RESOLVED, "False/NoConflicts"]


def test_gateways_of_other_classes_are_left_alone() -> None:
    snapshot = snapshot_of(gateway_class=gateway_class("istio", "example.com/other"))
    view = View(snapshot)
    assert (view.gateways, view.attached) == ({}, [])
