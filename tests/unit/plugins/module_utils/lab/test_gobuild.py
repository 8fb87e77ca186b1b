# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is handed to Go."""

from __future__ import annotations

import hashlib
import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import gobuild
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.gobuild import BuildError, Go


def fake_go(folder: pathlib.Path, version: str, toolchain: str) -> Go:
    path = folder / "go"
    path.write_text(f'#!/bin/sh\necho \'{{"GOVERSION": "{version}", "GOTOOLCHAIN": "{toolchain}"}}\'\n')
    path.chmod(0o755)
    return Go(str(folder))


@pytest.mark.parametrize(
    ("version", "toolchain", "needed", "problem"),
    [
        ("go1.26.8", "local", "1.26", ""),
        ("go1.25.1", "local", "1.26", "Go 1.26 or later"),
        ("go1.25.1", "auto", "1.26", ""),
        ("go1.21.0", "auto", "1.24", ""),
        ("go1.20.14", "", "1.24", "is go1.20.14"),
        ("devel", "local", "1.24", "does not report"),
    ],
)
def test_problem(version: str, toolchain: str, needed: str, problem: str, tmp_path: pathlib.Path) -> None:
    found = fake_go(tmp_path, version, toolchain).problem(needed)
    assert found == problem if not problem else problem in found


def test_no_go(tmp_path: pathlib.Path) -> None:
    assert Go(str(tmp_path)).problem("1.24") == "go not found on PATH"


def test_siblings_are_read_from_go_mod(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "go.mod"
    file.write_text(
        "module k8s.io/kubernetes\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n"
        "\tk8s.io/kms => ./staging/src/k8s.io/kms\n\tx.io/y => z.io/y v1.0.0\n)\nreplace k8s.io/one => ./staging/one\n"
    )
    assert gobuild.local_replacements(file) == ["k8s.io/api", "k8s.io/kms", "k8s.io/one"]


def test_go_mod() -> None:
    text = gobuild.go_mod("k8s.io/kubernetes", "v1.34.4", "1.24", ["k8s.io/api"], "v0.34.4")
    assert "go 1.24.0\n" in text
    assert "require k8s.io/kubernetes v1.34.4\n" in text
    assert "replace k8s.io/api => k8s.io/api v0.34.4\n" in text


def test_ldflags() -> None:
    recipe = {"stamps": {"a/b.version": "{version}", "a/b.number": "{number}"}}
    assert gobuild.ldflags(recipe, "v1.2.3") == "-s -w -X a/b.version=v1.2.3 -X a/b.number=1.2.3"
    assert gobuild.ldflags({}, "v1.2.3") == "-s -w"


@pytest.mark.parametrize(
    ("package", "expected"), [("go.etcd.io/etcd/server/v3", "server"), ("sigs.k8s.io/kwok/cmd/kwokctl", "kwokctl")]
)
def test_built_name(package: str, expected: str) -> None:
    assert gobuild.built_name(package) == expected


def test_copy_verified(tmp_path: pathlib.Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "a.yaml").write_text("a")
    digest = hashlib.sha256(b"a").hexdigest()
    gobuild.copy_verified(source, {"a.yaml": digest}, target)
    assert (target / "a.yaml").read_text() == "a"
    with pytest.raises(BuildError, match="not the pinned one"):
        gobuild.copy_verified(source, {"a.yaml": "0" * 64}, target)
    with pytest.raises(BuildError, match="does not contain b.yaml"):
        gobuild.copy_verified(source, {"b.yaml": digest}, target)


def test_a_failed_module_download_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "go"
    path.write_text('#!/bin/sh\necho \'{"Error": "proxy is closed"}\'\nexit 1\n')
    path.chmod(0o755)
    with pytest.raises(BuildError, match="a/b@v1.0.0: proxy is closed"):
        Go(str(tmp_path)).module("a/b", "v1.0.0")
