# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Files, commands and decisions of a lab's cluster and its serving plane."""

from __future__ import annotations

import os
import pathlib
import sys
import textwrap
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import faults, kwok, objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.api import Change, summary
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.cluster import Lab
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.plane import ServingPlane
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.state import (
    PORT_NAMES,
    LabState,
    crowded,
    patience,
    wait_until,
)

TOOLS = [*kwok.COMPONENTS.values(), "kwokctl", "kubectl", "helm"]
BINARIES = {tool: f"/b/{tool}" for tool in TOOLS}


def test_kwokctl_config() -> None:
    config = kwok.kwokctl_config(BINARIES, {name: 21000 + index for index, name in enumerate(PORT_NAMES)})
    assert config["options"]["bindAddress"] == "127.0.0.1"
    assert config["options"]["kwokControllerBinary"] == "/b/kwok"
    assert config["options"]["kubeApiserverPort"] == 21000
    patches = {patch["name"]: patch for patch in config["componentsPatches"]}
    assert set(patches) == set(kwok.COMPONENTS)
    assert all(patch["extraEnvs"][0]["name"] == "GOMEMLIMIT" for patch in patches.values())


def test_kubeconfig_text(tmp_path: pathlib.Path) -> None:
    for name in ("ca.crt", "admin.crt", "admin.key"):
        (tmp_path / name).write_text(name)
    config = yaml.safe_load(kwok.kubeconfig_text("a", 21000, tmp_path))
    assert config["current-context"] == "lab-a"
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:21000"
    assert config["users"][0]["user"]["client-key-data"] == "YWRtaW4ua2V5"


def test_wait_until() -> None:
    answers = iter([False, False, True])
    assert wait_until(lambda: next(answers), 5, step=0)
    assert not wait_until(lambda: False, 0, step=0)


@pytest.mark.parametrize(
    ("load", "waited", "hint"), [(0.5, 60, ""), (24.0, 720, "load 24 on 2 processors"), (200.0, 900, "load 200")]
)
def test_a_busy_machine_is_given_time(monkeypatch: pytest.MonkeyPatch, load: float, waited: float, hint: str) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert patience(60) == waited
    assert hint in crowded() and bool(crowded()) is bool(hint)


def control(tmp_path: pathlib.Path, script: str) -> kwok.ControlPlane:
    path = tmp_path / "kwokctl"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    state = LabState("a", root=str(tmp_path))
    state.dir.mkdir()
    return kwok.ControlPlane(state, {**BINARIES, "kwokctl": str(path)})


def test_start_links_programs_and_drops_stale_numbers(tmp_path: pathlib.Path) -> None:
    plane = control(tmp_path, "exit 0\n")
    pids = plane.state.cluster_dir / "pids"
    pids.mkdir(parents=True)
    (pids / "etcd.pid").write_text(str(os.getpid()))
    plane.start()
    assert not (pids / "etcd.pid").exists()
    assert os.readlink(plane.state.cluster_dir / "bin" / "kwok-controller") == "/b/kwok"


def test_a_failure_of_kwokctl_shows_its_words(tmp_path: pathlib.Path) -> None:
    plane = control(tmp_path, "echo no etcd here; exit 3\n")
    with pytest.raises(OrchestratorError, match="could not start the lab") as caught:
        plane.start()
    assert caught.value.details == ["no etcd here"]


def test_installed(tmp_path: pathlib.Path) -> None:
    plane = control(tmp_path, "")
    plane.pki.mkdir(parents=True)
    for path in (plane.pki / "ca.crt", plane.pki / "admin.crt", plane.pki / "admin.key"):
        path.write_text("x")
    assert not plane.installed({"etcd": 1})
    (plane.state.cluster_dir / "kwok.yaml").write_text("")
    assert not plane.installed({"etcd": 1})
    (plane.state.cluster_dir / "kwok.yaml").write_text("x")
    assert plane.installed({"etcd": 1})
    assert not plane.installed(None)


PLANE = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index("--state-dir") + 1])
BODY
"""
WATCHING = 'folder.joinpath("serving_plane.ready").touch(); time.sleep(60)'


def serving_plane(tmp_path: pathlib.Path, body: str) -> ServingPlane:
    package = tmp_path / "files" / "serving_plane"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(textwrap.dedent(PLANE).replace("BODY", body))
    state = LabState("a", root=str(tmp_path))
    state.dir.mkdir()
    return ServingPlane(state, sys.executable, str(tmp_path / "files"), load_balancer=True)


def test_plane_is_started_watched_and_stopped(tmp_path: pathlib.Path) -> None:
    plane = serving_plane(tmp_path, WATCHING)
    assert "--load-balancer" in plane.command()
    pid = plane.restart()
    try:
        assert [found.pid for found in plane.running()] == [pid]
        before = plane.fingerprint()
        assert plane.healthy(before)
        (tmp_path / "files" / "serving_plane" / "new.py").touch()
        assert not plane.healthy(before)
    finally:
        assert plane.stop() == [pid]
    assert not plane.state.plane_ready.exists()


def test_a_plane_that_ends_shows_its_log(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="exited immediately") as caught:
        serving_plane(tmp_path, 'sys.exit("no module named kopf")').restart()
    assert caught.value.details == ["no module named kopf"]


def test_without_a_package_there_is_no_plane(tmp_path: pathlib.Path) -> None:
    state = LabState("a", root=str(tmp_path))
    state.dir.mkdir()
    plane = ServingPlane(state, sys.executable, str(tmp_path / "none"), load_balancer=False)
    assert plane.restart() is None
    assert plane.healthy(None)


def test_crds_from_yaml_and_bundle(tmp_path: pathlib.Path) -> None:
    crd = "kind: CustomResourceDefinition\nmetadata: {name: %s, creationTimestamp: null}\nstatus: {}\n"
    (tmp_path / "a.yaml").write_text(crd % "a" + "---\nkind: Other\n---\n")
    (tmp_path / "b.yml").write_text(crd % "b")
    (tmp_path / "c.txt").write_text("no")
    found = objects.read_crds([str(tmp_path)])
    assert found == [{"kind": "CustomResourceDefinition", "metadata": {"name": name}} for name in "ab"]
    objects.write_bundle(tmp_path)
    (tmp_path / "a.yaml").write_text("{")
    assert objects.read_crds([str(tmp_path), str(tmp_path)]) == found
    with pytest.raises(OrchestratorError, match=r"a\.yaml cannot be read"):
        objects.read_yaml(str(tmp_path))


def test_summary() -> None:
    changes = [Change("create", "Node", name, {}, None) for name in "abcd"] + [Change("delete", "Stage", "s", None, {})]
    assert summary(changes) == ["created 4 Node", "deleted 1 Stage (s)"]


def lab(tmp_path: pathlib.Path, **more: t.Any) -> Lab:
    return Lab(
        {"name": "a", "state_dir": str(tmp_path), "faults": [], "nodes": [], "ready_delays": {}, "versions": {}, **more}
    )


def test_verify_names_what_is_wrong(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="it does not exist"):
        lab(tmp_path).verify()
    (tmp_path / "a").mkdir()
    with pytest.raises(OrchestratorError) as caught:
        lab(tmp_path).verify()
    assert "etcd is not running" in caught.value.details
    assert "its control plane was not created completely" in caught.value.details


def test_check_mode_says_what_would_be_done(tmp_path: pathlib.Path) -> None:
    result = lab(tmp_path).present(check_mode=True)
    assert result["changed"]
    assert result["actions"] == ["created the control plane"]
    assert not (tmp_path / "a").exists()


def test_absent(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a" / "kwok").mkdir(parents=True)
    assert lab(tmp_path).absent(check_mode=True)["changed"]
    assert (tmp_path / "a").exists()
    assert lab(tmp_path).absent(check_mode=False)["changed"]
    assert not (tmp_path / "a").exists()
    assert not lab(tmp_path).absent(check_mode=False)["changed"]


def test_logs_are_written_once(tmp_path: pathlib.Path) -> None:
    crash = {"name": "c", "fault": "CrashLoopBackOff", "log": "boom"}
    assert faults.write_logs(tmp_path, [crash])
    assert not faults.write_logs(tmp_path, [crash])
    assert "stderr F boom" in (tmp_path / "c.log").read_text()
    assert faults.write_logs(tmp_path, [{**crash, "log": "other"}])
    assert not faults.write_logs(tmp_path, [])
    assert (tmp_path / "default.log").exists()


@pytest.mark.parametrize(
    ("helm", "version", "moved"),
    [(sys.executable, "v1", False), ("/gone/helm", "v1", True), (sys.executable, "v2", True)],
)
def test_moved_tools_are_recorded(helm: str, version: str, moved: bool, tmp_path: pathlib.Path) -> None:
    tools = {"helm": sys.executable, "kubectl": sys.executable}
    found = lab(tmp_path, binaries=tools, versions={"helm": "v1", "kubectl": "v1"})
    before = {"helm": helm, "kubectl": sys.executable, "versions": {"helm": version, "kubectl": "v1"}}
    before["charts"] = found.charts
    after = found._follow_tools(before, check_mode=False)
    assert after["helm"] == sys.executable
    assert after["versions"]["helm"] == "v1"
    assert found.actions == (["recorded where to find helm"] if moved else [])
