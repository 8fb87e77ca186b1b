# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The course of a whole probe: first answers, rounds with counters around them, verdict and result."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import statistics
import time
import typing as t

from ..base.data import Object
from ..objects import pools
from ..objects.pools import Check, name_of
from . import verdict
from .http import Http
from .prober import COUNTER_SECONDS, THREADS, Options, Prober
from .verdict import Answer, Round

# Prefill takes part in each request, or in most; three show it without doubt.
PREFILL_REQUESTS = 3
# How often, and after how many seconds each, models are asked again whose prefill pods have not taken part.
PREFILL_ROUNDS = 4
PREFILL_PAUSE = 1.0


@dataclasses.dataclass
class Course:
    """What was seen of one model."""

    spec: Object
    http: Http | None
    answer: Answer
    seconds: list[float] = dataclasses.field(default_factory=list)
    first_token: float | None = None
    extra: list[Check] = dataclasses.field(default_factory=list)
    requests: int = 0

    @property
    def name(self) -> str:
        """Return the model's short name."""
        return self.spec["name"]

    @property
    def serves(self) -> bool:
        """Return whether the last answer was the right one."""
        return self.answer.status == 200 and self.answer.model == self.spec["model"]


def probe(cluster: t.Any, options: Options, specs: list[Object], emit: t.Callable[..., t.Any]) -> Object:
    """Probe the models and return checks, models, notes, endpoint and failures (texts; [] when all is well)."""
    prober = Prober(cluster, options, specs, emit)
    try:
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            courses = list(pool.map(lambda spec: _first(prober, spec), specs))
            serving = [course for course in courses if course.serves]
            rounds = _run(prober, pool, serving, verdict.plan_rounds([course.name for course in serving]))
            rounds += _prefill_rounds(prober, pool, courses, rounds)
            list(pool.map(lambda course: _extras(prober, course), courses))
        if not all(course.serves for course in courses):
            prober.refresh()
        return _result(prober, courses, rounds)
    finally:
        prober.close()


def _first(prober: Prober, spec: Object) -> Course:
    prober.emit(spec["name"], "probe", "started")
    answer, http = prober.first_answer(spec)
    return Course(spec, http, answer)


def _prefill_rounds(
    prober: Prober, pool: concurrent.futures.Executor, courses: list[Course], rounds: list[Round]
) -> list[Round]:
    """Ask models again whose prefill pods took no part: a picker learns of pods seconds after they are ready."""
    extra: list[Round] = []
    for _number in range(PREFILL_ROUNDS):
        missing = [course for course in courses if course.serves and _lacks_prefill(prober, course, [*rounds, *extra])]
        if not missing:
            break
        time.sleep(PREFILL_PAUSE)
        extra += _run(prober, pool, missing, [{course.name for course in missing}])
    return extra


def _lacks_prefill(prober: Prober, course: Course, rounds: list[Round]) -> bool:
    prefill = prober.prefill_pods(course.spec)
    if not prefill or prober.wiring(course.spec).splits is False:
        return False
    return not any(one.moved.get(pod) for one in rounds for pod in prefill) and not prefill <= rounds[-1].blind


def _run(prober: Prober, pool: concurrent.futures.Executor, courses: list[Course], plan: list[set[str]]) -> list[Round]:
    rounds: list[Round] = []
    if not courses:
        return rounds
    pods, owners = prober.counted_pods(), _owners(prober)
    before = _counts(prober, pool, pods)
    for asked in plan:
        here = [course for course in courses if course.name in asked]
        list(pool.map(lambda course: _ask_again(prober, course), here))
        deadline, pause = time.monotonic() + COUNTER_SECONDS, 0.05
        while True:
            after = _counts(prober, pool, pods)
            one = _moved(asked, before, after)
            one.deaf.update(prober.deaf)
            late = [c for c in here if c.serves and not _seen(prober, c, one, rounds, owners)]
            if not late or time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
            pause *= 2
        rounds.append(one)
        before = _Counts(*({**old, **_known(new)} for old, new in zip(before, after, strict=True)))
    return rounds


class _Counts(t.NamedTuple):
    """What was counted at one moment, by pod, None where that could not be read."""

    models: dict[str, t.Any]
    pickers: dict[str, t.Any]


def _known(counts: dict[str, t.Any]) -> dict[str, t.Any]:
    return {pod: value for pod, value in counts.items() if value is not None}


def _counts(prober: Prober, pool: concurrent.futures.Executor, pods: dict[str, int]) -> _Counts:
    asked = pool.submit(prober.read_pickers)
    return _Counts(prober.read_counters(pods), asked.result())


def _moved(asked: set[str], before: _Counts, after: _Counts) -> Round:
    old, new = before.models, after.models
    blind = {pod for pod in new if not new[pod] or old[pod] is None}
    moved = {pod: pod not in blind and verdict.has_moved(old[pod], new[pod]) for pod in new}
    asked_before = _known(before.pickers)
    pickers = {pod: n > asked_before[pod] for pod, n in _known(after.pickers).items() if pod in asked_before}
    return Round(asked, moved, blind, pickers)


def _seen(prober: Prober, course: Course, one: Round, rounds: list[Round], owners: dict[str, set[str]]) -> bool:
    """Return whether the counters already prove what they are to prove, or never will."""
    mine = {pod for pod, models in owners.items() if course.name in models}
    prefill = prober.prefill_pods(course.spec)
    if mine <= one.blind:
        return True
    settled = any(one.moved.get(pod) for pod in mine) and prober.picker_seen(course.spec, one)
    proven = not prefill or prober.wiring(course.spec).splits is False
    return settled and (proven or any(r.moved.get(pod) for r in [*rounds, one] for pod in prefill))


def _owners(prober: Prober) -> dict[str, set[str]]:
    """Return the counted pods, each with the names of the probed models that it serves."""
    owners: dict[str, set[str]] = {pod: set() for pod in prober.counted_pods()}
    for spec in prober.specs:
        for pod in pools.pods_of(spec, prober.snapshot):
            if name_of(pod) in owners:
                owners[name_of(pod)].add(spec["name"])
    return owners


def _ask_again(prober: Prober, course: Course) -> None:
    """Send a round's requests; the first wrong answer stays the model's answer."""
    count = max(prober.options.requests, PREFILL_REQUESTS if prober.prefill_pods(course.spec) else 1)
    for _number in range(count):
        if not course.serves:
            return
        answer, course.http = prober.ask(course.spec, course.http, prober.options.timeout)
        answer.attempts, answer.waited = course.answer.attempts, course.answer.waited
        course.answer = answer
        course.requests += 1
        course.seconds.append(answer.seconds)


def _extras(prober: Prober, course: Course) -> None:
    """List the models behind the path, and ask for chat and stream where wanted."""
    if course.http is not None and (course.serves or course.answer.status == 404):
        course.answer.offered = prober.offered(course.spec, course.http)
    if not course.serves:
        return
    listed = course.spec["model"] in course.answer.offered
    course.extra.append(
        Check(
            course.name,
            "model_list",
            listed,
            f"/v1/models lists {', '.join(course.answer.offered) or 'nothing'}",
            "" if listed else f"It should list {course.spec['model']}.",
            claim=True,
        )
    )
    for kind in [name for name in ("chat", "stream") if getattr(prober.options, name)]:
        answer, course.http = prober.ask(course.spec, course.http, prober.options.timeout, kind)
        course.extra.append(dataclasses.replace(verdict.judge_answer(course.spec, answer, []), name=kind))
        if kind == "stream" and answer.status == 200:
            course.first_token = answer.first


def _result(prober: Prober, courses: list[Course], rounds: list[Round]) -> Object:
    owners = _owners(prober)
    checks: list[Check] = []
    for course in courses:
        found = prober.object_checks(course.spec)
        checks += [*found, verdict.judge_answer(course.spec, course.answer, found), *course.extra]
        if course.requests:
            prefill = prober.prefill_pods(course.spec)
            wiring = prober.wiring(course.spec)
            proof = verdict.judge_prefill(course.name, rounds, prefill, course.requests, wiring, prober.options.pd)
            served, own = verdict.judge_served(course.name, rounds, owners), prober.own_picker(course.spec, rounds)
            checks += filter(None, [served, own, proof])
    shown = verdict.part(
        checks,
        [_model(course, rounds, owners) for course in courses],
        endpoints=[course.answer.target for course in courses if course.answer.target][:1],
        asks=filter(None, [prober.entrance.shown(course.spec) for course in courses if course.serves]),
    )
    verdict.tell(shown, prober.emit, time.monotonic() - prober.begin)
    gateway = {"gateway": prober.entrance.place} if prober.entrance.place else {}
    return {**shown, **gateway, "behind": prober.entrance.title}


def _model(course: Course, rounds: list[Round], owners: dict) -> Object:
    """Return a model's row of the result."""
    answer = course.answer
    row = {
        "name": course.name,
        "model": course.spec["model"],
        "url_path": answer.asked,
        "status": answer.status,
        "latency_ms": round(statistics.median(course.seconds or [answer.seconds]) * 1000, 1),
        "served_by": verdict.served_by(course.name, rounds, owners),
        "answer": answer.text[: verdict.EXCERPT] if answer.status else answer.error,
    }
    if course.first_token is not None:
        row["first_token_ms"] = round(course.first_token * 1000, 1)
    return row
