# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What hosts have to have for what runs on them, held against Ansible's facts: every shortfall of every host at once.

From LLM-Orchestrator's deployment guide, "Infrastructure Requirements". It has none for proxies and etcd.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import dicts, mapping, number
from ..base.findings import Findings
from ..base.names import did_you_mean
from .keys import STATE
from .units import size

GB = 1000**3
# A disk of 20 GB holds a file system that is somewhat smaller.
DISK_SHARE = 0.9


@dataclasses.dataclass(frozen=True)
class Needs:
    """What one kind needs: CPUs, bytes of memory and of the disk below `data`, Mbit/s; 0 for what does not matter."""

    cpus: float = 0
    memory: float = 0
    disk: float = 0
    network: float = 0
    data: str = STATE


NEEDS = {
    "cli": Needs(2, 4 * GB, 20 * GB, 100, "/"),
    "single": Needs(2, 4 * GB, 20 * GB, 100),
    "edge": Needs(2, 4 * GB, 20 * GB, 100),
    "api": Needs(4, 8 * GB, 50 * GB, 1000),
    "worker": Needs(8, 16 * GB, 100 * GB, 1000),
    "postgres": Needs(4, 16 * GB, 500 * GB, data="/var/lib/postgresql"),
    "redis": Needs(2, 8 * GB, 50 * GB, data="/var/lib/redis"),
    "nats": Needs(2, 4 * GB, 100 * GB, data="/var/lib/nats"),
    "etcd": Needs(),
    "lb": Needs(),
}
POSTGRESQL = 14
# Oldest versions, by distribution or else by family. The guide names Ubuntu and RHEL.
SYSTEMS = {"Ubuntu": (22, 4), "Debian": (12,), "RedHat": (8,)}
CLI_SYSTEMS = {**SYSTEMS, "MacOSX": (12,), "Darwin": (12,)}
# What orchestrator_requirements may lower, by name.
LOWERED = ("cpus", "memory", "disk", "network", "os", "postgresql")
VARIABLE = "orchestrator_requirements"


@dataclasses.dataclass(frozen=True)
class Machine:
    """A host: the kinds of what runs on it, its facts without the prefix ansible_, the PostgreSQL it is to have."""

    kinds: t.Sequence[str]
    facts: t.Mapping[str, t.Any]
    postgresql: t.Any = None


def shortfalls(machines: t.Mapping[str, Machine], lowered: t.Any = None) -> Findings:
    """Return what hosts lack; lowered: what the user asks instead, for all kinds or below the name of one."""
    found = Findings()
    asked = _asked(lowered, found)
    for name, machine in sorted(machines.items()):
        known = [kind for kind in machine.kinds if kind in NEEDS]
        if known and not machine.facts.get("memtotal_mb"):
            found.add(name, "there are no facts", "gather them first: ansible.builtin.setup", "orchestrator-facts")
        elif known:
            _compare(name, machine, known, asked, found)
    return found


def _asked(lowered: t.Any, found: Findings) -> dict[str, dict[str, t.Any]]:
    """Return by kind ("" for all) what the user asks instead, each as a number; os as it is."""
    asked: dict[str, dict[str, t.Any]] = {"": {}}
    for key, value in mapping(lowered).items():
        if key in NEEDS:
            inner = {
                name: _number(f"{VARIABLE}.{key}.{name}", name, held, found) for name, held in mapping(value).items()
            }
            asked[key] = inner
        else:
            asked[""][key] = _number(f"{VARIABLE}.{key}", key, value, found, (*LOWERED, *NEEDS))
    return asked


def _number(where: str, key: str, value: t.Any, found: Findings, known: t.Sequence[str] = LOWERED) -> t.Any:
    if key not in LOWERED:
        fix = "use one of: " + ", ".join(known)
        found.add(where, f"unknown key.{did_you_mean(str(key), known)}", fix, "orchestrator-requirements")
        return None
    if key == "os":
        if value != "any":
            found.add(where, f"{value!r} is not a valid choice", "use any", "orchestrator-requirements")
        return value
    amount = size(value) if key in ("memory", "disk") else size(value) if re.fullmatch(r"[0-9.]+", str(value)) else None
    if amount is None:
        example = {"memory": "2Gi", "disk": "10G"}.get(key, "1")
        found.add(
            where, f"{value!r} is not a valid amount", f"use {example}, or 0 for none", "orchestrator-requirements"
        )
    return amount


def _compare(
    name: str, machine: Machine, kinds: list[str], asked: dict[str, dict[str, t.Any]], found: Findings
) -> None:
    """Note what one host lacks. What shares a host needs its CPUs, memory and disk together."""

    def needed(kind: str, key: str) -> float:
        own = asked.get(kind, {}).get(key, asked[""].get(key))
        return getattr(NEEDS[kind], key) if own is None else own

    who = ", ".join(kinds)

    def note(key: str, has: str, wants: str) -> None:
        hint = f"use another host, or lower it on purpose: {VARIABLE}: {{{key}: …}}"
        found.add(name, f"{has}, but {wants} ({who})", hint, f"orchestrator-{key}")

    facts = machine.facts
    cpus, want = number(facts.get("processor_vcpus")) or 0, sum(needed(kind, "cpus") for kind in kinds)
    if cpus < want:
        note("cpus", f"{cpus} CPUs", f"{want:g} are required")
    memory, want = (number(facts["memtotal_mb"]) or 0) * 1024**2, sum(needed(kind, "memory") for kind in kinds)
    if memory < want:
        note("memory", f"{_gb(memory)} of memory", f"{_gb(want)} is required")
    for mount, size_total, where in _disks(facts, kinds):
        want = sum(needed(kind, "disk") for kind in where)
        if size_total < want * DISK_SHARE:
            note("disk", f"{_gb(size_total)} on {mount}", f"{_gb(want)} is required")
    speed, want = _speed(facts), max(needed(kind, "network") for kind in kinds)
    if speed is not None and speed < want:
        note("network", f"a network of {speed:g} Mbit/s", f"{want:g} Mbit/s is required")
    _system(facts, kinds, asked[""].get("os"), note)
    least = asked[""].get("postgresql") or POSTGRESQL
    major = number(str(machine.postgresql or "").partition(".")[0])
    if "postgres" in kinds and major is not None and major < least:
        note("postgresql", f"PostgreSQL {major}", f"{least:g} or later is required")


def _disks(facts: t.Mapping[str, t.Any], kinds: list[str]) -> t.Iterator[tuple[str, float, list[str]]]:
    """Yield each file system that kinds keep their data on, its size, and these kinds."""
    mounts = {str(mount.get("mount")): mount for mount in dicts(facts.get("mounts"))}
    where: dict[str, list[str]] = {}
    for kind in kinds:
        data = NEEDS[kind].data
        above = [mount for mount in mounts if data == mount or data.startswith(mount.rstrip("/") + "/")]
        if above and NEEDS[kind].disk:
            where.setdefault(max(above, key=len), []).append(kind)
    for mount, there in where.items():
        if (size_total := number(mounts[mount].get("size_total"))) is not None:
            yield mount, size_total, there


def _speed(facts: t.Mapping[str, t.Any]) -> float | None:
    """Return the speed of the interface with the default route, None where it is unknown, as in virtual machines."""
    interface = mapping(facts.get("default_ipv4")).get("interface")
    speed = number(mapping(facts.get(str(interface).replace("-", "_"))).get("speed"))
    return speed if speed is not None and speed > 0 else None


def _system(
    facts: t.Mapping[str, t.Any], kinds: list[str], wanted: t.Any, note: t.Callable[[str, str, str], None]
) -> None:
    if wanted == "any":
        return
    systems = CLI_SYSTEMS if kinds == ["cli"] else SYSTEMS
    name, family = str(facts.get("distribution")), str(facts.get("os_family"))
    least = systems.get(name) or (systems.get(family) if family == "RedHat" else None)
    version = str(facts.get("distribution_version") or "")
    numbers = tuple(int(part) for part in re.findall(r"\d+", version))
    if least is None or (numbers and numbers[: len(least)] < least):
        names = {"RedHat": "RHEL", "MacOSX": "macOS"}
        one_of = [
            f"{names.get(key, key)} {'.'.join(f'{part:02d}' for part in value)}"
            for key, value in systems.items()
            if key != "Darwin"
        ]
        note("os", f"{name} {version}".strip(), f"{', '.join(one_of)} or later is required")


def _gb(amount: float) -> str:
    return f"{amount / GB:.1f}".removesuffix(".0") + " GB"
