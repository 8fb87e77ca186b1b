# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Hostile values files, archives, templates and schemas: a clear error of a few lines, soon, in little memory."""

from __future__ import annotations

import contextlib
import io
import json
import pathlib
import re
import signal
import subprocess
import sys
import tarfile
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.deadline import TookTooLong, deadline
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts.files import read_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils.templates.syntax import TemplateError, parse
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.reader import load_yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from values.hostile.cases import CASES

RUN = pathlib.Path(__file__).with_name("hostile") / "run.py"


SECONDS = 5
MEBIBYTES = 500
CHARACTERS = 70_000


@pytest.fixture(scope="module")
def replies(tmp_path_factory):
    """What became of every case, by name; each ran in a process of its own."""
    folder = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, str(RUN), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: row for row in rows}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_input_ends_in_a_clear_error_soon(replies, name):
    reply = replies[name]
    assert "error" not in reply
    text = "\n".join(reply["texts"])
    for wanted in CASES[name][1]:
        assert wanted in text
    assert "planning does not say it" not in text
    assert len(text) < CHARACTERS
    assert reply["seconds"] <= SECONDS
    assert reply["mebibytes"] <= MEBIBYTES


ACTIONS = ["{{", "}}", "{{-", "-}}", "if", "else", "end", "range", "with", "define", "block", "template", "include"]
ACTIONS += [
    ".Values",
    ".a",
    "$x",
    ":=",
    "=",
    "|",
    "(",
    ")",
    ",",
    '"',
    "`",
    "'",
    "\\",
    "/*",
    "*/",
    "0x",
    "1_0",
    "\n",
    " ",
]


@settings(max_examples=300, deadline=1000)
@given(st.lists(st.one_of(st.sampled_from(ACTIONS), st.text(max_size=4)), max_size=80).map("".join))
def test_any_text_is_a_template_or_a_template_error(text):
    with contextlib.suppress(TemplateError):
        parse(text, "t.yaml")


@settings(max_examples=300, deadline=1000)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="a:-{}[]&*!|>'\"#%?, \n\t0x.~<", max_size=120).map(lambda text: text.encode()),
    )
)
def test_any_bytes_are_a_map_or_have_findings(content):
    root, findings = load_yaml(content, "v.yaml")
    assert root is not None or findings
    assert all(finding.rule.startswith("yaml-") and finding.mark.line >= 1 for finding in findings)


def test_a_deadline_ends_python_code_and_regular_expressions():
    begun = time.monotonic()
    with pytest.raises(TookTooLong), deadline(0.1):
        re.fullmatch("(a+)+", "a" * 60 + "b")
    with pytest.raises(TookTooLong), deadline(0.1):
        while True:
            pass
    assert time.monotonic() - begun < 5


def test_a_deadline_leaves_alarms_and_handlers_as_they_were():
    before = signal.getsignal(signal.SIGVTALRM)
    signal.setitimer(signal.ITIMER_REAL, 1000)
    try:
        with deadline(5):
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 900
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert signal.getsignal(signal.SIGVTALRM) is before
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_a_sound_archive_of_tarfile_is_read(tmp_path):
    path = tmp_path / "chart.tgz"
    content = b"name: demo\nversion: 1.0.0\n"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("demo/Chart.yaml")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    assert read_chart(str(path)).name == "demo"
