# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack on NVIDIA Dynamo from outside: kubectl and HTTP, none of the collection's own code."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import typing as t

import pytest

MODELS = {
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.1-70B-Instruct",
    "mistralai/Mixtral-8x22B-Instruct-v0.1",
}
CLASSES = {"task_router": 12, "complexity_router": 7}


@pytest.fixture(scope="module")
def kubectl() -> list[str]:
    """Return how kubectl is called for the lab."""
    state = pathlib.Path(os.environ["LAB_STATE"])
    return [json.loads((state / "lab.json").read_text())["kubectl"], "--kubeconfig", str(state / "kubeconfig")]


@contextlib.contextmanager
def forwarded(kubectl: list[str], namespace: str, service: str, port: int) -> t.Iterator[int]:
    """Yield the local port that leads to a Service."""
    command = [*kubectl, "-n", namespace, "port-forward", f"service/{service}", f":{port}"]
    forward = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = forward.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert found, line
        yield int(found[1])
    finally:
        forward.terminate()
        forward.wait()


@pytest.fixture(scope="module")
def frontend(kubectl: list[str]) -> t.Iterator[int]:
    """Yield the local port of the frontend."""
    with forwarded(kubectl, os.environ["STACK_NAMESPACE"], "vllm-frontend-frontend", 8000) as port:
        yield port


@pytest.fixture(scope="module")
def router(kubectl: list[str]) -> t.Iterator[int]:
    """Yield the local port of the router's controller."""
    with forwarded(kubectl, os.environ["ROUTER_NAMESPACE"], "llm-router-router-controller", 8084) as port:
        yield port


def ask(port: int, path: str, body: dict | None = None) -> tuple[int, dict[str, str], dict]:
    """Return status, headers (names in lower case) and JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        text = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, text, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, json.loads(reply.read())
    finally:
        connection.close()


def test_every_graph_is_ready(kubectl: list[str]) -> None:
    command = [*kubectl, "-n", os.environ["STACK_NAMESPACE"], "get", "dynamographdeployments", "-o", "json"]
    graphs = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["items"]
    assert len(graphs) == len(MODELS) + 1
    ready = [one for graph in graphs for one in graph["status"]["conditions"] if one["type"] == "Ready"]
    assert [one["status"] for one in ready] == ["True"] * len(graphs)


def test_the_frontend_lists_every_model(frontend: int) -> None:
    status, _headers, listed = ask(frontend, "/v1/models")
    assert status == 200
    assert {one["id"] for one in listed["data"]} == MODELS


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_model_answers_by_its_name(frontend: int, model: str) -> None:
    status, _headers, answer = ask(frontend, "/v1/completions", {"model": model, "prompt": "Hello", "max_tokens": 4})
    assert (status, answer["model"]) == (200, model)


def test_a_model_that_is_not_there_is_not_answered(frontend: int) -> None:
    assert ask(frontend, "/v1/completions", {"model": "nobody/nothing", "prompt": "Hello"})[0] == 404


@pytest.mark.parametrize("policy", sorted(CLASSES))
def test_each_class_leads_to_its_model(router: int, policy: str) -> None:
    status, _headers, config = ask(router, "/config")
    classes = next(one["llms"] for one in config["policies"] if one["name"] == policy)
    assert (status, len(classes)) == (200, CLASSES[policy])
    for one in classes:
        choice = {"policy": policy, "routing_strategy": "manual", "model": one["name"]}
        body = {"model": "", "messages": [{"role": "user", "content": "Hello"}], "nim-llm-router": choice}
        status, headers, answer = ask(router, "/v1/chat/completions", body)
        assert (status, headers["x-chosen-classifier"], answer["model"]) == (200, one["name"], one["model"])


@pytest.mark.parametrize("policy", sorted(CLASSES))
def test_the_classifier_chooses(router: int, policy: str) -> None:
    choice = {"policy": policy, "routing_strategy": "triton", "model": ""}
    body = {"model": "", "messages": [{"role": "user", "content": "Hello"}], "nim-llm-router": choice}
    status, headers, answer = ask(router, "/v1/chat/completions", body)
    assert status == 200
    assert headers["x-chosen-classifier"]
    assert answer["model"] in MODELS
