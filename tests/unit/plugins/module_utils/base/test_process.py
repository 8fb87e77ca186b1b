# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tests of whether the process that holds a lock still runs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import Cancellation
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.process import describe, runs, start_of

LINUX = pathlib.Path("/proc/self/stat").exists()


@pytest.mark.skipif(not LINUX, reason="needs /proc")
def test_a_process_runs_until_it_has_ended_though_nobody_has_collected_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = describe(child.pid)
    assert runs(known) is True
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert runs(known) is False
    child.communicate()
    assert runs(known) is False


@pytest.mark.skipif(not LINUX, reason="needs /proc")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"start": "1"}, False),  # the number was used again
        ({"boot": "another"}, None),
        ({"space": "pid:[1]"}, None),
        ({"boot": ""}, None),
        ({"pid": "x"}, None),
    ],
)
def test_only_this_machine_and_this_container_can_tell(change: dict[str, str], expected: bool | None) -> None:
    assert runs({**describe(os.getpid()), **change}) is expected


def test_what_says_nothing_is_unknown() -> None:
    assert runs({}) is None


def test_without_proc_a_process_is_asked_for_by_its_number(tmp_path: pathlib.Path) -> None:
    assert start_of(os.getpid(), tmp_path) == ""
    assert runs(describe(os.getpid(), tmp_path), tmp_path) is None


def test_a_job_stops_waiting_when_its_playbook_has_ended() -> None:
    told = threading.Event()
    stop = Cancellation("", told.set, {**describe(os.getpid()), "start": "1"})
    assert told.wait(5) is LINUX
    assert stop.is_set() is LINUX
    stop.close()
    lives = Cancellation("", told.set, describe(os.getpid()))
    assert not lives.is_set()
    lives.close()
