# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Listeners of Gateways: protocols, ports, certificates and whom they admit."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check

from rules.world import World

WEB = {"name": "web", "port": 80, "protocol": "HTTP"}
SAFE = {"name": "safe", "port": 443, "protocol": "HTTPS"}
CERT: dict[str, Any] = {"tls": {"certificateRefs": [{"name": "cert"}]}}
ELSEWHERE: dict[str, Any] = {"tls": {"certificateRefs": [{"name": "cert", "namespace": "other"}]}}
BOTH = {"data": {"tls.crt": "", "tls.key": ""}}
OTHER_NAME = {"name": "cret", "namespace": "demo"}
GRANT = {
    "metadata": {"name": "g", "namespace": "other"},
    "spec": {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "demo"}],
        "to": [{"group": "", "kind": "Secret"}],
    },
}


def secret(namespace: str = "demo", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": "cert", "namespace": namespace}, "type": "kubernetes.io/tls", **BOTH, **more}


def findings(listeners: list[dict[str, Any]], **objects: list[dict[str, Any]]) -> dict[str, str]:
    world = World().set("gateway", 0, "spec.listeners", listeners).set("routes", 0, "spec.hostnames", [])
    world.facts = RuleFacts(objects=objects)
    return {one.rule: f"{one.message} {one.hint}" for one in check(world.model())}


LISTENERS: list[tuple[list[dict[str, Any]], str, str]] = [
    ([WEB], "", ""),
    ([WEB | {"protocol": "GRPC"}], "LLMD220", "gRPC is served by HTTP"),
    ([WEB | {"protocol": "HTPP"}], "LLMD220", "Did you mean HTTP?"),
    ([WEB | {"protocol": "example.com/quic"}], "", ""),
    ([SAFE], "LLMD221", "no tls"),
    ([SAFE | {"tls": {"mode": "Terminate"}}], "LLMD221", "no tls.certificateRefs"),
    ([SAFE | {"tls": {"options": {"networking.gke.io/pre-shared-certs": "mine"}}}], "", ""),
    ([SAFE | {"tls": {"mode": "Passthrough"}}], "LLMD221", "Passthrough"),
    ([WEB, SAFE | CERT | {"port": 80}], "LLMD224", "HTTP, HTTPS"),
    ([WEB, WEB | {"name": "again"}], "LLMD224", "same port 80"),
    ([WEB, WEB | {"name": "again", "hostname": "a.example.com"}], "", ""),
    ([WEB | {"port": 443}], "LLMD225", "clients speak HTTPS"),
    ([WEB | {"allowedRoutes": {"namespaces": {"from": "Selector"}}}], "LLMD226", "the selector is missing"),
]


@pytest.mark.parametrize(("listeners", "rule", "named"), LISTENERS)
def test_a_mistake_in_a_listener_is_named(listeners: list[dict[str, Any]], rule: str, named: str) -> None:
    found = findings(listeners)
    assert rule in found if rule else found == {}, found
    assert not rule or named in found[rule]


SECRETS: list[tuple[dict[str, Any], dict[str, list[dict[str, Any]]], str, str]] = [
    (CERT, {}, "", ""),
    (CERT, {"Secret": [secret()]}, "", ""),
    (
        CERT,
        {"Secret": [secret() | {"metadata": OTHER_NAME}]},
        "LLMD222",
        "Did you mean cret?",
    ),
    (CERT, {"Secret": [secret(type="Opaque")]}, "LLMD222", "of type Opaque"),
    (CERT, {"Secret": [secret(data={"tls.crt": ""})]}, "LLMD222", "no key tls.key"),
    (ELSEWHERE, {"ReferenceGrant": [], "Secret": []}, "LLMD223", "other/cert"),
    (ELSEWHERE, {"ReferenceGrant": [GRANT], "Secret": []}, "", ""),
]


@pytest.mark.parametrize(("tls", "objects", "rule", "named"), SECRETS)
def test_certificates_can_be_had(tls: dict[str, Any], objects: dict[str, Any], rule: str, named: str) -> None:
    found = findings([SAFE | tls], **objects)
    assert set(found) == ({rule} if rule else set()), found
    assert not rule or named in found[rule]


def test_namespaces_may_be_selected_by_expressions() -> None:
    wanted = {"matchExpressions": [{"key": "team", "operator": "In", "values": ["ml"]}]}
    entry = WEB | {"allowedRoutes": {"namespaces": {"from": "Selector", "selector": wanted}}}
    for labels, rules in (({"team": "ml"}, set()), ({}, {"LLMD203"})):
        assert set(findings([entry], Namespace=[{"metadata": {"name": "demo", "labels": labels}}])) == rules
