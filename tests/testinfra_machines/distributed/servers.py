# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the machines of the distributed scenario say of their servers and stores."""

from __future__ import annotations

import json
import typing as t

PROXIES = ("m1", "m2")
API_SERVERS = ("m4", "m5", "m6")


def cluster(site: t.Any, asked: str = "m1") -> dict[str, str]:
    """Return by a PostgreSQL server's name its role, of those that run; {} where Patroni cannot tell."""
    told = site.machine(asked).run("patronictl -c /etc/patroni/config.yml list --format json")
    if told.rc != 0:
        return {}
    rows = json.loads(told.stdout)
    return {row["Member"]: row["Role"] for row in rows if row["State"] in ("running", "streaming")}


def redis_master(site: t.Any, asked: str = "m1") -> str:
    """Return the address of Redis' master as a Sentinel knows it."""
    client = "redis-cli --tls --cacert /etc/orchestrator-tls/ca.crt -h $(hostname) -p 26379"
    words = "sentinel get-master-addr-by-name orchestrator"
    password = "REDISCLI_AUTH=$(cat /etc/orchestrator-secrets/redis)"
    return str(site.machine(asked).check_output(f"{password} {client} {words}")).splitlines()[0]


def succeeded(site: t.Any) -> set[str]:
    """Return the ids of the workflows that have succeeded, as the database knows."""
    where = "host=m1,m2,m3 user=orchestrator dbname=orchestrator target_session_attrs=read-write sslmode=verify-full"
    query = "SELECT id FROM workflows WHERE status = 'succeeded'"
    password = "PGPASSWORD=$(cat /etc/orchestrator-secrets/postgres)"
    client = f'{password} psql -Atqc "{query}" "{where} sslrootcert=/etc/orchestrator-tls/ca.crt"'
    return set(site.machine("m1").check_output(client).split())


def versions(site: t.Any) -> dict[str, str]:
    """Return by an API server's name the version that it runs."""
    return {name: site.get(f"https://{site.address(name)}:8080/health")["version"] for name in API_SERVERS}
