# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A fleet's report on a terminal: lines of its width, and so few that they fit a screen. Causes follow it in full."""

from __future__ import annotations

import os
import textwrap
import typing as t

from ..base.data import Object
from ..base.words import plural
from .progress import clip, clock_text
from .report import FAILED, PROVIDER, RESULTS, UNREACHABLE, UNTOUCHED

COLUMNS = 100
# Lines of the table; what stands around it takes some ten more.
LINES = 36
# The first is called as what a host is.
HEAD = ["host", "wave", "result", "time", "err", "warn", "what"]
NAME = 26
DIFFERENT = "*"
INDENT = 2
LABEL = 11
BAD = (FAILED, UNREACHABLE)
# (text, kind): kind is plain, good or bad, as progress lines have it.
Line = tuple[str, str]


def lines(report: Object, files: t.Sequence[str] = (), problem: str = "", columns: int = COLUMNS) -> list[Line]:
    """Return the summary. files: what was written of it; problem: why something was not."""
    rows = report["rows"]
    shared = common(rows)
    stopped = any(report["totals"][name] for name in (*BAD, UNTOUCHED))
    found: list[Line] = [("", "plain"), (title(report), "bad" if stopped else "good")]
    found += [(line, "plain") for line in _labelled("all have", _shared_text(rows, shared), columns)]
    found += table(report, shared, columns)
    found += [(line, "plain") for line in _labelled(UNTOUCHED, _untouched(report), columns)]
    if files:
        names = [files[0], *map(os.path.basename, files[1:])]
        found.append((f"{'':{INDENT}}{'summary':<{LABEL}}{', '.join(names)}", "plain"))
    return [*found, (f"{'':{INDENT}}{'summary':<{LABEL}}{problem}", "bad")] if problem else found


def title(report: Object) -> str:
    """Return the run in one line: playbook, clusters, waves, time, and how many ended how."""
    totals = report["totals"]
    counts = ", ".join(f"{totals[name]} {name}" for name in RESULTS if totals[name])
    waves = f" in {len(report['waves'])} waves" if report["waves"] else ""
    hosts = plural(len(report["rows"]), report["kind"])
    return f"{report['playbook']} on {hosts}{waves}, {clock_text(report['seconds'])}: {counts}"


def common(rows: list[Object]) -> Object:
    """Return the versions and models that all clusters have of which any are known: {versions, models}."""
    known = [row for row in rows if row["versions"]]
    versions = dict(known[0]["versions"]) if known else {}
    for row in known:
        versions = {name: value for name, value in versions.items() if row["versions"].get(name) == value}
    models = {tuple(row["models"]) for row in rows if row["models"]}
    return {"versions": versions, "models": list(models.pop()) if len(models) == 1 else []}


def versions_text(versions: t.Mapping[str, str]) -> str:
    """Return versions as text; what a gateway is says its name alone."""
    return ", ".join(value if name == PROVIDER else f"{name} {value}" for name, value in versions.items())


def _shared_text(rows: list[Object], shared: Object) -> str:
    models = ", ".join(shared["models"])
    parts = [f"models {models}" if models else "", versions_text(shared["versions"])]
    return "; ".join(filter(None, parts)) if len(rows) > 1 else ""


def _untouched(report: Object) -> str:
    """Return the clusters that were not begun, and after which wave."""
    names = ", ".join(row["host"] for row in report["rows"] if row["result"] == UNTOUCHED)
    last = max((row["wave"] for row in report["rows"] if row["result"] != UNTOUCHED), default=0)
    return f"stopped after wave {last} of {len(report['waves'])}: {names}" if names and report["waves"] else names


def _labelled(label: str, text: str, columns: int, limit: int = 2) -> list[str]:
    """Return a text beside its label, at most limit lines of it."""
    if not text:
        return []
    width = columns - INDENT - LABEL
    wrapped = textwrap.wrap(text, width, max_lines=limit, placeholder=" ...", break_on_hyphens=False)
    return [f"{'':{INDENT}}{'' if at else label:<{LABEL}}{line}" for at, line in enumerate(wrapped)]


def table(report: Object, shared: Object, columns: int) -> list[Line]:
    """Return the table with its heading, failures first; clusters alike are one row where there are many."""
    rows = [row for row in report["rows"] if row["result"] != UNTOUCHED]
    rows.sort(key=lambda row: RESULTS.index(row["result"]))
    groups = [[row] for row in rows]
    if len(groups) > LINES:
        groups = _folded(rows, shared)
    shown = groups if len(groups) <= LINES else groups[: LINES - 1]
    cells = [_cells(group, shared) for group in shown]
    head = [report["kind"], *HEAD[1:]]
    # Of the inner columns those that say something.
    used = [at for at, name in enumerate(HEAD) if name != "wave" or report["waves"]]
    used = [at for at in used if HEAD[at] == "what" or any(line[at] for line in cells)]
    widths = [max(len(line[at]) for line in [head, *cells]) for at in used[:-1]]
    found: list[Line] = []
    for group, line in zip([[], *shown], [head, *cells], strict=True) if cells else ():
        bad = bool(group) and group[0]["result"] in BAD
        kind = "bad" if bad else "good" if group else "plain"
        found.append((_row([line[at] for at in used], widths, columns), kind))
    left = sum(len(group) for group in groups[len(shown) :])
    return [*found, (f"{'':{INDENT}}... and {left} {report['kind']}s more", "plain")] if left else found


def _folded(rows: list[Object], shared: Object) -> list[list[Object]]:
    """Return rows as groups: those that differ in name and time alone, or are less alike where need be."""
    single = sum(row["result"] in BAD for row in rows) <= LINES // 2
    exact = (lambda row: _what(row, shared), lambda row: row["findings"]["warnings"])
    groups: dict[t.Any, list[Object]] = {}
    for parts in (exact, exact[1:], ()):
        groups = {}
        for row in rows:
            own: t.Any = tuple(part(row) for part in parts)
            if row["result"] in BAD:
                own = row["host"] if single else row["detail"]
            groups.setdefault((row["wave"], row["result"], own), []).append(row)
        if len(groups) <= LINES:
            break
    return list(groups.values())


def _cells(group: list[Object], shared: Object) -> list[str]:
    """Return the cells of one cluster, or of some that are shown as one."""
    first = group[0]
    slowest = clock_text(max(float(row["seconds"] or 0) for row in group))
    many = f" +{len(group) - 1}" if len(group) > 1 else ""
    return [
        clip(first["host"], NAME - len(many)) + many,
        str(first["wave"]),
        first["result"],
        slowest,
        _same(group, lambda row: row["findings"]["errors"] or ""),
        _same(group, lambda row: row["findings"]["warnings"] or ""),
        _same(group, lambda row: _what(row, shared)),
    ]


def _same(group: list[Object], text: t.Callable[[Object], t.Any]) -> str:
    """Return what all rows of a group say."""
    found = {str(text(row)) for row in group}
    return found.pop() if len(found) == 1 else DIFFERENT


def _what(row: Object, shared: Object) -> str:
    """Return what is to be said of a cluster: its cause, or what it has that not all have."""
    if row["result"] in BAD:
        return str(row["detail"])
    models = "" if shared["models"] else ", ".join(row["models"])
    own = {name: value for name, value in row["versions"].items() if name not in shared["versions"]}
    return "; ".join(filter(None, [row["detail"], models, versions_text(own)]))


def _row(cells: list[str], widths: list[int], columns: int) -> str:
    """Return a row, the last cell of which is cut where it does not fit."""
    parts = [f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False) if width]
    head = " " * INDENT + "  ".join([*parts, ""])
    return (head + clip(cells[-1], max(columns - len(head), LABEL))).rstrip()
