# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.pools import Check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.http import HttpReply
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.prober import read_answer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.verify.verdict import (
    Answer,
    Round,
    failure_lines,
    has_moved,
    is_final,
    judge_answer,
    judge_prefill,
    judge_served,
    plan_rounds,
    prompt_for,
    read_counters,
    split_findings,
)
from ansible_collections.llm_d.orchestrator.plugins.modules.serving_info import has_pool, stack_spec


@pytest.mark.parametrize(("count", "rounds"), [(0, 0), (1, 1), (2, 2), (3, 2), (8, 4), (15, 4)])
def test_rounds_tell_any_two_models_apart(count, rounds):
    names = [f"m{number}" for number in range(count)]
    plan = plan_rounds(names)
    assert len(plan) == rounds
    parts = {name: tuple(name in asked for asked in plan) for name in names}
    assert all(any(part) for part in parts.values())
    assert all(parts[a] != parts[b] for a, b in itertools.combinations(names, 2))


METRICS = """# TYPE vllm:request_success_total counter
vllm:request_success_total{finished_reason="stop",model_name="a b}c"} 3.0
vllm:request_success_total{finished_reason="length",model_name="x"} 1e1
vllm:request_success_created{model_name="x"} 1.7e9
vllm:prompt_tokens_total 42 1700000000
go_goroutines 7
"""


def test_counters():
    assert read_counters(METRICS) == {"vllm:request_success_total": 13.0, "vllm:prompt_tokens_total": 42.0}
    assert read_counters("<html>") == {}


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [({"a": 1}, {"a": 1}, False), ({"a": 1}, {"a": 2}, True), ({}, {"a": 1}, True), ({"a": 5}, {"a": 1}, False)],
)
def test_movement(before, after, moved):
    assert has_moved(before, after) is moved


OWNERS = {"pa": {"a"}, "pb": {"b"}, "px": set()}


@pytest.mark.parametrize(
    ("moved", "blind", "ok", "claim", "text"),
    [
        ({"pa": True}, set(), True, False, "served by pa"),
        ({"pa": True, "pb": True}, set(), True, False, "served by pa"),
        ({"pb": True}, set(), False, False, "those of another did: pb (model b)"),
        ({"px": True}, set(), False, False, "those of another did: px"),
        ({}, set(), False, False, "did not move"),
        ({}, {"pa"}, False, True, "cannot tell which pod served"),
    ],
)
def test_which_pod_served(moved, blind, ok, claim, text):
    check = judge_served("a", [Round({"b"}, {"pb": True}, set()), Round({"a"}, moved, blind)], OWNERS)
    assert (check.ok, check.claim) == (ok, claim) and text in check.detail


@pytest.mark.parametrize(
    ("moved", "blind", "ok", "claim"),
    [({"p0": True}, set(), True, False), ({}, set(), False, False), ({}, {"p0", "p1"}, False, True)],
)
def test_prefill(moved, blind, ok, claim):
    check = judge_prefill("a", [Round({"a"}, moved, blind)], {"p0", "p1"}, 3)
    assert (check.ok, check.claim) == (ok, claim)
    assert judge_prefill("a", [], set(), 3) is None


@pytest.mark.parametrize(
    ("answer", "route_ok", "final"),
    [
        (Answer(200), True, True),
        (Answer(503), True, False),
        (Answer(429), True, False),
        (Answer(400, is_json=True), True, True),
        (Answer(404, is_json=True), True, True),
        (Answer(404), True, False),
        (Answer(404), False, True),
        (Answer(500), True, False),
        (Answer(500, is_json=True), True, True),
        (Answer(0, transient=True), True, False),
        (Answer(0, transient=False), True, True),
    ],
)
def test_what_is_worth_asking_again(answer, route_ok, final):
    assert is_final(answer, route_ok) is final


BROKEN = [Check("a", "selector", False, "x"), Check("a", "ports", False, "y")]


@pytest.mark.parametrize(
    ("answer", "checks", "detail", "hint"),
    [
        (Answer(200, "m"), [], "200 from", ""),
        (Answer(200, "other", text="hi"), [], "200 from model 'other': hi", "refers to this model's pool"),
        (Answer(404, is_json=True, text="no", offered=["q"]), [], "404 no", "serve: q"),
        (Answer(404), [], "404 (empty body)", "No route matched the request"),
        (Answer(503, text="z" * 999, attempts=4, waited=9.0), BROKEN, "(4 attempts in 9 s)", "selector, ports below"),
        (Answer(401), [], "401", "credentials"),
        (Answer(0, error="refused"), [], "failed: refused", "logs"),
    ],
)
def test_completions(answer, checks, detail, hint):
    check = judge_answer({"name": "a", "model": "m"}, answer, checks)
    assert check.ok is (not hint) and detail in check.detail and hint in check.hint
    assert len(check.detail) < 500


def test_claims_only_warn_where_the_model_is_served():
    claim, fact = Check("a", "gateway", False, "Programmed=False", claim=True), Check("a", "pods", False, "0 of 1")
    served, not_served = Check("a", "completion", True, ""), Check("a", "completion", False, "503", "Look.")
    assert split_findings([claim, fact, served]) == ([fact], ["Model a is served, although Programmed=False."])
    failures, notes = split_findings([claim, not_served])
    assert failures == [claim, not_served] and notes == []
    assert failure_lines(failures)[0] == "a: completion: 503\n    What to do: Look."


def test_prompts_differ_and_are_long_for_prefill():
    assert prompt_for("x", "1", False) == "1 x"
    assert 150 < len(prompt_for("x", "2", True).split()) < 300


@pytest.mark.parametrize(
    ("body", "model", "text", "is_json"),
    [
        (b'{"model": "m", "choices": [{"text": " hi"}]}', "m", " hi", True),
        (b'{"model": "m", "choices": [{"message": {"content": "yo"}}]}', "m", "yo", True),
        (b'data: {"model": "m", "choices": [{"text": "a"}]}\n\ndata: [DONE]\n\n', "m", "a", True),
        (b'data: {"model": "m", "choices": [{"text": "a"}]}\n\n', None, None, False),
        (b'{"model": "m", "choices": []}', "m", None, True),
        (b"[1]", None, "[1]", False),
        (b"no healthy upstream", None, "no healthy upstream", False),
    ],
)
def test_reading_answers(body, model, text, is_json):
    answer = Answer(0)
    read_answer(answer, HttpReply(200, body, {}, 0.1, 0.05))
    assert (answer.status, answer.model, answer.is_json) == (200, model, is_json)
    assert text is None or answer.text == text


def test_models_of_a_stack():
    told = {"name": "a", "model": "org/a", "pool": "gaie-a", "labels": {"x": "y"}, "path_prefix": "/a", "service": ""}
    model = {**told, "port": 8000}
    assert stack_spec({**model, "hostnames": ["h", "i"]}) == {
        "name": "a", "model": "org/a", "pool": "gaie-a", "labels": {"x": "y"}, "path_prefix": "/a", "hostname": "h",
        "service": "",
    }  # fmt: skip
    assert stack_spec(model)["hostname"] is None
    assert has_pool(model) and not has_pool({"name": "b", "pool": None})
