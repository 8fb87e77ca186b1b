# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The cluster's network as its pods see it: from a URL to the pod that answers."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import SplitResult, urlsplit

from .cluster.snapshot import Object, Snapshot
from .servers.counters import Counters
from .servers.endpoints import Endpoint, service_endpoints
from .servers.messages import Call, Reply
from .servers.pods import call_pod
from .servers.servers import Server, server_on

CLUSTER_DOMAIN = ["svc", "cluster", "local"]


class Unreachable(Exception):
    """Nothing answers at a URL; the text says why, as a client's connection error does."""


class Network:
    """Takes requests to pods by what listens there; `snapshot` is always given anew.

    `players` answer for servers of their kind: they get the pod, the server, the call and this network.
    """

    def __init__(self, counters: Counters) -> None:
        self.snapshot = Snapshot()
        self.players: dict[str, Player] = {}
        self._counters = counters
        self._random = random.Random()

    async def pod(self, pod: Object, port: int, call: Call) -> Reply | None:
        """The reply of whatever listens on a pod's port; None where nothing does (connection refused)."""
        server = server_on(pod, port)
        if server and server.kind in self.players:
            return await self.players[server.kind](pod, server, call, self)
        return await call_pod(pod, port, call, self.snapshot, self._counters)

    async def fetch(self, url: str, call: Call, namespace: str) -> Reply:
        """The reply to a call that a pod of a namespace makes to a URL, whose path and query become the call's.

        Raises Unreachable where the name does not resolve, nothing is ready behind it, or nothing listens there.
        """
        place = _split(url)
        endpoint = self._endpoint(place, namespace)
        headers = {**call.headers, "host": place.netloc}
        reply = await self.pod(
            endpoint.pod, endpoint.port, replace(call, path=place.path or "/", query=place.query, headers=headers)
        )
        if reply is None:
            raise Unreachable(f"pod {endpoint.pod['metadata']['name']}:{endpoint.port}: Connection refused")
        if reply.status == 0:
            raise Unreachable("connection closed before message completed")
        return reply

    def _endpoint(self, place: SplitResult, namespace: str) -> Endpoint:
        host = place.hostname or ""
        if place.scheme != "http" and self._service(host, namespace):
            raise Unreachable(f"{host} serves no TLS")
        return self.endpoint(host, place.port or 80, namespace)

    def endpoint(self, host: str, port: int, namespace: str) -> Endpoint:
        """A ready pod and its port behind a host name of a namespace. Raises Unreachable."""
        service = self._service(host, namespace)
        if service is None:
            raise Unreachable(f"dns error: failed to lookup address information: {host}")
        found = service_endpoints(service, port, self.snapshot)
        if not found:
            why = "has no such port" if found is None else "has no ready pod"
            name = f"{service['metadata']['namespace']}/{service['metadata']['name']}"
            raise Unreachable(f"Service {name}:{port} {why}: Connection refused")
        return self._random.choice(found)

    def _service(self, host: str, namespace: str) -> Object | None:
        """The Service that a host name or cluster IP means inside a namespace."""
        name, *rest = host.split(".")
        if len(rest) in (0, 1, 2, 4) and rest[1:] == CLUSTER_DOMAIN[: max(len(rest) - 1, 0)]:
            found = self.snapshot.get("Service", rest[0] if rest else namespace, name)
            if found:
                return found
        return next((item for item in self.snapshot.all("Service") if item["spec"].get("clusterIP") == host), None)


def _split(url: str) -> SplitResult:
    try:
        place = urlsplit(url)
        _unused = place.port
    except ValueError as exc:
        raise Unreachable(f"builder error: {exc}") from exc
    if place.scheme not in ("http", "https") or not place.hostname:
        raise Unreachable("builder error: relative URL without a base")
    return place


Player = Callable[[Object, Server, Call, Network], Awaitable[Reply]]
