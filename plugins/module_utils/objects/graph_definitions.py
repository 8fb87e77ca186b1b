# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Of which release line of NVIDIA Dynamo a cluster's definition of graphs is. It says no version; its fields tell.

ai-dynamo/dynamo at the tags v0.5.0 to v1.0.1, nvidia.com_dynamographdeployments.yaml.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, dig, mapping
from ..programs.versions import Version
from .graphs import GROUP

NAME = f"dynamographdeployments.{GROUP}"
# From which version on a graph or a service of it has a field.
FIELDS: tuple[tuple[Version, str], ...] = (
    ((0, 7), "globalDynamoNamespace"),
    ((0, 8), "scalingAdapter"),
    ((1, 0), "eppConfig"),
)


# From here on definitions lack fields of those before (pvc of a service); the later ones only add.
_DROPPED: Version = (0, 7)


class DefinedFor(t.NamedTuple):
    """A definition is of a version from `since` on (None: of any) and below `before` (None: there is no end)."""

    since: Version | None
    before: Version | None
    lacks: str = ""
    has: str = ""

    def older_than(self, line: Version) -> bool:
        """Return whether it lacks what a version knows."""
        return self.before is not None and self.before <= line

    def newer_than(self, line: Version) -> bool:
        """Return whether it has dropped what a version reads."""
        return self.since is not None and line < _DROPPED <= self.since


def span(definition: Object) -> DefinedFor | None:
    """Return which versions a definition is of, None where it says nothing of services in v1alpha1."""
    rows = dicts(dig(definition, ("spec", "versions")))
    row = next((row for row in rows if row.get("name") == "v1alpha1"), {})
    fields = mapping(dig(row, ("schema", "openAPIV3Schema", "properties", "spec", "properties")))
    service = mapping(dig(fields, ("services", "additionalProperties", "properties")))
    if not service:
        return None
    known = {*service, *fields}
    since, before, has, lacks = None, None, "", ""
    for line, field in FIELDS:
        if field in known:
            since, has = line, field
        elif before is None:
            before, lacks = line, field
    return DefinedFor(since, before, lacks, has)
