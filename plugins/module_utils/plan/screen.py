# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan on the screen: what happens, what is missing, and the command that comes next."""

from __future__ import annotations

import collections
import functools
import textwrap

from ..base.data import Object
from ..base.mask import mask_text
from .document import (
    changes,
    cluster_text,
    counts,
    decisions,
    extra_vars,
    finding_line,
    grant,
    grants,
    missing_consents,
    object_text,
    open_questions,
    order_text,
)
from .page import capacity_lines

# More than so many rows of a section are counted, not listed; the page has them all.
ROWS = 12
# More rows than these of one action are collapsed by component.
MANY = 6
WIDTH, COLUMNS = 10, 100
WORDS = {"create": "to create", "update": "to update", "replace": "to replace", "delete": "to delete"}


def summary(plan: Object, *, name: str = "", files: Object | None = None, command: str = "") -> list[str]:
    """Return the lines of a plan.

    name: the inventory host; files: {path, page, written}, where the plan lies; command: what deploys it.
    """
    where = f" for {name}" if name else ""
    lines = [f"Plan{where}: namespace {plan.get('namespace')} on {cluster_text(plan)}", "  " + counts_text(plan)]
    wrap = functools.partial(textwrap.wrap, width=COLUMNS, subsequent_indent=" " * 10, break_long_words=False,
                             break_on_hyphens=False)  # fmt: skip
    lines += _section("", [part for row in _actions(plan) for part in wrap(row)], limit=0)
    lines += _section("charts", _charts(plan))
    if changes(plan):
        lines += _section("order", list(filter(None, [order_text(plan)])))
    lines += _section("capacity", capacity_lines(plan.get("capacity") or {}))
    lines += _section(
        "warnings", [finding_line(item) for item in plan.get("findings") or []] + list(plan.get("notes") or [])
    )
    left = "is ours and no longer wanted; it stays until a teardown"
    lines += _section("leftovers", [f"{object_text(row)} {left}" for row in plan.get("leftovers") or []])
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
        return f"Nothing would change: all {found['reuse']} objects are as wanted."
    parts = [f"{found[name]} {word}" for name, word in WORDS.items() if found[name]]
    return ", ".join([*parts, *([f"{found['reuse']} unchanged"] if found["reuse"] else [])])


def _section(title: str, rows: list[str], limit: int = ROWS) -> list[str]:
    """Return rows beside their title; no lines where there are no rows."""
    shown = rows if not limit or len(rows) <= limit else [*rows[: limit - 1], f"... and {len(rows) - limit + 1} more"]
    return [f"  {(title if not index else ''):<{WIDTH}}{row}".rstrip() for index, row in enumerate(shown)]


def _actions(plan: Object) -> list[str]:
    """Return what changes: a row a release, or a component where there are many; what is lost stands first."""
    rows: list[str] = []
    for name in ("delete", "replace", "update", "create"):
        found = [action for action in changes(plan) if action["action"] == name]
        named = (
            [f"{name:<8}{_lost(item)}" for item in found] if name in ("delete", "replace") else _releases(name, found)
        )
        rows += _releases(name, found, collapsed=True) if len(named) > MANY else named
    return rows


def _lost(action: Object) -> str:
    """Return an object that is replaced or deleted, with the reason."""
    head = " ".join(filter(None, [action.get("component"), action.get("release")]))
    return f"{head}: {object_text(action)}" + (f", {action['why']}" if action.get("why") else "")


def _releases(name: str, actions: list[Object], *, collapsed: bool = False) -> list[str]:
    """Return the kinds that one action concerns, by release, or collapsed by component."""
    groups: dict[str, collections.Counter[str]] = {}
    releases: dict[str, set[str]] = {}
    for action in actions:
        component, release = str(action.get("component") or ""), str(action.get("release") or "")
        key = component if collapsed else " ".join(dict.fromkeys(filter(None, [component, release])))
        groups.setdefault(key, collections.Counter())[action["kind"]] += 1
        releases.setdefault(key, set()).add(release)
    rows = []
    for key, kinds in groups.items():
        items = [kind if count == 1 else f"{count} {kind}" for kind, count in sorted(kinds.items())]
        several = f", {len(releases[key])} releases" if collapsed and len(releases[key]) > 1 else ""
        rows.append(f"{name:<8}{key}{several}: {', '.join(items)}")
    return rows


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
    shown = rows if len(rows) <= ROWS else [*rows[: ROWS - 1], f"... and {len(rows) - ROWS + 1} more"]
    return [*shown, f"give them with -e '{extra_vars(grants(plan))}'"] if rows else []


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
        return ["answer the questions, then make the plan anew"]
    return [command] if command else []
