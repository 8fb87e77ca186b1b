# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads the objects of a namespace that the probe judges."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils import _probe_objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._probe_objects import Object

POOL_APIS = ("inference.networking.k8s.io/v1", "inference.networking.x-k8s.io/v1alpha2")


def read_snapshot(cluster: t.Any, namespace: str, gateway_namespace: str | None) -> Object:
    """Return the objects that the checks read, see _probe_objects."""
    spaces = dict.fromkeys([namespace, gateway_namespace or namespace])
    workloads = [("apps/v1", "Deployment"), ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet")]

    def read(api: str, kind: str) -> list[Object]:
        return [item for space in spaces for item in cluster.list(api, kind, namespace=space)]

    served = (cluster.list(api, "InferencePool", namespace) for api in POOL_APIS)
    pools: list[Object] = next(filter(None, served), [])
    pods = read("v1", "Pod")
    return {
        "pods": [pod for pod in pods if pod["metadata"]["namespace"] == namespace],
        "gateway_pods": pods,
        "services": read("v1", "Service"),
        "workloads": [item for api, kind in workloads for item in cluster.list(api, kind, namespace)],
        "gateways": cluster.list("gateway.networking.k8s.io/v1", "Gateway", gateway_namespace or namespace),
        "routes": cluster.list("gateway.networking.k8s.io/v1", "HTTPRoute", namespace),
        "pools": pools,
        "configmaps": read_configmaps(cluster, namespace) if any(map(_probe_objects.is_prefill, pods)) else [],
    }


def read_configmaps(cluster: t.Any, namespace: str) -> list[Object]:
    """Return the ConfigMaps of a namespace; [] where they may not be read: the pickers' plugins are unknown then."""
    try:
        return cluster.list("v1", "ConfigMap", namespace)
    except OrchestratorError:
        return []
