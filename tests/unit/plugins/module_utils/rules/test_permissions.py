# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Permissions: what a plan needs, how it is matched with RBAC's rules, the Role that grants it, and the findings."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.access.needs import Scope, kinds_of, needs
from ansible_collections.llm_d.orchestrator.plugins.module_utils.access.roles import role_yaml, subject
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import Item
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.permissions import (
    Access,
    Permission,
    allows,
    compact,
    escalates,
    refused,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.run import weighed

from rules.world import World

RBAC = "rbac.authorization.k8s.io"
DISCOVERY = [
    {
        "items": [
            {
                "metadata": {"name": group} if group else {},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {"resource": plural, "responseKind": {"kind": kind}, "scope": scope}
                            for plural, kind, scope in rows
                        ],
                    }
                ],
            }
            for group, rows in {
                "": [("services", "Service", "Namespaced"), ("nodes", "Node", "Cluster")],
                "apps": [("deployments", "Deployment", "Namespaced")],
                RBAC: [("roles", "Role", "Namespaced"), ("clusterroles", "ClusterRole", "Cluster")],
            }.items()
        ]
    }
]
KINDS = kinds_of(DISCOVERY)


def rule(groups: list[str], resources: list[str], verbs: list[str], **more: Any) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **more}


@pytest.mark.parametrize(
    ("granted", "need", "expected"),
    [
        (rule([""], ["pods"], ["list"]), Permission("list", "", "pods"), True),
        (rule([""], ["pods"], ["list"]), Permission("watch", "", "pods"), False),
        (rule([""], ["pods"], ["*"]), Permission("watch", "", "pods"), True),
        (rule(["apps"], ["pods"], ["list"]), Permission("list", "", "pods"), False),
        (rule(["*"], ["*"], ["*"]), Permission("create", "", "pods/portforward"), True),
        (rule([""], ["pods"], ["*"]), Permission("create", "", "pods/portforward"), False),
        (rule([""], ["pods/portforward"], ["create"]), Permission("create", "", "pods/portforward"), True),
        (rule([""], ["*/portforward"], ["create"]), Permission("create", "", "pods/portforward"), True),
        (rule([""], ["secrets"], ["get"], resourceNames=["a"]), Permission("get", "", "secrets"), False),
        (rule([""], ["secrets"], ["get"], resourceNames=["a"]), Permission("get", "", "secrets", name="a"), True),
        (rule([""], ["secrets"], ["get"]), Permission("get", "", "secrets", name="a"), True),
        (rule([""], ["pods"], ["get"]), Permission("*", "", "pods"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/metrics"]}, Permission("get", url="/metrics"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/met*"]}, Permission("get", url="/metrics"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/other"]}, Permission("get", url="/metrics"), False),
    ],
)
def test_a_rule_grants_as_rbac_does(granted: dict, need: Permission, expected: bool) -> None:
    assert allows(granted, need) is expected


def test_roles_may_be_made_with_both_escalate_and_bind() -> None:
    need = Permission("get", "", "pods", "ns", held=True)
    assert not escalates(need, [rule([RBAC], ["roles"], ["escalate"])])
    assert escalates(need, [rule([RBAC], ["roles"], ["escalate", "bind"])])
    assert not escalates(dataclasses.replace(need, namespace=""), [rule([RBAC], ["roles"], ["escalate", "bind"])])


def planned(*bodies: dict[str, Any]) -> World:
    world = World()
    world.manifests["gaie"] = [*world.manifests.get("gaie", []), *bodies]
    return world


ROLE = {
    "apiVersion": f"{RBAC}/v1",
    "kind": "Role",
    "metadata": {"name": "epp"},
    "rules": [rule(["x.io"], ["pools"], ["get", "watch"])],
}


def test_what_a_plan_needs_follows_from_its_objects() -> None:
    model = planned(ROLE).model()
    found = needs(model.planned, KINDS, Scope("demo", "demo"))
    assert Permission("patch", "apps", "deployments", "demo") in found
    assert Permission("delete", "", "services", "demo") in found
    assert Permission("create", "", "secrets", "demo") in found
    assert Permission("create", "", "pods/portforward", "demo") in found
    held = [need for need in found if need.held]
    assert {(need.verb, need.target) for need in held} == {("get", "pools.x.io"), ("watch", "pools.x.io")}
    assert Permission("create", "", "namespaces") not in found
    optional = [need for need in found if need.optional]
    assert Permission("list", "", "nodes") in optional
    assert found[-len(optional) :] == optional
    # The cluster does not serve the kind: another rule says so.
    assert not any(need.resource == "inferencepools" for need in found)


def test_what_a_release_no_longer_has_is_deleted() -> None:
    space = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "old", "namespace": "demo"}}
    wide = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "old"}, "rules": ROLE["rules"]}
    strange = {"apiVersion": "x.io/v1", "kind": "Strange", "metadata": {"name": "old", "namespace": "demo"}}
    kept = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "k", "namespace": "other"}}
    kept["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    served = (("", "Service"), ("services", True)), (("", "Secret"), ("secrets", True))
    kinds = {**dict(served), (RBAC, "ClusterRole"): ("clusterroles", False)}
    before = needs([], kinds, Scope("demo", "demo"))
    found = [
        need
        for need in needs([], kinds, Scope("demo", "demo"), {"a": [space, wide, strange, kept]})
        if need not in before
    ]
    assert {(need.verb, need.target, need.namespace) for need in found} == {
        *((verb, "services", "demo") for verb in ("get", "watch", "delete")),
        *((verb, f"clusterroles.{RBAC}", "") for verb in ("get", "list", "watch", "delete")),
    }
    assert not any(need.held for need in found)


def test_a_namespace_that_is_absent_has_to_be_made() -> None:
    found = needs([], KINDS, Scope("demo", "gate", frozenset({"demo"})))
    assert Permission("create", "", "namespaces") in found
    assert Permission("get", "", "namespaces", "", "demo") in found
    assert Permission("get", "", "namespaces", "gate", "gate") in found


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ({"kind": "ClusterRole", "name": "view"}, [Permission("bind", RBAC, "clusterroles", "demo", "view")]),
        ({"kind": "Role", "name": "epp"}, []),
    ],
)
def test_binding_an_existing_role_needs_bind(ref: dict, expected: list[Permission]) -> None:
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": ref}
    found = needs(planned(ROLE, binding).model().planned, KINDS, Scope("demo", "demo"))
    assert [need for need in found if need.verb == "bind"] == expected


WANTED = [
    Permission("create", "", "namespaces", why="w"),
    Permission("get", "", "namespaces", "", "demo"),
    Permission("get", "", "services", "demo"),
    Permission("create", "", "services", "demo"),
    Permission("get", "apps", "deployments", "demo"),
    Permission("get", url="/metrics"),
    Permission("list", "", "nodes", optional=True),
]


def test_the_role_grants_all_and_is_yaml() -> None:
    text = role_yaml(WANTED, "system:serviceaccount:ci:bot", {WANTED[4]}, ["demo"])
    documents = list(yaml.safe_load_all(text))
    kinds = [(d["kind"], d["metadata"]["name"], d["metadata"].get("namespace", "")) for d in documents]
    assert kinds == [
        ("Namespace", "demo", ""),
        ("Role", "llm-d-orchestrator", "demo"),
        ("RoleBinding", "llm-d-orchestrator", "demo"),
        ("ClusterRole", "llm-d-orchestrator-demo", ""),
        ("ClusterRoleBinding", "llm-d-orchestrator-demo", ""),
        ("ClusterRole", "llm-d-orchestrator-demo-reader", ""),
        ("ClusterRoleBinding", "llm-d-orchestrator-demo-reader", ""),
    ]
    assert documents[2]["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}]
    # With the namespace made by the administrator, only reading it is left; it is granted in the namespace.
    assert refused(WANTED[2:5], documents[1]["rules"]) == []
    assert refused([Permission("get", "", "namespaces", "demo", "demo")], documents[1]["rules"]) == []
    assert refused(WANTED[5:6], documents[3]["rules"]) == []
    assert refused(WANTED[6:], documents[5]["rules"]) == []
    assert "namespaces" not in json.dumps(documents[3:])
    assert text.index("# missing") < text.index("deployments") < text.index("# already granted")


@pytest.mark.parametrize("user", ["", "jane", 'o"dd: {name}', "system:admin"])
def test_a_subject_is_yaml_whatever_the_name(user: str) -> None:
    assert yaml.safe_load(subject(user))["name"] == (user or "REPLACE-ME")


def test_needs_are_said_shortly() -> None:
    text = compact(WANTED[2:5] + WANTED[6:])
    assert text == "in namespace demo: get, create services; get deployments.apps; cluster-wide: list nodes"


SOME = [
    Permission("list", "", "pods", "demo"),
    Permission("get", "", "pods", "demo"),
    Permission("list", "", "nodes", optional=True),
]

HELD = dataclasses.replace(SOME[1], held=True, why="Role epp grants it")


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (Access("jane", tuple(SOME[:2]), role="ROLE"), {"LLMD741": ("jane lacks", "list, get pods", "ROLE")}),
        (Access("jane", (HELD,), role="ROLE"), {"LLMD742": ("Role epp grants it", "escalate", "ROLE")}),
        (Access("jane", (SOME[0], HELD)), {"LLMD741": ("list pods",), "LLMD742": ("LLMD741",)}),
        (Access("jane", (SOME[2],)), {"LLMD743": ("cluster-wide: list nodes",)}),
        (Access("jane", (), (SOME[0],)), {"LLMD744": ("list pods",)}),
        (Access("jane"), {}),
        (None, {}),
    ],
)
def test_what_is_missing_is_a_finding(access: Access | None, expected: dict[str, tuple[str, ...]]) -> None:
    model = World().model()
    model.facts = dataclasses.replace(model.facts, access=access)
    found = {item.rule: item for item in check(model)}
    assert set(found) == set(expected)
    for name, words in expected.items():
        assert all(word in found[name].message + found[name].hint for word in words), found[name]


def test_llm_d_access_weighs_the_findings() -> None:
    model = World().model()
    model.facts = dataclasses.replace(model.facts, access=Access("jane", (SOME[0],)))
    found = check(model)
    severities = {access: [item.severity for item in weighed(found, access)] for access in ("block", "warn", "off")}
    assert severities == {"block": ["error"], "warn": ["warning"], "off": []}


def test_in_the_namespace_of_an_adopted_gateway_nothing_is_made() -> None:
    found = needs([], KINDS, Scope("demo", "gate", frozenset({"gate"}), adopted=True))
    there = {(need.verb, need.target) for need in found if need.namespace == "gate" and not need.optional}
    reads = {("list", "services"), ("list", "pods"), ("get", "pods/portforward"), ("create", "pods/portforward")}
    assert there == reads
    assert Permission("create", "", "namespaces") not in found
    own = {(need.verb, need.target) for need in needs([], KINDS, Scope("demo", "gate")) if need.namespace == "gate"}
    assert ("create", "secrets") in own


def test_what_is_made_before_the_releases_is_needed_too() -> None:
    kinds = {**KINDS, ("batch", "Job"): ("jobs", True)}
    job = Item({"kind": "Job"}, "Job", "batch", "v1", "download", "demo", "prepare")
    space = Item({"kind": "Namespace"}, "Namespace", "", "v1", "demo", "", "prepare")
    found = needs([job, space], kinds, Scope("demo", "demo"))
    assert Permission("create", "batch", "jobs", "demo") in found
    assert Permission("create", "", "namespaces") not in found
