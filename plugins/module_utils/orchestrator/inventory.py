# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes of an inventory for LLM-Orchestrator: groups that do not make a whole, looked at before any host is."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import mapping
from ..base.findings import ERROR, WARNING, Finding, Mark
from ..base.names import did_you_mean
from .decision import AUTO, CLI, COMPOSE, DISTRIBUTED, HYBRID, KUBERNETES, MODES, SINGLE, VARIABLE, decide
from .rules import ConfigRule

PREFIX = "orchestrator_"
KINDS = ("single", "lb", "api", "worker", "nats", "redis", "postgres", "etcd", "edge")
# What runs a server, of which a host has either one alone or API server and worker.
_SERVERS = ("single", "api", "worker", "edge")
_MODE = "llm_orchestrator_mode"
# By mode the groups whose hosts make it.
_SIGNS = {SINGLE: ("single",), DISTRIBUTED: ("api", "worker"), HYBRID: ("edge",)}
# What sets the other modes up.
_ELSEWHERE = {
    CLI: "use the role orchestrator_cli",
    COMPOSE: "use the role orchestrator_compose",
    KUBERNETES: "use the playbook site.yml with the role llm_orchestrator",
}


@dataclasses.dataclass(frozen=True)
class Inventory:
    """hosts: by group, without its prefix; groups: all names; variables: those that several hosts share.

    addresses: by host; places: by group or variable where it stands.
    """

    groups: t.Mapping[str, t.Sequence[str]]
    variables: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    addresses: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    file: str = ""

    def hosts(self, kind: str) -> t.Sequence[str]:
        """Return the hosts of a group of ours."""
        return self.groups.get(PREFIX + kind, ())

    @property
    def secrets(self) -> t.Mapping[str, t.Any]:
        """The environment variables that the user gives."""
        return mapping(self.variables.get("orchestrator_secrets"))


Found = tuple[str, str, str]
InventoryCheck = t.Callable[[Inventory], t.Iterator[Found]]


def _names(inventory: Inventory) -> t.Iterator[Found]:
    known = [PREFIX + kind for kind in KINDS]
    for name in inventory.groups:
        if name.startswith(PREFIX) and name not in known:
            guess = did_you_mean(name, known)
            yield name, f"unknown group.{guess}", "use one of: " + ", ".join(known)


def _members(kind: str, what: str) -> InventoryCheck:
    def check(inventory: Inventory) -> t.Iterator[Found]:
        count = len(inventory.hosts(kind))
        if count > 1 and count % 2 == 0:
            less = count - 1
            yield (
                PREFIX + kind,
                f"{count} members of {what} survive no more losses than {less}",
                f"use {less} or {count + 1}",
            )

    return check


def _sentinels(inventory: Inventory) -> t.Iterator[Found]:
    if len(inventory.hosts("redis")) == 2:
        yield PREFIX + "redis", "2 Sentinels cannot agree on a new master once one is lost", "use 1 or 3"


def _patroni(inventory: Inventory) -> t.Iterator[Found]:
    servers, members = len(inventory.hosts("postgres")), len(inventory.hosts("etcd"))
    if servers > 1 and not members:
        yield PREFIX + "etcd", f"is empty, but the {servers} PostgreSQL servers choose their primary through etcd", ""
    if members and servers < 2:
        what = "one PostgreSQL server" if servers else "no PostgreSQL server"
        yield PREFIX + "etcd", f"there {'is' if servers < 2 else 'are'} {what}, which needs no etcd", "remove the group"


_BACKENDS = (
    ("postgres", "DATABASE_URL", "a database"),
    ("redis", "REDIS_URL", "a cache"),
    ("nats", "NATS_URL", "a queue"),
)


def _backends(inventory: Inventory) -> t.Iterator[Found]:
    if not inventory.hosts("api") and not inventory.hosts("worker"):
        return
    for kind, variable, what in _BACKENDS:
        if not inventory.hosts(kind) and variable not in inventory.secrets:
            yield (
                PREFIX + kind,
                f"is empty, but API servers and workers share {what}",
                (f"add hosts, or set orchestrator_secrets: {{{variable}: …}}"),
            )


def _both_ends(inventory: Inventory) -> t.Iterator[Found]:
    api, worker = inventory.hosts("api"), inventory.hosts("worker")
    if api and not worker:
        yield PREFIX + "worker", "is empty: workflows are accepted, but never run", "add a worker"
    if worker and not api:
        yield PREFIX + "api", "is empty: workers have nobody to take workflows from", "add an API server"


def _proxies(inventory: Inventory) -> t.Iterator[Found]:
    api, proxies = len(inventory.hosts("api")), len(inventory.hosts("lb"))
    if api > 1 and not proxies:
        yield PREFIX + "lb", f"is empty, but there are {api} API servers", "add a proxy, or use one of your own"
    if proxies and not api:
        yield PREFIX + "api", "is empty, but there is a proxy for API servers", "add API servers"
    address = inventory.variables.get("orchestrator_proxy_virtual_address")
    if address and proxies < 2:
        where = "orchestrator_proxy_virtual_address"
        yield where, f"{address} cannot move: there are not two proxies", "add a proxy, or remove the address"
    if proxies > 1 and not address:
        yield (
            PREFIX + "lb",
            f"nothing leads clients from one of the {proxies} proxies to another",
            ("set orchestrator_proxy_virtual_address, or have DNS do it"),
        )


def _one_server(inventory: Inventory) -> t.Iterator[Found]:
    kinds: dict[str, list[str]] = {}
    for kind in _SERVERS:
        for host in inventory.hosts(kind):
            kinds.setdefault(host, []).append(kind)
    for host, given in sorted(kinds.items()):
        if len(given) > 1 and set(given) != {"api", "worker"}:
            groups = " and ".join(PREFIX + kind for kind in given)
            yield host, f"is in {groups}, whose servers would take the same ports", "leave it in one of them"


def _twins(inventory: Inventory) -> t.Iterator[Found]:
    for kind in KINDS:
        known: dict[str, str] = {}
        for host in inventory.hosts(kind):
            address = inventory.addresses.get(host) or host
            if address in known:
                yield host, f"has the address of {known[address]}, {address}, in the same group", "correct ansible_host"
            known.setdefault(address, host)


def _edges(inventory: Inventory) -> t.Iterator[Found]:
    joined = inventory.hosts("nats") or "NATS_URL" in inventory.secrets
    if inventory.hosts("edge") and not joined:
        yield PREFIX + "nats", "is empty: edge sites have no cloud to join", "add hosts, or use orchestrator_single"


def _modes(inventory: Inventory) -> t.Iterator[Found]:
    mode = inventory.variables.get(_MODE)
    if mode is None:
        return
    if mode not in (AUTO, *MODES):
        guess = did_you_mean(str(mode), MODES)
        yield _MODE, f"{mode!r} is not a valid mode.{guess}", "use one of: " + ", ".join((AUTO, *MODES))
        return
    said, wanted = f"is {mode}", str(mode)
    if mode == AUTO:
        decision, mistakes = decide(inventory.variables.get(VARIABLE) or {})
        yield from ((one.mark.file + one.path, one.message, one.hint) for one in mistakes)
        if decision is None:
            return
        wanted, said = decision.mode, f"is auto, which chooses {decision.mode} ({'; '.join(decision.reasons)})"
    yield from _other_mode(inventory, wanted, said)


def _other_mode(inventory: Inventory, wanted: str, said: str) -> t.Iterator[Found]:
    """Yield that the groups make another mode than the one that is wanted; said: how that is named."""
    if wanted in _ELSEWHERE:
        yield _MODE, f"{said}, which this playbook does not set up", _ELSEWHERE[wanted]
        return
    made = _made(inventory)
    if wanted in made:
        others = made - {wanted}
        wrong = ", ".join(sorted(PREFIX + kind for mode in others for kind in _SIGNS[mode] if inventory.hosts(kind)))
        if others:
            yield _MODE, f"{said}, but there are hosts in {wrong}", f"empty {wrong}, or do not set {_MODE}"
    elif any(inventory.hosts(kind) for kind in KINDS):
        needed = " and ".join(PREFIX + kind for kind in _SIGNS[wanted])
        fix = f"set it to {min(made)}, or move hosts to {needed}" if len(made) == 1 else f"move hosts to {needed}"
        yield _MODE, f"{said}, but no host is in {needed}", fix


def _made(inventory: Inventory) -> set[str]:
    """Return the modes that the groups make. Where there are edge sites, the other servers are their cloud."""
    found = {mode for mode, kinds in _SIGNS.items() if any(inventory.hosts(kind) for kind in kinds)}
    return {HYBRID} if HYBRID in found else found


def _empty(inventory: Inventory) -> t.Iterator[Found]:
    if inventory.variables.get(_MODE) not in _ELSEWHERE and not any(inventory.hosts(kind) for kind in KINDS):
        given = ", ".join(PREFIX + kind for kind in KINDS)
        yield "inventory", "no host is in a group of LLM-Orchestrator", f"put hosts into groups: {given}"


def _rule(
    number: int, title: str, check: InventoryCheck, meaning: str, failure: str, remedy: str, severity: str = ERROR
) -> tuple[ConfigRule, InventoryCheck]:
    return ConfigRule(f"LLMD9{number}", title, None, meaning, failure, remedy, SOURCE, severity), check


SOURCE = "the architecture in LLM-Orchestrator's guide"
CHECKS = (
    _rule(70, "Groups have known names", _names, "A group that begins with orchestrator_ is one of the nine.",
          "Its hosts are silently left out.", "use the name that was meant"),
    _rule(71, "etcd has an odd number of members", _members("etcd", "etcd"), "orchestrator_etcd has 1, 3 or 5 hosts.",
          "Another member makes a majority harder to reach, not easier.", "use an odd number"),
    _rule(72, "NATS has an odd number of members", _members("nats", "NATS"), "orchestrator_nats has 1, 3 or 5 hosts.",
          "JetStream stops once half of its servers are lost.", "use an odd number"),
    _rule(73, "Redis has one host, or three", _sentinels, "orchestrator_redis does not have two hosts.",
          "No new master is chosen when one is lost.", "use 1 or 3"),
    _rule(74, "PostgreSQL with replicas has etcd", _patroni,
          "orchestrator_etcd has hosts where, and only where, orchestrator_postgres has several.",
          "Patroni cannot choose a primary.", "add hosts to orchestrator_etcd"),
    _rule(75, "Servers have a database, a cache and a queue", _backends,
          "There are hosts for each, or its URL is in orchestrator_secrets.", "No server becomes ready.",
          "add hosts, or set the URL"),
    _rule(76, "API servers and workers come together", _both_ends, "There are both, or neither.",
          "Workflows are accepted, but never run.", "add hosts to the group that is empty"),
    _rule(77, "API servers have proxies that clients find", _proxies,
          "Several API servers have a proxy; a virtual address has two proxies.",
          "Clients lose their API server with its host.", "add proxies", WARNING),
    _rule(78, "A host has one server of a kind", _one_server,
          "A host is in one of orchestrator_single, _edge, or _api and _worker.",
          "The second server does not start: its ports are taken.", "use other hosts"),
    _rule(79, "Members of a group are different machines", _twins, "No two hosts of a group have the same address.",
          "A cluster of three is lost with one machine.", "correct the addresses"),
    _rule(80, "Edge sites have a cloud to join", _edges,
          "With orchestrator_edge there is orchestrator_nats or NATS_URL.",
          "Edge sites never catch up.", "add hosts to orchestrator_nats"),
    _rule(81, "The mode is one that the groups make", _modes,
          "llm_orchestrator_mode, or what auto chooses, is the one mode that the groups with hosts make.",
          "Something else is set up than was asked for.", "choose the mode that fits the groups"),
    _rule(82, "There are hosts", _empty, "A group has a host, unless the mode needs none.", "Nothing is set up.",
          "put hosts into the groups"),
)  # fmt: skip
RULES = tuple(rule for rule, _check in CHECKS)


def inventory_findings(inventory: Inventory, accept: t.Collection[str] = ()) -> list[Finding]:
    """Return what is wrong with an inventory; accept: ids of rules whose mistakes are warnings."""
    found = []
    for rule, check in CHECKS:
        severity = WARNING if rule.id in accept else rule.severity
        for path, message, hint in check(inventory):
            text = f"{rule.id} {path}" + (f" ({inventory.file})" if inventory.file else "")
            mark = Mark(inventory.file or "inventory")
            found.append(
                Finding(mark, path, message, hint or rule.remedy, rule.id, severity, source=rule.source, where=text)
            )
    return found
