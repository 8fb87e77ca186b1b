# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Background jobs: what is read of their results, and when one that waits for others may begin."""

from __future__ import annotations

import json
import threading

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import cancel_path, request
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.process import describe
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.jobs import (
    NotStarted,
    await_jobs,
    hold_path,
    read_result,
)

RUNNING = json.dumps({"started": True, "finished": False, "ansible_job_id": "j1"})
GOOD, BAD = json.dumps({"changed": True, "finished": True}), json.dumps({"failed": True, "msg": "no image"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ('{"started": true, "fin', None),
        (json.dumps({"started": True, "finished": False, "ansible_job_id": "j1"}), None),
        (
            json.dumps({"changed": True, "parts": [], "invocation": {"x": 1}, "_ansible_warnings": []}),
            {"changed": True, "parts": []},
        ),
    ],
)
def test_a_result_is_read_when_the_job_has_ended(tmp_path, text, expected):
    path = tmp_path / "j1"
    if text is not None:
        path.write_text(text)
    assert read_result(str(path)) == expected


@pytest.mark.parametrize(
    ("results", "stop", "expected"),
    [
        ([], None, True),
        ([GOOD], None, True),
        ([GOOD, GOOD], None, True),
        ([GOOD, BAD], None, False),
        ([RUNNING, BAD], None, False),
        ([RUNNING], hold_path, False),
        ([RUNNING], cancel_path, False),
    ],
)
def test_a_job_begins_only_after_others_have_succeeded(tmp_path, results, stop, expected):
    events = str(tmp_path / "events.jsonl")
    paths = [tmp_path / str(number) for number in range(len(results))]
    for path, text in zip(paths, results, strict=True):
        path.write_text(text)
    if stop:
        request(stop(events))
    assert await_jobs(map(str, paths), events, None) is expected


def test_a_job_waits_for_others(tmp_path):
    path = tmp_path / "j1"
    path.write_text(RUNNING)
    timer = threading.Timer(0.3, path.write_text, [GOOD])
    timer.start()
    assert await_jobs([str(path)], None, None)
    assert path.read_text() == GOOD


def test_a_job_does_not_begin_for_a_playbook_that_has_ended(tmp_path):
    path = tmp_path / "j1"
    path.write_text(RUNNING)
    assert not await_jobs([str(path)], None, {**describe(1), "pid": "999999999", "start": "1"})


def test_a_job_that_did_not_begin_counts_as_cancelled():
    rows = NotStarted("models", ["qwen", "llama"]).result["parts"]
    assert [(row["name"], row["cancelled"]) for row in rows] == [("qwen", True), ("llama", True)]
