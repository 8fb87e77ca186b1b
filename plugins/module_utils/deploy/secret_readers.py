# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which workloads run on with what a Secret held before it was changed: containers read variables at their start."""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, mapping
from ..base.errors import OrchestratorError
from ..base.words import listed
from ..cluster.client import Cluster

WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"))


def told(cluster: Cluster, changed: t.Sequence[Object]) -> list[str]:
    """Return a warning for each changed Secret that containers have read: who reads it, and how to start them anew."""
    found = []
    for namespace in dict.fromkeys(one["metadata"]["namespace"] for one in changed):
        try:
            rows = [(kind, item) for api, kind in WORKLOADS for item in cluster.list(api, kind, namespace)]
        except OrchestratorError:  # who may not list them is told of none
            continue
        for secret in (one for one in changed if one["metadata"]["namespace"] == namespace):
            name = secret["metadata"]["name"]
            users = [f"{kind}/{item['metadata']['name']}" for kind, item in rows if _runs(item) and reads(item, name)]
            if users:
                command = f"kubectl rollout restart -n {namespace} {' '.join(users).lower()}"
                found.append(
                    f"Secret {namespace}/{name} has changed. Containers read it when they start: {listed(users)} still"
                    f" run with the former value, unless this run changes them too. To restart them: {command}"
                )
    return found


def _runs(item: Object) -> bool:
    return bool(mapping(item.get("status")).get("replicas"))


def reads(item: Object, secret: str) -> bool:
    """Return whether containers of a workload have variables from a Secret."""
    spec = mapping(mapping(mapping(item.get("spec")).get("template")).get("spec"))
    containers = [*dicts(spec.get("containers")), *dicts(spec.get("initContainers"))]
    whole = [mapping(row.get("secretRef")) for one in containers for row in dicts(one.get("envFrom"))]
    single = [
        mapping(mapping(row.get("valueFrom")).get("secretKeyRef"))
        for one in containers
        for row in dicts(one.get("env"))
    ]
    return any(row.get("name") == secret for row in (*whole, *single))
