# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What an operator of Dynamo keeps of a service that was taken out of its graph."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.client import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.dynamo_graphs import outgrown
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.graphs import graph

Object = dict[str, Any]
GRAPH = {"metadata": {"name": "m", "namespace": "ns"}, "spec": {"services": {"Worker": {"componentType": "worker"}}}}


class Served:
    """A cluster as far as components are concerned."""

    def __init__(self, *items: Object) -> None:
        self.items = items

    def resource(self, _api: str, _kind: str) -> bool:
        return True

    def list(self, _api: str, _kind: str, namespace: str) -> list[Object]:
        return [item for item in self.items if item["metadata"]["namespace"] == namespace]


def component(service: str, of: str = "m", **metadata: Any) -> Object:
    labels = {"nvidia.com/dynamo-graph-deployment-name": of, "nvidia.com/dynamo-component": service}
    return {"metadata": {"name": f"{of}-{service}", "namespace": "ns", "labels": labels, **metadata}}


@pytest.mark.parametrize(
    ("item", "version", "kept"),
    [
        (component("Planner"), "0.5.0", True),
        (component("Planner"), "0.9.1", True),
        (component("Worker"), "0.5.0", False),
        (component("Planner", of="theirs"), "0.5.0", False),
        (component("Planner", deletionTimestamp="2026-11-30T10:00:00Z"), "0.5.0", False),
        # The operator sees to it, by names with a hash.
        (component("Planner"), "1.0.1", False),
    ],
)
def test_outgrown(item: Object, version: str, kept: bool) -> None:
    found = outgrown(cast(Cluster, Served(item)), [graph(GRAPH, version)])
    assert [one["metadata"]["name"] for one in found] == ([item["metadata"]["name"]] if kept else [])
