# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Servers and stores on six machines: requests go on while each kind fails, and no accepted workflow is lost."""

from __future__ import annotations

import typing as t

from servers import PROXIES, cluster, redis_master

RATE = 10
# Within which something else has taken over.
FAILOVER = 30


def fails(site: t.Any, base: str, fault: t.Callable[[], None]) -> None:
    """Submit workflows while something is broken; require that all that were accepted are done, after a short pause."""
    load = site.load(base, RATE, fault)
    assert load.pause <= FAILOVER
    assert site.finished(base, load.identities, 120) == {"succeeded": len(load.identities)}


def kills(site: t.Any, patience: t.Any, name: str, service: str) -> t.Callable[[], None]:
    """Return what kills a service, and waits until systemd has started it again and a little more."""
    machine = site.machine(name)

    def fault() -> None:
        before = machine.check_output(f"systemctl show {service} -P MainPID")
        machine.check_output(f"systemctl kill --signal=KILL {service}")
        patience(lambda: machine.check_output(f"systemctl show {service} -P MainPID") not in ("0", before), FAILOVER)
        patience(lambda: machine.service(service).is_running, FAILOVER)

    return fault


def test_requests_reach_every_server(site: t.Any, base: str) -> None:
    assert site.get(f"{base}/ready") == {"database": True, "cache": True, "queue": True}
    identities = [site.submit(base) for _number in range(12)]
    assert site.finished(base, identities, 60) == {"succeeded": 12}
    workers = {site.result(base, identity)["worker"] for identity in identities}
    assert len(workers) == 2


def test_an_api_server_is_killed(site: t.Any, base: str, patience: t.Any) -> None:
    fails(site, base, kills(site, patience, "m6", "llm-orchestrator"))


def test_a_worker_is_killed(site: t.Any, base: str, patience: t.Any) -> None:
    fails(site, base, kills(site, patience, "m5", "llm-orchestrator-worker"))


def test_a_nats_node_is_killed(site: t.Any, base: str, patience: t.Any) -> None:
    fails(site, base, kills(site, patience, "m3", "nats-server"))


def test_the_redis_master_is_stopped(site: t.Any, base: str, patience: t.Any) -> None:
    old = redis_master(site)
    (name,) = (one for one in ("m1", "m2", "m3") if site.address(one) == old)

    def fault() -> None:
        site.machine(name).check_output("systemctl stop redis-server")
        patience(lambda: redis_master(site) != old, FAILOVER)

    try:
        fails(site, base, fault)
    finally:
        site.machine(name).check_output("systemctl start redis-server")
    patience(lambda: site.get(f"{base}/ready")["cache"], FAILOVER)


def test_the_proxy_that_has_the_address_is_stopped(site: t.Any, base: str, patience: t.Any) -> None:
    virtual = base.removeprefix("https://")

    def holders() -> list[str]:
        return [name for name in PROXIES if virtual in site.machine(name).check_output("ip -o -4 address")]

    (holder,) = holders()

    def fault() -> None:
        site.machine(holder).check_output("systemctl stop haproxy")
        patience(lambda: [name for name in holders() if name != holder], FAILOVER)

    try:
        fails(site, base, fault)
    finally:
        site.machine(holder).check_output("systemctl start haproxy")
    patience(lambda: len(holders()) == 1, FAILOVER)


def test_the_postgresql_primary_loses_its_power(site: t.Any, base: str, patience: t.Any) -> None:
    primary = next(name for name, role in cluster(site).items() if role == "Leader")

    def fault() -> None:
        site.set(primary, "killed")
        others = [name for name in ("m1", "m2", "m3") if name != primary]
        patience(lambda: "Leader" in [cluster(site, others[0]).get(name) for name in others], FAILOVER)
        # Until connections that hang are given up, too.
        patience(lambda: site.get(f"{base}/ready")["database"], FAILOVER)

    try:
        fails(site, base, fault)
    finally:
        site.set(primary, "booted")
    patience(lambda: sorted(cluster(site).values()) == ["Leader", "Replica", "Sync Standby"], 120)
