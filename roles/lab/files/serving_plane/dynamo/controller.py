# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The operator's work in one pass: for each graph and component that a running operator looks after."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from ..cluster.snapshot import Object, Snapshot, is_deleted
from ..gateways.statuses import Wanted
from ..writer import Writer
from . import components, graphs
from .names import COMPONENT_KIND, FINALIZER, GRAPH_KIND, ONE
from .operators import Operator, answers, operators

LOG = logging.getLogger("serving_plane")


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
