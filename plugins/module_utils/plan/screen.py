# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan on the screen: what happens, what is missing, and the command that comes next."""

from __future__ import annotations

import collections
import functools
import itertools
import textwrap

from ..base.data import Object
from ..base.mask import mask_text
from ..base.words import plural
from ..capacity.held import held_text
from .document import (
    changes,
    cluster_text,
    counts,
    decisions,
    extra_vars,
    finding_line,
    grant,
    grants,
    is_pruned,
    left_text,
    missing_consents,
    object_text,
    open_questions,
    order_text,
)
from .file import masked_plan
from .page import capacity_lines

# More than so many rows of a section are counted, not listed; the page has them all.
ROWS = 12
# So many releases of one row are named.
NAMED = 3
# So many changes of one row are told.
CHANGES = 3
# A space at which no line ends, and up to which length a change stays whole.
SOLID, WHOLE = "\N{NO-BREAK SPACE}", 48
# More rows than these of one action are collapsed by component.
MANY = 6
WIDTH = 10
# What is left of a terminal's 80 columns beside the titles.
COLUMNS = 68
# The same beside phase and time.
ROOM = 58
WORDS = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}


def summary(plan: Object, *, name: str = "", files: Object | None = None, command: str = "") -> list[str]:
    """Return the lines of a plan.

    name: the inventory host; files: {path, page, written}, where the plan lies; command: what deploys it.
    """
    where = f" for {name}" if name else ""
    lines = [f"Plan{where}: namespace {plan.get('namespace')} on {cluster_text(plan)}", "  " + counts_text(plan)]
    lines += _section("", proposal(plan), limit=0)
    lines += _section("charts", _charts(plan))
    if changes(plan):
        lines += _section("order", list(filter(None, [order_text(plan)])))
    lines += _section("capacity", capacity_lines(plan.get("capacity") or {}))
    lines += _section(
        "warnings", [finding_line(item) for item in plan.get("findings") or []] + list(plan.get("notes") or [])
    )
    lines += _section("leftovers", _leftovers(plan), limit=0)
    lines += _section("questions", _questions(plan), limit=0)
    lines += _section("consents", _consents(plan), limit=0)
    lines += _section("digest", [str(plan.get("digest") or "")])
    lines += _section("plan", _files(files or {}))
    lines += _section("next", _next(plan, command), limit=0)
    return [mask_text(line) for line in lines]


def counts_text(plan: Object) -> str:
    """Return in one line how many objects are made, changed and lost."""
    found = counts(plan)
    if not changes(plan):
        return f"Nothing would change: all {found['reuse']} objects are up to date."
    left = 0 if is_pruned(plan) else sum(bool(action.get("unwanted")) for action in plan.get("actions") or [])
    found["delete"] -= left
    parts = [f"{found[name]} {word}" for name, word in WORDS.items() if found[name]]
    parts += [f"{left} no longer wanted"] if left else []
    return ", ".join([*parts, *([f"{found['reuse']} unchanged"] if found["reuse"] else [])])


def proposal(plan: Object, width: int = COLUMNS) -> list[str]:
    """Return what changes, a row a release, each within so many columns."""
    wrap = functools.partial(
        textwrap.wrap, width=width, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
    )
    return [part.replace(SOLID, " ") for row in _actions(plan) for part in wrap(row)]


def difference(plan: Object) -> list[str]:
    """Return the whole differences of what is changed or replaced, each below its object, without secrets."""
    lines: list[str] = []
    for action in masked_plan(plan).get("actions") or []:
        if action.get("diff"):
            # The first two lines only name the sides.
            lines += [f"{action['action']} {object_text(action)}", *action["diff"].rstrip("\n").split("\n")[2:]]
    return lines


def _whole(text: str) -> str:
    """Return a change that stays on one line, unless it is a long one."""
    return text.replace(" ", SOLID) if len(text) <= WHOLE else text


def _leftovers(plan: Object) -> list[str]:
    """Return what is no longer wanted, and what becomes of it."""
    rows = plan.get("leftovers") or []
    if not rows:
        return []
    deleted = any(action.get("unwanted") for action in plan.get("actions") or [])
    fate = "they are deleted once the rest serves"
    if not deleted:
        fate = "they stay: llm_d_prune is false"
    elif not is_pruned(plan):
        fate = "deleted when this plan is deployed, or with -e llm_d_prune=true, once the rest serves; else they stay"
    return [*_cut([left_text(row) for row in rows], ROWS), fate]


def remaining(rows: list[Object]) -> list[str]:
    """Return what is still there though nothing asks for it any more. rows: leftovers of a plan, at least one."""
    devices: collections.Counter[str] = collections.Counter()
    for row in rows:
        devices.update(row.get("devices") or {})
    pods = sum(row.get("pods") or 0 for row in rows)
    what = plural(len(rows), "object is", "objects are") + " no longer in the inventory but still there"
    held = held_text({"pods": pods, "devices": devices})
    shown = [f"  {left_text(row)}" for row in rows[:ROWS]]
    shown += [f"  ... and {len(rows) - ROWS} more"] if len(rows) > ROWS else []
    return [f"{what}{f' ({held})' if held else ''}:", *shown, "Delete them with:"]


def unwanted_lines(plan: Object, cluster: str) -> list[str]:
    """Return what is deleted where somebody consents, as it is asked; no lines where there is nothing."""
    asked = [one["what"] for one in plan.get("consents") or [] if one["kind"] == "prune" and not one["granted"]]
    return [f"No longer wanted on {cluster}:", *(f"  {what}" for what in asked)] if asked else []


def _section(title: str, rows: list[str], limit: int = ROWS) -> list[str]:
    """Return rows beside their title; no lines where there are no rows."""
    return [f"  {(title if not index else ''):<{WIDTH}}{row}".rstrip() for index, row in enumerate(_cut(rows, limit))]


def _cut(rows: list[str], limit: int) -> list[str]:
    """Return so many rows, the last of which counts those that are left out; limit: 0 for all."""
    return rows if not limit or len(rows) <= limit else [*rows[: limit - 1], f"... and {len(rows) - limit + 1} more"]


def _actions(plan: Object) -> list[str]:
    """Return what changes: a row a release, or a component where there are many; what is lost stands first."""
    rows: list[str] = []
    for name in ("delete", "replace", "update", "create"):
        found = [action for action in changes(plan) if action["action"] == name]
        own = [action for action in found if not action.get("unwanted")]
        named = [f"{name:<8}{_lost(item)}" for item in own] if name in ("delete", "replace") else _releases(name, own)
        rows += _releases(name, own, collapsed=True) if len(named) > MANY else named
        left = [action for action in found if action.get("unwanted")]
        rows += _releases(name, left, collapsed=len(_releases(name, left)) > MANY)
    return rows


def _lost(action: Object) -> str:
    """Return an object that is replaced or deleted, with the reason."""
    head = " ".join(filter(None, [action.get("component"), action.get("release")]))
    changed = f" ({_first(action['changes'])})" if action.get("changes") else ""
    return f"{head}: {object_text(action)}{changed}" + (f", {action['why']}" if action.get("why") else "")


def _first(texts: list[str]) -> str:
    """Return the first changes, and how many more there are."""
    more = f", and {len(texts) - CHANGES} more" if len(texts) > CHANGES else ""
    return ", ".join(texts[:CHANGES]) + more


def _releases(name: str, actions: list[Object], *, collapsed: bool = False) -> list[str]:
    """Return what one action concerns, by release, or collapsed by component: kinds, of an update the fields too."""
    groups: dict[str, list[Object]] = {}
    for action in actions:
        component, release = str(action.get("component") or ""), str(action.get("release") or "")
        key = component if collapsed else " ".join(dict.fromkeys(filter(None, [component, release])))
        groups.setdefault(key, []).append(action)
    say = _fields_text if name == "update" else _kinds_text
    # What is the same for several releases of a component is said once.
    same: dict[tuple[str, str], list[str]] = {}
    for key, found in groups.items():
        same.setdefault((key.partition(" ")[0], say(found)), []).append(key)
    rows = []
    for (component, text), keys in same.items():
        found = [action for key in keys for action in groups[key]]
        releases = {str(action.get("release") or "") for action in found}
        if len(releases) > NAMED or (collapsed and len(releases) > 1):
            rows.append(f"{name:<8}{component}, {len(releases)} releases: {say(found)}")
        else:
            names = ", ".join(filter(None, (key.partition(" ")[2] for key in keys)))
            rows.append(f"{name:<8}{' '.join(filter(None, [component, names]))}: {text}")
    return rows


def _kinds_text(actions: list[Object]) -> str:
    counts = collections.Counter(action["kind"] for action in actions)
    return ", ".join(_counted(kind, count) for kind, count in sorted(counts.items()))


def _counted(kind: str, count: int) -> str:
    return kind if count == 1 else f"{count} {kind}"


def _fields_text(actions: list[Object]) -> str:
    """Return the first changes of objects by kind, those of several objects once, and how many more there are."""
    kinds: dict[str, dict[str, int]] = {}
    for action in actions:
        known = kinds.setdefault(action["kind"] + (" (drift)" if action.get("drift") else ""), {})
        for text in action.get("changes") or [str(action.get("why") or "")]:
            known[text] = known.get(text, 0) + 1
    # Of every kind the first change, then the second ones, so that none hides behind another.
    rows = [[(kind, *item) for item in texts.items()] for kind, texts in kinds.items()]
    ordered = [row for rank in itertools.zip_longest(*rows) for row in rank if row]
    shown: dict[str, list[str]] = {}
    for kind, text, count in ordered[:CHANGES]:
        shown.setdefault(_counted(kind, count), []).append(_whole(text))
    more = f", and {len(ordered) - CHANGES} more" if len(ordered) > CHANGES else ""
    return "; ".join(f"{kind} {', '.join(texts)}".rstrip() for kind, texts in shown.items()) + more


def _charts(plan: Object) -> list[str]:
    found: dict[str, list[str]] = {}
    for chart in plan.get("charts") or []:
        found.setdefault(f"{chart.get('name')} {chart.get('version')}", []).append(str(chart.get("release")))
    return [
        f"{chart} for {releases[0] if len(releases) == 1 else f'{len(releases)} releases'}"
        for chart, releases in found.items()
    ]


def _questions(plan: Object) -> list[str]:
    """Return the open questions, each with its choices, and the variable that answers them all."""
    rows = []
    for question in open_questions(plan):
        rows.append(f"{question['id']}: {question.get('text')}")
        rows += [f"  {name}: {text}" for name, text in (question.get("choices") or {}).items()]
    if rows:
        rows.append(f"answer with -e '{extra_vars({'llm_d_decisions': decisions(plan)})}'")
    return rows


def _consents(plan: Object) -> list[str]:
    """Return the missing consents, and the variables that give them all."""
    rows = [f"missing: {item.get('what') or item['id']} -> {grant(item)}" for item in missing_consents(plan)]
    return [*_cut(rows, ROWS), f"consent with -e '{extra_vars(grants(plan))}'"] if rows else []


def _files(files: Object) -> list[str]:
    if not files.get("path"):
        return []
    if not files.get("written"):
        return [f"would be written to {files['path']}"]
    return [files["path"], files["page"]]


def _next(plan: Object, command: str) -> list[str]:
    if not changes(plan):
        return []
    if open_questions(plan):
        return ["answer the questions, then make a new plan"]
    return [command] if command else []
