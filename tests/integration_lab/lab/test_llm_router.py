# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A router on the lab from end to end: what it answers, when it is silent, and when it takes a new config."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import graphs_there as dynamo
import plane_stack as make
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.policies import CLASSES
from kubernetes.client.exceptions import ApiException
from plane_client import Answer, Lab, eventually

PATIENCE = 120.0
CONTROLLER = "app.kubernetes.io/component=router-controller"
POLICY = "task_router"


class Router:
    """A controller in front of one model server of its namespace."""

    def __init__(self, lab: Lab, namespace: str) -> None:
        self.lab, self.namespace = lab, namespace

    def deploy(self, classes: tuple[str, ...] = CLASSES[POLICY], base: str = "http://front:8000") -> None:
        """Put the controller up with one policy, or give it another config."""
        url = f"http://llm-router-router-server:8000/v2/models/{POLICY}_ensemble/infer"
        llms = [{"name": name, "api_base": base, "model": "small-model"} for name in classes]
        dynamo.controller(self.lab, self.namespace, "llm-router", [{"name": POLICY, "url": url, "llms": llms}])

    def pod(self) -> str:
        """The controller's pod, once it is ready."""
        (name,) = eventually(lambda: self.lab.pods(self.namespace, CONTROLLER), PATIENCE)
        return name

    def get(self, path: str) -> Answer:
        return self.lab.http(self.namespace, self.pod(), 8084, "GET", path)

    def serves(self) -> bool:
        """Whether it answers; it closes connections while its models cannot be reached."""
        there = self.lab.get("kwok.x-k8s.io/v1alpha1", "PortForward", self.namespace, self.pod())
        return bool(there) and not self.closed()

    def answers(self) -> bool:
        """Whether its port can be reached, which is so a moment after its pod is Ready."""
        try:
            return self.get("/config").status == 200
        except http.client.RemoteDisconnected:
            return False

    def ask(self, text: str = "Write Python code", **wish: Any) -> Answer:
        body = self.body(text, **wish)
        return self.lab.http(self.namespace, self.pod(), 8084, "POST", "/v1/chat/completions", body)

    def body(self, text: str, **wish: Any) -> dict[str, Any]:
        params = {"policy": POLICY, "routing_strategy": "triton", **wish}
        return {"messages": [{"role": "user", "content": text}], "nim-llm-router": params}

    def classes(self) -> list[str]:
        """The classes that the controller has."""
        return [llm["name"] for llm in self.get("/config").json()["policies"][0]["llms"]]

    def closed(self, **wish: Any) -> bool:
        """Whether the controller closes the connection; asked without the port-forward, which does not pass it on."""
        forward = self.lab.get("kwok.x-k8s.io/v1alpha1", "PortForward", self.namespace, self.pod())
        port = next(row["target"]["port"] for row in forward["spec"]["forwards"] if row["ports"] == [8084])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(self.body("Hello", **wish)))
            connection.getresponse()
        except http.client.RemoteDisconnected:
            return True
        finally:
            connection.close()
        return False


@pytest.fixture(scope="module")
def router(lab: Lab, new_namespace: Callable[[], str]) -> Router:
    """A router that serves."""
    found = Router(lab, new_namespace())
    service = {"selector": {"app": "front"}, "ports": [{"port": 8000}]}
    lab.apply(
        make.model(found.namespace, "small", {"app": "front"}),
        make.obj("v1", "Service", "front", found.namespace, spec=service),
    )
    dynamo.triton(lab, found.namespace)
    found.deploy()
    eventually(found.serves, PATIENCE)
    return found


def test_the_classifier_and_the_model_answer(router: Router) -> None:
    answer = router.ask()
    assert (answer.status, answer.json()["model"]) == (200, "small-model")
    assert 'requests_per_model{model="Code Generation"}' in router.get("/metrics").body.decode()
    log = router.lab.core.read_namespaced_pod_log(router.pod(), router.namespace)
    assert 'Chosen Classifier: "Code Generation"' in log


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"policy": "other"}, 404),
        ({"routing_strategy": "Triton"}, 400),
        ({"routing_strategy": "manual", "model": "Poetry"}, 404),
        ({"routing_strategy": "manual", "model": "Other"}, 200),
    ],
)
def test_answers(router: Router, wish: dict[str, str], status: int) -> None:
    assert router.ask(**wish).status == status


def test_connections_that_are_closed(router: Router) -> None:
    assert router.closed(routing_strategy=None)
    assert not router.closed()


def test_a_config_counts_from_the_next_start_on(router: Router) -> None:
    first = router.pod()
    router.deploy(CLASSES[POLICY][:3], base="http://nobody:8000")
    eventually(lambda: "nobody" in str(router.lab.get("v1", "ConfigMap", router.namespace, "llm-router-policies")))
    assert router.classes() == list(CLASSES[POLICY])
    router.lab.core.delete_namespaced_pod(first, router.namespace)
    eventually(lambda: router.lab.pods(router.namespace, CONTROLLER) not in ([], [first]), PATIENCE)
    eventually(router.answers)
    assert router.classes() == list(CLASSES[POLICY][:3])
    # The class past the end, and a server that is not there.
    assert router.closed(routing_strategy="triton")
    assert router.closed(routing_strategy="manual", model="Chatbot")


def test_a_path_without_a_service_is_refused(router: Router) -> None:
    hosts = 'ingress.hosts=[{"host": "a.example", "paths": [{"path": "/", "pathType": "Prefix"}]}]'
    objects = dynamo.rendered("llm-router", router.namespace, "--set", "ingress.enabled=true", "--set-json", hosts)
    (ingress,) = (item for item in objects if item["kind"] == "Ingress")
    ingress["metadata"]["namespace"] = router.namespace
    with pytest.raises(ApiException, match="Invalid"):
        router.lab.apply(ingress)
