# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Ordinary changes of a stack: a model removed, one renamed, each with and without consent, and what stays."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab
from recorded_stack import model, settings
from small_stack import helm_there

from playbooks import Run, play

PATIENCE = 400
GPU = "nvidia.com/gpu"
CHART = "apiVersion: v2\nname: theirs\nversion: 1.0.0\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: theirs}\n"


def gpu_model(name: str) -> dict[str, Any]:
    """A model whose pod holds two GPUs."""
    made = model(name)
    made["values"]["decode"]["containers"][0]["resources"] = {"limits": {GPU: "2"}, "requests": {GPU: "2"}}
    return made


class World:
    """A namespace with a release of somebody else, a folder for plans and records, and the playbooks there."""

    def __init__(self, lab: Lab, folder: pathlib.Path, namespace: str) -> None:
        self.lab, self.folder, self.namespace = lab, folder, namespace
        chart = folder / "theirs"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(CHART)
        (chart / "templates" / "config.yaml").write_text(CONFIG)
        subprocess.run(
            [*helm_there(), "install", "ms-theirs", str(chart), "-n", namespace], check=True, capture_output=True
        )

    def play(self, name: str, *models: dict[str, Any], **more: Any) -> Run:
        """Run a playbook for models. more: variables."""
        return play(self.folder, name, timeout=PATIENCE, **settings(self.namespace, *models), **more)

    def record(self) -> dict[str, Any]:
        """Return the newest record."""
        return json.loads(max(self.folder.glob("records/lab/*/record.json")).read_text())

    def releases(self) -> set[str]:
        """Return the names of the namespace's Helm releases."""
        found = self.lab.core.list_namespaced_secret(self.namespace, label_selector="owner=helm").items
        return {secret.metadata.labels["name"] for secret in found}

    def routes(self) -> set[str]:
        """Return the names of the routes."""
        found = self.lab.resource("gateway.networking.k8s.io/v1", "HTTPRoute").get(namespace=self.namespace)
        return {item.metadata.name for item in found.items}


@pytest.fixture(scope="module")
def world(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(lab, tmp_path_factory.mktemp("changes"), new_namespace())
    run = made.play("site", model("a"), gpu_model("b"))
    assert run.code == 0, run.text
    return made


def test_without_consent_a_removed_model_stays_and_is_said_last(world: World) -> None:
    run = world.play("site", model("a"))
    assert (run.code, run.changed) == (0, 0), run.text
    said = " ".join(" ".join(run.text.rstrip().splitlines()[-12:]).split())
    assert f"3 objects are no longer in the inventory but still there (2 {GPU} in 2 pods):" in said, run.text
    assert f"Helm release {world.namespace}/ms-b (2 {GPU} in 1 pod)" in said, run.text
    assert "Delete them with: ansible-playbook " in said and "-e llm_d_prune=true" in said, run.text
    assert {"ms-b", "gaie-b"} <= world.releases() and "llm-d-b" in world.routes()
    left = {row["name"]: row["devices"] for row in world.record()["leftovers"]}
    assert left == {"gaie-b": {}, "ms-b": {GPU: 2}, "llm-d-b": {}}

    file = world.folder / "status.json"
    status = world.play("status", model("a"), status_file=str(file), status_fail_on=["drift", "unhealthy"])
    found = json.loads(file.read_text())
    assert status.code == 0 and found["healthy"] and not found["drifted"], status.text
    assert {row["name"] for row in found["leftovers"]} == set(left)
    assert f"3 left over (2 {GPU} in 2 pods)" in status.text and "-e llm_d_prune=true" in status.text, status.text
    assert world.play("status", model("a"), status_fail_on=["leftovers"]).code != 0


def test_an_approved_plan_deletes_what_it_shows_and_only_that(world: World) -> None:
    run = world.play("plan", model("a"))
    file = world.folder / "plans" / "lab" / "latest" / "plan.json"
    plan = json.loads(file.read_text())
    gone = {row["name"] for row in plan["actions"] if row["action"] == "delete"}
    assert run.code == 0 and {"llm-d-b", "gaie-b"} <= gone and not any("theirs" in name for name in gone), run.text
    kept = world.play("plan", model("a"), llm_d_prune=False)
    assert "they stay: llm_d_prune is false" in kept.text and "to delete" not in kept.text, kept.text

    done = world.play("site", model("a"), llm_d_plan=str(file.resolve().parent.parent / plan["made"] / "plan.json"))
    assert done.code == 0 and done.changed == 1, done.text
    assert world.releases() == {"infra-llm-d", "ms-a", "gaie-a", "ms-theirs"}
    assert world.routes() == {"llm-d-a"}
    record = world.record()
    assert not record["leftovers"] and f"Helm release ms-b in {world.namespace}" in record["removed"]
    assert "no longer in the inventory" not in done.text

    again = world.play("site", model("a"), llm_d_prune=True)
    assert (again.code, again.changed) == (0, 0), again.text


def test_a_renamed_model_is_deleted_once_the_new_one_answers(world: World) -> None:
    new = {**model("c"), "route": model("a")["route"]}  # its route takes the old one's requests
    refused = world.play("site", new)
    assert refused.code != 0 and '"llm_d_prune": true' in refused.text, refused.text
    assert world.releases() == {"infra-llm-d", "ms-a", "gaie-a", "ms-theirs"}

    run = world.play("site", new, llm_d_prune=True)
    assert run.code == 0, run.text
    assert world.releases() == {"infra-llm-d", "ms-c", "gaie-c", "ms-theirs"} and world.routes() == {"llm-d-c"}
    record = world.record()
    steps = {(step["step"], step["name"]): step for step in record["steps"]}
    answered = max(step["end"] for (name, _object), step in steps.items() if name == "probe")
    assert steps["remove", "ms-a"]["begin"] >= answered
    assert not record["leftovers"]


def test_rollback_brings_a_removed_model_back(world: World) -> None:
    run = world.play("rollback", rollback_confirm=True)
    assert run.code == 0, run.text
    assert world.releases() == {"infra-llm-d", "ms-a", "gaie-a", "ms-theirs"} and world.routes() == {"llm-d-a"}
