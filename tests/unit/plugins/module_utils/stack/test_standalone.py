# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A router that stands alone: no Gateway, no HTTPRoute, a Service that lets requests in; a chart that is another."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.checks import check_kinds, needed_kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.facts import read_charts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings

from stack.test_resolve import CLASSES, model, params

ALONE, GATEWAY = "llm-d-router-standalone", "llm-d-router-gateway"


def stack_of(models, chart=ALONE, gaie=None, **more):
    findings = Findings()
    given = checked_settings(params(models, gaie={"chart": chart, **(gaie or {})}, **more), findings)
    stack = resolve(given, Facts(classes=CLASSES))
    return stack, [(found.where, found.rule, found.severity) for found in [*findings, *stack.findings]]


def router(**values):
    return {"values": {"router": values}}


def test_neither_gateway_nor_route_is_planned_or_needed():
    stack, found = stack_of([model()])
    assert found == []
    assert {part.component for part in stack.parts()} == {"modelservice", "gaie", "prepare"}
    assert {need.kind for need in needed_kinds(stack)} == {"InferencePool"}
    told = as_result(stack)
    assert told["gateway"]["name"] == ""
    assert told["routes"] == []
    assert [row["service"] for row in told["models"]] == ["gaie-a-epp"]


@pytest.mark.parametrize(
    ("values", "service", "served"),
    [
        ({}, "gaie-a-epp", ["gaie-a", "gaie-a-epp"]),
        ({"proxy": {"mode": "service"}}, "gaie-a-proxy", ["gaie-a", "gaie-a-epp", "gaie-a-proxy"]),
        ({"inferencePool": {"create": False}}, "gaie-a-epp", ["gaie-a-epp"]),
    ],
)
def test_what_a_release_makes(values, service, served):
    stack, found = stack_of([model(pool=router(**values))])
    assert found == []
    pools = stack.components["gaie"]
    assert [row["service"] for row in pools.tells()["pools"]] == [service]
    assert [item["metadata"]["name"] for item in pools.serves()] == served
    assert ("InferencePool" in {need.kind for need in needed_kinds(stack)}) is ("gaie-a" in served)


@pytest.mark.parametrize(("chart", "release"), [("inferencepool", "v1.3.0"), (ALONE, "v1.5.0")])
def test_the_release_of_the_definitions_is_the_one_of_the_chart(chart, release):
    stack, _found = stack_of([model()], chart)
    findings = Findings()
    check_kinds(needed_kinds(stack), lambda _api, kind: kind != "InferencePool", findings)
    assert [one.hint.rpartition(" ")[2] for one in findings] == [release]


def test_with_a_gateway_no_service_of_the_router_is_asked():
    stack, found = stack_of([model()], GATEWAY)
    assert found == []
    assert [row["service"] for row in as_result(stack)["models"]] == [""]
    assert {part.component for part in stack.parts()} == {"modelservice", "gaie", "gateway", "httproute", "prepare"}


@pytest.mark.parametrize(
    ("models", "more", "expected"),
    [
        ([model(route={"path_prefix": "/a"})], {}, ("llm_d_models[0].route", "input-no-gateway", "warning")),
        (
            [model()],
            {"httproute": {"routes": [{"name": "r", "pool": "p"}]}},
            ("httproute_routes", "input-no-gateway", "error"),
        ),
        ([model()], {"gateway": {"values": {"gateway": {}}}}, ("gateway_values", "input-no-gateway", "warning")),
    ],
)
def test_variables_of_a_gateway_that_do_nothing(models, more, expected):
    assert stack_of(models, **more)[1] == [expected]
    assert expected not in stack_of(models, GATEWAY, **more)[1]


@pytest.mark.parametrize("create", [True, False])
def test_the_route_is_the_charts_or_ours(create):
    pool = {"values": {"router": {}, "httpRoute": {"create": create}}}
    stack, found = stack_of([model(pool=pool)], GATEWAY)
    assert found == []
    assert len(stack.components["httproute"].routes) == (not create)


def test_a_route_beside_the_charts_own_is_named():
    pool = {"values": {"httpRoute": {"create": True}}}
    _stack, found = stack_of([model(pool=pool, route={"name": "mine"})], GATEWAY)
    assert found == [("llm_d_models[0].route", "input-route-twice", "error")]
    routes = {"routes": [{"name": "mine", "pool": "gaie-a"}]}
    _stack, found = stack_of([model(pool=pool)], GATEWAY, httproute=routes)
    assert found == [("httproute_routes[0]", "input-route-twice", "error")]


@pytest.mark.parametrize(
    ("said", "name", "known"),
    [
        (GATEWAY, ALONE, ALONE),
        ("inferencepool", f"{ALONE}-dev", ALONE),
        (ALONE, GATEWAY, GATEWAY),
        (ALONE, ALONE, None),
        (ALONE, "a-fork", None),
    ],
)
def test_a_chart_that_is_another_is_named_with_the_value_to_write(tmp_path, said, name, known):
    (tmp_path / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.0.0\n")
    findings, facts = Findings(), Facts()
    given = checked_settings(params([model()], gaie={"chart": said, "chart_ref": str(tmp_path)}), findings)
    sections = {"gaie": given["components"]["gaie"]}
    read_charts(given, facts, sections, {"cache_dir": str(tmp_path)}, findings)
    assert [(one.where, one.rule, one.hint) for one in findings] == (
        [("gaie_chart", "input-other-chart", f"set gaie_chart: {known}")] if known else []
    )
    assert given["components"]["gaie"]["chart"] == (known or said)
