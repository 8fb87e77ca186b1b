# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The plane's one loop: read the snapshot, compute all that should be, write what differs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Hashable
from functools import partial
from pathlib import Path

from .cluster.api import Api
from .cluster.snapshot import Object, Snapshot, is_deleted, labels_of
from .dynamo.controller import Controller, operator_work, registrations
from .dynamo.failing import SlowStarts
from .dynamo.failing import crashes as dynamo_crashes
from .dynamo.serving import Serving
from .forwards import HEALTH, Route, all_routes, port_forward, stale_forwards
from .gateways.balancer import address_of, balanced, balancer_status
from .gateways.classes import ManagedGateway
from .gateways.infrastructure import GATEWAY_NAME, certificates, gateway_objects, http_ports, pool_service
from .gateways.references import references
from .gateways.statuses import Wanted, class_statuses, gateway_statuses, pool_statuses, route_statuses
from .gateways.view import View
from .kubelet.claims import Claims
from .kubelet.kubelet import Kubelet
from .leaderworkerset import headless_service, plan
from .llm_router.starting import Routers
from .network import Network
from .orchestrator.servers import Orchestrators
from .proxy import Proxy
from .router_proxy import RouterProxies
from .servers.counters import Counters
from .servers.messages import Call, Reply, text_reply
from .servers.orchestrators import API, WORKER
from .servers.servers import PROXY, ROUTER, TRITON
from .sockets import Sockets
from .writer import Writer

LOG = logging.getLogger("serving_plane")
SETTLE = 0.02
REST = 0.03
RETRY = 1.0


class Reconciler:
    """Holds the cluster to what the objects in it ask for."""

    def __init__(self, api: Api, snapshot: Snapshot, state_dir: Path, *, load_balancer: bool) -> None:
        self.snapshot = snapshot
        self._load_balancer = load_balancer
        self._writer = Writer(api, snapshot)
        self._counters = Counters()
        self._proxy = Proxy(self._counters)
        self._network = Network(self._counters)
        self._network.snapshot = snapshot
        self._operators = Controller()
        self._dynamo = Serving(self._counters)
        self._network.players |= {"dynamo-frontend": self._dynamo.frontend, "dynamo-worker": self._dynamo.worker}
        self._network.players[PROXY] = RouterProxies(self._counters).answer
        self._kubelet = Kubelet(self._writer, state_dir / "pod_logs")
        self._claims = Claims(state_dir / "claims")
        routers = Routers(state_dir / "llm_router.json", self._kubelet.logs, self._claims)
        self._kubelet.crashes += [dynamo_crashes, SlowStarts(self._touch_in).look, routers.look]
        self._network.players |= {ROUTER: routers.controller, TRITON: routers.triton}
        orchestrators = Orchestrators(state_dir / "orchestrators.json", self._kubelet.logs)
        self._kubelet.crashes.append(orchestrators.look)
        self._network.players |= dict.fromkeys((API, WORKER), orchestrators.answer)
        self.sockets = Sockets()
        self._touched = asyncio.Event()
        self._refused: set[Hashable] = set()

    def touch(self) -> None:
        """Something has changed: look again soon."""
        self._touched.set()

    def _touch_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.touch)

    async def run(self) -> None:
        """Reconcile whenever something was touched, for ever."""
        while True:
            await self._touched.wait()
            await asyncio.sleep(SETTLE)
            self._touched.clear()
            try:
                failed = await self.once()
            except Exception:
                LOG.exception("a pass failed and will be tried again")
                failed = True
            if failed:
                asyncio.get_running_loop().call_later(RETRY, self.touch)
            await asyncio.sleep(REST)

    async def once(self) -> bool:
        """One pass; True if it should be tried again because a write failed."""
        view = View(self.snapshot)
        self._proxy.view = view
        self._writer.changed = False
        failed = await self._writer.run(self._infrastructure(view) + self._worker_sets())
        kubelet = self._kubelet.work(self.snapshot) + self._claims.work(self.snapshot, self._writer)
        failed = await self._writer.run(kubelet) or failed
        failed = await self._operators.upgrade(self.snapshot, self._writer) or failed
        failed = await self._writer.run(operator_work(self.snapshot, self._writer)) or failed
        failed = await self._writer.run(self._statuses(view) + registrations(self.snapshot, self._writer)) or failed
        failed = await self._writer.run(await self._forwards(view)) or failed
        self._counters.forget({pod["metadata"]["uid"] for pod in self.snapshot.all("Pod")})
        self._dynamo.forget(self.snapshot)
        if self._writer.changed:
            self.touch()
        return failed

    def _infrastructure(self, view: View) -> list[Awaitable[None]]:
        work = [self._writer.apply(obj) for obj in certificates(self.snapshot)]
        for gateway in view.gateways.values():
            wanted = gateway_objects(gateway, self.snapshot)
            work += [self._writer.apply(obj) for obj in wanted]
            work += [self._writer.delete(obj, "its Gateway has another class now") for obj in self._outdated(gateway)]
        istio = [item for item in view.attached if item.gateway.implementation.family == "istio"]
        pools = {
            (ref.namespace, ref.name)
            for item in istio
            for ref in references(item.route, self.snapshot)
            if ref.kind == "InferencePool" and not ref.reason
        }
        for key in sorted(pools):
            pool = self.snapshot.get("InferencePool", *key)
            if pool and not is_deleted(pool):
                work.append(self._writer.apply(pool_service(pool)))
        return work

    def _outdated(self, gateway: ManagedGateway) -> list[Object]:
        return [
            obj
            for kind in ("Deployment", "Service", "ServiceAccount")
            for obj in self.snapshot.within(kind, gateway.namespace)
            if labels_of(obj).get(GATEWAY_NAME) == gateway.name
            and obj["metadata"]["name"] != gateway.workload
            and any(ref["uid"] == gateway.uid for ref in obj["metadata"].get("ownerReferences") or [])
            and not is_deleted(obj)
        ]

    def _statuses(self, view: View) -> list[Awaitable[None]]:
        wanted = class_statuses(self.snapshot) + gateway_statuses(self.snapshot, view.gateways, view.attached)
        wanted += route_statuses(self.snapshot, view.attached) + pool_statuses(self.snapshot, view.attached)
        if self._load_balancer:
            wanted += [item for gateway in view.gateways.values() for item in balancer_status(gateway, self.snapshot)]
        return [self._writer.status(item) for item in wanted]

    def _worker_sets(self) -> list[Awaitable[None]]:
        work = []
        for lws in self.snapshot.all("LeaderWorkerSet"):
            if is_deleted(lws):
                continue
            planned = plan(lws, self.snapshot)
            work.append(self._writer.apply(headless_service(lws)))
            work += [self._writer.create(pod) for pod in planned.create]
            work += [self._writer.delete(pod, "its LeaderWorkerSet wants another") for pod in planned.delete]
            work.append(self._writer.status(Wanted(lws, planned.status)))
        return work

    async def _forwards(self, view: View) -> list[Awaitable[None]]:
        routes = all_routes(view)
        wanted: set[Hashable] = {route.key for _unused, found in routes.values() for route in found}
        if self._load_balancer:
            wanted |= await self._open_balancers(view, wanted)
        for key in self.sockets.keys() - wanted:
            await self.sockets.close(key)
        work: list[Awaitable[None]] = []
        for pod, found in routes.values():
            targets = [(route.port, await self._open(pod, route)) for route in found]
            work.append(self._writer.apply(port_forward(pod, targets)))
        names = {(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod, _unused in routes.values()}
        gone = stale_forwards(self.snapshot, names)
        return work + [self._writer.delete(item, "its pod is gone or not ready") for item in gone]

    async def _open(self, pod: Object, route: Route) -> int:
        meta = pod["metadata"]
        if route.key == HEALTH:
            return await self.sockets.open(route.key, "gateway health", _healthy)
        if route.key[0] == "gateway":
            answer = partial(self._proxy.handle, route.key[1], route.port)
            name = f"Gateway {meta['namespace']}/{labels_of(pod)[GATEWAY_NAME]}:{route.port}"
            return await self.sockets.open(route.key, name, answer)
        answer = partial(self._pod, meta["namespace"], meta["name"], route.port)
        return await self.sockets.open(route.key, f"Pod {meta['namespace']}/{meta['name']}:{route.port}", answer)

    async def _pod(self, namespace: str, name: str, port: int, call: Call) -> Reply:
        pod = self.snapshot.get("Pod", namespace, name)
        reply = await self._network.pod(pod, port, call) if pod else None
        return reply or text_reply(503, "", "the pod is gone")

    async def _open_balancers(self, view: View, served: set[Hashable]) -> set[Hashable]:
        """Serve at the load balancers' own addresses the ports that a ready proxy serves, where we may have them."""
        keys: set[Hashable] = set()
        for gateway in view.gateways.values():
            ports = http_ports(gateway) if balanced(gateway, self.snapshot) else []
            for port in (port for port in ports if ("gateway", gateway.uid, port) in served):
                key = ("balancer", gateway.uid, port)
                keys.add(key)
                await self._open_balancer(key, address_of(gateway), port, gateway.uid)
        return keys

    async def _open_balancer(self, key: Hashable, address: str, port: int, uid: str) -> None:
        if key in self._refused or self.sockets.port(key):
            return
        try:
            await self.sockets.open(key, f"{address}:{port}", partial(self._proxy.handle, uid, port), address, port)
            LOG.info("load balancer serves at %s:%d", address, port)
        except OSError as exc:
            self._refused.add(key)
            LOG.warning("load balancer cannot serve at %s:%d: %s", address, port, exc.strerror)


async def _healthy(call: Call) -> Reply:
    return text_reply(200 if call.path == "/healthz/ready" else 404, "")
