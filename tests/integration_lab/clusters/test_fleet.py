# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A rollout over clusters in waves: it stops after the wave in which one failed, and goes on with the rest."""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml
from kubernetes import client
from plane_client import Lab

from playbooks import ROOT, environment

HOSTS = ("a", "b", "c")
BROKEN = "b"


class Done(NamedTuple):
    """What a command printed, how it ended, and the report that it wrote."""

    text: str
    code: int
    report: dict[str, Any]


class Fleet:
    """An inventory of clusters, each of which is a namespace of the tests' lab, with the lab's own variables."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.prefix = folder, f"fleet-{secrets.token_hex(3)}"
        variables: dict[str, Any] = {}
        for path in sorted((ROOT / "inventories" / "lab" / "group_vars" / "all").glob("*.yml")):
            variables.update(yaml.safe_load(path.read_text(encoding="utf-8")))
        del variables["llm_d_namespace"]
        variables.update(
            lab_name=os.environ["TEST_LAB"],
            llm_d_models=variables["llm_d_models"][:1],
            llm_d_waves=[2, "100%"],
            ansible_connection="local",
            ansible_python_interpreter="{{ ansible_playbook_python }}",
        )
        self.everything: dict[str, Any] = {"all": {"vars": variables}}

    def namespace(self, host: str) -> str:
        """Return a host's namespace."""
        return f"{self.prefix}-{host}"

    def write(self, **of_broken: str) -> pathlib.Path:
        """Write the inventory; of_broken are variables of one of its hosts."""
        hosts = {name: {"llm_d_namespace": self.namespace(name)} for name in HOSTS}
        hosts[BROKEN].update(of_broken)
        self.everything["all"]["hosts"] = hosts
        path = self.folder / "hosts.yml"
        path.write_text(json.dumps(self.everything), encoding="utf-8")
        return path

    def run(self, command: list[str]) -> Done:
        """Run a command in the folder."""
        before = set(self.folder.glob("records/fleet/*"))
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(self.folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        for new in set(self.folder.glob("records/fleet/*")) - before:
            return Done(done.stdout + done.stderr, done.returncode, json.loads((new / "fleet.json").read_text()))
        return Done(done.stdout + done.stderr, done.returncode, {})

    def play(self, name: str, *more: str) -> Done:
        """Run a playbook on all of the inventory."""
        playbook = str(ROOT / "playbooks" / f"{name}.yml")
        return self.run(["ansible-playbook", playbook, "-i", "hosts.yml", "--forks", "4", *more])


@pytest.fixture
def fleet(lab: Lab, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    """Clusters; what is deployed goes afterwards."""
    made = Fleet(tmp_path)
    yield made
    for host in begun(lab, made):
        lab.core.delete_namespace(made.namespace(host))


def begun(lab: Lab, fleet: Fleet) -> list[str]:
    """Return on which clusters there is anything."""
    there = {item.metadata.name for item in lab.core.list_namespace().items}
    return [host for host in HOSTS if fleet.namespace(host) in there]


def results(done: Done) -> dict[str, str]:
    """Return each cluster's result."""
    return {row["host"]: row["result"] for row in done.report["rows"]}


def locked(lab: Lab, namespace: str) -> list[str]:
    """Return the holders of a namespace's locks."""
    leases = client.CoordinationV1Api(lab.core.api_client).list_namespaced_lease(namespace).items
    return [lease.spec.holder_identity for lease in leases if lease.spec.holder_identity]


def test_a_wave_that_fails_is_the_last_and_the_rest_can_be_retried(lab: Lab, fleet: Fleet) -> None:
    fleet.write(llm_d_context="nowhere")
    stopped = fleet.play("site")
    assert stopped.code != 0
    assert results(stopped) == dict(zip(HOSTS, ("ok", "failed", "untouched"), strict=True)), stopped.text
    # Those beside the one that failed came to their end, and the next wave was not begun.
    assert begun(lab, fleet) == ["a"] and not locked(lab, fleet.namespace("a"))
    rows = {row["host"]: row for row in stopped.report["rows"]}
    assert "nowhere" in rows[BROKEN]["detail"]
    assert rows["a"]["models"] == ["qwen3-0-6b"] and rows["a"]["versions"]["Kubernetes"]
    assert pathlib.Path(rows["a"]["record"], "record.json").exists()
    table = stopped.text[stopped.text.index("site.yml on 3 clusters in 2 waves") :]
    assert "1 failed, 1 untouched, 1 ok" in table and "stopped after wave 1 of 2: c" in table

    fleet.write()
    command = shlex.split(stopped.report["retry"])
    assert command[-2] == "--limit" and command[-1].endswith("failed.txt")
    # An extra variable goes before the inventory's waves.
    done = fleet.run([*command, "-e", "llm_d_waves=100%"])
    assert (done.code, results(done)) == (0, {BROKEN: "ok", "c": "ok"}), done.text
    assert not done.report["waves"] and not done.report["retry"] and begun(lab, fleet) == list(HOSTS)


def test_what_clusters_share_by_mistake_is_named_before_anything_is_begun(lab: Lab, fleet: Fleet) -> None:
    fleet.write(llm_d_namespace=fleet.namespace("c"))
    done = fleet.play("site", "-e", "llm_d_waves=1,most", "-e", "llm_d_findings_file=findings.json")
    assert done.code != 0 and not done.report and not begun(lab, fleet)
    for text in (
        f"b, c are the same namespace of one cluster: {fleet.namespace('c')} at https://",
        "llm_d_waves contains 'most', which is not a valid size of a wave",
        "a, b, c would write llm_d_findings_file to the same file, findings.json",
    ):
        assert text in done.text.replace("\\n", "\n"), done.text


def test_all_fail_and_the_summary_cannot_be_written(fleet: Fleet) -> None:
    fleet.write()
    (fleet.folder / "file").write_text("")
    away = (
        "-e",
        "llm_d_kubeconfig=",
        "-e",
        "llm_d_api_host=https://127.0.0.1:1",
        "-e",
        "llm_d_api_token=only-for-tests",
    )
    done = fleet.play("status", *away, "-e", f"llm_d_records_dir={fleet.folder / 'file'}")
    assert done.code != 0
    assert "status.yml on 3 clusters" in done.text and "3 unreachable" in done.text, done.text
    assert "--limit a,b,c" in done.text and "summary    not written: " in done.text
    assert "only-for-tests" not in done.text


def test_failures_that_are_allowed_stop_nothing_but_count(fleet: Fleet) -> None:
    fleet.write(llm_d_context="nowhere")
    allowed = {"teardown_confirm": True, "llm_d_wave_failures": 1}
    done = fleet.play("teardown", "-e", json.dumps(allowed))
    assert results(done) == dict(zip(HOSTS, ("ok", "failed", "ok"), strict=True)), done.text
    assert done.code != 0 and done.report["waves"] == [2, 1]
