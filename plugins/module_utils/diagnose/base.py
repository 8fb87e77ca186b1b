# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What every rule of diagnosis is made of: the rule as data, what it finds, and the helpers that rules share."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Object
from .evidence import Evidence, Ref, Said, clean, conditions, first_time, ref, seconds

ERROR, WARNING = "error", "warning"
# A root cause is a reason of its own. The rest are pods that no root names. Those and symptoms are named only where
# nothing that they depend on has a cause.
ROOT, REST, SYMPTOM = LEVELS = "root", "rest", "symptom"


@dataclasses.dataclass(frozen=True)
class Proof:
    """What shows a cause. objects: what fails for it; text: the line that proves it; key: proofs of one key are one
    cause; because: objects whose own causes explain this one; remedy: instead of the rule's; container: the only one of
    its pods that it speaks of."""

    objects: tuple[Ref, ...]
    text: str
    key: str = ""
    since: float | None = None
    because: tuple[Ref, ...] = ()
    remedy: str = ""
    severity: str = ""
    container: str = ""


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """A rule as data. id: stable; shows: how it looks in the cluster; cause, remedy, source: for the reader."""

    id: str
    title: str
    find: t.Callable[[Evidence], t.Iterable[Proof]]
    shows: str
    cause: str
    remedy: str
    source: str
    severity: str = ERROR
    level: str = ROOT


def refusals(evidence: Evidence) -> list[Said]:
    """Return all texts that say why something could not be made, of objects that still lack it."""
    namespace, failure = evidence.namespace, evidence.failure
    failed = [release for release in evidence.releases if release["status"] == "failed" and release.get("description")]
    of_releases = [Said(("Helm release", namespace, one["name"]), one["description"], None) for one in failed]
    of_caller = [Said(("Run", namespace, "this deployment"), failure, None)] if failure else []
    return [*_of_conditions(evidence), *_of_events(evidence), *of_releases, *of_caller]


def _of_conditions(evidence: Evidence) -> t.Iterator[Said]:
    for kind in ("Deployment", "ReplicaSet"):
        for item in evidence.of(kind):
            for entry in conditions(item):
                if entry.get("type") == "ReplicaFailure" and entry.get("status") == "True":
                    where = _top(evidence, item)
                    yield Said(where, str(entry.get("message")), seconds(entry.get("lastTransitionTime")))


def _top(evidence: Evidence, item: Object) -> Ref:
    """Return a ReplicaSet's Deployment, else the object itself."""
    for owner in item["metadata"].get("ownerReferences") or []:
        if owner.get("controller") and evidence.find(str(owner.get("kind")), owner.get("name")):
            return str(owner["kind"]), ref(item)[1], str(owner["name"])
    return ref(item)


_OWNERS = ("StatefulSet", "Job", "DaemonSet", "LeaderWorkerSet", "ReplicaSet")


def _of_events(evidence: Evidence) -> t.Iterator[Said]:
    for kind in _OWNERS:
        for item in evidence.of(kind):
            if not _lacks_pods(item):
                continue
            for event in evidence.events(item):
                if str(event.get("reason", "")).startswith("FailedCreate"):
                    yield Said(_top(evidence, item), str(event.get("message")), first_time(event))


def _lacks_pods(item: Object) -> bool:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    if item.get("kind") == "Job":
        return not (status.get("active") or status.get("succeeded"))
    wanted = status.get("desiredNumberScheduled", spec.get("replicas", 1)) or 0
    return wanted > int(status.get("replicas") or status.get("currentNumberScheduled") or 0)


# What is said not to exist by name: apiVersion, kind, pattern.
MISSED = (
    ("v1", "Secret", re.compile(r'\bsecret "([^"]+)" not found', re.IGNORECASE)),
    ("v1", "ConfigMap", re.compile(r'\bconfigmap "([^"]+)" not found', re.IGNORECASE)),
    ("v1", "ServiceAccount", re.compile(r'\bserviceaccount "([^"]+)" not found', re.IGNORECASE)),
    ("node.k8s.io/v1", "RuntimeClass", re.compile(r'\bRuntimeClass "([^"]+)" not found')),
    ("scheduling.k8s.io/v1", "PriorityClass", re.compile(r"no PriorityClass with name (\S+) was found")),
)


def missed(text: str) -> t.Iterator[tuple[str, str, str]]:
    """Return (apiVersion, kind, name) of what a text says not to exist."""
    for api, kind, pattern in MISSED:
        yield from ((api, kind, name) for name in pattern.findall(text))


def by_now(evidence: Evidence, text: str) -> str:
    """Return what to do where something that was missed is there by now, "" where it is not or nobody knows."""
    for _api, kind, name in missed(text):
        if evidence.elsewhere.get((kind, evidence.namespace, name)):
            return (
                f"{kind} {name} has been created since: Kubernetes retries within minutes. To retry now, delete the "
                "waiting pods or restart the workload."
            )
    return ""


def said(pattern: str, key: int = 1, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a rule's find() for texts that say why an object could not be made.

    pattern: what the text holds; its group `key` (0: all) tells one cause from another; remedy: with {1}, {2} ... for
    the pattern's groups.
    """
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for entry in refusals(evidence):
            found = compiled.search(entry.text)
            if found:
                begin = _word(entry.text, found.start() - 120, found.start())
                text = clean(entry.text[begin : found.end() + 240])
                advice = remedy.format(*(clean(group, 120) for group in (found[0], *found.groups()))) if remedy else ""
                advice = by_now(evidence, entry.text) or advice
                yield Proof((entry.ref,), text, key=clean(found[key], 80), since=entry.since, remedy=advice)

    return find


def _word(text: str, begin: int, end: int) -> int:
    """Return where the first whole word between two indices begins; the first index where there is none."""
    space = text.find(" ", begin - 1, end) if begin > 0 else -1
    return space + 1 if space >= 0 else max(0, begin)


def event_of(evidence: Evidence, item: Object, *reasons: str, pattern: str = "") -> Object | None:
    """Return an object's newest event of these reasons whose message holds a pattern, None for none."""
    for event in evidence.events(item):
        if event.get("reason") in reasons and re.search(pattern, str(event.get("message")), re.IGNORECASE):
            return event
    return None


def event_text(event: Object) -> str:
    """Return an event as a line of evidence."""
    count = event.get("count") or (event.get("series") or {}).get("count") or 1
    times = f" ({count} times)" if count > 1 else ""
    return f"event {event.get('reason')}{times}: {clean(event.get('message'))}"
