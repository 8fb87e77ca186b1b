# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Findings as JUnit's XML, as GitLab, Jenkins and others show test results."""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree

from ..base.findings import ERROR, Finding
from ..rules.texts import rule_text
from .pages import fit
from .sarif import NAME, shown_file


def junit(findings: t.Sequence[Finding], version: str, base: str) -> bytes:
    """Return the report: one test case for each rule that a file (or variable) breaks, one that passes where none is.

    Errors are failures; warnings and notes are output of a passed test case.
    """
    cases: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        cases.setdefault((finding.mark.file, finding.rule), []).append(finding)
    failed = sum(any(item.severity == ERROR for item in items) for items in cases.values())
    counts = {"tests": str(max(len(cases), 1)), "failures": str(failed), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": NAME, **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"{NAME} {version}", "skipped": "0", **counts})
    for (file, rule), items in cases.items():
        _case(suite, shown_file(file, base), rule, items)
    if not cases:
        ElementTree.SubElement(suite, "testcase", {"classname": NAME, "name": "no findings"})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _case(suite: ElementTree.Element, file: str, rule: str, items: list[Finding]) -> None:
    attributes = {"classname": fit(file), "name": fit(f"{rule}: {rule_text(rule).title}"), "time": "0"}
    if items[0].mark.line:
        attributes |= {"file": fit(file), "line": str(items[0].mark.line)}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    errors = [item for item in items if item.severity == ERROR]
    if errors:
        first = {"type": rule, "message": fit(errors[0].message)}
        failure = ElementTree.SubElement(case, "failure", first)
        failure.text = fit("\n".join(item.text() for item in errors))
    others = [f"{item.severity}: {item.text()}" for item in items if item.severity != ERROR]
    if others:
        ElementTree.SubElement(case, "system-out").text = fit("\n".join(others))
