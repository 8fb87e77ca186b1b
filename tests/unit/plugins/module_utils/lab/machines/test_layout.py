# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Hosts, addresses and the files of a lab of machines."""

from __future__ import annotations

import ipaddress
import json
import pathlib
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines import layout
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.image import (
    Recipe,
    mmdebstrap,
    sources_of,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine import hierarchies

NETWORK = ipaddress.IPv4Network("10.213.7.0/24")
FOLDER = pathlib.Path("/state/try")
GIVEN: list[dict[str, t.Any]] = [
    {"name": "m1", "groups": ["api", "db"], "variables": {"zone": "a"}},
    {"name": "m2", "groups": ["api"]},
]
HOSTS = layout.hosts_of(GIVEN, NETWORK)


def test_addresses_follow_the_order() -> None:
    assert [one.address for one in HOSTS] == ["10.213.7.11", "10.213.7.12"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["M1"], "'M1' is not a valid name"),
        (["1m"], "'1m' is not a valid name"),
        (["m" * 21], f"'{'m' * 21}' is not a valid name"),
        (["m1", "m1"], "'m1' is there twice"),
        ([f"m{index}" for index in range(65)], "65 machines are more than 64"),
    ],
)
def test_machines_that_cannot_be_made(names: list[str], said: str) -> None:
    with pytest.raises(OrchestratorError) as failed:
        layout.hosts_of([{"name": name} for name in names], NETWORK)
    assert failed.value.details == [said]


def test_a_network_that_is_taken_is_passed_over() -> None:
    first = layout.choose_network("try", [])
    assert layout.choose_network("try", []) == first
    assert layout.choose_network("try", [first]) != first
    with pytest.raises(OrchestratorError, match="no free network"):
        layout.choose_network("try", [ipaddress.IPv4Network("10.0.0.0/8")])


def test_networks_of_routes() -> None:
    routes = [{"dst": "default"}, {"dst": "10.213.7.0/24"}, {"dst": "10.1.2.3"}, {"type": "local"}]
    assert [str(one) for one in layout.networks_in(routes)] == ["10.213.7.0/24", "10.1.2.3/32"]


def test_the_cables_name_fits_the_kernel() -> None:
    assert len(layout.cable("a" * 20)) <= 15
    assert layout.cable("a") != layout.cable("b")


def test_the_inventory_has_groups_variables_and_the_key() -> None:
    children = json.loads(layout.inventory(FOLDER, HOSTS, NETWORK))["all"]["children"]
    assert children["lab_machines"]["hosts"]["m1"] == {"ansible_host": "10.213.7.11", "zone": "a"}
    assert {name: sorted(group["hosts"]) for name, group in children.items()} == {
        "lab_machines": ["m1", "m2"],
        "api": ["m1", "m2"],
        "db": ["m1"],
    }
    shared = children["lab_machines"]["vars"]
    assert shared["ansible_ssh_private_key_file"] == "/state/try/id_ed25519"
    assert "UserKnownHostsFile=/state/try/known_hosts" in shared["ansible_ssh_common_args"]


def test_machines_know_each_other() -> None:
    text = layout.hosts_file(HOSTS[0], HOSTS)
    assert "10.213.7.11 m1\n10.213.7.12 m2\n" in text
    assert "Address=10.213.7.11/24\nGateway=10.213.7.1\n" in layout.network_file(HOSTS[0], NETWORK)
    assert layout.known_hosts({"m1": "ssh-ed25519 A", "m2": "ssh-ed25519 B"}, HOSTS).splitlines()[1] == (
        "m2,10.213.7.12 ssh-ed25519 B"
    )
    assert "Host m2\n  HostName 10.213.7.12\n" in layout.ssh_config(FOLDER, HOSTS)


def test_a_cut_drops_both_directions_of_machines_that_run() -> None:
    text = layout.rules_text([("m1", "m2"), ("m1", "m3")], {"m1": "vb-1", "m2": "vb-2"})
    assert [line.strip() for line in text.splitlines() if "drop" in line] == [
        'iifname "vb-1" oifname "vb-2" drop',
        'iifname "vb-2" oifname "vb-1" drop',
    ]


@pytest.mark.parametrize(
    ("targets", "mirror", "lines"),
    [
        (["http://a/|bookworm|main", "http://a/|bookworm-updates|main", "http://b/|nodistro|main"], "",
         ["deb http://a/ bookworm main", "deb http://a/ bookworm-updates main"]),
        (["http://a/|jammy|main"], "",
         ["deb http://deb.debian.org/debian bookworm main", "deb http://deb.debian.org/debian bookworm-updates main",
          "deb http://deb.debian.org/debian-security bookworm-security main"]),
        (["http://a/|bookworm|main"], "http://m/debian", ["deb http://m/debian bookworm main"]),
    ],
    ids=["this host's", "Debian's", "given"],
)  # fmt: skip
def test_where_packages_come_from(targets: list[str], mirror: str, lines: list[str]) -> None:
    assert list(sources_of("bookworm", [] if mirror else targets, mirror)) == lines


def test_an_image_is_known_by_all_that_it_is_made_of() -> None:
    recipe = Recipe("bookworm", ("redis",), ("deb http://a bookworm main",), (), ())
    others = [
        Recipe("trixie", *recipe_rest(recipe)),
        Recipe("bookworm", ("redis", "nats"), recipe.sources, (), ()),
        Recipe("bookworm", ("redis",), ("deb http://b bookworm main",), (), ()),
        Recipe("bookworm", ("redis",), recipe.sources, ("Acquire::http::Proxy p",), ()),
        Recipe("bookworm", ("redis",), recipe.sources, (), (("ca.crt", "text"),)),
    ]
    assert len({recipe.key, *(other.key for other in others)}) == 6
    assert Recipe("bookworm", *recipe_rest(recipe)).key == recipe.key
    line = mmdebstrap(others[4], pathlib.Path("/cache/part"))
    assert line[-3:] == ["bookworm", "/cache/part", "-"]
    assert any(word.startswith("--include=") and word.endswith(",redis") for word in line)


def recipe_rest(recipe: Recipe) -> tuple[t.Any, ...]:
    """Return what is in a recipe besides its suite."""
    return recipe.packages, recipe.sources, recipe.apt, recipe.authorities


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", ["/sys/fs/cgroup"]),
        (
            "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
            "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"
            "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
            "cgroup2 /other cgroup2 rw 0 0",
            ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"],
        ),
    ],
    ids=["unified", "hybrid"],
)
def test_hierarchies_of_systemd(mounts: str, found: list[str]) -> None:
    assert list(map(str, hierarchies(mounts))) == found
