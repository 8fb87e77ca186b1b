# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What rules of diagnosis are made of that read the last lines of failing containers."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Object
from ..objects.pods import container_states, ended, waiting
from .base import ERROR, Diagnosis, Proof
from .evidence import Evidence, Log, clean, ref

# What follows a traceback's or an error's own line, and says nothing of the cause.
_EMPTY = re.compile(r"^\W*$|^\s*(\^+|~+)\s*$")


@dataclasses.dataclass(frozen=True)
class LogRule:
    """A pattern of log lines. fatal: a restart does not mend it; key: group that tells causes apart, 0 for none."""

    number: int
    title: str
    pattern: re.Pattern[str]
    cause: str
    remedy: str
    source: str
    fatal: bool = True
    key: int = 0
    severity: str = ERROR

    def diagnosis(self) -> Diagnosis:
        """Return the rule as every other one."""
        shows = f"a failing container's log matches `{self.pattern.pattern}`"
        return Diagnosis(
            f"DIAG{self.number}",
            self.title,
            lambda evidence: _proofs(self, evidence),
            shows,
            self.cause,
            self.remedy,
            self.source,
            self.severity,
        )

    def match(self, lines: t.Sequence[str]) -> tuple[str, re.Match[str]] | None:
        """Return the last line that matches, and the match."""
        for line in reversed(lines):
            found = self.pattern.search(line)
            if found:
                return line, found
        return None


def log_rule(number: int, title: str, pattern: str, cause: str, remedy: str, source: str, **more: t.Any) -> LogRule:
    """Return a rule; the pattern ignores case."""
    return LogRule(number, title, re.compile(pattern, re.IGNORECASE), cause, remedy, source, **more)


def _proofs(rule: LogRule, evidence: Evidence) -> t.Iterator[Proof]:
    for log in evidence.logs:
        if not log.failing:
            continue
        found = rule.match(log.lines)
        if not found:
            continue
        line, match = found
        key = clean(match[rule.key], 80) if rule.key else ""
        origin = "log of the run before" if log.previous else "log"
        text = f"container {log.container}, {origin}: {clean(line)}"
        yield Proof(tuple(alike(evidence, log)), text, key=key, since=evidence.since(log.pod))


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
    """Return the last line that says something, '' for none."""
    return next((clean(line) for line in reversed(lines) if not _EMPTY.search(line)), "")


def diagnosed(lines: t.Sequence[str], rules: t.Sequence[LogRule]) -> tuple[LogRule, str] | None:
    """Return the first rule that a log's lines match, with the line."""
    for rule in rules:
        found = rule.match(lines)
        if found:
            return rule, clean(found[0])
    return None
