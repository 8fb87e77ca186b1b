# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.pages import fenced, markdown

COLLECTIONS = pathlib.Path(__file__).parents[5] / "playbooks" / "collections"
PAGE = """
import resource, signal, sys
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.report.pages import html
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    print(html("empty", '{% extends "layout" %}', facts=[]))
except OrchestratorError as exc:
    print(exc)
"""


def paged(folder, *options, limit=2**20):
    """Return the page that another Python makes. options: its own; limit: of each file in bytes, as of a full disk."""
    run = subprocess.run(
        [sys.executable, *options, "-c", PAGE, str(limit)],
        env={"PYTHONPATH": str(COLLECTIONS), "TMPDIR": str(folder)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def compiled(folder):
    """Return when each compiled template was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("llm-d-orchestrator-*/*")}


def test_a_python_without_jinja2_is_named(tmp_path):
    assert f"{sys.executable}, has no Jinja2." in paged(tmp_path, "-S")


def test_templates_are_compiled_once(tmp_path):
    first, before = paged(tmp_path), compiled(tmp_path)
    assert first.startswith("<!doctype html>") and len(before) == 3
    assert paged(tmp_path) == first and compiled(tmp_path) == before


def test_where_compiled_templates_have_no_room_there_is_a_page(tmp_path):
    assert paged(tmp_path, limit=100).startswith("<!doctype html>") and compiled(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [("a|b\n# head <img>", "a\\|b # head &lt;img>"), (None, ""), ("\x1b[31m", "\ufffd[31m"), (7, "7")],
)
def test_a_value_is_one_line_of_markdown(text, line):
    assert markdown("test.md", "{{ text }}", text=text) == line


def test_no_text_ends_its_fence():
    assert fenced("```\nx") == "````text\n```\nx\n````"
