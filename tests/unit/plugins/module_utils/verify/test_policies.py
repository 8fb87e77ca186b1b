# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Probes of a router in front of a frontend: each class of each policy, the classifier, the configuration."""

from __future__ import annotations

import copy
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify import policies
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.policy_causes import service_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.policy_config import config_hint, differences

from verify.dynamo_world import CLASSES, Model, policies_of

MODELS = ("a", "b", "c")
BASE = "http://vllm-frontend-frontend.dynamo.svc.cluster.local:8000"


@pytest.fixture
def route(verify):
    """Return route(change of the world, **changes) -> (checks that failed, result, world)."""

    def go(change=lambda world: None, **changes):
        result, world = verify(*map(Model, MODELS), change=change, router=True, **changes)
        bad = [check for check in result["checks"] if check["level"] == "failed"]
        return bad, result, world

    return go


def test_all_classes_of_both_policies_in_a_few_seconds(route):
    begin = time.monotonic()
    bad, result, world = route()
    assert bad == [] and result["notes"] == []
    assert time.monotonic() - begin < 5
    rows = result["classes"]
    assert [row["class"] for row in rows if row["class"]] == [name for names in CLASSES.values() for name in names]
    assert all(row["ok"] and row["chosen"] == row["class"] for row in rows if row["strategy"] == "manual")
    assert all(row["answered_by"] == row["model"] for row in rows)
    assert {row["policy"]: row["chosen"] for row in rows if not row["class"]} == {
        "task_router": "Unknown",
        "complexity_router": "Constraint",
    }
    assert world.connections["router"] <= policies.LINES
    assert any(
        text.startswith("Service llm-router/llm-router-router-controller port 8084 (") for text in result["endpoints"]
    )


def test_another_configuration_is_live(route):
    def reordered(world):
        llms = world.policies[0]["llms"]
        llms[3], llms[4] = llms[4], llms[3]

    bad, result, _world = route(reordered)
    assert [check["name"] for check in bad] == ["config"]
    assert "class 4 is Code Generation, expected Closed QA; the position counts" in bad[0]["detail"]
    assert "restart its Deployment" in bad[0]["hint"]
    assert "0 of 21 requests through router llm-router did not pass" in result["failure"]


def test_a_class_that_is_missing(route):
    def shorter(world):
        del world.policies[1]["llms"][2]

    bad, result, _world = route(shorter)
    assert {check["name"] for check in bad} == {"config", "classes", "classifier"}
    texts = {check["name"]: check for check in bad}
    assert "complexity_router: Contextual-Knowledge missing" in texts["config"]["detail"]
    assert "404" in texts["classes"]["detail"] and "does not know the policy, or the class" in texts["classes"]["hint"]
    assert "closed the connection without an answer" in texts["classifier"]["detail"]
    assert "the position counts" in texts["classifier"]["hint"]
    assert sum(not row["ok"] for row in result["classes"]) == 2


def test_another_model_answers_for_a_class(route):
    def swapped(world):
        world.policies[0]["llms"][0]["model"] = "org/b"

    bad, _result, _world = route(swapped)
    assert {check["name"] for check in bad} == {"config", "classes"}
    detail = next(check["detail"] for check in bad if check["name"] == "classes")
    assert "1 of 12 classes (Brainstorming)" in detail and "from model 'org/b', not 'org/a'" in detail


@pytest.mark.parametrize(
    ("base", "hint"),
    [
        (
            "http://vllm-frontend-frontend.elsewhere.svc:8000",
            "Service vllm-frontend-frontend of namespace elsewhere, which does not",
        ),
        (
            "http://vllm-frontend-frontend.dynamo:80",
            "uses port 80 of Service dynamo/vllm-frontend-frontend, which has 8000",
        ),
        ("https://example.com", "api_base https://example.com must be reachable"),
    ],
)
def test_a_model_that_cannot_be_reached_closes_the_connection(route, base, hint):
    wanted = policies_of([Model(name) for name in MODELS], base)

    def elsewhere(world):
        world.policies = copy.deepcopy(wanted)
        world.down = {base}

    bad, result, _world = route(elsewhere, policies_wanted=wanted)
    assert [check["name"] for check in bad] == ["classes", "classifier"] * 2
    assert "12 of 12 classes (Brainstorming, Chatbot" in bad[0]["detail"]
    assert "the controller closed the connection without an answer" in bad[0]["detail"]
    assert hint in bad[0]["hint"]
    assert all(row["status"] == 0 for row in result["classes"])


def test_v1_in_api_base(route):
    wanted = policies_of([Model(name) for name in MODELS], f"{BASE}/v1")

    def doubled(world):
        world.policies = copy.deepcopy(wanted)

    bad, _result, _world = route(doubled, policies_wanted=wanted)
    assert "Remove /v1 from api_base" in bad[0]["hint"] and "failed: 404" in bad[0]["detail"]


def test_a_model_that_the_frontend_does_not_serve(route):
    wanted = policies_of([Model("a"), Model("absent")])

    def absent(world):
        world.policies = copy.deepcopy(wanted)

    bad, _result, _world = route(absent, policies_wanted=wanted)
    assert "6 of 12 classes" in bad[0]["detail"]
    assert "The frontend does not serve org/absent" in bad[0]["hint"]


def test_the_classifier_does_not_answer(route):
    def down(world):
        world.triton = "down"

    bad, _result, _world = route(down)
    assert [check["name"] for check in bad] == ["classifier", "classifier"]
    assert "503 Triton server is unreachable" in bad[0]["detail"]
    assert "uses Service llm-router-router-server of namespace llm-router, which does not exist" in bad[0]["hint"]


def test_a_policy_that_the_controller_does_not_have(route):
    def one(world):
        del world.policies[0]

    bad, _result, _world = route(one)
    assert "policy task_router is missing (available: complexity_router)" in bad[0]["detail"]
    assert {check["name"] for check in bad} == {"config", "classes", "classifier"}


def test_a_key_that_is_shown(route):
    def shown(world):
        world.policies[0]["llms"][0]["api_key"] = "sk-secret"

    bad, result, _world = route(shown)
    assert [check["name"] for check in bad] == ["config"] and "shows the api_key of 1 model" in bad[0]["detail"]
    assert "sk-secret" not in str(result)


def test_a_configuration_that_the_stack_does_not_know_is_taken_as_it_is(route):
    bad, result, _world = route(policies_wanted=[])
    assert bad == [] and len(result["classes"]) == 21


def test_no_router_is_there(route):
    bad, result, _world = route(gone=["Service"], front=False)
    assert [check["name"] for check in bad] == ["router"] and "does not exist" in bad[0]["detail"]
    assert len(result["classes"]) == 21 and not any(row["ok"] for row in result["classes"])


def test_a_router_without_a_ready_pod(route):
    bad, _result, _world = route(unready=["router"], front=False)
    assert "has no ready pod behind it" in bad[0]["detail"] and "api_key" in bad[0]["hint"]


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://name:8000/x", ("name", "here", 8000)),
        ("http://name.space", ("name", "space", 80)),
        ("http://name.space.svc:8000", ("name", "space", 8000)),
        ("http://name.space.svc.cluster.local:8000", ("name", "space", 8000)),
        ("https://integrate.api.nvidia.com", None),
        ("http://10.0.0.1:8000", None),
        ("http://name:port", None),
        ("", None),
    ],
)
def test_services_of_urls(url, place):
    assert service_of(url, "here") == place


def llm(name, **changes):
    return {"name": name, "api_base": "http://x:8000", "model": "m", **changes}


@pytest.mark.parametrize(
    ("wanted", "live", "found"),
    [
        ([llm("A")], [llm("A")], []),
        ([llm("A", api_base="${BASE}")], [llm("A", api_base="http://y")], []),
        (
            [llm("A", api_base="${BASE}/x")],
            [llm("A", api_base="http://y")],
            ["p: api_base of A is http://y, expected ${BASE}/x"],
        ),
        ([llm("A"), llm("A")], [llm("A")], ["p: class 2 is none, expected A; the position counts, not the name"]),
        ([llm("A")], [llm("A"), llm("B")], ["p: class 2 is B, expected none; the position counts, not the name"]),
        ([llm("A"), llm("B")], [llm("B")], ["p: A missing, which shifts the later classes"]),
        ([llm("A", model="n")], [llm("A")], ["p: model of A is m, expected n"]),
    ],
)
def test_differences(wanted, live, found):
    assert differences([{"name": "p", "llms": wanted}], [{"name": "p", "llms": live}]) == found


def test_a_url_that_differs_and_a_policy_too_many():
    live = [{"name": "p", "url": "http://a", "llms": []}, {"name": "q", "llms": []}]
    found = differences([{"name": "p", "url": "http://b", "llms": []}], live)
    assert found == ["p: url is http://a, expected http://b", "policy q is unexpected"]


def test_a_variable_that_was_not_filled_in():
    assert "${DYNAMO_API_BASE}" in config_hint([{"llms": [llm("A", api_base="${DYNAMO_API_BASE}")]}])
