# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The default values of the charts in use: by them one release of a chart is told from another that renamed keys."""

from __future__ import annotations

import concurrent.futures
import copy
import dataclasses
import functools
import typing as t

from ..base.data import Values, dig, mapping
from ..base.errors import OrchestratorError
from ..values.layers import merge
from ..values.reader import load_yaml, to_plain
from .fetch import fetch_chart
from .files import ChartFiles, read_chart


class OwnChart(t.NamedTuple):
    """A chart as it is published: the name that its Chart.yaml says, and its default values and its subcharts'."""

    name: str = ""
    values: Values = {}


def own_charts(sections: dict[str, Values], fetching: dict) -> dict[str, OwnChart]:
    """Return each section's chart, an empty one for what cannot be had: the check of its values says why.

    sections: by component, with chart_ref and chart_version; fetching: options of fetch_chart.
    """

    def read(section: Values) -> OwnChart:
        try:
            chart = fetch_chart(section.get("chart_ref") or "", section.get("chart_version") or None, **fetching)
            files = read_chart(chart.path)
            return OwnChart(files.name, coalesce(files, {}))
        except (OrchestratorError, ValueError):
            return OwnChart()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(sections, pool.map(read, sections.values()), strict=True))


def has_path(values: t.Any, path: str) -> bool:
    """Return whether values hold a dotted path, whatever its value; a number counts a list's items from 0."""
    for key in path.split("."):
        if isinstance(values, list) and key.isdecimal() and int(key) < len(values):
            values = values[int(key)]
        elif isinstance(values, dict) and key in values:
            values = values[key]
        else:
            return False
    return True


def coalesce(chart: ChartFiles, values: Values) -> Values:
    """Return the values that the chart's templates and schema see; raises ValueError where a subchart's is no map."""
    return _coalesce(chart, values, False)


def own_values(chart: ChartFiles) -> Values:
    """Return the chart's own values.yaml, {} where it is empty or no map."""
    return copy.deepcopy(_defaults(chart.values))


@functools.lru_cache(maxsize=64)
def _defaults(text: str) -> Values:
    node, _findings = load_yaml(text.encode(), "values.yaml")
    return {} if node is None else to_plain(node)


def enabled_subcharts(chart: ChartFiles, values: Values) -> list[ChartFiles]:
    """Return the subcharts in use, under their aliases, by the conditions and tags of Chart.yaml."""
    used: dict[str, ChartFiles] = {}
    for entry, subchart in chart.entries():
        name = entry.get("alias") or subchart.name
        if _enabled(entry, values):
            used.setdefault(name, dataclasses.replace(subchart, name=name))
    return list(used.values())


def _enabled(entry: dict[str, t.Any], values: Values) -> bool:
    tags = mapping(values.get("tags"))
    flags = [tags[tag] for tag in entry.get("tags") or [] if isinstance(tags.get(tag), bool)]
    enabled = not flags or any(flags)
    for condition in str(entry.get("condition") or "").split(","):
        value = dig(values, condition.strip().split("."))
        if isinstance(value, bool):
            return bool(value)
    return enabled


def _coalesce(chart: ChartFiles, values: Values, keep_null: bool) -> Values:
    """As Helm does (pkg/chartutil/coalesce.go): a null takes a default away, but a subchart's own at its own turn."""
    defaults = own_values(chart)
    merged: Values = merge(defaults, values, keep_null)
    everything = merge(defaults, values)
    for subchart in enabled_subcharts(chart, everything):
        inner = everything[subchart.name] if subchart.name in merged else {}
        if not isinstance(inner, dict):
            raise ValueError(subchart.name)
        _share_globals(merged, inner)
        merged[subchart.name] = _coalesce(subchart, inner, keep_null)
    return merged


def _share_globals(parent: Values, child: Values) -> None:
    shared, own = parent.get("global", {}), child.setdefault("global", {})
    if isinstance(shared, dict) and isinstance(own, dict):
        for key, value in shared.items():
            if key not in own or isinstance(own[key], dict) == isinstance(value, dict):
                own[key] = merge(own.get(key), value)
