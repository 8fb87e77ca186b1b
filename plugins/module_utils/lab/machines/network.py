# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's network: a bridge in a network namespace of its own, one cable to the controller, and the way outside."""

from __future__ import annotations

import ipaddress
import json
import pathlib
import typing as t

from . import layout
from .programs import run, succeeds

BRIDGE, UPLINK = "br0", "up0"
NAMESPACES = pathlib.Path("/run/netns")
FORWARDING = "/proc/sys/net/ipv4/conf/{}/forwarding"


class Network:
    """The network of one lab. folder: where all labs are; it keeps which interfaces forward for their sake."""

    def __init__(self, lab: str, folder: pathlib.Path) -> None:
        self.namespace = f"lab-{lab}"
        self.table = f"lab_{lab.replace('-', '_')}"
        self.cable = layout.cable(lab)
        self.opened = folder / ".forwarding"

    @property
    def path(self) -> pathlib.Path:
        """Where the namespace is mounted."""
        return NAMESPACES / self.namespace

    def ip(self, *words: str) -> str:
        """Run ip in the lab's namespace and return what it printed."""
        return run(["ip", "-n", self.namespace, *words])

    def inside(self, *line: str) -> list[str]:
        """Return a command that runs in the namespace. 'ip netns exec' would hide the cgroups from nspawn."""
        return ["nsenter", f"--net={self.path}", *line]

    def there(self) -> bool:
        """Say whether bridge and cable are up."""
        cable = ["ip", "link", "show", "dev", self.cable, "up"]
        bridge = ["ip", "-n", self.namespace, "link", "show", "dev", BRIDGE]
        return self.path.exists() and succeeds(bridge) and succeeds(cable) and bool(run(cable))

    def make(self, network: ipaddress.IPv4Network) -> None:
        """Make bridge and cable anew."""
        self.remove()
        run(["ip", "netns", "add", self.namespace])
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", BRIDGE, "type", "bridge")
        self.ip("link", "set", BRIDGE, "up")
        run(["ip", "link", "add", self.cable, "type", "veth", "peer", "name", UPLINK, "netns", self.namespace])
        self.ip("link", "set", UPLINK, "master", BRIDGE, "up")
        run(["ip", "address", "add", f"{network[layout.GATEWAY]}/{network.prefixlen}", "dev", self.cable])
        run(["ip", "link", "set", self.cable, "up"])

    def open(self, network: ipaddress.IPv4Network) -> None:
        """Let the machines reach what the controller reaches: package mirrors."""
        text = f"""table ip {self.table}
delete table ip {self.table}
table ip {self.table} {{
  chain postrouting {{
    type nat hook postrouting priority 100; policy accept;
    ip saddr {network} oifname != "{self.cable}" masquerade
  }}
}}
"""
        run(["nft", "-f", "-"], text)
        for name in [self.cable, *_ways_out()]:
            switch = pathlib.Path(FORWARDING.format(name))
            if switch.read_text(encoding="ascii").strip() == "0":
                switch.write_text("1", encoding="ascii")
                if name != self.cable:
                    with self.opened.open("a", encoding="utf-8") as stream:
                        stream.write(f"{name}\n")

    def close(self) -> None:
        """Undo what was done for the way outside once no lab is left."""
        for name in self.opened.read_text(encoding="utf-8").split() if self.opened.exists() else ():
            switch = pathlib.Path(FORWARDING.format(name))
            if switch.exists():
                switch.write_text("0", encoding="ascii")
        self.opened.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the lab's network; a missing one is fine."""
        if succeeds(["nft", "list", "table", "ip", self.table]):
            run(["nft", "delete", "table", "ip", self.table])
        if succeeds(["ip", "link", "show", "dev", self.cable]):
            run(["ip", "link", "delete", self.cable])
        if self.path.exists():
            run(["ip", "netns", "delete", self.namespace])

    def interfaces(self, machines: t.Mapping[str, str]) -> dict[str, str]:
        """Return by a machine's name the bridge's end of its cable. machines: name to nspawn's name."""
        found = {}
        for one in json.loads(self.ip("-json", "link", "show", "master", BRIDGE) or "[]"):
            for name in (one["ifname"], *one.get("altnames", ())):
                found[name] = one["ifname"]
        return {name: found[f"vb-{full}"] for name, full in machines.items() if f"vb-{full}" in found}

    def cut(self, cuts: t.Iterable[t.Sequence[str]], machines: t.Mapping[str, str]) -> None:
        """Drop what these pairs of machines send each other, and nothing else."""
        run(self.inside("nft", "-f", "-"), layout.rules_text(cuts, self.interfaces(machines)))


def taken() -> list[ipaddress.IPv4Network]:
    """Return the networks that this machine has a way to."""
    return layout.networks_in(json.loads(run(["ip", "-4", "-json", "route", "show", "table", "all"]) or "[]"))


def _ways_out() -> list[str]:
    routes = json.loads(run(["ip", "-4", "-json", "route", "show", "default"]) or "[]")
    return sorted({str(one["dev"]) for one in routes if "dev" in one})
