# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects whose controllers do not look again by themselves: they are touched.

Deployments whose pods were refused before; objects whose status says what is no longer so (changes/stale.py).

The ReplicaSet controller tries again after pauses that double up to a quarter of an hour. A quota that was lifted, or
a webhook that was mended, would be noticed that late. Any change of a ReplicaSet makes it try at once, and an
annotation of the Deployment is copied to its ReplicaSet.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.events import now
from ..base.ours import TRIED_ANNOTATION, object_key

if t.TYPE_CHECKING:
    from ..helm.deployed import HelmRecords


def refused(live: Object | None) -> bool:
    """Return whether a Deployment's pods could not be made when that was last tried."""
    conditions = ((live or {}).get("status") or {}).get("conditions") or []
    return any(one.get("type") == "ReplicaFailure" and one.get("status") == "True" for one in conditions)


def nudge(inventory: HelmRecords, objects: t.Iterable[Object]) -> None:
    """Have the pods of those Deployments among a release's objects that lack them made now."""
    for item in objects:
        if item["kind"] != "Deployment":
            continue
        where = (item["apiVersion"], "Deployment", item["metadata"]["name"])
        namespace = item["metadata"]["namespace"]
        if refused(inventory.cluster.get(*where, namespace)):
            touch(inventory, item, f"retry the pods of {where[2]}")


def touch(inventory: HelmRecords, item: Object, why: str) -> None:
    """Change an annotation of an object, and nothing else of it. why: for the message where that may not be done."""
    api_version, kind, namespace, name = object_key(item)
    body = {"metadata": {"annotations": {TRIED_ANNOTATION: now()}}}
    inventory.change(why, "patch", api_version, kind, name, namespace or None, body)
