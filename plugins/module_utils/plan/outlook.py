# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""In which order a deployment works, and how long each step took the last time."""

from __future__ import annotations

import glob
import json
import os
import typing as t

from ..base.data import Object
from ..charts.fetch import differs_from
from ..components.base import RELEASE
from ..helm.records import Release, same_values

# Steps of a record that only a component that changed something has.
WORK = ("install", "apply")
RECORDS = 10


def waves(table: t.Iterable[Object], components: t.Container[str]) -> list[list[str]]:
    """Return the names of components by the waves of the component table, without empty ones."""
    found: dict[int, list[str]] = {}
    for row in table:
        if row["name"] in components:
            found.setdefault(row["wave"], []).append(row["name"])
    return [found[wave] for wave in sorted(found)]


def needs(table: t.Iterable[Object], busy: t.Sequence[t.Sequence[str]]) -> dict[str, list[str]]:
    """Return for each component that has something to do those of them that have to be ready before it begins.

    busy: the waves.
    """
    names = {name for wave in busy for name in wave}
    return {row["name"]: [need for need in row["needs"] if need in names] for row in table if row["name"] in names}


def order(table: t.Iterable[Object], components: t.Container[str], records_dir: str | None, host: str) -> list[Object]:
    """Return the waves of the components that have something to do; seconds: null where no record tells."""
    known = durations(records_dir, host)
    rows: list[Object] = []
    for busy in waves(table, components):
        times = [known[name] for name in busy if name in known]
        longest = max(times) if times else None
        rows.append({"wave": len(rows) + 1, "components": busy, "parallel": len(busy) > 1, "seconds": longest})
    return rows


def durations(records_dir: str | None, host: str) -> dict[str, float]:
    """Return the seconds that each component took when it was last deployed to a cluster."""
    found: dict[str, float] = {}
    if not records_dir or not host:
        return found
    paths = glob.glob(os.path.join(glob.escape(records_dir), glob.escape(host), "*", "record.json"))
    for path in sorted(paths, reverse=True)[:RECORDS]:
        for name, seconds in _durations(path).items():
            found.setdefault(name, seconds)
    return found


def _durations(path: str) -> dict[str, float]:
    """Return the seconds of each component that a record tells of; a record that cannot be read tells nothing."""
    try:
        with open(path, encoding="utf-8") as stream:
            record = json.load(stream)
        steps = [step for step in record["steps"] if step.get("status") == "done"]
        spans: dict[str, list[tuple[float, float]]] = {}
        for step in steps:
            spans.setdefault(step["component"], []).append((float(step["begin"]), float(step["end"])))
        busy = {step["component"] for step in steps if step["step"] in WORK and step.get("detail") != "unchanged"}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {
        name: round(max(end for _begin, end in times) - min(begin for begin, _end in times), 1)
        for name, times in spans.items()
        if name in busy
    }


def revisions(
    stack: Object, charts: list[Object], current: t.Mapping[tuple[str, str], Release], busy: set[str]
) -> list[str]:
    """Return a note for each release that gets a new revision though none of its objects changes.

    charts: as in the plan; current: the releases that exist; busy: releases with objects that change.
    """
    notes = []
    values = {part["name"]: part["values"] for part in stack["parts"] if part["kind"] == RELEASE}
    for chart in charts:
        name, found = chart["release"], current.get((chart["component"], chart["release"]))
        if found is None or name in busy or found.status == "uninstalled":
            continue
        why = "" if found.status == "deployed" else f"its status is {found.status}"
        if found.chart != chart["name"] or differs_from(found.chart_version, chart["version"]):
            why = f"its chart is {found.chart} {found.chart_version}"
        elif not same_values(found.values, values[name]):
            why = "its values differ"
        if why:
            notes.append(
                f"Helm release {chart['namespace']}/{name} gets a new revision ({why}); its objects do not change."
            )
    return notes
