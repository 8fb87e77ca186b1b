# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether the models behind a shared frontend are served, each by its own workers.

A frontend is Ready, and its /health healthy, with no model at all; and it names the model that was asked for, whoever
answers. So what is listed, what comes back, and whose counters move are three questions.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import statistics
import time
import typing as t
import uuid

from ..base.data import Object
from . import tally, verdict, workers
from .frontend import FrontedModel, Frontend
from .http import Http, Lines, PodTarget, TransportError
from .prober import COUNTER_SECONDS, SETTLE_SECONDS, THREADS, Options, read_answer
from .rounds import PREFILL_PAUSE, PREFILL_ROUNDS
from .verdict import Answer
from .workers import Worker

# Of instances that share an endpoint by mistake each next request takes another one (round robin), or any (random).
REQUESTS = 4
MOST_REQUESTS = 16
LINES = 4


class Probe:
    """Asks the models of one frontend. emit(name, step, status, **facts) reports timed steps."""

    def __init__(self, front: Frontend, pool: concurrent.futures.Executor, emit: t.Callable[..., t.Any]) -> None:
        self.front, self.pool, self.emit = front, pool, emit
        self.options, self.begin = front.options, time.monotonic()
        self.rounds: list[tally.Tallied] = []
        self.tally = tally.Tally(self._connect)
        self.lines: Lines | None = None

    def _connect(self, worker: Worker) -> Http:
        return Http(PodTarget(self.front.cluster.client, worker.namespace, worker.name, worker.port))

    def run(self) -> Object:
        """Return a part of the module's result."""
        front = self.front
        for one in front.models:
            self.emit(one.name, "probe", "started")
        try:
            self._await_models()
            targets = front.targets()
            if targets and front.listing:
                # New ones in each turn, as one serves one thread.
                ways = itertools.chain.from_iterable(front.targets() for _turn in itertools.count())
                self.lines = Lines(lambda: next(ways), LINES)
                list(self.pool.map(self._first, front.models))
                serving = [one for one in front.models if one.serves]
                self._run(serving, verdict.plan_rounds([one.name for one in serving]))
                self._prefill_rounds()
                list(self.pool.map(self._extras, front.models))
                if not all(one.serves for one in front.models):
                    front.refresh()
            return self._result()
        finally:
            self.tally.close()
            front.close()
            if self.lines:
                self.lines.close()

    def _await_models(self) -> None:
        """Wait until the frontend lists all models; while the objects tell why it does not, only for a moment."""
        front, delay = self.front, 0.2
        while True:
            front.list_models()
            missing = [one for one in front.models if front.missing(one)]
            if front.listing and not front.mute and not missing:
                return
            explained = not front.listing or any(front.cause(one)[0] for one in missing)
            limit = min(self.options.timeout, SETTLE_SECONDS) if explained else self.options.timeout
            if front.service is None or time.monotonic() - self.begin + delay > limit:
                return
            time.sleep(delay)
            delay = min(delay * 1.7, 3.0)
            front.refresh()

    def ask(self, one: FrontedModel, kind: str = "", timeout: float = 0) -> Answer:
        """Send one completion (text, chat or stream) and return the answer."""
        kind = kind or one.kind
        path = f"/v1/{'chat/completions' if kind == 'chat' else 'completions'}"
        lines = t.cast(Lines, self.lines)
        answer = Answer(0, asked=f"POST {path}", target=lines.text)
        prompt = verdict.prompt_for(self.options.prompt, uuid.uuid4().hex[:8], one.prefills)
        body: Object = {"model": one.spec["model"], "max_tokens": self.options.max_tokens, "temperature": 0}
        body.update({"messages": [{"role": "user", "content": prompt}]} if kind == "chat" else {"prompt": prompt})
        if kind == "stream":
            body["stream"] = True
        try:
            read_answer(answer, lines.request("POST", path, body, timeout or self.options.timeout))
        except TransportError as exc:
            answer.error, answer.transient = str(exc), exc.transient
        return answer

    def _first(self, one: FrontedModel) -> None:
        """Ask a model until an answer is final or the time is over; one that only chats is asked so from then on."""
        begin, delay, attempts = time.monotonic(), 0.2, 0
        listed_ = not self.front.missing(one)
        while True:
            attempts += 1
            answer = self.ask(one, timeout=max(self.options.timeout - (time.monotonic() - begin), 5.0))
            if answer.status == 404 and one.kind == "completions" and listed_:
                chat = self.ask(one, "chat", self.options.timeout)
                if chat.status == 200:
                    answer, one.kind = chat, "chat"
            answer.attempts, answer.waited = attempts, time.monotonic() - begin
            one.answer = answer
            if answer.status == 404:
                limit = SETTLE_SECONDS if listed_ else 0.0
            elif answer.status in verdict.TRANSIENT or (answer.status == 0 and answer.transient):
                limit = self.options.timeout
            else:
                return
            if answer.waited + delay > min(limit, self.options.timeout):
                return
            time.sleep(delay)
            delay = min(delay * 1.7, 3.0)

    def _count(self, one: FrontedModel) -> int:
        return min(max(self.options.requests, REQUESTS, len(one.owner.of_role(False)) + 1), MOST_REQUESTS)

    def _again(self, one: FrontedModel) -> bool:
        """Send one more request; the first wrong answer stays the model's answer. Return whether it was right."""
        answer = self.ask(one)
        answer.attempts, answer.waited = one.answer.attempts, one.answer.waited
        if one.serves:
            one.answer = answer
        one.seconds.append(answer.seconds)
        return answer.status == 200

    def _run(self, asked: list[FrontedModel], plan: list[set[str]]) -> None:
        """Ask models in rounds, and read the workers' counters around each."""
        # Those too that are not ready: an endpoint's workers answer as soon as they have registered.
        every = self.front.workers
        before = self._first_counts(every) if plan else {}
        for names in plan:
            here = [one for one in asked if one.name in names and one.serves]
            jobs = [(one, self.pool.submit(self._again, one)) for one in here for _number in range(self._count(one))]
            sent = {one.name: sum(job.result() for whose, job in jobs if whose is one) for one in here}
            deadline, pause = time.monotonic() + COUNTER_SECONDS, 0.05
            while True:
                after = self.tally.read(self.pool, every)
                found = tally.tallied(sent, before, after, self.tally.deaf)
                if self._settled(here, found) or time.monotonic() + pause > deadline:
                    break
                time.sleep(pause)
                pause *= 2
            self.rounds.append(found)
            before = {**before, **{place: value for place, value in after.items() if value is not None}}

    def _first_counts(self, every: list[Worker]) -> dict[tally.Place, verdict.Counters | None]:
        """Return the counters of workers; a port that cannot be reached just after its pod is Ready gets a moment."""
        deadline, pause = time.monotonic() + COUNTER_SECONDS, 0.05
        while True:
            counts = self.tally.read(self.pool, every)
            if self.rounds or not self.tally.lost or time.monotonic() + pause > deadline:
                return counts
            time.sleep(pause)
            pause *= 2

    def _settled(self, here: list[FrontedModel], found: tally.Tallied) -> bool:
        """Return whether the counters tell all that they are going to tell."""
        answering = [worker for worker in self.front.workers if not worker.prefill]
        if sum(found.took.get(worker.place, 0.0) for worker in answering) < sum(found.sent.values()):
            return any(worker.place in found.blind for one in here for worker in one.owner.of_role(False))
        return all(not one.prefills or tally.own_count(one.owner, found, True) for one in here)

    def _prefill_rounds(self) -> None:
        """Ask models again whose prefill workers took no part: decode learns of them seconds after they are ready."""
        for _number in range(PREFILL_ROUNDS):
            late = [one for one in self.front.models if one.serves and one.prefills and not self._proven(one)]
            if not late:
                return
            time.sleep(PREFILL_PAUSE)
            self._run(late, [{one.name for one in late}])

    def _proven(self, one: FrontedModel) -> bool:
        """Return whether prefill is known to take part, or cannot be known."""
        mine = {worker.place for worker in one.owner.of_role(True)}
        ours = [found for found in self.rounds if one.name in found.sent]
        return any(found.took.get(place) for found in ours for place in mine) or mine <= ours[-1].blind.keys()

    def _extras(self, one: FrontedModel) -> None:
        """Ask for chat, and for a stream where wanted; what is only looked at beside fails where another answers."""
        if not one.serves:
            return
        kinds = {"chat": one.kind != "chat", "stream": self.options.stream}
        for kind in [name for name, wanted in kinds.items() if wanted]:
            answer = self.ask(one, kind)
            check = dataclasses.replace(verdict.judge_answer(one.spec, answer, [], _extra_hint(kind)), name=kind)
            check.claim = kind == "chat" and not self.options.chat and answer.status != 200
            one.extra.append(check)
            if kind == "stream" and answer.status == 200:
                one.first_token = answer.first

    def _result(self) -> Object:
        front = self.front
        known = {(one.spec["namespace"], one.spec["graph"]): one.name for one in front.models}
        checks = [front.check()]
        for one in front.models:
            checks.append(workers.check_workers(one.name, one.workers, one.spec.get("roles") or {}))
            checks += [front.check_list(one)] if front.listing else []
            checks += [verdict.judge_answer(one.spec, one.answer, [], front.hint(one))] if self.lines else []
            checks += one.extra
            if any(one.name in found.sent for found in self.rounds):
                checks.append(tally.judge_workers(one.owner, self.rounds, known, front.workers))
                proof = tally.judge_prefill_workers(one.owner, self.rounds, self.options.pd)
                checks += [proof] if proof else []
        endpoints = [f"{front.title} ({self.lines.text})"] if self.lines else []
        asks = [front.shown(one) for one in front.models if one.serves]
        result = verdict.part(checks, [self._row(one) for one in front.models], endpoints=endpoints, asks=asks)
        verdict.tell(result, self.emit, time.monotonic() - self.begin)
        return {**result, "behind": f"frontend {front.name}"}

    def _row(self, one: FrontedModel) -> Object:
        answer = one.answer
        ours = [found for found in self.rounds if one.name in found.sent]
        served = {worker.name for worker in one.workers for found in ours if found.took.get(worker.place)}
        row = {
            "name": one.name,
            "model": one.spec["model"],
            "url_path": answer.asked,
            "status": answer.status,
            "latency_ms": round(statistics.median(one.seconds or [answer.seconds]) * 1000, 1),
            "served_by": sorted(served),
            "answer": answer.text[: verdict.EXCERPT] if answer.status else answer.error,
        }
        return row if one.first_token is None else {**row, "first_token_ms": round(one.first_token * 1000, 1)}


def _extra_hint(kind: str) -> str:
    if kind == "chat":
        return "Set a chat template, or use a model that has one: routing by chat needs it."
    return "Read the frontend's log."


def probe_frontends(
    cluster: t.Any, options: Options, frontends: list[Object], emit: t.Callable[..., t.Any]
) -> list[Object]:
    """Probe the models of frontends; return a part of the module's result for each."""
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return [Probe(Frontend(cluster, options, told), pool, emit).run() for told in frontends]
