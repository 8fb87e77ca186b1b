# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet import targets
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.targets import (
    allowed_failures,
    batches,
    mistakes,
    waves,
)


def kubeconfig(**servers):
    """A kubeconfig with a context for each server; the first one is current."""
    return {
        "current-context": next(iter(servers)),
        "contexts": [{"name": name, "context": {"cluster": name, "user": "u"}} for name in servers],
        "clusters": [{"name": name, "cluster": cluster} for name, cluster in servers.items()],
        "users": [{"name": "u", "user": {"token": "only-for-this-test"}}],
    }


EAST, WEST = {"server": "https://east:6443"}, {"server": "https://west:6443"}
BOTH = kubeconfig(east=EAST, west=WEST)


def hosts(one, two):
    return {"one": one, "two": two}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"llm_d_kubeconfig": BOTH, "llm_d_context": "east"}, {"llm_d_kubeconfig": BOTH, "llm_d_context": "west"}),
        ({"llm_d_kubeconfig": BOTH}, {"llm_d_kubeconfig": BOTH, "llm_d_context": "west"}),
        ({"llm_d_kubeconfig": BOTH, "llm_d_namespace": "a"}, {"llm_d_kubeconfig": BOTH, "llm_d_namespace": "b"}),
        ({"llm_d_api_host": "https://east:6443"}, {"llm_d_api_host": "https://west:6443"}),
        ({"llm_d_context": "east"}, {"llm_d_context": "west"}),
        ({"llm_d_kubeconfig": "/none/one"}, {"llm_d_kubeconfig": "/none/two"}),
        # Tunnels: one address, other clusters.
        ({"llm_d_kubeconfig": kubeconfig(a={**EAST, "proxy-url": "http://one"})},
         {"llm_d_kubeconfig": kubeconfig(a={**EAST, "proxy-url": "http://two"})}),
        ({"llm_d_kubeconfig": kubeconfig(a={**EAST, "tls-server-name": "one"})},
         {"llm_d_kubeconfig": kubeconfig(a={**EAST, "tls-server-name": "two"})}),
    ],
)  # fmt: skip
def test_clusters_of_their_own(one, two):
    assert mistakes(hosts(one, two)) == []


@pytest.mark.parametrize(
    ("one", "two", "where"),
    [
        ({}, {}, "the default credentials"),
        ({"llm_d_namespace": "llm-d"}, {}, "llm-d at the cluster"),
        ({"llm_d_kubeconfig": BOTH}, {"llm_d_kubeconfig": kubeconfig(other=EAST)}, "https://east:6443"),
        ({"llm_d_kubeconfig": BOTH}, {"llm_d_api_host": "https://east:6443/"}, "https://east:6443"),
        ({"llm_d_kubeconfig": "/none/one"}, {"llm_d_kubeconfig": "/none/one"}, "/none/one"),
        ({"llm_d_kubeconfig": "{: token-xyz"}, {"llm_d_kubeconfig": "{: token-xyz"}, "given by its content"),
    ],
)
def test_one_namespace_of_one_cluster_for_two_hosts(one, two, where):
    (line,) = mistakes(hosts(one, two))
    assert line.startswith("one, two are the same namespace of one cluster: ") and where in line
    assert "token" not in line


def test_a_kubeconfig_is_read_once_for_all_hosts(tmp_path, monkeypatch):
    path = tmp_path / "config"
    path.write_text(json.dumps(BOTH))
    reads = []
    monkeypatch.setattr(targets, "read_regular", lambda name, limit: reads.append(name) or (path.read_bytes(), 0))
    many = {f"c{index}": {"llm_d_kubeconfig": str(path), "llm_d_namespace": f"n{index}"} for index in range(20)}
    assert mistakes(many) == [] and reads == [str(path)]


def test_many_mistakes_are_counted():
    many = {f"c{index}": {"llm_d_namespace": f"n{index // 2}"} for index in range(100)}
    found = mistakes(many)
    assert len(found) == 21 and found[-1] == "And 30 more."


@pytest.mark.parametrize(
    ("one", "two", "lines"),
    [
        ({"llm_d_waves": [1, "25%"]}, {"llm_d_waves": [1, "25%"]}, []),
        ({"llm_d_waves": [1]}, {}, ["llm_d_waves differs: [1] for one; not set for two."]),
        ({"llm_d_waves": ["x"]}, {"llm_d_waves": ["x"]},
         ["llm_d_waves contains 'x', which is not a valid size of a wave."]),
        ({"llm_d_wave_failures": "x"}, {"llm_d_wave_failures": "x"}, ["llm_d_wave_failures is 'x'."]),
        ({"status_file": "/a"}, {"status_file": "/b"}, []),
        ({"status_file": ""}, {"status_file": ""}, []),
        ({"llm_d_findings_file": "/a"}, {"llm_d_findings_file": "/a"},
         ["one, two would write llm_d_findings_file to the same file, /a."]),
    ],
)  # fmt: skip
def test_what_is_the_same_or_must_be(one, two, lines):
    found = mistakes(hosts({"llm_d_namespace": "a", **one}, {"llm_d_namespace": "b", **two}))
    assert len(found) == len(lines)
    for line, start in zip(found, lines, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ("", []),
        ([], []),
        ([1, "25%", "100%"], [1, "25%", "100%"]),
        (3, [3]),
        ("3", [3]),
        ("25%", ["25%"]),
        (["25 %"], ["25%"]),
        ("1,25%,100%", [1, "25%", "100%"]),
        ("1 25% 100%", [1, "25%", "100%"]),
        ('[1, "25%", "100%"]', [1, "25%", "100%"]),
        ("[1, 25%, 100%]", [1, "25%", "100%"]),
        (["1", 2], [1, 2]),
    ],
)
def test_waves(value, expected):
    assert waves(value) == expected


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "many", ["101%"], ["0%"], ["%"], [1, None], {"a": 1}, ["2.5%"]])
def test_no_waves(value):
    with pytest.raises(OrchestratorError, match="llm_d_waves contains .* not a valid size of a wave") as caught:
        waves(value)
    assert '[1, "25%", "100%"]' in caught.value.hint


@pytest.mark.parametrize(("value", "expected"), [(0, 0), ("2", 2), (12, 12)])
def test_allowed_failures(value, expected):
    assert allowed_failures(value) == expected


@pytest.mark.parametrize("value", [-1, "", "10%", None, True, [1]])
def test_no_allowed_failures(value):
    with pytest.raises(OrchestratorError, match="llm_d_wave_failures"):
        allowed_failures(value)


@pytest.mark.parametrize(
    ("sizes", "count", "expected"),
    [
        ([], 4, [4]),
        ([1], 3, [1, 1, 1]),
        ([1, "25%", "100%"], 8, [1, 2, 5]),
        ([1, "25%"], 8, [1, 2, 2, 2, 1]),
        (["1%"], 3, [1, 1, 1]),
        ([10], 3, [3]),
        ([1], 0, []),
    ],
)
def test_batches(sizes, count, expected):
    hosts = [f"c{index}" for index in range(count)]
    found = batches(sizes, hosts)
    assert [len(batch) for batch in found] == expected
    assert [host for batch in found for host in batch] == hosts
