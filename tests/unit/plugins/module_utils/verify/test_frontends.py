# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Probes of models behind a shared frontend, right and wrong."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify import frontends, tally, workers

from verify.dynamo_world import NAMESPACE, Model, pod


def broken(result):
    return {(check["model"], check["name"]) for check in result["checks"] if check["level"] == "failed"}


def row_of(result, model, name):
    return next(check for check in result["checks"] if (check["model"], check["name"]) == (model, name))


def test_three_models_are_told_apart(verify):
    models = [Model("a", decode=2), Model("b", prefill=1), Model("c", prefill=2)]
    result, world = verify(*models)
    assert result["failures"] == [] and result["notes"] == []
    served = {row["name"]: row["served_by"] for row in result["models"]}
    assert served == {"a": ["a-decode-0", "a-decode-1"], "b": ["b-decode-0", "b-prefill-0"],
                      "c": ["c-decode-0", "c-prefill-0", "c-prefill-1"]}  # fmt: skip
    assert all(row["ok"] and row["status"] == 200 and row["latency_ms"] > 0 for row in result["models"])
    assert row_of(result, "a", "chat")["ok"]
    assert result["endpoint"].startswith(f"Service {NAMESPACE}/vllm-frontend-frontend port 8000 (")
    assert world.connections["frontend"] <= frontends.LINES + 1


@pytest.mark.parametrize("prefill", [0, 1])
def test_models_that_share_an_endpoint_answer_for_each_other(verify, prefill):
    shared = [Model(name, space="vllm-agg", prefill=prefill) for name in ("a", "b")]
    result, _world = verify(*shared, Model("c"))
    assert broken(result) == {("a", "served_by"), ("b", "served_by")}
    found = row_of(result, "b", "served_by")
    assert "others answered under its name: a-decode-0 (model a)" in found["detail"]
    assert "all of them register in Dynamo namespace vllm-agg" in found["detail"]
    assert "dynamoNamespace" in found["hint"]
    assert "2 of 3 models behind frontend vllm-frontend did not pass" in result["failure"]


def test_workers_of_a_graph_that_the_stack_does_not_know_are_named(verify):
    models = [Model("a", space="shared"), Model("foreign", space="shared")]
    result, _world = verify(*models, known=["a"])
    assert broken(result) == {("a", "served_by")}
    assert "foreign-decode-0 (graph foreign)" in row_of(result, "a", "served_by")["detail"]


def test_prefill_workers_alone_share_an_endpoint(verify):
    result, _world = verify(Model("a", prefill=1, prefill_space="s"), Model("b", prefill=1, prefill_space="s"))
    assert broken(result) == {("a", "served_by"), ("b", "served_by")}
    assert "its own prefill workers served" in row_of(result, "b", "served_by")["detail"]


def test_a_model_that_is_not_listed_is_explained(verify):
    def restricted(world):
        world.lists = ["org/b"]

    result, _world = verify(Model("a"), Model("b"), change=restricted, frontend_space="dynamo-b", timeout=20.0)
    assert broken(result) == {("a", "model_list"), ("a", "completion")}
    found = row_of(result, "a", "model_list")
    assert "does not list org/a; it lists org/b" in found["detail"]
    assert (
        "looks for workers only in Dynamo namespace dynamo-b, but this model's register in dynamo-a" in found["detail"]
    )
    assert "globalDynamoNamespace" in found["hint"]


def test_a_listing_that_comes_late_is_waited_for(verify):
    def late(world):
        world.lists_after = 3

    result, world = verify(Model("a"), change=late, timeout=20.0)
    assert result["failures"] == [] and world.lists_after < 0


def test_prefill_has_to_take_part(verify, monkeypatch):
    monkeypatch.setattr(frontends, "PREFILL_PAUSE", 0.0)

    def alone(world):
        world.prefills = False

    result, _world = verify(Model("a", prefill=1), change=alone)
    assert broken(result) == {("a", "prefill")}
    assert "no counter of a-prefill-0 moved" in row_of(result, "a", "prefill")["detail"]
    result, _world = verify(Model("a", prefill=1), change=alone, pd="warn")
    assert result["failures"] == [] and len(result["notes"]) == 1


def test_counters_that_cannot_be_read_only_warn(verify):
    def mute(world):
        world.metrics = False

    result, _world = verify(Model("a"), change=mute)
    assert result["failures"] == []
    assert "cannot tell which worker answered" in result["notes"][0] and "a-decode-0" in result["notes"][0]


@pytest.mark.parametrize("asked", [False, True])
def test_a_model_without_a_chat_template(verify, asked):
    def plain(world):
        world.chat_template = False

    result, _world = verify(Model("a"), change=plain, chat=asked)
    assert broken(result) == ({("a", "chat")} if asked else set())
    assert len(result["notes"]) == (0 if asked else 1)


def test_answers_that_pass_are_asked_again(verify):
    def starting(world):
        world.refuse = [(503, {"error": "no instances"}), (404, {"error": "Model not found"}), (404, {"error": "x"})]

    result, _world = verify(Model("a"), change=starting, timeout=20.0)
    assert result["failures"] == []


def test_nothing_is_there(verify):
    result, _world = verify(Model("a"), gone=["Service"])
    assert broken(result) == {("vllm-frontend", "frontend")}
    assert "Service dynamo/vllm-frontend-frontend port 8000 does not exist" in result["failures"][0]


def test_workers_that_are_missing_or_not_ready(verify):
    def changed(world):
        world.lists = ["org/b"]

    result, _world = verify(Model("a"), Model("b"), change=changed, unready=["a-decode-0"], timeout=20.0)
    assert {("a", "pods"), ("a", "model_list"), ("a", "completion")} == broken(result)
    assert "0 of 1 workers are ready; pod a-decode-0" in row_of(result, "a", "pods")["detail"]


def test_in_check_mode_nothing_that_is_missing_fails(verify):
    result, _world = verify(Model("a"), gone=["Service"], check_mode=True)
    assert result["failures"] == [] and "Nothing is served yet" in result["notes"][0]


@pytest.mark.parametrize(
    ("labels", "args", "prefill"),
    [
        ({"nvidia.com/dynamo-sub-component-type": "prefill"}, [], True),
        ({"nvidia.com/dynamo-sub-component-type": "decode"}, ["--is-prefill-worker"], False),
        ({"nvidia.com/dynamo-component-type": "prefill"}, [], True),
        ({}, ["--is-prefill-worker"], True),
        ({}, ["--disaggregation-mode", "prefill"], True),
        ({}, ["python3 -m dynamo.vllm --disaggregation-mode=prefill"], True),
        ({}, ["--disaggregation-mode", "decode"], False),
    ],
)
def test_prefill_workers_are_known_by_labels_and_arguments(labels, args, prefill):
    item = pod("x", "a", "worker", args=args)
    item["metadata"]["labels"].update(labels)
    assert workers.workers_of([item])[0].prefill is prefill


def test_frontends_and_planners_are_no_workers():
    assert (
        workers.workers_of([pod("x", "a", "frontend"), pod("y", "a", "planner"), pod("z", "a", "Worker")])[0].name
        == "z"
    )


def test_the_space_of_a_worker_is_without_its_suffix():
    item = pod("x", "a", "worker", "dynamo-a-0a1b2c3d")
    item["spec"]["containers"][0]["env"].append({"name": "DYN_NAMESPACE_PREFIX", "value": "dynamo-a"})
    assert workers.workers_of([item])[0].space == "dynamo-a"


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ({"vllm:request_success_total": 3.0}, {"vllm:request_success_total": 5.0}, 2),
        ({}, {"dynamo_component_requests_total": 4.0, "vllm:request_success_total": 3.0}, 4),
        ({"vllm:request_success_total": 9.0}, {"vllm:request_success_total": 2.0}, 2),
        ({"vllm:request_success_total": 9.0}, {"vllm:request_success_total": 9.0}, 0),
    ],
)
def test_requests_are_counted(before, after, count):
    assert tally.taken(before, after) == count
