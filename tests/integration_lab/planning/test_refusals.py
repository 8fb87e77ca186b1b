# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A real API server asked what it would refuse of objects and of the pods of their templates, without making any."""

from __future__ import annotations

import copy
import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from accounts import kubeconfig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import ReleaseObjects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.discover import Discovery
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.trials import Trials
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.live import LiveObjects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.openapi import Schemas
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.refusals import (
    DENIED,
    INVALID,
    UNKNOWN,
    UNREADABLE,
    Objection,
    shown,
)
from plane_client import Lab, eventually
from small_stack import server

from playbooks import play

ABSENT = "refusals-nowhere"
GPU = "nvidia.com/gpu"
RBAC = "rbac.authorization.k8s.io"
Edit = tuple[tuple[Any, ...], Any]
FIRST = ("spec", "template", "spec", "containers", 0)


def deployment(namespace: str, *edits: Edit, kind: str = "Deployment") -> dict[str, Any]:
    labels = {"app": "a"}
    container: dict[str, Any] = {"name": "vllm", "image": "lab/model:1", "resources": {}}
    container |= {"env": [{"name": "A"}], "ports": [{"containerPort": 8000}], "volumeMounts": []}
    template: dict[str, Any] = {"metadata": {"labels": labels}, "spec": {"containers": [container], "volumes": []}}
    spec: dict[str, Any] = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a", "namespace": namespace}, "spec": spec}
    if kind == "LeaderWorkerSet":
        group = {"size": 1, "workerTemplate": template}
        body |= {"apiVersion": "leaderworkerset.x-k8s.io/v1", "spec": {"replicas": 1, "leaderWorkerTemplate": group}}
    for path, value in edits:
        node: Any = body
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value
    return body


def trials(**access: Any) -> Trials:
    return Trials(LiveObjects(Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"], **access})))


def said(found: tuple[Objection, ...]) -> list[tuple[str, str]]:
    return [(shown(one.path), one.how) for one in found]


@pytest.fixture(scope="module")
def namespace(new_namespace: Callable[[], str]) -> str:
    return new_namespace()


# name, what is changed in a Deployment, what is refused.
FIELDS: list[tuple[str, list[Edit], list[tuple[str, str]]]] = [
    ("right", [], []),
    (
        "quantities",
        [((*FIRST, "resources"), {"limits": {"cpu": "32 cores", "memory": "100G1"}, "requests": {"memory": "1Gi"}})],
        [("resources.limits.cpu", UNREADABLE), ("resources.limits.memory", UNREADABLE)],
    ),
    ("enum", [((*FIRST, "imagePullPolicy"), "Allways")], [("imagePullPolicy", INVALID)]),
    ("required", [((*FIRST, "ports"), [{"name": "http"}])], [("ports[0].containerPort", INVALID)]),
    (
        "duplicates",
        [
            ((*FIRST, "volumeMounts"), [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}]),
            (("spec", "template", "spec", "volumes"), [{"name": "v", "emptyDir": {}}]),
        ],
        [("volumeMounts[1].mountPath", INVALID)],
    ),
    ("range", [(("spec", "replicas"), -1)], [("spec.replicas", INVALID)]),
    ("port", [((*FIRST, "ports"), [{"containerPort": 80000}])], [("ports[0].containerPort", INVALID)]),
    ("type", [((*FIRST, "ports"), [{"containerPort": "http"}])], [("ports[0].containerPort", UNREADABLE)]),
    (
        "misplaced",
        [((*FIRST, "readinessProbe"), {"startupProbe": {}, "tcpSocket": {"port": 1, "path": "/"}})],
        [("readinessProbe.startupProbe", UNKNOWN), ("readinessProbe.tcpSocket.path", UNKNOWN)],
    ),
    ("request above limit", [((*FIRST, "resources"), {"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}})],
     [("resources.requests.memory", INVALID)]),
    ("device without a limit", [((*FIRST, "resources"), {"requests": {GPU: "1"}})],
     [("resources.limits", INVALID)]),
    (
        "of every kind",
        [((*FIRST, "comand"), ["a"]), (("spec", "replicas"), "two"), ((*FIRST, "imagePullPolicy"), "Allways")],
        [("comand", UNKNOWN), ("spec.replicas", UNREADABLE), ("imagePullPolicy", INVALID)],
    ),
]  # fmt: skip


@pytest.mark.parametrize("present", [True, False], ids=["present", "absent"])
@pytest.mark.parametrize(("edits", "refused"), [case[1:] for case in FIELDS], ids=[case[0] for case in FIELDS])
def test_fields(edits: list[Edit], refused: list[tuple[str, str]], present: bool, namespace: str) -> None:
    """The same is refused in a namespace that is there and in one that is not."""
    item = deployment(namespace if present else ABSENT, *edits)
    before = copy.deepcopy(item)
    found = said(trials().refused(item))
    assert {(path if path.startswith("spec.replicas") else path.partition("containers[0].")[2], how)
            for path, how in found} == set(refused)  # fmt: skip
    assert item == before


def test_what_was_meant_is_said() -> None:
    edits: list[Edit] = [((*FIRST, "securityContext"), {"fsGroup": 1}), ((*FIRST, "livenesProbe"), {})]
    guesses = {shown(one.path).rpartition(".")[2]: one.guess for one in trials().refused(deployment(ABSENT, *edits))}
    assert guesses == {
        "fsGroup": " Move it to spec.template.spec.securityContext.",
        "livenesProbe": " Did you mean livenessProbe?",
    }


@pytest.mark.parametrize("kind", ["Deployment", "LeaderWorkerSet"])
def test_the_pods_of_a_template_are_tried(kind: str, namespace: str, lab: Lab) -> None:
    body = deployment(namespace, kind=kind)
    path = ("spec", "leaderWorkerTemplate", "workerTemplate") if kind == "LeaderWorkerSet" else ("spec", "template")
    template = body["spec"]["leaderWorkerTemplate"]["workerTemplate"] if len(path) > 2 else body["spec"]["template"]
    assert trials().pods_refused(body) == ()
    template["spec"] |= {"runtimeClassName": "gone", "priorityClassName": "none"}
    for place in (namespace, ABSENT):
        body["metadata"]["namespace"] = place
        found = trials().pods_refused(body)
        assert sorted(one.text for one in found) == [
            "no PriorityClass with name none was found",
            'pod rejected: RuntimeClass "gone" not found',
        ]
        assert {(one.path, one.how) for one in found} == {(path, DENIED)}
    assert not lab.core.list_namespaced_pod(namespace).items


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        (
            "LimitRange",
            {"limits": [{"type": "Container", "max": {"cpu": "1"}}]},
            "maximum cpu usage per Container is 1",
        ),
        ("ResourceQuota", {"hard": {"limits.memory": "8Gi"}}, "must specify limits.memory for: vllm"),
        # Quotas are added up by rules of their own.
        ("ResourceQuota", {"hard": {"pods": "0"}}, ""),
    ],
)
def test_limits_of_the_namespace(kind: str, spec: dict[str, Any], words: str, namespace: str, lab: Lab) -> None:
    metadata = {"name": "limits", "namespace": namespace}
    resources = {"limits": {"cpu": "2"}, "requests": {"cpu": "2"}}
    body = deployment(namespace, ((*FIRST, "resources"), resources))
    lab.apply({"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec})
    try:
        if kind == "ResourceQuota":
            eventually(lambda: bool((lab.get("v1", kind, namespace, "limits") or {}).get("status", {}).get("hard")))
        found = trials().pods_refused(body)
    finally:
        lab.delete({"apiVersion": "v1", "kind": kind, "metadata": metadata})
    assert len(found) == (1 if words else 0)
    assert all(words in one.text for one in found)
    body["metadata"]["namespace"] = ABSENT
    assert trials().pods_refused(body) == ()


def test_an_update_is_refused_as_a_new_object_is(namespace: str, lab: Lab) -> None:
    good = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": namespace}}
    good["spec"] = {"ports": [{"port": 80}], "selector": {"app": "a"}}
    lab.apply(good)
    spec = {"ports": [{"port": 80, "targetport": 1}], "selector": {"app": "b"}}
    part = ReleaseObjects("gaie", "r", namespace, [good], [{**good, "spec": spec}], True)
    (action,) = Discovery(LiveObjects(Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]}))).releases([part])
    # Helm would deploy it, without the field.
    assert (action.action, said(action.refused)) == ("update", [("spec.ports[0].targetport", UNKNOWN)])
    spec = {"ports": [{"port": 80000}]}
    part = ReleaseObjects("gaie", "r", namespace, [good], [{**good, "spec": spec}], True)
    (action,) = Discovery(LiveObjects(Cluster({"kubeconfig": os.environ["LAB_KUBECONFIG"]}))).releases([part])
    assert ("spec.ports[0].port", INVALID) in said(action.refused)


def test_whoever_may_not_try_is_told_by_the_schemas(namespace: str, lab: Lab, tmp_path: pathlib.Path) -> None:
    metadata = {"name": "nobody", "namespace": namespace}
    lab.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    config = tmp_path / "kubeconfig"
    config.write_text(kubeconfig(lab, namespace, "nobody"))
    one = trials(kubeconfig=str(config))
    one._schemas = Schemas(one.live.cluster, str(tmp_path / "openapi"))
    edits: list[Edit] = [((*FIRST, "resources"), {"limits": {"memory": "100G1"}}), ((*FIRST, "comand"), ["a"])]
    for place in (namespace, ABSENT):
        found = said(one.refused(deployment(place, *edits)))
        assert sorted(how for _path, how in found) == [UNKNOWN, UNREADABLE]
    assert one.unheard >= {f"Not permitted to dry-run creating a Deployment in {namespace}"}
    assert one.refused(deployment(namespace)) == ()
    assert list((tmp_path / "openapi").glob("apis-apps-v1-*.json"))


def test_planning_names_the_key_of_the_values(namespace: str, tmp_path: pathlib.Path) -> None:
    """All at once, and nothing is made."""
    decode = server(8000)
    decode["containers"][0] |= {"resources": {"limits": {"memory": "100G1"}}, "readinessProbe": {"startupProbe": {}}}
    decode["extraConfig"] = {"runtimeClassName": "gone"}
    values = {"accelerator": {"type": "cpu"}, "routing": {"proxy": {"enabled": False}}, "decode": decode}
    models = [{"name": "a", "model": "org/a", "values": {**values, "prefill": {"create": False}}}]
    for place in (namespace, ABSENT):
        run = play(tmp_path, "plan", llm_d_namespace=place, llm_d_models=models)
        assert run.code, run.text
        for rule, key in (
            ("LLMD801", "decode.containers[0].resources.limits.memory"),
            ("LLMD802", "decode.containers[0].readinessProbe.startupProbe"),
            ("LLMD804", "decode.extraConfig.runtimeClassName"),
        ):
            assert rule in run.text, run.text
            assert f"values {key}" in run.text, run.text
