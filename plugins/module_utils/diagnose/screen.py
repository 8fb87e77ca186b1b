# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis as lines: what was left, what fails, why, what to do, and last the command that continues."""

from __future__ import annotations

import textwrap
import typing as t

from ..base.cancel import CANCELLED
from ..base.data import Object
from ..base.events import DONE, FAILED
from ..base.words import duration, listed, plural, wrapped

WIDTH = 118
# Lines of what no rule knows, where there is no cause.
RAW = 24
OBJECTS = 3
LABEL = 12
PAD = " " * 3
_COUNTED = ("Pod", "Deployment", "Gateway", "HTTPRoute", "InferencePool")
CONTINUE = "Then run again:"


def screen(result: Object, *, state: t.Sequence[str] = (), command: str = "", width: int = WIDTH) -> list[str]:
    """Return the lines. result: of diagnose(); state: a line for each component; command: the one that continues.

    Causes come last and whole, the first one first: what scrolls away is what matters less.
    """
    lines = [*wrapped(_head(result), width), *left_lines(result, state, width)]
    lines += causes_lines(result, width) if result["causes"] else _raw(result, width)
    return [*lines, CONTINUE, f"{PAD}{command}"] if command else lines


def left_lines(result: Object, state: t.Sequence[str], width: int) -> list[str]:
    """Return what was left of each component, and what could not be looked at."""
    lines = _labelled("requests", why, width) if (why := _open(result)) else []
    lines += ["State:", *(line for text in state for line in wrapped(text, width, PAD))] if state else []
    if result["unseen"]:
        lines += wrapped(f"Not seen: {'; '.join(result['unseen'])}", width)
    return lines


def causes_lines(result: Object, width: int) -> list[str]:
    """Return every cause, in full."""
    return [line for number, cause in enumerate(result["causes"], 1) for line in _block(number, cause, width)]


def _head(result: Object) -> str:
    errors = [cause for cause in result["causes"] if cause["severity"] == "error"]
    places = result.get("namespaces") or [result["namespace"]]
    where = f"Namespace{'s' * (len(places) > 1)} {', '.join(places)}"
    if errors:
        return f"{where}: {plural(len(errors), 'cause')} of failure"
    counted = result.get("counts") or {}
    looked = ", ".join(plural(counted[kind], kind) for kind in _COUNTED if counted.get(kind))
    if result["causes"]:
        return f"{where}: nothing has failed; warnings:"
    if not result["healthy"]:
        return f"{where}: cannot reach the cluster"
    limits = ", as far as could be read" if result["unseen"] else ""
    if _open(result):
        # What objects say is not what requests get.
        return f"{where}: its objects show no failure{limits} ({looked}); requests were not checked"
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


def _block(number: int, cause: Object, width: int) -> list[str]:
    mark = "" if cause["severity"] == "error" else " (warning)"
    title = f"{number}. {cause['id']} {cause['title']}{mark}"
    component = f" [{cause['component']}]" if cause["component"] else ""
    since = cause["seconds_since_first"]
    ago = f", since {duration(since)}" if since is not None else ""
    lines = [*wrapped(f"{title}{component}", width), *_labelled("what", _subjects(cause, OBJECTS) + ago, width)]
    if cause["explains"]:
        affected = ", ".join(cause["explains"][:OBJECTS]) + _more(len(cause["explains"]))
        lines += _labelled("affects", affected, width)
    for text in cause["evidence"]:
        lines += _labelled("why", text, width)
    if cause.get("places"):
        lines += _labelled("where", ", ".join(cause["places"]), width)
    return [*lines, *_labelled("do", cause["remedy"], width)]


def _subjects(cause: Object, shown: int) -> str:
    return ", ".join(cause["objects"][:shown]) + _more(cause["count"], shown)


def _more(count: int, shown: int = OBJECTS) -> str:
    return f" and {count - shown} more" if count > shown else ""


def _labelled(label: str, text: str, width: int) -> list[str]:
    head = f"{PAD}{label}:".ljust(LABEL)
    return textwrap.wrap(" ".join(text.split()), width, initial_indent=head, subsequent_indent=" " * LABEL,
                         break_long_words=False, break_on_hyphens=False) or [head.rstrip()]  # fmt: skip


def _raw(result: Object, width: int) -> list[str]:
    """Return what no rule knows, the last lines of each row, whole, as far as there is room."""
    rows = [(row, [*row.get("events", []), *row.get("log", [])]) for row in result["evidence"]]
    told = [(row, texts) for row, texts in rows if texts]
    lines: list[str] = []
    for index, (row, texts) in enumerate(told):
        share = (RAW - len(lines)) // (len(told) - index) - 1
        shown: list[str] = []
        for text in reversed(texts):
            block = [f"     | {line}" for line in textwrap.wrap(text, width - 8, break_on_hyphens=False)]
            if len(block) + len(shown) > share:
                break
            shown = block + shown
        lines += [f"   {row['object']} says:", *shown] if shown else []
    return lines


_ORDER = ("failed", "cancelled", "not finished", "done")
_WORDS = {"done": "ready", "not finished": "started, not finished"}
_FAILED, _READY, _NOT_STARTED = "failed", "ready", "not started"


def component_states(
    components: t.Sequence[str], settled: t.Container[str], events: t.Iterable[Object], failed: t.Container[str] = ()
) -> list[str]:
    """Return a line for each component that did something, in order, and one for all others of each state.

    settled: those that were ready before the run, or became so in an earlier wave; events: the run's timed steps;
    failed: components that failed without a step of theirs.
    """
    rows: dict[str, dict[str, Object]] = {name: {} for name in components}
    for event in events:
        if event.get("component") in rows:
            rows[event["component"]][str(event.get("name") or event["component"])] = event
    alike: dict[str, list[str]] = {_FAILED: [], _READY: [], _NOT_STARTED: []}
    for name in (name for name in components if not rows[name]):
        alike[_FAILED if name in failed else _READY if name in settled else _NOT_STARTED].append(name)
    lines = [f"{name}: {_line(names)}" for name, names in rows.items() if names]
    return lines + [f"{state}: {', '.join(names)}" for state, names in alike.items() if names]


def _line(names: dict[str, Object]) -> str:
    groups: dict[str, list[str]] = {}
    for name, event in names.items():
        groups.setdefault(_state(event), []).append(name)
    # By name, as they began in whatever order.
    return "; ".join(
        f"{_WORDS.get(state, state)}: {listed(sorted(groups[state]), 4)}" for state in _ORDER if state in groups
    )


def _state(event: Object) -> str:
    if event.get("status") == FAILED:
        return "cancelled" if CANCELLED in str(event.get("detail")) else "failed"
    ended = event.get("status") == DONE and event.get("step") != "install"
    return "done" if ended else "not finished"
