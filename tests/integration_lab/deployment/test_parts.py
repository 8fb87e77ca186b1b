# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Each kind of part on the lab, by a component that this collection does not have: the folder toy beside this file."""

from __future__ import annotations

import base64
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.given import GIVEN
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy import kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.base import PartsFailed, Result, Work
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.command import Helm
from plane_client import Lab
from small_stack import helm

from playbooks import ROOT, environment

TOY = pathlib.Path(__file__).parent / "toy"
GATEWAY_API = "gateway.networking.k8s.io/v1"
Object = dict[str, Any]


def call(verb: str, parts: list[Object], *, check: bool = False, **params: Any) -> Any:
    """Call a verb for parts on the lab."""
    auth = {"kubeconfig": os.environ["LAB_KUBECONFIG"]}
    params = {"wait_timeout": 60, "helm_binary": helm(), **params}
    with Work(Cluster(auth), params, lambda: Helm(None, auth, helm()), check=check) as work:
        return getattr(kinds, verb)(work, parts)


def actions(result: Result) -> dict[str, str]:
    return {row["name"]: row["action"] for row in result.rows}


def part(namespace: str, kind: str, name: str, **spec: Any) -> Object:
    return {"component": "toy", "name": name, "namespace": namespace, "kind": kind, **spec}


def settings(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def of_each_kind(namespace: str) -> list[Object]:
    """One part of each kind."""
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "toy-job"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1"}]}}},
    }
    return [
        part(namespace, "release", "toy", chart_ref=str(TOY / "chart"), values={"greeting": "hi"}),
        part(namespace, "objects", "toy-objects", objects=[settings("toy-objects", a="1"), job]),
        part(namespace, "kustomization", "toy-extras", path=str(TOY / "overlay"), prune=True),
    ]


def config(lab: Lab, namespace: str, name: str) -> Object | None:
    found = lab.get("v1", "ConfigMap", namespace, name)
    return found.get("data") or {} if found else None


def test_each_kind_is_made_left_alone_mended_and_removed(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    parts = of_each_kind(namespace)
    assert call("settled", parts) is None
    foreseen = call("present", parts, check=True)
    assert foreseen.changed and set(actions(foreseen).values()) == {"created"}
    assert config(lab, namespace, "toy-objects") is None

    made = call("present", parts)
    assert made.changed and set(actions(made).values()) == {"created"}
    assert [row["kind"] for row in made.rows] == ["release", "objects", "kustomization"]
    objects = {(one["kind"], one["name"]): one["ready"] for row in made.rows for one in row["objects"]}
    assert objects == dict.fromkeys(
        [("ConfigMap", "toy"), ("Deployment", "toy"), ("ConfigMap", "toy-objects"), ("Job", "toy-job"),
         ("ConfigMap", "extras"), ("Deployment", "extras")], True
    )  # fmt: skip
    assert config(lab, namespace, "toy") == {"greeting": "hi"}
    assert config(lab, namespace, "extras") == {"colour": "green"}

    again = call("present", parts)
    assert not again.changed and set(actions(again).values()) == {"unchanged"} and again.diff == []
    settled = call("settled", parts)
    assert [row["action"] for row in settled] == ["unchanged"] * 3
    rendered = call("render", parts, check=True)
    assert set(rendered) == {("toy", "toy"), ("toy", "toy-objects"), ("toy", "toy-extras")}
    assert rendered["toy", "toy-extras"][0]["metadata"]["namespace"] == namespace

    lab.core.patch_namespaced_config_map("extras", namespace, {"data": {"colour": "red"}})
    lab.core.patch_namespaced_config_map("toy", namespace, {"data": {"greeting": "no"}})
    assert call("settled", parts) is None
    mended = call("present", parts)
    assert actions(mended) == {"toy": "repaired", "toy-objects": "unchanged", "toy-extras": "updated"}
    assert config(lab, namespace, "extras") == {"colour": "green"} and config(lab, namespace, "toy")["greeting"] == "hi"

    gone = call("absent", parts)
    assert gone.changed and set(actions(gone).values()) == {"removed"}
    left = [item.metadata.name for item in lab.core.list_namespaced_config_map(namespace).items]
    assert set(left) <= set(GIVEN["ConfigMap"])
    assert not call("absent", parts).changed


def test_what_a_part_no_longer_has_is_pruned_by_label(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    others = {**part(namespace, "objects", "other", objects=[settings("other")]), "component": "another"}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}, "stringData": {"x": "y"}}
    call("present", [others])
    call("present", [part(namespace, "objects", "toy", objects=[settings("a"), settings("b"), secret, claim])])
    lab.apply({**settings("nobodys"), "metadata": {"name": "nobodys", "namespace": namespace}})

    fewer = part(namespace, "objects", "toy", objects=[settings("a")])
    assert not call("present", [fewer]).changed
    assert lab.get("v1", "ConfigMap", namespace, "b")
    assert call("settled", [fewer]) is not None
    pruning = {**fewer, "prune": True}
    assert call("settled", [pruning]) is None
    assert call("present", [pruning], check=True).changed and lab.get("v1", "ConfigMap", namespace, "b")
    result = call("present", [pruning])
    assert {
        (one["kind"], one["name"]) for row in result.rows for one in row["objects"] if one["action"] == "removed"
    } == {
        ("ConfigMap", "b"),
        ("Secret", "b"),
    }
    assert lab.get("v1", "ConfigMap", namespace, "b") is None and lab.get("v1", "Secret", namespace, "b") is None
    for kind, name in (("ConfigMap", "a"), ("ConfigMap", "other"), ("ConfigMap", "nobodys")):
        assert lab.get("v1", kind, namespace, name), name
    assert lab.get("v1", "PersistentVolumeClaim", namespace, "data")
    assert not call("present", [pruning]).changed and call("settled", [pruning]) is not None


@pytest.mark.parametrize("kind", ["objects", "kustomization"])
def test_what_is_anothers_is_refused_and_left_as_it_is(lab: Lab, new_namespace: Callable[[], str], kind: str) -> None:
    namespace = new_namespace()
    foreign = settings("extras", colour="mine")
    lab.apply({**foreign, "metadata": {**foreign["metadata"], "namespace": namespace}})
    spec = {"objects": [settings("first"), settings("extras")]} if kind == "objects" else {"path": str(TOY / "overlay")}
    parts = [part(namespace, kind, "toy", **spec)]
    with pytest.raises(OrchestratorError, match=rf"ConfigMap {namespace}/extras exists and was not created by this"):
        call("present", parts)
    assert config(lab, namespace, "extras") == {"colour": "mine"} and config(lab, namespace, "first") is None
    assert lab.get("apps/v1", "Deployment", namespace, "extras") is None
    assert not call("absent", parts).changed and config(lab, namespace, "extras") == {"colour": "mine"}
    assert call("present", parts, adopt=True).changed
    assert call("absent", parts).changed and lab.get("v1", "ConfigMap", namespace, "extras") is None


def test_a_kustomization_may_not_take_in_what_is_elsewhere(new_namespace: Callable[[], str]) -> None:
    remote = part(new_namespace(), "kustomization", "toy", path=str(TOY / "remote"))
    with pytest.raises(OrchestratorError) as error:
        call("present", [remote])
    assert "remote/kustomization.yaml: https://github.com/kubernetes-sigs/kustomize" in str(error.value)
    assert "set remote to true" in str(error.value)


def test_an_overlay_is_laid_over_a_folder(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    images = [{"name": "registry.k8s.io/pause", "newTag": "3.9"}]
    laid = part(
        namespace, "kustomization", "toy", path=str(TOY / "base"), overlay={"namePrefix": "x-", "images": images}
    )
    call("present", [laid], image_registry="site.example/mirror")
    found = lab.get("apps/v1", "Deployment", namespace, "x-extras")
    assert (
        found["spec"]["template"]["spec"]["containers"][0]["image"] == "site.example/mirror/registry.k8s.io/pause:3.9"
    )


def test_a_kind_that_nothing_handles_is_named() -> None:
    with pytest.raises(OrchestratorError, match="the part b of toy is of the kind 'ansible'"):
        call("present", [part("n", "objects", "a", objects=[]), part("n", "ansible", "b")])


def test_what_cannot_become_ready_is_said_and_ends_the_wait(new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    pod = {"nodeSelector": {"no": "where"}, "containers": [{"name": "c", "image": "busybox:1"}]}
    labels = {"app": "lost"}
    lost = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "lost"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
    }
    with pytest.raises(PartsFailed) as error:
        call("present", [part(namespace, "objects", "toy", objects=[lost]), *of_each_kind(namespace)[:1]])
    assert "Deployment lost: 0 of 1 pods ready" in str(error.value) and "Unschedulable" in str(error.value)
    assert [row["name"] for row in error.value.rows] == ["toy"], "what follows is not begun"


def test_a_definition_is_there_before_what_it_defines(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    group = f"{namespace}.example"
    names = {"kind": "Toy", "plural": "toys", "singular": "toy"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"toys.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced",
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]},
    }  # fmt: skip
    toy = {"apiVersion": f"{group}/v1", "kind": "Toy", "metadata": {"name": "bear"}, "spec": {"size": 1}}
    parts = [part(namespace, "objects", "toy", objects=[toy, definition])]
    assert call("present", parts, check=True).changed
    assert call("present", parts).changed and not call("present", parts).changed
    call("absent", [{**parts[0], "keep": ["CustomResourceDefinition"]}])
    assert lab.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", f"toys.{group}")
    assert call("absent", parts).changed


def test_secrets_come_from_the_call_and_go_into_no_record(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "type": "Opaque"}
    parts = [part(namespace, "objects", "toy", objects=[secret], fill={"token": {"KEY": "toy_token"}})]
    made = call("present", parts, secrets={"toy_token": "hunter22"})
    assert lab.get("v1", "Secret", namespace, "token")["data"] == {"KEY": base64.b64encode(b"hunter22").decode()}
    assert made.rows[0]["manifests"][0]["data"] == {"KEY": "(masked)"} and "hunter22" not in str(made.rows + made.diff)
    assert not call("present", parts, secrets={"toy_token": "hunter22"}).changed


def test_routes_are_attached_and_those_that_collide_are_not_applied(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    route = {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "metadata": {"name": "one"}, "spec": {"rules": [{}]}}
    parts = [part(namespace, "objects", "toy", objects=[route], gateway={"name": "", "namespace": namespace})]
    with pytest.raises(OrchestratorError, match=f"Namespace {namespace} has several Gateways"):
        call("present", parts)
    listener = {"name": "http", "port": 80, "protocol": "HTTP"}
    metadata = {"name": "door", "namespace": namespace}
    spec = {"gatewayClassName": "istio", "listeners": [listener]}
    lab.apply({"apiVersion": GATEWAY_API, "kind": "Gateway", "metadata": metadata, "spec": spec})
    made = call("present", parts)
    assert made.rows[0]["objects"][0]["ready"] is True
    found = lab.get(GATEWAY_API, "HTTPRoute", namespace, "one")
    assert [ref["name"] for ref in found["spec"]["parentRefs"]] == ["door"]
    again = {**route, "metadata": {"name": "two"}}
    with pytest.raises(
        OrchestratorError, match=f"Routes on Gateway {namespace}/door would conflict. Nothing was applied"
    ):
        call("present", [{**parts[0], "objects": [again]}])
    assert lab.get(GATEWAY_API, "HTTPRoute", namespace, "two") is None
    # With the first one pruned there is nothing to collide with.
    assert call("present", [{**parts[0], "objects": [again], "prune": True}]).changed
    assert lab.get(GATEWAY_API, "HTTPRoute", namespace, "one") is None


def test_what_was_recorded_comes_back(lab: Lab, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "stringData": {"KEY": "hunter22"}}
    first = call("present", [part(namespace, "objects", "toy", objects=[settings("a", x="1"), secret])])
    kept = {key: first.rows[0][key] for key in ("component", "kind", "name", "namespace", "manifests")}
    call("present", [part(namespace, "objects", "toy", objects=[settings("a", x="2"), settings("b")])])
    assert call("restored", [kept], check=True).changed and config(lab, namespace, "a") == {"x": "2"}
    assert call("restored", [kept]).changed
    assert config(lab, namespace, "a") == {"x": "1"} and lab.get("v1", "ConfigMap", namespace, "b") is None
    assert lab.get("v1", "Secret", namespace, "token"), "what a record does not hold stays"
    assert not call("restored", [kept]).changed


def test_the_shared_role_deploys_it_and_a_second_run_changes_nothing(
    new_namespace: Callable[[], str], tmp_path: pathlib.Path
) -> None:
    variables = ["-e", f"toy_namespace={new_namespace()}", "-e", f"llm_d_helm_binary={helm()}"]
    line = ["ansible-playbook", str(TOY / "play.yml"), "-i", "toy,", *variables]
    line += ["-e", f"llm_d_kubeconfig={os.environ['LAB_KUBECONFIG']}"]
    env = environment(tmp_path) | {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections")}
    for changed in ("true", "false"):
        done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f'"component_result.changed": {changed}' in done.stdout
