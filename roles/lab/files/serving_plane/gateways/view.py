# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One consistent reading of the snapshot: Gateways of ours, attached routes, and their routing tables."""

from __future__ import annotations

from dataclasses import dataclass

from ..cluster.snapshot import Object, Snapshot
from .attachment import Attachment, attachments
from .classes import ManagedGateway, managed_gateways
from .hostnames import covers, specificity
from .matching import Entry, entries, precedence


@dataclass(frozen=True)
class Table:
    """The routing table of one listener, first entry first."""

    hostname: str | None
    entries: list[Entry]


class View:
    """What the data plane routes by."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.gateways: dict[tuple[str, str], ManagedGateway] = managed_gateways(snapshot)
        self.attached: list[Attachment] = attachments(snapshot, self.gateways)
        self._tables: dict[tuple[str, int], list[Table]] = {}
        self._named: dict[str, dict[str, Entry]] = {}

    def by_uid(self, uid: str) -> ManagedGateway | None:
        """A Gateway of ours by its uid."""
        return next((item for item in self.gateways.values() if item.uid == uid), None)

    def tables(self, gateway: ManagedGateway, port: int) -> list[Table]:
        """The tables of a Gateway's HTTP listeners on a port, the narrowest host name first."""
        key = (gateway.uid, port)
        if key not in self._tables:
            on_port = [item for item in gateway.listeners if item["port"] == port and item["protocol"] == "HTTP"]
            made = [Table(item.get("hostname"), self._entries(gateway, item["name"])) for item in on_port]
            self._tables[key] = sorted(made, key=lambda table: specificity(table.hostname), reverse=True)
        return self._tables[key]

    def _entries(self, gateway: ManagedGateway, listener: str) -> list[Entry]:
        found = [
            entry for item in self._accepted(gateway) if listener in item.listeners for entry in entries(item.route)
        ]
        return sorted(found, key=precedence)

    def _accepted(self, gateway: ManagedGateway) -> list[Attachment]:
        return [item for item in self.attached if item.accepted and item.gateway.uid == gateway.uid]

    def listener_table(self, gateway: ManagedGateway, port: int, host: str) -> Table | None:
        """The table of the one listener that takes a host name."""
        return next((table for table in self.tables(gateway, port) if covers(table.hostname, host)), None)

    def asking(self, gateway: ManagedGateway, entry: Entry) -> Entry:
        """The entry whose pool's picker is asked for a request of this one: for Istio the newest rule of that name."""
        name = entry.rule.get("name")
        if not name or not gateway.implementation.finds_picker_by_rule_name:
            return entry
        if gateway.uid not in self._named:
            self._named[gateway.uid] = self._newest_by_name(gateway)
        return self._named[gateway.uid].get(name, entry)

    def _newest_by_name(self, gateway: ManagedGateway) -> dict[str, Entry]:
        everything = [entry for item in self._accepted(gateway) for entry in entries(item.route)]
        newest: dict[str, Entry] = {}
        for entry in sorted(everything, key=_age):
            if entry.rule.get("name") and pool_refs(entry.rule):
                newest[entry.rule["name"]] = entry
        return newest


def _age(entry: Entry) -> tuple[str, str, str]:
    meta = entry.route["metadata"]
    return meta.get("creationTimestamp", ""), meta["namespace"], meta["name"]


def pool_refs(rule: Object) -> list[Object]:
    """The backendRefs of a rule that are InferencePools."""
    return [ref for ref in rule.get("backendRefs") or [] if ref.get("kind") == "InferencePool"]
