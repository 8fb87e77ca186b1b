# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole stacks on NVIDIA Dynamo by the playbooks: made, made again, changed, and removed in an order that can end.

The kind of graphs comes with the stack's own platform; graphs of others keep the operator that they need.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import graphs_there as make
import pytest
from plane_client import Lab, eventually

from playbooks import Run, play

LIMIT = 600.0
FILE = """\
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata:
  name: from-file-${MODEL_SUFFIX}
spec:
  services:
    VllmDecodeWorker:
      dynamoNamespace: ${NAMESPACE}-${MODEL_SUFFIX}
      componentType: worker
      replicas: 1
      resources: {limits: {gpu: "1"}}
      extraPodSpec:
        mainContainer:
          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:${DYNAMO_VERSION}
          workingDir: ${FOLDER}
          command: [python3, -m, dynamo.vllm]
          args: [--model, "${MODEL_NAME}"]
"""


class Stack(NamedTuple):
    """A stack of one version in a namespace of its own."""

    lab: Lab
    folder: pathlib.Path
    namespace: str
    variables: dict[str, Any]

    def play(self, name: str, *args: str, **more: Any) -> Run:
        """Run a playbook; `more` are variables besides the stack's."""
        return play(self.folder, name, *args, timeout=LIMIT, **{**self.variables, **more})

    def graphs(self) -> set[str]:
        """The names of the namespace's graphs."""
        found = self.lab.resource(make.GRAPH_API, make.GRAPH).get(namespace=self.namespace)
        return {item.metadata.name for item in found.items}

    def deployments(self) -> set[str]:
        """The names of the namespace's Deployments."""
        found = self.lab.resource("apps/v1", "Deployment").get(namespace=self.namespace)
        return {item.metadata.name for item in found.items}


@pytest.fixture(scope="module", params=["0.5.0", "1.0.1"])
def stack(
    request: pytest.FixtureRequest,
    lab: Lab,
    new_namespace: Callable[[], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Two models, one of a user's file; a platform for this namespace alone."""
    folder, namespace = tmp_path_factory.mktemp("dynamo"), new_namespace()
    (folder / "graph.yaml").write_text(FILE)
    chart = "dynamo-platform" if request.param < "1" else "dynamo-platform-1.x"
    variables = {
        "llm_d_namespace": namespace,
        "llm_d_models": [],
        "llm_d_wait_timeout": 300,
        "dynamo_platform_version": request.param,
        "dynamo_platform_chart": str(make.CHARTS / chart),
        "dynamo_platform_crds_chart": str(make.CHARTS / "dynamo-crds"),
        "dynamo_platform_values": {"dynamo-operator": {"namespaceRestriction": {"enabled": True}}},
        "FOLDER": "/workspace",
        "dynamo_models": [
            {"name": "one", "model": "org/one", "mode": "disagg"},
            {"name": "two", "model": "org/two", "graph_file": "graph.yaml", "startup_timeout": 7200},
        ],
    }
    yield Stack(lab, folder, namespace, variables)
    make.remove(lab, namespace)


def test_a_stack_goes_up_and_each_model_answers(stack: Stack) -> None:
    run = stack.play("site")
    assert run.code == 0, run.text
    assert stack.graphs() == {"one", "from-file-two", "vllm-frontend"}
    for name in ("one", "two"):
        assert f"model     {name} " in run.text or f"model     {name}  200" in run.text, run.text


def test_made_again_nothing_changes(stack: Stack) -> None:
    stack.play("site")
    run = stack.play("site")
    assert (run.code, run.changed) == (0, 0), run.text


def test_a_change_is_ready_only_when_its_pods_are_new(stack: Stack) -> None:
    first = {**stack.variables["dynamo_models"][0], "args": ["--max-model-len", "4096"]}
    run = stack.play("site", dynamo_models=[first, stack.variables["dynamo_models"][1]])
    assert run.code == 0, run.text
    found = stack.lab.resource("apps/v1", "Deployment").get(
        namespace=stack.namespace, label_selector="nvidia.com/dynamo-graph-deployment-name=one"
    )
    assert len(found.items) == 2
    for item in found.items:
        assert "4096" in item.spec.template.spec.containers[0].args


def test_a_service_that_was_taken_out_of_its_graph_goes_with_consent(stack: Stack) -> None:
    alone = [{"name": "one", "model": "org/one", "mode": "agg"}, stack.variables["dynamo_models"][1]]
    run = stack.play("site", dynamo_models=alone)
    assert run.code == 0, run.text
    late = stack.variables["dynamo_platform_version"] >= "1"
    # Later operators delete it by themselves.
    assert ("DynamoComponentDeployment" in run.text and "one-vllmprefillworker" in run.text) is not late, run.text
    assert ("one-vllmprefillworker" in stack.deployments()) is not late
    run = stack.play("site", dynamo_models=alone, llm_d_prune=True)
    assert run.code == 0, run.text
    assert not [name for name in stack.deployments() if "prefill" in name]


def test_status_tells_of_what_was_changed_by_hand(stack: Stack) -> None:
    body = {"spec": {"services": {"VllmDecodeWorker": {"replicas": 3}}}}
    stack.lab.resource(make.GRAPH_API, make.GRAPH).patch(
        name="one", namespace=stack.namespace, body=body, content_type="application/merge-patch+json"
    )
    run = stack.play("status")
    assert "DynamoGraphDeployment one" in run.text and "changed" in run.text, run.text


def test_graphs_go_before_the_operator_which_stays_for_those_of_others(stack: Stack) -> None:
    stack.play("site")
    theirs = make.graph(stack.namespace, "theirs", Frontend=make.service("frontend", f"{stack.namespace}-theirs"))
    stack.lab.apply(theirs)
    child = (stack.namespace, "theirs-frontend")
    eventually(lambda: stack.lab.get("nvidia.com/v1alpha1", "DynamoComponentDeployment", *child), 120)
    run = stack.play("teardown", teardown_confirm=True)
    assert run.code == 0, run.text
    assert stack.graphs() == {"theirs"}
    assert f"{stack.namespace}/theirs could no longer be removed" in run.text
    assert "dynamo-platform-dynamo-operator-controller-manager" in stack.deployments()
    stack.lab.delete(theirs)
    eventually(lambda: not stack.graphs(), 120)
    last = stack.play("teardown", teardown_confirm=True, teardown_delete_pvcs=True)
    assert last.code == 0, last.text
    assert stack.deployments() == set()
    # Definitions belong to the cluster.
    assert stack.lab.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "dynamographdeployments.nvidia.com")
