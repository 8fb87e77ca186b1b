# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The mistakes of one planning call: as lines for people and as findings for programs, in one order."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.errors import OrchestratorError
from ..base.findings import ERROR, WARNING, Finding, Mark, Problems
from ..report.write import report_problem, write_report
from ..rules.base import StackFinding
from ..rules.run import finding_text

# The rule that a secret is missing, which a note says too.
SECRET = "LLMD601"


class PlanningFailed(OrchestratorError):
    """Mistakes stop the run. findings: all of them, and the warnings, as data."""

    def __init__(self, texts: list[str], findings: list[dict]) -> None:
        self.findings = findings
        count = f"{len(texts)} mistake{'s' if len(texts) > 1 else ''} found"
        super().__init__(f"{count}; nothing was changed.", details=texts)


class Mistakes:
    """Collects mistakes; texts and findings run in parallel."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.found: list[Finding] = []

    def add(self, text: str, finding: Finding) -> None:
        """Note a mistake with its line."""
        self.texts.append(text)
        self.found.append(finding)

    def say(self, text: str, rule: str) -> None:
        """Note a mistake of one line 'place: what is wrong -> what to do'; lines already said are left out."""
        if text in self.texts:
            return
        head, _arrow, hint = text.partition(" -> ")
        place, colon, message = head.partition(": ")
        mark = Mark(place if colon else "stack")
        self.add(text, Finding(mark, "", message if colon else head, hint, rule))

    def take(self, problems: Problems) -> None:
        """Take over the mistakes in inputs."""
        for text, finding in zip(problems.texts, problems.findings(), strict=True):
            self.add(text, finding)

    def weigh(self, found: t.Iterable[StackFinding], strict: bool) -> list[Finding]:
        """Note what the rules found of the severity error, where strict; return the rest, as warnings at most."""
        rest: list[Finding] = []
        for item in found:
            if item.severity == ERROR and strict:
                self.add(finding_text(item), item)
            else:
                rest.append(dataclasses.replace(item, severity=WARNING) if item.severity == ERROR else item)
        return rest

    def reword(self, texts: t.Sequence[str]) -> None:
        """Give each mistake another line."""
        self.texts = list(texts)

    def __bool__(self) -> bool:
        return bool(self.texts)


def as_finding(error: OrchestratorError) -> Finding:
    """Return an error that ended planning as a finding."""
    message = " ".join([error.message, *error.details])
    return Finding(Mark("stack"), "", message, error.hint or "", "planning")


def joined_notes(notes: t.Sequence[str], findings: t.Sequence[Finding]) -> list[str]:
    """Return notes and what the rules found, without notes about a missing secret that a finding names too."""
    found = [item for item in findings if isinstance(item, StackFinding)]
    missing = [item.message.partition("there is no Secret ")[2].split()[0] for item in found if item.rule == SECRET]
    kept = [note for note in notes if not any(f"without the secret {name} " in note for name in missing)]
    return list(dict.fromkeys(kept + [finding_text(item) for item in found]))


def report(path: str, findings: t.Sequence[Finding]) -> None:
    """Write findings to a file; "" for none. One that cannot be written has been named as a mistake before."""
    if path and report_problem(path) is None:
        write_report(path, findings)
