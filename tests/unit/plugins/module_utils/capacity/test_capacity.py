# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Quantities, what pods ask for, what is free on nodes, and placing: tables, laws, and speed."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.quantities import exact, parse, shown
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.fit import fit
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.nodes import (
    ClusterNode,
    expression_holds,
    held,
    occupied,
    tolerates,
    trimmed_node,
    trimmed_pod,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.place import Batch, place
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.pods import need_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.quota import plural
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.world import GPU, deployment, findings, model, node, pod, spec

QUANTITIES = [
    ("1", 1000), ("500m", 500), ("1.5", 1500), ("0.1", 100), ("1n", 1), ("100u", 1), ("1k", 10**6),
    ("2Gi", 2**31 * 1000),
    ("1e3", 10**6), ("1E3", 10**6), ("1E", 10**21), (".5", 500), ("5.", 5000), (8, 8000), (0.5, 500), ("-1", -1000),
    ("+2", 2000), ("1Ki", 1024000), (True, None), ("", None), ("1 Gi", None), ("x", None), ("1e9999", None),
    (None, None),
    ("1KI", None), ("0x10", None), ([], None), ("9" * 70, None), ("1Ei", 2**60 * 1000),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), QUANTITIES)
def test_quantities_are_read_as_the_api_reads_them(text: Any, number: int | None) -> None:
    assert parse(text) == number


@given(st.integers(min_value=-(10**24), max_value=10**24), st.sampled_from(["cpu", "memory", GPU, "requests.storage"]))
def test_what_is_written_is_read_again(number: int, name: str) -> None:
    assert parse(exact(name, number)) == number


@given(st.integers(min_value=0, max_value=10**21))
def test_what_is_shown_is_near_and_not_more(number: int) -> None:
    read = parse(shown("memory", number)) or 0
    assert read <= number
    assert math.isclose(read, number, rel_tol=0.1, abs_tol=1000)


SHOWN = [
    ("memory", 1023315, "1023.315"),
    ("memory", 64 * 2**30 * 1000, "64Gi"),
    ("memory", 1500 * 2**20 * 1000, "1.4Gi"),
    ("cpu", 1500, "1500m"),
    (GPU, 8000, "8"),
    ("ephemeral-storage", 0, "0"),
]


@pytest.mark.parametrize(("name", "number", "text"), SHOWN)
def test_amounts_are_shown_for_readers(name: str, number: int, text: str) -> None:
    assert shown(name, number) == text


def _container(cpu: str, **more: Any) -> dict[str, Any]:
    return {"name": "c", "resources": {"requests": {"cpu": cpu}}, **more}


ALWAYS = {"restartPolicy": "Always"}
# pod spec, cores in thousandths
REQUESTS: list[tuple[dict[str, Any], int]] = [
    ({"containers": [_container("1"), _container("500m")]}, 1500),
    ({"containers": [_container("1")], "initContainers": [_container("3"), _container("2")]}, 3000),
    ({"containers": [_container("1")], "initContainers": [_container("2", restartPolicy="Always")]}, 3000),
    ({"containers": [_container("1")], "initContainers": [_container("2", **ALWAYS), _container("3")]}, 5000),
    ({"containers": [_container("1")], "initContainers": [_container("3"), _container("2", **ALWAYS)]}, 3000),
    ({"containers": [_container("1")], "overhead": {"cpu": "250m"}}, 1250),
    ({"containers": [_container("1")], "resources": {"requests": {"cpu": "4"}}}, 4000),
    ({"containers": [{"name": "c", "resources": {"limits": {"cpu": "2"}}}]}, 2000),
    ({"containers": [_container("1", resources={"limits": {"cpu": "2"}, "requests": {"cpu": "1"}})]}, 1000),
    ({"containers": "none", "initContainers": [None, 3]}, 0),
]  # fmt: skip


@pytest.mark.parametrize(("body", "cores"), REQUESTS)
def test_a_pod_asks_for_what_the_scheduler_counts(body: dict[str, Any], cores: int) -> None:
    assert need_of(body, {}, "demo").requests.get("cpu", 0) == cores


def test_classes_of_runtime_and_priority_are_applied() -> None:
    runtime = {"metadata": {"name": "kata"}, "overhead": {"podFixed": {"cpu": "250m"}}}
    runtime["scheduling"] = {"nodeSelector": {"kata": "yes"}, "tolerations": [{"operator": "Exists"}]}
    classes = [{"metadata": {"name": "usual"}, "value": 7, "globalDefault": True}]
    need = need_of({"containers": [_container("1")], "runtimeClassName": "kata"}, {}, "demo", (), classes, [runtime])
    assert (need.requests["cpu"], need.selector, need.priority, need.priority_class) == (
        1250,
        {"kata": "yes"},
        7,
        "usual",
    )
    assert tolerates(need, {"key": "any", "effect": "NoExecute"})


EXPRESSIONS = [
    ("In", ["a"], True), ("In", ["b"], False), ("NotIn", ["b"], True), ("NotIn", ["a"], False), ("Exists", None, True),
    ("DoesNotExist", None, False), ("Gt", ["1"], False), ("Near", ["a"], False),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "values", "holds"), EXPRESSIONS)
def test_operators_of_affinity(operator: str, values: list[str] | None, holds: bool) -> None:
    assert expression_holds({"key": "a"}, {"key": "key", "operator": operator, "values": values}) is holds
    absent = operator in ("NotIn", "DoesNotExist")
    assert expression_holds({}, {"key": "key", "operator": operator, "values": values}) is absent


NUMBERS = [("Gt", "4", True), ("Gt", "5", False), ("Lt", "6", True), ("Lt", "5", False), ("Gt", "x", False)]


@pytest.mark.parametrize(("operator", "value", "holds"), NUMBERS)
def test_operators_on_numbers(operator: str, value: str, holds: bool) -> None:
    assert expression_holds({"n": "5"}, {"key": "n", "operator": operator, "values": [value]}) is holds


TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
TOLERATIONS = [
    ({"key": "k", "operator": "Exists"}, True), ({"key": "k", "value": "v"}, True), ({"key": "k", "value": "w"}, False),
    ({"operator": "Exists"}, True), ({"key": "k", "operator": "Exists", "effect": "NoExecute"}, False),
    ({"key": "j", "operator": "Exists"}, False), ({}, False),
]  # fmt: skip


@pytest.mark.parametrize(("toleration", "holds"), TOLERATIONS)
def test_tolerations(toleration: dict[str, Any], holds: bool) -> None:
    assert tolerates(need_of({"tolerations": [toleration]}, {}, "demo"), TAINT) is holds


def test_kinds_have_their_plural() -> None:
    names = ["Deployment", "Gateway", "NetworkPolicy", "StorageClass", "HTTPRoute", "Ingress"]
    assert [plural(name) for name in names] == [
        "deployments", "gateways", "networkpolicies", "storageclasses", "httproutes", "ingresses",
    ]  # fmt: skip


def test_pods_are_known_by_their_workload() -> None:
    assert held(pod("x", "n", {}, owner="chat-decode")).owner == ("Deployment", "chat-decode")
    member = pod("y", "n", {}, labels={"leaderworkerset.sigs.k8s.io/name": "big"})
    assert held(member).owner == ("LeaderWorkerSet", "big")


def test_what_is_kept_of_an_object_says_the_same() -> None:
    bodies = [node("n", 8, taints=[TAINT])], [pod("x", "n", {GPU: "2", "cpu": "1"}, labels={"a": "b"})]
    whole, small = occupied(*bodies), occupied(map(trimmed_node, bodies[0]), map(trimmed_pod, bodies[1]))
    assert whole == small
    assert (small[0].free(GPU), small[0].free("cpu")) == (6000, 15000)


SIZES = st.tuples(st.integers(0, 8), st.integers(0, 16), st.integers(1, 5), st.integers(0, 3))
BATCHES = st.lists(SIZES, max_size=6)
NODES = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 32)), max_size=6)


def _nodes(sizes: list[tuple[int, int]], pods: list[tuple[int, int]] = ()) -> list[ClusterNode]:  # type: ignore[assignment]
    bodies = [node(f"n{i}", gpus, cpu=str(cpu)) for i, (gpus, cpu) in enumerate(sizes)]
    live = [pod(f"p{i}", f"n{i % max(1, len(sizes))}", {GPU: str(g), "cpu": str(c)}) for i, (g, c) in enumerate(pods)]
    return occupied(bodies, live)


def _batches(sizes: list[tuple[int, int, int, int]]) -> list[Batch]:
    found = []
    for index, (gpus, cpu, count, priority) in enumerate(sizes):
        need = need_of(spec({GPU: str(gpus), "cpu": str(cpu)}), {}, "demo")
        found.append(Batch(str(index), dataclasses.replace(need, priority=priority), count))
    return found


@settings(deadline=None)
@given(BATCHES, NODES, NODES)
def test_nothing_is_free_below_zero_nor_given_twice(sizes: list, nodes: list, pods: list) -> None:
    start = _nodes(nodes, pods)
    before = [dict(one.used) for one in start]
    _found, after = place(_batches(sizes), start)
    assert [one.used for one in start] == before
    for one, was in zip(after, before, strict=True):
        for name, value in one.allocatable.items():
            assert one.free(name) >= 0
            # Only pods that were there before may hold more than there is.
            assert one.used.get(name, 0) <= max(value, was.get(name, 0))


@settings(deadline=None)
@given(BATCHES, NODES, st.tuples(st.integers(0, 8), st.integers(0, 32)))
def test_one_more_node_never_makes_more_pods_wait(sizes: list, nodes: list, more: tuple[int, int]) -> None:
    few, _after = place(_batches(sizes), _nodes(nodes))
    many, _after = place(_batches(sizes), _nodes([*nodes, more]))
    assert sum(one.pending for one in many) <= sum(one.pending for one in few)


def test_a_large_cluster_is_quick() -> None:
    """1,000 nodes, 5,000 pods on them, 100 to be added by 20 workloads: 0.3 s where nothing else runs."""
    nodes = [node(f"n{i}", 8, labels={"pool": f"p{i % 10}"}) for i in range(1000)]
    pods = [pod(f"x{i}", f"n{i % 1000}", {GPU: "1", "cpu": "1"}, namespace=f"ns{i % 50}") for i in range(5000)]
    plan = [deployment(f"d{i}", spec({GPU: "2"}, nodeSelector={"pool": f"p{i % 10}"}), 5) for i in range(20)]
    found = model(plan, nodes, pods)
    begin = time.process_time()
    assert findings(found) == []
    assert time.process_time() - begin < 1.0


OLD = frozenset({("Deployment", "old", "demo")})


@pytest.mark.parametrize(
    ("gpus", "unwanted", "stuck", "first"),
    [(4, frozenset(), 1, False), (4, OLD, 0, True), (8, OLD, 0, False), (2, OLD, 1, False)],
)
def test_what_is_no_longer_wanted_goes_first_where_there_is_no_room_for_both(
    gpus: int, unwanted: frozenset, stuck: int, first: bool
) -> None:
    running = [pod("old-abc-1", "n1", {GPU: str(min(gpus, 4))}, owner="old")]
    found = model([deployment("new", spec({GPU: "4"}))], [node("n1", gpus)], running, unwanted=unwanted)
    assert (len(fit(found).stuck), fit(found).first) == (stuck, first)
    assert bool(findings(found)) is bool(stuck)
