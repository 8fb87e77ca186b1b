# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A record as one page that needs nothing else: no network, no script. The same record gives the same page."""

from __future__ import annotations

import json
import typing as t

from ..base.data import Object
from ..report.markup import UNFIT, Markup, join, tag
from ..report.style import STYLE
from . import timeline, topology_svg
from .topology import topology

# Whatever a name or a log may smuggle in, the page loads and runs nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


# A longer cell says no more to a reader; record.json has all of it.
CELL = 600


# A longer fact takes a line of its own.
LONG = 40


def page(record: Object) -> str:
    """Return a record as an HTML page, which is well-formed XML behind its first line."""
    title = f"Deployment on {record['cluster']}: {record['outcome']}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", title),
        # The style has neither < nor &, so that HTML and XML read it alike.
        tag("style", Markup(STYLE)),
    )
    parts = (
        _header(record),
        failure(record),
        _topology(record),
        _timeline(record),
        _models(record),
        _findings(record),
        _releases(record),
        _versions(record),
        tag("footer", "Written by llm_d.orchestrator. Secrets are masked. record.json beside it has all the data."),
    )
    body = tag("body", tag("main", *parts))
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def _header(record: Object) -> Markup:
    good = record["outcome"] == "succeeded"
    badge = tag("span", ("\u2713 " if good else "\u2715 ") + record["outcome"], class_=f"badge {_style(good)}")
    by, gateway = record["by"], record["stack"].get("gateway") or {}
    facts = [
        ("Namespace", record["namespace"]),
        ("Gateway", "/".join(str(part) for part in (gateway.get("namespace"), gateway.get("name")) if part)),
        ("Started", record["started"].replace("T", " ").replace("Z", " UTC")),
        ("Took", f"{record['seconds']:.1f} s"),
        ("By", f"{by.get('user')} on {by.get('host')}" if by.get("user") else ""),
        ("Job", " ".join(filter(None, [by.get("job"), by.get("controller")]))),
        ("Endpoint", record["verification"].get("endpoint") or ""),
        ("Plan", record["plan_digest"]),
    ]
    rows = [
        tag("div", tag("dt", name), tag("dd", bdi(value)), class_="long" if len(str(value)) > LONG else None)
        for name, value in facts
        if value
    ]
    head = tag("h1", "Deployment on ", bdi(record["cluster"]))
    return tag("header", badge, head, tag("dl", *rows, class_="facts"))


def bdi(value: t.Any) -> Markup:
    """Return a value whose writing direction does not reach the text around it."""
    return tag("bdi", value)


def _style(good: bool) -> str:
    return "good" if good else "bad"


def _topology(record: Object) -> Markup:
    root = topology(record)
    if root is None:
        return Markup("")
    signs = "\u2713 ready, \u2715 not ready, ! doubtful, \u2013 not known. A dashed line leads to what is not ready."
    return _section("Topology", _figure(topology_svg.drawing(root, wide=True),
                                        topology_svg.drawing(root, wide=False), signs))  # fmt: skip


def _timeline(record: Object) -> Markup:
    if not record["steps"]:
        return Markup("")
    names = (("work", "works"), ("wait", "waits until ready"), ("probe", "verifies"), ("failed", "failed"))
    keys = join(*[join(tag("span", class_=f"key {style}"), name) for style, name in names])
    caption = join(keys, tag("br"), "What overlaps ran in parallel.")
    wide, narrow = (timeline.drawing(record, wide=wide) for wide in (True, False))
    return _section("Timeline", _figure(wide, narrow, caption))


def _figure(wide: Markup, narrow: Markup, caption: t.Any) -> Markup:
    return tag("figure", wide, narrow, tag("figcaption", caption))


def _section(title: str, *children: t.Any) -> Markup:
    return tag("section", tag("h2", title), *children)


def table(title: str, columns: t.Sequence[str], rows: list[list[t.Any]]) -> Markup:
    """Return a table with its heading, nothing where it has no rows. A cell may be (text, class)."""
    if not rows:
        return Markup("")
    numbers = [index for index, name in enumerate(columns) if name.endswith((" ms", " s")) or name == "revision"]
    head = [tag("th", name, scope="col", class_="number" if at in numbers else None) for at, name in enumerate(columns)]
    body = [tag("tr", *[_cell(cell, at in numbers) for at, cell in enumerate(row)]) for row in rows]
    inner = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body))
    return _section(title, tag("div", inner, class_="table", role="region", aria_label=title, tabindex="0"))


def _cell(cell: t.Any, number: bool) -> Markup:
    text, style = cell if isinstance(cell, tuple) else (cell, "number" if number else None)
    text = "" if text is None else UNFIT.sub("\ufffd", str(text))
    text = text if len(text) <= CELL else text[:CELL] + " [...]"
    return tag("td", bdi(text) if text else "", class_=style or None)


def _models(record: Object) -> Markup:
    rows = [
        [row.get("name"), row.get("model"), (row.get("status"), _style(bool(row.get("ok")))), row.get("latency_ms"),
         row.get("url_path"), ", ".join(str(pod) for pod in row.get("served_by") or [])]
        for row in record["verification"].get("models") or []
    ]  # fmt: skip
    return table("Models", ("name", "model", "status", "latency in ms", "request", "served by"), rows)


def _findings(record: Object) -> Markup:
    rows = [
        [row.get("model"), (row.get("name"), "warn" if row.get("level") == "warning" else "bad"), row.get("detail"),
         row.get("hint")]
        for row in record["verification"].get("checks") or []
        if not row.get("ok")
    ]  # fmt: skip
    notes = [[None, "note", note, None] for note in record["verification"].get("notes") or []]
    return table("Findings", ("model", "check", "what was found", "what to do"), rows + notes)


def _releases(record: Object) -> Markup:
    rows = [
        [row.get("name"), (row.get("error") and "failed") or row.get("action") or ("failed", "bad"), row.get("chart"),
         row.get("chart_version"), str(row.get("chart_digest") or "")[:12], row.get("revision"), row.get("seconds")]
        for row in record["releases"]
    ]  # fmt: skip
    rows = [[name, ("failed", "bad") if what == "failed" else what, *rest] for name, what, *rest in rows]
    return table("Releases", ("release", "action", "chart", "version", "digest", "revision", "in s"), rows)


def _versions(record: Object) -> Markup:
    return table("Versions", ("tool", "version"), [[name, value] for name, value in record["versions"].items()])


# Evidence is others' logs; a page is read by people.
LINES, TEXT = 40, 4000


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
