# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator's work in one pass: for each graph and component that a running operator looks after."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from ..cluster.snapshot import Object, Snapshot, is_deleted
from ..gateways.infrastructure import owner
from ..gateways.statuses import Wanted
from ..writer import Writer
from . import components, definitions, graphs
from .names import API, COMPONENT_KIND, FINALIZER, GRAPH_KIND, METADATA_KIND, ONE
from .operators import Operator, answers, operators
from .workers import registered

LOG = logging.getLogger("serving_plane")


class Controller:
    """The operators' work, and which of their pods have brought the definitions up to date."""

    def __init__(self) -> None:
        self._upgraded: set[str] = set()

    async def upgrade(self, snapshot: Snapshot, writer: Writer) -> bool:
        """Apply the definitions for each operator that has started since; True if that should be tried again."""
        for uid in list(definitions.due(snapshot, self._upgraded)):
            if await writer.run([writer.put(item) for item in definitions.definitions()]):
                return True
            self._upgraded.add(uid)
        return False


def operator_work(snapshot: Snapshot, writer: Writer) -> list[Awaitable[None]]:
    """All writes of the operators that run. Without one, nothing happens to anything, deletion included."""
    running = operators(snapshot)
    work: list[Awaitable[None]] = []
    for kind, look in ((GRAPH_KIND, _graph), (COMPONENT_KIND, _component)):
        for obj in snapshot.all(kind):
            operator = next((item for item in running if item.covers(obj)), None)
            if operator is None:
                continue
            if is_deleted(obj):
                work += _finalize(obj, operator, snapshot, writer)
            elif FINALIZER not in (obj["metadata"].get("finalizers") or []):
                work.append(writer.finalizers(obj, [*(obj["metadata"].get("finalizers") or []), FINALIZER]))
            else:
                work += look(obj, operator, snapshot, writer)
    return work


def registrations(snapshot: Snapshot, writer: Writer) -> list[Awaitable[None]]:
    """What workers write of themselves into Kubernetes, where that is what they register in."""
    if METADATA_KIND not in snapshot.served:
        return []
    return [
        writer.apply(
            {
                "apiVersion": API,
                "kind": METADATA_KIND,
                "metadata": {
                    "name": worker.pod["metadata"]["name"],
                    "namespace": worker.pod["metadata"]["namespace"],
                    "ownerReferences": [owner(worker.pod, controller=True)],
                },
                "spec": {"data": {"endpoints": [".".join(worker.endpoint)], "model": worker.model}},
            }
        )
        for worker in registered(snapshot)
        if worker.place.backend == "kubernetes"
    ]


def _finalize(obj: Object, operator: Operator, snapshot: Snapshot, writer: Writer) -> list[Awaitable[None]]:
    """Take the finalizer off; that of a component waits until its keys in etcd can be deleted, before 1.0."""
    present = obj["metadata"].get("finalizers") or []
    if FINALIZER not in present:
        return []
    home = operator.pod["metadata"]["namespace"]
    if obj["kind"] == COMPONENT_KIND and operator.version < ONE and not answers(operator.etcd, home, snapshot):
        LOG.debug("%s waits for etcd", obj["metadata"]["name"])
        return []
    return [writer.finalizers(obj, [item for item in present if item != FINALIZER])]


def _graph(obj: Object, operator: Operator, snapshot: Snapshot, writer: Writer) -> list[Awaitable[None]]:
    plan = graphs.plan(obj, operator, snapshot)
    work = [writer.apply(item) for item in plan.apply]
    work += [writer.delete(item, "its graph has no such component any more") for item in plan.delete]
    return [*work, writer.status(Wanted(obj, plan.status))]


def _component(obj: Object, operator: Operator, snapshot: Snapshot, writer: Writer) -> list[Awaitable[None]]:
    plan = components.plan(obj, operator, snapshot)
    work = [writer.apply(item) for item in plan.apply]
    work += [
        writer.create(item)
        for item in plan.create
        if snapshot.get(item["kind"], item["metadata"]["namespace"], item["metadata"]["name"]) is None
    ]
    return [*work, writer.status(Wanted(obj, plan.status))]
