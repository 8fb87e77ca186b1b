# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Servers reach the stores that an inventory has, and requests go to what is in front."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator import stores


def inventory(virtual: str = "", **groups: list[str]) -> stores.HostGroups:
    hosts = {host for names in groups.values() for host in names}
    passwords = {"postgres": "p/q", "redis": "r", "nats": "n", "nats_edge": "e"}
    named = {f"orchestrator_{kind}": names for kind, names in groups.items()}
    return stores.HostGroups(named, {host: f"{host}.example" for host in hosts}, passwords, virtual)


def test_several_stores_are_named_with_all_their_hosts() -> None:
    found = stores.environment(inventory(postgres=["a", "b"], redis=["a", "b"], nats=["c", "d"]))
    assert found["DATABASE_URL"].startswith(
        "postgresql://orchestrator:p%2Fq@a.example:5432,b.example:5432/orchestrator?"
    )
    assert "target_session_attrs=read-write" in found["DATABASE_URL"]
    assert found["REDIS_URL"] == "rediss://:r@a.example:26379,b.example:26379/0?master=orchestrator"
    assert found["NATS_URL"] == "tls://orchestrator:n@c.example:4222,tls://orchestrator:n@d.example:4222"


def test_one_redis_has_no_sentinels() -> None:
    assert stores.environment(inventory(redis=["a"])) == {"REDIS_URL": "rediss://:r@a.example:6379/0"}


def test_an_edge_site_speaks_to_its_own_leaf_node() -> None:
    assert stores.edge_environment(inventory(nats=["a"], edge=["b"])) == {
        "NATS_URL": "tls://orchestrator:e@localhost:4222"
    }
    assert stores.edge_environment(inventory(edge=["b"])) == {}


@pytest.mark.parametrize(
    ("virtual", "groups", "expected"),
    [
        ("10.0.0.9", {"lb": ["a"], "api": ["b"]}, "https://10.0.0.9"),
        ("", {"lb": ["a"], "api": ["b"]}, "https://a.example"),
        ("", {"api": ["b"]}, "https://b.example:8080"),
        ("", {"single": ["c"]}, "https://c.example:8080"),
        ("::1", {"lb": ["a"]}, "https://[::1]"),
        ("", {"nats": ["a"]}, ""),
    ],
)
def test_requests_go_to_what_is_in_front(virtual: str, groups: dict[str, t.Any], expected: str) -> None:
    assert stores.endpoint(inventory(virtual, **groups)) == expected


def test_the_end_says_what_serves() -> None:
    lines = stores.said(inventory(lb=["a", "b"], api=["c"], worker=["c"]))
    assert lines[0] == "LLM-Orchestrator serves on 3 machines: 1 API server, 1 worker, 2 proxies."
    assert lines[1].startswith("curl --cacert /etc/orchestrator-tls/ca.crt https://a.example/")
