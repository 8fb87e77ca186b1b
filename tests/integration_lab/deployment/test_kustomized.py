# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Models whose servers a kustomization makes: deployed, changed, mistaken, removed, as those of a chart."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab, eventually
from recorded_stack import model, settings

from playbooks import ROOT, Run, play

PATIENCE = 400
FIXTURES = ROOT / "tests" / "unit" / "fixtures" / "kustomize"
PATCH, BASE = "guide/vllm/base/patch-vllm.yaml", "recipes/base/deployment.yaml"
DEPLOYMENT = "toy-decode"


SCALER = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: toy}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: toy-decode}
  minReplicas: 3
  maxReplicas: 5
"""


class World:
    """A namespace, a user's copy of the guide, and the playbooks there."""

    def __init__(self, lab: Lab, folder: pathlib.Path, namespace: str) -> None:
        self.lab, self.folder, self.namespace = lab, folder, namespace
        self.guide = folder / "checkout"
        shutil.copytree(FIXTURES, self.guide)

    def entry(self, **more: Any) -> dict[str, Any]:
        """A model of the guide. more: of its entry."""
        return {"name": "toy", "kustomization": "checkout/guide/vllm/base", **more}

    def play(self, name: str, *models: dict[str, Any], **more: Any) -> Run:
        """Run a playbook for models. more: variables."""
        return play(self.folder, name, timeout=PATIENCE, **settings(self.namespace, *models), **more)

    def edit(self, file: str, old: str, new: str) -> int:
        """Change the guide; return the line."""
        path = self.guide / file
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new, 1))
        return text[: text.index(old)].count("\n") + 1

    def deployment(self) -> dict[str, Any] | None:
        """Return the live Deployment, None where it is not there."""
        return self.lab.get("apps/v1", "Deployment", self.namespace, DEPLOYMENT)

    def live(self) -> dict[str, Any]:
        """Return the live Deployment."""
        found = self.deployment()
        assert found
        return found

    def managers(self) -> list[dict[str, Any]]:
        """Return who set which fields of the Deployment."""
        found = self.lab.resource("apps/v1", "Deployment").get(name=DEPLOYMENT, namespace=self.namespace)
        return list(found.to_dict()["metadata"]["managedFields"])

    def configs(self) -> set[str]:
        """Return the names of the guide's config maps."""
        found = self.lab.core.list_namespaced_config_map(self.namespace, label_selector="llm-d.ai/guide=toy").items
        return {one.metadata.name for one in found}


@pytest.fixture(scope="module")
def world(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(lab, tmp_path_factory.mktemp("kustomized"), new_namespace())
    run = made.play("site", made.entry(), model("a"))
    assert run.code == 0, run.text
    return made


def test_it_serves_beside_a_model_of_a_chart_and_a_second_run_changes_nothing(world: World) -> None:
    live = world.deployment()
    assert live and live["spec"]["replicas"] == 2
    assert live["metadata"]["labels"]["orchestrator.llm-d.ai/component"] == "modelservice"
    again = world.play("site", world.entry(), model("a"))
    assert (again.code, again.changed) == (0, 0), again.text
    record = json.loads(max(world.folder.glob("records/lab/*/record.json")).read_text())
    assert {row["name"]: row["status"] for row in record["verification"]["models"]} == {"toy": 200, "a": 200}


def test_what_the_inventory_lays_over_it_is_deployed_and_the_folder_stays(world: World) -> None:
    before = {path: path.read_bytes() for path in world.guide.rglob("*.yaml")}
    wanted = world.entry(overlay={"replicas": 1, "env": {"VLLM_LOGGING_LEVEL": "DEBUG"}, "labels": {"team": "x"}})
    run = world.play("site", wanted, model("a"))
    assert run.code == 0 and "replicas 2 → 1" in run.text, run.text
    live = world.deployment()
    assert live and live["spec"]["replicas"] == 1
    template = live["spec"]["template"]
    assert template["metadata"]["labels"]["team"] == "x"
    assert template["spec"]["containers"][0]["env"] == [{"name": "VLLM_LOGGING_LEVEL", "value": "DEBUG"}]
    assert {path: path.read_bytes() for path in world.guide.rglob("*.yaml")} == before
    back = world.play("rollback", rollback_confirm=True)
    assert back.code == 0, back.text
    live = world.deployment()
    assert live and live["spec"]["replicas"] == 2 and "env" not in live["spec"]["template"]["spec"]["containers"][0]


def test_a_config_map_under_a_new_hash_takes_the_old_ones_place(world: World) -> None:
    (old,) = world.configs()
    world.edit("guide/vllm/base/kustomization.yaml", "level=info", "level=debug")
    run = world.play("site", world.entry(), model("a"))
    assert run.code == 0, run.text
    assert len(world.configs()) == 1 and old not in world.configs(), run.text


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        (PATCH, "--tensor-parallel-size", "--tensor-paralel-size", "LLMD550"),
        (PATCH, 'nvidia.com/gpu: "1"', 'nvidia.com/gpu: "99"', "LLMD801"),
        (PATCH, "replicas: 2", "replicas: two", "LLMD8"),
        (BASE, "containerPort: 8000", "containerPort: 8001", "LLMD510"),
        (BASE, "serviceAccountName: servers", "serviceAccountName: lost", "LLMD"),
        ("guide/vllm/base/kustomization.yaml", "patches:", "patchs:", "kustomize"),
        (PATCH, "name: decode", "name: decod", "kustomize"),
        ("recipes/images/kustomization.yaml", "REPLACE_WITH_SERVER_IMAGE", "OTHER", "LLMD"),
        (
            BASE,
            "readinessProbe:\n            httpGet: {path: /v1/models, port: http}",
            "readinessProbe:\n            httpGet: {path: /v1/models, port: https}",
            "LLMD510",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(world: World, file: str, old: str, new: str, rule: str) -> None:
    text = (world.guide / file).read_text()
    line = world.edit(file, old, new)
    try:
        run = world.play("plan", world.entry(), model("a"))
    finally:
        (world.guide / file).write_text(text)
    said = " ".join(run.text.split())
    # The nearest key may be the one above, or what goes with it.
    near = [f"{world.guide}/{file}:{number}" for number in range(line - 3, line + 6)]
    if file.endswith("images/kustomization.yaml"):
        near = [f"{world.guide}/{BASE}:"]
    assert run.code != 0 and any(f"{rule}" in part for part in said.split()), run.text
    assert any(place in said for place in near), run.text


def test_replicas_belong_to_the_autoscaler_that_has_set_them(world: World) -> None:
    (world.guide / "guide/vllm/base/scaler.yaml").write_text(SCALER)
    world.edit("guide/vllm/base/kustomization.yaml", "resources:\n", "resources:\n  - scaler.yaml\n")
    run = world.play("site", world.entry(), model("a"))
    assert run.code == 0, run.text
    eventually(lambda: world.live()["spec"]["replicas"] == 3)
    run = world.play("plan", world.entry(), model("a"))
    assert run.code == 0 and "Nothing would change" in run.text, run.text
    run = world.play("site", world.entry(overlay={"env": {"VLLM_LOGGING_LEVEL": "INFO"}}), model("a"))
    assert run.code == 0 and "replicas" not in run.text, run.text
    owners = [row["manager"] for row in world.managers() if "f:replicas" in row["fieldsV1"].get("f:spec", {})]
    assert (world.live()["spec"]["replicas"], owners) == (3, ["kube-controller-manager"])
    run = world.play("status", world.entry(), model("a"))
    assert run.code == 0 and "no drift" in run.text, run.text


def test_a_model_that_is_removed_is_deleted_with_consent(world: World) -> None:
    run = world.play("site", model("a"))
    assert run.code == 0 and world.deployment(), run.text
    assert f"Deployment {world.namespace}/{DEPLOYMENT}" in run.text, run.text
    run = world.play("site", model("a"), llm_d_prune=True)
    assert run.code == 0 and world.deployment() is None and not world.configs(), run.text


def test_a_teardown_leaves_nothing_of_it(world: World) -> None:
    run = world.play("site", world.entry())
    assert run.code == 0, run.text
    run = world.play("teardown", world.entry(), teardown_confirm=True)
    assert run.code == 0 and world.deployment() is None and not world.configs(), run.text
