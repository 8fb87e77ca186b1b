# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The plan against a real API server: what it says is what site.yml does, and a plan that is out of date is refused."""

from __future__ import annotations

import json
import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab

from playbooks import Run, play

TOKEN = "hf_plantedInATest0123456789"
RESULT = re.compile(r"^(?:ok|changed): \[lab\] => (\{.*\})$", re.MULTILINE)
SERVER = {"name": "vllm", "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1", "modelCommand": "imageDefault"}
PORTS = [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}]
VALUES = {
    "accelerator": {"type": "cpu"},
    "routing": {"proxy": {"enabled": False}},
    "decode": {
        "create": True,
        "replicas": 1,
        "podAnnotations": {"lab.llm-d.ai/ready-delay": "200ms"},
        "containers": [{**SERVER, "ports": PORTS}],
    },
    "prefill": {"create": False},
}


def extra(kind: str, name: str, **body: Any) -> dict[str, Any]:
    """An object that the gateway's release makes besides its own."""
    api = "apps/v1" if kind == "Deployment" else "v1"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **body}


def deployment(label: str) -> dict[str, Any]:
    """A Deployment without pods whose selector cannot be changed."""
    container = {"name": "idle", "image": "registry.k8s.io/pause:3.10"}
    template = {"metadata": {"labels": {"app": label}}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": label}}, "template": template}
    return extra("Deployment", "extra", spec=spec)


BEFORE = [
    deployment("one"),
    extra("ConfigMap", "dropped", data={"a": "1"}),
    extra("ConfigMap", "frozen", immutable=True, data={"a": "1"}),
    extra("ConfigMap", "kept", data={"a": "1"}),
    extra("Secret", "hidden", stringData={"key": TOKEN + "old"}),
]
AFTER = [
    deployment("two"),
    extra("ConfigMap", "frozen", immutable=True, data={"a": "2"}),
    extra("ConfigMap", "kept", data={"a": "1"}),
    extra("Secret", "hidden", stringData={"key": TOKEN + "new"}),
]


class World:
    """A namespace, a folder for plans and records, and the playbooks there."""

    def __init__(self, folder: pathlib.Path, namespace: str) -> None:
        self.folder, self.namespace, self.extras = folder, namespace, BEFORE

    def play(self, name: str, *args: str, **more: Any) -> Run:
        """Run a playbook for one model; more: variables."""
        variables = {
            "llm_d_namespace": self.namespace,
            "llm_d_models": [{"name": "a", "model": "org/a", "values": VALUES}],
            "gateway_values": {"extraDeploy": self.extras},
            **more,
        }
        return play(self.folder, name, *args, timeout=240, **variables)

    def plan(self, **more: Any) -> dict[str, Any]:
        """Return a new plan."""
        run = self.play("plan", **more)
        assert run.code == 0, run.text
        return json.loads(self.file.read_text())

    @property
    def file(self) -> pathlib.Path:
        return self.folder / "plans" / "lab" / "latest" / "plan.json"


def actions(plan: dict[str, Any]) -> dict[str, str]:
    """Return what changes, by object."""
    rows = [row for row in plan["actions"] if row["action"] != "reuse"]
    return {f"{row['kind']}/{row['name']}": row["action"] for row in rows}


def checked(run: Run) -> dict[str, str]:
    """Return what `site.yml --check -v` says of each object that would change."""
    found: dict[str, str] = {}
    words = {"created": "create", "updated": "update", "removed": "delete"}
    for match in RESULT.finditer(run.text):
        for part in json.loads(match[1]).get("parts") or []:
            rows = [row for row in part["objects"] if row["action"] not in ("reuse", "unchanged")]
            found |= {f"{row['kind']}/{row['name']}": words.get(row["action"], row["action"]) for row in rows}
    return found


@pytest.fixture(scope="module")
def world(new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("plan"), new_namespace())


def test_a_plan_is_carried_out_and_then_used_up(world: World) -> None:
    plan = world.plan()
    assert set(actions(plan).values()) == {"create"}
    assert (plan["consents"], plan["questions"], plan["findings"]) == ([], [], [])
    assert all(plan["state"][f"{row['kind']}/{row['namespace']}/{row['name']}"] for row in plan["actions"])
    production = {"llm_d_environment": "production"}
    first = world.file.resolve()
    approved = {**production, "llm_d_plan": str(first), "llm_d_approved_digest": plan["digest"]}
    done = world.play("site", **approved)
    assert done.code == 0, done.text
    again = world.play("site", **approved)
    assert (again.code, again.changed) == (0, 0), again.text
    assert "The plan is already deployed: nothing remains to be done." in again.text


def test_a_mistake_on_what_is_deployed_is_the_only_one(world: World) -> None:
    run = world.play("plan", gaie_values={"inferenceExtension": {"replcas": 2}})
    assert run.code != 0
    assert "1 mistake found; nothing was changed." in run.text
    assert "inferenceExtension.replcas: the chart never reads it" in run.text


def test_what_was_changed_by_hand_is_said_agrees_with_check_mode_and_is_mended(world: World, lab: Lab) -> None:
    space = world.namespace
    pool = lab.resource("inference.networking.k8s.io/v1", "InferencePool")
    body = {"spec": {"targetPorts": [{"number": 8111}]}}
    pool.patch(name="gaie-a", namespace=space, body=body, content_type="application/merge-patch+json")
    lab.core.delete_namespaced_service_account("gaie-a-epp", space)
    lab.scale(space, "ms-a-llm-d-modelservice-decode", 3)
    lab.core.patch_namespaced_config_map("kept", space, {"data": {"a": "by hand"}})
    route = lab.resource("gateway.networking.k8s.io/v1", "HTTPRoute")
    hosts = {"spec": {"hostnames": ["by.hand"]}}
    route.patch(name="llm-d-a", namespace=space, body=hosts, content_type="application/merge-patch+json")
    world.extras = AFTER
    expected = {
        "InferencePool/gaie-a": "update",
        "ServiceAccount/gaie-a-epp": "create",
        "Deployment/ms-a-llm-d-modelservice-decode": "update",
        "ConfigMap/kept": "update",
        "Deployment/extra": "replace",
        "ConfigMap/dropped": "delete",
        "ConfigMap/frozen": "replace",
        "Secret/hidden": "update",
    }
    plan = world.plan()
    diffs = {f"{row['kind']}/{row['name']}": row["diff"] for row in plan["actions"]}
    # Fields that somebody else owns are left to them: the API server says so, and the apply keeps to it.
    assert actions(plan) == expected
    assert "-  - number: 8111" in diffs["InferencePool/gaie-a"].replace("-- ", "-  - ")
    assert "+  a: '1'" in diffs["ConfigMap/kept"]
    assert TOKEN not in world.file.read_text()
    kinds = sorted(row["id"] for row in plan["consents"])
    names = ("delete:ConfigMap/{0}/dropped", "replace:ConfigMap/{0}/frozen", "replace:Deployment/{0}/extra")
    assert kinds == [name.format(space) for name in names]
    check = world.play("site", "--check", "--diff", "-v")
    assert check.code == 0, check.text
    assert checked(check) == expected
    assert TOKEN not in check.text
    assert re.search(r"^\+ +replicas: 1$", check.text, re.MULTILINE), check.text
    refused = world.play("site")
    assert refused.code != 0
    assert "delete ConfigMap" in refused.text
    done = world.play("site", llm_d_consent=["delete", "replace"], llm_d_plan=str(world.file))
    assert done.code == 0, done.text
    assert lab.get("v1", "ConfigMap", space, "dropped") is None


def test_a_plan_that_is_out_of_date_is_refused_with_what_changed(world: World, lab: Lab) -> None:
    space = world.namespace
    # All was mended.
    assert actions(world.plan()) == {}
    label = {"metadata": {"labels": {"by": "hand"}}}
    lab.core.patch_namespaced_config_map("kept", space, label)
    other = {**VALUES, "decode": {**VALUES["decode"], "replicas": 2}}
    models = [{"name": "a", "model": "org/a", "values": other}]
    run = world.play("site", llm_d_plan=str(world.file), llm_d_models=models)
    assert run.code != 0
    assert "inputs have changed since the plan: modelservice/ms-a changed" in run.text
    assert f"the cluster has changed since the plan: ConfigMap {space}/kept changed" in run.text
    assert "2 mistakes found; nothing was changed." in run.text


def test_others_objects_are_refused_and_nobodys_are_asked_about(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    space, name = new_namespace(), uuid.uuid4().hex[:6]
    theirs = {"meta.helm.sh/release-name": "theirs", "meta.helm.sh/release-namespace": space}
    marks = {"app.kubernetes.io/managed-by": "Helm"}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": space}}
    nobodys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"n-{name}", "namespace": space}}
    listener = {"name": "default", "port": 80, "protocol": "HTTP"}
    gateway = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "shared", "namespace": space},
        "spec": {"gatewayClassName": "istio", "listeners": [listener]},
    }
    lab.apply(
        {**config, "metadata": {**config["metadata"], "annotations": theirs, "labels": marks}},
        {**nobodys, "data": {"a": "1"}},
        gateway,
    )
    world = World(tmp_path, space)
    world.extras = [extra("ConfigMap", "kept", data={"a": "1"}), extra("ConfigMap", f"n-{name}", data={"a": "1"})]
    run = world.play("plan")
    assert run.code != 0
    assert f"ConfigMap {space}/kept: it exists and was not created by this collection" in run.text
    plan = world.plan(llm_d_adopt=True)
    assert {row["id"]: row["granted"] for row in plan["consents"]} == {f"adopt:ConfigMap/{space}/kept": True}
    world.extras = world.extras[1:]
    plan = world.plan()
    asked = {row["id"]: row["answer"] for row in plan["questions"]}
    assert asked == {f"ConfigMap/{space}/n-{name}": None, f"Gateway/{space}/shared": None}
    decisions = {f"ConfigMap/{space}/n-{name}": "reuse", f"Gateway/{space}/shared": "new"}
    done = world.play("site", llm_d_decisions=decisions)
    assert done.code == 0, done.text
    live = lab.get("v1", "ConfigMap", space, f"n-{name}")
    assert live is not None
    assert live["metadata"]["annotations"]["meta.helm.sh/release-name"] == "infra-llm-d"
