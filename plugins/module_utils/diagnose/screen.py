# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis as one screen: what fails, why, what was left, what to do, and the command that continues."""

from __future__ import annotations

import textwrap
import typing as t

from ..base.cancel import CANCELLED
from ..base.data import Object
from ..base.events import DONE, FAILED
from ..base.words import duration, listed, plural

WIDTH = 118
# Lines of the whole screen, and causes that are shown in full.
LINES, CAUSES = 44, 6
OBJECTS = 3
# The line that decides is shown whole: what has more lines than this is no line of a program.
WHOLE = 16
PAD = "       "
_COUNTED = ("Pod", "Deployment", "Gateway", "HTTPRoute", "InferencePool")


def screen(result: Object, *, state: t.Sequence[str] = (), command: str = "") -> list[str]:
    """Return the lines. result: of diagnose(); state: a line for each component; command: the one that continues."""
    causes = result["causes"]
    errors = [cause for cause in causes if cause["severity"] == "error"]
    lines = [_head(result, errors)]
    tail = _tail(result, state, command)
    shown = 0
    for cause in causes[:CAUSES]:
        block = _block(shown + 1, cause)
        if shown and len(lines) + len(block) + len(tail) > LINES:
            break
        lines += block
        shown += 1
    if shown < len(causes):
        rest = [f"{cause['id']} {cause['title']} ({_subjects(cause, 1)})" for cause in causes[shown:]]
        lines += [f"and {len(rest)} more: " + "; ".join(rest)[: WIDTH * 2]]
    return [*lines, *_raw(result, LINES - len(lines) - len(tail)), *tail]


def _head(result: Object, errors: list[Object]) -> str:
    places = result.get("namespaces") or [result["namespace"]]
    where = f"Namespace{'s' * (len(places) > 1)} {', '.join(places)}"
    if errors:
        return f"{where}: {plural(len(errors), 'cause')} of failure"
    counted = result.get("counts") or {}
    looked = ", ".join(plural(counted[kind], kind) for kind in _COUNTED if counted.get(kind))
    if result["causes"]:
        return f"{where}: nothing has failed; to be noted:"
    if not result["healthy"]:
        return f"{where}: the cluster cannot be asked"
    limits = ", as far as could be seen" if result["unseen"] else ""
    if _open(result):
        # What objects say is not what requests get.
        return f"{where}: its objects show no failure{limits} ({looked}); requests are another matter"
    answered = f"; {plural(len(result['requests']), 'pool')} answered a request" if result["requests"] else ""
    return f"{where}: nothing is wrong{limits} ({looked or 'it is empty'}){answered}"


def _open(result: Object) -> str:
    """Return why it is not known whether the pools of a namespace without a cause serve, "" where it is."""
    if result["causes"] or not result["healthy"]:
        return ""
    unanswered = [one["text"] for one in result["requests"] if not one["served"]]
    left = (result.get("counts") or {}).get("InferencePool", 0) - len(result["requests"])
    untried = [f"none was sent to {plural(left, 'pool')}"] if left > 0 else []
    return "; ".join([*unanswered, *untried])


def _block(number: int, cause: Object) -> list[str]:
    mark = "" if cause["severity"] == "error" else " (warning)"
    title = f"{number}. {cause['id']} {cause['title']}{mark}"
    component = f" [{cause['component']}]" if cause["component"] else ""
    since = cause["seconds_since_first"]
    ago = f", since {duration(since)}" if since is not None else ""
    lines = [f"{title}{component}", *_wrap("what", _subjects(cause, OBJECTS) + ago)]
    for text, limit in zip(cause["evidence"], (WHOLE, 4), strict=False):
        lines += _wrap("why", text, limit)
    lines += _wrap("do", cause["remedy"], 3)
    if cause["explains"]:
        lines += _wrap("hence", ", ".join(cause["explains"][:OBJECTS]) + _more(len(cause["explains"])), 2)
    return lines


def _subjects(cause: Object, shown: int) -> str:
    return ", ".join(cause["objects"][:shown]) + _more(cause["count"], shown)


def _more(count: int, shown: int = OBJECTS) -> str:
    return f" and {count - shown} more" if count > shown else ""


def _wrap(label: str, text: str, limit: int = 2) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - len(PAD) - 4, break_on_hyphens=False) or [""]
    if len(lines) > limit:
        lines = [*lines[: limit - 1], lines[limit - 1] + " …"]
    head = f"   {label}:".ljust(len(PAD) + 3)
    return [head + line if index == 0 else " " * len(head) + line for index, line in enumerate(lines)]


def _raw(result: Object, room: int) -> list[str]:
    """Return what no rule knows, the last lines of each row, whole, as far as there is room."""
    rows = [(row, [*row.get("events", []), *row.get("log", [])]) for row in result["evidence"]]
    told = [(row, texts) for row, texts in rows if texts]
    lines: list[str] = []
    for index, (row, texts) in enumerate(told):
        share = (room - len(lines)) // (len(told) - index) - 1
        shown: list[str] = []
        for text in reversed(texts):
            block = [f"     | {line}" for line in textwrap.wrap(text, WIDTH - 8, break_on_hyphens=False)]
            if len(block) + len(shown) > share:
                break
            shown = block + shown
        lines += [f"   {row['object']} says:", *shown] if shown else []
    return lines


def _tail(result: Object, state: t.Sequence[str], command: str) -> list[str]:
    lines = _wrap("requests", why, 4) if (why := _open(result)) else []
    lines += ["State:", *(f"   {text}" for text in state)] if state else []
    if result["unseen"]:
        first = "; ".join(result["unseen"][:3])
        lines += [f"Not seen: {first}"[: WIDTH * 2] + _more(len(result["unseen"]))]
    if command:
        lines += ["Then continue with:", f"   {command}"]
    return lines


_ORDER = ("failed", "cancelled", "not ended", "done")
_WORDS = {"done": "deployed and ready", "not ended": "begun, not ended"}


def component_states(
    components: t.Sequence[str], settled: t.Container[str], events: t.Iterable[Object], failed: t.Container[str] = ()
) -> list[str]:
    """Return one line for each component, in order.

    settled: those that were as wanted before the run; events: the run's timed steps; failed: components that failed
    without a step of theirs.
    """
    rows: dict[str, dict[str, Object]] = {name: {} for name in components}
    for event in events:
        if event.get("component") in rows:
            rows[event["component"]][str(event.get("name") or event["component"])] = event
    return [f"{name}: {_line(rows[name], name in settled, name in failed)}" for name in components]


def _line(names: dict[str, Object], settled: bool, failed: bool) -> str:
    if not names:
        return "failed" if failed else "as wanted before, unchanged" if settled else "not started"
    groups: dict[str, list[str]] = {}
    for name, event in names.items():
        groups.setdefault(_state(event), []).append(name)
    parts = []
    for state in _ORDER:
        if state in groups:
            parts.append(f"{_WORDS.get(state, state)}: {listed(groups[state], 4)}")
    return "; ".join(parts)


def _state(event: Object) -> str:
    if event.get("status") == FAILED:
        return "cancelled" if CANCELLED in str(event.get("detail")) else "failed"
    ended = event.get("status") == DONE and event.get("step") != "install"
    return "done" if ended else "not ended"
