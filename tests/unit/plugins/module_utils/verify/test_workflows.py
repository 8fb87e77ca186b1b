# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The verification of LLM-Orchestrator against an HTTP server that answers as its servers do, or wrongly."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify import workflows
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.http import HttpTarget
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import Options
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.stack import Targets, verify

from verify.dynamo_world import Cluster

LABELS = {part: {"app": "orchestrator", "part": part} for part in ("api", "worker")}
GOOD: dict[str, tuple[int, Any]] = {
    "GET /health": (200, {}),
    "GET /ready": (200, {"database": "ok", "cache": "ok", "queue": "ok"}),
    "GET /metrics": (200, "workflow_executions_total 1\n"),
    "POST /api/v1/workflows": (202, {"id": "w1"}),
    "GET /api/v1/workflows/w1": (200, {"id": "w1", "status": "succeeded", "worker": "worker-1", "output": {"a": 1}}),
}
TOLD = {
    "name": "llm-orchestrator",
    "namespace": "demo",
    "service": "llm-orchestrator",
    "port": 80,
    "scheme": "http",
    "metrics_port": 9090,
    "paths": {"health": "/health", "ready": "/ready", "metrics": "/metrics", "workflows": "/api/v1/workflows"},
    "labels": LABELS,
    "workflow": {"name": "probe", "steps": [{"id": "a"}]},
}


class Server:
    """An HTTP server that gives set answers, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers = dict(GOOD)
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                outer.asked.append((f"{self.command} {self.path}", self.headers.get("Authorization") or ""))
                status, body = outer.answers.get(f"{self.command} {self.path}", (404, "not found"))
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = _answer  # noqa: N815 - the names of http.server

            def log_message(self, *_args: Any) -> None:
                return

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def pod(name: str, part: str, ready: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": str(ready)}]
    spec = {"containers": [{"name": part, "ports": [{"name": "http", "containerPort": 8080}]}]}
    metadata = {"name": name, "namespace": "demo", "labels": LABELS[part]}
    return {"kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Running", "conditions": conditions}}


SERVICE = {
    "kind": "Service",
    "metadata": {"name": "llm-orchestrator", "namespace": "demo"},
    "spec": {"selector": LABELS["api"], "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """An HTTP server in the place of every pod."""
    made = Server()
    monkeypatch.setattr(workflows, "SETTLE_SECONDS", 0.3)

    def target(_client: Any, _namespace: str, _pod: str, _port: int, scheme: str = "http") -> HttpTarget:
        return HttpTarget(scheme, "127.0.0.1", made.server.server_port)

    monkeypatch.setattr(workflows, "PodTarget", target)
    yield made
    made.server.shutdown()
    made.server.server_close()


def probe(*objects: Any, token: str = "", **told: Any) -> dict[str, Any]:
    """Return the result of a verification."""
    wanted = Targets([], orchestrators=[{**TOLD, **told}], token=token)
    items = objects or (SERVICE, pod("api-1", "api"), pod("worker-1", "worker"))
    return verify(Cluster(*items), Options("demo", timeout=1.0), wanted, lambda *_args, **_facts: None)


def test_all_holds(server: Server) -> None:
    found = probe(token="a.b.c")  # noqa: S106 - of no server
    assert found["failures"] == []
    assert [check["name"] for check in found["checks"]] == [
        *("service", "health", "ready", "workflow", "workers", "metrics")
    ]
    (row,) = found["models"]
    assert (row["ok"], row["served_by"], row["status"]) == (True, ["worker-1"], 202)
    assert ("POST /api/v1/workflows", "Bearer a.b.c") in server.asked
    assert found["asks"][0].path == "/api/v1/workflows"


WRONG: list[tuple[dict[str, tuple[int, Any]], str, str]] = [
    ({"GET /health": (500, "down")}, "health", "500 down"),
    ({"GET /ready": (503, {"database": "ok", "cache": "ok", "queue": "unavailable"})}, "ready", "its queue"),
    ({"POST /api/v1/workflows": (404, "")}, "workflow", "llm_orchestrator_workflows_path"),
    ({"POST /api/v1/workflows": (401, "")}, "workflow", "verify_token"),
    ({"POST /api/v1/workflows": (422, {"error": "no"})}, "workflow", "llm_orchestrator_workflow to"),
    ({"GET /api/v1/workflows/w1": (200, {"status": "queued"})}, "workflow", "no worker has run it"),
    ({"GET /api/v1/workflows/w1": (200, {"status": "failed", "output": "boom"})}, "workflow", "boom"),
    ({"GET /metrics": (200, "up 1\n")}, "metrics", "workflow_executions_total is missing"),
]


@pytest.mark.parametrize(("answers", "name", "said"), WRONG)
def test_what_does_not_hold(server: Server, answers: dict[str, tuple[int, Any]], name: str, said: str) -> None:
    server.answers |= answers
    found = probe()
    (failure,) = found["failures"]
    assert failure.startswith(f"llm-orchestrator: {name}: ")
    assert said in failure
    assert not found["models"][0]["ok"]
    assert found["summary"] == "1 of 1 models behind Service llm-orchestrator did not pass."


def test_pods_that_are_not_there(server: Server) -> None:
    found = probe(SERVICE, pod("api-1", "api"), pod("worker-1", "worker", ready=False))
    assert ["0 of 1 workers are ready" in text for text in found["failures"]] == [True]
    found = probe(SERVICE, pod("api-1", "api", ready=False), pod("worker-1", "worker"))
    assert "has no ready pod behind it" in found["failures"][0]
    assert "does not exist" in probe(pod("worker-1", "worker"))["failures"][0]


def test_without_a_workflow_only_readiness_is_asked(server: Server) -> None:
    found = probe(workflow={})
    assert found["failures"] == []
    assert not [path for path, _token in server.asked if path.startswith("POST")]
