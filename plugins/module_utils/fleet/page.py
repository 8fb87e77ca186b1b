# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A fleet's report as Markdown, and as one page that needs nothing else: no network, no script."""

from __future__ import annotations

import json
import os
import shlex
import typing as t

from ..base.command_line import masked_arguments
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import prepare_directory, write_atomic
from ..record.page import POLICY, bdi
from ..report.markup import Markup, join, tag
from ..report.style import STYLE
from .progress import clock_text
from .report import FAILED, OK, RESULTS, UNREACHABLE, to_retry
from .screen import title, versions_text

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


FOLDER = "fleet"


HOSTS = "failed.txt"


LIMITS = ("-l", "--limit", "--subset")


# More hosts than these are not named in a command where their list cannot be written.
NAMED = 20


def write(report: Object, records: str, arguments: t.Sequence[str]) -> tuple[Object, list[str], str]:
    """Write a report below the folder of all records; return it with its command, the files, and what went wrong.

    arguments: of ansible-playbook, without its name. Of a report that cannot be written, the command names the hosts.
    """
    again = to_retry(report)
    try:
        folder = _folder(records, report["started"])
        report = {**report, "retry": retry_command(arguments, f"@{os.path.join(folder, HOSTS)}") if again else ""}
        return report, _files(report, folder, again), ""
    except OrchestratorError as exc:
        return {**report, "retry": retry_by_names(report, arguments)}, [], f"not written: {exc.message}"


def retry_by_names(report: Object, arguments: t.Sequence[str]) -> str:
    """Return the command that names the hosts, "" where there are none, or too many."""
    again = to_retry(report)
    return retry_command(arguments, ",".join(again)) if 0 < len(again) <= NAMED else ""


def _folder(records: str, started: str) -> str:
    """Make a folder of this run's own, another one's of the same second being left alone."""
    above = os.path.join(os.path.abspath(records), FOLDER)
    prepare_directory(above)
    for number in range(1, 100):
        folder = os.path.join(above, started if number == 1 else f"{started}-{number}")
        try:
            os.mkdir(folder, mode=0o750)
        except FileExistsError:
            continue
        except OSError as exc:
            raise OrchestratorError(f"The folder {folder} cannot be made: {exc.strerror or exc}.") from exc
        return folder
    raise OrchestratorError(f"There are a hundred summaries of {started} in {above}.")


def _files(report: Object, folder: str, again: list[str]) -> list[str]:
    texts = {
        "fleet.html": page(report, folder),
        "fleet.md": markdown(report),
        "fleet.json": json.dumps(report, indent=2) + "\n",
    }
    if again:
        texts[HOSTS] = "".join(f"{host}\n" for host in again)
    for name, text in texts.items():
        write_atomic(os.path.join(folder, name), text)
    return [os.path.join(folder, name) for name in texts if name != HOSTS]


def retry_command(arguments: t.Sequence[str], limit: str) -> str:
    """Return the same command for other hosts. What is secret among its extra variables is masked."""
    kept: list[str] = []
    skip = False
    for argument in masked_arguments(list(arguments)):
        if skip or argument in LIMITS:
            skip = not skip
        elif not argument.startswith(("--limit=", "--subset=", "-l")):
            kept.append(argument)
    return shlex.join(["ansible-playbook", *kept, "--limit", limit])
