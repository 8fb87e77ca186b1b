# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import os
import resource
import signal

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import Events, read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.write import keep, write_files

from record.samples import sample


@contextlib.contextmanager
def full_disk():
    """No file of this process grows beyond 100 bytes, as on a disk that is full; not the log of the tests either."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_files(tmp_path):
    files, problems = write_files(sample(), str(tmp_path / "new"))
    assert [os.path.basename(file) for file in files] == ["record.json", "record.md", "record.html"] and problems == []
    assert json.loads((tmp_path / "new" / "record.json").read_text()) == sample()


def test_a_full_disk_is_one_problem(tmp_path):
    with full_disk():
        files, problems = write_files(sample(), str(tmp_path))
    assert files == [] and len(problems) == 1 and "File too large" in problems[0] and str(tmp_path) in problems[0]
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_gone_is_one_problem(tmp_path):
    (tmp_path / "records").write_text("a file")
    files, problems = write_files(sample(), str(tmp_path / "records" / "east"))
    assert files == [] and len(problems) == 1


def test_events_of_a_full_disk_end_nothing(tmp_path):
    events = Events(str(tmp_path / "events.jsonl"))
    with full_disk():
        lost = [events.emit("gaie", "install", "done", name="x" * 60) for _number in range(3)]
        with events.step("gaie", "ready"):
            pass
    assert lost[-1]["lost"] == "File too large"
    assert len(read_events(events.path)) <= 1


def refuse():
    raise OrchestratorError("The cluster is away.")


@pytest.mark.parametrize(
    ("record", "history", "told"),
    [
        (sample(), 10, ["Cannot store the record in namespace llm-d: The cluster is away."]),
        (sample(), 0, []),
        (sample(stack={}), 10, []),
    ],
)
def test_what_keeps_a_record_out_of_the_cluster(record, history, told):
    assert keep(record, "20261121T083000Z", history, refuse) == ("", told)
