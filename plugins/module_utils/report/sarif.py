# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Findings as SARIF 2.1.0 (OASIS), as code scanning of GitHub, GitLab and others reads it."""

from __future__ import annotations

import os
import pathlib
import typing as t
from urllib.parse import quote

from ..base.findings import ERROR, NOTE, WARNING, Finding
from ..rules.texts import rule_text

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/llm-d/llm_d.orchestrator"
NAME = "llm_d.orchestrator"
LEVELS = {ERROR: "error", WARNING: "warning", NOTE: "note"}
ROOT_ID = "SRCROOT"


def sarif(findings: t.Sequence[Finding], version: str, base: str) -> dict[str, t.Any]:
    """Return the report of one run.

    base: the folder below which files are named relative to it. What stands in a variable has no file: its variable is
    named in the file's place, for readers that want one, and as a logical location.
    """
    ids = list(dict.fromkeys(finding.rule for finding in findings))
    driver = {"name": NAME, "version": version, "informationUri": HOME, "rules": [_rule(rule) for rule in ids]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT_ID: {"uri": pathlib.Path(base).as_uri().rstrip("/") + "/"}},
        "invocations": [{"executionSuccessful": True}],
        "results": [_result(finding, ids.index(finding.rule), base) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def shown_file(file: str, base: str) -> str:
    """Return a file relative to base where it lies below, else as it is."""
    inside = os.path.isabs(file) and os.path.commonpath([file, base]) == base
    return os.path.relpath(file, base) if inside else file


def _rule(rule: str) -> dict[str, t.Any]:
    text = rule_text(rule)
    return {
        "id": rule,
        "shortDescription": {"text": text.title},
        "fullDescription": {"text": text.help[:1000]},
        "help": {"text": text.help},
        "helpUri": text.page,
    }


def _result(finding: Finding, index: int, base: str) -> dict[str, t.Any]:
    text = ": ".join(part for part in (finding.path, finding.message) if part)
    text += f"; {finding.hint}" if finding.hint else ""
    text += f" ({finding.source})" if finding.source else ""
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS.get(finding.severity, "error"),
        "message": {"text": text},
        "locations": [_location(finding, base)],
    }


def _location(finding: Finding, base: str) -> dict[str, t.Any]:
    mark = finding.mark
    region = {"startLine": max(mark.line, 1), "startColumn": max(mark.column, 1)}
    location: dict[str, t.Any] = {"physicalLocation": {"artifactLocation": _artifact(finding, base), "region": region}}
    name = ".".join(part for part in (mark.file if not mark.line else "", finding.path) if part)
    if name:
        location["logicalLocations"] = [{"fullyQualifiedName": name}]
    return location


def _artifact(finding: Finding, base: str) -> dict[str, str]:
    file = shown_file(finding.mark.file, base)
    if os.path.isabs(file):
        return {"uri": pathlib.PurePosixPath(file).as_uri()}
    return {"uri": quote(file.replace(os.sep, "/") or "stack", safe="/-._~"), "uriBaseId": ROOT_ID}
