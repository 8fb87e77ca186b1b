# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What platforms refuse of pods, and the rules about versions, classes and definitions."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.platform import Platform, platform_name
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import scc
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules import read_platform
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from objects.test_pod_security import ANYUID, ME, NOTES, binding

from rules.world import World

POD = "spec.template.spec"


def namespace(**metadata: Any) -> dict[str, list[dict]]:
    return {"Namespace": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo", **metadata}}]}


def rules_of(world: World, *prefixes: str) -> dict[str, Any]:
    return {item.rule: item for item in check(world.model()) if item.rule.startswith("LLMD76")}


def facts(platform: Platform | None = None, **objects: list[dict]) -> RuleFacts:
    return RuleFacts(objects={**objects}, platform=platform)


def test_a_namespace_that_enforces_a_level_refuses_pods_by_field() -> None:
    world = World().set("modelservice", 0, f"{POD}.hostNetwork", True)
    label = {"pod-security.kubernetes.io/enforce": "baseline"}
    assert rules_of(world) == {}
    world.facts = facts(**namespace(labels=label))
    found = rules_of(world)
    assert list(found) == ["LLMD761"]
    assert "refuses pods of chat-decode: host namespaces (hostNetwork: true)" in found["LLMD761"].message
    world.facts = facts(**namespace(labels={"pod-security.kubernetes.io/enforce": "restricted"}))
    text = rules_of(world)["LLMD761"].message
    assert "runAsNonRoot != true (containers[0].securityContext.runAsNonRoot: not set)" in text
    world.facts = facts(**namespace(labels={"pod-security.kubernetes.io/warn": "restricted"}))
    assert rules_of(world) == {}


OTHER_ROLE = {
    "metadata": {"namespace": "demo"},
    "roleRef": {"kind": "Role", "name": "may-use-my-scc"},
    "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": "demo"}],
}
OPEN = Platform("openshift", "v1.34.0", (scc.RESTRICTED_V2, ANYUID), ())


@pytest.mark.parametrize(
    ("platform", "metadata", "expected"),
    [
        (None, {}, {}),
        (Platform("kubernetes", "v1.34.0"), {}, {}),
        (OPEN, {"annotations": NOTES}, {"LLMD762": ("runAsUser", "anyuid would", "add-scc-to-user anyuid -z default")}),
        (OPEN, {}, {"LLMD763": ("uid-range is unknown",)}),
        (dataclasses.replace(OPEN, sccs=None), {"annotations": NOTES}, {"LLMD763": ("runAsUser",)}),
        (dataclasses.replace(OPEN, bindings=None), {"annotations": NOTES}, {"LLMD763": ("runAsUser",)}),
        (
            dataclasses.replace(OPEN, bindings=(binding({**ME, "name": "default", "namespace": "demo"}),)),
            {"annotations": NOTES},
            {},
        ),
        (
            dataclasses.replace(OPEN, bindings=(OTHER_ROLE,)),
            {"annotations": NOTES},
            {"LLMD763": ("runAsUser",)},
        ),
    ],
)
def test_openshift_admits_by_constraints(platform: Any, metadata: dict, expected: dict[str, tuple]) -> None:
    world = World().set("modelservice", 0, f"{POD}.containers.0.securityContext", {"runAsUser": 1000})
    world.facts = facts(platform, **namespace(**metadata))
    found = rules_of(world)
    assert set(found) == set(expected)
    for name, words in expected.items():
        assert all(word in found[name].message + found[name].hint for word in words), found[name]


@pytest.mark.parametrize(
    ("version", "sidecar", "expected"),
    [("v1.28.9", False, "1.29 or later"), ("v1.28.9", True, "sidecar"), ("v1.29.0+k3s1", True, ""), ("", True, "")],
)
def test_a_cluster_that_is_too_old(version: str, sidecar: bool, expected: str) -> None:
    world = World()
    if sidecar:
        world.set("modelservice", 0, f"{POD}.initContainers", [{"name": "proxy", "restartPolicy": "Always"}])
    world.facts = facts(Platform(version=version))
    found = rules_of(world)
    assert set(found) == ({"LLMD764"} if expected else set())
    assert not expected or expected in found["LLMD764"].message


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, ""),
        ({"conditions": [{"type": "Accepted", "status": "True"}]}, ""),
        (
            {"conditions": [{"type": "Accepted", "status": "Unknown", "reason": "Pending", "message": "Waiting"}]},
            "Pending: Waiting",
        ),
        ({"conditions": [{"type": "Accepted", "status": "False", "reason": "InvalidParameters"}]}, "InvalidParameters"),
        ({}, "it has no status"),
    ],
)
def test_a_class_that_no_controller_has_accepted(status: Any, expected: str) -> None:
    world = World()
    body = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "metadata": {"name": "agentgateway"},
        "spec": {"controllerName": "agentgateway.dev/agentgateway"},
        **({} if status is None else {"status": status}),
    }
    world.facts = facts(GatewayClass=[body])
    found = rules_of(world)
    assert set(found) == ({"LLMD765"} if expected else set())
    assert not expected or expected in found["LLMD765"].message


CRD = {
    "metadata": {"name": "inferencepools.inference.networking.k8s.io"},
    "spec": {"group": "inference.networking.k8s.io", "names": {"kind": "InferencePool"}},
}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{"type": "Established", "status": "True"}], ""),
        ([{"type": "NamesAccepted", "status": "False", "reason": "Conflict", "message": "used"}], "Conflict: used"),
        ([], "not Established yet"),
    ],
)
def test_a_definition_that_is_not_established(conditions: list, expected: str) -> None:
    world = World()
    world.facts = facts(Platform(definitions=({**CRD, "status": {"conditions": conditions}},)))
    found = rules_of(world)
    assert set(found) == ({"LLMD766"} if expected else set())
    assert not expected or expected in found["LLMD766"].message


@pytest.mark.parametrize(
    ("apis", "expected"),
    [
        (["v1", "apps/v1"], "kubernetes"),
        (["route.openshift.io/v1"], "kubernetes"),
        (["config.openshift.io/v1/ClusterVersion"], "openshift"),
        (["security.openshift.io/v1"], "openshift"),
    ],
)
def test_openshift_is_known_by_its_groups(apis: list[str], expected: str) -> None:
    assert platform_name(apis) == expected


class Api:
    """Serves definitions by name; others are refused."""

    def __init__(self, **annotations: str) -> None:
        self.annotations, self.client, self.asked = annotations, self, []  # type: ignore[var-annotated]

    def request(self, _method: str, path: str, header_params: dict, **_more: Any) -> Any:
        self.asked.append((path.rpartition("/")[2], "PartialObjectMetadata" in header_params["Accept"]))
        if not self.annotations:
            raise ValueError("403")
        return type("Reply", (), {"data": json.dumps({"metadata": {"annotations": self.annotations}})})


@pytest.mark.parametrize(("release", "expected"), [("v1.1.0", {"LLMD406"}), ("v1.4.0", set()), ("", set())])
def test_the_release_of_the_gateway_api_is_read_of_one_definition(release: str, expected: set[str]) -> None:
    world = World().set("routes", 0, "spec.rules.0.timeouts", {"request": "0s"})
    served = {"gateway.networking.k8s.io/v1": ["HTTPRoute", "Gateway"], "inference.networking.k8s.io/v1": []}
    world.facts = RuleFacts(served=served)
    model = world.model()
    api = Api(**({"gateway.networking.k8s.io/bundle-version": release} if release else {}))
    read_platform.add_platform(model, api, "v1.34.0")  # type: ignore[arg-type]
    assert {item.rule for item in check(model)} & {"LLMD406"} == expected
    assert api.asked[-1] == ("httproutes.gateway.networking.k8s.io", True)
    assert ("inferencepools.inference.networking.k8s.io", False) in api.asked


@pytest.mark.parametrize(
    ("chart", "release", "installed", "expected"),
    [
        ("inferencepool", "v1.3.0", "v1.3.0", set()),
        ("inferencepool", "v1.3.0", "v1.4.0", set()),
        ("inferencepool", "v1.3.1", "v1.0.1", {"LLMD409"}),
        ("llm-d-router-gateway", "v0.10.0", "v1.3.0", {"LLMD409"}),
        ("llm-d-router-standalone", "0.0.0", "v1.3.0", {"LLMD409"}),
        ("llm-d-router-gateway", "v0.10.0", "v1.5.0", set()),
        ("llm-d-router-gateway", "v0.7.0", "v1.3.0", set()),
        ("my-pool", "v9.0.0", "v1.3.0", set()),
        ("inferencepool", "v1.3.0", "", set()),
    ],
)
def test_definitions_older_than_the_chart_are_named(
    chart: str, release: str, installed: str, expected: set[str]
) -> None:
    world = World()
    world.facts = RuleFacts(pool_api_version=installed or None)
    parts = [
        RenderedRelease(name, f"rel-{name}", "demo", items, chart if name == "gaie" else "", release)
        for name, items in world.manifests.items()
    ]
    found = check(build_model(parts, world.routes, world.expected, world.facts))
    assert {item.rule for item in found} & {"LLMD409"} == expected


def test_a_chart_that_makes_no_pool_of_the_gateways_group_is_named() -> None:
    """F1: an old chart of pools, and an Istio that knows only the newer group."""
    world = World().set("gateway", 0, "spec.gatewayClassName", "istio")
    world.set("gaie", 0, "apiVersion", "inference.networking.x-k8s.io/v1alpha2")
    world.facts = RuleFacts(gateway_version="1.28.1")
    found = []
    for version in ("v0.5.1", "v1.2.1"):
        model = world.model()
        for place, item in enumerate(model.planned):
            if item.kind == "InferencePool":
                new = dataclasses.replace(item, chart="inferencepool", chart_version=version)
                model.pools[0] = dataclasses.replace(model.pools[0], item=new)
                model.planned[place] = new
        found.append(next(item for item in check(model) if item.rule == "LLMD404"))
    assert "chart inferencepool v0.5.1 creates no other" in found[0].message
    assert found[0].hint == "use a chart inferencepool of 1.0 or later"
    assert "creates no other" not in found[1].message
    assert "apiVersion" in found[1].hint
