# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import multiprocessing
import os

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import Events, now, parse_time, read_events


def _write(path: str, name: str) -> None:
    events = Events(path)
    for number in range(50):
        events.emit("gaie", "ready", "done", name=name, seconds=float(number), detail="x" * 500)


def test_processes_share_one_file(tmp_path):
    path = str(tmp_path / "run" / "events.jsonl")
    writers = [multiprocessing.Process(target=_write, args=(path, f"gaie-{i}")) for i in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    events = read_events(path)
    assert len(events) == 200
    assert {event["name"] for event in events} == {"gaie-0", "gaie-1", "gaie-2", "gaie-3"}
    assert all(set(event) == {"time", "component", "name", "step", "status", "seconds", "detail"} for event in events)
    assert os.stat(path).st_mode & 0o077 == 0o040


def test_no_path_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Events(None).emit("probe", "completion", "done", detail=None)["status"] == "done"
    assert Events("").path is None
    assert list(tmp_path.iterdir()) == []


def test_step_reports_how_it_ended(tmp_path):
    path = str(tmp_path / "events.jsonl")
    with Events(path).step("gaie", "install", name="gaie-a"):
        pass
    with pytest.raises(ValueError, match="bad"), Events(path).step("gaie", "install", name="gaie-b"):
        raise ValueError("bad")
    outcome = [(event["name"], event["status"], event.get("detail")) for event in read_events(path)]
    assert outcome == [
        ("gaie-a", "started", None),
        ("gaie-a", "done", None),
        ("gaie-b", "started", None),
        ("gaie-b", "failed", "bad"),
    ]


def test_reading_skips_a_broken_line(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"component": "a"}\n{"component": "b\n[1]\n')
    assert read_events(str(path)) == [{"component": "a"}]
    assert read_events(str(tmp_path / "none")) == []
    assert read_events(None) == []


def test_time_round_trip():
    assert parse_time("2026-11-21T08:30:00.250Z") - parse_time("2026-11-21T08:29:59.000Z") == pytest.approx(1.25)
    assert parse_time(now()) > 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "records").write_text("a file")
    with pytest.raises(OrchestratorError, match="records/east/events.jsonl.*\n.*llm_d_records_dir"):
        Events(str(tmp_path / "records" / "east" / "events.jsonl")).emit("gaie", "ready", "done")
