# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The findings of one planning call: those that stop the run, and those that are warnings."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.errors import OrchestratorError, Unreachable
from ..base.findings import ERROR, WARNING, Finding, Findings, Mark
from ..report.write import report_problem, write_report

# The rule that a cluster answers.
UNREACHABLE = "cluster-unreachable"


class PlanningFailed(OrchestratorError):
    """Errors stop the run; its result has them and the warnings as data."""

    def __init__(self, errors: Findings, warnings: t.Iterable[Finding]) -> None:
        texts = errors.texts
        count = f"{len(texts)} mistake{'s' if len(texts) > 1 else ''} found"
        super().__init__(f"{count}; nothing was changed.", details=texts)
        self.result = {"findings": [finding.as_dict() for finding in (*errors, *warnings)]}
        if any(finding.rule == UNREACHABLE for finding in errors):
            self.result = {**self.result, **Unreachable.result}


def weighed(errors: Findings, found: t.Iterable[Finding], strict: bool) -> list[Finding]:
    """Note in errors what rules found of that severity and is not said there, where strict; return the warnings."""
    rest = errors.join(found)
    errors.take(finding for finding in rest if strict and finding.severity == ERROR)
    others = [finding for finding in rest if not strict or finding.severity != ERROR]
    return [dataclasses.replace(one, severity=WARNING) if one.severity == ERROR else one for one in others]


def as_finding(error: OrchestratorError) -> Finding:
    """Return an error that ended planning as a finding."""
    message = " ".join([error.message, *error.details])
    return Finding(Mark("stack"), "", message, error.hint or "", "planning")


def report(path: str, findings: t.Sequence[Finding]) -> None:
    """Write findings to a file; "" for none. One that cannot be written has been named as a mistake before."""
    if path and report_problem(path) is None:
        write_report(path, findings)
