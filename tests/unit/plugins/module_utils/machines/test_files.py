# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files that belong together are written, taken back and removed as one."""

from __future__ import annotations

import getpass
import grp
import os
import pathlib
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.machines import files as host

MINE = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}


def given(**entry: t.Any) -> host.HostFile:
    return host.parse({**MINE, **entry})


def test_only_what_differs_is_written(tmp_path: pathlib.Path) -> None:
    files = [
        given(path=f"{tmp_path}/etc", directory=True, mode="0750"),
        given(path=f"{tmp_path}/etc/one", content="1\n"),
        given(path=f"{tmp_path}/etc/two", content="2\n", mode="0600"),
        given(path=f"{tmp_path}/bin", link="etc/one"),
    ]
    assert [change.path for change in host.write(files, check=True)] == [str(file.path) for file in files]
    assert not (tmp_path / "etc").exists()
    assert all(change.created for change in host.write(files, check=False))
    assert (tmp_path / "bin").read_text() == "1\n"
    assert (tmp_path / "etc/two").stat().st_mode & 0o777 == 0o600
    assert host.write(files, check=False) == []
    (tmp_path / "etc/two").chmod(0o644)
    assert [change.path for change in host.write(files, check=False)] == [f"{tmp_path}/etc/two"]


@pytest.mark.skipif(os.getuid() != 0, reason="backups are root's")
def test_what_was_before_is_restored_and_what_was_new_is_removed(tmp_path: pathlib.Path) -> None:
    backup = tmp_path / "previous"
    old = [given(path=f"{tmp_path}/one", content="old\n", mode="0600"), given(path=f"{tmp_path}/link", link="one")]
    host.write(old, check=False, backup=backup)
    new = [
        given(path=f"{tmp_path}/one", content="new\n", mode="0644"),
        given(path=f"{tmp_path}/link", link="two"),
        given(path=f"{tmp_path}/two", content="2\n"),
    ]
    host.write(new, check=False, backup=backup)
    host.restore(backup, check=False)
    assert (tmp_path / "one").read_text() == "old\n"
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600
    assert os.readlink(tmp_path / "link") == "one"
    assert not (tmp_path / "two").exists()
    with pytest.raises(ValueError, match="nothing to restore"):
        host.restore(tmp_path / "nowhere", check=False)


def test_a_password_is_made_once(tmp_path: pathlib.Path) -> None:
    files = [given(path=f"{tmp_path}/password", random=32, mode="0600")]
    host.write(files, check=False)
    made = host.contents(files)[f"{tmp_path}/password"]
    assert len(made) == 32
    assert host.write(files, check=False) == []
    assert host.contents(files) == {f"{tmp_path}/password": made}


def test_secrets_are_left_out_of_differences(tmp_path: pathlib.Path) -> None:
    for text in ("hunter1\n", "hunter2\n"):
        (change,) = host.write([given(path=f"{tmp_path}/one", content=text, secret=True)], check=False)
        assert "hunter" not in change.before + change.after


def test_folders_are_removed_with_what_is_in_them(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/one").write_text("1")
    files = [given(path=f"{tmp_path}/etc"), given(path=f"{tmp_path}/gone")]
    assert [change.path for change in host.remove(files, check=False)] == [f"{tmp_path}/etc"]
    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"path": "/a", "content": "", "link": "b"}, "mutually exclusive"),
        ({"path": "a", "content": ""}, "absolute path"),
        ({"path": "/a", "content": "", "mode": "u=rw"}, "valid mode"),
    ],
)
def test_what_cannot_be_is_refused(entry: dict[str, t.Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        host.parse(entry)
