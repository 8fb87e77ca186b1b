# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm's arguments, environment and errors."""

from __future__ import annotations

import pathlib
import shutil
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import command as helm


def test_upgrade_arguments_keep_the_order_of_values_files():
    arguments = helm.upgrade_arguments("r", "/c", "n", ["a", "b"], {"y": "2", "x": "1"}, timeout=60, adopt=False)
    assert arguments[:4] == ["upgrade", "r", "/c", "--install"]
    assert arguments[-4:] == ["--values", "a", "--values", "b"]
    assert arguments[arguments.index("--labels") + 1] == "x=1,y=2"
    assert "--reset-values" in arguments and "--wait" not in arguments and "--take-ownership" not in arguments


def test_adoption_takes_objects_over():
    assert "--take-ownership" in helm.upgrade_arguments("r", "/c", "n", [], {}, timeout=60, adopt=True)


@pytest.mark.parametrize("apis, upgrade", [([], False), (["v1", "apps/v1/Deployment"], True)])
def test_template_arguments(apis, upgrade):
    arguments = helm.template_arguments("r", "/c", "n", [], kube_version="v1.34.4", apis=apis, upgrade=upgrade)
    assert ("--is-upgrade" in arguments) is upgrade
    assert ("v1,apps/v1/Deployment" in arguments) is bool(apis)


@pytest.mark.parametrize(
    "text, transient",
    [
        ("Kubernetes cluster unreachable: dial tcp 127.0.0.1:1: connect: connection refused", True),
        ("Operation cannot be fulfilled: the object has been modified; please apply your changes", True),
        ("etcdserver: request timed out", True),
        (helm.BUSY, True),
        ("values don't meet the specifications of the schema(s)", False),
        ('secrets is forbidden: User "x" cannot list resource', False),
        ("resource mapping not found for name: x: no matches for kind", False),
    ],
)
def test_transient(text, transient):
    assert helm.HelmError("upgrade", text).transient is transient


@pytest.mark.parametrize(
    "text, hint",
    [
        ("no matches for kind X\nensure CRDs are installed first", "custom resource definitions"),
        ("invalid ownership metadata", "llm_d_adopt"),
        ("is forbidden", "permission"),
    ],
)
def test_hints(text, hint):
    assert hint in str(helm.HelmError("upgrade", text))


def test_errors_without_noise():
    stderr = "WARNING: group-readable\nError: 1 error occurred:\n\t* bad field\n\t* bad field\n"
    assert helm.clean_error(stderr) == "bad field"
    assert helm.clean_error("") == "no reason given"


@pytest.mark.skipif(not shutil.which("helm") or sys.platform != "linux", reason="needs Helm, and Linux for its bound")
def test_a_template_that_loops_is_ended(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GiB of numbers: Go ends at what it may have, long before the machine does."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: looping, version: 1.0.0}")
    (tmp_path / "templates" / "all.yaml").write_text("{{ range until 250000000 }}x{{ end }}")
    monkeypatch.delenv("GOMEMLIMIT", raising=False)
    program = helm.LocalHelm(None)
    try:
        with pytest.raises(helm.HelmError, match="used more than 1024 MiB of memory"):
            program.run(["template", "r", str(tmp_path)], 60)
    finally:
        program.close()
