# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What failed, why, and what to do, as a part of a record's page."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_markup import Markup, tag

# Evidence is others' logs; a page is read by people.
LINES, TEXT = 40, 4000

Object = dict[str, t.Any]


def failure(record: Object) -> Markup:
    """Return the section of a failed deployment, nothing for one that succeeded."""
    found, diagnosis = record["failure"], record["diagnosis"]
    if record["outcome"] != "failed":
        return Markup("")
    component = found.get("component") or "unknown"
    text = str(found.get("text") or "no message")[:TEXT]
    said = tag("div", tag("h3", "Component ", tag("bdi", component)), tag("pre", text), class_="card bad")
    causes = [cause for cause in diagnosis.get("causes") or [] if isinstance(cause, dict)]
    parts = [tag("h2", "Failure"), said]
    if causes:
        parts += [tag("h2", "Diagnosis"), *[_cause(cause) for cause in causes]]
    elif diagnosis.get("evidence"):
        parts += [tag("h2", "Evidence"), tag("div", tag("pre", _lines(diagnosis["evidence"])), class_="card")]
    left = diagnosis.get("state") if isinstance(diagnosis.get("state"), list) else []
    if left:
        rows = tag("ul", *[tag("li", tag("bdi", _text(row))) for row in left])
        parts += [tag("h2", "What was left in which state"), tag("div", rows, class_="card")]
    return tag("section", *parts)


def _cause(cause: Object) -> Markup:
    where = ", ".join(_text(item) for item in cause.get("objects") or [])
    facts = " \u00b7 ".join(str(part) for part in (cause.get("id"), cause.get("component"), where) if part)
    evidence = cause.get("evidence") or []
    explained = ", ".join(_text(item) for item in cause.get("explains") or [])
    return tag(
        "div",
        tag("h3", tag("bdi", str(cause.get("title") or cause.get("id") or "unknown cause"))),
        tag("p", tag("bdi", facts), class_="muted") if facts else None,
        tag("p", tag("bdi", str(cause["cause"]))) if cause.get("cause") else None,
        tag("p", tag("strong", "What to do: "), tag("bdi", str(cause["remedy"]))) if cause.get("remedy") else None,
        tag("pre", _lines(evidence)) if evidence else None,
        tag("p", "Explains: ", tag("bdi", explained), class_="muted") if explained else None,
        class_=f"card {'warn' if cause.get('severity') == 'warning' else 'bad'}",
    )


def _lines(rows: t.Any) -> str:
    rows = rows if isinstance(rows, list) else [rows]
    shown = [_text(row) for row in rows[:LINES]]
    more = [f"and {len(rows) - LINES} more, in record.json"] if len(rows) > LINES else []
    return "\n".join([*shown, *more])[:TEXT]


def _text(value: t.Any) -> str:
    """Return a line for what the diagnosis names: a text, or an object by kind, namespace and name."""
    if isinstance(value, dict) and value.get("kind") and value.get("name"):
        where = "/".join(str(part) for part in (value.get("namespace"), value["name"]) if part)
        return f"{value['kind']} {where}"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
