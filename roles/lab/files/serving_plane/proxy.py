# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The gateway's data plane: from a request on a listener's port to the reply of a pod."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from itertools import count

from .cluster.snapshot import Object, Snapshot
from .gateways.classes import ManagedGateway
from .gateways.filters import Rewritten, apply_filters, modify
from .gateways.hostnames import host_of
from .gateways.matching import Entry, Request, choose
from .gateways.references import Reference, resolve
from .gateways.view import View, pool_refs
from .servers.commandline import seconds
from .servers.counters import Counters
from .servers.endpoints import (
    Endpoint,
    all_endpoints,
    find_picker,
    pool_endpoints,
    prefill_endpoints,
    service_endpoints,
)
from .servers.messages import Call, Reply, text_reply
from .servers.model_server import is_completion, model_of
from .servers.pods import call_pod

REFUSED = (
    "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, "
    "transport failure reason: delayed connect error: Connection refused"
)


class Proxy:
    """Routes requests by a View, which `view` always gives anew."""

    def __init__(self, counters: Counters) -> None:
        self.view = View(Snapshot())
        self._counters = counters
        self._turns: dict[str, count[int]] = {}
        self._random = random.Random()

    async def handle(self, gateway_uid: str, port: int, call: Call) -> Reply:
        """The reply to a request that came in on a Gateway's port."""
        view = self.view
        gateway = view.by_uid(gateway_uid)
        host = call.headers.get("host", "")
        table = view.listener_table(gateway, port, host_of(host)) if gateway else None
        if gateway is None or table is None:
            return text_reply(404, "", f"no listener takes host {host}")
        request = Request(call.method, host_of(host), call.path, call.headers, call.query_values())
        entry = choose(table.entries, request)
        if entry is None:
            return text_reply(404, "", f"no route matches {call.method} {host}{call.path}")
        return await self._route(view, gateway, entry, call)

    async def _route(self, view: View, gateway: ManagedGateway, entry: Entry, call: Call) -> Reply:
        changed = apply_filters(entry, call.path, call.query, call.headers.get("host", ""), call.headers)
        if changed.unsupported:
            return text_reply(500, "", f"filter {changed.unsupported} is not supported")
        if changed.redirect:
            code, location = changed.redirect
            return Reply(code, headers={"location": location}, note="redirected")
        forwarded = replace(call, path=changed.path, headers={**changed.headers, "host": changed.host})
        timeouts = entry.rule.get("timeouts") or {}
        limit = min(filter(None, (seconds(timeouts.get(name)) for name in ("request", "backendRequest"))), default=None)
        try:
            reply = await asyncio.wait_for(self._backend(view, gateway, entry, forwarded), limit)
        except asyncio.TimeoutError:
            reply = text_reply(504, "upstream request timeout", f"no reply within {limit} s")
        return self._finish(reply, changed, entry)

    def _finish(self, reply: Reply, changed: Rewritten, entry: Entry) -> Reply:
        for modifier in changed.response:
            reply.headers = modify(reply.headers, modifier)
        reply.note = f"HTTPRoute {entry.route['metadata']['name']}: {reply.note}"
        return reply

    async def _backend(self, view: View, gateway: ManagedGateway, entry: Entry, call: Call) -> Reply:
        snapshot = view.snapshot
        refs = [ref for ref in entry.rule.get("backendRefs") or [] if ref.get("weight", 1) > 0]
        if not refs:
            return text_reply(500, "", "the rule has no backend with a weight")
        ref = self._random.choices(refs, [item.get("weight", 1) for item in refs])[0]
        target = resolve(entry.route, ref, snapshot)
        if target.reason:
            return text_reply(500, "", f"{target.reason}: {target.message}")
        obj = snapshot.need(target.kind, target.namespace, target.name)
        if target.kind == "Service":
            return await self._service(snapshot, obj, ref.get("port", 0), target, call)
        asked = self._asked(view, gateway, entry, obj)
        return await self._pool(snapshot, gateway, obj, asked, call)

    async def _service(self, snapshot: Snapshot, service: Object, port: int, target: Reference, call: Call) -> Reply:
        found = service_endpoints(service, port, snapshot)
        if found is None:
            return text_reply(500, "", f"Service {target.name} has no port {port}")
        return await self._try(snapshot, found, call, f"Service {target.namespace}/{target.name}")

    def _asked(self, view: View, gateway: ManagedGateway, entry: Entry, pool: Object) -> Object:
        """The pool whose picker is asked for a request to a pool: its own, but where rules have one name."""
        asking = view.asking(gateway, entry)
        if asking.rule is entry.rule:
            return pool
        target = resolve(asking.route, pool_refs(asking.rule)[0], view.snapshot)
        return pool if target.reason else view.snapshot.need(target.kind, target.namespace, target.name)

    async def _pool(
        self, snapshot: Snapshot, gateway: ManagedGateway, pool: Object, asked: Object, call: Call
    ) -> Reply:
        """The reply of a pool's pod; `asked` is the pool whose picker is asked, which chooses among its own pods only.

        What another's picker chooses is not in the pool's cluster of endpoints: the gateway then takes them in turn.
        """
        name = f"InferencePool {pool['metadata']['namespace']}/{pool['metadata']['name']}"
        picker, problem = find_picker(asked, snapshot, needs_tls_rule=gateway.implementation.needs_tls_rule)
        if problem and asked["spec"]["endpointPickerRef"].get("failureMode", "FailClose") != "FailOpen":
            return text_reply(500, "", f"{name}: {problem}")
        if picker and is_completion(call):
            self._counters.ask(picker.pod["metadata"]["uid"], model_of(call))
        if problem or asked is not pool:
            how = problem or f"the picker of InferencePool {asked['metadata']['name']} was asked, which has other pods"
            return await self._try(snapshot, all_endpoints(pool, snapshot), call, f"{name} without its picker ({how})")
        prefill = prefill_endpoints(pool, snapshot)
        chosen = self._pick(prefill, f"{name} prefill") if prefill else None
        return await self._try(snapshot, pool_endpoints(pool, snapshot), call, name, chosen)

    async def _try(
        self, snapshot: Snapshot, found: list[Endpoint], call: Call, name: str, prefill: Endpoint | None = None
    ) -> Reply:
        if not found:
            return text_reply(503, "no healthy upstream", f"{name} has no ready endpoint")
        endpoint = self._pick(found, name)
        where = f"{name}, pod {endpoint.pod['metadata']['name']}:{endpoint.port}"
        reply = await call_pod(endpoint.pod, endpoint.port, call, snapshot, self._counters, prefill)
        if reply is None:
            return text_reply(503, REFUSED, f"{where} does not listen")
        with_prefill = f", prefill pod {prefill.pod['metadata']['name']}" if prefill else ""
        reply.note = f"{where}{with_prefill}" + (f": {reply.note}" if reply.note else "")
        return reply

    def _pick(self, found: list[Endpoint], name: str) -> Endpoint:
        """The endpoints take turns, per backend."""
        return found[next(self._turns.setdefault(name, count())) % len(found)]
