# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LLM-Orchestrator's servers: at what they end, what they reach, who runs a workflow."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from plane_objects import obj, service
from router_objects import key_of, secret
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.kubelet.logs import PodLogs
from serving_plane.network import Network
from serving_plane.orchestrator.servers import Orchestrators
from serving_plane.servers.counters import Counters
from serving_plane.servers.messages import Call, Reply
from serving_plane.servers.orchestrators import API, MIGRATION, WORKER, program_of
from serving_plane.servers.servers import servers

URLS = {
    "DATABASE_URL": "postgresql://o:pw@postgres/orchestrator",
    "REDIS_URL": "redis://cache.example.com",
    "NATS_URL": "nats://nats.example.com",
}
READY = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
WORKFLOW = {"steps": [{"id": "one", "input": "two"}]}


def program(name: str, *args: str, command: list[str] | None = None) -> dict[str, Any]:
    """A pod that runs the program."""
    env = [{"name": key, **key_of("environment", key)} for key in URLS]
    container = {"name": name, "image": "r/orchestrator:1", "args": list(args), "env": env}
    container |= {"ports": [{"name": "http", "containerPort": 8080}, {"name": "grpc", "containerPort": 50051}]}
    container |= {"command": command} if command else {}
    spec = {"nodeName": "n", "containers": [container]}
    return obj("Pod", name, labels={"app": "orchestrator"}, spec=spec, status=READY)


def server(mode: str) -> dict[str, Any]:
    return program(mode, "server", f"--mode={mode}", "--config=/etc/orchestrator.yaml")


class Plane:
    """Servers over a snapshot, with a database in the cluster."""

    def __init__(self, folder: Path, *more: dict[str, Any], **urls: str) -> None:
        container = {"name": "postgres", "ports": [{"containerPort": 5432}]}
        container["env"] = [{"name": "POSTGRES_PASSWORD", "value": "pw"}]
        database = obj("Pod", "pg", labels={"app": "pg"}, spec={"containers": [container]}, status=READY)
        self.pods = {"api": server("api"), "worker": server("worker"), "init": program("init", "db", "init")}
        self.items = [
            obj("Namespace", "demo", ""),
            secret("environment", **{**URLS, **urls}),
            service("postgres", {"app": "pg"}, 5432),
            database,
            *more,
        ]
        self.logs = PodLogs(folder / "logs")
        self.plane = Orchestrators(folder / "kept.json", self.logs)

    def start(self, *names: str) -> dict[str, str]:
        """Start pods by name, one after the other; what those say that end, by name."""
        uids, said = {pod["metadata"]["uid"]: name for name, pod in self.pods.items()}, {}
        for name in names:
            self.items += [self.pods[name]] if self.pods[name] not in self.items else []
            said = {uids[uid]: text for uid, text in self.plane.look(Snapshot(self.items)).items()}
        return said

    def ask(self, method: str, path: str, body: Any = None, pod: str = "api") -> Reply:
        network = Network(Counters())
        network.snapshot = Snapshot(self.items)
        call = Call(method, path, body=json.dumps(body).encode() if body else b"")
        return asyncio.run(self.plane.answer(self.pods[pod], servers(self.pods[pod])[0], call, network))


def test_containers_are_known_by_their_verbs() -> None:
    found = [program_of(pod) for pod in (server("api"), server("worker"), program("x", "db", "init"))]
    assert [one.kind for one in found if one] == [API, WORKER, MIGRATION]
    assert program_of(program("x", "run", "workflow.yaml")) is None
    assert program_of(program("x", "server", "--mode=api")) is None
    assert [one.port for one in servers(server("api"))] == [8080]


def test_a_worker_runs_what_an_api_server_takes(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    assert plane.start("init", "api") == {}
    made = plane.ask("POST", "/api/v1/workflows", WORKFLOW)
    identity = json.loads(made.body)["id"]
    assert made.status == 202
    assert json.loads(plane.ask("GET", f"/api/v1/workflows/{identity}").body)["status"] == "queued"
    assert plane.start("worker") == {}
    found = json.loads(plane.ask("GET", f"/api/v1/workflows/{identity}").body)
    assert found == {"id": identity, "status": "succeeded", "worker": "worker", "output": {"one": "two"}}
    assert "workflow_executions_total 1" in plane.ask("GET", "/metrics", pod="worker").body.decode()
    assert plane.ask("GET", "/api/v1/workflows/none").status == 404
    assert plane.ask("POST", "/api/v1/workflows", {"steps": []}).status == 422


def test_workers_of_other_namespaces_take_nothing(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    other = [obj("Namespace", "other", ""), secret("environment", **URLS)]
    for item in (other[1], plane.pods["worker"]):
        item["metadata"]["namespace"] = "other"
    urls = {"DATABASE_URL": "postgresql://o:pw@db.example.com/orchestrator"}
    for item in (plane.items[1], other[1]):
        item["data"] |= secret("x", **urls)["data"]
    plane.items += other
    plane.start("init", "api", "worker")
    identity = json.loads(plane.ask("POST", "/api/v1/workflows", WORKFLOW).body)["id"]
    assert json.loads(plane.ask("GET", f"/api/v1/workflows/{identity}").body)["status"] == "queued"


def test_without_migrations_servers_end(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    assert 'relation "workflows" does not exist' in plane.start("api")["api"]
    assert plane.start("init", "api") == {}


def test_a_restart_of_the_plane_loses_nothing(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    plane.start("init", "api", "worker")
    identity = json.loads(plane.ask("POST", "/api/v1/workflows", WORKFLOW).body)["id"]
    plane.plane = Orchestrators(tmp_path / "kept.json", plane.logs)
    assert json.loads(plane.ask("GET", f"/api/v1/workflows/{identity}").body)["status"] == "succeeded"


def policy(*ports: int) -> dict[str, Any]:
    rules = [{"ports": [{"port": port, "protocol": "TCP"}]} for port in ports]
    spec = {"podSelector": {"matchLabels": {"app": "orchestrator"}}, "policyTypes": ["Egress"], "egress": rules}
    return obj("NetworkPolicy", "strict", api="networking.k8s.io/v1", spec=spec)


@pytest.mark.parametrize(
    ("more", "urls", "said"),
    [
        ([], {"DATABASE_URL": "postgresql://o:pw@pg.invalid/o"}, "failed to lookup address information"),
        ([], {"DATABASE_URL": "postgresql://o:pw@nowhere/o"}, "failed to lookup address information"),
        ([], {"DATABASE_URL": "postgresql://o:pw@postgres:5433/o"}, "postgres:5433: Connection refused"),
        ([], {"DATABASE_URL": "postgresql://o:other@postgres/o"}, 'password authentication failed for user "o"'),
        ([policy(6379, 4222)], {}, "postgres:5432: Connection timed out"),
        ([policy(5432, 4222, 6379)], {}, ""),
    ],
)
def test_why_a_database_is_not_reached(tmp_path: Path, more: list[Any], urls: dict[str, str], said: str) -> None:
    text = Plane(tmp_path, *more, **urls).start("init").get("init", "")
    assert said in text
    assert bool(text) is bool(said)


@pytest.mark.parametrize("what", ["database", "cache", "queue"])
def test_ready_tells_what_is_down(tmp_path: Path, what: str) -> None:
    plane = Plane(tmp_path)
    plane.start("init", "api")
    assert plane.ask("GET", "/ready").status == 200
    plane.items[0]["metadata"]["annotations"] = {"lab.llm-d.ai/down": what}
    reply = plane.ask("GET", "/ready")
    assert (reply.status, json.loads(reply.body)[what]) == (503, "unavailable")
    assert plane.ask("GET", "/health").status == 200
    assert plane.ask("POST", "/api/v1/workflows", WORKFLOW).status == (202 if what == "cache" else 503)
