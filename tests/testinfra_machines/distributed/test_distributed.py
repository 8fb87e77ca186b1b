# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Servers and stores on six machines: requests go on while each kind fails, and no accepted workflow is lost."""

from __future__ import annotations

import json
import time
import typing as t

import pytest

RATE = 10


@pytest.fixture(scope="module")
def base(site: t.Any) -> str:
    """Return the URL of the proxies' virtual address."""
    first, _dot, _last = site.address("m1").rpartition(".")
    return f"https://{first}.250"


def fails(site: t.Any, base: str, name: str, command: str, seconds: float = 10) -> None:
    """Submit workflows while a command is run on a machine; require that all that were accepted are done."""

    def fault() -> None:
        time.sleep(2)
        site.machine(name).run(command)
        time.sleep(seconds)

    identities = site.load(base, RATE, fault)
    assert len(identities) > RATE
    assert site.finished(base, identities, 120) == {"succeeded": len(identities)}


def test_requests_reach_every_server(site: t.Any, base: str) -> None:
    assert site.get(f"{base}/ready") == {"database": True, "cache": True, "queue": True}
    identities = [site.submit(base) for _number in range(12)]
    assert site.finished(base, identities, 60) == {"succeeded": 12}
    workers = {site.result(base, identity)["worker"] for identity in identities}
    assert len(workers) == 2


def test_an_api_server_is_killed(site: t.Any, base: str, patience: t.Any) -> None:
    fails(site, base, "m6", "systemctl kill --signal=KILL llm-orchestrator")
    patience(lambda: site.machine("m6").service("llm-orchestrator").is_running, 30)


def test_a_worker_is_killed(site: t.Any, base: str) -> None:
    fails(site, base, "m5", "systemctl kill --signal=KILL llm-orchestrator-worker")


def test_a_nats_node_is_killed(site: t.Any, base: str) -> None:
    fails(site, base, "m3", "systemctl kill --signal=KILL nats-server")


def test_the_proxy_that_has_the_address_is_killed(site: t.Any, base: str) -> None:
    virtual = base.removeprefix("https://")
    holders = [name for name in ("m1", "m2") if virtual in site.machine(name).check_output("ip -o -4 address")]
    assert len(holders) == 1
    fails(site, base, holders[0], "systemctl stop haproxy")
    site.machine(holders[0]).run("systemctl start haproxy")


def test_the_postgresql_primary_loses_its_power(site: t.Any, base: str, patience: t.Any) -> None:
    members = json.loads(site.machine("m1").check_output("patronictl -c /etc/patroni/config.yml list --format json"))
    (primary,) = (member["Member"] for member in members if member["Role"] == "Leader")
    until = 30

    def fault() -> None:
        site.set(primary, "killed")
        begin = time.monotonic()
        other = next(name for name in ("m1", "m2", "m3") if name != primary)

        def led() -> bool:
            told = site.machine(other).run("patronictl -c /etc/patroni/config.yml list --format json").stdout
            return any(row["Role"] == "Leader" and row["Member"] != primary for row in json.loads(told or "[]"))

        patience(led, until)
        assert time.monotonic() - begin <= until
        time.sleep(5)

    try:
        identities = site.load(base, RATE, fault)
    finally:
        site.set(primary, "booted")
    assert site.finished(base, identities, 120) == {"succeeded": len(identities)}
