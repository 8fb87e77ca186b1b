# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a lab is told to hold: stages, faults, objects."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import faults, objects, stages, templates
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab import faults as logs

DYNAMO = {"platform": "1s", "frontend": "1s", "worker": "2s", "router": "1s"}
DELAYS = {"gateway": "1s", "epp": "1s", "modelserver": "2s", **DYNAMO, "other": "0s"}


def test_one_start_stage_per_component() -> None:
    found = {stage["metadata"]["name"]: stage for stage in stages.pod_stages(DELAYS, "false")}
    assert [name for name in found if name.startswith("pod-start")] == [f"pod-start-{name}" for name in DELAYS]
    template = found["pod-start-modelserver"]["spec"]["steps"][1]["patch"]["template"]
    assert 'default "2s"' in template
    keys = [expression["operator"] for expression in found["pod-start-other"]["spec"]["selector"]["matchExpressions"]]
    # One that must be true (not started yet), and the other components' among those that must not.
    assert keys.count("In") == 1
    assert keys.count("NotIn") == 4 + len(DELAYS) - 1


@pytest.mark.parametrize(
    ("component", "label"),
    [
        ("gateway", "gateway.networking.k8s.io/gateway-name"),
        ("epp", "inferencepool"),
        ("modelserver", "llm-d.ai/role"),
        ("modelserver", "llm-d.ai/inferenceServing"),
        ("modelserver", "llm-d.ai/inference-serving"),
    ],
)
def test_components_are_known_by_labels(component: str, label: str) -> None:
    assert f'.metadata.labels["{label}"] != null' in stages.component_expressions()[component]


def test_parts_of_dynamo_are_known_by_labels() -> None:
    known = stages.component_expressions()
    assert '(.metadata.labels["app.kubernetes.io/name"] // "") == "etcd"' in known["platform"]
    assert known["frontend"] == '.metadata.labels["nvidia.com/dynamo-component-type"] == "frontend"'
    # What is no frontend, which comes first, is a worker.
    assert known["worker"] == '.metadata.labels["nvidia.com/dynamo-component-type"] != null'
    assert list(known)[-3:] == ["frontend", "worker", "router"]


def test_templates_are_balanced() -> None:
    for text in (
        templates.started("1s"),
        templates.READY,
        templates.COMPLETE,
        templates.HELD,
        templates.NODE_READY,
        *(
            step["patch"]["template"]
            for kind in ("ImagePullBackOff", "CrashLoopBackOff", "OOMKilled")
            for stage in faults.fault_objects([fault(kind)], "/logs")
            for step in stage["spec"]["steps"]
            if "patch" in step
        ),
    ):
        opened = sum(text.count("{{ " + word + " ") for word in ("if", "range", "with"))
        assert opened == text.count("{{ end }}")
        assert text.count("{{ ") == text.count(" }}")


def fault(kind: str, **more: t.Any) -> dict:
    return {"name": "f", "fault": kind, "match": {"app": "x"}, **more}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"match": {"a": "b"}}, '(.metadata.labels["a"] == "b")'),
        ({"match": {"a": 1}}, '(.metadata.labels["a"] == "1")'),
        ({"pod_prefix": 'x"y'}, '(.metadata.name | startswith("x\\"y"))'),
        ({"pod_prefix": "x", "namespace": "n"}, '(.metadata.name | startswith("x")) and (.metadata.namespace == "n")'),
    ],
)
def test_fault_expression(given: dict, expected: str) -> None:
    assert faults.fault_expression(given) == expected


def test_no_faults_hold_nothing_down() -> None:
    assert faults.faulty_expression([]) == "false"
    assert faults.faulty_expression([fault("Pending")]) == "false"
    assert "app" in faults.faulty_expression([fault("OOMKilled")])


@pytest.mark.parametrize(
    ("kind", "kinds", "inside"),
    [
        ("ImagePullBackOff", ["Stage"], "ImagePullBackOff"),
        ("CrashLoopBackOff", ["Stage", "Stage"], "exitCode: 1,"),
        ("OOMKilled", ["Stage", "Stage"], "exitCode: 137, reason: OOMKilled"),
        ("Pending", ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"], "nvidia.com/gpu"),
    ],
)
def test_fault_objects(kind: str, kinds: list[str], inside: str) -> None:
    found = faults.fault_objects([fault(kind, container="vllm", namespace="n")], "/logs")
    assert [one["kind"] for one in found] == kinds
    assert inside in str(found)
    assert ("/logs/f.log" in str(found)) is (kind in ("CrashLoopBackOff", "OOMKilled"))
    if kind != "Pending":
        assert '{{ if eq .name "vllm" }}' in str(found).replace("\\'", "'")


def test_of_two_faults_the_first_wins() -> None:
    first, second = fault("OOMKilled"), {**fault("ImagePullBackOff"), "name": "g", "match": {"b": "c"}}
    last = faults.fault_objects([first, second], "/logs")[-1]
    operators = {e["key"]: e["operator"] for e in last["spec"]["selector"]["matchExpressions"]}
    assert operators[f"({faults.fault_expression(first)}) // false"] == "NotIn"
    assert operators[f"({faults.fault_expression(second)}) // false"] == "In"


def test_mistakes_in_faults_are_named_together() -> None:
    with pytest.raises(OrchestratorError) as caught:
        faults.check_faults([fault("OOMKilled"), {"name": "f", "fault": "Pending"}])
    assert len(caught.value.details) == 2
    with pytest.raises(OrchestratorError, match="may contain only lower-case"):
        faults.check_faults([{**fault("OOMKilled"), "name": "a_b"}])
    with pytest.raises(OrchestratorError, match="after is '5 min'"):
        faults.check_faults([fault("OOMKilled", after="5 min")])
    faults.check_faults([fault("OOMKilled", after="1m30s")])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s", True),
        ("0", True),
        ("1m30s", True),
        ("1.5s", True),
        ("500ms", True),
        ("5", False),
        ("1 s", False),
        ("", False),
    ],
)
def test_is_duration(text: str, expected: bool) -> None:
    assert faults.is_duration(text) is expected


def test_delays_without_a_unit_are_named() -> None:
    with pytest.raises(OrchestratorError) as caught:
        faults.check_delays({**DELAYS, "epp": "10"})
    assert caught.value.details == ["epp: '10'"]


def test_log_text() -> None:
    assert logs.log_text(fault("CrashLoopBackOff", log="a\nb"), "T") == "T stderr F a\nT stderr F b\n"
    assert "Loading model" in logs.log_text(fault("OOMKilled"), "T")
    assert not logs.has_log(fault("Pending"))


def test_expand_nodes() -> None:
    nodes = objects.expand_nodes([{"prefix": "gpu", "count": 2}, {"name": "one"}, {"count": 1}])
    assert [node["name"] for node in nodes] == ["gpu-0", "gpu-1", "one", "node-2-0"]


def test_bad_nodes_are_named_together() -> None:
    with pytest.raises(OrchestratorError) as caught:
        objects.expand_nodes([{"name": "a"}, {"name": "a"}, {"name": "B"}])
    assert caught.value.details == ["'a' is used more than once", "'B' is not a DNS name"]


def test_node_object() -> None:
    taints = [{"key": "spot", "value": None, "effect": "NoSchedule"}]
    given = {"name": "n", "gpus": 4, "gpu_product": "L4", "labels": {"a": 1}, "taints": taints, "cpu": "8"}
    node = objects.node_object(given, 257, 21000)
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "4"
    assert node["status"]["capacity"]["cpu"] == "8"
    assert node["metadata"]["labels"]["nvidia.com/gpu.product"] == "L4"
    assert node["metadata"]["labels"]["a"] == "1"
    assert node["spec"]["taints"] == [{"key": "spot", "effect": "NoSchedule"}]
    assert node["spec"]["podCIDR"] == "10.65.1.0/24"
    plain = objects.node_object({"name": "c"}, 0, 21000)
    assert "nvidia.com/gpu" not in plain["status"]["capacity"]
    assert "nvidia.com/gpu.product" not in plain["metadata"]["labels"]


def test_desired_objects_are_marked_and_stable() -> None:
    params = {
        "nodes": [{"name": "a"}],
        "ready_delays": DELAYS,
        "faults": [],
        "gateway_classes": {"istio": "istio.io/gateway-controller"},
    }
    crd = {"kind": "CustomResourceDefinition", "metadata": {"name": "x", "annotations": {"kept": "yes"}}}
    first = objects.desired_objects(params, [crd], 1, "/logs")
    assert first == objects.desired_objects(params, [crd], 1, "/logs")
    assert all(found["metadata"]["labels"][objects.PART_LABEL] == "lab" for found in first)
    assert first[0]["metadata"]["annotations"]["kept"] == "yes"
    slower = objects.desired_objects({**params, "ready_delays": {**DELAYS, "epp": "9s"}}, [crd], 1, "/logs")
    changed = [new["metadata"]["name"] for old, new in zip(first, slower, strict=True) if old != new]
    assert changed == ["pod-start-epp"]
