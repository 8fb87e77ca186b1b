# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""In which order a deployment works, and how long each step took the last time."""

from __future__ import annotations

import glob
import json
import os
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import MANAGED_LABEL
from ..charts.fetch import differs_from
from ..components.base import RELEASE
from ..helm.records import Release, same_values

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster


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


def awaited(table: t.Iterable[Object], busy: t.Sequence[t.Sequence[str]]) -> list[list[str]]:
    """Return for each wave what has to be ready after it: what later ones need; after the last one, all.

    busy: the waves.
    """
    needs = {row["name"]: row["needs"] for row in table}
    later = [
        [need for wave in busy[number:] for name in wave for need in needs[name]] for number in range(1, len(busy))
    ]
    return [sorted(set(names)) for names in later] + ([sorted(name for wave in busy for name in wave)] if busy else [])


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


HELM_RECORDS = "owner=helm,status notin (superseded,uninstalled)"


def leftovers(cluster: Cluster, stack: Object, stale: t.Iterable[Object]) -> list[Object]:
    """Return what is ours in the namespace and no longer wanted; it stays until a teardown.

    stack: the stack as plain data; stale: routes of ours that are not wanted and not removed.
    """
    names = {part["name"] for part in stack["parts"] if part["kind"] == RELEASE}
    namespace = stack["namespace"]
    try:
        records = cluster.list("v1", "Secret", namespace, f"{MANAGED_LABEL}=true,{HELM_RECORDS}")
    except OrchestratorError:
        records = []
    found = sorted({record["metadata"]["labels"]["name"] for record in records} - names)
    why = "no model, pool or Gateway of the stack has it any more"
    rows = [{"kind": "Helm release", "namespace": namespace, "name": name, "why": why} for name in found]
    why = "no route of the stack has this name; httproute_prune removes it"
    return rows + [
        {"kind": "HTTPRoute", "namespace": namespace, "name": route["metadata"]["name"], "why": why} for route in stale
    ]


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
            notes.append(f"Helm release {chart['namespace']}/{name} gets a new revision ({why}); its objects stay.")
    return notes
