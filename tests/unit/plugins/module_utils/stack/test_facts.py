# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm's version, which is asked for once for each program."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack import facts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.facts import helm_version


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Answers for Helm, and counts how often it was asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    calls: list[str] = []

    def answer(arguments, **_more):
        calls.append(arguments[0])
        return subprocess.CompletedProcess(arguments, 0, pathlib.Path(arguments[0]).read_text().split()[-1], "")

    monkeypatch.setattr(facts.subprocess, "run", answer)
    return calls


def program(path: pathlib.Path, content: str) -> str:
    path.write_text(content)
    path.chmod(0o755)
    return str(path)


def test_a_helm_is_asked_once(tmp_path, asked):
    path, findings = program(tmp_path / "helm", "binary v3.19.4"), Findings()
    assert [helm_version(path, findings) for _time in range(3)] == ["v3.19.4"] * 3
    assert asked == [path]
    program(tmp_path / "helm", "another v3.18.10")
    assert helm_version(path, findings) == "v3.18.10"
    assert not findings


def test_a_helm_that_is_too_old_stays_so(tmp_path, asked):
    path = program(tmp_path / "helm", "binary v3.9.0")
    for _time in range(2):
        findings = Findings()
        assert helm_version(path, findings) == "v3.9.0"
        assert "v3.17" in findings.texts[0] or "3.17" in findings.texts[0]
    assert len(asked) == 1


def test_what_other_programs_decide_is_asked_each_time(tmp_path, asked):
    script = program(tmp_path / "helm", "#!/bin/sh v3.19.4")
    manager = program(tmp_path / "manager", "binary v3.19.4")
    os.symlink(manager, tmp_path / "helm3")
    for path in (script, str(tmp_path / "helm3")):
        for _time in range(2):
            assert helm_version(path, Findings()) == "v3.19.4"
    assert len(asked) == 4


def test_without_a_version_nothing_is_kept(tmp_path, asked):
    path = program(tmp_path / "helm", "binary nothing")
    for _time in range(2):
        findings = Findings()
        helm_version(path, findings)
        assert findings
    assert len(asked) == 2
