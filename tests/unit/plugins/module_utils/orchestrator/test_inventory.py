# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes put into sound inventories, one at a time: each is named with its group, host or variable."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.inventory import (
    RULES,
    Inventory,
    inventory_findings,
)

DISTRIBUTED: dict[str, list[str]] = {
    "orchestrator_lb": ["m1", "m2"],
    "orchestrator_api": ["m4", "m5", "m6"],
    "orchestrator_worker": ["m4", "m5"],
    "orchestrator_nats": ["m1", "m2", "m3"],
    "orchestrator_redis": ["m1", "m2", "m3"],
    "orchestrator_postgres": ["m1", "m2", "m3"],
    "orchestrator_etcd": ["m1", "m2", "m3"],
    "others": ["x"],
}
ADDRESS = {"orchestrator_proxy_virtual_address": "10.0.0.9"}
SINGLE = {"orchestrator_single": ["m1"]}
EDGE = {**DISTRIBUTED, "orchestrator_edge": ["e1", "e2"]}
SMALL = {"llm_orchestrator_mode": "auto", "llm_orchestrator_workload": {"workflows_per_day": 50}}
LARGE = {"llm_orchestrator_mode": "auto", "llm_orchestrator_workload": {"workflows_per_day": 5000}}
URLS = {"DATABASE_URL": "", "REDIS_URL": "", "NATS_URL": ""}


def told(
    groups: dict[str, list[str]], variables: dict[str, t.Any] | None = None, **more: t.Any
) -> list[tuple[str, str]]:
    found = inventory_findings(Inventory(groups, variables or {}, **more))
    assert all(finding.hint and finding.text() for finding in found)
    return [(finding.rule, finding.path) for finding in found]


def test_sound_inventories_get_no_finding() -> None:
    assert told(DISTRIBUTED, ADDRESS) == []
    assert told(EDGE, {**ADDRESS, "llm_orchestrator_mode": "hybrid"}) == []
    assert told(SINGLE) == told(SINGLE, {"llm_orchestrator_mode": "single"}) == told(SINGLE, SMALL) == []
    assert told(DISTRIBUTED, {**ADDRESS, **LARGE}) == []
    managed = {"orchestrator_api": ["a"], "orchestrator_worker": ["a"]}
    assert told(managed, {"orchestrator_secrets": URLS}) == []


MUTATIONS: list[tuple[dict[str, list[str]], dict[str, t.Any], str, str]] = [
    ({"orchestrator_workers": ["m6"]}, {}, "LLMD970", "orchestrator_workers"),
    ({"orchestrator_database": ["m6"]}, {}, "LLMD970", "orchestrator_database"),
    ({"orchestrator_etcd": ["m1", "m2"]}, {}, "LLMD971", "orchestrator_etcd"),
    ({"orchestrator_nats": ["m1", "m2"]}, {}, "LLMD972", "orchestrator_nats"),
    ({"orchestrator_nats": ["m1", "m2", "m3", "m4"]}, {}, "LLMD972", "orchestrator_nats"),
    ({"orchestrator_redis": ["m1", "m2"]}, {}, "LLMD973", "orchestrator_redis"),
    ({"orchestrator_etcd": []}, {}, "LLMD974", "orchestrator_etcd"),
    ({"orchestrator_postgres": ["m1"]}, {}, "LLMD974", "orchestrator_etcd"),
    ({"orchestrator_postgres": [], "orchestrator_etcd": []}, {}, "LLMD975", "orchestrator_postgres"),
    ({"orchestrator_redis": []}, {}, "LLMD975", "orchestrator_redis"),
    ({"orchestrator_nats": []}, {}, "LLMD975", "orchestrator_nats"),
    ({"orchestrator_worker": []}, {}, "LLMD976", "orchestrator_worker"),
    ({"orchestrator_api": [], "orchestrator_lb": []}, {}, "LLMD976", "orchestrator_api"),
    ({"orchestrator_lb": []}, {}, "LLMD977", "orchestrator_lb"),
    ({"orchestrator_lb": ["m1"]}, ADDRESS, "LLMD977", "orchestrator_proxy_virtual_address"),
    ({"orchestrator_lb": ["m1", "m2"]}, {}, "LLMD977", "orchestrator_lb"),
    ({"orchestrator_single": ["m4"]}, ADDRESS, "LLMD978", "m4"),
    ({"orchestrator_edge": ["m5"]}, ADDRESS, "LLMD978", "m5"),
    ({}, {**ADDRESS, "llm_orchestrator_mode": "distribted"}, "LLMD981", "llm_orchestrator_mode"),
    ({}, {**ADDRESS, "llm_orchestrator_mode": "hybrid"}, "LLMD981", "llm_orchestrator_mode"),
    ({}, {**ADDRESS, "llm_orchestrator_mode": "single"}, "LLMD981", "llm_orchestrator_mode"),
    ({}, {**ADDRESS, "llm_orchestrator_mode": "kubernetes"}, "LLMD981", "llm_orchestrator_mode"),
    (
        {"orchestrator_edge": ["e1"]},
        {**ADDRESS, "llm_orchestrator_mode": "distributed"},
        "LLMD981",
        "llm_orchestrator_mode",
    ),
    (
        {"orchestrator_single": ["s1"]},
        {**ADDRESS, "llm_orchestrator_mode": "distributed"},
        "LLMD981",
        "llm_orchestrator_mode",
    ),
    ({}, {**ADDRESS, **SMALL}, "LLMD981", "llm_orchestrator_mode"),
    ({}, {**ADDRESS, "llm_orchestrator_mode": "auto"}, "LLMD981", "llm_orchestrator_workload"),
]


@pytest.mark.parametrize(("groups", "variables", "rule", "path"), MUTATIONS)
def test_a_mistake_of_groups_is_named(
    groups: dict[str, list[str]], variables: dict[str, t.Any], rule: str, path: str
) -> None:
    given = {**({} if "orchestrator_lb" in groups else ADDRESS), **variables}
    assert told({**DISTRIBUTED, **groups}, given) == [(rule, path)]


@pytest.mark.parametrize(
    ("groups", "variables", "rule", "path"),
    [
        ({"orchestrator_edge": ["e1"]}, {}, "LLMD980", "orchestrator_nats"),
        ({}, {"llm_orchestrator_mode": "compose"}, "LLMD981", "llm_orchestrator_mode"),
        ({}, {}, "LLMD982", "inventory"),
        ({"others": ["x"]}, {}, "LLMD982", "inventory"),
    ],
)
def test_a_mistake_of_other_inventories_is_named(
    groups: dict[str, list[str]], variables: dict[str, t.Any], rule: str, path: str
) -> None:
    assert (rule, path) in told(groups, variables)


def test_two_names_of_one_machine_are_named_once_a_group() -> None:
    twins = told(DISTRIBUTED, ADDRESS, addresses={"m2": "10.0.0.1", "m3": "10.0.0.1"})
    assert twins == [("LLMD979", "m3")] * 4


def test_a_rule_that_is_accepted_is_a_warning() -> None:
    groups = {**DISTRIBUTED, "orchestrator_nats": ["m1", "m2"]}
    found = inventory_findings(Inventory(groups, ADDRESS, file="hosts.yml"), ["LLMD972"])
    assert [(one.severity, one.mark.file) for one in found] == [("warning", "hosts.yml")]


def test_every_rule_of_inventories_is_seen_to_work() -> None:
    seen = {rule for *_rest, rule, _path in MUTATIONS} | {"LLMD979", "LLMD980", "LLMD982"}
    assert {rule.id for rule in RULES} == seen


def test_another_mode_is_named_with_what_to_do() -> None:
    def line(groups: dict[str, list[str]], **variables: t.Any) -> str:
        (found,) = inventory_findings(Inventory(groups, {**ADDRESS, **variables}))
        return found.text()

    assert line(DISTRIBUTED, llm_orchestrator_mode="single") == (
        "LLMD981 llm_orchestrator_mode: is single, but no host is in orchestrator_single -> "
        "set it to distributed, or move hosts to orchestrator_single"
    )
    assert line({**DISTRIBUTED, "orchestrator_single": ["s1"]}, llm_orchestrator_mode="distributed") == (
        "LLMD981 llm_orchestrator_mode: is distributed, but there are hosts in orchestrator_single -> "
        "empty orchestrator_single, or do not set llm_orchestrator_mode"
    )
    assert "is auto, which chooses single (50 workflows a day are fewer than 100), but" in line(DISTRIBUTED, **SMALL)
