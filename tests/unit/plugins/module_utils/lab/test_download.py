# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Downloads from a server on this machine."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import json
import pathlib
import tarfile
import threading
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import download
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.download import DownloadError

A = "a" * 64
B = "b" * 64


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(name="served")
def fixture_served(tmp_path: pathlib.Path) -> t.Iterator[tuple[pathlib.Path, str]]:
    root = tmp_path / "served"
    root.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield root, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        (A, "kubectl", A),
        (A.upper() + "\n", "kubectl", A),
        (f"{A}  etcd.tar.gz\n{B}  other.tar.gz\n", "etcd.tar.gz", A),
        (f"{A}  etcd.tar.gz\n{B} *other.tar.gz\n", "other.tar.gz", B),
        (f"{B}  ./x/helm.tar.gz\n", "helm.tar.gz", B),
        (json.dumps({"assets": [{"name": "kwok", "digest": "sha256:" + A}, {"name": "x"}]}), "kwok", A),
    ],
)
def test_stated_checksum(text: str, file: str, expected: str) -> None:
    assert download.stated_checksum(text, file) == expected


@pytest.mark.parametrize("text", ["", "<html>", f"{A}  other", '{"assets": [{"name": "x", "digest": null}]}', "abc"])
def test_no_stated_checksum(text: str) -> None:
    with pytest.raises(DownloadError, match="states no SHA-256 for x"):
        download.stated_checksum(text, "x")


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        (None, "https://dl.k8s.io/release/x"),
        ("http://m:8/base/", "http://m:8/base/dl.k8s.io/release/x"),
    ],
)
def test_mirrored(mirror: str | None, expected: str) -> None:
    assert download.mirrored("https://dl.k8s.io/release/x", mirror) == expected


def test_a_good_download_can_run(served: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    root, url = served
    (root / "kubectl").write_bytes(b"program")
    (root / "kubectl.sha256").write_text(sha256(b"program"))
    download.download_tool(f"{url}/kubectl", f"{url}/kubectl.sha256", None, "kubectl", tmp_path)
    assert (tmp_path / "kubectl").read_bytes() == b"program"
    assert (tmp_path / "kubectl").stat().st_mode & 0o111


def test_a_bad_checksum_is_refused(served: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    root, url = served
    (root / "kubectl").write_bytes(b"tampered with")
    (root / "kubectl.sha256").write_text(sha256(b"program"))
    with pytest.raises(DownloadError, match=sha256(b"program")):
        download.download_tool(f"{url}/kubectl", f"{url}/kubectl.sha256", None, "kubectl", tmp_path)
    assert not (tmp_path / "kubectl").exists()


def test_a_tool_is_taken_out_of_its_archive(served: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    root, url = served
    with tarfile.open(root / "helm.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("linux-amd64/helm")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"helm"))
    (root / "sums").write_text(f"{sha256((root / 'helm.tar.gz').read_bytes())}  helm.tar.gz\n")
    out = tmp_path / "out"
    out.mkdir()
    download.download_tool(f"{url}/helm.tar.gz", f"{url}/sums", "linux-amd64/helm", "helm", out)
    assert [path.name for path in out.iterdir()] == ["helm"]
    with pytest.raises(DownloadError, match="does not contain none"):
        download.download_tool(f"{url}/helm.tar.gz", f"{url}/sums", "none", "helm", out)


def test_missing_files_say_which(served: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    with pytest.raises(DownloadError, match="/x: HTTP Error 404"):
        download.fetch_text(f"{served[1]}/x")
    with pytest.raises(DownloadError, match="/y.yaml: HTTP Error 404"):
        download.download_files(f"{served[1]}/", {"y.yaml": A}, tmp_path)


def test_reach(served: tuple[pathlib.Path, str]) -> None:
    closed = "http://127.0.0.1:1/x"
    reach = download.Reach([served[1], closed, "http://nowhere.invalid/"])
    assert reach.problem(served[1]) == ""
    assert "refused" in reach.problem(closed)
    assert reach.problem("http://nowhere.invalid/")
    assert "timed out" in reach.problem("http://unasked/")


def test_staging_replaces_or_leaves_nothing(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "cache" / "tool-v1"
    with pytest.raises(ValueError, match="broken"), download.staging(target) as part:
        (part / "half").write_text("x")
        raise ValueError("broken")
    assert not list((tmp_path / "cache").iterdir())
    for text in ("one", "two"):
        with download.staging(target) as part:
            (part / "tool").write_text(text)
    assert (target / "tool").read_text() == "two"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tool-v1"]
