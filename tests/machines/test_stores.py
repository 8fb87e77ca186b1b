# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and Redis of LLM-Orchestrator on machines: unchanged by another run, private, and alive after faults."""

from __future__ import annotations

import functools
import json
import subprocess
import time
import typing as t

from conftest import Machines, eventually

MEMBERS = ("m1", "m2", "m3")
CLIENT = "m4"
ROLES = ("leader", "sync_standby", "replica")
# Says each number that the database has acknowledged, with the seconds since the last one.
WRITER = r"""
import sys, time, psycopg2
dsn, connection, number, last = sys.argv[1], None, 0, time.monotonic()
while True:
    try:
        if connection is None:
            connection = psycopg2.connect(dsn)
            connection.autocommit = True
        connection.cursor().execute("INSERT INTO written VALUES (%s)", (number,))
        now = time.monotonic()
        print(number, round(now - last, 2), flush=True)
        last = now
    except psycopg2.Error:
        connection = None
        time.sleep(0.2)
    number += 1
    time.sleep(0.02)
"""


@functools.cache
def secret(machines: Machines, path: str) -> str:
    """Return a password that the first member keeps, also once it has been killed."""
    return machines.run("m1", f"cat {path}")


def dsn(machines: Machines) -> str:
    """Return how clients reach the primary, whichever it is."""
    password = secret(machines, "/etc/orchestrator-postgres/user")
    return (
        f"host={','.join(MEMBERS)} dbname=orchestrator user=orchestrator password={password} connect_timeout=2 "
        "target_session_attrs=read-write sslmode=verify-full sslrootcert=/etc/orchestrator-tls/ca.crt "
        "tcp_user_timeout=4000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3"
    )


def query(machines: Machines, text: str) -> str:
    """Return what the primary answers a client."""
    return machines.run(CLIENT, f'psql -Atqc "{text}" "{dsn(machines)}"')


def members(machines: Machines, asked: str = "m2") -> dict[str, str]:
    """Return by a member's name its role, of those that run."""
    # The one that is asked may be the one that was killed, and about to be up again.
    patience = "--retry 60 --retry-delay 1 --retry-connrefused"
    rest = f"curl -sS {patience} --cacert /etc/orchestrator-tls/ca.crt https://{asked}:8008/cluster"
    found = json.loads(machines.run(CLIENT, rest))["members"]
    return {one["name"]: one["role"] for one in found if one["state"] in ("running", "streaming")}


def whole(machines: Machines) -> bool:
    """Say whether all members run, one of them as primary and one as its synchronous standby."""
    return sorted(members(machines).values()) == sorted(ROLES)


def redis(machines: Machines, asked: str, port: int, words: str) -> str:
    """Return what Redis or Sentinel of a member answers."""
    password = secret(machines, "/etc/orchestrator-redis/password")
    client = f"REDISCLI_AUTH={password} redis-cli --tls --cacert /etc/orchestrator-tls/ca.crt"
    return machines.run(CLIENT, f"{client} -h {asked} -p {port} {words}")


def master(machines: Machines, asked: str) -> str:
    """Return the name of Redis' master as Sentinel of a member knows it."""
    address = redis(machines, asked, 26379, "sentinel get-master-addr-by-name orchestrator").splitlines()[0]
    return machines.run(CLIENT, f"getent hosts {address}").split()[1]


def test_another_run_changes_nothing(machines: Machines) -> None:
    assert machines.play("stores.yml") == dict.fromkeys((*MEMBERS, CLIENT), 0)


def test_passwords_are_in_files_that_nobody_else_reads(machines: Machines) -> None:
    secrets = machines.run(
        "m1", "cd /etc && tail -qn +1 orchestrator-postgres/* orchestrator-redis/password | fold -w 40"
    )
    for name in (*MEMBERS, CLIENT):
        for one in secrets.split():
            found = machines.run(name, f"grep -rlsF {one} /etc /var/lib/postgresql/.pgpass* /var/lib/redis || true")
            modes = machines.run(name, f"stat -c '%a %n' {found.replace(chr(10), ' ')}") if found else ""
            assert [line for line in modes.splitlines() if not line.split()[0].endswith("0")] == []
        assert not machines.succeeds(name, "ps -eo args | grep -v grep | grep -qF " + secrets.split()[0])


def test_connections_are_tls_of_those_who_are_named(machines: Machines) -> None:
    assert query(machines, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "t"
    assert not machines.succeeds(CLIENT, f'psql -c "SELECT 1" "{dsn(machines)} sslmode=disable"')
    rules = machines.run("m1", "cat /var/lib/postgresql/*/orchestrator/pg_hba.conf")
    assert "scram-sha-256" in rules
    assert "0.0.0.0/0" not in rules
    assert "md5" not in rules


def test_the_primary_is_killed_and_no_acknowledged_write_is_lost(machines: Machines) -> None:
    eventually(lambda: whole(machines), 60, "a whole cluster")
    query(machines, "DROP TABLE IF EXISTS written; CREATE TABLE written (number int)")
    primary = next(name for name, role in members(machines).items() if role == "leader")
    line = machines.ssh(CLIENT, f"python3 -u - '{dsn(machines)}'")
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin and writer.stdout
        writer.stdin.write(WRITER)
        writer.stdin.close()
        told = rows(writer.stdout)
        before = [next(told) for _number in range(50)]
        machines.state(primary, "killed")
        after = until_it_goes_on(told)
        writer.kill()
    acknowledged = {number for number, _seconds in (*before, *after)}
    longest = max(seconds for _number, seconds in after)
    print(f"the database did not answer for {longest} s")
    stored = {int(line) for line in query(machines, "SELECT number FROM written").splitlines()}
    assert acknowledged - stored == set()
    assert 1 < longest <= 30
    machines.state(primary, "booted")
    eventually(lambda: whole(machines), 90, "the old primary as a standby")


def rows(stream: t.IO[str]) -> t.Iterator[tuple[int, float]]:
    """Yield what the writer says: the number written, and the seconds since the one before."""
    for line in stream:
        number, seconds = line.split()
        yield int(number), float(seconds)


def until_it_goes_on(told: t.Iterator[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return what is written until a hundred writes after the longest pause, which has to come within a minute."""
    found: list[tuple[int, float]] = []
    end = time.monotonic() + 90
    paused = -1
    for row in told:
        found.append(row)
        paused = len(found) if row[1] > 1 else paused
        if paused >= 0 and len(found) > paused + 100:
            break
        assert time.monotonic() < end, "the writer never paused"
    return found


def test_the_master_of_redis_is_killed(machines: Machines) -> None:
    old = master(machines, "m2")
    redis(machines, old, 6379, "set before-the-fault kept")
    eventually(lambda: redis(machines, other(old), 6379, "get before-the-fault") == "kept", 10, "replication")
    machines.state(old, "killed")
    new = eventually(lambda: (found := master(machines, other(old))) != old and found, 30, "another master")
    eventually(lambda: "role:master" in redis(machines, new, 6379, "info replication"), 15, "its promotion")
    assert redis(machines, new, 6379, "get before-the-fault") == "kept"
    machines.state(old, "booted")
    up = "master_link_status:up"
    eventually(lambda: up in redis(machines, old, 6379, "info replication"), 60, "the old master as a replica")
    eventually(lambda: whole(machines), 90, "a whole cluster")


def other(name: str) -> str:
    """Return another member."""
    return next(one for one in MEMBERS if one != name)


def test_a_backup_is_restored_to_a_time(machines: Machines) -> None:
    query(machines, "DROP TABLE IF EXISTS rows; CREATE TABLE rows (name text); INSERT INTO rows VALUES ('kept')")
    moment = query(machines, "SELECT now()")
    query(machines, "INSERT INTO rows VALUES ('too late')")
    machines.play("restore.yml", "-e", json.dumps({"orchestrator_postgres_restore_time": moment}))
    assert query(machines, "SELECT name FROM rows") == "kept"
    eventually(lambda: whole(machines), 90, "a whole cluster")
    query(machines, "INSERT INTO rows VALUES ('afterwards')")
    assert machines.play("stores.yml") == dict.fromkeys((*MEMBERS, CLIENT), 0)
