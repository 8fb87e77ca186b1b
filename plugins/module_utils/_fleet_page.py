# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A fleet's report as Markdown, and as one page that needs nothing else: no network, no script."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._fleet import FAILED, OK, RESULTS, UNREACHABLE
from ansible_collections.llm_d.orchestrator.plugins.module_utils._fleet_text import title, versions_text
from ansible_collections.llm_d.orchestrator.plugins.module_utils._progress import clock_text
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_html import POLICY, bdi
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_markup import Markup, join, tag
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_style import STYLE

COLUMNS = ("cluster", "wave", "result", "time", "models", "versions", "findings", "what")
STYLES = {OK: "good", FAILED: "bad", UNREACHABLE: "bad"}
SIGNS = {OK: "\u2713 ", FAILED: "\u2715 ", UNREACHABLE: "\u2715 "}
RECORD = "record.html"
# On a phone a cluster is a card: its cells stand below one another, each with its column's name.
NARROW = """
.retry{margin:1rem 0}
@media (max-width:720px){
.fleet thead{display:none}
.fleet tr{display:block;padding:.5rem 0;border-bottom:1px solid var(--rule)}
.fleet td{display:block;border:0;padding:.1rem .8rem;text-align:left}
.fleet td:empty{display:none}
.fleet td::before{content:attr(data-name) " ";color:var(--muted);font-size:.82rem}
}
"""

Object = dict[str, t.Any]


def _rows(report: Object) -> list[Object]:
    """Return the rows, failures first."""
    return sorted(report["rows"], key=lambda row: RESULTS.index(row["result"]))


def _columns(report: Object) -> list[str]:
    return [name for name in COLUMNS if name != "wave" or report["waves"]]


def _cells(row: Object) -> dict[str, str]:
    found = [f"{row['findings'][name]} {name}" for name in ("errors", "warnings") if row["findings"][name]]
    return {
        "cluster": row["host"],
        "wave": str(row["wave"] or ""),
        "result": row["result"],
        "time": clock_text(row["seconds"]) if row["seconds"] is not None else "",
        "models": ", ".join(row["models"]),
        "versions": versions_text(row["versions"]),
        "findings": ", ".join(found),
        "what": row["detail"],
    }


def markdown(report: Object) -> str:
    """Return a report as Markdown."""
    columns = _columns(report)
    table = [columns, ["---"] * len(columns)]
    table += [[_plain(_cells(row)[name]) for name in columns] for row in _rows(report)]
    parts = [f"# {_plain(title(report))}", f"Started {report['started']}."]
    parts.append("\n".join("| " + " | ".join(line) + " |" for line in table))
    if report["retry"]:
        fence = "```"
        parts.append(
            f"The clusters that failed or were not begun, once more:\n\n{fence}bash\n{report['retry']}\n{fence}"
        )
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Return a text that is no Markdown and no HTML."""
    text = " ".join(str(text).split()).replace("\\", "\\\\")
    for sign, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, instead)
    for sign in "|`*_[]#~":
        text = text.replace(sign, "\\" + sign)
    return text


def page(report: Object, folder: str) -> str:
    """Return a report as an HTML page, which is well-formed XML behind its first line. folder: where it will lie."""
    name = title(report)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", name),
        tag("style", Markup(STYLE + NARROW)),
    )
    footer = "Written by llm_d.orchestrator. Secrets are masked. fleet.json beside it has all the data."
    parts = (_header(report, name), _table(report, folder), _retry(report), tag("footer", footer))
    return f"<!doctype html>\n{tag('html', head, tag('body', tag('main', *parts)), lang='en')}\n"


def _header(report: Object, name: str) -> Markup:
    good = report["totals"][OK] == len(report["rows"])
    badge = tag("span", "\u2713 ok" if good else "\u2715 not complete", class_=f"badge {'good' if good else 'bad'}")
    started = report["started"].replace("T", " ").replace("Z", " UTC")
    facts = [("Started", started), ("Took", clock_text(report["seconds"]))]
    facts += [(name.capitalize(), count) for name, count in report["totals"].items() if count]
    facts += [("Waves", " + ".join(str(size) for size in report["waves"]))] if report["waves"] else []
    listed = [tag("div", tag("dt", what), tag("dd", bdi(value))) for what, value in facts]
    return tag("header", badge, tag("h1", name), tag("dl", *listed, class_="facts"))


def _table(report: Object, folder: str) -> Markup:
    columns = _columns(report)
    head = tag("tr", *[tag("th", name, scope="col") for name in columns])
    body = [tag("tr", *[_cell(name, row, folder) for name in columns]) for row in _rows(report)]
    inner = tag("table", tag("thead", head), tag("tbody", *body), class_="fleet")
    return tag("section", tag("div", inner, class_="table", role="region", aria_label="Clusters", tabindex="0"))


def _cell(column: str, row: Object, folder: str) -> Markup:
    text: t.Any = _cells(row)[column]
    style = None
    if column == "result":
        style, text = STYLES.get(text), SIGNS.get(text, "") + text
    inner = bdi(text) if text else ""
    if column == "cluster" and row["record"]:
        address = os.path.relpath(os.path.join(row["record"], RECORD), folder)
        inner = tag("a", inner, href=address.replace(os.sep, "/"))
    return tag("td", inner, class_=style, data_name=column)


def _retry(report: Object) -> Markup:
    if not report["retry"]:
        return Markup("")
    text = "The clusters that failed or were not begun, once more:"
    return tag("section", join(tag("p", text), tag("pre", report["retry"])), class_="card retry")
