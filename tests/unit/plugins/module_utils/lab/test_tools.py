# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tools at hand and their versions."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import tools

HELM = {"name": "helm", "version": "v3.19.4", "min": "3.13", "below": "4", "tools": ["helm"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kubernetes v1.34.4", (1, 34, 4)),
        ("etcd Version: 3.6.5\nGit SHA: x", (3, 6, 5)),
        ("v3.19.4+g7cfb6e4", (3, 19, 4)),
        ("Client Version: v1.32.4-dispatcher", (1, 32, 4)),
        ("kwok version v0.8.0 go1.26.8 (linux/amd64)", (0, 8, 0)),
        ("go1.26", (1, 26)),
        ("nonsense", None),
        ("", None),
    ],
)
def test_parse_version(text: str, expected: tuple | None) -> None:
    assert tools.parse_version(text) == expected


@pytest.mark.parametrize(
    ("version", "minimum", "below", "expected"),
    [
        ((3, 13, 0), "3.13", "4", True),
        ((3, 12, 9), "3.13", "4", False),
        ((4, 0, 0), "3.13", "4", False),
        ((1, 34, 9), "1.34", "1.35", True),
        ((1, 35, 0), "1.34", "1.35", False),
        ((1, 33, 9), "1.34", "1.35", False),
    ],
)
def test_acceptable(version: tuple, minimum: str, below: str, expected: bool) -> None:
    assert tools.acceptable(version, minimum, below) is expected


def program(folder: pathlib.Path, name: str, says: str, code: int = 0) -> pathlib.Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_order_is_folder_path_cache(tmp_path: pathlib.Path) -> None:
    named, path, cache = tmp_path / "named", tmp_path / "path", tmp_path / "cache"
    program(cache / "helm-v3.19.4", "helm", "v3.19.4")
    assert tools.look([HELM], str(named), str(path), cache)[0]["helm"].source == "cache"
    program(path, "helm", "v3.14.0")
    assert tools.look([HELM], str(named), str(path), cache)[0]["helm"] == (str(path / "helm"), "v3.14.0", "PATH")
    program(named / "helm-v3.19.4", "helm", "v3.19.4")
    assert tools.look([HELM], str(named), str(path), cache)[0]["helm"].source == "folder"
    program(named, "helm", "v3.18.1")
    assert tools.look([HELM], str(named), str(path), cache)[0]["helm"].version == "v3.18.1"


@pytest.mark.parametrize(
    ("says", "code", "shown"),
    [("v4.0.1", 0, "v4.0.1"), ("v3.14.0", 1, "unknown version"), ("what", 0, "unknown version")],
)
def test_an_unfit_tool_is_passed_over_with_a_line(says: str, code: int, shown: str, tmp_path: pathlib.Path) -> None:
    program(tmp_path / "path", "helm", says, code)
    found, lines = tools.look([HELM], None, str(tmp_path / "path"), tmp_path / "cache")
    assert not found
    assert len(lines) == 1
    assert shown in lines[0]
    assert "3.13 <= version < 4" in lines[0]


def test_a_program_is_asked_once(tmp_path: pathlib.Path) -> None:
    path = program(tmp_path, "helm", "v3.14.0")
    first = tools.Probes(tmp_path / "probes.json")
    assert first.version(str(path), []) == "v3.14.0"
    first.save()
    key = next(iter(first.known))
    second = tools.Probes(tmp_path / "probes.json")
    second.known[key] = "v3.15.0"
    assert second.version(str(path), []) == "v3.15.0"
    assert second.version(str(tmp_path / "none"), []) == ""


def test_fill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "platform_names", lambda: ("linux", "arm64"))
    assert tools.fill("{tool}-{version}-{number}-{os}-{arch}", "v1.2.3", "x") == "x-v1.2.3-1.2.3-linux-arm64"
