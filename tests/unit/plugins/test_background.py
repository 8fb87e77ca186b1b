# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs behind Ansible's back leave what Ansible's own would, and are ended when their time is over."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.jobs import read_result
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.background import start


def outcome(started: dict) -> dict:
    """Return a job's result, once it is there."""
    end = time.monotonic() + 20
    while (result := read_result(started["results_file"])) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    return result


def test_a_result_is_left_for_its_owner_alone(tmp_path):
    started = start(lambda: {"changed": True, "session": os.getsid(0), "parent": os.getpid()}, str(tmp_path), 20)
    result = outcome(started)
    assert started["started"] and not started["failed"]
    assert pathlib.Path(started["results_file"]).name == started["ansible_job_id"] == result["ansible_job_id"]
    assert result["changed"] and result["finished"]
    assert result["session"] != os.getsid(0)
    assert stat.S_IMODE(os.stat(started["results_file"]).st_mode) == 0o600


@pytest.mark.parametrize("error", [ValueError("no such chart"), SystemExit("no such chart")])
def test_one_that_breaks_has_failed(tmp_path, error):
    def work() -> dict:
        raise error

    result = outcome(start(work, str(tmp_path), 20))
    assert result["failed"] and "no such chart" in result["msg"]


def test_one_that_takes_too_long_ends_with_what_it_has_started(tmp_path):
    def work() -> dict:
        subprocess.run(["sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60"], check=True)
        return {}

    result = outcome(start(work, str(tmp_path), 1))
    assert result["failed"] and result["msg"] == "timed out after 1 s"
    child = pathlib.Path("/proc", (tmp_path / "pid").read_text().strip())
    end = time.monotonic() + 10
    while child.exists() and "Z" not in (child / "stat").read_text().split()[2]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nothing_of_the_parent_stays_open(tmp_path):
    reader, writer = os.pipe()
    start(lambda: {} if time.sleep(1) else {}, str(tmp_path), 20)
    os.close(writer)
    begin = time.monotonic()
    assert os.read(reader, 1) == b""
    assert time.monotonic() - begin < 0.9
    os.close(reader)
