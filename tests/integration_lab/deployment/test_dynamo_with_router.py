# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole stack by every playbook: platform, three models, frontend and router; up, changed, back, and gone."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import graphs_there as make
import pytest
from plane_client import Lab

from playbooks import Run, play

MODELS = (
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.1-70B-Instruct",
    "mistralai/Mixtral-8x22B-Instruct-v0.1",
)
GPUS = (1, 4, 4)
KINDS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("v1", "Service"), ("v1", "ServiceAccount"),
         ("v1", "PersistentVolumeClaim"), (make.GRAPH_API, make.GRAPH))  # fmt: skip
# What a cluster puts into each namespace.
STANDING = {"default"}


class Stack:
    """The stack's variables, and playbooks with them."""

    def __init__(self, lab: Lab, folder: pathlib.Path, spaces: tuple[str, str], variables: dict[str, Any]) -> None:
        self.lab, self.folder, self.spaces, self.variables = lab, folder, spaces, variables

    def play(self, name: str, **more: Any) -> Run:
        """Run a playbook; `more` are variables besides the stack's."""
        return play(self.folder, name, timeout=600, **{**self.variables, **more})

    def left(self) -> dict[str, list[str]]:
        """What is in the stack's namespaces, by kind."""
        found = {}
        for api, kind in KINDS:
            for space in self.spaces:
                items = self.lab.resource(api, kind).get(namespace=space).items
                names = [item.metadata.name for item in items if item.metadata.name not in STANDING]
                found.update({f"{kind} {space}": names} if names else {})
        return found

    def record(self) -> dict[str, Any]:
        """The newest record."""
        newest = sorted((self.folder / "records").glob("*/2*/record.json"))[-1]
        return json.loads(newest.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stack(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Three models, one aggregated and two disaggregated, and the router's default policies."""
    folder, spaces = tmp_path_factory.mktemp("dynamo"), (new_namespace(), new_namespace())
    lab.apply(make.claim(spaces[1]))
    roles = [{}, *({"mode": "disagg", "decode": {"gpus": gpus}, "prefill": {"gpus": gpus}} for gpus in GPUS[1:])]
    proxy = {"image": {"repository": "registry.k8s.io/kubebuilder/kube-rbac-proxy"}}
    variables = {
        "llm_d_namespace": spaces[0],
        "llm_d_models": [],
        "llm_d_wait_timeout": 300,
        "llm_d_records_dir": str(folder / "records"),
        "dynamo_platform_chart": str(make.CHARTS / "dynamo-platform"),
        "dynamo_platform_crds_chart": str(make.CHARTS / "dynamo-crds"),
        "dynamo_platform_values": {"dynamo-operator": {"controllerManager": {"kubeRbacProxy": proxy}}},
        "dynamo_models": [
            {"name": f"model-{number}", "model": model, "gpus": GPUS[number], **roles[number]}
            for number, model in enumerate(MODELS)
        ],
        "llm_router_chart": str(make.CHARTS / "llm-router"),
        "llm_router_namespace": spaces[1],
        "llm_router_image_registry": "registry.example.com/llm-router/",
        "llm_router_model_repository": {"existing_claim": "router-models"},
        # The definitions that are there may be another test's.
        "llm_d_adopt": True,
    }
    # Those that are there may be of another version.
    with make.defined(lab, make.rendered("dynamo-crds", spaces[0])):
        yield Stack(lab, folder, spaces, variables)
        make.remove(lab, spaces[0])


def test_it_goes_up_and_each_model_and_class_answers(stack: Stack) -> None:
    run = stack.play("site")
    assert run.code == 0, run.text
    assert "the models answer" in run.text and "19 of 19 classes, by the classifier 2 of 2 policies" in run.text
    assert run.text.count("endpoint  Service ") == 2
    found = stack.record()["verification"]
    assert found["failures"] == [] and len(found["models"]) == 3 and len(found["classes"]) == 21
    assert all(row["ok"] for row in [*found["models"], *found["classes"]])


def test_again_nothing_changes_and_the_other_playbooks_agree(stack: Stack) -> None:
    run = stack.play("site")
    assert (run.code, run.changed) == (0, 0), run.text
    verified = stack.play("verify")
    assert verified.code == 0 and "19 of 19 classes" in verified.text, verified.text
    status = stack.play("status")
    assert status.code == 0 and "healthy, no drift" in status.text, status.text
    diagnosed = stack.play("diagnose")
    assert diagnosed.code == 0 and "nothing is wrong" in diagnosed.text, diagnosed.text


def test_what_was_deployed_before_is_restored(stack: Stack) -> None:
    first, *others = stack.variables["dynamo_models"]
    changed = stack.play("site", dynamo_models=[{**first, "args": ["--max-model-len", "8192"]}, *others])
    assert changed.code == 0 and changed.changed > 0, changed.text
    back = stack.play("rollback", rollback_confirm=True)
    assert back.code == 0, back.text
    run = stack.play("site")
    assert (run.code, run.changed) == (0, 0), run.text


def test_all_of_it_is_gone_in_the_end(stack: Stack) -> None:
    run = stack.play("teardown", teardown_confirm=True, teardown_delete_pvcs=True)
    assert run.code == 0, run.text
    left = stack.left()
    # Somebody else's, which the router was only given.
    assert left.pop(f"PersistentVolumeClaim {stack.spaces[1]}") == ["router-models"]
    assert left == {}
