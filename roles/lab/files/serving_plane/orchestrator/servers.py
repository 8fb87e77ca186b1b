# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""API servers that take workflows and workers that run them, each in a pod; what they know is in their database."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ..cluster.snapshot import Object, Snapshot, is_deleted, is_ready
from ..kubelet.logs import PodLogs
from ..network import Network
from ..servers.environment import Missing, resolved
from ..servers.messages import Call, Reply, json_reply, text_reply
from ..servers.orchestrators import API, WORKER, program_of
from ..servers.servers import Server
from .stores import NAMES, Store, store

WORKFLOWS = "/api/v1/workflows"
NO_TABLES = 'error returned from database: relation "workflows" does not exist'
METRICS = (
    *("workflow_executions_total", "workflow_success_rate", "workflow_active_count", "task_executions_total"),
    *("task_retry_count", "task_failure_rate", "cpu_usage_percent", "memory_usage_bytes", "queue_depth"),
    *("worker_utilization", "llm_api_calls_total", "llm_token_usage_total", "llm_cost_usd_total"),
)
HISTOGRAMS = ("workflow_duration_seconds", "task_duration_seconds", "llm_api_latency_seconds")


@dataclass
class Database:
    """What a database holds: whether it has tables, and its workflows."""

    migrated: bool = False
    workflows: dict[str, Object] = field(default_factory=dict)


class Orchestrators:
    """The servers' pods by their uid, with the environment that they have read at their start, and the databases.

    Both are kept in a file, so that a restart of the plane loses neither.
    """

    def __init__(self, kept: Path, logs: PodLogs) -> None:
        self._kept = kept
        self._logs = logs
        held: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        self._running: dict[str, dict[str, str]] = held.get("running", {})
        self._databases = {key: Database(**one) for key, one in held.get("databases", {}).items()}
        self._done: Counter[str] = Counter()

    def look(self, snapshot: Snapshot) -> dict[str, str]:
        """Start what was scheduled and can start; the log of each pod, by uid, whose program ends with an error."""
        crashes: dict[str, str] = {}
        for pod in snapshot.all("Pod"):
            uid, program = pod["metadata"]["uid"], program_of(pod)
            if program and pod["spec"].get("nodeName") and not is_deleted(pod) and uid not in self._running:
                text = self._start(pod, program.container, program.kind, snapshot)
                crashes |= {uid: text} if text else {}
        gone = set(self._running) - {pod["metadata"]["uid"] for pod in snapshot.all("Pod")}
        for uid in gone:
            del self._running[uid]
        if gone:
            self._write()
        return crashes

    def _start(self, pod: Object, container: Object, kind: str, snapshot: Snapshot) -> str:
        """Start a program; what it leaves in its log where it ends at once, "" where it runs or is not begun."""
        try:
            env = resolved(pod, container, snapshot)
            if kind in (API, WORKER):
                _config(pod, container, snapshot)
        except Missing:
            return ""
        except yaml.YAMLError as exc:
            return _line("ERROR", f"cannot read orchestrator.yaml: {' '.join(str(exc).split())}")
        wanted = ("database",) if kind not in (API, WORKER) else tuple(NAMES)
        for what in wanted:
            found = store(what, pod, env, snapshot)
            if found.problem:
                return _line("ERROR", found.text)
            if what == "database":
                database = self._databases.setdefault(found.key, Database())
                if kind not in (API, WORKER):
                    database.migrated = True
                elif not database.migrated:
                    return _line("ERROR", NO_TABLES)
        self._running[pod["metadata"]["uid"]] = env
        said = {API: "listening", WORKER: "waiting for work"}.get(kind, "migrations are complete")
        self._logs.write(pod["metadata"]["uid"], [_line("INFO", said)])
        self._write()
        return ""

    def _write(self) -> None:
        self._kept.touch(0o600)
        held = {key: {"migrated": one.migrated, "workflows": one.workflows} for key, one in self._databases.items()}
        self._kept.write_text(json.dumps({"running": self._running, "databases": held}), encoding="utf-8")

    async def answer(self, pod: Object, server: Server, call: Call, network: Network) -> Reply:
        """The reply of an API server's or a worker's pod."""
        env = self._running.get(pod["metadata"]["uid"])
        if env is None:
            return Reply(0, note="the server has not started")
        if call.path == "/metrics":
            return Reply(200, self._metrics(pod, env, network.snapshot).encode(), {"content-type": "text/plain"})
        if call.path == "/health":
            return json_reply(200, {"status": "healthy"})
        stores = {what: store(what, pod, env, network.snapshot) for what in NAMES}
        if call.path == "/ready":
            return self._ready(pod, stores)
        if server.kind == API and (call.path == WORKFLOWS or call.path.startswith(f"{WORKFLOWS}/")):
            return self._workflows(pod, stores, call, network.snapshot)
        return text_reply(404, "not found\n")

    def _ready(self, pod: Object, stores: dict[str, Store]) -> Reply:
        broken = [one for one in stores.values() if one.problem]
        for one in broken:
            self._logs.append(pod["metadata"]["uid"], _line("WARN", one.text))
        body = {what: "unavailable" if one.problem else "ok" for what, one in stores.items()}
        return json_reply(503 if broken else 200, body)

    def _workflows(self, pod: Object, stores: dict[str, Store], call: Call, snapshot: Snapshot) -> Reply:
        broken = next((stores[what] for what in ("database", "queue") if stores[what].problem), None)
        if broken:
            self._logs.append(pod["metadata"]["uid"], _line("ERROR", broken.text))
            return json_reply(503, {"error": f"{broken.what} is unavailable"})
        database, queue = self._databases[stores["database"].key], stores["queue"].key
        take = partial(self._run, database, queue, snapshot)
        name = call.path.removeprefix(WORKFLOWS).strip("/")
        if call.method == "POST" and not name:
            return self._accept(database, call, take)
        if call.method != "GET" or not name:
            return json_reply(405, {"error": "method not allowed"})
        found = database.workflows.get(name)
        if found is None:
            return json_reply(404, {"error": f"no workflow {name}"})
        take(found)
        return json_reply(200, {key: found[key] for key in ("id", "status", "worker", "output")})

    def _accept(self, database: Database, call: Call, take: Any) -> Reply:
        try:
            body = json.loads(call.body)
        except ValueError as exc:
            return json_reply(400, {"error": f"invalid JSON: {exc}"})
        if not isinstance(body, dict) or not body.get("steps"):
            return json_reply(422, {"error": "a workflow needs steps"})
        row = {"id": str(uuid.uuid4()), "status": "queued", "worker": None, "output": None, "workflow": body}
        database.workflows[row["id"]] = row
        self._write()
        take(row)
        return json_reply(202, {"id": row["id"]})

    def _run(self, database: Database, queue: str, snapshot: Snapshot, row: Object) -> None:
        """Hand queued work to a worker that takes it of the same queue; without one it stays queued."""
        if row["status"] != "queued":
            return
        for pod in snapshot.all("Pod"):
            uid, program = pod["metadata"]["uid"], program_of(pod)
            env = self._running.get(uid)
            if not program or program.kind != WORKER or env is None or not is_ready(pod):
                continue
            mine = {what: store(what, pod, env, snapshot) for what in ("database", "queue")}
            if mine["queue"].problem or mine["queue"].key != queue or mine["database"].problem:
                continue
            steps = row["workflow"]["steps"]
            output = {str(one.get("id", index)): one.get("input") for index, one in enumerate(steps)}
            row |= {"status": "succeeded", "worker": pod["metadata"]["name"], "output": output}
            self._done[uid] += 1
            self._logs.append(uid, _line("INFO", f"workflow {row['id']} succeeded"))
            self._write()
            return

    def _metrics(self, pod: Object, env: dict[str, str], snapshot: Snapshot) -> str:
        done = self._done[pod["metadata"]["uid"]]
        database = self._databases.get(store("database", pod, env, snapshot).key, Database())
        queued = sum(row["status"] == "queued" for row in database.workflows.values())
        known = {"workflow_executions_total": done, "task_executions_total": done, "queue_depth": queued}
        known["workflow_success_rate"] = 1
        lines = [f"{name} {known.get(name, 0)}" for name in METRICS]
        for name in HISTOGRAMS:
            count = 0 if name.startswith("llm") else done
            lines += [f'{name}_bucket{{le="+Inf"}} {count}', f"{name}_sum {0.1 * count}", f"{name}_count {count}"]
        return "\n".join(lines) + "\n"


def _config(pod: Object, container: Object, snapshot: Snapshot) -> None:
    """Read orchestrator.yaml out of the ConfigMaps that a container mounts. Raises YAMLError."""
    mounted = {item["name"] for item in container.get("volumeMounts") or []}
    for volume in pod["spec"].get("volumes") or []:
        source = volume.get("configMap")
        found = snapshot.get("ConfigMap", pod["metadata"]["namespace"], source["name"]) if source else None
        if found and volume["name"] in mounted:
            for text in (found.get("data") or {}).values():
                yaml.safe_load(text)


def _line(level: str, text: str) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return f"{moment} {level} llm_orchestrator: {text}"
