# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads what a management cluster of Cluster API knows of its clusters."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import Forbidden
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.contexts import SECRET_TYPE
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import removed_afterwards

Object = dict[str, t.Any]
# The newest of Cluster API's versions that a management cluster serves is asked.
VERSIONS = tuple(f"cluster.x-k8s.io/{version}" for version in ("v1beta2", "v1beta1"))


def read_managed(params: Object, namespaces: list[str]) -> tuple[list[Object], list[Object], list[str]]:
    """Return Secrets, Clusters and a line for each namespace whose Clusters may not be read.

    params: credentials as modules take them; namespaces: [] for all. Raises OrchestratorError.
    """
    secrets: list[Object] = []
    clusters: list[Object] = []
    problems = []
    with removed_afterwards():
        cluster = Cluster({name: value for name, value in params.items() if value})
        served = next((version for version in VERSIONS if cluster.resource(version, "Cluster")), None)
        everywhere: list[str | None] = [None]
        for namespace in namespaces or everywhere:
            secrets += cluster.list("v1", "Secret", namespace, field_selector=f"type={SECRET_TYPE}")
            try:
                clusters += cluster.list(served, "Cluster", namespace) if served else []
            except Forbidden as exc:
                problems.append(f"Cannot read the clusters' labels: {exc.message}")
    return secrets, clusters, problems
