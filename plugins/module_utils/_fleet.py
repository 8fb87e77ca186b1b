# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A run on several clusters: what became of each, as far as its modules' results and failures tell.

The report is {playbook, started, seconds, waves: sizes, totals: {result: count}, rows, retry}; a row is {host, result:
ok|failed|unreachable|untouched, playbook, wave, seconds, models, versions: {name: version}, findings: {errors,
warnings}, detail, record}, with plan and digest where one was written. Of an untouched cluster seconds is null.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._fleet_facts import cause, facts, is_unreachable
from ansible_collections.llm_d.orchestrator.plugins.module_utils._fleet_waves import Size, batches
from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import mask_text

OK, FAILED, UNREACHABLE, UNTOUCHED = "ok", "failed", "unreachable", "untouched"
RESULTS = (FAILED, UNREACHABLE, UNTOUCHED, OK)

Object = dict[str, t.Any]


@dataclasses.dataclass
class Seen:
    """What was seen of one cluster. begin, end: by the clock, of its first and of its last result."""

    begin: float
    end: float
    cause: str = ""
    unreachable: bool = False
    facts: Object = dataclasses.field(default_factory=dict)


class Fleet:
    """Gathers what becomes of each cluster."""

    def __init__(self, clock: t.Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.start = clock()
        self.hosts: dict[str, int] = {}
        self.waves: list[int] = []
        self.seen: dict[str, Seen] = {}

    def expect(self, hosts: t.Sequence[str], sizes: t.Sequence[Size]) -> None:
        """Take the hosts of a play, and the sizes of its waves; no sizes leave the waves as they are known."""
        for host in hosts:
            self.hosts.setdefault(host, 0)
        if sizes:
            groups = batches(sizes, hosts)
            self.waves = [len(group) for group in groups]
            self.hosts.update((host, number) for number, group in enumerate(groups, 1) for host in group)

    def begun(self, host: str) -> Seen:
        """Take that a host does something; return what is known of it."""
        now = self.clock()
        self.hosts.setdefault(host, 0)
        state = self.seen.setdefault(host, Seen(now, now))
        state.end = now
        return state

    def took(self, host: str, module: str, answer: Object) -> None:
        """Take what a module's result says of a host. Numbers add nothing to those of an earlier module but more."""
        state = self.begun(host)
        for name, value in facts(module, answer).items():
            known = state.facts.get(name)
            if isinstance(value, dict):
                state.facts[name] = {**(known or {}), **value}
            elif name == "models":
                state.facts[name] = list(dict.fromkeys([*(known or []), *value]))
            else:
                state.facts[name] = max(known or 0, value) if isinstance(value, int) else mask_text(value)

    def failed(self, host: str, component: str, message: str, unreachable: bool = False) -> None:
        """Take a failure; the first one is the cause, unless it was rescued."""
        state = self.begun(host)
        if not state.cause:
            text = mask_text(cause(message))
            state.unreachable = unreachable or is_unreachable(message)
            state.cause = text if state.unreachable or not component else f"{component}: {text}"

    @property
    def several(self) -> bool:
        """Return whether more than one host takes part."""
        return len(self.hosts) > 1

    def report(self, playbook: str, started: str, bad: t.Container[str]) -> Object:
        """Return the report. playbook: its name without path; started: when, as 20261121T083000Z; bad: failed hosts."""
        rows = [self._row(host, playbook, bad) for host in self.hosts]
        results = [row["result"] for row in rows]
        return {
            "playbook": playbook,
            "started": started,
            "seconds": round(self.clock() - self.start, 1),
            "waves": self.waves if len(self.waves) > 1 else [],
            "totals": {name: results.count(name) for name in RESULTS},
            "rows": rows,
            "retry": "",
        }

    def _row(self, host: str, playbook: str, bad: t.Container[str]) -> Object:
        state = self.seen.get(host)
        found = state.facts if state else {}
        result = UNTOUCHED
        if state:
            result = OK if host not in bad else UNREACHABLE if state.unreachable else FAILED
        detail = found.get("detail", "")
        if state and result != OK:
            detail = found.get("diagnosis") or state.cause or "ended by the failure of another cluster"
        return {
            "host": host,
            "result": result,
            "playbook": playbook,
            "wave": self.hosts[host] if len(self.waves) > 1 else 1,
            "seconds": round(state.end - state.begin, 1) if state else None,
            "models": found.get("models", []),
            "versions": found.get("versions", {}),
            "findings": {name: found.get(name, 0) for name in ("errors", "warnings")},
            "detail": detail,
            "record": found.get("record", ""),
            **{name: found[name] for name in ("plan", "digest") if name in found},
        }


def to_retry(report: Object) -> list[str]:
    """Return the hosts that a retry concerns, in the inventory's order: failed, unreachable and untouched ones."""
    return [row["host"] for row in report["rows"] if row["result"] != OK]
