# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Helm releases of a deployment: as its record has them, held against Helm's own records."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..base.ours import COMPONENT_LABEL
from ..charts.fetch import differs_from
from ..cluster.client import Cluster
from ..helm.records import Release, revision
from ..objects.conditions import State
from ..objects.pools import namespace_of, pool_parents


@dataclasses.dataclass(frozen=True)
class DeployedRelease:
    """A release as it was deployed. revision: 0 where that is not known."""

    name: str
    namespace: str
    component: str
    chart: str
    chart_version: str
    revision: int

    @property
    def key(self) -> tuple[str, str]:
        """(name, namespace)."""
        return self.name, self.namespace


def from_record(record: Object) -> list[DeployedRelease]:
    """Return the releases of a record."""
    keys = ("name", "namespace", "component", "chart", "chart_version")
    return [
        DeployedRelease(**{key: str(row.get(key) or "") for key in keys}, revision=int(row.get("revision") or 0))
        for row in record.get("releases") or []
    ]


def from_cluster(releases: t.Mapping[tuple[str, str], Release]) -> list[DeployedRelease]:
    """Return our releases as they are, where there is no record."""
    return [
        DeployedRelease(
            name=one.name,
            namespace=one.namespace,
            component=one.labels.get(COMPONENT_LABEL) or "",
            chart=one.chart,
            chart_version=one.chart_version,
            revision=one.revision,
        )
        for _key, one in sorted(releases.items())
        if one.managed
    ]


def release_row(one: DeployedRelease, found: Release | None, recorded: bool) -> Object:
    """Return a release's row: its version and status; drift where somebody else has changed it."""
    drift: list[str] = []
    state, ready = "it does not exist", False
    if found is None or found.status == "uninstalled":
        drift = ["deleted"]
    else:
        ready = found.status == "deployed"
        other = differs_from(found.chart_version, one.chart_version)
        version = found.chart_version if other else one.chart_version or found.chart_version
        state = f"{found.status}, {found.chart} {version}, revision {found.revision}"
        if recorded and one.revision and found.revision != one.revision:
            drift = [f"revision {found.revision}, recorded {one.revision}"]
        if recorded and one.chart_version and other:
            drift.append(f"chart {found.chart_version}, recorded {one.chart_version}")
    return {
        "component": one.component,
        "release": one.name,
        "kind": "Helm release",
        "namespace": one.namespace,
        "name": one.name,
        "ready": ready,
        "state": state,
        "brief": state,
        "drift": ("deleted" if drift == ["deleted"] else "changed") if drift else "",
        "detail": "" if drift == ["deleted"] else "; ".join(drift),
    }


def recorded_manifest(cluster: Cluster, one: DeployedRelease, current: Release | None) -> str | None:
    """Return the manifest of the recorded revision, else of the present one; None where Helm has neither."""
    if current is not None and current.revision == one.revision:
        return current.manifest
    found = revision(cluster, one.namespace, one.name, one.revision) if one.revision else None
    found = found or current
    return found.manifest if found else None


def row(
    kind: str,
    namespace: str,
    name: str,
    component: str,
    release: str,
    state: State | None,
    drift: str = "",
    detail: str = "",
) -> Object:
    """Return one row of the result; state None: it may not be read."""
    return {
        "component": component,
        "release": release,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "ready": state.ready if state else None,
        "state": (state.text or "ready") if state else "not readable",
        "brief": (state.brief or "ready") if state else "not readable",
        "drift": drift,
        "detail": detail,
    }


def pool_state(live: Object, gateways: t.Collection[tuple[str, str]]) -> State:
    """Return an InferencePool's state: bad where a Gateway of the stack says so, as verification has it.

    gateways: namespace and name of each. What others say is of no account, nor what one said that is gone.
    """
    for parent in pool_parents(live):
        ref = parent.get("parentRef") or {}
        if (ref.get("namespace") or namespace_of(live), ref.get("name")) not in gateways:
            continue
        for found in parent.get("conditions") or []:
            if found.get("type") in ("Accepted", "ResolvedRefs") and found.get("status") == "False":
                return State(False, f"{found['type']}=False {found.get('reason') or ''}: {found.get('message') or ''}")
    return State(True)
