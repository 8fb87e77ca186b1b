# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""HTTP of the runtime: the frontend's OpenAI API, and the system port of workers."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from itertools import count

from ..cluster.snapshot import Object, Snapshot
from ..network import Network
from ..servers.completions import BadRequest, parse_body
from ..servers.counters import Counters, counter_lines, vllm_metrics
from ..servers.messages import Call, Reply, json_reply, text_reply
from ..servers.model_server import COMPLETIONS, complete
from ..servers.servers import Server
from .discovery import Models
from .names import LONG_START, ONE
from .workers import Runtime, runtime

STARTED = int(time.time())
# Where a code says more than its name (lib/llm/src/http/service/openai.rs).
REASONS = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 500: "Internal Server Error"}


class Serving:
    """Answers for the runtime's pods; the requests of each endpoint take turns over its instances."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._turns: dict[object, count[int]] = {}
        self._requests: dict[str, Counter[tuple[str, str, str, str]]] = {}

    async def frontend(self, pod: Object, _server: Server, call: Call, network: Network) -> Reply:
        """The reply of a frontend."""
        own = runtime(pod, network.snapshot)
        if own is None:
            return Reply(404)
        models = Models(own, network.snapshot)
        path = call.path.rstrip("/") or "/"
        if path in COMPLETIONS:
            return await self._completion(own, models, call) if call.method == "POST" else Reply(405)
        if call.method not in ("GET", "HEAD"):
            return Reply(405)
        if path == "/health":
            return json_reply(200, _health(models))
        if path == "/live":
            return json_reply(200, {"status": "live", "message": "Service is live"})
        if path == "/v1/models":
            return json_reply(200, {"object": "list", "data": [_card(name, own) for name in models.endpoints()]})
        if path == "/metrics":
            return text_reply(200, self._frontend_metrics(pod))
        return Reply(404)

    async def worker(self, pod: Object, server: Server, call: Call, network: Network) -> Reply:
        """The reply of a worker's system port."""
        own = runtime(pod, network.snapshot)
        if own is None or call.path not in ("/health", "/live", "/metrics"):
            return text_reply(404, "Route not found")
        if call.path == "/metrics":
            return text_reply(200, self._worker_metrics(own, server))
        namespace, component, endpoint = own.endpoint
        ready = {"status": "notready" if own.problem else "ready", "uptime": {"secs": 1, "nanos": 0}}
        ready["endpoints"] = {endpoint: ready["status"]}
        return json_reply(503 if own.problem else 200, ready, f"{namespace}.{component}.{endpoint}")

    async def _completion(self, own: Runtime, models: Models, call: Call) -> Reply:
        chat = COMPLETIONS[call.path.rstrip("/")]
        try:
            asked = str(parse_body(call.body).get("model") or "")
        except BadRequest as exc:
            return _error(own, 400, str(exc))
        reply = await self._answer(own, models, call, asked)
        status = "success" if reply.status < 400 else "error"
        kind = "chat_completions" if chat else "completions"
        how = "stream" if reply.stream else "unary"
        known = self._requests.setdefault(own.pod["metadata"]["uid"], Counter())
        known[asked.lower(), kind, how, status] += 1
        return reply

    async def _answer(self, own: Runtime, models: Models, call: Call, asked: str) -> Reply:
        found = models.instances(asked)
        if not found:
            return _error(own, 404, "Model not found")
        chosen = self._turn(found, ("decode", own.pod["metadata"]["uid"], asked))
        helpers = models.prefill(chosen, asked)
        if not helpers and chosen.decode and chosen.kind != "vllm":
            return _error(own, 500, "no prefill worker is there for a decode worker that needs one")
        note = f"{_where(chosen)}"
        if helpers:
            helper = self._turn(helpers, ("prefill", chosen.endpoint[0]))
            first = await self._work(helper, call, asked, prefill_only=True)
            if first.status != 200:
                return _error(own, first.status, first.note)
            note = f"{note}, prefill {_where(helper)}"
        reply = await self._work(chosen, call, asked)
        reply.note = f"{note}: {reply.note}" if reply.note else note
        return reply

    async def _work(self, worker: Runtime, call: Call, asked: str, *, prefill_only: bool = False) -> Reply:
        """What a worker makes of a request: it has no name of the model in it, so that any worker answers it."""
        pod = worker.pod
        server = Server("dynamo", 0, models=(asked,))
        own = self._counters.of(pod["metadata"]["uid"], worker.model)
        return await complete(server, replace(call, path=call.path.rstrip("/")), own, prefill_only=prefill_only)

    def _turn(self, found: list[Runtime], key: object) -> Runtime:
        return found[next(self._turns.setdefault(key, count())) % len(found)]

    def _frontend_metrics(self, pod: Object) -> str:
        names = ("model", "endpoint", "request_type", "status")
        counted = self._requests.get(pod["metadata"]["uid"], Counter())
        samples = [(dict(zip(names, key, strict=True)), number) for key, number in sorted(counted.items())]
        return counter_lines("dynamo_frontend_requests_total", samples)

    def _worker_metrics(self, own: Runtime, server: Server) -> str:
        counters = self._counters.of(own.pod["metadata"]["uid"], server.models[0])
        names = ("dynamo_namespace", "dynamo_component", "dynamo_endpoint")
        labels = dict(zip(names, own.endpoint, strict=True))
        text = counter_lines("dynamo_component_requests_total", [(labels, sum(counters.success.values()))])
        return text + (vllm_metrics(server.models[0], counters) if own.version >= LONG_START else "")

    def forget(self, snapshot: Snapshot) -> None:
        """Drop what is known of frontends that are gone."""
        alive = {pod["metadata"]["uid"] for pod in snapshot.all("Pod")}
        for uid in set(self._requests) - alive:
            del self._requests[uid]


def _where(worker: Runtime) -> str:
    return f"pod {worker.pod['metadata']['name']} of {'.'.join(worker.endpoint)}"


def _health(models: Models) -> Object:
    seen = models.all_seen()
    instances = [
        {**dict(zip(("namespace", "component", "endpoint"), item.endpoint, strict=True)), "instance_id": number}
        for number, item in enumerate(seen, 1)
    ]
    endpoints = sorted({f"dyn://{'.'.join(item.endpoint)}" for item in seen})
    return {"status": "healthy", "endpoints": endpoints, "instances": instances}


def _card(name: str, own: Runtime) -> Object:
    return {"id": name, "object": "model" if own.version >= ONE else "object", "created": STARTED, "owned_by": "nvidia"}


def _error(own: Runtime, status: int, message: str) -> Reply:
    if own.version < ONE:
        return json_reply(status, {"error": message}, message)
    return json_reply(
        status, {"message": message, "type": REASONS.get(status, "UnknownError"), "code": status}, message
    )
