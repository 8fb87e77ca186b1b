# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads a namespace's objects, asks its models through the Gateway, and reads the counters of their pods."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import time
import typing as t
import uuid

from ansible_collections.llm_d.orchestrator.plugins.module_utils import (
    _probe,
    _probe_conditions,
    _probe_objects,
    _probe_pd,
    _probe_pods,
    _probe_routes,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._forward import (
    Http,
    PodTarget,
    Reply,
    Target,
    TransportError,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._probe import Answer
from ansible_collections.llm_d.orchestrator.plugins.module_utils._probe_objects import Check, Object, name_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils._probe_snapshot import read_snapshot

# Where the objects already tell why nothing is served, waiting longer only delays the message.
SETTLE_SECONDS = 5.0
# A server's counters may lag behind its answer.
COUNTER_SECONDS = 3.0
METRICS_TIMEOUT = 5.0
THREADS = 16


@dataclasses.dataclass
class Options:
    """How to probe; see the module's options of the same names."""

    namespace: str
    gateway: str | None = None
    gateway_namespace: str | None = None
    via: str = "auto"
    prompt: str = "The capital of France is"
    max_tokens: int = 8
    requests: int = 1
    timeout: float = 60.0
    chat: bool = False
    stream: bool = False
    pd: str = "auto"


class Prober:
    """Probes the models of one namespace. emit(name, step, status, **facts) reports timed steps."""

    def __init__(self, cluster: t.Any, options: Options, specs: list[Object], emit: t.Callable[..., t.Any]) -> None:
        self.cluster, self.options, self.specs, self.emit = cluster, options, specs, emit
        self.api_client = cluster.client.client
        self.begin = time.monotonic()
        self._lock = threading.Lock()
        self.snapshot = read_snapshot(cluster, options.namespace, options.gateway_namespace)
        self._read = time.monotonic()
        self.gateway = self._gateway()
        self._counters: dict[str, Http] = {}

    def _gateway(self) -> Object:
        namespace = self.options.gateway_namespace or self.options.namespace
        return _probe_routes.find_gateway(self.snapshot, self.options.gateway, namespace)

    def refresh(self) -> None:
        """Read the objects again where they are older than half a second."""
        with self._lock:
            if time.monotonic() - self._read > 0.5:
                self.snapshot = read_snapshot(self.cluster, self.options.namespace, self.options.gateway_namespace)
                self.gateway = self._gateway()
                self._read = time.monotonic()

    def object_checks(self, spec: Object) -> list[Check]:
        """Return what the objects say about a model."""
        snapshot, gateway = self.snapshot, self.gateway
        found = [
            _probe_pods.check_pods(spec, snapshot),
            _probe_pods.check_selector(spec, snapshot),
            _probe_pods.check_ports(spec, snapshot),
            _probe_conditions.check_picker(spec, snapshot),
            _probe_conditions.check_gateway(spec, gateway),
            _probe_conditions.check_route(spec, snapshot, gateway),
            _probe_conditions.check_pool(spec, snapshot, gateway),
        ]
        return [check for check in found if check is not None]

    def target(self, spec: Object) -> Target:
        """Return where to send a model's requests; raises TransportError where there is no way yet."""
        found = _probe_routes.find_route(spec, self.snapshot, self.gateway)
        listener = _probe_routes.listener_for(self.gateway, found[0] if found else None)
        scheme = "https" if listener.get("protocol") == "HTTPS" else "http"
        via, why = self.options.via, "the Gateway has no address that can be reached from outside the cluster"
        if via in ("auto", "port_forward"):
            service = _probe_routes.find_service(self.gateway, self.snapshot["services"])
            way = service and _probe_routes.forward_target(service, listener["port"], self.snapshot["gateway_pods"])
            if way:
                return PodTarget(self.api_client, _probe_objects.namespace_of(self.gateway), *way, scheme)
            why = "the Gateway has no Service"
            if service:
                why = f"no Ready pod behind Service {name_of(service)} for port {listener['port']} of the Gateway"
        address = _probe_routes.gateway_address(self.gateway)
        if via in ("auto", "address") and address:
            return Target(scheme, address, listener["port"])
        raise TransportError(f"there is no way to Gateway {name_of(self.gateway)}: {why}")

    def request(self, spec: Object) -> tuple[str, dict[str, str]]:
        """Return the path before /v1 and the headers for a model."""
        route, rule = _probe_routes.find_route(spec, self.snapshot, self.gateway) or (None, None)
        return _probe_routes.request_of(spec, rule, route)

    def prefill_pods(self, spec: Object) -> set[str]:
        """Return the names of a model's ready prefill pods."""
        pods = _probe_objects.pods_of(spec, self.snapshot)
        return {name_of(p) for p in pods if _probe_objects.is_ready(p) and _probe_objects.is_prefill(p)}

    def wiring(self, spec: Object) -> _probe_pd.Wiring:
        """Return how the endpoint picker of a model treats prefill pods."""
        return _probe_pd.wiring_of(spec, self.snapshot)

    def ask(
        self, spec: Object, http: Http | None, timeout: float, kind: str = "completions"
    ) -> tuple[Answer, Http | None]:
        """Send one completion (text, chat or stream); return the answer and the connection to reuse."""
        prefix, headers = self.request(spec)
        path = f"{prefix}/v1/{'chat/completions' if kind == 'chat' else 'completions'}"
        answer = Answer(0, asked=f"POST {path}" + (f" (Host {headers['Host']})" if "Host" in headers else ""))
        long = bool(self.prefill_pods(spec))
        threshold = self.wiring(spec).threshold if long else 0
        prompt = _probe.prompt_for(self.options.prompt, uuid.uuid4().hex[:8], long, threshold)
        body: Object = {"model": spec["model"], "max_tokens": self.options.max_tokens, "temperature": 0}
        body.update({"messages": [{"role": "user", "content": prompt}]} if kind == "chat" else {"prompt": prompt})
        if kind == "stream":
            body["stream"] = True
        try:
            if http is None:
                http = Http(self.target(spec))
            answer.target = http.target.text
            reply = http.request("POST", path, body, headers, timeout)
        except TransportError as exc:
            answer.error, answer.transient = str(exc), exc.transient
            return answer, None
        read_answer(answer, reply)
        return answer, http

    def first_answer(self, spec: Object) -> tuple[Answer, Http | None]:
        """Ask until an answer is final or the time is over, with back-off; only while asking again can help."""
        begin, delay, attempts, http = time.monotonic(), 0.2, 0, None
        while True:
            attempts += 1
            left = max(self.options.timeout - (time.monotonic() - begin), 5.0)
            answer, http = self.ask(spec, http, left)
            answer.attempts, answer.waited = attempts, time.monotonic() - begin
            broken = {check.name for check in self.object_checks(spec) if not check.ok}
            if _probe.is_final(answer, "route" not in broken):
                return answer, http
            explained = _probe.is_settling(answer) or broken - {"gateway", "pool"}
            limit = min(self.options.timeout, SETTLE_SECONDS) if explained else self.options.timeout
            if answer.waited + delay > limit:
                return answer, http
            time.sleep(delay)
            delay = min(delay * 1.7, 3.0)
            self.refresh()

    def offered(self, spec: Object, http: Http) -> list[str]:
        """Return the names that /v1/models lists behind a model's path, [] where it does not answer."""
        prefix, headers = self.request(spec)
        try:
            reply = http.request("GET", f"{prefix}/v1/models", None, headers, METRICS_TIMEOUT)
        except TransportError:
            return []
        listing = reply.json()
        entries = listing.get("data") if isinstance(listing, dict) else None
        return [str(entry.get("id")) for entry in entries or [] if isinstance(entry, dict)]

    # Counters

    def counted_pods(self) -> dict[str, int]:
        """Return the ready pods whose counters are read, with their port: those of all models and all pools."""
        pods: dict[str, int] = {}
        pools = [{"name": name_of(pool), "pool": name_of(pool)} for pool in self.snapshot["pools"]]
        for spec in [*self.specs, *pools]:
            pool = _probe_objects.find_pool(spec, self.snapshot)
            ports = [spec["port"]] if spec.get("port") else _probe_objects.pool_ports(pool) if pool else []
            for pod in _probe_objects.pods_of(spec, self.snapshot):
                if _probe_objects.is_ready(pod) and _probe_objects.is_leader(pod):
                    pods.setdefault(name_of(pod), (ports or [8000])[0])
        return pods

    def read_counters(self, pods: dict[str, int]) -> dict[str, _probe.Counters | None]:
        """Return the request counters of pods, None for a pod whose counters cannot be read."""

        def read(pod: str) -> _probe.Counters | None:
            if pod not in self._counters:
                target = PodTarget(self.api_client, self.options.namespace, pod, pods[pod])
                self._counters[pod] = Http(target)
            try:
                reply = self._counters[pod].request("GET", "/metrics", timeout=METRICS_TIMEOUT)
            except TransportError:
                return None
            return _probe.read_counters(reply.text()) if reply.status == 200 else None

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(pods, pool.map(read, pods), strict=True))

    def close(self) -> None:
        """Close what is open."""
        for http in self._counters.values():
            http.close()


def read_answer(answer: Answer, reply: Reply) -> None:
    """Fill an answer from an HTTP reply, streamed (server-sent events) or not."""
    answer.status, answer.seconds, answer.first = reply.status, reply.seconds, reply.first
    value: t.Any = reply.json()
    text = reply.text()
    if value is None and text.startswith("data:"):
        chunks = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        if chunks[-1] == "[DONE]" and len(chunks) > 1:
            value = Reply(200, chunks[0].encode(), {}, 0, 0).json()
    answer.is_json = isinstance(value, dict)
    answer.text = text
    if isinstance(value, dict):
        answer.model = value.get("model")
        choice = (value.get("choices") or [{}])[0]
        said = choice.get("text") or (choice.get("message") or {}).get("content")
        answer.text = said if reply.status == 200 and said else text
