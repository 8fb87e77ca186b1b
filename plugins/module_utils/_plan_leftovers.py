# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a plan mentions besides its actions: what of ours stays behind, and releases that only get a new revision."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import MANAGED_LABEL, Release, same_values

if t.TYPE_CHECKING:
    from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster

Object = dict[str, t.Any]

HELM_RECORDS = "owner=helm,status notin (superseded,uninstalled)"


def leftovers(cluster: Cluster, stack: Object, stale: t.Iterable[Object]) -> list[Object]:
    """Return what is ours in the namespace and no longer wanted; it stays until a teardown.

    stack: the stack as plain data; stale: routes of ours that are not wanted and not removed.
    """
    names = {release["name"] for rows in stack["releases"].values() for release in rows}
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
    values = {row["name"]: row["values"] for rows in stack["releases"].values() for row in rows}
    for chart in charts:
        name, found = chart["release"], current.get((chart["component"], chart["release"]))
        if found is None or name in busy or found.status == "uninstalled":
            continue
        why = "" if found.status == "deployed" else f"its status is {found.status}"
        if (found.chart, found.chart_version) != (chart["name"], chart["version"]):
            why = f"its chart is {found.chart} {found.chart_version}"
        elif not same_values(found.values, values[name]):
            why = "its values differ"
        if why:
            notes.append(f"Helm release {chart['namespace']}/{name} gets a new revision ({why}); its objects stay.")
    return notes
