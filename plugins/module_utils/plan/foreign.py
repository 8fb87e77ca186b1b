# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What of others stands where a stack is to go: found while planning, so that it is refused before any change."""

from __future__ import annotations

import typing as t

from ..base.apis import GATEWAY_API
from ..base.data import Object
from ..base.errors import Forbidden
from ..base.findings import Finding, finding_at
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL
from ..components.base import RELEASE

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster


NOT_OURS = "it exists and was not created by this collection"
FIX = "use another name, or set llm_d_adopt: true to adopt it"
# Old revisions say nothing, and a release that was uninstalled with its history kept is nobody's.
_SELECTOR = "owner=helm,status notin (superseded,uninstalled)"


def foreign(cluster: Cluster, stack: Object) -> list[Finding]:
    """Return what a stack (stack_info's result) would run into.

    What may not be read is left out: the rule LLMD741 names all that is not permitted.
    """
    wanted: dict[str, dict[str, str]] = {}
    for part in stack["parts"]:
        if part["kind"] == RELEASE:
            wanted.setdefault(part["namespace"], {})[part["name"]] = part["component"]
    found: list[Finding] = []
    names = {route["metadata"]["name"] for route in stack["routes"]}
    try:
        for namespace, components in wanted.items():
            if components:
                found += foreign_releases(cluster.list("v1", "Secret", namespace, _SELECTOR), components)
        routes = cluster.list(GATEWAY_API, "HTTPRoute", stack["namespace"]) if names else []
    except Forbidden:
        return found
    return found + foreign_routes(routes, names)


def foreign_releases(secrets: t.Iterable[Object], components: t.Mapping[str, str]) -> list[Finding]:
    """Return what is wrong with releases of these names; secrets: Helm's records; components: by release name."""
    newest: dict[str, Object] = {}
    for secret in secrets:
        labels = secret["metadata"].get("labels") or {}
        name = labels.get("name", "")
        if name in components and _revision(labels) >= _revision((newest.get(name) or {}).get("labels") or {}):
            newest[name] = secret["metadata"]
    found = []
    for name, metadata in sorted(newest.items()):
        labels, where = metadata["labels"], f"Helm release {metadata['namespace']}/{name}"
        owner = labels.get(COMPONENT_LABEL)
        if labels.get(MANAGED_LABEL) != "true":
            found.append(finding_at(where, NOT_OURS, FIX, "owner"))
        elif owner and owner != components[name]:
            found.append(finding_at(where, f"it belongs to the component {owner}", FIX, "owner"))
    return found


def foreign_routes(routes: t.Iterable[Object], names: t.Container[str]) -> list[Finding]:
    """Return what is wrong with routes of these names."""
    metadata = [route["metadata"] for route in routes if route["metadata"]["name"] in names]
    return [
        finding_at(f"HTTPRoute {item['namespace']}/{item['name']}", NOT_OURS, FIX, "owner")
        for item in metadata
        if (item.get("labels") or {}).get(MANAGED_LABEL) != "true"
    ]


def _revision(labels: Object) -> int:
    version = str(labels.get("version") or 0)
    return int(version) if version.isdigit() else 0
