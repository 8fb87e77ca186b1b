# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which workers took the requests that a model was asked: their counters, read around rounds of requests.

The answer's text and the name in it do not tell: a frontend names the model that was asked for, whoever answered.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import re
import typing as t

from ..base.words import listed, plural
from ..objects.pools import Check
from .http import Http, TransportError
from .verdict import SAMPLE, Counters
from .workers import SYSTEM_PORT, Place, Worker

METRICS_TIMEOUT = 5.0
# One for each request that a worker took, by what counts it: Dynamo's runtime in each line, engines besides.
REQUESTS = (
    "dynamo_component_requests_total",
    "vllm:request_success_total",
    "sglang:num_requests_total",
    "trtllm:request_success_total",
)
FAMILIES = re.compile(r"^(?:# \w+ )?(?:dynamo_|vllm:|sglang:|trtllm)", re.MULTILINE)
# Of a worker's endpoints (generate, clear_kv_blocks, ...) the one that answers requests.
OTHER_ENDPOINT = re.compile(r'dynamo_endpoint="(?!generate")')


def read_requests(text: str) -> Counters:
    """Return how many requests a worker counts, by counter."""
    sums: Counters = {}
    for line in text.splitlines():
        found = SAMPLE.match(line)
        if found and found.group(1) in REQUESTS and not OTHER_ENDPOINT.search(found.group(2) or ""):
            sums[found.group(1)] = sums.get(found.group(1), 0.0) + float(found.group(3))
    return sums


def taken(before: Counters, after: Counters) -> float:
    """Return how many requests came in between; a counter that went back began anew."""
    grown = (
        value - before.get(name, 0.0) if value >= before.get(name, 0.0) else value for name, value in after.items()
    )
    return max(grown, default=0.0)


class Tally:
    """Reads the counters of workers. deaf: why those of a pod cannot be read; lost: those that may answer yet."""

    def __init__(self, connect: t.Callable[[Worker], Http]) -> None:
        self._connect = connect
        self._https: dict[Place, Http] = {}
        self.deaf: dict[Place, str] = {}
        self.lost: set[Place] = set()

    def read(self, pool: concurrent.futures.Executor, workers: t.Sequence[Worker]) -> dict[Place, Counters | None]:
        """Return the counters of each worker, None where they cannot be read."""
        return dict(zip([one.place for one in workers], pool.map(self._one, workers), strict=True))

    def _one(self, worker: Worker) -> Counters | None:
        place = worker.place
        self.lost.discard(place)
        if place not in self._https:
            self._https[place] = self._connect(worker)
        try:
            reply = self._https[place].request("GET", "/metrics", timeout=METRICS_TIMEOUT)
        except TransportError as exc:
            self.deaf[place] = str(exc)[:300]
            if exc.transient:
                self.lost.add(place)
            return None
        if reply.status == 200 and FAMILIES.search(reply.text()):
            self.deaf.pop(place, None)
            return read_requests(reply.text())
        self.deaf[place] = f"port {worker.port} answers {reply.status} without a worker's counters"
        return None

    def close(self) -> None:
        """Close what is open."""
        for http in self._https.values():
            http.close()


@dataclasses.dataclass
class Tallied:
    """A round of requests. sent: by model, how many; took: by worker, how many it counted; blind: those unread, and
    why."""

    sent: dict[str, int]
    took: dict[Place, float] = dataclasses.field(default_factory=dict)
    blind: dict[Place, str] = dataclasses.field(default_factory=dict)


def tallied(
    sent: dict[str, int],
    before: t.Mapping[Place, t.Any],
    after: t.Mapping[Place, t.Any],
    deaf: t.Mapping[Place, str] | None = None,
) -> Tallied:
    """Return a round by the counters before and after it. deaf: why counters cannot be read."""
    unread = [place for place in after if after[place] is None or before.get(place) is None]
    blind = {place: (deaf or {}).get(place, "") for place in unread}
    took = {place: taken(before[place], after[place]) for place in after if place not in blind}
    return Tallied(sent, took, blind)


class Owner(t.NamedTuple):
    """A model and its workers."""

    name: str
    workers: t.Sequence[Worker]

    def of_role(self, prefill: bool) -> list[Worker]:
        """Return the workers that prefill, or those that answer."""
        return [one for one in self.workers if one.prefill == prefill]


def own_count(owner: Owner, one: Tallied, prefill: bool = False) -> float:
    """Return how many requests of a round the model's own workers of a role took."""
    return sum(one.took.get(worker.place, 0.0) for worker in owner.of_role(prefill))


def judge_workers(owner: Owner, rounds: t.Sequence[Tallied], known: t.Mapping[Place, str], all_: list[Worker]) -> Check:
    """Judge that a model's own workers answered all that it was asked.

    known: the model of each graph that is verified; all_: the workers of all graphs that can be seen.
    """
    for one in (one for one in rounds if owner.name in one.sent):
        sent = one.sent[owner.name]
        for prefill in (False, True):
            mine = owner.of_role(prefill)
            count, strangers = own_count(owner, one, prefill), _strangers(owner, one, known, all_, prefill)
            # Workers that prefill may leave short prompts to the others, so that too few alone says nothing of them.
            if count >= sent or (prefill and not (mine and _neighbours(mine, strangers))):
                continue
            if not prefill and (not mine or any(worker.place in one.blind for worker in mine)):
                return _untold(owner, one)
            return _crosstalk(owner, count, sent, strangers, one, known, prefill)
    names = sorted(
        {w.name for w in owner.workers for one in rounds if owner.name in one.sent and one.took.get(w.place)}
    )
    return Check(owner.name, "served_by", True, "served by " + ", ".join(names))


def _strangers(
    owner: Owner, one: Tallied, known: t.Mapping[Place, str], all_: t.Iterable[Worker], prefill: bool
) -> list[Worker]:
    """Return the workers of others that took requests in a round, though their model was not asked, if any."""
    own = {worker.place for worker in owner.workers}
    moved = [w for w in all_ if w.place not in own and w.prefill == prefill and one.took.get(w.place)]
    return [worker for worker in moved if known.get(worker.owner) not in one.sent] or ([] if prefill else moved)


def _neighbours(mine: t.Iterable[Worker], others: t.Iterable[Worker]) -> bool:
    spaces = {worker.space for worker in mine}
    return any(worker.space in spaces for worker in others)


def _untold(owner: Owner, one: Tallied) -> Check:
    unread = {worker.name: one.blind[worker.place] for worker in owner.of_role(False) if worker.place in one.blind}
    detail = f"cannot tell which worker answered: no request counter at /metrics of {listed(unread) or 'its workers'}"
    detail += _reason(unread.values())
    hint = f"Let the workers serve /metrics on port {SYSTEM_PORT} (DYN_SYSTEM_ENABLED=true), or compare their logs."
    return Check(owner.name, "served_by", False, detail, hint, claim=True)


def _reason(whys: t.Iterable[str]) -> str:
    why = next(filter(None, whys), "")
    return f" ({why})" if why else ""


def _crosstalk(
    owner: Owner,
    count: float,
    sent: int,
    strangers: list[Worker],
    one: Tallied,
    known: t.Mapping[Place, str],
    prefill: bool,
) -> Check:
    """Return the check of a model that others answer for, with who they are and what they have in common."""
    role = "prefill workers" if prefill else "workers"
    detail = f"its own {role} served {count:.0f} of {plural(sent, 'request')}"
    if strangers:
        told = (_told(worker, one, known) for worker in strangers)
        detail += f"; others answered under its name: {listed(told, 4)}"
    shared = _neighbours(owner.of_role(prefill), strangers)
    space = next((w.space for w in owner.workers), "")
    if shared and space:
        detail += f"; all of them register in Dynamo namespace {space}"
    hint = (
        "Models whose workers register under one endpoint get each other's requests, with wrong answers and no error. "
        "Use a separate DynamoGraphDeployment and Dynamo namespace for each model (dynamoNamespace up to 0.6; since "
        "0.7 it follows from the graph's name)."
    )
    if not strangers:
        hint = "Check for workers of other graphs or namespaces that register under the same Dynamo namespace."
    return Check(owner.name, "served_by", False, detail, hint)


def _told(worker: Worker, one: Tallied, known: t.Mapping[Place, str]) -> str:
    model = known.get(worker.owner)
    whose = f"model {model}" if model else f"graph {worker.graph}"
    return f"{worker.name} ({whose}) served {one.took[worker.place]:.0f}"


def judge_prefill_workers(owner: Owner, rounds: t.Sequence[Tallied], mode: str) -> Check | None:
    """Judge that a prefill worker took part; None for a model without any. mode: verify_pd."""
    mine = owner.of_role(True)
    ours = [one for one in rounds if owner.name in one.sent]
    if not mine or not ours:
        return None
    moved = sorted({worker.name for worker in mine for one in ours if one.took.get(worker.place)})
    if moved:
        return Check(owner.name, "prefill", True, "prefill took part: " + ", ".join(moved))
    if all(worker.place in one.blind for worker in mine for one in ours):
        detail = "cannot tell whether prefill took part: no request counter at the prefill workers' /metrics"
        detail += _reason(one.blind[worker.place] for worker in mine for one in ours)
        return Check(owner.name, "prefill", False, detail, "Compare the workers' logs.", claim=True)
    count = sum(one.sent[owner.name] for one in ours)
    names = ", ".join(sorted(worker.name for worker in mine))
    detail = f"prefill did not take part: no counter of {names} moved over {plural(count, 'long prompt')}"
    spaces = {worker.space for worker in owner.workers}
    if len(spaces) > 1:
        detail += f"; prefill and decode register in different Dynamo namespaces: {', '.join(sorted(spaces))}"
    hint = (
        "Only decode answered. Prefill and decode must be services of one graph with the same Dynamo namespace; the "
        "prefill worker needs --is-prefill-worker (since 1.0 --disaggregation-mode prefill) and both need a working "
        "KV transfer (NIXL): read the decode worker's log."
    )
    return Check(owner.name, "prefill", False, detail, hint, claim=mode == "warn")
