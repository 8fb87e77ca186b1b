# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a lab of machines is made of: hosts, addresses, and the texts that follow from them."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import pathlib
import re
import typing as t
import zlib

from ...base.errors import OrchestratorError

# The part of the private range 10.0.0.0/8 that labs take their networks from, one /24 each.
POOL = ipaddress.IPv4Network("10.213.0.0/16")
GATEWAY, FIRST, VIRTUAL = 1, 11, 250
MOST_MACHINES = 64
# nspawn calls the machine's end of the cable so.
INTERFACE = "host0"
GROUP = "lab_machines"
NAME = r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?"


@dataclasses.dataclass(frozen=True)
class Host:
    """A machine of the lab."""

    name: str
    address: str
    groups: tuple[str, ...]
    variables: dict[str, t.Any]


def hosts_of(given: t.Sequence[t.Mapping[str, t.Any]], network: ipaddress.IPv4Network) -> list[Host]:
    """Return the lab's machines with their addresses, in the order given; raises OrchestratorError for wrong names."""
    names = [str(one["name"]) for one in given]
    wrong = [name for name in names if not re.fullmatch(NAME, name)]
    twice = sorted({name for name in names if names.count(name) > 1})
    details = [f"{name!r} is not a valid name" for name in wrong] + [f"{name!r} is there twice" for name in twice]
    if len(names) > MOST_MACHINES:
        details.append(f"{len(names)} machines are more than {MOST_MACHINES}")
    if details:
        hint = "Use up to 20 lower-case letters, digits and hyphens, beginning with a letter, another name for each."
        raise OrchestratorError("The lab's machines cannot be made:", hint=hint, details=details)
    return [
        Host(name, str(network[FIRST + index]), tuple(one.get("groups") or ()), dict(one.get("variables") or {}))
        for index, (name, one) in enumerate(zip(names, given, strict=True))
    ]


def choose_network(name: str, taken: t.Collection[ipaddress.IPv4Network]) -> ipaddress.IPv4Network:
    """Return a network that overlaps none of those taken; the search starts at a place that the lab's name decides."""
    every: list[ipaddress.IPv4Network] = list(POOL.subnets(new_prefix=24))
    start = zlib.crc32(name.encode()) % len(every)
    for network in [*every[start:], *every[:start]]:
        if not any(network.overlaps(one) for one in taken):
            return network
    raise OrchestratorError(f"There is no free network for the lab {name!r} in {POOL}.")


def networks_in(routes: t.Sequence[t.Mapping[str, t.Any]]) -> list[ipaddress.IPv4Network]:
    """Return the networks that routes lead to, as 'ip -json route' has them; the default route leads to no network."""
    found = [str(one.get("dst", "")) for one in routes]
    return [ipaddress.IPv4Network(one, strict=False) for one in found if re.fullmatch(r"[0-9.]+(/\d+)?", one)]


def cable(name: str) -> str:
    """Return the name of the controller's end of the lab's cable; the kernel allows 15 characters."""
    return f"lm{zlib.crc32(name.encode()):08x}"


def network_file(host: Host, network: ipaddress.IPv4Network) -> str:
    """Return the machine's own configuration for systemd-networkd."""
    return (
        f"[Match]\nName={INTERFACE}\n\n"
        f"[Network]\nAddress={host.address}/{network.prefixlen}\nGateway={network[GATEWAY]}\n"
        "DHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n"
    )


def hosts_file(host: Host, hosts: t.Sequence[Host]) -> str:
    """Return /etc/hosts of a machine: it knows all others by name."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", *(f"{one.address} {one.name}" for one in hosts)]
    return "".join(f"{line}\n" for line in lines)


def known_hosts(keys: t.Mapping[str, str], hosts: t.Sequence[Host]) -> str:
    """Return the text of known_hosts. keys: by a machine's name its public host key."""
    return "".join(f"{host.name},{host.address} {keys[host.name]}\n" for host in hosts)


def ssh_config(folder: pathlib.Path, hosts: t.Sequence[Host]) -> str:
    """Return the configuration by which ssh reaches the machines by name."""
    shared = {**_ssh_options(folder), "User": "root", "IdentityFile": str(folder / "id_ed25519")}
    lines = [f"Host {' '.join(host.name for host in hosts)}", *(f"  {key} {value}" for key, value in shared.items())]
    for host in hosts:
        lines += [f"Host {host.name}", f"  HostName {host.address}"]
    return "\n".join(lines) + "\n"


def inventory(folder: pathlib.Path, hosts: t.Sequence[Host], network: ipaddress.IPv4Network) -> str:
    """Return the inventory, YAML written as JSON: all machines in the group lab_machines, and in their own groups."""
    shared = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(folder / "id_ed25519"),
        "ansible_ssh_common_args": " ".join(f"-o {key}={value}" for key, value in _ssh_options(folder).items()),
        "ansible_control_path_dir": str(folder / "cp"),
        "ansible_ssh_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
        "lab_machines_virtual_address": str(network[VIRTUAL]),
    }
    children: dict[str, t.Any] = {GROUP: {"hosts": {}, "vars": shared}}
    for host in hosts:
        children[GROUP]["hosts"][host.name] = {"ansible_host": host.address, **host.variables}
        for group in host.groups:
            children.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    return json.dumps({"all": {"children": children}}, indent=2) + "\n"


def _ssh_options(folder: pathlib.Path) -> dict[str, str]:
    # A machine that lost its power says no goodbye.
    return {
        "UserKnownHostsFile": str(folder / "known_hosts"),
        "IdentitiesOnly": "yes",
        "ConnectTimeout": "5",
        "ServerAliveInterval": "3",
        "ServerAliveCountMax": "3",
    }


def rules_text(cuts: t.Iterable[t.Sequence[str]], interfaces: t.Mapping[str, str]) -> str:
    """Return the rules for nft that drop what pairs of machines send each other, whatever the protocol.

    interfaces: by a machine's name the bridge's end of its cable; one that is not booted has none.
    """
    drops = [
        f'    iifname "{interfaces[one]}" oifname "{interfaces[other]}" drop'
        for pair in cuts
        for one, other in (pair, reversed(pair))
        if one in interfaces and other in interfaces
    ]
    chain = ["  chain forward {", "    type filter hook forward priority 0; policy accept;", *drops, "  }"]
    return "\n".join(["table bridge lab", "delete table bridge lab", "table bridge lab {", *chain, "}"]) + "\n"
