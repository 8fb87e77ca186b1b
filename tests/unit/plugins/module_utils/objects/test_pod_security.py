# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What Pod Security Standards and OpenShift's security context constraints refuse of pods, as tables."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import pod_security, scc

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
    return sorted({one.name for one in pod_security.refusals(spec, level)})


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


ANYUID = {**scc.RESTRICTED_V2, "metadata": {"name": "anyuid"}, "runAsUser": {"type": "RunAsAny"}, "fsGroup": {}}
NOTES = {scc.UIDS: "1000680000/10000", scc.GROUPS: "1000680000/10000", scc.LEVEL: "s0:c26,c10"}


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
    assert sorted({one.name for one in scc.refusals(scc.RESTRICTED_V2, spec, notes)}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10/5", [(10, 14)]), ("1-9, 20/1", [(1, 9), (20, 20)]), ("", None), (None, None), ("x", None)],
)
def test_ranges(text: Any, expected: Any) -> None:
    assert scc.ranges(text) == expected


def binding(subject: dict[str, str], role: str = "anyuid", **metadata: str) -> dict[str, Any]:
    return {"metadata": metadata, "roleRef": {"name": scc.ROLE_PREFIX + role}, "subjects": [subject]}


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
    assert scc.usable(sccs, bindings, "ns", "sa") == expected | {"restricted-v2"}
