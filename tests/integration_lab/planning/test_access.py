# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Deployments by a ServiceAccount that may do just what planning asked an administrator for, or less."""

from __future__ import annotations

import copy
import itertools
import json
import os
import pathlib
import re
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from accounts import kubeconfig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects import pod_security
from kubernetes.client.exceptions import ApiException
from plane_client import Lab

from playbooks import Run, play

START = "\n---\napiVersion: "
QUICK = "{'decode': {'podAnnotations': {'lab.llm-d.ai/ready-delay': '200ms'}}}"
SERVER = f"simulated_server | combine({QUICK}, recursive=true)"
MODELS = [{"name": "qwen3-0-6b", "model": "Qwen/Qwen3-0.6B", "values": f"{{{{ {SERVER} }}}}"}]
TWICE = [{**MODELS[0], "values": f"{{{{ {SERVER} | combine({{'decode': {{'replicas': 2}}}}, recursive=true) }}}}"}]


class Account(NamedTuple):
    """A ServiceAccount, and a namespace in which it shall deploy; folder holds its kubeconfig."""

    folder: pathlib.Path
    home: str
    namespace: str

    def play(self, name: str, *args: str, **more: Any) -> Run:
        own = {"llm_d_kubeconfig": str(self.folder / "kubeconfig"), "llm_d_namespace": self.namespace}
        variables = {**own, "llm_d_models": MODELS, "teardown_confirm": True, **more}
        return play(self.folder, name, *args, **variables)

    def plan(self, **more: Any) -> Run:
        """Plan only; mistakes end it."""
        return self.play("site", "--tags", "planning", **{"llm_d_rules": "error", **more})


@pytest.fixture
def account(lab: Lab, tmp_path: pathlib.Path) -> Iterator[Account]:
    token = secrets.token_hex(4)
    home, namespace = f"access-home-{token}", f"access-{token}"
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}}
    lab.apply(space, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "bot", "namespace": home}})
    (tmp_path / "kubeconfig").write_text(kubeconfig(lab, home, "bot"))
    yield Account(tmp_path, home, namespace)
    for name in (home, namespace):
        if lab.get("v1", "Namespace", "", name):
            lab.core.delete_namespace(name)
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        for suffix in ("", "-reader"):
            name = f"llm-d-orchestrator-{namespace}{suffix}"
            if lab.get("rbac.authorization.k8s.io/v1", kind, "", name):
                lab.delete({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}})


def role_in(text: str) -> list[dict[str, Any]]:
    """Return the documents of the Role that a run printed."""
    lines = text[text.index(START) :].splitlines()
    rest = next(number for number, line in enumerate(lines) if line.startswith(("  - LLMD", "What to do", "Origin")))
    return list(yaml.safe_load_all("\n".join(lines[:rest])))


def without(documents: list[dict[str, Any]], verb: str, resource: str) -> list[dict[str, Any]]:
    """Return the documents with a verb of a resource taken away."""
    found = copy.deepcopy(documents)
    for role in (item for item in found if item["kind"] == "Role"):
        rules = [rule | {"resources": [name]} for rule in role["rules"] for name in rule["resources"]]
        for rule in rules:
            rule["verbs"] = [one for one in rule["verbs"] if (one, rule["resources"][0]) != (verb, resource)]
        role["rules"] = [rule for rule in rules if rule["verbs"]]
    return found


def test_the_role_that_planning_asks_for_suffices_for_all_playbooks(lab: Lab, account: Account) -> None:
    documents = role_in(account.plan().text)
    narrow = [item for item in documents if not item["kind"].startswith("Cluster")]
    assert len(narrow) < len(documents)
    lab.apply(*narrow)
    ways: list[tuple[str, dict[str, Any]]] = [
        ("site", {"llm_d_models": TWICE}),
        ("site", {}),
        ("rollback", {"rollback_confirm": True}),
        ("status", {"status_verify": True, "status_fail_on": ["unhealthy", "drift"], "llm_d_models": TWICE}),
        ("diagnose", {}),
    ]
    for name, more in ways:
        run = account.play(name, llm_d_rules="error", **more)
        assert run.code == 0, run.text
        assert name != "status" or "Not checked:" not in run.text, run.text
    assert run.changed == 0, run.text
    run = account.play("teardown")
    assert run.code == 0, run.text
    assert not lab.core.list_namespaced_service(account.namespace).items
    # What is only read in order to check more is a warning, until it is permitted too.
    run = account.plan()
    assert (run.code, run.text.count("LLMD743"), "LLMD741" in run.text) == (0, 1, False), run.text
    lab.apply(*documents)
    run = account.plan()
    assert (run.code, "LLMD74" in run.text) == (0, False), run.text


def test_what_is_missing_is_named_before_anything_is_made(lab: Lab, account: Account) -> None:
    documents = role_in(account.plan().text)
    lab.apply(*without(documents, "create", "services"))
    run = account.plan()
    assert run.code
    assert f"LLMD741 stack: system:serviceaccount:{account.home}:bot lacks permissions" in run.text
    assert f"in namespace {account.namespace}: create services ->" in run.text
    role = next(item for item in role_in(run.text) if item["kind"] == "Role")
    assert role["rules"][0] == {"apiGroups": [""], "resources": ["services"], "verbs": ["create"]}
    run = account.plan(llm_d_access="warn")
    assert (run.code, "LLMD741" in run.text) == (0, True), run.text
    run = account.plan(llm_d_access="off")
    assert (run.code, "LLMD74" in run.text) == (0, False), run.text

    fewer = without(without(documents, "get", "pods"), "patch", "httproutes")
    lab.apply(*fewer)
    run = account.plan()
    assert f"in namespace {account.namespace}: patch httproutes.gateway.networking.k8s.io ->" in run.text
    assert "LLMD742" in run.text
    assert f"in namespace {account.namespace}: get pods (Role gaie-qwen3-0-6b-epp grants it)" in run.text
    free = without(documents, "get", "pods")
    role = next(item for item in free if item["kind"] == "Role")
    rbac = "rbac.authorization.k8s.io"
    role["rules"].append({"apiGroups": [rbac], "resources": ["roles"], "verbs": ["escalate", "bind"]})
    lab.apply(*free)
    assert account.plan().code == 0


MODEL_PODS = [
    {},
    {"hostNetwork": True, "volumes": [{"name": "dev", "hostPath": {"path": "/dev"}}]},
    {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}},
]
CONTEXTS: list[dict[str, Any]] = [
    {},
    {"privileged": True},
    {"runAsUser": 0, "capabilities": {"add": ["IPC_LOCK"]}},
    {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "Unconfined"}},
    {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
    {"seLinuxOptions": {"type": "spc_t"}},
]


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_pods_are_refused_as_the_api_server_refuses_them(lab: Lab, account: Account, level: str) -> None:
    """The server's own admission tries each pod, without making it: it names the same reasons."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": account.namespace, "labels": labels}}
    user = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    user["metadata"]["namespace"] = account.namespace
    lab.apply(space, user)
    for number, (spec, context) in enumerate(itertools.product(MODEL_PODS, CONTEXTS)):
        body = {"containers": [{"name": "vllm", "image": "i", "securityContext": context, "ports": []}], **spec}
        manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}"}, "spec": body}
        expected = {one.name for one in pod_security.refusals(body, level)}
        said = ""
        try:
            lab.core.create_namespaced_pod(account.namespace, manifest, dry_run="All")
        except ApiException as exc:
            said = json.loads(exc.body)["message"]
            assert "violates PodSecurity" in said
        assert bool(expected) is bool(said), (body, expected, said)
        assert all(name in said for name in expected), (body, expected, said)
        reasons = re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", said.partition(": ")[2])
        assert len([part for part in reasons.split(",") if part.strip()]) == len(expected), (expected, said)


def test_a_namespace_that_refuses_the_pods_stops_the_plan(lab: Lab, account: Account) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": account.namespace, "labels": labels}})
    run = account.plan(llm_d_kubeconfig=os.environ["LAB_KUBECONFIG"])
    assert run.code
    assert "LLMD761" in run.text
    assert "refuses pods of qwen3-0-6b" in run.text or "refuses pods of ms-qwen3-0-6b" in run.text, run.text
    assert "containers[0].securityContext.runAsNonRoot: not set" in run.text


@pytest.fixture
def old_gateway_api(lab: Lab) -> Iterator[None]:
    """The lab's Gateway API says that it is an older release."""
    crds = lab.resource("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    name, key = "httproutes.gateway.networking.k8s.io", "gateway.networking.k8s.io/bundle-version"

    def annotate(release: str) -> None:
        body = {"metadata": {"annotations": {key: release}}}
        crds.patch(name=name, body=body, content_type="application/merge-patch+json")

    before = crds.get(name=name).metadata.annotations[key]
    annotate("v1.1.0")
    yield
    annotate(before)


@pytest.mark.usefixtures("old_gateway_api")
def test_a_class_without_a_controller_and_an_old_gateway_api_are_named(lab: Lab, account: Account) -> None:
    nobody = f"nobody-{account.namespace}"
    gateway_class = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": nobody}}
    gateway_class["spec"] = {"controllerName": "example.com/not-installed"}
    lab.apply(gateway_class)
    try:
        run = account.plan(llm_d_kubeconfig=os.environ["LAB_KUBECONFIG"], gateway_class_name=nobody)
    finally:
        lab.delete(gateway_class)
    assert run.code
    assert f"GatewayClass {nobody} is not accepted by its controller example.com/not-installed" in run.text
    assert "Waiting for controller" in run.text
    run = account.plan(llm_d_kubeconfig=os.environ["LAB_KUBECONFIG"])
    assert (run.code, "LLMD765" in run.text) == (0, False), run.text
    assert "needs Gateway API 1.2, the cluster has v1.1.0" in run.text


def test_with_a_gateway_of_others_reading_its_namespace_is_enough(lab: Lab, account: Account) -> None:
    gateway: dict[str, Any] = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}
    gateway["metadata"] = {"name": "shared", "namespace": account.home}
    everyone = {"namespaces": {"from": "All"}}
    listener = {"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": everyone}
    gateway["spec"] = {"gatewayClassName": "istio", "listeners": [listener]}
    lab.apply(gateway)
    other = {"gateway_provider": "none", "gateway_existing_name": "shared", "gateway_namespace": account.home}
    seen = {"apiGroups": ["gateway.networking.k8s.io"], "resources": ["gateways"], "verbs": ["list"]}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    role |= {"metadata": {"name": "look", "namespace": account.home}, "rules": [seen]}
    binding = {**role, "kind": "RoleBinding", "roleRef": {"apiGroup": "", "kind": "Role", "name": "look"}}
    binding.pop("rules")
    binding["subjects"] = [{"kind": "ServiceAccount", "name": "bot", "namespace": account.home}]
    lab.apply(role, binding)
    documents = [item for item in role_in(account.plan(**other).text) if not item["kind"].startswith("Cluster")]
    rules = next(i["rules"] for i in documents if i["kind"] == "Role" and i["metadata"]["namespace"] == account.home)
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "create"}
    assert [rule["resources"] for rule in rules if "create" in rule["verbs"]] == [["pods/portforward"]]
    lab.apply(*documents)
    for name in ("site", "teardown"):
        run = account.play(name, **other, llm_d_rules="error")
        assert run.code == 0, run.text
    assert f"Namespace {account.home}" in run.text
