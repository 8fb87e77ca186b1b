# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What rules of diagnosis are made of that read the logs of failing containers."""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ..base.data import Object
from ..objects.pods import container_states, ended, waiting
from .base import ERROR, Diagnosis, Proof
from .evidence import Evidence, Log, clean, ref
from .statements import ERROR as SAID_AS_ERROR
from .statements import PLAIN, WHOLE, Utterance, decisive, statements

# A program that has gone on for so many lines has survived what it complained about.
SURVIVED = 5
# Error lines without a known cause that may follow the one that has it.
UNKNOWN_ERRORS = 3


@dataclasses.dataclass(frozen=True)
class LogRule:
    """A pattern of what is said in logs. fatal: a restart does not mend it; key: group that tells causes apart, 0 for
    none; vague: a consequence of many causes, behind which any other cause stands; late: how many others know a
    statement better; only: whether it is for a pod at all; fits: whether it holds for a pod's container; advise: the
    remedy for one case, "" for the rule's."""

    number: int
    title: str
    pattern: re.Pattern[str]
    cause: str
    remedy: str
    source: str
    fatal: bool = True
    key: int = 0
    severity: str = ERROR
    vague: bool = False
    late: int = 0
    only: t.Callable[[Object], bool] | None = None
    fits: t.Callable[[Object, str, re.Match[str]], bool] | None = None
    advise: t.Callable[[Evidence, Log, re.Match[str]], str] | None = None

    @property
    def id(self) -> str:
        """Return the rule's id."""
        return f"DIAG{self.number}"


class Match(t.NamedTuple):
    """A rule and what it knows of a log."""

    rule: LogRule
    statement: Utterance
    found: re.Match[str]

    def fits(self, pod: Object, container: str) -> bool:
        """Return whether the rule holds for a pod's container."""
        return self.rule.fits is None or self.rule.fits(pod, container, self.found)


Rules = tuple[LogRule, ...]


def log_rule(number: int, title: str, pattern: str, cause: str, remedy: str, source: str, **more: t.Any) -> LogRule:
    """Return a rule; the pattern ignores case."""
    return LogRule(number, title, re.compile(pattern, re.IGNORECASE), cause, remedy, source, **more)


def diagnoses(rules: Rules) -> dict[int, Diagnosis]:
    """Return the rules as every other one, by number. They are asked together: what a log says is one rule's."""
    return {
        rule.number: Diagnosis(
            rule.id,
            rule.title,
            functools.partial(_proofs, rule, rules),
            f"a failing container's log matches `{rule.pattern.pattern}`",
            rule.cause,
            rule.remedy,
            rule.source,
            rule.severity,
        )
        for rule in rules
    }


def of_pod(rules: Rules, pod: Object) -> Rules:
    """Return the rules for a pod: what a program says of itself is known better than what any may say."""
    return tuple(rule for rule in rules if rule.only is None or rule.only(pod))


def _proofs(rule: LogRule, rules: Rules, evidence: Evidence) -> t.Iterator[Proof]:
    for log in evidence.logs:
        if not log.failing:
            continue
        for match in matches(log.lines, of_pod(rules, log.pod), ended=has_ended(log)):
            if match.rule is not rule or not match.fits(log.pod, log.container):
                continue
            key = clean(match.found[rule.key], 80) if rule.key else ""
            origin = "log of the run before" if log.previous else "log"
            text = f"container {log.container}, {origin}: {clean(match.statement.shown, WHOLE)}"
            advice = rule.advise(evidence, log, match.found) if rule.advise else ""
            yield Proof(
                tuple(alike(evidence, log)), text, key, evidence.since(log.pod), remedy=advice, container=log.container
            )


def has_ended(log: Log) -> bool:
    """Return whether a log is of a run that is over."""
    running = any(
        state.get("name") == log.container and "running" in (state.get("state") or {})
        for state in container_states(log.pod)
    )
    return log.previous or not running


@functools.lru_cache(maxsize=64)
def matches(lines: tuple[str, ...], rules: Rules, *, ended: bool) -> tuple[Match, ...]:
    """Return what rules know of a log, the most decisive first, each rule once.

    Of a run that is over, what was said last decides: the last exception, unless it only points at another one, or an
    error line; a program that went on for long after a complaint did not end for it. A program that still runs repeats
    what is wrong.
    """
    said = statements(lines)
    found = _of_ended(said, rules) if ended else _of_running(said, rules)
    sure = [match for match in found if not match.rule.vague]
    return tuple({match.rule.number: match for match in reversed(sure or found[:1])}.values())[::-1]


def _of_running(said: tuple[Utterance, ...], rules: Rules) -> list[Match]:
    grave = [one for index, one in enumerate(said) if one.grave or (one.level == PLAIN and index >= len(said) - 10)]
    return [match for one in reversed(grave) if (match := first(one, rules))]


def _of_ended(said: tuple[Utterance, ...], rules: Rules) -> list[Match]:
    found: list[Match] = []
    repeated: list[Match] = []
    went_on, unknown, pointed, burst = 0, 0, False, False
    for one in reversed(said):
        if one.pointer:
            # It may repeat what it points at, which the beginning of the log may have had.
            repeated += [match for match in [first(one, rules)] if match]
            pointed = True
            continue
        if not one.grave and one.level != PLAIN:
            went_on += 1
            if burst or (went_on > SURVIVED and not pointed):
                break
            continue
        match = first(one, rules)
        if match is None:
            unknown += one.grave
            # Processes of one model end one after the other: what is thrown right before may be why.
            burst = burst or one.thrown
            if unknown > UNKNOWN_ERRORS:
                break
            continue
        # A second cause stands in an error line of its own; other exceptions are of processes that fell with the first.
        if not found or found[0].rule.vague or (one.level == SAID_AS_ERROR and not one.thrown):
            found.append(match)
    return found or repeated[-1:]


def first(one: Utterance, rules: Rules) -> Match | None:
    """Return the first rule that knows a statement or what led to it."""
    for text in (one.text, *one.chain):
        for rule in rules:
            found = rule.pattern.search(text)
            if found:
                return Match(rule, one, found)
    return None


def alike(evidence: Evidence, log: Log) -> list[tuple[str, str, str]]:
    """Return the log's pod, and its siblings whose container of that name ended the same way."""
    mine = _ending(log.pod, log.container)
    workload = evidence.workload(log.pod)
    own = ref(log.pod)
    if mine is None or workload == own:
        return [own]
    read = {ref(other.pod) for other in evidence.logs}
    siblings = [pod for pod in evidence.pods if evidence.workload(pod) == workload and ref(pod) not in read]
    return [own, *(ref(pod) for pod in siblings if _ending(pod, log.container) == mine)]


def _ending(pod: Object, container: str) -> tuple | None:
    for state in container_states(pod):
        if state.get("name") == container and ended(state):
            return ended(state).get("exitCode"), ended(state).get("reason"), waiting(state).get("reason")
    return None


def last_line(lines: t.Sequence[str]) -> str:
    """Return the line that says most of why a program ended, '' for none."""
    return (decisive(lines, 1) or [""])[0]


def said_last(evidence: Evidence, pod: Object, container: str) -> str:
    """Return what a container's log says most of why it ended, else its siblings', '' for nothing."""
    logs = [log for log in evidence.logs if log.container == container and ref(log.pod) == ref(pod)]
    siblings = [log for log in evidence.logs if log.container == container
                and evidence.workload(log.pod) == evidence.workload(pod)]  # fmt: skip
    return next((line for log in [*logs, *siblings] if (line := last_line(log.lines))), "")
