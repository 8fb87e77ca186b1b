# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts that are kustomizations: a folder rendered by kustomize, and then handled as objects.

Spec of a part: path, and where they are wanted: overlay (fields of a kustomization laid over the folder), remote
(whether it may take in what is elsewhere), and those of objects but for objects themselves.
"""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..base.images import rewrite_object
from ..base.ours import COMPONENT_LABEL
from ..helm.image_check import registry_of
from ..kustomize.program import build
from . import objects
from .base import Result, Work

KIND = "kustomization"
# What kustomize's generators make, and the hash of the content that it puts behind their names.
GENERATED = ("ConfigMap", "Secret")
HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")


def render(work: Work, parts: t.Sequence[Object]) -> dict[str, list[Object]]:
    """Return the objects that each part shall have, by its name, as they are applied."""
    return objects.render(work, _as_objects(work, parts))


def settled(work: Work, parts: t.Sequence[Object]) -> list[Object] | None:
    """Return the rows of a component's parts where all are as wanted and ready, None where one needs something."""
    rows = objects.settled(work, _as_objects(work, parts))
    return None if rows is None else _rows(rows)


def present(work: Work, parts: t.Sequence[Object]) -> Result:
    """Apply what differs, remove what is no longer wanted, and wait."""
    outcome = objects.present(work, _as_objects(work, parts))
    return Result(outcome.changed, _rows(outcome.rows), outcome.diff)


def absent(work: Work, parts: t.Sequence[Object]) -> Result:
    """Remove those of the parts' objects that are ours, and wait until they are gone."""
    outcome = objects.absent(work, _as_objects(work, parts))
    return Result(outcome.changed, _rows(outcome.rows), outcome.diff)


def recorded(part: Object, items: t.Sequence[Object]) -> Object:
    """Return what a record keeps of a part besides its row: what was rendered, as the folder may change."""
    return objects.recorded(part, items)


def laid_out(work: Work, part: Object) -> objects.Objects:
    """Return a part's objects with what can be asked of them; raise OrchestratorError where there are none."""
    return objects.Objects(work, _as_objects(work, [part])[0])


def restored(work: Work, parts: t.Sequence[Object]) -> Result:
    """Apply recorded manifests, and remove what they do not have; the folder is not looked at."""
    outcome = objects.restored(work, parts)
    return Result(outcome.changed, _rows(outcome.rows), outcome.diff)


def former(made: objects.Objects) -> list[Object]:
    """Return what is there of ours from another content of the same generators: it had another hash in its name."""
    wanted = [item for item in made.wanted if item["kind"] in GENERATED and HASH.search(item["metadata"]["name"])]
    names = {item["metadata"]["name"] for item in made.wanted}
    stems = {(item["kind"], HASH.sub("", item["metadata"]["name"])) for item in wanted}
    selector = f"{made.label}=true,{COMPONENT_LABEL}={made.component}"
    places = sorted({(item["kind"], item["metadata"]["namespace"]) for item in wanted})
    return [
        {**item, "apiVersion": "v1", "kind": kind}
        for kind, namespace in places
        for item in made.cluster.list("v1", kind, namespace, selector)
        if item["metadata"]["name"] not in names and (kind, HASH.sub("", item["metadata"]["name"])) in stems
    ]


def _rows(rows: list[Object]) -> list[Object]:
    return [{**row, "kind": KIND} for row in rows]


def _as_objects(work: Work, parts: t.Sequence[Object]) -> list[Object]:
    registry = registry_of(work.params)
    made = []
    for part in parts:
        place = (part["component"], part["name"])
        if place not in work.built:
            more: t.Any = {"remote": bool(part.get("remote")), "binary": work.params["kustomize_binary"]}
            items = build(part["path"], part["name"], part.get("overlay"), **more)
            work.built[place] = [rewrite_object(item, registry) for item in items] if registry else items
        made.append({**part, "kind": objects.KIND, "objects": work.built[place]})
    return made
