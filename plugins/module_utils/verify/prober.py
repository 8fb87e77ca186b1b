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

from ..base.apis import GATEWAY_API, LWS_API, POOL_APIS
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..objects.pools import (
    Check,
    find_pool,
    is_leader,
    is_prefill,
    is_ready,
    name_of,
    own_pool,
    pods_of,
    pool_ports,
)
from . import conditions, pickers, prefill, verdict
from .entrances import Entrance, GatewayEntrance, ServiceEntrance
from .http import Http, HttpReply, PodTarget, TransportError
from .pods import check_pods, check_ports, check_selector
from .verdict import Answer

# Where the objects already tell why nothing is served, waiting longer only delays the message.
SETTLE_SECONDS = 5.0
# A server's counters may lag behind its answer.
COUNTER_SECONDS = 3.0
METRICS_TIMEOUT = pickers.METRICS_TIMEOUT
TOKENS = "type=kubernetes.io/service-account-token"
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
        self.begin = time.monotonic()
        self._lock = threading.Lock()
        self.snapshot = read_snapshot(cluster, options.namespace, options.gateway_namespace)
        self._read = time.monotonic()
        # All models of a prober come in by the same kind of entrance.
        entrance = ServiceEntrance if any(spec.get("service") for spec in specs) else GatewayEntrance
        self.entrance: Entrance = entrance(cluster, options, self.snapshot)
        self._counters: dict[str, Http] = {}
        self.deaf: dict[str, str] = {}
        self.pickers = pickers.Counts(self._connect, self._tokens)

    def _connect(self, pod: str, port: int) -> Http:
        return Http(PodTarget(self.cluster.client, self.options.namespace, pod, port))

    def _tokens(self) -> list[Object]:
        """Return the Secrets with ServiceAccounts' tokens, [] where they may not be read."""
        try:
            return self.cluster.list("v1", "Secret", self.options.namespace, field_selector=TOKENS)
        except OrchestratorError:
            return []

    def refresh(self) -> None:
        """Read the objects again where they are older than half a second."""
        with self._lock:
            if time.monotonic() - self._read > 0.5:
                self.snapshot = read_snapshot(self.cluster, self.options.namespace, self.options.gateway_namespace)
                self.entrance.see(self.snapshot)
                self._read = time.monotonic()

    def object_checks(self, spec: Object) -> list[Check]:
        """Return what the objects say about a model."""
        snapshot = self.snapshot
        found = [
            check_pods(spec, snapshot),
            check_selector(spec, snapshot),
            check_ports(spec, snapshot),
            conditions.check_picker(spec, snapshot),
            *self.entrance.checks(spec),
        ]
        return [check for check in found if check is not None]

    def prefill_pods(self, spec: Object) -> set[str]:
        """Return the names of a model's ready prefill pods."""
        pods = pods_of(spec, self.snapshot)
        return {name_of(p) for p in pods if is_ready(p) and is_prefill(p)}

    def wiring(self, spec: Object) -> prefill.Wiring:
        """Return how the endpoint picker of a model treats prefill pods."""
        return prefill.wiring_of(spec, self.snapshot)

    def ask(
        self, spec: Object, http: Http | None, timeout: float, kind: str = "completions"
    ) -> tuple[Answer, Http | None]:
        """Send one completion (text, chat or stream); return the answer and the connection to reuse."""
        prefix, headers = self.entrance.request(spec)
        path = f"{prefix}/v1/{'chat/completions' if kind == 'chat' else 'completions'}"
        answer = Answer(0, asked=f"POST {path}" + (f" (Host {headers['Host']})" if "Host" in headers else ""))
        long = bool(self.prefill_pods(spec))
        threshold = self.wiring(spec).threshold if long else 0
        prompt = verdict.prompt_for(self.options.prompt, uuid.uuid4().hex[:8], long, threshold)
        body: Object = {"model": spec["model"], "max_tokens": self.options.max_tokens, "temperature": 0}
        body.update({"messages": [{"role": "user", "content": prompt}]} if kind == "chat" else {"prompt": prompt})
        if kind == "stream":
            body["stream"] = True
        try:
            if http is None:
                http = Http(self.entrance.target(spec))
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
            if verdict.is_final(answer, "route" not in broken):
                return answer, http
            explained = verdict.is_settling(answer) or broken - set(self.entrance.slow)
            limit = min(self.options.timeout, SETTLE_SECONDS) if explained else self.options.timeout
            if answer.waited + delay > limit:
                return answer, http
            time.sleep(delay)
            delay = min(delay * 1.7, 3.0)
            self.refresh()

    def offered(self, spec: Object, http: Http) -> list[str]:
        """Return the names that /v1/models lists behind a model's path, [] where it does not answer."""
        prefix, headers = self.entrance.request(spec)
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
        for spec in self._all_specs():
            pool = find_pool(spec, self.snapshot)
            ports = [spec["port"]] if spec.get("port") else pool_ports(pool) if pool else []
            for pod in pods_of(spec, self.snapshot):
                if is_ready(pod) and is_leader(pod):
                    pods.setdefault(name_of(pod), (ports or [8000])[0])
        return pods

    def _all_specs(self) -> list[Object]:
        """Return the models, and every pool as if it were one."""
        return [*self.specs, *({"name": name_of(pool), "pool": name_of(pool)} for pool in self.snapshot["pools"])]

    def read_pickers(self) -> dict[str, float | None]:
        """Return how many requests each pod of a picker was asked about, None where that cannot be read."""
        found = {one.pod: one for spec in self._all_specs() for one in pickers.pickers_of(spec, self.snapshot)}
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(found, pool.map(self.pickers.read, found.values()), strict=True))

    def picker_seen(self, spec: Object, one: verdict.Round) -> bool:
        """Return whether a round already shows that a model's own picker was asked, or never will."""
        own = {item.pod for item in pickers.pickers_of(spec, self.snapshot)}
        return not own or own <= set(self.pickers.mute) or any(one.pickers.get(pod) for pod in own)

    def own_picker(self, spec: Object, rounds: list[verdict.Round]) -> Check | None:
        """Judge that a model's own endpoint picker was asked."""
        own = {one.pod for one in pickers.pickers_of(spec, self.snapshot)}
        asked = [one.pickers for one in rounds if spec["name"] in one.asked]
        misled = self.entrance.misleads(spec)
        return pickers.judge_own_picker(spec["name"], own, asked, self.pickers.mute, misled)

    def read_counters(self, pods: dict[str, int]) -> dict[str, verdict.Counters | None]:
        """Return the request counters of pods, None for a pod whose counters cannot be read."""

        def read(pod: str) -> verdict.Counters | None:
            if pod not in self._counters:
                self._counters[pod] = self._connect(pod, pods[pod])
            try:
                reply = self._counters[pod].request("GET", "/metrics", timeout=METRICS_TIMEOUT)
            except TransportError as exc:
                self.deaf[pod] = str(exc)[:300]
                return None
            self.deaf.pop(pod, None)
            return verdict.read_counters(reply.text()) if reply.status == 200 else None

        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(pods, pool.map(read, pods), strict=True))

    def close(self) -> None:
        """Close what is open."""
        for http in self._counters.values():
            http.close()
        self.pickers.close()


def read_answer(answer: Answer, reply: HttpReply) -> None:
    """Fill an answer from an HTTP reply, streamed (server-sent events) or not."""
    answer.status, answer.seconds, answer.first = reply.status, reply.seconds, reply.first
    value: t.Any = reply.json()
    text = reply.text()
    if value is None and text.startswith("data:"):
        chunks = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
        if chunks[-1] == "[DONE]" and len(chunks) > 1:
            value = HttpReply(200, chunks[0].encode(), {}, 0, 0).json()
    answer.is_json = isinstance(value, dict)
    answer.text = text
    if isinstance(value, dict):
        answer.model = value.get("model")
        choice = (value.get("choices") or [{}])[0]
        said = choice.get("text") or (choice.get("message") or {}).get("content")
        answer.text = said if reply.status == 200 and said else text


def read_snapshot(cluster: t.Any, namespace: str, gateway_namespace: str | None) -> Object:
    """Return the objects that the checks read, see _probe_objects."""
    spaces = dict.fromkeys([namespace, gateway_namespace or namespace])
    workloads = [("apps/v1", "Deployment"), (LWS_API, "LeaderWorkerSet")]

    def read(api: str, kind: str) -> list[Object]:
        return [item for space in spaces for item in cluster.list(api, kind, namespace=space)]

    pods = read("v1", "Pod")
    deployed = [item for api, kind in workloads for item in cluster.list(api, kind, namespace)]
    return {
        "pods": [pod for pod in pods if pod["metadata"]["namespace"] == namespace],
        "gateway_pods": pods,
        "services": read("v1", "Service"),
        "workloads": deployed,
        "gateways": cluster.list(GATEWAY_API, "Gateway", gateway_namespace or namespace),
        "routes": cluster.list(GATEWAY_API, "HTTPRoute", namespace),
        "pools": [
            *(pool for api in POOL_APIS for pool in cluster.list(api, "InferencePool", namespace)),
            *filter(None, map(own_pool, deployed)),
        ],
        "configmaps": read_configmaps(cluster, namespace) if any(map(is_prefill, pods)) else [],
    }


def read_configmaps(cluster: t.Any, namespace: str) -> list[Object]:
    """Return the ConfigMaps of a namespace; [] where they may not be read: the pickers' plugins are unknown then."""
    try:
        return cluster.list("v1", "ConfigMap", namespace)
    except OrchestratorError:
        return []
