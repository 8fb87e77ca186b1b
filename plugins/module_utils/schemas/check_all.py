# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Many charts' values checked in one go: every mistake of every file of every chart, each once."""

from __future__ import annotations

import concurrent.futures
import re
import typing as t

from ..base import plain_yaml
from ..base.deadline import TookTooLong, deadline
from ..base.errors import OrchestratorError, WrongVersion, require
from ..base.findings import ERROR, WARNING, Finding, Mark
from ..charts.fetch import Chart, default_cache_dir, fetch_chart
from ..charts.files import ChartFiles, read_chart
from ..values.layers import UserValues, load_values
from . import source
from .check import ValuesCheck, check_values
from .facts import OTHER_CHARTS
from .infer import cached_schema, open_schema

# Charts fetched at a time; each is a Helm process that mostly waits.
PARALLEL = 4
# Seconds of the processor for following one chart's templates; real charts take up to one.
INFERENCE_SECONDS = 2.0
# The modules' option unknown_keys, as severities.
UNKNOWN_KEYS = {"error": ERROR, "warn": WARNING}
Entry = dict[str, t.Any]
Key = tuple[str, str]


class Fetched(t.NamedTuple):
    """A chart with its files; inferred: the schema that its files give."""

    chart: Chart
    files: ChartFiles
    inferred: dict[str, t.Any]


class Checked(t.NamedTuple):
    """findings: in the order of the charts; charts: one row for each entry, with what was checked."""

    findings: list[Finding]
    charts: list[dict[str, t.Any]]


def check_charts(
    entries: list[Entry],
    *,
    helm: str = "helm",
    cache_dir: str | None = None,
    strict: bool = False,
    plain_http: bool = False,
    unknown_keys: str = ERROR,
    files_known: bool = False,
) -> Checked:
    """Return what is wrong with the values of several charts; a chart that cannot be had is a finding too.

    entries: dicts of name, chart_ref, chart_version, values_files, values, and as variables the layers that the values
    were merged of, where these are known; unknown_keys: severity of keys that a chart without a schema never reads;
    files_known: whether who calls has reported the files' own mistakes.
    Raises OrchestratorError only where this Python lacks a package.
    """
    require(plain_yaml.IMPORT_ERROR, source.IMPORT_ERROR)
    fetched = _fetch_all(entries, helm, cache_dir, plain_http)
    findings: dict[Finding, None] = {}
    rows = []
    slow: set[str] = set()
    for entry in entries:
        name = entry.get("name") or entry["chart_ref"]
        given = load_values(entry.get("values_files") or [], entry.get("values"), inline_name(name))
        given.variables = entry.get("variables") or []
        if files_known:
            given.findings.clear()
        found, row = _check_one(name, entry, given, fetched[_key(entry)], strict, unknown_keys, slow)
        findings.update(dict.fromkeys(found))
        rows.append(row)
    return Checked(list(findings), rows)


def inline_name(name: str) -> str:
    """Return what the values of a release that stand in no file are called."""
    return f"values of {name}"


def failure_text(findings: list[Finding]) -> str:
    """Return the whole message of a failed check: a count, then one line for each error."""
    errors = [finding for finding in findings if finding.severity == ERROR]
    number = sum(one.count for one in errors)
    text = f"The values hold {number} mistake{'' if number == 1 else 's'}; nothing was changed."
    return OrchestratorError(text, details=[one.text() for one in errors]).render()


def _key(entry: Entry) -> Key:
    return entry["chart_ref"], str(entry.get("chart_version") or "")


def _fetch_all(
    entries: list[Entry], helm: str, cache_dir: str | None, plain_http: bool
) -> dict[Key, Fetched | OrchestratorError]:
    def fetch(key: Key) -> tuple[Chart, ChartFiles] | OrchestratorError:
        try:
            chart = fetch_chart(key[0], key[1] or None, helm=helm, cache_dir=cache_dir, plain_http=plain_http)
            return chart, read_chart(chart.path)
        except OrchestratorError as exc:
            return exc

    cache = cache_dir or default_cache_dir()
    keys = list(dict.fromkeys(_key(entry) for entry in entries))
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        found = dict(zip(keys, pool.map(fetch, keys), strict=True))
    # Not in the threads, where nothing could end it.
    return {
        key: one if isinstance(one, OrchestratorError) else Fetched(one[0], one[1], _inferred(one[0], one[1], cache))
        for key, one in found.items()
    }


def _inferred(chart: Chart, files: ChartFiles, cache: str) -> dict[str, t.Any]:
    try:
        with deadline(INFERENCE_SECONDS):
            return cached_schema(files, chart.digest, cache)
    except TookTooLong:
        return open_schema(f"reading its templates timed out after {INFERENCE_SECONDS:g}s")


def _check_one(
    name: str,
    entry: Entry,
    given: UserValues,
    fetched: Fetched | OrchestratorError,
    strict: bool,
    unknown_keys: str,
    slow: set[str],
) -> tuple[list[Finding], Entry]:
    row: Entry = {"name": name, "chart": "", "version": "", "digest": "", "has_schema": False}
    if isinstance(fetched, OrchestratorError):
        message = " ".join([fetched.message, *fetched.details]).rstrip(".")
        # Planning says which variables name the chart; the module chart_values has options for that.
        variable = _variable(entry, "version" if isinstance(fetched, WrongVersion) else "ref")
        missing = Finding(Mark(variable or f"chart of {name}"), "", message, fetched.hint or "", "chart-fetch")
        return [missing, *given.findings], row
    chart, files, inferred = fetched
    row.update(chart=chart.name, version=chart.version, digest=chart.digest, has_schema=files.schema is not None)
    wanted, what = entry.get("chart"), OTHER_CHARTS.get(files.name)
    if what and wanted and wanted != files.name:
        place = _variable(entry, "ref")
        text = f"the chart is {files.name}, {what}, not {wanted}"
        hint = f"use the chart {wanted}: this collection cannot deploy a stack with {files.name} yet"
        more: t.Any = {"where": place, "covers": ("LLMD402",), "about": frozenset([name])}
        return [Finding(Mark(place), "", text, hint, "other-chart", **more)], row
    if chart.digest in slow:  # as it was for another release; waiting once is enough
        return [ValuesCheck(files, given).too_slow(), *given.findings], row
    findings = [
        *_misnamed(name, entry, chart),
        *check_values(files, given, strict=strict, inferred=inferred, unknown_keys=unknown_keys),
    ]
    if any(finding.rule == "schema-cost" for finding in findings):
        slow.add(chart.digest)
    return findings, row


def _variable(entry: Entry, part: str) -> str:
    """Return the variable that names a chart's reference or version, "" where none is known. part: ref or version."""
    known = entry.get("chart_variables") or {}
    return str(known.get(part) or (f"{entry['chart_variable']}_{part}" if entry.get("chart_variable") else ""))


# Folders of charts are named after versions, alone or behind the chart's name.
_NAMED = re.compile(r"(?:^|[-_])(v[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.]+)?)$")


def _misnamed(name: str, entry: Entry, chart: Chart) -> list[Finding]:
    """Return that a source folder, whose Chart.yaml has no version, is named after another than is asked for."""
    wanted = str(entry.get("chart_version") or "")
    if not wanted or chart.stamped:
        return []
    named = {found[1] for part in chart.source.split("/") if (found := _NAMED.search(part))}
    if len(named) != 1 or wanted.lstrip("v") == (other := named.pop()).lstrip("v"):
        return []
    mark = Mark(_variable(entry, "version") or f"chart of {name}")
    text, hint = f"is {wanted}, but the name of the chart's folder {chart.source} says {other}", f"set it to {other}"
    return [Finding(mark, "", text, hint, "chart-version", WARNING)]
