# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Deployments whose pods were refused before: their controller is made to try again now.

The ReplicaSet controller tries again after pauses that double up to a quarter of an hour. A quota that was lifted, or
a webhook that was mended, would be noticed that late. Any change of a ReplicaSet makes it try at once, and an
annotation of the Deployment is copied to its ReplicaSet.
"""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.events import now

if t.TYPE_CHECKING:
    from ..helm.deployed import HelmRecords


TRIED = "orchestrator.llm-d.ai/tried-again"


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
            body = {"metadata": {"annotations": {TRIED: now()}}}
            inventory.change(f"try the pods of {where[2]} again", "patch", *where, namespace, body)
