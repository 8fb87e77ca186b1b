# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The findings of one planning call: those that stop the run, and those that are warnings."""

from __future__ import annotations

import dataclasses
import os
import re
import traceback
import typing as t

from ..base.errors import OrchestratorError, Unreachable
from ..base.findings import ERROR, WARNING, Finding, Findings, Mark, finding_at
from ..report.write import report_problem, write_report
from .accept import advice, is_acceptable

# The rule that a cluster answers.
UNREACHABLE = "cluster-unreachable"
# The last key or index of a printed path.
LAST_STEP = re.compile(r"""(\.[\w-]+|\[\d+\]|\["([^"\\]|\\.)*"\]|.)\Z""", re.DOTALL)


class PlanningFailed(OrchestratorError):
    """Errors stop the run; its result has them and the warnings as data."""

    def __init__(self, errors: t.Sequence[Finding], warnings: t.Sequence[Finding]) -> None:
        number = sum(one.count for one in errors)
        count = f"{number} mistake{'s' if number > 1 else ''} found"
        super().__init__(f"{count}; nothing was changed.", advice(errors), [_with_id(one) for one in errors])
        self.warnings = [finding.text() for finding in warnings]
        self.result = {"findings": [finding.as_dict() for finding in (*errors, *warnings)]}
        if any(finding.rule == UNREACHABLE for finding in errors):
            self.result = {**self.result, **Unreachable.result}


def _with_id(error: Finding) -> str:
    """Return a mistake's line, with the id by which it can be accepted."""
    text = error.text()
    return f"{text} [{error.rule}]" if is_acceptable(error) and error.rule not in text else text


def located(finding: Finding, places: t.Mapping[str, str]) -> Finding:
    """Return a finding of a variable with the file and line where that stands. places: as the module takes them."""
    path = ".".join(filter(None, (finding.mark.file, finding.path)))
    place = "" if finding.mark.line else _place(path, places)
    if not place:
        return finding
    if finding.objects:  # a rule's, whose places begin the line
        finding = dataclasses.replace(finding, where=f"{finding.rule} {place} ({path})", place=f"{place} ({path})")
    else:
        finding = dataclasses.replace(finding, where=finding.where or path, place=place)
    file, _colon, line = place.rpartition(":")
    if not file or not line.isdigit():
        return finding
    return dataclasses.replace(finding, mark=Mark(file, int(line)), path=path)


def _place(path: str, places: t.Mapping[str, str]) -> str:
    """Return where a variable's key stands, or else the nearest one above it; "" where that is not known."""
    while path and path not in places:
        path = LAST_STEP.sub("", path)
    return places.get(path, "")


def weighed(errors: Findings, found: t.Iterable[Finding], strict: bool) -> list[Finding]:
    """Note in errors what rules found of that severity and is not said there, where strict; return the warnings."""
    rest = errors.join(found)
    errors.take(finding for finding in rest if strict and finding.severity == ERROR)
    others = [finding for finding in rest if not strict or finding.severity != ERROR]
    return [dataclasses.replace(one, severity=WARNING) if one.severity == ERROR else one for one in others]


def known_mistakes(rows: t.Iterable[t.Mapping[str, t.Any]]) -> list[Finding]:
    """Return the findings that were made before the module, out of their plain data."""
    return [
        dataclasses.replace(finding_at(row["file"], row["message"], row["hint"], row["rule"]), severity=row["severity"])
        for row in rows
    ]


def as_finding(error: OrchestratorError) -> Finding:
    """Return an error that ended planning as a finding."""
    message = " ".join([error.message, *error.details])
    return Finding(Mark("stack"), "", message, error.hint or "", "planning")


def unforeseen(error: Exception) -> Finding:
    """Return an exception that nobody has foreseen as a finding: which it was, and where."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(last.filename)}:{last.lineno}"
    text = f"internal error while planning: {type(error).__name__}: {error} ({place})"
    hint = "fix the other mistakes first; if it remains, report it with this line and the values that cause it"
    return Finding(Mark("stack"), "", text, hint, "planning")


def report(path: str, findings: t.Sequence[Finding]) -> None:
    """Write findings to a file; "" for none. One that cannot be written has been named as a mistake before."""
    if path and report_problem(path) is None:
        write_report(path, findings)
