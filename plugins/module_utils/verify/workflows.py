# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether LLM-Orchestrator works: its servers' health, what they reach, their metrics, and a workflow run by a worker.

An API server that is healthy may reach neither database nor queue, and one that takes a workflow may have no worker
that runs it. So all four are asked, and the workflow's end is waited for.
"""

from __future__ import annotations

import re
import time
import typing as t

from ..base.data import Object, mapping
from ..base.words import listed
from ..objects.pools import Check, failed, is_ready, labels_of, matches, name_of
from . import routes, verdict
from .commands import Ask, WayIn
from .http import Http, HttpReply, HttpTarget, PodTarget, TransportError
from .prober import METRICS_TIMEOUT, SETTLE_SECONDS, Options
from .verdict import EXCERPT, TRANSIENT

API, WORKER = "api", "worker"
DONE, RUN = ("succeeded", "failed"), "succeeded"
# A server of the guide has this one of its metrics at least.
METRIC = re.compile(r"^workflow_executions_total\b", re.MULTILINE)
HINTS = {
    "database": "Check DATABASE_URL, PostgreSQL, and the NetworkPolicies between them.",
    "cache": "Check REDIS_URL, Redis, and the NetworkPolicies between them.",
    "queue": "Check NATS_URL, NATS with JetStream, and the NetworkPolicies between them.",
}


class Orchestrator:
    """One LLM-Orchestrator. told: as a stack tells of it; token: for servers that ask for one."""

    def __init__(
        self, cluster: t.Any, options: Options, told: Object, emit: t.Callable[..., t.Any], token: str = ""
    ) -> None:
        self.cluster, self.options, self.told, self.emit = cluster, options, told, emit
        self.name, self.namespace, self.paths = told["name"], told["namespace"], told["paths"]
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.begin = time.monotonic()
        self.checks: list[Check] = []
        self.row: Object = {"name": self.name, "model": "", "url_path": "", "status": 0, "latency_ms": 0.0}
        self.row |= {"served_by": [], "answer": "it was not called"}

    def run(self) -> Object:
        """Return a part of the module's result."""
        self.emit(self.name, "probe", "started")
        self.service = routes.service_named(self.cluster, self.namespace, self.told["service"])
        self.pods = self.cluster.list("v1", "Pod", self.namespace)
        target = self._target()
        shown: list[Ask] = []
        if target is not None:
            http = Http(target)
            try:
                if self._health(http) and self._ready(http):
                    self._workflow(http)
            finally:
                http.close()
            shown = [self._shown(target)] if self.told["workflow"] else []
        self._workers()
        self._metrics()
        endpoints = [f"{self.title} ({target.text})"] if target else []
        found = verdict.part(self.checks, [self.row], endpoints=endpoints, asks=shown)
        verdict.tell(found, self.emit, time.monotonic() - self.begin)
        return {**found, "behind": f"Service {self.told['service']}"}

    @property
    def title(self) -> str:
        """The Service for a message."""
        return f"Service {self.namespace}/{self.told['service']} port {self.told['port']}"

    def _pass(self, name: str, detail: str) -> None:
        self.checks.append(Check(self.name, name, True, detail))

    def _fail(self, name: str, detail: str, hint: str) -> None:
        self.checks.append(failed({"name": self.name}, name, detail, hint, claim=False))

    def _target(self) -> HttpTarget | None:
        """Return the way to an API server; note why there is none."""
        if self.service is None:
            self._fail("service", f"{self.title} does not exist", "Deploy it first.")
            return None
        scheme, port = self.told["scheme"], self.told["port"]
        if self.options.via == "address":
            return HttpTarget(scheme, routes.service_address(self.service), port)
        found = routes.forward_target(self.service, port, self.pods)
        if found is None:
            hint = "Check the events and logs of the API servers' pods."
            self._fail("service", f"{self.title} has no ready pod behind it", hint)
            return None
        self._pass("service", f"{self.title} leads to ready pods")
        return PodTarget(self.cluster.client, self.namespace, *found, scheme)

    def _get(self, http: Http, path: str) -> HttpReply:
        """Return the answer to a GET, asked again for a moment while it may pass."""
        begin, pause = time.monotonic(), 0.2
        while True:
            last = time.monotonic() - begin + pause > min(self.options.timeout, SETTLE_SECONDS)
            try:
                reply = http.request("GET", path, None, self.headers, METRICS_TIMEOUT)
                if reply.status not in TRANSIENT or last:
                    return reply
            except TransportError as exc:
                if last or not exc.transient:
                    raise
            time.sleep(pause)
            pause *= 2

    def _asked(self, http: Http, name: str, path: str) -> HttpReply | None:
        try:
            return self._get(http, path)
        except TransportError as exc:
            self._fail(name, f"GET {path} failed: {exc}", "Read the logs of the API servers' pods.")
            return None

    def _health(self, http: Http) -> bool:
        path = self.paths["health"]
        reply = self._asked(http, "health", path)
        if reply is not None and reply.status == 200:
            self._pass("health", f"200 from GET {path}")
        elif reply is not None:
            hint = "Set llm_orchestrator_health_path to the server's own path, or read its log."
            self._fail("health", f"GET {path}: {_came(reply)}", hint)
        return reply is not None and reply.status == 200

    def _ready(self, http: Http) -> bool:
        path = self.paths["ready"]
        reply = self._asked(http, "ready", path)
        if reply is None:
            return False
        if reply.status == 200:
            self._pass("ready", f"200 from GET {path}: database, cache and queue are reached")
            return True
        said = {name: mapping(reply.json()).get(name) for name in HINTS}
        broken = [name for name, state in said.items() if state not in (None, True, "ok", "up", "healthy")]
        hint = " ".join(HINTS[name] for name in broken) or "Read the logs of the API servers' pods."
        what = f": it does not reach its {listed(broken)}" if broken else ""
        self._fail("ready", f"GET {path}: {_came(reply)}{what}", hint)
        return False

    def _workflow(self, http: Http) -> None:
        """Send the workflow, and wait until a worker has run it."""
        body, path = self.told["workflow"], self.paths["workflows"]
        if not body:
            self.row |= {"model": "ready", "url_path": f"GET {self.paths['ready']}", "status": 200, "answer": "ready"}
            return
        begin = time.monotonic()
        self.row |= {"model": f"workflow {body.get('name') or self.name}", "url_path": f"POST {path}"}
        try:
            reply = http.request("POST", path, body, self.headers, self.options.timeout)
        except TransportError as exc:
            self.row["answer"] = str(exc)
            self._fail("workflow", f"POST {path} failed: {exc}", "Read the logs of the API servers' pods.")
            return
        self.row |= {"status": reply.status, "answer": reply.text()[:EXCERPT]}
        identity = mapping(reply.json()).get("id")
        if reply.status not in (200, 201, 202) or not identity:
            self._fail("workflow", f"POST {path}: {_came(reply)}", _hint(reply.status))
            return
        self._await(http, f"{path.rstrip('/')}/{identity}", str(identity), begin)

    def _await(self, http: Http, path: str, identity: str, begin: float) -> None:
        pause, state = 0.1, Object()
        while True:
            try:
                reply = http.request("GET", path, None, self.headers, METRICS_TIMEOUT)
            except TransportError as exc:
                self._fail("workflow", f"GET {path} failed: {exc}", "Read the logs of the API servers' pods.")
                return
            state = mapping(reply.json())
            spent = time.monotonic() - begin
            if state.get("status") in DONE or reply.status not in (200, *TRANSIENT):
                break
            if spent + pause > self.options.timeout:
                break
            time.sleep(pause)
            pause = min(pause * 1.7, 3.0)
        worker = state.get("worker")
        self.row |= {"latency_ms": round(spent * 1000, 1), "served_by": [str(worker)] if worker else []}
        self.row["answer"] = str(state.get("output") or "")[:EXCERPT]
        if state.get("status") == RUN:
            detail = f"workflow {identity} was run by {worker or 'a worker'} in {spent:.1f} s"
            self.checks.append(Check(self.name, "workflow", True, detail, seconds=spent))
        elif state.get("status") == "failed":
            self._fail("workflow", f"workflow {identity} failed: {self.row['answer']}", "Read the log of its worker.")
        elif state:
            text = f"workflow {identity} is still {state.get('status')} after {spent:.0f} s: no worker has run it"
            self._fail("workflow", text, "Check that workers are ready, and that NATS_URL is the same for all.")
        else:
            self._fail("workflow", f"GET {path}: {_came(reply)}", _hint(reply.status))

    def _of(self, part: str) -> list[Object]:
        return [pod for pod in self.pods if matches(labels_of(pod), self.told["labels"][part])]

    def _workers(self) -> None:
        pods = self._of(WORKER)
        ready = [pod for pod in pods if is_ready(pod)]
        detail = f"{len(ready)} of {len(pods)} workers are ready"
        if ready and len(ready) == len(pods):
            self._pass("workers", detail)
        else:
            self._fail("workers", detail, "Check the events and logs of the workers' pods.")

    def _metrics(self) -> None:
        """Ask each ready server for its metrics."""
        port, path = self.told["metrics_port"], self.paths["metrics"]
        pods = [pod for part in (API, WORKER) for pod in self._of(part) if is_ready(pod)] if port else []
        mute = {}
        for pod in pods if self.options.via != "address" else ():
            http = Http(PodTarget(self.cluster.client, self.namespace, name_of(pod), port))
            try:
                reply = http.request("GET", path, timeout=METRICS_TIMEOUT)
                if reply.status != 200:
                    mute[name_of(pod)] = _came(reply)
                elif not METRIC.search(reply.text()):
                    mute[name_of(pod)] = "workflow_executions_total is missing"
            except TransportError as exc:
                mute[name_of(pod)] = str(exc)
            finally:
                http.close()
        if mute:
            name, why = min(mute.items())
            text = f"GET {path} of {len(mute)} of {len(pods)} pods failed, of {name}: {why}"
            self._fail("metrics", text, "Set observability.metrics in llm_orchestrator_config as the server has it.")
        elif pods and self.options.via != "address":
            self._pass("metrics", f"all {len(pods)} pods have their metrics on port {port}")

    def _shown(self, target: HttpTarget) -> Ask:
        """Return the workflow as a request that people can send."""
        way = WayIn(self.namespace, self.told["service"], self.told["port"], self.told["scheme"])
        if self.options.via == "address":
            way = WayIn(address=target.text)
        return Ask(way, self.paths["workflows"], self.told["workflow"])


def _came(reply: HttpReply) -> str:
    return f"{reply.status} {reply.text()[:EXCERPT].strip() or '(empty body)'}"


def _hint(status: int) -> str:
    if status in (401, 403):
        return "Set verify_token to a token that the servers accept."
    if status == 404:
        return "Set llm_orchestrator_workflows_path to the path by which this build takes workflows."
    if status in (400, 422):
        return "Set llm_orchestrator_workflow to a workflow that this build takes."
    return "Read the logs of the API servers' pods."


def probe_orchestrators(
    cluster: t.Any, options: Options, told: t.Iterable[Object], emit: t.Callable[..., t.Any], token: str = ""
) -> list[Object]:
    """Probe each LLM-Orchestrator; return a part of the module's result for each."""
    return [Orchestrator(cluster, options, one, emit, token).run() for one in told]
