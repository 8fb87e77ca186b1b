# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A lab's folder, record and ports."""

from __future__ import annotations

import pathlib
import socket

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import state as lab_state


@pytest.mark.parametrize("name", ["lab", "a", "a-1", "x" * 40])
def test_good_names(name: str, tmp_path: pathlib.Path) -> None:
    assert lab_state.LabState(name, root=str(tmp_path)).dir == tmp_path / name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a b", "x" * 41])
def test_bad_names(name: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="not a valid name"):
        lab_state.LabState(name, root=str(tmp_path))


def test_a_blank_in_the_path_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="has a space in its path"):
        lab_state.LabState("a", root=str(tmp_path / "x y"))


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HOME": "/home/me"}, "/home/me/.local/state/llm-d-orchestrator"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "/var/s"}, "/var/s/llm-d-orchestrator"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": "relative"}, "/home/me/.local/state/llm-d-orchestrator"),
        ({"HOME": "/home/me", "XDG_STATE_HOME": ""}, "/home/me/.local/state/llm-d-orchestrator"),
    ],
)
def test_xdg_dir(env: dict, expected: str) -> None:
    assert str(lab_state.xdg_dir("XDG_STATE_HOME", ".local/state", env)) == expected


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"ports": {"etcd": 1}}'])
def test_record_survives_anything(text: str | None, tmp_path: pathlib.Path) -> None:
    state = lab_state.LabState("a", root=str(tmp_path))
    if text is not None:
        state.dir.mkdir()
        state.record_file.write_text(text)
    assert state.record() == ({"ports": {"etcd": 1}} if text and "etcd" in text else {})


def test_written_record_is_private(tmp_path: pathlib.Path) -> None:
    state = lab_state.LabState("a", root=str(tmp_path))
    state.write_record({"name": "a"})
    assert state.record() == {"name": "a"}
    assert state.record_file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in state.dir.iterdir()] == ["lab.json"]


def test_two_labs_get_different_ports(tmp_path: pathlib.Path) -> None:
    first = lab_state.LabState("a", root=str(tmp_path))
    chosen = first.choose_ports()
    other = lab_state.LabState("b", root=str(tmp_path)).choose_ports()
    assert set(chosen) == set(lab_state.PORT_NAMES)
    assert not set(chosen.values()) & set(other.values())
    assert first.record()["ports"] == chosen


def test_free_ports_skip_claimed_and_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = lab_state.free_ports(1, {port + 1}, ports=range(port, port + 20))
        assert not lab_state.port_is_free(port)
    assert found[0] not in (port, port + 1)


def test_free_ports_say_when_there_are_none() -> None:
    with pytest.raises(OrchestratorError, match="No 2 free ports"):
        lab_state.free_ports(2, {21000}, ports=range(21000, 21001))


def test_lock_and_remove(tmp_path: pathlib.Path) -> None:
    state = lab_state.LabState("a", root=str(tmp_path))
    with state.lock(), lab_state.LabState("b", root=str(tmp_path)).lock():
        state.write_record({})
    state.remove()
    state.remove()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
