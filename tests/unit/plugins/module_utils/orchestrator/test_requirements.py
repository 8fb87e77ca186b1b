# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What hosts lack for what runs on them, by facts as Ansible gathers them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.requirements import Machine, shortfalls

GB = 1000**3


def facts(cpus: int = 16, memory: int = 64_000, disk: float = 1000, **more: t.Any) -> dict[str, t.Any]:
    return {
        "processor_vcpus": cpus,
        "memtotal_mb": memory,
        "mounts": [{"mount": "/", "size_total": disk * GB}],
        "default_ipv4": {"interface": "eth0"},
        "eth0": {"speed": 10_000},
        "distribution": "Debian",
        "distribution_version": "12.5",
        "os_family": "Debian",
        **more,
    }


def told(kinds: list[str], have: dict[str, t.Any], lowered: t.Any = None, postgresql: t.Any = None) -> list[str]:
    found = shortfalls({"m1": Machine(kinds, have, postgresql)}, lowered)
    return [f"{finding.rule}: {finding.message}" for finding in found]


@pytest.mark.parametrize(
    ("kinds", "have", "lacks"),
    [
        (["single"], facts(2, 3900, 20), []),
        (["single"], facts(1, 3900, 20), ["orchestrator-cpus: 1 CPUs, but 2 are required (single)"]),
        (["single"], facts(2, 2000, 20), ["orchestrator-memory: 2.1 GB of memory, but 4 GB is required (single)"]),
        (["edge"], facts(2, 3900, 10), ["orchestrator-disk: 10 GB on /, but 20 GB is required (edge)"]),
        (["api"], facts(4, 7900, 50), []),
        (["worker"], facts(4, 16_000, 100), ["orchestrator-cpus: 4 CPUs, but 8 are required (worker)"]),
        # What shares a host needs the sum.
        (["api", "worker"], facts(8, 24_000, 150), ["orchestrator-cpus: 8 CPUs, but 12 are required (api, worker)"]),
        (["etcd", "lb"], facts(1, 400, 4), []),
        (["postgres"], facts(4, 16_000, 400), ["orchestrator-disk: 400 GB on /, but 500 GB is required (postgres)"]),
        (
            ["nats", "redis"],
            facts(mounts=[{"mount": "/", "size_total": 60 * GB}, {"mount": "/var/lib/nats", "size_total": 90 * GB}]),
            [],
        ),
        (
            ["api"],
            facts(eth0={"speed": 100}),
            ["orchestrator-network: a network of 100 Mbit/s, but 1000 Mbit/s is required (api)"],
        ),
        (["api"], facts(eth0={"speed": -1}), []),
        (["api"], {}, ["orchestrator-facts: there are no facts"]),
        ([], facts(1, 100, 1), []),
    ],
)
def test_hosts_are_held_against_what_runs_on_them(kinds: list[str], have: dict[str, t.Any], lacks: list[str]) -> None:
    assert told(kinds, have) == lacks


@pytest.mark.parametrize(
    ("name", "version", "family", "right"),
    [
        ("Ubuntu", "22.04", "Debian", True),
        ("Ubuntu", "20.04", "Debian", False),
        ("Debian", "12", "Debian", True),
        ("Debian", "11.9", "Debian", False),
        ("RedHat", "8.10", "RedHat", True),
        ("Rocky", "9.4", "RedHat", True),
        ("CentOS", "7.9", "RedHat", False),
        ("openSUSE Leap", "15.6", "Suse", False),
        ("MacOSX", "14.1", "Darwin", False),
    ],
)
def test_the_system_is_one_of_those_that_the_guide_names(name: str, version: str, family: str, right: bool) -> None:
    have = facts(distribution=name, distribution_version=version, os_family=family)
    assert [text.partition(":")[0] for text in told(["single"], have)] == ([] if right else ["orchestrator-os"])
    assert told(["single"], have, {"os": "any"}) == []
    assert told(["cli"], facts(distribution="MacOSX", distribution_version="14.1", os_family="Darwin")) == []


def test_all_that_all_hosts_lack_comes_at_once() -> None:
    small = facts(1, 1000, 5)
    found = shortfalls({name: Machine(["api"], small) for name in ("b", "a")})
    assert [(one.mark.file, one.rule) for one in found] == [
        (host, f"orchestrator-{key}") for host in ("a", "b") for key in ("cpus", "memory", "disk")
    ]
    assert all("orchestrator_requirements" in one.hint for one in found)


def test_each_is_lowered_on_purpose() -> None:
    small = facts(1, 900, 4, eth0={"speed": 10}, distribution="Alpine", os_family="Alpine")
    lowered = {"cpus": 1, "memory": "512Mi", "disk": 0, "network": 10, "os": "any"}
    assert told(["api"], small, lowered) == []
    assert len(told(["api"], small, {**lowered, "cpus": 2})) == 1
    assert told(["api"], small, {**lowered, "cpus": 2, "api": {"cpus": 1}}) == []
    assert told(["postgres"], facts(), postgresql="13") == [
        "orchestrator-postgresql: PostgreSQL 13, but 14 or later is required (postgres)"
    ]
    assert told(["postgres"], facts(), {"postgresql": 13}, "13.4") == []


@pytest.mark.parametrize(
    ("lowered", "place", "said"),
    [
        ({"memmory": "1Gi"}, "orchestrator_requirements.memmory", "Did you mean memory?"),
        ({"memory": "little"}, "orchestrator_requirements.memory", "not a valid amount"),
        ({"cpus": "1Gi"}, "orchestrator_requirements.cpus", "not a valid amount"),
        ({"os": "Debian"}, "orchestrator_requirements.os", "not a valid choice"),
        ({"api": {"cpu": 1}}, "orchestrator_requirements.api.cpu", "Did you mean cpus?"),
    ],
)
def test_what_is_lowered_by_a_mistake_is_named(lowered: dict[str, t.Any], place: str, said: str) -> None:
    found = list(shortfalls({"m1": Machine(["api"], facts())}, lowered))
    assert [(one.mark.file, said in one.text()) for one in found] == [(place, True)]
