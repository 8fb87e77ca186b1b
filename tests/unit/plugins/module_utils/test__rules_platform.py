# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What platforms refuse of pods, and the rules about versions, classes and definitions."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils import _pod_security, _scc, _stack_platform
from ansible_collections.llm_d.orchestrator.plugins.module_utils._platform import Platform, platform_name
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_items import Facts
from rules_world import World

POD = "spec.template.spec"
SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(context: dict | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "i", **({"securityContext": context} if context is not None else {})}
    return {"containers": [{**container, **spec.pop("container", {})}], **spec}


def names(spec: dict[str, Any], level: str) -> list[str]:
    return sorted({one.name for one in _pod_security.refusals(spec, level)})


DEFAULTS = ["allowPrivilegeEscalation != false", "runAsNonRoot != true", "seccompProfile", "unrestricted capabilities"]


@pytest.mark.parametrize(
    ("spec", "baseline", "restricted"),
    [
        (pod(), [], DEFAULTS),
        (pod(SAFE), [], []),
        (pod(SAFE, hostNetwork=True), ["host namespaces"], ["host namespaces"]),
        (pod(SAFE | {"privileged": True}), ["privileged"], ["privileged"]),
        (pod(SAFE | {"runAsUser": 0}), [], ["runAsUser=0"]),
        (pod(SAFE, securityContext={"runAsUser": 0}), [], ["runAsUser=0"]),
        (pod(SAFE | {"runAsNonRoot": False}), [], ["runAsNonRoot != true"]),
        (
            pod({k: v for k, v in SAFE.items() if k != "runAsNonRoot"}, securityContext={"runAsNonRoot": True}),
            [],
            [],
        ),
        (pod(SAFE | {"seccompProfile": {"type": "Unconfined"}}), ["seccompProfile"], ["seccompProfile"]),
        (
            pod(SAFE | {"capabilities": {"add": ["IPC_LOCK"], "drop": ["ALL"]}}),
            ["non-default capabilities"],
            ["unrestricted capabilities"],
        ),
        (pod(SAFE | {"capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}}), [], []),
        (
            pod(SAFE, volumes=[{"name": "v", "hostPath": {"path": "/dev"}}]),
            ["hostPath volumes"],
            ["restricted volume types"],
        ),
        (pod(SAFE, volumes=[{"name": "v", "nfs": {}}, {"name": "w", "emptyDir": {}}]), [], ["restricted volume types"]),
        (pod(SAFE, container={"ports": [{"containerPort": 1, "hostPort": 80}]}), ["hostPort"], ["hostPort"]),
        (pod(SAFE, initContainers=[{"name": "i"}]), [], DEFAULTS),
        (pod(SAFE | {"procMount": "Unmasked"}), ["procMount"], ["procMount"]),
        (pod(SAFE | {"seLinuxOptions": {"type": "spc_t"}}), ["seLinuxOptions"], ["seLinuxOptions"]),
        (
            pod(SAFE, securityContext={"sysctls": [{"name": "kernel.msgmax"}]}),
            ["forbidden sysctls"],
            ["forbidden sysctls"],
        ),
        (
            pod({k: v for k, v in SAFE.items() if k == "runAsNonRoot"}, os={"name": "windows"}),
            [],
            [],
        ),
    ],
)
def test_pod_security_standards(spec: dict, baseline: list[str], restricted: list[str]) -> None:
    assert names(spec, "baseline") == baseline
    assert names(spec, "restricted") == restricted
    assert names(spec, "privileged") == []


ANYUID = {**_scc.RESTRICTED_V2, "metadata": {"name": "anyuid"}, "runAsUser": {"type": "RunAsAny"}, "fsGroup": {}}
NOTES = {_scc.UIDS: "1000680000/10000", _scc.GROUPS: "1000680000/10000", _scc.LEVEL: "s0:c26,c10"}


@pytest.mark.parametrize(
    ("spec", "notes", "expected"),
    [
        (pod(), {}, []),
        (pod({"runAsUser": 0}), NOTES, ["runAsUser"]),
        (pod({"runAsUser": 0}), {}, ["runAsUser"]),
        (pod({"runAsUser": 1000}), NOTES, ["runAsUser"]),
        (pod({"runAsUser": 1000}), {}, ["runAsUser?"]),
        (pod({"runAsUser": 1000680001}), NOTES, []),
        (pod(securityContext={"runAsUser": 1000690000}), NOTES, ["runAsUser"]),
        (pod(securityContext={"fsGroup": 5}), NOTES, ["fsGroup"]),
        (pod(securityContext={"fsGroup": 1000680000}), NOTES, []),
        (pod(securityContext={"fsGroup": 5}), {}, ["fsGroup?"]),
        (pod({"privileged": True}), {}, ["privileged"]),
        (pod({"allowPrivilegeEscalation": True}), {}, ["allowPrivilegeEscalation"]),
        (pod({"capabilities": {"add": ["IPC_LOCK", "NET_BIND_SERVICE"]}}), {}, ["capabilities"]),
        (pod(hostNetwork=True, hostIPC=True), {}, ["hostIPC", "hostNetwork"]),
        (pod(container={"ports": [{"hostPort": 8}]}), {}, ["hostPort"]),
        (pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}, {"name": "e", "emptyDir": {}}]), {}, ["volumes"]),
        (pod({"seccompProfile": {"type": "Unconfined"}}), {}, ["seccompProfile"]),
        (pod({"seccompProfile": {"type": "RuntimeDefault"}}), {}, []),
        (pod({"seLinuxOptions": {"level": "s0:c1,c2"}}), NOTES, ["seLinuxOptions"]),
        (pod({"seLinuxOptions": {"level": "s0:c26,c10"}}), NOTES, []),
    ],
)
def test_restricted_v2_refuses(spec: dict, notes: dict[str, str], expected: list[str]) -> None:
    assert sorted({one.name for one in _scc.refusals(_scc.RESTRICTED_V2, spec, notes)}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10/5", [(10, 14)]), ("1-9, 20/1", [(1, 9), (20, 20)]), ("", None), (None, None), ("x", None)],
)
def test_ranges(text: Any, expected: Any) -> None:
    assert _scc.ranges(text) == expected


def binding(subject: dict[str, str], role: str = "anyuid", **metadata: str) -> dict[str, Any]:
    return {"metadata": metadata, "roleRef": {"name": _scc.ROLE_PREFIX + role}, "subjects": [subject]}


ME = {"kind": "ServiceAccount", "name": "sa", "namespace": "ns"}


@pytest.mark.parametrize(
    ("sccs", "bindings", "expected"),
    [
        ([], [], set()),
        ([{"metadata": {"name": "a"}, "users": ["system:serviceaccount:ns:sa"]}], [], {"a"}),
        ([{"metadata": {"name": "a"}, "groups": ["system:serviceaccounts:ns"]}], [], {"a"}),
        ([{"metadata": {"name": "a"}, "groups": ["system:cluster-admins"]}], [], set()),
        ([], [binding(ME, namespace="ns")], {"anyuid"}),
        ([], [binding(ME)], {"anyuid"}),
        ([], [binding(ME, namespace="other")], set()),
        ([], [binding({**ME, "name": "other"})], set()),
        ([], [binding({"kind": "Group", "name": "system:authenticated"})], {"anyuid"}),
    ],
)
def test_who_may_use_which_scc(sccs: list, bindings: list, expected: set[str]) -> None:
    assert _scc.usable(sccs, bindings, "ns", "sa") == expected | {"restricted-v2"}


def namespace(**metadata: Any) -> dict[str, list[dict]]:
    return {"Namespace": [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo", **metadata}}]}


def rules_of(world: World, *prefixes: str) -> dict[str, Any]:
    return {item.rule: item for item in check(world.model()) if item.rule.startswith("LLMD76")}


def facts(platform: Platform | None = None, **objects: list[dict]) -> Facts:
    return Facts(objects={**objects}, platform=platform)


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


OPEN = Platform("openshift", "v1.34.0", (_scc.RESTRICTED_V2, ANYUID), ())


@pytest.mark.parametrize(
    ("platform", "metadata", "expected"),
    [
        (None, {}, {}),
        (Platform("kubernetes", "v1.34.0"), {}, {}),
        (OPEN, {"annotations": NOTES}, {"LLMD762": ("runAsUser", "anyuid would", "add-scc-to-user anyuid -z default")}),
        (OPEN, {}, {"LLMD763": ("uid-range is not known",)}),
        (dataclasses.replace(OPEN, sccs=None), {"annotations": NOTES}, {"LLMD763": ("runAsUser",)}),
        (dataclasses.replace(OPEN, bindings=None), {"annotations": NOTES}, {"LLMD763": ("runAsUser",)}),
        (
            dataclasses.replace(OPEN, bindings=(binding({**ME, "name": "default", "namespace": "demo"}),)),
            {"annotations": NOTES},
            {},
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
    world.facts = Facts(served=served)
    model = world.model()
    api = Api(**({"gateway.networking.k8s.io/bundle-version": release} if release else {}))
    _stack_platform.add_platform(model, api, "v1.34.0")  # type: ignore[arg-type]
    assert {item.rule for item in check(model)} & {"LLMD406"} == expected
    assert api.asked[-1] == ("httproutes.gateway.networking.k8s.io", True)
    assert ("inferencepools.inference.networking.k8s.io", False) in api.asked
