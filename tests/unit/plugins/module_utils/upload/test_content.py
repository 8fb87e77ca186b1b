# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder's content: its digest, its archive, and the commands that a pod takes it by, run here by sh itself."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import tarfile

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.upload import remote
from ansible_collections.llm_d.orchestrator.plugins.module_utils.upload.content import Archive, read_content

LONG = "a" * 60


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a folder with files of several sizes, an empty folder, a long path and a link."""
    root = tmp_path / "routers"
    for path, size in {"m/config.pbtxt": 10, "m/1/model.bin": 700_000, f"m/{LONG}/{LONG}/x": 0, "a b": 512}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(os.urandom(size))
    (root / "ensemble" / "1").mkdir(parents=True)
    (root / "linked").symlink_to(root / "a b")
    return root


def run(command: list[str], where: pathlib.Path, fed: bytes = b"") -> str:
    done = subprocess.run(command, cwd=where, input=fed, capture_output=True, check=True)
    return done.stdout.decode()


def test_the_archive_is_as_long_as_it_says_and_holds_all(folder, tmp_path) -> None:
    content = read_content(str(folder), str(tmp_path / "cache"))
    archive = Archive(content, sorted(content.files))
    data = b"".join(archive.chunks())
    assert len(data) == archive.size
    with tarfile.open(fileobj=io.BytesIO(data)) as read:
        names = {entry.name: entry.isdir() for entry in read}
        assert read.extractfile("linked").read() == (folder / "a b").read_bytes()
    assert names == {**dict.fromkeys(content.files, False), **dict.fromkeys(content.folders, True)}
    assert "ensemble/1" in content.folders


def test_a_pod_gets_what_is_missing_and_nothing_is_in_its_place_before(folder, tmp_path) -> None:
    claim = tmp_path / "claim"
    (claim / ".upload-0000000000000000").mkdir(parents=True)
    (claim / "routers").mkdir()
    (claim / "routers" / "old").write_text("old")
    content = read_content(str(folder), str(tmp_path / "cache"))
    digest = content.digest
    assert remote.missing(content, run(remote.look(digest), claim)) == list(content.files)
    some = Archive(content, ["a b", "m/config.pbtxt"])
    run(remote.take(digest, some.size), claim, b"".join(some.chunks()))
    # What was cut off: a file that is there in part.
    (claim / remote.staging(digest) / "linked").write_bytes(b"part")
    lacking = remote.missing(content, run(remote.look(digest), claim))
    assert lacking is not None and set(lacking) == set(content.files) - {"a b", "m/config.pbtxt"}
    assert (claim / "routers" / "old").exists()
    rest = Archive(content, lacking)
    run(remote.take(digest, rest.size), claim, b"".join(rest.chunks()) + b"more than it is told")
    assert remote.missing(content, run(remote.look(digest), claim)) is None
    run(remote.place(digest, "routers"), claim)
    assert sorted(os.listdir(claim)) == ["routers"]
    assert read_content(str(claim / "routers"), str(tmp_path / "cache")).digest == digest


def test_an_empty_folder_is_missed(folder, tmp_path) -> None:
    content = read_content(str(folder), str(tmp_path / "cache"))
    told = "\n".join([f"{one.sha256}  ./{path}" for path, one in content.files.items()] + ["./m", "./m/1"])
    assert remote.missing(content, told) == []


def test_content_tells_folders_apart(folder, tmp_path) -> None:
    cache = str(tmp_path / "cache")
    first = read_content(str(folder), cache).digest
    assert read_content(str(folder), cache).digest == first
    (folder / "m" / "config.pbtxt").write_text("other")
    second = read_content(str(folder), cache).digest
    (folder / "ensemble" / "2").mkdir()
    assert len({first, second, read_content(str(folder), cache).digest}) == 3


def test_digests_of_what_has_not_changed_are_not_worked_out_again(folder, tmp_path) -> None:
    cache = str(tmp_path / "cache")
    first = read_content(str(folder), cache).digest
    (saved,) = (tmp_path / "cache" / "uploads").iterdir()
    text = saved.read_text().replace(read_content(str(folder), cache).files["a b"].sha256, "0" * 64)
    saved.write_text(text)
    assert read_content(str(folder), cache).digest != first


def test_a_file_that_becomes_shorter_is_said(folder, tmp_path) -> None:
    content = read_content(str(folder), str(tmp_path / "cache"))
    (folder / "m" / "1" / "model.bin").write_bytes(b"short")
    with pytest.raises(OrchestratorError, match="changed during the upload"):
        b"".join(Archive(content, ["m/1/model.bin"]).chunks())


@pytest.mark.parametrize("name", ["a\nb", "a\\b"])
def test_names_that_cannot_be_sent(tmp_path, name) -> None:
    (tmp_path / name).write_text("x")
    with pytest.raises(OrchestratorError, match="cannot be uploaded"):
        read_content(str(tmp_path), str(tmp_path / "cache"))


def test_a_link_round_in_a_circle(tmp_path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OrchestratorError, match="is a link to a parent"):
        read_content(str(tmp_path), str(tmp_path / "elsewhere"))
