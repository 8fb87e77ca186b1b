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
from ..report import pages
from .progress import clock_text
from .report import FAILED, OK, RESULTS, UNREACHABLE, to_retry
from .screen import title, versions_text

# The first is called as what a host is.
COLUMNS = ("host", "wave", "result", "time", "models", "versions", "findings", "what")
STYLES = {OK: "good", FAILED: "bad", UNREACHABLE: "bad"}
SIGNS = {OK: "\u2713\u00a0", FAILED: "\u2715\u00a0", UNREACHABLE: "\u2715\u00a0"}
RECORD = "record.html"
FOLDER, HOSTS = "fleet", "failed.txt"
LIMITS = ("-l", "--limit", "--subset")

MARKDOWN = """\
# {{ title|plain }}

Started {{ report.started|moment }}.
{% for row in bad %}

## {{ row.host|plain }}: {{ row.result }}

{{ row.detail|plain }}
{% if row.remedy %}

What to do: {{ row.remedy|plain }}
{% elif row.cause %}

{{ row.cause|fenced }}
{% endif %}
{% if row.command %}

{{ row.command|fenced("sh") }}
{% endif %}
{% endfor %}
{{ table(kinds|capitalize, columns, rows|map("map", "plain")|map("list")) }}
{%- if report.retry %}

To retry the {{ kinds }} that failed or were not started:

{{ report.retry|fenced("sh") }}
{% endif %}
"""

HTML = """\
{% extends "layout" %}
{% block main %}
{% if bad %}
<section><h2>What failed</h2>
{% for row in bad %}
<div class="card bad"><h3>{% if row.href %}<a href="{{ row.href }}"><bdi>{{ row.host }}</bdi></a>
{%- else %}<bdi>{{ row.host }}</bdi>{% endif %}</h3>
<p><bdi>{{ row.detail|soft }}</bdi></p>
{% if row.remedy %}
<p><strong>What to do: </strong><bdi>{{ row.remedy|soft }}</bdi></p>
{% elif row.cause %}
<pre>{{ row.cause|cut(4000)|soft }}</pre>
{% endif %}
{% if row.command %}
<pre class="command">{{ row.command|soft }}</pre>
{% endif %}
</div>
{% endfor %}
{% if report.retry and bad|length > 1 %}
<div class="card retry"><p>To retry all {{ kinds }} that failed or were not started:</p>
<pre class="command">{{ report.retry|soft }}</pre></div>
{% endif %}
</section>
{% endif %}
{{ table(kinds|capitalize, columns, rows, "fleet") }}
{% if report.retry and bad|length < 2 %}
<section class="card retry"><p>To retry all {{ kinds }} that failed or were not started:</p>
<pre class="command">{{ report.retry|soft }}</pre></section>
{% endif %}
{% endblock %}
"""


def _cells(row: Object) -> dict[str, t.Any]:
    found = [f"{row['findings'][name]} {name}" for name in ("errors", "warnings") if row["findings"][name]]
    return {
        "host": row["host"],
        "wave": row["wave"] or "",
        "result": row["result"],
        "time": clock_text(row["seconds"]) if row["seconds"] is not None else "",
        "models": ", ".join(row["models"]),
        "versions": versions_text(row["versions"]),
        "findings": ", ".join(found),
        "what": row["detail"],
    }


def _linked(row: Object, folder: str) -> dict[str, t.Any]:
    """Return the cells for a page in a folder: signs tell results, and clusters lead to their records."""
    cells, result = _cells(row), row["result"]
    cells["result"] = {"text": SIGNS.get(result, "") + result, "style": STYLES.get(result)}
    if row["record"]:
        cells["host"] = {"text": row["host"], "href": _address(row, folder)}
    return cells


def _address(row: Object, folder: str) -> str:
    """Return where a page in a folder finds a cluster's record, "" where there is none."""
    address = os.path.relpath(os.path.join(row["record"], RECORD), folder) if row["record"] else ""
    return address.replace(os.sep, "/")


def _shown(report: Object, cells: t.Callable[[Object], Object]) -> Object:
    """Return what both pages show: failures first, and of the columns those that say something."""
    rows = list(map(cells, sorted(report["rows"], key=lambda row: RESULTS.index(row["result"]))))
    columns = [name for name in COLUMNS if any(row[name] for row in rows) and (name != "wave" or report["waves"])]
    shown = [[row[name] for name in columns] for row in rows]
    bad = [row for row in report["rows"] if row["result"] in (FAILED, UNREACHABLE)]
    heads = [report["kind"], *columns[1:]]
    return {"report": report, "title": title(report), "columns": heads, "kinds": f"{report['kind']}s", "rows": shown,
            "bad": bad}  # fmt: skip


def markdown(report: Object) -> str:
    """Return a report as Markdown."""
    return pages.markdown("fleet.md", MARKDOWN, **_shown(report, _cells))


def page(report: Object, folder: str) -> str:
    """Return a report as an HTML page, which is well-formed XML behind its first line. folder: where it will lie."""
    totals = report["totals"]
    good = totals[OK] == len(report["rows"])
    facts = [("Started", pages.moment(report["started"])), ("Took", clock_text(report["seconds"]))]
    facts += [(name.capitalize(), count) for name, count in totals.items()]
    facts += [("Waves", " + ".join(map(str, report["waves"])))]
    shown = _shown(report, lambda row: _linked(row, folder))
    shown["bad"] = [{**row, "href": _address(row, folder)} for row in shown["bad"]]
    return pages.html("fleet.html", HTML, **shown, good=good, facts=facts, data="fleet.json",
                      outcome="ok" if good else "not complete")  # fmt: skip


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
        report["rows"] = [
            {**row, "command": retry_command(arguments, row["host"]) if row["host"] in again else ""}
            for row in report["rows"]
        ]
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
            raise OrchestratorError(f"Cannot create the folder {folder}: {exc.strerror or exc}.") from exc
        return folder
    raise OrchestratorError(f"{above} already has a hundred summaries of {started}.")


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
