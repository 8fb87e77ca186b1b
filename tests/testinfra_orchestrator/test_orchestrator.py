# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LLM-Orchestrator on Kubernetes from outside: kubectl and HTTP, none of the collection's own code."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import re
import subprocess
import time
import typing as t

import pytest

WORKFLOWS = "/api/v1/workflows"


@pytest.fixture(scope="module")
def kubectl() -> list[str]:
    """Return how kubectl is called for the stack's namespace."""
    state = pathlib.Path(os.environ["LAB_STATE"])
    program = json.loads((state / "lab.json").read_text())["kubectl"]
    return [program, "--kubeconfig", str(state / "kubeconfig"), "-n", os.environ["STACK_NAMESPACE"]]


@pytest.fixture(scope="module")
def port(kubectl: list[str]) -> t.Iterator[int]:
    """Yield the local port that leads to the API servers' Service."""
    command = [*kubectl, "port-forward", "service/llm-orchestrator", ":80"]
    forward = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = forward.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        assert found, line
        yield int(found[1])
    finally:
        forward.terminate()
        forward.wait()


def asked(port: int, method: str, path: str, body: t.Any = None) -> tuple[int, t.Any]:
    """Return status and JSON of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body=json.dumps(body) if body else None)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, found


def objects(kubectl: list[str], kind: str) -> dict[str, t.Any]:
    """Return the objects of a kind by name."""
    done = subprocess.run([*kubectl, "get", kind, "-o", "json"], capture_output=True, text=True, check=True)
    return {item["metadata"]["name"]: item for item in json.loads(done.stdout)["items"]}


def test_servers_are_ready(port: int) -> None:
    assert asked(port, "GET", "/health")[0] == 200
    assert asked(port, "GET", "/ready") == (200, {"database": "ok", "cache": "ok", "queue": "ok"})


def test_a_worker_runs_a_workflow(port: int, kubectl: list[str]) -> None:
    status, made = asked(port, "POST", WORKFLOWS, {"name": "outside", "steps": [{"id": "one", "input": "two"}]})
    assert status == 202
    deadline, found = time.monotonic() + 30, {"status": "queued"}
    while found["status"] not in ("succeeded", "failed") and time.monotonic() < deadline:
        _status, found = asked(port, "GET", f"{WORKFLOWS}/{made['id']}")
    assert (found["status"], found["output"]) == ("succeeded", {"one": "two"})
    labels = objects(kubectl, "pods")[found["worker"]]["metadata"]["labels"]
    assert labels["app.kubernetes.io/component"] == "worker"


def test_secrets_are_in_the_secret_alone(kubectl: list[str]) -> None:
    secret = objects(kubectl, "secrets")["llm-orchestrator-environment"]["data"]
    assert sorted(secret) == ["DATABASE_URL", "JWT_SECRET", "NATS_URL", "REDIS_URL"]
    others = [objects(kubectl, kind) for kind in ("configmaps", "deployments", "jobs")]
    assert "lab-only" not in json.dumps(others)


def test_tables_are_made_before_servers_start(kubectl: list[str]) -> None:
    (job,) = objects(kubectl, "jobs").values()
    servers = objects(kubectl, "deployments").values()
    assert len(servers) == 2
    assert all(job["status"]["completionTime"] <= one["metadata"]["creationTimestamp"] for one in servers)
