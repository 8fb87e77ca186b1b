# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""From evidence to causes: roots before consequences, one cause for all that fails for it, no secrets."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..base.mask import discreet, mask_text
from ..objects.pods import pod_revision
from .base import ERROR, LEVELS, ROOT, Diagnosis, Proof
from .dynamo.gathering import DEFINITION, WEBHOOKS
from .evidence import Asked, Evidence, Log, Ref, clean, ref
from .registry import RULES
from .rules_joins import JOINS
from .statements import decisive

ALL_RULES = (*RULES, *JOINS)
EVIDENCE_SHOWN = 3
# What is no part of a deployment.
UNCOUNTED = ("Event", "Node", "EndpointSlice", "LimitRange", DEFINITION, *WEBHOOKS)
OBJECTS_KEPT, CAUSES_KEPT, LOG_LINES_KEPT = 50, 40, 20


@dataclasses.dataclass
class Cause:
    """One reason and all that fails for it. explains: objects that are not as they should be only because of it."""

    rule: Diagnosis
    proofs: list[Proof]
    severity: str
    explains: list[Ref] = dataclasses.field(default_factory=list)

    @property
    def objects(self) -> list[Ref]:
        """Return what fails for it, each once."""
        return list(dict.fromkeys(item for proof in self.proofs for item in proof.objects))


def causes_of(evidence: Evidence, rules: t.Sequence[Diagnosis] = ALL_RULES) -> list[Cause]:
    """Return the causes: roots in the order of the rules, then what has no cause but itself; errors first."""
    found: dict[tuple[str, str], Cause] = {}
    claimed: dict[Ref, Cause] = {}
    for rule in sorted(rules, key=lambda rule: LEVELS.index(rule.level)):
        fresh: list[tuple[Ref, Cause]] = []
        for found_proof in _proofs(rule, evidence):
            proof = _unclaimed(found_proof, claimed)
            if proof is None:
                continue
            root = next((claimed[item] for item in _chain(evidence, proof) if item in claimed), None)
            if rule.level != ROOT and root is not None:
                root.explains += proof.objects
                fresh += [(item, root) for item in proof.objects]
                continue
            cause = found.setdefault((rule.id, proof.key), Cause(rule, [], proof.severity or rule.severity))
            cause.proofs.append(proof)
            fresh += [(item, cause) for item in proof.objects]
        for item, cause in fresh:
            for one in (item, *_owner(evidence, item)):
                claimed.setdefault(one, cause)
    return sorted(found.values(), key=lambda cause: (cause.severity != ERROR, LEVELS.index(cause.rule.level)))


def _proofs(rule: Diagnosis, evidence: Evidence) -> list[Proof]:
    """Return what a rule finds. Objects of others may hold anything: a rule that cannot read them hides no other."""
    try:
        return list(rule.find(evidence))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as exc:
        evidence.unseen.append(f"the rule {rule.id} could not read an object: {type(exc).__name__}: {exc}")
        return []


def _unclaimed(proof: Proof, claimed: t.Mapping[Ref, Cause]) -> Proof | None:
    """Return the proof without the pods that another rule has named already, None where nothing is left. What logs of
    one pod say is each a cause of its own."""
    left = tuple(
        item
        for item in proof.objects
        if item[0] != "Pod"
        or item not in claimed
        or (proof.container and all(other.container for other in claimed[item].proofs))
    )
    if not left or (left[0][0] == "Run" and claimed):
        return None
    return dataclasses.replace(proof, objects=left)


def _chain(evidence: Evidence, proof: Proof) -> t.Iterator[Ref]:
    yield from proof.because
    yield from proof.objects
    for item in proof.because:
        yield from _owner(evidence, item)


def _owner(evidence: Evidence, item: Ref) -> tuple[Ref, ...]:
    """Return the workload of a pod."""
    pod = evidence.find("Pod", item[2], item[1]) if item[0] == "Pod" else None
    return (evidence.workload(pod),) if pod is not None else ()


def diagnose(
    evidence: Evidence,
    secrets: t.Iterable[str] = (),
    ask: t.Callable[[], list[Asked]] | None = None,
    home: str = "",
) -> Object:
    """Return {causes, evidence, releases, namespace, namespaces, healthy, requests, unseen}.

    secrets: values that must not be shown; ask: sends requests, where the objects show no failure; home: the namespace
    whose objects are named without it, by default the evidence's.
    """
    home = home or evidence.namespace
    causes = causes_of(evidence)
    if ask is not None and not any(cause.severity == ERROR for cause in causes):
        evidence.asked = ask()
        causes = causes_of(evidence)
    causes = causes[:CAUSES_KEPT]
    unknown = [item for cause in causes if cause.rule.id in ("DIAG901", "DIAG998", "DIAG999") for item in cause.objects]
    result = {
        "namespace": evidence.namespace,
        "namespaces": [evidence.namespace],
        "healthy": not any(cause.severity == ERROR for cause in causes),
        "causes": [as_dict(evidence, cause, home) for cause in causes],
        "evidence": raw(evidence, unknown, home),
        "releases": [
            {key: release.get(key) for key in ("name", "component", "status", "revision", "chart")}
            for release in evidence.releases
        ],
        "requests": [
            {"pool": one.pool[2], "served": one.served, "status": one.status, "text": one.text}
            for one in evidence.asked
        ],
        "unseen": evidence.unseen,
        "counts": counts(evidence),
    }
    return t.cast(Object, discreet(result, sorted({text for text in secrets if len(text) >= 4}, key=len, reverse=True)))


def unasked(namespace: str, why: str) -> Object:
    """Return the result where the cluster cannot be asked."""
    empty: Object = {"causes": [], "evidence": [], "releases": [], "requests": [], "counts": {}}
    why = mask_text(clean(why))
    return {"namespace": namespace, "namespaces": [namespace], "healthy": False, **empty, "unseen": [why]}


def joined(first: Object, others: t.Sequence[Object]) -> Object:
    """Return what was found in several namespaces of one stack as one diagnosis: errors first."""
    found = [first, *others]
    lists = ("causes", "evidence", "releases", "requests", "unseen", "namespaces")
    joint = {key: [one for result in found for one in result[key]] for key in lists}
    joint["causes"] = sorted(joint["causes"], key=lambda cause: cause["severity"] != ERROR)[:CAUSES_KEPT]
    kinds = dict.fromkeys(kind for result in found for kind in result["counts"])
    counted = {kind: sum(result["counts"].get(kind, 0) for result in found) for kind in kinds}
    return {**first, **joint, "counts": counted, "healthy": all(result["healthy"] for result in found)}


def as_dict(evidence: Evidence, cause: Cause, home: str) -> Object:
    """Return a cause as the module returns it."""
    since = [proof.since for proof in cause.proofs if proof.since]
    objects = cause.objects
    explained = [item for item in dict.fromkeys(cause.explains) if item not in objects]
    remedies = list(dict.fromkeys(proof.remedy for proof in cause.proofs if proof.remedy))
    components = dict.fromkeys(name for item in objects if (name := evidence.component(item)))
    return {
        "id": cause.rule.id,
        "title": cause.rule.title,
        "severity": cause.severity,
        "component": ", ".join(components),
        "objects": [name_of(item, home) for item in objects[:OBJECTS_KEPT]],
        "count": len(objects),
        "explains": [name_of(item, home) for item in explained[:OBJECTS_KEPT]],
        "evidence": list(dict.fromkeys(proof.text for proof in cause.proofs))[:EVIDENCE_SHOWN],
        "cause": cause.rule.cause,
        "remedy": " ".join([*remedies[:2], cause.rule.remedy] if not remedies else remedies[:2]),
        "source": cause.rule.source,
        "seconds_since_first": round(max(0.0, evidence.now - min(since)), 1) if since else None,
    }


def name_of(item: Ref, namespace: str) -> str:
    """Return 'Kind name', with its namespace where that is another."""
    kind, place, name = item
    return f"{kind} {name}" if place in ("", namespace) else f"{kind} {place}/{name}"


def raw(evidence: Evidence, unknown: t.Container[Ref], home: str) -> list[Object]:
    """Return what no rule knows: events of objects, and the decisive log lines of each container of a pod template."""
    rows: list[Object] = []
    for kind, items in evidence.lists.items():
        for item in items if kind != "Event" else []:
            if ref(item) in unknown:
                events = [
                    f"{e.get('type')} {e.get('reason')}: {clean(e.get('message'))}" for e in evidence.events(item)[:5]
                ]
                rows.append({"object": name_of(ref(item), home), "events": events})
    alike: dict[tuple, list[Log]] = {}
    for log in evidence.logs:
        if ref(log.pod) in unknown:
            alike.setdefault((evidence.workload(log.pod), pod_revision(log.pod), log.container), []).append(log)
    for (workload, _revision, container), logs in alike.items():
        pod = ref(logs[0].pod)
        more = f" and others of {name_of(workload, home)}" if workload != pod else ""
        lines = decisive([line for log in reversed(logs) for line in log.lines], LOG_LINES_KEPT)
        rows.append({"object": f"{name_of(pod, home)}{more}, container {container}", "log": lines})
    return rows[:20]


def counts(evidence: Evidence) -> Object:
    """Return how many objects of a kind were looked at."""
    return {kind: len(items) for kind, items in sorted(evidence.lists.items()) if items and kind not in UNCOUNTED}
