# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A run on several clusters: what became of each, as far as its modules' results and failures tell.

The report is {playbook, started, seconds, waves: sizes, totals: {result: count}, rows, retry}; a row is {host, result:
ok|failed|unreachable|untouched, playbook, wave, seconds, models, versions: {name: version}, findings: {errors,
warnings}, detail, cause, record}, with plan and digest where one was written. Of an untouched cluster seconds is null.
cause: all that was said of a failure.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ..base.data import Object
from ..base.errors import told
from ..base.mask import mask_text
from ..components.gateway import gateway_of
from ..plan.screen import counts_text
from .progress import MESSAGE_LIMIT, routers
from .targets import Size, batches

OK, FAILED, UNREACHABLE, UNTOUCHED = "ok", "failed", "unreachable", "untouched"
# What a cluster's Gateway is, among the versions.
PROVIDER = "gateway"
RESULTS = (FAILED, UNREACHABLE, UNTOUCHED, OK)


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
        # What a host is.
        self.kind = "cluster"
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
            state.unreachable = unreachable
            state.cause = text if state.unreachable or not component else f"{component}: {text}"

    @property
    def several(self) -> bool:
        """Return whether more than one host takes part."""
        return len(self.hosts) > 1

    def report(
        self, playbook: str, started: str, bad: t.Container[str], causes: t.Mapping[str, str] | None = None
    ) -> Object:
        """Return the report. playbook: its name without path; started: when, as 20261121T083000Z; bad: failed hosts.

        causes: what was said of each of these, in full.
        """
        rows = [self._row(host, playbook, bad, (causes or {}).get(host, "")) for host in self.hosts]
        results = [row["result"] for row in rows]
        return {
            "playbook": playbook,
            "started": started,
            "kind": self.kind,
            "seconds": round(self.clock() - self.start, 1),
            "waves": self.waves if len(self.waves) > 1 else [],
            "totals": {name: results.count(name) for name in RESULTS},
            "rows": rows,
            "retry": "",
        }

    def _row(self, host: str, playbook: str, bad: t.Container[str], cause: str) -> Object:
        state = self.seen.get(host)
        found = state.facts if state else {}
        result = UNTOUCHED
        if state:
            result = OK if host not in bad else UNREACHABLE if state.unreachable else FAILED
        detail = "; ".join(filter(None, [found.get("detail", ""), found.get("left", "")]))
        if state and result != OK:
            detail = found.get("diagnosis") or state.cause or f"stopped by the failure of another {self.kind}"
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
            "cause": cause,
            "remedy": found.get("remedy", "") if result != OK else "",
            "record": found.get("record", ""),
            **{name: found[name] for name in ("plan", "digest") if name in found},
        }


def to_retry(report: Object) -> list[str]:
    """Return the hosts that a retry concerns, in the inventory's order: failed, unreachable and untouched ones."""
    return [row["host"] for row in report["rows"] if row["result"] != OK]


def facts(module: str, answer: Object) -> Object:
    """Return what a module's result says.

    That is any of models, versions, errors, warnings, detail, diagnosis, remedy, record, plan and digest.

    module: a name without its collection; of other modules nothing is taken. answer: the result, which may be that of a
    failure, or censored.
    """
    read = READERS.get(module)
    return {key: value for key, value in read(answer).items() if value} if read else {}


def _planned(answer: Object) -> Object:
    stack, plan, found = (answer.get(key) or {} for key in ("stack", "plan", "findings"))
    levels = [row.get("severity") for row in found or [] if isinstance(row, dict)]
    charts = {str(row.get("name")): str(row.get("version")) for row in plan.get("charts") or []}
    gateway = gateway_of(stack).get("provider")
    return {
        "models": [str(row.get("name")) for row in stack.get("models") or []],
        "versions": {
            name: str(value)
            for name, value in {"Kubernetes": stack.get("kubernetes"), PROVIDER: gateway, **charts}.items()
            if value
        },
        "errors": levels.count("error"),
        "warnings": levels.count("warning"),
        "detail": counts_text(plan) if plan else "",
    }


def _served(answer: Object) -> Object:
    models = answer.get("models") or []
    good = sum(bool(row.get("ok")) for row in models)
    texts = [f"{good} of {len(models)} models answer"] if models else []
    texts += [f"{name}: {text}" for name, text, _good in routers(answer.get("classes") or [])]
    return {
        "models": [str(row.get("name")) for row in models],
        "warnings": len(answer.get("notes") or []),
        "detail": "; ".join(texts),
    }


def _status(answer: Object) -> Object:
    if "healthy" not in answer:
        return {}
    rows = answer.get("rows") or []
    drifted = sum(row.get("drift") not in ("", "leftover", None) for row in rows)
    bad, left = sum(row.get("ready") is False for row in rows), len(answer.get("leftovers") or [])
    health = "healthy" if answer["healthy"] else f"{bad} not ready" if answer.get("deployed") else "nothing deployed"
    record = answer.get("record") or {}
    return {
        "models": [str(name) for name in record.get("models") or []],
        "versions": _recorded_versions(record),
        "errors": bad,
        "warnings": drifted + len(answer.get("unseen") or []),
        "detail": f"{health}, {drifted} drifted" if drifted else health,
        "left": f"{left} left over" if left else "",
    }


def _recorded_versions(record: Object) -> Object:
    kubernetes, charts = (record.get("versions") or {}).get("kubernetes"), record.get("charts") or {}
    return {name: str(value) for name, value in {"Kubernetes": kubernetes, **charts}.items() if value}


def _removed(answer: Object) -> Object:
    removed, kept = len(answer.get("removed") or []), len(answer.get("kept") or [])
    text = f"{removed} removed, {kept} kept" if kept else f"{removed} removed"
    return {"detail": text if removed or kept else "nothing to remove", "warnings": len(answer.get("left") or [])}


def _diagnosed(answer: Object) -> Object:
    causes = answer.get("causes") or []
    if not causes:
        return {}
    first = causes[0]
    said = [first.get("component"), first.get("title"), *(first.get("evidence") or [])[:1]]
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    text = ": ".join(" ".join(str(part).split()) for part in said if part)[:MESSAGE_LIMIT]
    return {"diagnosis": text + more, "remedy": " ".join(str(first.get("remedy") or "").split())[:MESSAGE_LIMIT]}


def _written(answer: Object) -> Object:
    return {"plan": answer.get("path"), "digest": answer.get("digest")} if answer.get("files") else {}


def _recorded(answer: Object) -> Object:
    left = len((answer.get("summary") or {}).get("leftovers") or [])
    return {"record": answer["path"] if answer.get("files") else "", "left": f"{left} no longer wanted" if left else ""}


READERS: dict[str, t.Callable[[Object], Object]] = {
    "stack_info": _planned,
    "serving_info": _served,
    "stack_status": _status,
    "stack_teardown": _removed,
    "stack_diagnosis": _diagnosed,
    "deployment_plan": _written,
    "deployment_record": _recorded,
}


def cause(message: str) -> str:
    """Return a failure in one line: its first detail where it has some, as what stands above only counts them."""
    first, details = told(message)
    if not details:
        return " ".join((first or "no message").split())[:MESSAGE_LIMIT]
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return " ".join(details[0].split())[:MESSAGE_LIMIT] + more


def is_unreachable(answer: Object) -> bool:
    """Return whether a module failed, or one of the jobs that it tells of, as the cluster does not answer."""
    jobs = answer.get("results")
    answers = [answer, *(jobs.values() if isinstance(jobs, dict) else ())]
    return any(one.get("unreachable_cluster") for one in answers)
