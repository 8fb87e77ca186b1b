# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Volumes and secrets: default class, access modes, and secrets for pulling images."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check

from rules.world import World

POD = "spec.template.spec"
MOUNTED = [{"name": "model-storage", "persistentVolumeClaim": {"claimName": "models"}}]
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}


def storage_class(name: str, provisioner: str, **annotations: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "annotations": annotations}, "provisioner": provisioner}


def claim(*modes: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "models", "namespace": "demo"}
    body = {"accessModes": list(modes), **spec}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": body}


LOCAL = storage_class("local", "rancher.io/local-path", **DEFAULT)
SHARED = storage_class("shared", "nfs.csi.k8s.io")
CLAIMS: list[tuple[dict[str, Any], list[dict[str, Any]], str, str]] = [
    (claim("ReadWriteMany", storageClassName="shared"), [SHARED], "", ""),
    (claim("ReadWriteMany"), [SHARED], "LLMD620", "none of the cluster's (shared) is the default"),
    (claim("ReadWriteMany"), [], "LLMD620", "has no class"),
    (claim("ReadWriteMany", volumeName="pv"), [SHARED], "", ""),
    (claim("ReadWriteMany", storageClassName=""), [SHARED], "", ""),
    (claim("ReadWriteMany"), [LOCAL], "LLMD621", "rancher.io/local-path"),
    (claim("ReadWriteMany", storageClassName="local"), [LOCAL, SHARED], "LLMD621", "StorageClass local"),
    (claim("ReadWriteOnce"), [LOCAL], "", ""),
]


@pytest.mark.parametrize(("body", "classes", "rule", "named"), CLAIMS)
def test_claims_can_be_bound(body: dict[str, Any], classes: list[dict[str, Any]], rule: str, named: str) -> None:
    world = World()
    world.manifests["modelservice"].append(body)
    world.facts = RuleFacts(objects={"StorageClass": classes})
    found = {one.rule: one.message for one in check(world.model())}
    assert set(found) == ({rule} if rule else set()), found
    assert not rule or named in found[rule]


def test_a_class_that_is_not_there_is_named_with_its_variable() -> None:
    part = RenderedRelease("prepare", "", "demo", [claim("ReadWriteMany", storageClassName="fast")])
    found = check(build_model([part], facts=RuleFacts(objects={"StorageClass": [LOCAL]})))
    assert [one.rule for one in found] == ["LLMD605"]
    assert "(prepare_pvc_storage_class)" in found[0].message


@pytest.mark.parametrize(
    ("modes", "replicas", "rule"),
    [
        (["ReadWriteOnce"], 1, ""),
        (["ReadWriteOnce"], 3, "LLMD622"),
        (["ReadWriteOncePod"], 2, "LLMD622"),
        (["ReadWriteOnce", "ReadOnlyMany"], 3, ""),
        (["ReadWriteMany"], 3, ""),
    ],
)
def test_claims_for_one_are_not_shared(modes: list[str], replicas: int, rule: str) -> None:
    world = World().set("modelservice", 0, "spec.replicas", replicas).set("modelservice", 0, f"{POD}.volumes", MOUNTED)
    world.facts = RuleFacts(objects={"PersistentVolumeClaim": [claim(*modes)]})
    assert [one.rule for one in check(world.model())] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("secrets", "rule"),
    [
        (None, ""),
        ([], "LLMD623"),
        ([{"type": "Opaque"}], "LLMD623"),
        ([{"type": "kubernetes.io/dockerconfigjson"}], ""),
    ],
)
def test_images_are_pulled_with_secrets_of_their_type(secrets: list[dict[str, Any]] | None, rule: str) -> None:
    world = World().set("modelservice", 0, f"{POD}.imagePullSecrets", [{"name": "pull"}])
    bodies = [{"metadata": {"name": "pull", "namespace": "demo"}, **one} for one in secrets or []]
    world.facts = RuleFacts(objects={} if secrets is None else {"Secret": bodies})
    assert [one.rule for one in check(world.model())] == ([rule] if rule else [])
