# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The parts of a recorded deployment, whenever it was recorded."""

from __future__ import annotations

from ..base.data import Object
from ..base.ours import COMPONENT_LABEL

RELEASE, OBJECTS = "release", "objects"


def model_names(record: Object) -> list[str]:
    """Return the names of the models of a record, those behind frontends too."""
    stack = record.get("stack") or {}
    behind = [row for one in stack.get("frontends") or [] for row in one.get("models") or []]
    return list(dict.fromkeys(str(row.get("name")) for row in [*(stack.get("models") or []), *behind]))


def recorded_parts(record: Object) -> list[Object]:
    """Return the parts of a record as plain data; what is no release has its objects as manifests."""
    rows = {row["name"]: row.get("namespace") for row in record.get("releases") or []}
    return parts_of(record.get("stack") or {}, rows)


def parts_of(stack: Object, namespaces: Object | None = None) -> list[Object]:
    """Return the parts of a stack as records have it. namespaces: of releases, where an old stack does not say them."""
    parts = stack["parts"] if "parts" in stack else [*_old_releases(stack, namespaces or {}), *_old_routes(stack)]
    return [part if part["kind"] == RELEASE else {**part, "manifests": part.get("objects") or []} for part in parts]


def _old_releases(stack: Object, namespaces: Object) -> list[Object]:
    """Return the releases of a stack that was recorded before there were parts."""
    return [
        {
            "component": component,
            "kind": RELEASE,
            "namespace": namespaces.get(release["name"]) or stack.get("namespace") or "",
            **release,
        }
        for component, releases in (stack.get("releases") or {}).items()
        for release in releases or []
    ]


def _old_routes(stack: Object) -> list[Object]:
    """Return the routes of a stack that was recorded before there were parts, as one."""
    routes = stack.get("routes") or []
    labels = [route["metadata"].get("labels") or {} for route in routes]
    component = next((found[COMPONENT_LABEL] for found in labels if found.get(COMPONENT_LABEL)), "")
    place = {"component": component, "name": "routes", "namespace": stack.get("namespace") or "", "kind": OBJECTS}
    return [{**place, "objects": routes, "gateway": stack.get("route_gateway") or {}}] if routes else []
