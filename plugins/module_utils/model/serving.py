# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a stack serves, read from its rendered manifests: it means the same whatever made them."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..objects.pools import ROLE_LABEL
from .items import InferencePool, Workload
from .model import StackModel


def served(told: Object, model: StackModel) -> Object:
    """Return the models and pools that the components told, as the manifests have them.

    told: the stack as plain data; model: of its rendered parts. What renders nothing stays as it was told.
    """
    models = [_model(row, [one for one in model.workloads if _is_of(one, row)]) for row in told["models"]]
    pools = {pool.item.name: pool for pool in model.pools if pool.item.release}
    return {"models": models, "pools": [_pool(row, pools.get(row["name"])) for row in told["pools"]]}


def _is_of(workload: Workload, row: Object) -> bool:
    return not workload.item.live and workload.item.unit == row["release"]


def _model(row: Object, workloads: t.Sequence[Workload]) -> Object:
    if not workloads:
        return row
    labels = [set(workload.labels.items()) for workload in workloads]
    shared = {key: value for key, value in workloads[0].labels.items() if (key, value) in set.intersection(*labels)}
    names = [name for workload in workloads for name in workload.served]
    return {
        **row,
        "model": row["model"] or next(iter(names), ""),
        "labels": {key: value for key, value in shared.items() if key != ROLE_LABEL},
        "port": _port(workloads) or row["port"],
        "roles": {workload.role: workload.replicas for workload in workloads if workload.role} or row["roles"],
        "workloads": {workload.role: workload.item.name for workload in workloads if workload.role} or row["workloads"],
        "workload_kind": workloads[0].item.kind,
    }


def _port(workloads: t.Sequence[Workload]) -> int | None:
    """Return the port that requests come to: a sidecar's where a pod has one, else the server's."""
    servers = [server for workload in workloads for server in (*workload.sidecars, *workload.models)]
    return next((server.ports[0] for server in servers if server.ports), None)


def _pool(row: Object, pool: InferencePool | None) -> Object:
    if pool is None:
        return row
    return {**row, "selector": pool.selector, "target_ports": list(pool.ports), "endpoint_picker": pool.epp}
