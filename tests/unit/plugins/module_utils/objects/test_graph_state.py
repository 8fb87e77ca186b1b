# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a graph of Dynamo is ready: its state alone does not say so."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.conditions import object_state
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.graph_state import graph_state, whole_state

IMAGE = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0"


def graph_of(**status: Any) -> dict[str, Any]:
    main = {"image": IMAGE, "command": ["python3", "-m", "dynamo.vllm"], "args": ["--model", "org/m"]}
    service = {"componentType": "worker", "replicas": 2, "extraPodSpec": {"mainContainer": main}}
    service["envs"] = [{"name": "A", "value": "1"}]
    ready = {"type": "Ready", "status": "True", "reason": "all_resources_are_ready"}
    return {
        "apiVersion": "nvidia.com/v1alpha1",
        "kind": "DynamoGraphDeployment",
        "metadata": {"name": "m", "namespace": "ns", "generation": 2},
        "spec": {"services": {"VllmDecodeWorker": service}},
        "status": {"state": "successful", "conditions": [ready], **status},
    }


def child(name: str = "m-vllmdecodeworker", ready: int = 2, **main: Any) -> dict[str, Any]:
    labels = {"nvidia.com/dynamo-graph-deployment-name": "m", "nvidia.com/dynamo-component": "VllmDecodeWorker"}
    env = [{"name": "DYN_NAMESPACE", "value": "x"}, {"name": "A", "value": "1"}]
    given = {"image": IMAGE, "command": ["python3", "-m", "dynamo.vllm"], "args": ["--model", "org/m"], "env": env}
    container = {"name": "main", **given, **main}
    status = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": ready}
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "ns", "generation": 1, "labels": labels},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}},
        "status": status,
    }


def pod(ready: bool) -> dict[str, Any]:
    """A pod as Grove makes it, which no Deployment owns."""
    labels = child()["metadata"]["labels"]
    condition = {"type": "Ready", "status": str(ready)}
    status = {"phase": "Running", "conditions": [condition], "containerStatuses": [{"name": "main", "ready": ready}]}
    return {"metadata": {"name": "m-0", "labels": labels}, "status": status, "spec": {"containers": [{"name": "main"}]}}


OLD = child("m-vllmdecodeworker-00000000", args=["--model", "org/old"])


@pytest.mark.parametrize(
    ("graph", "children", "pods", "ready", "said"),
    [
        (graph_of(), [child()], [], True, ""),
        # The operator says that it is done, and has made nothing.
        (graph_of(), [], [], False, "has not created anything yet"),
        (graph_of(), [child(ready=1)], [], False, "1 of 2 pods ready"),
        # It is that of the graph before: another image, arguments, replicas, environment.
        (graph_of(), [child(image="other:1")], [], False, "still that of the previous graph"),
        (graph_of(), [child(args=["--model", "org/old"])], [], False, "still that of the previous graph"),
        (graph_of(), [child(env=[{"name": "A", "value": "0"}])], [], False, "still that of the previous graph"),
        # A worker's new Deployment has another name from 1.0 on; the old one is still there.
        (graph_of(), [child("m-vllmdecodeworker-1a2b3c4d"), OLD], [], False, "are not yet deleted"),
        # The children are ready and the graph's own condition is not.
        (graph_of(conditions=[], state="pending"), [child()], [], False, "Ready is not reported yet"),
        (graph_of(observedGeneration=1), [child()], [], False, "has not observed the current generation"),
        (graph_of(observedGeneration=2), [child()], [], True, ""),
        # Pods of another controller than of Deployments.
        (graph_of(), [], [pod(True), pod(True)], True, ""),
        (graph_of(), [], [pod(True), pod(False)], False, "1 of 2 pods ready"),
    ],
)
def test_a_graph_is_ready_by_its_children(graph: Any, children: Any, pods: Any, ready: bool, said: str) -> None:
    state = graph_state(graph, children, pods, object_state)
    assert (state.ready, said in state.text) == (ready, True)


def test_a_graph_without_services_never_becomes_ready() -> None:
    empty = graph_of()
    empty["spec"] = {}
    state = graph_state(empty, [], [], object_state)
    assert not state.ready and state.failed


def test_a_graph_that_its_operator_refuses_has_failed() -> None:
    why = {
        "type": "Ready",
        "status": "False",
        "reason": "failed_to_reconcile_the_resources",
        "message": "two namespaces",
    }
    state = graph_state(graph_of(state="failed", conditions=[why]), [], [], object_state)
    assert state.failed and "two namespaces" in state.text


def test_deployments_of_other_graphs_do_not_count() -> None:
    other = copy.deepcopy(child())
    other["metadata"]["labels"]["nvidia.com/dynamo-graph-deployment-name"] = "other"
    assert not graph_state(graph_of(), [other], [], object_state).ready


def test_other_kinds_are_judged_by_themselves() -> None:
    assert whole_state(child(), lambda *_place: []).ready
    assert whole_state(graph_of(), lambda _api, kind, _space: [child()] if kind == "Deployment" else []).ready
