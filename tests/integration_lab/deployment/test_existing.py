# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A pool and a route for servers that somebody else runs: planned, verified, removed, and the servers as they were."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab, eventually

from playbooks import Run, play

OBJECTIVE = {
    "apiVersion": "inference.networking.x-k8s.io/v1alpha2",
    "kind": "InferenceObjective",
    "metadata": {"name": "interactive"},
    "spec": {"priority": 100},
}
POOL_API, ROUTE_API = "inference.networking.k8s.io/v1", "gateway.networking.k8s.io/v1"
MODEL, LABELS = "org/theirs", {"app": "theirs"}


def servers(namespace: str) -> dict[str, Any]:
    """Model servers as somebody applies them by hand."""
    container = {
        "name": "vllm",
        "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1",
        "args": ["--model", MODEL, "--port", "8200"],
        "ports": [{"containerPort": 8200, "name": "http"}],
    }
    spec = {"replicas": 2, "selector": {"matchLabels": LABELS}}
    spec["template"] = {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}}
    metadata = {"name": "theirs", "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


class Stack:
    """A namespace in which servers run, and the variables that put a pool and a route before them."""

    def __init__(self, lab: Lab, folder: pathlib.Path, namespace: str) -> None:
        self.lab, self.folder, self.namespace = lab, folder, namespace
        self.objects: list[dict[str, Any]] = [OBJECTIVE]
        self.deployments = lab.resource("apps/v1", "Deployment")
        lab.apply(servers(namespace))
        eventually(lambda: self.theirs().status.get("readyReplicas") == 2)

    def theirs(self) -> Any:
        return self.deployments.get(name="theirs", namespace=self.namespace)

    def play(self, name: str, app: str = "theirs", **more: Any) -> Run:
        model = {"name": "theirs", "model": MODEL, "existing": True, "labels": {"app": app}, "port": 8200}
        model["pool"] = {"objects": self.objects}
        return play(self.folder, name, llm_d_namespace=self.namespace, llm_d_models=[model], **more)

    def names(self, api: str, kind: str) -> set[str]:
        return {item.metadata.name for item in self.lab.resource(api, kind).get(namespace=self.namespace).items}


@pytest.fixture(scope="module")
def stack(lab: Lab, tmp_path_factory: pytest.TempPathFactory, new_namespace: Callable[[], str]) -> Stack:
    return Stack(lab, tmp_path_factory.mktemp("existing"), new_namespace())


def test_labels_that_no_pod_has_are_refused_before_anything_is_changed(stack: Stack) -> None:
    run = stack.play("site", "their")
    assert run.code != 0 and "LLMD108" in run.text, run.text
    assert "has the labels of model theirs (app=their)" in run.text and "closest is pod theirs-" in run.text, run.text
    assert stack.names(POOL_API, "InferencePool") == set()


def test_pool_and_route_go_before_servers_that_stay_as_they_are(stack: Stack) -> None:
    before = stack.theirs()
    run = stack.play("site")
    assert run.code == 0 and "the models answer" in run.text, run.text
    assert stack.names(POOL_API, "InferencePool") == {"gaie-theirs"}
    again = stack.play("site")
    assert (again.code, again.changed) == (0, 0), again.text
    for name, said in (("verify", "VERIFIED"), ("status", "no drift"), ("diagnose", "nothing is wrong")):
        run = stack.play(name)
        assert run.code == 0 and said in run.text, run.text
    assert stack.theirs().spec == before.spec and stack.theirs().metadata.labels == before.metadata.labels


def test_objects_beside_the_pool_are_changed_and_removed_with_it(stack: Stack) -> None:
    name, kind = "interactive", (OBJECTIVE["apiVersion"], OBJECTIVE["kind"])
    live = stack.lab.get(*kind, stack.namespace, name)
    assert live and live["spec"]["poolRef"]["name"] == "gaie-theirs"
    stack.objects = [{**OBJECTIVE, "spec": {"priority": 50}}]
    run = stack.play("site")
    assert run.code == 0 and "priority 100 → 50" in run.text, run.text
    stack.objects = [{**OBJECTIVE, "spec": {"prioritty": 50}}]
    run = stack.play("plan")
    assert run.code != 0 and "prioritty" in run.text, run.text
    stack.objects = []
    run = stack.play("site", llm_d_prune=True)
    assert run.code == 0 and stack.lab.get(*kind, stack.namespace, name) is None, run.text
    stack.objects = [OBJECTIVE]
    run = stack.play("rollback", rollback_confirm=True)
    assert run.code == 0 and stack.lab.get(*kind, stack.namespace, name), run.text


def test_teardown_leaves_them(stack: Stack) -> None:
    before = stack.theirs()
    run = stack.play("teardown", teardown_confirm=True)
    assert run.code == 0, run.text
    assert stack.names(POOL_API, "InferencePool") | stack.names(ROUTE_API, "HTTPRoute") == set()
    assert stack.names(OBJECTIVE["apiVersion"], OBJECTIVE["kind"]) == set()
    after = stack.theirs()
    assert after.metadata.uid == before.metadata.uid and after.status.readyReplicas == 2
