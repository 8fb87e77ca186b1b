# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where each tool comes from, and what is said when it comes from nowhere."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import pathlib
import threading
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import binaries as lab_binaries

PROGRAM = b"#!/bin/sh\necho v1.2.3\n"
CRD = b"kind: CustomResourceDefinition\nmetadata: {name: xs.example.com}\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(name="mirror")
def fixture_mirror(tmp_path: pathlib.Path) -> t.Iterator[tuple[pathlib.Path, str]]:
    root = tmp_path / "mirror"
    for name, data in {
        "pub.example.com/tool": PROGRAM,
        "pub.example.com/tool.sha256": hashlib.sha256(PROGRAM).hexdigest().encode(),
        "raw.example.com/v1/x.yaml": CRD,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield root, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def params(tmp_path: pathlib.Path, mirror: str, **more: t.Any) -> dict:
    group = {
        "name": "group",
        "version": "v1.2.3",
        "min": "1.2",
        "below": "1.3",
        "tools": ["tool"],
        "download": {"url": "https://pub.example.com/{tool}", "checksum": "https://pub.example.com/{tool}.sha256"},
        "build": {"module": "example.com/tool", "go": "1.24", "minutes": 1, "packages": {"tool": "example.com/tool"}},
    }
    crd = {
        "name": "x-crds",
        "version": "v1",
        "url": "https://raw.example.com/{version}/",
        "module": "example.com/x",
        "folder": "crd",
        "files": {"x.yaml": hashlib.sha256(CRD).hexdigest()},
    }
    found = {"tools": [group], "crds": [crd], "binaries_dir": None, "mirror": mirror, "download": True, "build": True}
    return {**found, "path": str(tmp_path / "path"), **more}


def obtain(options: dict, tmp_path: pathlib.Path, check_mode: bool = False) -> tuple[dict, list[str]]:
    said: list[str] = []

    def say(line: str, _share: object = None) -> None:
        said.append(line)

    return lab_binaries.Binaries(options, tmp_path / "cache", say).obtain(check_mode), said


def test_download_then_cache(mirror: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    result, said = obtain(params(tmp_path, mirror[1]), tmp_path)
    assert result["changed"]
    assert result["sources"] == {"tool": "download"}
    assert result["versions"] == {"tool": "v1.2.3", "x-crds": "v1"}
    assert said[0] == "downloading tool, 1 of 2"
    assert (
        json.loads(pathlib.Path(result["crds"][0], "crds.json").read_text())[0]["metadata"]["name"] == "xs.example.com"
    )
    again, said = obtain(params(tmp_path, "http://127.0.0.1:1"), tmp_path)
    assert not again["changed"]
    assert not said
    assert again["binaries"] == result["binaries"]


def test_check_mode_only_says_what_is_missing(mirror: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    result, said = obtain(params(tmp_path, mirror[1]), tmp_path, check_mode=True)
    assert result["changed"]
    assert result["missing"] == ["tool", "x-crds"]
    assert not said
    assert not (tmp_path / "cache" / "tool-v1.2.3").exists()


def test_tampered_files_are_never_used(mirror: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    (mirror[0] / "pub.example.com" / "tool").write_bytes(b"bad")
    (mirror[0] / "raw.example.com" / "v1" / "x.yaml").write_bytes(b"bad")
    with pytest.raises(OrchestratorError) as caught:
        obtain(params(tmp_path, mirror[1]), tmp_path)
    text = str(caught.value)
    assert text.count("its SHA-256 is") == 2
    assert text.count("go not found on PATH") == 2
    assert "lab_binaries_dir" in text
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [".lock"]


def test_a_closed_network_without_go_gives_one_message(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError) as caught:
        obtain(params(tmp_path, "http://127.0.0.1:1"), tmp_path)
    assert caught.value.message.startswith("Programs of the lab are missing")
    assert len(caught.value.details) == 3
    assert caught.value.details[-1] == "Go: go not found on PATH"
    assert "install Go 1.24 or newer" in str(caught.value.hint)


def test_downloads_can_be_switched_off(mirror: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match=r"(?s)downloads are switched off.*Go: switched off"):
        obtain(params(tmp_path, mirror[1], download=False, build=False), tmp_path)


def test_a_folder_that_is_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="is not a folder"):
        obtain(params(tmp_path, "", binaries_dir=str(tmp_path / "none")), tmp_path)


def test_a_copied_cache_is_enough(mirror: tuple[pathlib.Path, str], tmp_path: pathlib.Path) -> None:
    obtain(params(tmp_path, mirror[1]), tmp_path)
    copied = (tmp_path / "cache").rename(tmp_path / "copied")
    result, said = obtain(params(tmp_path, "http://127.0.0.1:1", binaries_dir=str(copied)), tmp_path)
    assert result["sources"] == {"tool": "folder"}
    assert not result["changed"]
    assert not said


def test_a_built_tool_is_kept(tmp_path: pathlib.Path) -> None:
    (tmp_path / "path").mkdir()
    go = tmp_path / "path" / "go"
    go.write_text(GO.replace("CACHE", str(tmp_path / "module")))
    go.chmod(0o755)
    (tmp_path / "module" / "crd").mkdir(parents=True)
    (tmp_path / "module" / "crd" / "x.yaml").write_bytes(CRD)
    result, said = obtain(params(tmp_path, "http://127.0.0.1:1"), tmp_path)
    assert pathlib.Path(result["binaries"]["tool"]).read_text() == "built\n"
    assert any(line.startswith("building tool, 1 of 2, with Go") for line in said)
    assert not [path for path in (tmp_path / "cache").iterdir() if path.name.startswith(("build-", ".build-"))]


GO = """#!/bin/sh
case "$1" in
env) echo '{"GOVERSION": "go1.26.0", "GOTOOLCHAIN": "local"}' ;;
mod) echo '{"Dir": "CACHE"}' ;;
build)
  while [ "$1" != -o ]; do shift; done
  echo built > "$2/tool"; chmod +x "$2/tool" ;;
esac
"""
