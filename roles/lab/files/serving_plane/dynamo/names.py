# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels, annotations and ports that the Dynamo operator gives, and versions of its releases."""

from __future__ import annotations

import re

from ..cluster.snapshot import Object

GROUP = "nvidia.com"
API = f"{GROUP}/v1alpha1"
GRAPH_KIND, COMPONENT_KIND, METADATA_KIND = (
    "DynamoGraphDeployment",
    "DynamoComponentDeployment",
    "DynamoWorkerMetadata",
)
FINALIZER = f"{GROUP}/finalizer"
GRAPH = f"{GROUP}/dynamo-graph-deployment-name"
COMPONENT = f"{GROUP}/dynamo-component"
NAMESPACE = f"{GROUP}/dynamo-namespace"
TYPE = f"{GROUP}/dynamo-component-type"
SUBTYPE = f"{GROUP}/dynamo-sub-component-type"
SELECTOR = f"{GROUP}/selector"
METRICS_LABEL, METRICS_ANNOTATION = f"{GROUP}/metrics-enabled", f"{GROUP}/enable-metrics"
STRATEGY = f"{GROUP}/deployment-strategy"
BACKEND, DISCOVERED = f"{GROUP}/dynamo-discovery-backend", f"{GROUP}/dynamo-discovery-enabled"
COMPONENT_POD = f"{GROUP}/dynamo-component-pod"
WORKER_HASH = f"{GROUP}/dynamo-worker-hash"
FRONTEND = "frontend"
WORKERS = ("worker", "prefill", "decode")
HTTP_PORT, SYSTEM_PORT = 8000, 9090
# The namespace whose frontends see all others (lib/llm/src/namespace.rs).
GLOBAL = "dynamo"

Version = tuple[int, int, int]
# The startup budget of workers went from 10 minutes to 2 hours.
LONG_START: Version = (0, 6, 0)
# dynamoNamespace is ignored: it is the graph's own, or the global one.
OWN_NAMESPACE: Version = (0, 7, 0)
# Workers may register in Kubernetes instead of etcd.
KUBERNETES: Version = (0, 8, 0)
# Workers' names have a hash, and those of another hash are deleted; states tell more; finalizers do without etcd.
ONE: Version = (1, 0, 0)


def version_in(image: str) -> Version | None:
    """The version in an image's tag, or None."""
    found = re.search(r":v?(\d+)\.(\d+)(?:\.(\d+))?", image.rpartition("/")[2])
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def is_worker(component: Object) -> bool:
    """Whether a service of a graph, or a component's spec, is a worker."""
    return component.get("componentType") in WORKERS
