# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack on a platform of Dynamo that somebody has installed with Helm, for all namespaces: used as it is, never
doubled, and left behind. On it all engines, models that cannot start, and a token that changes."""

from __future__ import annotations

import pathlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import graphs_there as make
import pytest
from plane_client import Lab
from small_stack import helm_there

from playbooks import Run, play

VERSION, RELEASE, LIMIT = "0.9.1", "theirs", 300.0
OPERATOR = f"{RELEASE}-dynamo-operator-controller-manager"
SMALL = {"gpus": 1}
# What planning says of models that cannot start.
ACCEPTED = ["LLMD881", "LLMD704"]
MODELS = [
    {"name": "one", "model": "org/one", "mode": "agg", **SMALL},
    {"name": "two", "model": "org/two", "mode": "disagg", "engine": "sglang", **SMALL},
    {"name": "three", "model": "org/three", "mode": "agg", "engine": "trtllm", **SMALL},
]


class Stack:
    """A stack beside the platform of others."""

    def __init__(self, lab: Lab, folder: pathlib.Path, home: str, namespace: str, chart: str) -> None:
        self.lab, self.folder, self.home, self.namespace = lab, folder, home, namespace
        self.variables: dict[str, Any] = {
            "llm_d_namespace": namespace,
            "llm_d_models": [],
            "llm_d_wait_timeout": 200,
            "dynamo_models": MODELS,
            "dynamo_platform_chart": chart,
            "dynamo_platform_crds_chart": str(make.CHARTS / "dynamo-crds"),
            "prepare_hf_token": "hf_first",
        }

    def play(self, name: str, *args: str, **more: Any) -> Run:
        return play(self.folder, name, *args, timeout=LIMIT, **{**self.variables, **more})

    def operators(self) -> set[tuple[str, str]]:
        """The operators that work for the stack's namespace, by namespace and name."""
        found = self.lab.resource("apps/v1", "Deployment").get(label_selector="app.kubernetes.io/name=dynamo-operator")
        names = {(item.metadata.namespace, item.metadata.name) for item in found.items}
        return {place for place in names if place[0] in (self.home, self.namespace)}

    def graphs(self) -> set[str]:
        found = self.lab.resource(make.GRAPH_API, make.GRAPH).get(namespace=self.namespace)
        return {item.metadata.name for item in found.items}


@pytest.fixture(scope="module")
def stack(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder, home, namespace = tmp_path_factory.mktemp("adopted"), new_namespace(), new_namespace()
    chart = make.packaged("dynamo-platform", VERSION, folder)
    values = f"{make.PROXY},etcd.enabled=false,nats.enabled=false"
    with make.defined(lab, make.rendered(make.packaged("dynamo-crds", VERSION, folder), home, release="crds")):
        subprocess.run([*helm_there(), "install", RELEASE, chart, "-n", home, "--set", values, "--wait"], check=True)
        try:
            yield Stack(lab, folder, home, namespace, chart)
        finally:
            make.remove(lab, namespace)
            subprocess.run([*helm_there(), "uninstall", RELEASE, "-n", home, "--wait"], check=True)


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Run:
    """What deploying has said."""
    return stack.play("site")


def test_the_platform_of_others_is_used_as_it_is(stack: Stack, deployed: Run) -> None:
    assert deployed.code == 0, deployed.text
    assert f"the operator {stack.home}/{OPERATOR} (version {VERSION}, all namespaces)" in " ".join(
        deployed.text.split()
    ), deployed.text
    assert stack.operators() == {(stack.home, OPERATOR)}
    assert stack.graphs() == {"one", "two", "three", "vllm-frontend"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"dynamo_platform_existing": "false", "dynamo_platform_version": VERSION}, "two operators would"),
        ({"dynamo_platform_version": "0.5.0", "dynamo_platform_chart": ""}, "is 0.5.0, but the operator"),
    ],
    ids=["a second operator", "another version"],
)
def test_what_does_not_go_with_it_is_refused(stack: Stack, deployed: Run, more: dict[str, Any], said: str) -> None:
    run = stack.play("site", **more)
    assert run.code != 0 and run.changed == 0, run.text
    assert said in " ".join(run.text.split()), run.text
    assert stack.operators() == {(stack.home, OPERATOR)}


def test_a_model_that_cannot_start_ends_the_run_with_the_cause(stack: Stack, deployed: Run) -> None:
    gone = {"name": "gone", "model": "org/gone", "image": "docker.io/bitnami/etcd:1", **SMALL}
    nowhere = {"name": "nowhere", "model": "org/nowhere", "node_selector": {"gpu": "none"}, **SMALL}
    run = stack.play("site", dynamo_models=[*MODELS, gone, nowhere], llm_d_accept=ACCEPTED)
    assert run.code != 0 and run.seconds < 90, (run.seconds, run.text)
    assert "Back-off pulling image" in run.text and "didn't match Pod's node affinity/selector" in run.text, run.text


def test_a_changed_token_is_told_of_what_still_runs_with_the_former(stack: Stack, deployed: Run) -> None:
    run = stack.play("site", prepare_hf_token="hf_second")
    assert run.code == 0, run.text
    assert "kubectl rollout restart" in run.text, run.text


def test_it_stays_when_the_stack_goes(stack: Stack, deployed: Run) -> None:
    run = stack.play("teardown", teardown_confirm=True)
    assert run.code == 0, run.text
    assert stack.graphs() == set()
    assert stack.operators() == {(stack.home, OPERATOR)}
