# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.access.roles import role_yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.access.service_account import (
    account_objects,
    removable_objects,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.permissions import Permission

NEEDS = [
    Permission("create", "", "services", "llm-d"),
    Permission("list", "", "pods", "edge"),
    Permission("create", "rbac.authorization.k8s.io", "clusterroles"),
    Permission("list", "", "nodes", optional=True),
]
SETTINGS: dict[str, Any] = {"name": "bot", "namespace": "llm-d", "token": True, "reader": True}
SETTINGS["namespaces"] = ["llm-d", "edge"]


def keys(objects: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in objects]


def made(**settings: Any) -> list[dict[str, Any]]:
    role = role_yaml(NEEDS, "system:serviceaccount:ci:other", absent=["llm-d"])
    return account_objects(role, {**SETTINGS, **settings})


def test_the_account_comes_first_and_is_the_only_subject() -> None:
    objects = made()
    assert keys(objects) == [
        ("Namespace", "", "llm-d"),
        ("ServiceAccount", "llm-d", "bot"),
        ("Secret", "llm-d", "bot-token"),
        ("Role", "llm-d", "bot"),
        ("RoleBinding", "llm-d", "bot"),
        ("Role", "edge", "bot"),
        ("RoleBinding", "edge", "bot"),
        ("ClusterRole", "", "bot-llm-d"),
        ("ClusterRoleBinding", "", "bot-llm-d"),
        ("ClusterRole", "", "bot-llm-d-reader"),
        ("ClusterRoleBinding", "", "bot-llm-d-reader"),
    ]
    bindings = [item for item in objects if "roleRef" in item]
    subject = {"kind": "ServiceAccount", "name": "bot", "namespace": "llm-d"}
    assert all(item["subjects"] == [subject] for item in bindings)
    assert [item["roleRef"]["name"] for item in bindings] == [item["metadata"]["name"] for item in bindings]


def test_all_that_can_be_made_is_removed_but_namespaces() -> None:
    removed = keys(removable_objects(SETTINGS))
    assert set(keys(made())) - set(removed) == {("Namespace", "", "llm-d")}
    kinds = [kind for kind, _namespace, _name in removed]
    assert kinds.index("RoleBinding") < kinds.index("Role")
    assert kinds[-1] == "ServiceAccount"


@pytest.mark.parametrize(
    ("settings", "gone"),
    [({"token": False}, {"bot-token"}), ({"reader": False}, {"bot-llm-d-reader"})],
    ids=["no token", "no reader"],
)
def test_what_is_not_asked_for_is_not_made(settings: dict[str, Any], gone: set[str]) -> None:
    names = {name for _kind, _namespace, name in keys(made())}
    assert names - {name for _kind, _namespace, name in keys(made(**settings))} == gone


def test_another_namespace_for_the_account_is_made_too() -> None:
    assert keys(made(namespace="ci"))[:3] == [
        ("Namespace", "", "llm-d"),
        ("Namespace", "", "ci"),
        ("ServiceAccount", "ci", "bot"),
    ]


def test_a_plan_without_permissions_is_refused() -> None:
    with pytest.raises(OrchestratorError, match="has no permissions"):
        account_objects("", SETTINGS)
