# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import pathlib
import tempfile

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import files
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts import fetch


@pytest.fixture
def closed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A folder that nobody may write, root neither; temporary files go beside it."""
    folder, free = tmp_path / "closed", tmp_path / "free"
    folder.mkdir()
    free.mkdir()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith(str(folder)) and real(path, mode))
    monkeypatch.setattr(tempfile, "tempdir", str(free))
    return folder


def own(closed: pathlib.Path) -> str:
    return f"{closed.parent}/free/llm-d-orchestrator-{os.getuid()}"


def test_what_is_wanted_is_taken_where_it_can_be_made(tmp_path: pathlib.Path) -> None:
    wanted = str(tmp_path / "not" / "there" / "yet")
    assert files.usable_folder(wanted, "records", {files.ARTIFACTS: "/elsewhere"}) == wanted
    assert not os.path.exists(os.path.dirname(wanted))


def test_results_go_to_a_jobs_artifacts_else_to_temporary_files(closed: pathlib.Path) -> None:
    artifacts = closed.parent / "artifacts"
    artifacts.mkdir()
    wanted = str(closed / "records")
    found = files.usable_folder(wanted, "records", {files.ARTIFACTS: str(artifacts)})
    assert found == str(artifacts / "llm-d-orchestrator" / "records")
    assert files.usable_folder(wanted, "records", {}) == f"{own(closed)}/records"
    assert files.usable_folder(wanted, "records", {files.ARTIFACTS: wanted}) == f"{own(closed)}/records"


def test_a_home_that_is_unknown_is_no_folder(closed: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", str)
    assert files.usable_folder("~/.ansible_async", "async_dir", {}) == f"{own(closed)}/async_dir"


def test_a_temporary_folder_of_somebody_else_is_not_taken(closed: pathlib.Path) -> None:
    os.makedirs(own(closed))
    os.chmod(own(closed), 0o777)
    wanted = str(closed / "records")
    assert files.usable_folder(wanted, "records", {}) == wanted
    os.rmdir(own(closed))
    os.symlink(closed.parent, own(closed))
    assert files.usable_folder(wanted, "records", {}) == wanted


def test_what_is_there_already_may_be_read_only(closed: pathlib.Path) -> None:
    assert files.scratch_folder(str(closed), "cache") == str(closed)
    assert files.scratch_folder(str(closed / "more"), "cache") == f"{own(closed)}/cache"


def test_helm_is_led_away_from_what_cannot_be_made(closed: pathlib.Path) -> None:
    (closed / "helm").mkdir()
    free = str(closed.parent / "free")
    environ = {"XDG_CACHE_HOME": str(closed / "none"), "XDG_CONFIG_HOME": str(closed), "HELM_DATA_HOME": free}
    assert files.helm_folders(environ) == {"HELM_CACHE_HOME": f"{own(closed)}/helm_cache_home"}


def test_a_cache_elsewhere_is_told_of(closed: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(closed / "none"))
    assert fetch.default_cache_dir() == f"{own(closed)}/cache"
    (note,) = fetch.cache_notes(None)
    assert f"{own(closed)}/cache because {closed}/none/llm-d-orchestrator cannot be created" in note
    assert fetch.cache_notes("/given") == []
    monkeypatch.setenv("XDG_CACHE_HOME", str(closed.parent / "free"))
    assert fetch.cache_notes(None) == []


@pytest.mark.parametrize(("content", "expected"), [("é\udce9", b"\xc3\xa9\\udce9"), (b"\x00", b"\x00")])
def test_a_file_is_written_whole_with_its_mode_and_folder(
    tmp_path: pathlib.Path, content: str | bytes, expected: bytes
) -> None:
    path = tmp_path / "new" / "file"
    files.write_atomic(str(path), content, 0o600)
    assert path.read_bytes() == expected
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "plain").write_text("x")
    with pytest.raises(OrchestratorError, match="Cannot write .*/plain/file: "):
        files.write_atomic(str(tmp_path / "plain" / "file"), "y")
