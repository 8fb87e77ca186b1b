# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A further release of a stack, by a chart of the user: deployed after the models, changed, removed, restored."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab
from recorded_stack import model

from playbooks import Run, play

CHART = "apiVersion: v2\nname: batch\nversion: 0.1.0\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: {containers: [{name: batch, image: "registry.example/batch:v0.1.0"}]}
"""


class Stack:
    """A model, and a chart beside it."""

    def __init__(self, lab: Lab, folder: pathlib.Path, namespace: str) -> None:
        self.lab, self.folder, self.namespace = lab, folder, namespace
        templates = folder / "charts" / "batch" / "templates"
        templates.mkdir(parents=True)
        (templates / "deployment.yaml").write_text(DEPLOYMENT)
        (templates.parent / "Chart.yaml").write_text(CHART)
        (templates.parent / "values.yaml").write_text("replicas: 1\n")
        self.releases = [self.entry()]

    def entry(self, **values: Any) -> dict[str, Any]:
        return {"name": "batch", "chart": str(self.folder / "charts" / "batch"), "values": values}

    def play(self, name: str, **more: Any) -> Run:
        variables = {"llm_d_namespace": self.namespace, "llm_d_models": [model("a")], "llm_d_releases": self.releases}
        return play(self.folder, name, **{**variables, **more})

    def deployment(self) -> dict[str, Any] | None:
        return self.lab.get("apps/v1", "Deployment", self.namespace, "batch")


@pytest.fixture(scope="module")
def stack(lab: Lab, tmp_path_factory: pytest.TempPathFactory, new_namespace: Callable[[], str]) -> Stack:
    return Stack(lab, tmp_path_factory.mktemp("extra"), new_namespace())


def test_it_goes_up_after_the_models_and_a_second_run_changes_nothing(stack: Stack) -> None:
    run = stack.play("site")
    assert run.code == 0 and "the models answer" in run.text, run.text
    live = stack.deployment()
    assert live and live["status"]["readyReplicas"] == 1
    again = stack.play("site")
    assert (again.code, again.changed) == (0, 0), again.text
    run = stack.play("status")
    assert run.code == 0 and "no drift" in run.text, run.text


def test_a_mistake_in_its_values_is_named_before_anything_is_changed(stack: Stack) -> None:
    stack.releases = [stack.entry(replicass=2)]
    run = stack.play("plan")
    assert run.code != 0 and "llm_d_releases[0].values" in run.text and "replicass" in run.text, run.text


def test_a_change_is_deployed_and_taken_back(stack: Stack) -> None:
    stack.releases = [stack.entry(replicas=2)]
    run = stack.play("site")
    assert run.code == 0 and "replicas 1 → 2" in run.text, run.text
    run = stack.play("rollback", rollback_confirm=True)
    assert run.code == 0, run.text
    live = stack.deployment()
    assert live and live["spec"]["replicas"] == 1


def test_what_is_no_longer_listed_goes_with_consent_and_all_of_it_with_the_stack(stack: Stack) -> None:
    stack.releases = []
    run = stack.play("site")
    assert run.code == 0 and stack.deployment() and "llm_d_prune" in run.text, run.text
    run = stack.play("site", llm_d_prune=True)
    assert run.code == 0 and stack.deployment() is None, run.text
    stack.releases = [stack.entry()]
    assert stack.play("site").code == 0 and stack.deployment()
    run = stack.play("teardown", teardown_confirm=True)
    assert run.code == 0 and stack.deployment() is None, run.text
