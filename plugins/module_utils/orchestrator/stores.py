# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How the servers of LLM-Orchestrator reach their database, cache and queue, by the groups of an inventory."""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from .inventory import KINDS, PREFIX

# What an unset state and this one have in common: the hosts of which a play is.
NOBODY = ["!all"]
# Who says that no group has hosts.
SPOKESMAN = ["localhost"]


@dataclasses.dataclass(frozen=True)
class HostGroups:
    """Hosts of the groups orchestrator_*, each with the address at which the others reach it.

    passwords: by the names of what they are for; virtual: the proxies' address; authority: file of the CA.
    """

    groups: t.Mapping[str, t.Sequence[str]]
    addresses: t.Mapping[str, str]
    passwords: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    virtual: str = ""
    authority: str = "/etc/orchestrator-tls/ca.crt"

    def of(self, kind: str) -> list[str]:
        """Return the hosts of a group, by its name without orchestrator_."""
        return list(self.groups.get(PREFIX + kind) or [])

    def all(self) -> list[str]:
        """Return all hosts, each once."""
        return list(dict.fromkeys(host for kind in KINDS for host in self.of(kind)))

    def addressed(self, kind: str, port: int) -> str:
        """Return the addresses of a group with a port, as URLs have them."""
        return ",".join(f"{_bracketed(self.addresses[host])}:{port}" for host in self.of(kind))

    def password(self, name: str) -> str:
        """Return a password as URLs have it."""
        return urllib.parse.quote(self.passwords.get(name) or "", safe="")


def environment(inventory: HostGroups) -> dict[str, str]:
    """Return the variables with which API servers, workers and single nodes reach the stores that there are."""
    found = {}
    if inventory.of("postgres"):
        hosts, password = inventory.addressed("postgres", 5432), inventory.password("postgres")
        query = f"target_session_attrs=read-write&sslmode=verify-full&sslrootcert={inventory.authority}"
        found["DATABASE_URL"] = f"postgresql://orchestrator:{password}@{hosts}/orchestrator?{query}"
    if inventory.of("redis"):
        watched = len(inventory.of("redis")) > 1
        hosts = inventory.addressed("redis", 26379 if watched else 6379)
        query = "?master=orchestrator" if watched else ""
        found["REDIS_URL"] = f"rediss://:{inventory.password('redis')}@{hosts}/0{query}"
    if inventory.of("nats"):
        servers = inventory.addressed("nats", 4222).split(",")
        found["NATS_URL"] = ",".join(f"tls://orchestrator:{inventory.password('nats')}@{server}" for server in servers)
    return found


def edge_environment(inventory: HostGroups) -> dict[str, str]:
    """Return those of an edge site, whose own leaf node passes on what the cloud has to know."""
    if not inventory.of("nats"):
        return {}
    return {"NATS_URL": f"tls://orchestrator:{inventory.password('nats_edge')}@localhost:4222"}


def endpoint(inventory: HostGroups) -> str:
    """Return the URL that requests go to: of the proxies, or else of the first server."""
    if inventory.of("lb"):
        return f"https://{_bracketed(inventory.virtual or inventory.addresses[inventory.of('lb')[0]])}"
    servers = [host for kind in ("api", "single", "edge") for host in inventory.of(kind)]
    return f"https://{_bracketed(inventory.addresses[servers[0]])}:8080" if servers else ""


def said(inventory: HostGroups) -> list[str]:
    """Return what the end of a run says: what serves, and a command to try."""
    names = {"api": "API server", "worker": "worker", "single": "single node", "edge": "edge site", "lb": "proxy"}
    counts = [f"{len(inventory.of(kind))} {_plural(name, len(inventory.of(kind)))}" for kind, name in names.items()]
    there = [count for count in counts if not count.startswith("0 ")]
    lines = [f"LLM-Orchestrator serves on {len(inventory.all())} machines: {', '.join(there)}."]
    if endpoint(inventory):
        lines.append(f"curl --cacert {inventory.authority} {endpoint(inventory)}/ready")
    return lines


def removed(hosts: int, data: bool) -> str:
    """Return what the end of a removal says."""
    rest = (
        "with its data" if data else "and its data stays; set llm_orchestrator_remove_data to true to remove that too"
    )
    return f"LLM-Orchestrator was removed from {hosts} {_plural('machine', hosts)}, {rest}."


def _plural(name: str, count: int) -> str:
    if count == 1:
        return name
    return f"{name[:-1]}ies" if name.endswith("xy") else f"{name}s"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
