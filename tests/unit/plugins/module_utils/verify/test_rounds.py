# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole probes against servers that play a stack, right and wrong."""

from __future__ import annotations

import base64
import time
import types

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.pools import find_pool
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify import entrances, prober, rounds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.http import HttpTarget
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import Options

from verify import world as pw


@pytest.fixture
def ask(monkeypatch):
    """Return ask(stack, world, specs, **options) -> (result, events)."""
    worlds = []
    monkeypatch.setattr(prober, "SETTLE_SECONDS", 1.0)
    monkeypatch.setattr(
        "ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.rounds.COUNTER_SECONDS", 0.3
    )

    def go(stack, world, specs, secrets=(), **options):
        worlds.append(world)

        def open_target(_client, _namespace, pod, port, scheme="http"):
            assert port == (8080 if pod == "gw-istio-0" else 9090 if "-epp-" in pod else 8000)
            if pod in world.deaf:
                return HttpTarget(scheme, "127.0.0.1", 9)  # discard: nothing listens there
            return HttpTarget(scheme, "127.0.0.1", world.port("gateway" if pod == "gw-istio-0" else pod))

        for module in (prober, entrances):
            monkeypatch.setattr(module, "PodTarget", open_target)
        monkeypatch.setattr(prober, "read_snapshot", lambda *_: stack)
        cluster = types.SimpleNamespace(client=types.SimpleNamespace(client=None), list=lambda *_, **__: secrets)
        events = []
        options = Options("llm-d", **{"timeout": 1.0, **options})
        result = rounds.probe(
            cluster, options, specs, lambda name, step, status, **facts: events.append((name, status))
        )
        return result, events

    yield go
    for world in worlds:
        world.close()


def world_of(*names, **routes):
    served = {f"ms-{name}-0": [f"org/{name}"] for name in names}
    return pw.World(served, {f"/{name}": [f"ms-{name}-0"] for name in names} | routes)


def broken(result):
    return {(check["model"], check["name"]) for check in result["checks"] if check["level"] == "failed"}


def test_eight_models_are_told_apart(ask):
    names = [f"m{i}" for i in range(8)]
    begin = time.monotonic()
    result, events = ask(pw.snapshot(*names), world_of(*names), [pw.spec(name) for name in names])
    assert result["failures"] == [] and result["notes"] == []
    assert {row["name"]: row["served_by"] for row in result["models"]} == {name: [f"ms-{name}-0"] for name in names}
    assert all(row["status"] == 200 and row["latency_ms"] > 0 and row["answer"] == " Paris" for row in result["models"])
    assert sorted(events) == sorted([(name, status) for name in names for status in ("started", "done")])
    assert time.monotonic() - begin < 3


def test_chat_and_stream(ask):
    result, _events = ask(pw.snapshot("a"), world_of("a"), [pw.spec("a")], chat=True, stream=True)
    assert result["failures"] == []
    assert {"chat", "stream", "model_list"} <= {check["name"] for check in result["checks"]}
    assert result["models"][0]["first_token_ms"] > 0


@pytest.mark.parametrize(
    ("routes", "wrong"),
    [({"/a": ["ms-b-0"]}, {"a"}), ({"/a": ["ms-b-0"], "/b": ["ms-a-0"]}, {"a", "b"})],
    ids=["one pool serves both", "swapped"],
)
def test_the_wrong_model_answers_200(ask, routes, wrong):
    world = world_of("a", "b", **routes)
    world.lenient = True  # the answer's model is what was asked for: only the counters tell
    result, _events = ask(pw.snapshot("a", "b"), world, [pw.spec("a"), pw.spec("b")])
    assert broken(result) == {(name, "served_by") for name in wrong}
    assert "ms-b-0 (model b)" in result["failures"][0]
    assert {row["name"] for row in result["models"] if not row["ok"]} == wrong


def test_the_wrong_pool_answers_404(ask):
    result, _events = ask(pw.snapshot("a", "b"), world_of("a", "b", **{"/a": ["ms-b-0"]}), [pw.spec("a"), pw.spec("b")])
    assert broken(result) == {("a", "completion")}
    assert "serve: org/b" in result["failures"][0]
    assert "POST /a/v1/completions for model 'org/a'" in result["failures"][0]


def test_a_wrong_label_is_named_with_both_spellings(ask):
    stack = pw.snapshot("a")
    stack["pools"][0]["spec"]["selector"]["matchLabels"] = {"llm-d.ai/inferenceServing": "true"}
    world = world_of("a")
    world.refuse = [(503, "no healthy upstream")] * 99
    result, _events = ask(stack, world, [pw.spec("a")], timeout=30.0)
    text = "\n".join(result["failures"])
    assert broken(result) == {("a", "completion"), ("a", "selector")}
    assert (
        "503 no healthy upstream" in text and "selects 0 pods" in text and "{llm-d.ai/inferenceServing: true}" in text
    )
    assert "The pool has llm-d.ai/inferenceServing, but the pods have llm-d.ai/inference-serving" in text
    assert len(world.refuse) > 90  # the cause was known: no long wait


def test_transient_answers_are_asked_again(ask):
    world = world_of("a")
    world.refuse = [(503, "no healthy upstream"), (404, "")]
    result, _events = ask(pw.snapshot("a"), world, [pw.spec("a")], timeout=10.0)
    assert result["failures"] == []


def test_a_final_answer_is_not_asked_again(ask):
    world = world_of("a")
    world.refuse = [(400, {"error": "bad"})] * 3
    result, _events = ask(pw.snapshot("a"), world, [pw.spec("a")], timeout=10.0)
    assert broken(result) == {("a", "completion")}
    assert len(world.refuse) == 2


def test_a_false_condition_only_warns_where_the_model_is_served(ask):
    stack = pw.snapshot("a")
    stack["gateways"][0]["status"]["conditions"] = pw.conditions(Accepted="True", Programmed="False")
    result, _events = ask(stack, world_of("a"), [pw.spec("a")])
    assert result["failures"] == []
    assert len(result["notes"]) == 1 and "Programmed=False" in result["notes"][0]


@pytest.mark.parametrize("takes_part", [True, False])
def test_prefill_must_take_part(ask, takes_part):
    world = pw.World({"ms-a-0": ["org/a"], "ms-a-p0": ["org/a"]}, {"/a": ["ms-a-0"]})
    world.prefill = {"ms-a-0": ["ms-a-p0"]} if takes_part else {}
    result, _events = ask(pw.snapshot("a", prefill=1), world, [pw.spec("a")])
    assert broken(result) == (set() if takes_part else {("a", "prefill")})
    if not takes_part:
        assert "prefill did not take part" in result["failures"][0]


def test_prefill_may_take_part_late(ask, monkeypatch):
    monkeypatch.setattr(rounds, "PREFILL_PAUSE", 0.0)
    world = pw.World({"ms-a-0": ["org/a"], "ms-a-p0": ["org/a"]}, {"/a": ["ms-a-0"]})
    world.prefill_after = 6
    world.prefill = {"ms-a-0": ["ms-a-p0"]}
    result, _events = ask(pw.snapshot("a", prefill=1), world, [pw.spec("a")])
    assert broken(result) == set()


def test_without_counters_it_only_warns(ask):
    world = world_of("a")
    world.metrics = False
    result, _events = ask(pw.snapshot("a"), world, [pw.spec("a")])
    assert result["failures"] == []
    assert "cannot tell which pod served" in result["notes"][0]


def test_background_traffic_is_tolerated(ask):
    world = world_of("a", "b")
    world.served["ms-b-0"] = ["org/b", "org/a"]
    world.prefill = {"ms-a-0": ["ms-b-0"]}  # b counts whenever a does
    result, _events = ask(pw.snapshot("a", "b"), world, [pw.spec("a")])
    assert result["failures"] == []


def own_picker(result, model="a"):
    return next(row for row in result["checks"] if (row["model"], row["name"]) == (model, "own_picker"))


def test_the_picker_of_another_model_was_asked(ask):
    world = world_of("a", "b")
    world.asked["/a"] = "gaie-b-epp-0"
    result, _events = ask(pw.snapshot("a", "b"), world, [pw.spec("a"), pw.spec("b")])
    assert broken(result) == {("a", "own_picker")}
    assert "(gaie-a-epp-0) was not used" in result["failures"][0]
    assert "gaie-b-epp-0 did" in result["failures"][0] and "unique name" in result["failures"][0]
    assert own_picker(result, "b")["ok"]


def token_secret(account, value):
    annotations = {"kubernetes.io/service-account.name": account}
    return {"metadata": {"annotations": annotations}, "data": {"token": base64.b64encode(value.encode()).decode()}}


def test_the_charts_token_opens_guarded_metrics(ask):
    world = world_of("a")
    world.token = "t"
    result, _events = ask(pw.snapshot("a"), world, [pw.spec("a")], [token_secret("default", "t")])
    assert own_picker(result)["detail"] == "its endpoint picker was used: gaie-a-epp-0"


@pytest.mark.parametrize("shared", [False, True])
def test_unreadable_metrics_are_told_and_warn_where_rule_names_meet(ask, shared):
    world, stack = world_of("a", "b"), pw.snapshot("a", "b")
    world.token = "t"
    for number, item in enumerate(stack["routes"]):
        item["spec"]["rules"][0]["name"] = "chat" if shared else f"chat-{number}"
    result, _events = ask(stack, world, [pw.spec("a"), pw.spec("b")], [token_secret("another", "t")])
    assert result["failures"] == [] and len(result["notes"]) == (2 if shared else 0)
    said = "cannot tell whether its own endpoint picker was used: cannot read the metrics of gaie-a-epp-0 (401"
    assert said in own_picker(result)["detail"]


def test_silent_fallback_to_decode_is_found(ask, monkeypatch):
    monkeypatch.setattr(rounds, "PREFILL_PAUSE", 0.0)
    stack = pw.snapshot("a", prefill=1)
    world = pw.World({"ms-a-0": ["org/a"]}, {"/a": ["ms-a-0"]})
    world.deaf = {"ms-a-p0"}
    result, _events = ask(stack, world, [pw.spec("a")])
    assert broken(result) == {("a", "prefill")}
    assert "no answer on the port of pod ms-a-p0" in result["failures"][0]
    assert "since v0.6.0" in result["failures"][0]


def test_a_served_model_of_which_no_pods_are_known_is_no_failure(ask):
    """A route may lead to a Service: an answer and the absence of pods do not contradict each other."""
    stack = pw.snapshot("a")
    stack["pools"] = []
    named = [{"name": "chat", "model": "org/a", "path_prefix": "/a", "hostname": "h"}]
    result, _events = ask(stack, world_of("a"), named)
    assert result["failures"] == []
    assert any("its own pods are unknown" in note for note in result["notes"])
    lost = [{**named[0], "labels": {"llm-d.ai/model": "lost"}}]
    assert broken(ask(stack, world_of("a"), lost)[0]) == {("chat", "pods")}


@pytest.mark.parametrize(
    ("pool", "selector", "spec"),
    [
        ("chat", {"llm-d.ai/model": "a"}, {"name": "a"}),
        ("chat", {"llm-d.ai/model": "a"}, {"name": "x", "labels": {"llm-d.ai/model": "a"}}),
        ("only", {"nobody": "has"}, {"name": "x"}),
    ],
    ids=["label of models", "labels given", "the only one"],
)
def test_a_pool_of_another_name_is_found(pool, selector, spec):
    stack = pw.snapshot("a")
    stack["pools"] = [pw.pool(pool, selector)]
    assert find_pool({"model": "org/a", **spec}, stack)["metadata"]["name"] == pool
    assert find_pool({"model": "org/a", **spec, "pool": "gaie-a"}, stack) is None


def test_of_several_pools_the_one_whose_pods_serve_the_name_is_the_models():
    stack = pw.snapshot("a", "b")
    for item, name in zip(stack["pools"], ("one", "two"), strict=True):
        item["metadata"]["name"] = name
    stack["pods"] = [pw.pod(f"ms-{name}-0", pw.model_labels(name), args=["serve", f"org/{name}"]) for name in "ab"]
    for item in stack["pods"]:
        item["spec"]["containers"][0]["command"] = ["vllm"]
    assert find_pool({"name": "x", "model": "org/b"}, stack)["metadata"]["name"] == "two"
    assert find_pool({"name": "x", "model": "org/c"}, stack) is None
