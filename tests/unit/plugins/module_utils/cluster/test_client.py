# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Clusters that cannot be used: each is one error, in bounded time."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import tempfile
import threading
import time
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import client as cluster_client
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster


class _Replies(http.server.BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: t.Any) -> None:
        """Print nothing."""


@contextlib.contextmanager
def _server(status: int, body: bytes) -> t.Iterator[int]:
    handler = type("Handler", (_Replies,), {"status": status, "body": body})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextlib.contextmanager
def _silent() -> t.Iterator[int]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@contextlib.contextmanager
def _black_hole() -> t.Iterator[int]:
    """Never accept: a full queue drops what comes next, as a firewall does."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _number in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def _kubeconfig(tmp_path: t.Any, port: int) -> str:
    path = tmp_path / "config"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "c", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("place", [_silent, _black_hole])
def test_a_cluster_that_is_silent_is_given_up_after_one_timeout(place, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(cluster_client, "CONNECT_TIMEOUT", 1)
    begin = time.monotonic()
    with place() as port, pytest.raises(OrchestratorError, match=r"no answer within 1 s"):
        Cluster({"kubeconfig": _kubeconfig(tmp_path, port)})
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (401, b"{}", r"refused the credentials: 401"),
        (403, b"{}", r"refused the credentials: 403"),
        (404, b"", r"did not answer like a Kubernetes API server: 404"),
        (503, b"", r"did not answer like a Kubernetes API server: 503"),
        (200, b"<html>welcome</html>", r"is not a Kubernetes API server"),
        (200, b"{}", r"is not a Kubernetes API server"),
    ],
)
def test_what_answers_is_judged(status, body, message, tmp_path) -> None:
    with _server(status, body) as port, pytest.raises(OrchestratorError, match=message):
        Cluster({"kubeconfig": _kubeconfig(tmp_path, port)})


def test_a_closed_port_is_named(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OrchestratorError, match=rf"Cannot reach the cluster at http://127.0.0.1:{port}"):
        Cluster({"kubeconfig": _kubeconfig(tmp_path, port)})


def test_what_is_served_is_asked_of_the_server_every_time(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    facts = [
        "gitVersion",
        "major",
        "minor",
        "buildDate",
        "compiler",
        "gitCommit",
        "gitTreeState",
        "goVersion",
        "platform",
    ]
    answer = {**dict.fromkeys(facts, "v1"), "kind": "APIGroupList", "versions": ["v1"], "groups": [], "resources": []}
    body = json.dumps(answer).encode()
    with _server(200, body) as port:
        cluster = Cluster({"kubeconfig": _kubeconfig(tmp_path, port)})
        assert cluster.version() == "v1"
        assert cluster.resource("gateway.networking.k8s.io/v1", "HTTPRoute") is None
    assert not list(tmp_path.glob("*.json"))
