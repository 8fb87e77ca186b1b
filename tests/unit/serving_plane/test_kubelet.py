# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What keeps a pod's containers from starting, with the kubelet's reasons and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plane_objects import obj
from router_objects import key_of, secret
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.kubelet.images import image_problem
from serving_plane.kubelet.logs import PodLogs
from serving_plane.kubelet.needs import problem, waits
from serving_plane.servers.environment import resolved


def pod(name: str = "p", node: str = "n", container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    own = {"name": "main", "image": "x/y:1", **(container or {})}
    return obj("Pod", name, spec={"nodeName": node, "containers": [own], **spec})


def volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "files", **source}]}


def env(**item: Any) -> dict[str, Any]:
    return {"container": {"env": [{"name": "KEY", **item}]}}


PROBLEMS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no Secret", env(**key_of("other", "k")), "CreateContainerConfigError", 'secret "other" not found'),
    ("no key", env(**key_of("keys", "j")), "CreateContainerConfigError", "couldn't find key j in Secret demo/keys"),
    (
        "no ConfigMap",
        {"container": {"envFrom": [{"configMapRef": {"name": "other"}}]}},
        "CreateContainerConfigError",
        'configmap "other" not found',
    ),
    (
        "of a first container",
        {"initContainers": [{"name": "i", "image": "x", "envFrom": [{"secretRef": {"name": "other"}}]}]},
        "CreateContainerConfigError",
        'secret "other" not found',
    ),
    ("no file", volume(configMap={"name": "other"}), "ContainerCreating", 'configmap "other" not found'),
    ("no file of a Secret", volume(secret={"secretName": "other"}), "ContainerCreating", 'secret "other" not found'),
    (
        "no key of a file",
        volume(secret={"secretName": "keys", "items": [{"key": "j", "path": "j"}]}),
        "ContainerCreating",
        "references non-existent secret key: j",
    ),
    ("no reference", {"container": {"image": "YOUR_REGISTRY/x:1"}}, "InvalidImageName", "must be lowercase"),
    ("no tag", {"container": {"image": "x/y:"}}, "InvalidImageName", "invalid reference format"),
    ("an image that is gone", {"container": {"image": "bitnami/etcd:3"}}, "ImagePullBackOff", "not found"),
    (
        "a claim of another node",
        volume(persistentVolumeClaim={"claimName": "once"}),
        "ContainerCreating",
        "Multi-Attach error",
    ),
]
FINE: list[tuple[str, dict[str, Any]]] = [
    ("a key", env(**key_of("keys", "k"))),
    ("optional", env(valueFrom={"secretKeyRef": {"name": "other", "key": "k", "optional": True}})),
    ("an optional key", env(valueFrom={"secretKeyRef": {"name": "keys", "key": "j", "optional": True}})),
    ("an optional file", volume(secret={"secretName": "other", "optional": True})),
    ("a claim of many nodes", volume(persistentVolumeClaim={"claimName": "many"})),
    ("a claim of the same node", {"node": "first", **volume(persistentVolumeClaim={"claimName": "once"})}),
    ("a claim that is not there", volume(persistentVolumeClaim={"claimName": "other"})),
]


def world() -> tuple[Snapshot, set[str]]:
    """Two claims that a pod of the node `first` has started with, and a Secret."""
    both = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in ("once", "many")]
    first = pod("first", "first", volumes=both)
    claims = [
        obj("PersistentVolumeClaim", name, spec={"accessModes": [mode], "volumeName": "pv-1"})
        for name, mode in (("once", "ReadWriteOnce"), ("many", "ReadWriteMany"))
    ]
    return Snapshot([first, *claims, secret("keys", k="v")]), {first["metadata"]["uid"]}


@pytest.mark.parametrize(("spec", "reason", "text"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_problems(spec: dict[str, Any], reason: str, text: str) -> None:
    found = problem(pod(**spec), *world())
    assert found is not None
    assert (found.reason, any(text in said for _reason, said in found.events)) == (reason, True), found
    assert waits(pod(**spec))


@pytest.mark.parametrize("spec", [row[1] for row in FINE], ids=[row[0] for row in FINE])
def test_what_starts(spec: dict[str, Any]) -> None:
    assert problem(pod(**spec), *world()) is None


def test_an_init_container_is_named_before_the_others_which_wait_for_it() -> None:
    images = {"initContainers": [{"name": "fine", "image": "x"}, {"name": "fetch", "image": "MY_REGISTRY/x"}]}
    found = problem(pod(container={"image": "x/y:"}, **images), *world())
    assert found and found.init == "fetch" and '"MY_REGISTRY/x"' in found.message
    found = problem(pod(container={"image": "x/y:"}), *world())
    assert found and not found.init


def test_pods_that_need_nothing_do_not_wait() -> None:
    assert not waits(pod(container={"env": [{"name": "A", "value": "b"}]}, **volume(emptyDir={})))


@pytest.mark.parametrize(
    "image",
    ["web", "web:1", "x/y/z", "localhost:5000/x:T_1", "Registry.example.com/x:1", "a.b/c@sha256:" + "0" * 64],
)
def test_images_that_are_references(image: str) -> None:
    assert image_problem(image) is None


@pytest.mark.parametrize(
    "image", ["", "x/", "a//b", "x:1:2", "x@latest", "a b", "-x", "gcr.io/kubebuilder/kube-rbac-proxy"]
)
def test_images_that_cannot_be_pulled(image: str) -> None:
    assert image_problem(image) is not None


def test_an_environment() -> None:
    container = {
        "name": "main",
        "image": "x",
        "envFrom": [{"prefix": "P_", "secretRef": {"name": "keys"}}],
        "env": [
            {"name": "A", "value": "$(P_k)-$(B)"},
            {"name": "K", **key_of("keys", "k")},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        ],
    }
    item = pod(container=container)
    item["metadata"]["labels"] = {"app": "web"}
    found = resolved(item, container, world()[0])
    assert found == {"P_k": "v", "A": "v-$(B)", "K": "v", "NAME": "p", "APP": "web"}


def test_logs_of_pods(tmp_path: Path) -> None:
    logs = PodLogs(tmp_path / "logs")
    logs.write("u", ["one", "two"])
    logs.append("u", "three")
    lines = logs.path("u").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 3)[1:] for line in lines] == [["stderr", "F", text] for text in ("one", "two", "three")]
    logs.forget({"u"})
    assert logs.has("u")
    logs.forget(set())
    assert not logs.has("u")
