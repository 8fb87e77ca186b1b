# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs of one deployment are told to stop by a file."""

from __future__ import annotations

import pathlib
import threading

import pytest
from ansible_collections.llm_d.orchestrator.plugins.action.release_jobs import failure_text, was_cancelled
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import (
    CANCELLED,
    Cancellation,
    cancel_path,
    request,
    withdraw,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError


def test_a_request_is_seen_and_withdrawn(tmp_path: pathlib.Path) -> None:
    path = cancel_path(str(tmp_path / "events.jsonl"))
    told = threading.Event()
    cancellation = Cancellation(path, told.set)
    assert not cancellation.is_set()
    request(path)
    assert told.wait(5)
    assert cancellation.is_set()
    withdraw(path)
    assert list(tmp_path.iterdir()) == []
    withdraw(path)


def test_without_events_nothing_can_be_cancelled() -> None:
    assert cancel_path("") == cancel_path(None) == ""
    assert not Cancellation("", lambda: None).is_set()


def test_a_folder_that_is_gone_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="Cannot stop the other"):
        request(str(tmp_path / "gone" / "x.cancel"))


def job(*releases: dict, **fields: object) -> dict:
    return {"parts": list(releases), **fields}


def test_what_became_of_the_others_is_said() -> None:
    stopped = job({"name": "a", "error": CANCELLED, "cancelled": True}, {"name": "b"}, failed=True, msg="a: cancelled")
    broken = job(
        {"name": "m", "error": "0 of 1"}, {"name": "n", "error": CANCELLED, "cancelled": True}, failed=True, msg="m"
    )
    assert (was_cancelled(stopped), was_cancelled(broken), was_cancelled(job(failed=True))) == (True, False, False)
    text = failure_text({"gaie": stopped, "modelservice": broken, "gateway": job()}, ["modelservice"])
    assert "Finished: gateway. Cancelled: gaie." in text
    assert "modelservice: m" in text
