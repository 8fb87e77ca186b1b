# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What answers on a pod's port: vLLM, the routing sidecar in front of it, an endpoint picker, or something else."""

from __future__ import annotations

from collections.abc import Callable

from ..cluster.snapshot import Object, Snapshot
from .counters import Counters, picker_metrics
from .endpoints import Endpoint, picker_pool, pool_endpoints
from .messages import Call, Reply, text_reply
from .model_server import answer, is_completion
from .servers import Server, server_on

Pick = Callable[[list[Endpoint]], Endpoint]


async def call_pod(
    pod: Object, port: int, call: Call, snapshot: Snapshot, counters: Counters, prefill: Endpoint | None = None
) -> Reply | None:
    """The reply of whatever listens on a pod's port; None where nothing does (connection refused).

    `prefill` is the prefill endpoint that the endpoint picker chose, which only a routing sidecar looks at.
    """
    server = server_on(pod, port)
    if server is None:
        return None
    if server.kind == "vllm":
        return await answer(pod, server, call, counters)
    if server.kind == "sidecar":
        return await _sidecar(pod, server, call, counters, prefill)
    if server.kind == "epp":
        return _picker(pod, server, call, snapshot, counters)
    return text_reply(404, "404 page not found\n", f"container {server.container} is no model server")


async def _sidecar(pod: Object, sidecar: Server, call: Call, counters: Counters, prefill: Endpoint | None) -> Reply:
    """Ask the prefill pod first, where there is one, then vLLM in the sidecar's own pod."""
    if prefill and is_completion(call):
        first = await _prefill(prefill, call, counters)
        # Since v0.6.0 decode does alone, and silently, what prefill cannot do.
        if first.status != 200 and not (sidecar.falls_back and first.status >= 500):
            return first
    local = server_on(pod, sidecar.vllm_port)
    if local is None or local.kind != "vllm":
        reason = f"failed to connect to vLLM decoder: 127.0.0.1:{sidecar.vllm_port}: connection refused"
        return text_reply(502, "Bad Gateway\n", reason)
    return await answer(pod, local, call, counters)


async def _prefill(prefill: Endpoint, call: Call, counters: Counters) -> Reply:
    remote, name = server_on(prefill.pod, prefill.port), prefill.pod["metadata"]["name"]
    if remote is None or remote.kind != "vllm":
        return text_reply(502, "Bad Gateway\n", f"prefill pod {name}:{prefill.port}: connection refused")
    return await answer(prefill.pod, remote, call, counters, prefill_only=True)


def _picker(pod: Object, server: Server, call: Call, snapshot: Snapshot, counters: Counters) -> Reply:
    if call.path != "/metrics":
        return text_reply(404, "404 page not found\n")
    if server.guarded and not call.headers.get("authorization", "").startswith("Bearer "):
        return text_reply(401, "Unauthorized\n", "its metrics ask for a token")
    pool = picker_pool(pod, server, snapshot)
    name = pool["metadata"]["name"] if pool else server.pool[2]
    ready = {item.pod["metadata"]["uid"] for item in pool_endpoints(pool, snapshot)} if pool else set()
    asked = counters.asked(pod["metadata"]["uid"])
    return text_reply(200, picker_metrics(name, len(ready), asked, server.counters))
