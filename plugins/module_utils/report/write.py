# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Findings written to a file for programs: SARIF, JUnit or JSON, by the file's ending."""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t

from ..base.errors import OrchestratorError
from ..base.files import replace_file
from ..base.findings import ERROR, NOTE, WARNING, Finding
from ..base.mask import mask_text
from .junit import junit
from .sarif import NAME, sarif

# As in galaxy.yml.
VERSION = "0.1.0"
ENDINGS = (".sarif", ".xml", ".json")


def report_problem(path: str) -> str | None:
    """Return why a report cannot be written to a path, or None; to be asked before the work begins."""
    folder = os.path.dirname(os.path.abspath(os.path.expanduser(path)))
    if os.path.splitext(path)[1].lower() not in ENDINGS:
        return f"the name of {path} must end in one of {', '.join(ENDINGS)}, for SARIF, JUnit or JSON"
    if not os.path.isdir(folder):
        return f"cannot write {path}: folder not found: {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"cannot write {path}: the folder {folder} is not writable"
    return f"{path} is a folder" if os.path.isdir(os.path.expanduser(path)) else None


def write_report(path: str, findings: t.Sequence[Finding], version: str = VERSION, *, base: str | None = None) -> None:
    """Write findings as the path's ending says (.sarif, .xml: JUnit, .json); whole or not at all.

    version: of this collection; base: the folder that files are named relative to, the working directory by default.
    Raises OrchestratorError where the file cannot be written.
    """
    problem = report_problem(path)
    if problem:
        raise OrchestratorError(f"Findings file: {problem}.", hint="Use a file in an existing folder.")
    base = os.path.abspath(base or os.getcwd())
    ending = os.path.splitext(path)[1].lower()
    findings = [_masked(finding) for finding in findings]
    if ending == ".xml":
        content = junit(findings, version, base)
    else:
        report = sarif(findings, version, base) if ending == ".sarif" else _as_json(findings, version)
        content = (json.dumps(report, indent=2, ensure_ascii=True) + "\n").encode()
    try:
        replace_file(os.path.abspath(os.path.expanduser(path)), content, 0o644)
    except OSError as exc:
        raise OrchestratorError(f"Cannot write the findings file {path}: {exc.strerror}.") from exc


def _masked(finding: Finding) -> Finding:
    """Return a finding without what looks like a token or a password."""
    path, message, hint = map(mask_text, (finding.path, finding.message, finding.hint))
    return dataclasses.replace(finding, path=path, message=message, hint=hint)


def _as_json(findings: t.Sequence[Finding], version: str) -> dict[str, t.Any]:
    severities = [finding.severity for finding in findings]
    return {
        "format": 1,
        "tool": {"name": NAME, "version": version},
        "summary": {severity: severities.count(severity) for severity in (ERROR, WARNING, NOTE)},
        "findings": [finding.as_dict() for finding in findings],
    }
