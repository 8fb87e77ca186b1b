# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan as a Markdown page, to read and to approve."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..base.mask import mask_text
from ..base.quantities import MILLI, is_bytes, parse, shown
from .document import (
    ACTIONS,
    by_release,
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
)
from .file import masked_plan

# A longer diff says no more to a reader; plan.json has all of it.
DIFF_LINES = 400


def plan_page(plan: Object, *, name: str = "", command: str = "") -> str:
    """Return a plan as a page, without secrets. name: the inventory host; command: what deploys it."""
    plan = masked_plan(plan)
    parts = [
        _head(plan, name),
        _approval(plan, command),
        _consents(plan),
        _questions(plan),
        _actions(plan),
        _table("Charts", ("release", "chart", "version", "digest", "from"), _charts(plan)),
        _table("Order", ("wave", "components", "at once", "seconds"), _order(plan)),
        _list("Capacity", capacity_lines(plan.get("capacity") or {})),
        _access(plan.get("access") or {}),
        _list("Findings", [finding_line(item) for item in plan.get("findings") or []]),
        _list("Notes", plan.get("notes") or []),
        _list("Left over", [f"{object_text(row)}: {row.get('why') or ''}" for row in plan.get("leftovers") or []]),
        _list("Images", [f"`{image}`" for image in plan.get("images") or []]),
        _diffs(plan),
    ]
    return "\n\n".join(mask_text(part) for part in parts if part) + "\n"


def _head(plan: Object, name: str) -> str:
    found = counts(plan)
    lines = [
        f"# Plan for {_line(name or (plan.get('cluster') or {}).get('host') or 'the cluster')}",
        "",
        f"Namespace {plan.get('namespace')} on {cluster_text(plan)}, seen {plan.get('made')}.",
        "",
        f"Digest: `{plan.get('digest')}`",
        "",
        f"| {' | '.join(ACTIONS)} |",
        f"|{'|'.join(['---'] * len(ACTIONS))}|",
        f"| {' | '.join(str(found[action]) for action in ACTIONS)} |",
    ]
    if not changes(plan):
        lines += ["", "**Nothing would change**: all objects are as wanted."]
    return "\n".join(lines)


def _approval(plan: Object, command: str) -> str:
    if not changes(plan) or not command:
        return ""
    if open_questions(plan):
        lines = [
            "## How to approve",
            "",
            "First the questions below are to be answered, and the plan made anew with:",
            "",
        ]
        return "\n".join([*lines, *_block(f"-e '{extra_vars({'llm_d_decisions': decisions(plan)})}'", "text")])
    lines = [
        "## How to approve",
        "",
        "This deploys exactly what the page says, or refuses:",
        "",
        *_block(command, "sh"),
    ]
    if missing_consents(plan):
        lines += ["", "It refuses without these, which consent to what is named below:", ""]
        lines += _block(f"-e '{extra_vars(grants(plan))}'", "text")
    return "\n".join(lines)


def _consents(plan: Object) -> str:
    rows = [
        [item.get("kind"), item.get("what") or item.get("id"), "given" if item.get("granted") else "**missing**",
         "" if item.get("granted") else f"`{grant(item)}`"]
        for item in plan.get("consents") or []
    ]  # fmt: skip
    title = "Consents" + (f" ({len(missing_consents(plan))} missing)" if missing_consents(plan) else "")
    return _table(title, ("kind", "what", "consent", "variable"), rows)


def _questions(plan: Object) -> str:
    rows = []
    for question in plan.get("questions") or []:
        choices = "; ".join(f"{name}: {text}" for name, text in (question.get("choices") or {}).items())
        rows.append([question["id"], question.get("text"), choices, question.get("answer") or "**open**"])
    return _table("Questions", ("object", "question", "choices", "answer"), rows)


def _actions(plan: Object) -> str:
    rows = [
        [action, component, release, ", ".join(object_text(item) for item in items),
         "; ".join(dict.fromkeys(str(item["why"]) for item in items if item.get("why")))]
        for (action, component, release), kinds in by_release(plan.get("actions") or []).items()
        for items in kinds.values()
    ]  # fmt: skip
    return _table("Actions", ("action", "component", "release", "objects", "why"), rows)


def _charts(plan: Object) -> list[list[t.Any]]:
    keys = ("release", "name", "version", "digest", "ref")
    return [[chart.get(key) for key in keys] for chart in plan.get("charts") or []]


def _order(plan: Object) -> list[list[t.Any]]:
    return [
        [wave.get("wave"), ", ".join(wave.get("components") or []), "yes" if wave.get("parallel") else "no",
         wave.get("seconds")]
        for wave in plan.get("order") or []
    ]  # fmt: skip


def _access(access: Object) -> str:
    """Return the permissions that are missing, and the Role to hand to an administrator."""
    if not access.get("missing"):
        return ""
    role = ["", "This grants all that the plan needs:", "", *_block(str(access["role_yaml"]).rstrip("\n"), "yaml")]
    return "\n".join([_list(f"Permissions that {_line(str(access.get('user')))} lacks", access["missing"]), *role])


def _diffs(plan: Object) -> str:
    """Return the diffs, by component."""
    parts: list[str] = []
    component = None
    for action in sorted(plan.get("actions") or [], key=lambda item: str(item.get("component"))):
        if not action.get("diff"):
            continue
        if action.get("component") != component:
            component = action.get("component")
            parts.append(f"## Differences: {_line(str(component))}")
        lines = action["diff"].rstrip("\n").split("\n")
        if len(lines) > DIFF_LINES:
            lines = [*lines[:DIFF_LINES], f"... {len(lines) - DIFF_LINES} lines more, in plan.json"]
        head = f"### {action['action']} {_line(object_text(action))}"
        parts.append("\n".join([head, "", *_block("\n".join(lines), "diff")]))
    return "\n\n".join(parts)


def _block(text: str, kind: str) -> list[str]:
    """Return a fenced block whose fence no text inside can end."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    return [fence + kind, text, fence]


def _table(title: str, head: t.Sequence[str], rows: list[list[t.Any]]) -> str:
    if not rows:
        return ""
    lines = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return "\n".join([f"## {title}", "", f"| {' | '.join(head)} |", f"|{'|'.join(['---'] * len(head))}|", *lines])


def _list(title: str, rows: list[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {_line(row)}" for row in rows)]) if rows else ""


def _cell(value: t.Any) -> str:
    return _line(str("" if value is None else value)).replace("|", "\\|")


def _line(text: str) -> str:
    """Return a text in one line, without HTML."""
    return " ".join(text.split()).replace("<", "&lt;")


def capacity_lines(capacity: Object) -> list[str]:
    """Return what the plan's pods ask for, which stay Pending, and what quotas say; nothing where it is unknown."""
    lines = [_resource(capacity, name, amount) for name, amount in (capacity.get("requested") or {}).items()]
    lines += [
        f"{row.get('pods')} of {row.get('of')} pods of {row.get('workload')} stay Pending: {row.get('why')}"
        for row in capacity.get("pending") or []
    ]
    lines += [
        f"quota {row.get('name')}: {row.get('added')} {row.get('resource')} more,"
        f" {row.get('used')} of {row.get('hard')} used now"
        for row in capacity.get("quota") or []
    ]
    return lines + [f"may not be read: {name}" for name in capacity.get("unread") or []]


def _resource(capacity: Object, name: str, amount: str) -> str:
    """Return one resource: what the whole plan asks for, and what the nodes have."""
    free, total = (capacity.get("free") or {}).get(name), (capacity.get("allocatable") or {}).get(name)
    nodes = capacity.get("nodes")
    where = f" on {nodes} node{'' if nodes == 1 else 's'}" if nodes else ""
    asked, all_of_it = f"{name}: {_shown(name, amount)} asked for", _shown(name, total)
    if free is None or total is None:
        return asked + (f", {all_of_it}{where} in all" if total else "")
    return f"{asked}, {_shown(name, free)} of {all_of_it}{where} free now"


def _shown(name: str, quantity: t.Any) -> str:
    """Return a quantity for a reader."""
    number = parse(quantity)
    if number is None:
        return str(quantity)
    return shown(name, number) if is_bytes(name) else f"{number / MILLI:g}"
