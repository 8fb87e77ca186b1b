# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether an LLM Router sends each class of each policy to that class's model.

The controller's /health says nothing of what is behind it, and it closes the connection without an answer where no
model answers: so each class is asked for by its name, and the classifier once for each policy.
Facts: src/router-controller of NVIDIA-AI-Blueprints/llm-router, proxy.rs and config.rs.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import time
import typing as t
import uuid

from ..base.data import Object, dicts, mapping
from ..base.words import listed, plural
from ..objects.pools import Check, failed
from . import routes, verdict
from .commands import Ask, WayIn, completion
from .http import HttpReply, HttpTarget, Lines, PodTarget, TransportError
from .policy_causes import HEADER, Causes, ClassRequest
from .policy_config import config_hint, differences
from .prober import METRICS_TIMEOUT, SETTLE_SECONDS, THREADS, Options, read_answer
from .verdict import Answer

LINES = 6
# What a request gets, in seconds, where those before it have used up the time of all.
SHORTEST = 3.0
REDACTED = "[REDACTED]"


class Router:
    """An LLM Router and its policies. told: as a stack tells of it."""

    def __init__(self, cluster: t.Any, options: Options, told: Object, emit: t.Callable[..., t.Any]) -> None:
        self.cluster, self.options, self.told, self.emit = cluster, options, told, emit
        self.name, self.namespace, self.port = told["release"], told["namespace"], int(told.get("port") or 8084)
        self.begin = time.monotonic()
        self._take(told.get("policies") or [])
        self.lines: Lines | None = None
        self.checks: list[Check] = []
        self.causes = Causes(cluster, self.namespace)

    def _take(self, policies: list[Object]) -> None:
        """Take policies for those that are wanted."""
        self.policies = [{**policy, "llms": dicts(policy.get("llms"))} for policy in policies]
        self.courses = [
            ClassRequest(policy, wanted) for policy in self.policies for wanted in [*_distinct(policy["llms"]), None]
        ]

    @property
    def title(self) -> str:
        """The router for a message."""
        return f"Service {self.namespace}/{self.told['service']} port {self.port}"

    def run(self) -> Object:
        """Return a part of the module's result."""
        self.emit(self.name, "probe", "started")
        try:
            if self._reach() and self._healthy():
                self._check_config()
                with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(self._ask, self.courses))
                self.checks += self._judged()
        finally:
            if self.lines:
                self.lines.close()
        endpoints = [f"{self.title} ({self.lines.text})"] if self.lines else []
        asks = [self._shown(course) for course in self.courses if course.ok and not course.wanted]
        found = verdict.part(self.checks, classes=map(self._row, self.courses), endpoints=endpoints, asks=asks)
        good = sum(course.ok for course in self.courses)
        detail = "; ".join(found["failures"])[:300] or f"{good} of {len(self.courses)} requests answered as expected"
        status = "failed" if found["failures"] else "done"
        self.emit(self.name, "probe", status, seconds=time.monotonic() - self.begin, detail=detail)
        return {**found, "router": self.name}

    def _fail(self, name: str, detail: str, hint: str) -> bool:
        self.checks.append(failed({"name": self.name}, name, detail, hint, claim=False))
        return False

    def _reach(self) -> bool:
        """Find the ways to the controller's pods; note why there are none."""
        service = routes.service_named(self.cluster, self.namespace, self.told["service"])
        if service is None:
            return self._fail("router", f"{self.title} does not exist", "Install the router's release.")
        if self.options.via == "address":
            self.lines = Lines(lambda: HttpTarget("http", routes.service_address(service), self.port), LINES)
            return True
        pods = self.cluster.list("v1", "Pod", self.namespace)
        found = list(routes.forward_targets(service, self.port, pods))
        if not found:
            hint = (
                "Check the controller's pod. If it exits again and again, read its log: it exits for a class without "
                "api_key, api_base or model, or with an empty api_key."
            )
            return self._fail("router", f"{self.title} has no ready pod behind it", hint)
        ways = itertools.cycle(found)
        self.lines = Lines(lambda: PodTarget(self.cluster.client, self.namespace, *next(ways)), LINES)
        return True

    def _get(self, path: str) -> HttpReply | str:
        """Return the reply to a GET, asked again for a moment where none comes; the reason where that does not help."""
        delay = 0.2
        while True:
            try:
                return t.cast(Lines, self.lines).request("GET", path, timeout=METRICS_TIMEOUT)
            except TransportError as exc:
                if not exc.transient or time.monotonic() - self.begin + delay > SETTLE_SECONDS:
                    return str(exc)
            time.sleep(delay)
            delay *= 2

    def _healthy(self) -> bool:
        reply = self._get("/health")
        if isinstance(reply, str) or reply.status != 200:
            came = reply if isinstance(reply, str) else f"{reply.status} {reply.text()[: verdict.EXCERPT]}"
            return self._fail("router", f"GET /health failed: {came}", "Read the log of the controller's pod.")
        self.checks.append(Check(self.name, "router", True, f"{self.title} is healthy"))
        return True

    def _check_config(self) -> None:
        """Judge that the controller has the policies that are wanted, and shows no key."""
        reply = self._get("/config")
        value = None if isinstance(reply, str) else reply.json()
        live = dicts(mapping(value).get("policies"))
        if isinstance(reply, str) or reply.status != 200 or not isinstance(mapping(value).get("policies"), list):
            came = reply if isinstance(reply, str) else f"{reply.status}"
            self._fail(
                "config", (f"GET /config returned no policies: {came}"), "Is this the LLM Router's controller (v1)?"
            )
            return
        if not self.policies:
            # Whose configuration is in a ConfigMap of others is taken at its word.
            self._take(live)
        found = differences(self.policies, live)
        if found:
            self._fail("config", f"GET /config is not as expected: {listed(found, 4)}", config_hint(live))
        else:
            told = (f"{policy['name']} with {len(policy['llms'])} classes" for policy in self.policies)
            self.checks.append(Check(self.name, "config", True, f"/config is as expected: {', '.join(told)}"))
        shown = [
            llm for policy in live for llm in dicts(policy.get("llms")) if llm.get("api_key", REDACTED) != REDACTED
        ]
        if shown:
            detail = f"GET /config shows the api_key of {plural(len(shown), 'model')} to every client"
            self._fail("config", detail, "Restrict access to the controller, and use a version that redacts keys.")

    def _ask(self, course: ClassRequest) -> None:
        """Ask for a class until the answer is final, or the time is over."""
        delay, attempts, begin = 0.2, 0, time.monotonic()
        while True:
            attempts += 1
            self._once(course, max(self.options.timeout - (time.monotonic() - self.begin), SHORTEST))
            course.answer.attempts, course.answer.waited = attempts, time.monotonic() - begin
            answer = course.answer
            if answer.status == 0:
                passing, limit = answer.transient, SETTLE_SECONDS
            else:
                passing, limit = answer.status in verdict.TRANSIENT, self.options.timeout
            limit = SETTLE_SECONDS if passing and self.causes.trouble(course) else limit
            if not passing or time.monotonic() - self.begin + delay > min(limit, self.options.timeout):
                return
            time.sleep(delay)
            delay = min(delay * 1.7, 3.0)

    def _once(self, course: ClassRequest, timeout: float) -> None:
        asked = f"POST /v1/chat/completions ({course.policy['name']}, {course.strategy})"
        lines = t.cast(Lines, self.lines)
        answer = course.answer = Answer(0, asked=asked, target=lines.text)
        body = {
            "model": "",
            "messages": [{"role": "user", "content": f"{uuid.uuid4().hex[:8]} {self.options.prompt}"}],
            "max_tokens": self.options.max_tokens,
            "temperature": 0,
            "nim-llm-router": {
                "policy": course.policy["name"],
                "routing_strategy": course.strategy,
                "model": course.name,
            },
        }
        try:
            reply = lines.request("POST", "/v1/chat/completions", body, timeout)
        except TransportError as exc:
            answer.error, answer.transient = str(exc), exc.transient
            course.closed, course.silent = exc.closed, exc.closed or exc.late
            return
        course.closed, course.silent, course.chosen = False, False, reply.headers.get(HEADER, "")
        read_answer(answer, reply)

    # What it means

    def _judged(self) -> list[Check]:
        """Return a check for each policy, and one more for each kind of failure of its classes."""
        found = []
        for policy in self.policies:
            ours = [course for course in self.courses if course.policy is policy]
            classes, (chosen,) = [one for one in ours if one.wanted], [one for one in ours if not one.wanted]
            bad = [one for one in classes if not one.ok]
            if not bad:
                detail = f"{policy['name']}: each of its {len(classes)} classes is answered by its model"
                found.append(Check(self.name, "classes", True, detail))
            kinds: dict[t.Any, list[ClassRequest]] = {}
            for one in bad:
                kinds.setdefault((one.answer.status, one.closed, bool(one.chosen), self.causes.hint(one)), []).append(
                    one
                )
            for (_status, _closed, _chosen, hint), group in kinds.items():
                names = listed([one.name for one in group], 12)
                detail = (
                    f"{policy['name']}: {len(group)} of {len(classes)} classes ({names}): {self.causes.told(group[0])}"
                )
                found.append(failed({"name": self.name}, "classes", detail, hint, claim=False))
            if chosen.ok:
                detail = f"{policy['name']}: the classifier chose {chosen.chosen}, and its model answered"
                found.append(Check(self.name, "classifier", True, detail))
            else:
                detail = f"{policy['name']}: the classifier's choice: {self.causes.told(chosen)}"
                found.append(failed({"name": self.name}, "classifier", detail, self.causes.hint(chosen), claim=False))
        return found

    def _shown(self, course: ClassRequest) -> Ask:
        """Return a request to a policy that people can send; its classifier chooses the model."""
        way = WayIn(self.namespace, self.told["service"], self.port)
        if self.options.via == "address" and self.lines:
            way = WayIn(address=self.lines.text)
        chosen = {"policy": course.policy["name"], "routing_strategy": course.strategy, "model": course.name}
        return Ask(way, "/v1/chat/completions", {**completion("", chat=True), "nim-llm-router": chosen})

    def _row(self, course: ClassRequest) -> Object:
        """Return a row of the result's classes; that of the classifier has no class of its own."""
        answer, meant = course.answer, course.meant
        return {
            "router": self.name,
            "policy": course.policy["name"],
            "strategy": course.strategy,
            "class": course.name,
            "model": meant["model"] if meant else "",
            "status": answer.status,
            "ok": course.ok,
            "latency_ms": round(answer.seconds * 1000, 1),
            "chosen": course.chosen,
            "answered_by": answer.model or "",
        }


def _distinct(llms: list[Object]) -> list[Object]:
    """Return the classes that can be asked for by name: of equal names, the controller takes the first."""
    return list({llm["name"]: llm for llm in reversed(llms)}.values())[::-1]


def probe_routers(
    cluster: t.Any, options: Options, routers: list[Object], emit: t.Callable[..., t.Any]
) -> list[Object]:
    """Probe routers; return a part of the module's result for each."""
    return [Router(cluster, options, told, emit).run() for told in routers]
