# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The proxy of a router that stands alone: it asks the endpoint picker that its configuration names, then a pod.

It has no routes: each request goes to a ready pod of the picker's pool, or nowhere.
"""

from __future__ import annotations

import re
from itertools import count

from .cluster.snapshot import Object, Snapshot
from .network import Network, Unreachable
from .servers.counters import Counters
from .servers.endpoints import Endpoint, picker_pool, pool_endpoints, prefill_endpoints
from .servers.messages import Call, Reply, text_reply
from .servers.model_server import is_completion, model_of
from .servers.picker_config import picker_config
from .servers.pods import call_pod
from .servers.servers import Server, server_on, servers

# Envoy's ext_proc cluster, and agentgateway's endpointPicker.
PICKERS = (
    re.compile(r"address: (\S+)\s+port_value: (9\d+)\s*$", re.MULTILINE),
    re.compile(r"host: [\"']?([^\s:\"']+):(\d+)"),
)
HERE = ("127.0.0.1", "localhost")
NO_HOST = "no healthy upstream"


class RouterProxies:
    """Answers for the proxies of all routers; the endpoints of a picker take turns."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._turns: dict[str, count[int]] = {}

    async def answer(self, pod: Object, server: Server, call: Call, network: Network) -> Reply:
        """The reply to a request that came in on a proxy's port."""
        snapshot = network.snapshot
        try:
            place = _picker(pod, network)
        except Unreachable as exc:
            return text_reply(503, NO_HOST, f"no endpoint picker answers: {exc}")
        picker = server_on(place.pod, place.port)
        if picker is None or picker.kind != "epp":
            return text_reply(503, NO_HOST, f"no endpoint picker listens on {_name(place)}")
        problem, pool = picker_config(place.pod, snapshot).problem, picker_pool(place.pod, picker, snapshot)
        if problem or pool is None:
            return text_reply(503, NO_HOST, f"endpoint picker {_name(place)}: {problem or 'its pool does not exist'}")
        if is_completion(call):
            self._counters.ask(place.pod["metadata"]["uid"], model_of(call))
        return await self._send(pool, snapshot, call)

    async def _send(self, pool: Object, snapshot: Snapshot, call: Call) -> Reply:
        name = f"{pool['metadata']['namespace']}/{pool['metadata']['name']}"
        found, prefill = pool_endpoints(pool, snapshot), prefill_endpoints(pool, snapshot)
        if not found:
            return text_reply(503, NO_HOST, f"pool {name} has no ready endpoint")
        endpoint = self._turn(found, name)
        chosen = self._turn(prefill, f"{name} prefill") if prefill else None
        reply = await call_pod(endpoint.pod, endpoint.port, call, snapshot, self._counters, chosen)
        if reply is None:
            return text_reply(503, "upstream connect error: Connection refused", f"{_name(endpoint)} does not listen")
        reply.note = f"pool {name}, pod {_name(endpoint)}" + (f": {reply.note}" if reply.note else "")
        return reply

    def _turn(self, found: list[Endpoint], name: str) -> Endpoint:
        return found[next(self._turns.setdefault(name, count())) % len(found)]


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.pod['metadata']['name']}:{endpoint.port}"


def _picker(pod: Object, network: Network) -> Endpoint:
    """The picker that a proxy's configuration names: in its own pod, or behind a Service. Raises Unreachable."""
    host, port = _named(pod, network.snapshot)
    if host not in HERE:
        return network.endpoint(host, port, pod["metadata"]["namespace"])
    if not any(item.port == port for item in servers(pod)):
        raise Unreachable(f"nothing listens on {host}:{port}: Connection refused")
    return Endpoint(pod, port)


def _named(pod: Object, snapshot: Snapshot) -> tuple[str, int]:
    """Host and port of the picker in the configurations that a pod mounts. Raises Unreachable."""
    sources = [volume["configMap"]["name"] for volume in pod["spec"].get("volumes") or [] if volume.get("configMap")]
    for source in sources:
        found = snapshot.get("ConfigMap", pod["metadata"]["namespace"], source)
        for text in (found.get("data") or {}).values() if found else ():
            for pattern in PICKERS:
                if match := pattern.search(text):
                    return match[1], int(match[2])
    raise Unreachable("no configuration names one")
