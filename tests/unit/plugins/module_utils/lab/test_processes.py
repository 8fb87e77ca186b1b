# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which processes are a lab's."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import state as process
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.state import Process

CLUSTER = pathlib.Path("/s/labs/a/kwok/clusters/a")
STATE = pathlib.Path("/s/labs/a")


def running(*commands: str) -> list[Process]:
    return [Process(index, command.split(), 0) for index, command in enumerate(commands, 1)]


def test_components_are_known_by_their_program() -> None:
    found = process.components_of(
        CLUSTER,
        running(
            f"{CLUSTER}/bin/etcd --data-dir=x",
            "/s/labs/ab/kwok/clusters/ab/bin/etcd",
            f"vi {CLUSTER}/bin/etcd",
            f"{CLUSTER}/bin/kube-apiserver",
        ),
    )
    assert {name: one.pid for name, one in found.items()} == {"etcd": 1, "kube-apiserver": 4}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/v/python -m serving_plane --kubeconfig /k --state-dir /s/labs/a", True),
        ("/v/python -m serving_plane --state-dir /s/labs/ab", False),
        ("tail -f /s/labs/a/serving_plane.log", False),
        ("python -m serving_plane --state-dir", False),
    ],
)
def test_planes_are_known_by_their_state_dir(command: str, expected: bool) -> None:
    assert bool(process.planes_of(STATE, running(command))) is expected


def test_processes_reads_proc(tmp_path: pathlib.Path) -> None:
    for pid, cmdline in (("7", b"/x/etcd\0--a\0"), ("8", b""), ("self", b"x")):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_bytes(cmdline)
        (tmp_path / pid / "statm").write_text("100 3 0")
    (tmp_path / "9").mkdir()
    assert process.processes(tmp_path) == [Process(7, ["/x/etcd", "--a"], 3 * os.sysconf("SC_PAGE_SIZE"))]


@pytest.mark.parametrize(("state", "expected"), [("S", True), ("R", True), ("Z", False), ("X", False)])
def test_is_alive(state: str, expected: bool, tmp_path: pathlib.Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(f"7 (a ) b) {state} 1 7")
    assert process.is_alive(7, tmp_path) is expected
    assert not process.is_alive(8, tmp_path)


@pytest.mark.parametrize("stubborn", [False, True])
def test_stop_ends_a_process(stubborn: bool) -> None:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if stubborn else ""
    code = ignore + "import time; print('up', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert process.stop([Process(child.pid, [], 0)], grace=0.5) == [child.pid]
        assert child.wait(5) == (-9 if stubborn else -15)


def test_stop_of_a_gone_process_is_fine() -> None:
    assert process.stop([Process(2**22 + 1, [], 0)], grace=0.1) == [2**22 + 1]
