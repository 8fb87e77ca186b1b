# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What builds of LLM-Orchestrator say of themselves, and why some do not run."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator import program

RELEASED = """LLM Workflow Orchestrator

Usage: llm-orchestrator [OPTIONS] <COMMAND>

Commands:
  validate  Validate a workflow definition
  run       Run a workflow
  help      Print this message or the help of the given subcommand(s)

Options:
  -v, --verbose  Enable verbose logging
"""
SERVER = """Commands:
  server    Serve, as API server or worker,
            or both in one
  db        Manage the database

  validate  Validate a workflow

Options:
  -h, --help  Print help
"""


def test_verbs_are_read_of_the_help() -> None:
    assert program.verbs(RELEASED) == ["validate", "run"]
    assert program.verbs(SERVER) == ["server", "db", "validate"]
    assert program.verbs("Usage: something\n") == []


@pytest.mark.parametrize(
    ("said", "version"),
    [("llm-orchestrator 0.1.1\n", "0.1.1"), ("llm-orchestrator v2.0.0-rc.1 (abc)", "2.0.0-rc.1"), ("no number", "")],
)
def test_the_version_is_read(said: str, version: str) -> None:
    assert program.version(said) == version


def test_what_a_build_lacks_is_said() -> None:
    lacks, text = program.lacking(["validate", "run"], ["server", "db"], "llm-orchestrator", "0.1.1")
    assert lacks == ["server", "db"]
    assert text == "llm-orchestrator 0.1.1 does not have the verbs server and db; its verbs are: validate, run"
    assert program.lacking(["server", "db"], ["server"], "x", "1.0") == ([], "")


@pytest.mark.parametrize(
    ("code", "output", "said"),
    [
        (1, "libc.so.6: version `GLIBC_2.38' not found (required by x)", "glibc 2.38"),
        (127, "error while loading shared libraries: libssl.so.3: cannot open", "libssl.so.3"),
        (1, "Could not find binary at: /a/b", "/a/b"),
        (127, "/usr/bin/env: 'node': No such file or directory", "Node.js"),
        (3, "first\nlast words\n", "code 3: last words"),
    ],
)
def test_why_a_program_does_not_run(code: int, output: str, said: str) -> None:
    found = program.problem(code, output)
    assert found is not None and said in found.what and found.fix


def test_what_the_system_refuses_to_start() -> None:
    assert not program.refused(2).exists
    assert program.refused(8).exists and "processor" in program.refused(8).what
    assert program.problem(0, "GLIBC") is None
