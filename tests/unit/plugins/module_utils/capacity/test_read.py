# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Reading a cluster's room: page by page, only what is needed, and going on where reading is refused."""

from __future__ import annotations

import copy
import json
import random
import types
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding, Mark
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity import read
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.fit import capacity_report
from ansible_collections.llm_d.orchestrator.plugins.module_utils.capacity.read import add_capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.run import capacity_weighed
from kubernetes.client.exceptions import ApiException

from capacity.world import GPU, deployment, findings, node, pod, quota, spec


class Cluster:
    """Serves objects by plural, two a page; asked: (path, query) of each request; refused: plurals."""

    def __init__(self, refused: tuple[str, ...] = (), **objects: list[dict[str, Any]]) -> None:
        self.objects, self.refused = objects, refused
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.client = self

    def resource(self, _api_version: str, kind: str) -> Any:
        name = kind.lower() + "s"
        if name not in self.objects and name not in self.refused:
            return None
        return types.SimpleNamespace(path=lambda namespace=None: f"/{namespace}/{name}" if namespace else f"/{name}")

    def request(self, _verb: str, path: str, query_params: list, **_more: Any) -> Any:
        query = dict(query_params)
        self.asked.append((path, query))
        _root, *space, name = path.split("/")
        if name in self.refused and not (name == "pods" and space):
            raise ApiException(status=403, reason="Forbidden")
        found = [
            body for body in self.objects.get(name, []) if not space or body["metadata"].get("namespace") == space[0]
        ]
        start = int(query.get("continue", 0))
        more = str(start + 2) if start + 2 < len(found) else ""
        return types.SimpleNamespace(
            data=json.dumps({"items": found[start : start + 2], "metadata": {"continue": more}})
        )

    def list(self, _api_version: str, kind: str, namespace: str) -> list[dict[str, Any]]:
        if kind.lower() + "s" in self.refused:
            raise OrchestratorError(f"may not list {kind}")
        return [b for b in self.objects.get(kind.lower() + "s", []) if b["metadata"].get("namespace") == namespace]


NODES = [node(f"n{i}", 8) for i in range(3)]
PODS = [pod(f"x{i}", f"n{i}", {GPU: "8"}, namespace="other") for i in range(3)] + [pod("y", "n0", {"cpu": "1"})]


def planned(cluster: Cluster, *plan: dict[str, Any]) -> StackModel:
    bodies = list(plan) or [deployment("a", spec({GPU: "8"}))]
    model = build_model([RenderedRelease("modelservice", "ms-a", "demo", bodies)])
    add_capacity(model, cluster)  # type: ignore[arg-type]
    return model


def test_nodes_and_pods_are_read_page_by_page() -> None:
    cluster = Cluster(nodes=NODES, pods=PODS)
    model = planned(cluster)
    capacity = model.facts.capacity
    assert capacity is not None
    assert (len(capacity.nodes or ()), len(capacity.pods or ()), len(capacity.own_pods)) == (3, 4, 1)
    assert [path for path, _query in cluster.asked] == ["/nodes"] * 2 + ["/pods"] * 2
    assert cluster.asked[2][1] == {"limit": 500, "fieldSelector": "status.phase!=Succeeded,status.phase!=Failed"}
    assert "image" not in str([body for body in capacity.pods or () if body["metadata"]["namespace"] == "other"])
    assert [item.rule for item in findings(model)] == ["LLMD701"]


def test_without_the_right_to_list_nodes_quotas_are_still_checked() -> None:
    cluster = Cluster(refused=("nodes",), pods=PODS, resourcequotas=[quota({f"requests.{GPU}": "4"})])
    model = planned(cluster)
    assert [item.rule for item in findings(model)] == ["LLMD721"]
    assert model.facts.capacity
    assert "Node" in " ".join(model.facts.capacity.unread)
    assert [path for path, _query in cluster.asked if "pods" in path] == ["/demo/pods"] * 1


def test_without_the_right_to_list_pods_only_what_is_certain_is_said() -> None:
    cluster = Cluster(refused=("pods",), nodes=NODES)
    assert findings(planned(cluster)) == []
    assert [item.rule for item in findings(planned(cluster, deployment("a", spec({GPU: "9"}))))] == ["LLMD702"]


def test_what_quotas_count_is_looked_up_and_nothing_else() -> None:
    services = [{"metadata": {"name": "s", "namespace": "demo"}}]
    counted = quota({"services": "1", "count/deployments.apps": "0"})
    cluster = Cluster(nodes=NODES, pods=[], resourcequotas=[counted], services=services, deployments=[], secrets=[])
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "demo"}}
    (found,) = findings(planned(cluster, deployment("a", spec()), service))
    assert "count/deployments.apps" in found.message
    assert "services" not in found.message
    assert [path for path, _query in cluster.asked if "/demo/" in path] == ["/demo/deployments", "/demo/services"]


def test_too_many_objects_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST", 2)
    model = planned(Cluster(nodes=NODES, pods=PODS))
    assert model.facts.capacity
    assert model.facts.capacity.nodes is None
    assert "more than 2 objects" in model.facts.capacity.unread[0]


@pytest.mark.parametrize(("rule", "severity"), [("LLMD701", "warning"), ("LLMD721", "warning"), ("LLMD741", "error")])
def test_with_warn_want_of_room_is_a_warning(rule: str, severity: str) -> None:
    (found,) = capacity_weighed([Finding(Mark("x", 0), "", "text", "hint", rule, "error")], "warn")
    assert found.severity == severity
    (found,) = capacity_weighed([found], "block")
    assert found.severity == severity


WORTHLESS: list[Any] = [None, "", "text", 7, -1, True, [], {}, [None], ["x"], {"a": None}, [{"name": None}], {"a": {}}]
WHOLE = {
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]
            }
        },
        "podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}, "namespaces": ["demo"]}
            ]
        },
    },
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}}
    ],
    "initContainers": [{"name": "i", "resources": {"requests": {"cpu": "1"}}, "restartPolicy": "Always"}],
    "priorityClassName": "high",
    "overhead": {"cpu": "1"},
}


@pytest.mark.parametrize("seed", range(300))
def test_manifests_that_make_no_sense_are_survived(seed: int) -> None:
    """Any value of a workload is replaced: something may be found, nothing fails."""
    chance = random.Random(seed)
    strategy = {"rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}
    body = copy.deepcopy(deployment("a", spec({GPU: "8", "cpu": "1"}, **WHOLE), 2, strategy=strategy))
    at: Any = body["spec"]
    while True:
        key = chance.choice(list(at) if isinstance(at, dict) else list(range(len(at))))
        if not isinstance(at[key], (dict, list)) or not at[key] or chance.random() < 0.1:
            break
        at = at[key]
    at[key] = chance.choice(WORTHLESS)
    limits = [quota({"cpu": "1", "pods": "1"}, scopes=["NotBestEffort"])]
    live = [*PODS, pod("a-0", "n1", {GPU: "1"}, owner="a", labels={"app": "a"})]
    found = planned(Cluster(nodes=NODES, pods=live, resourcequotas=limits), body)
    findings(found)
    assert capacity_report(found)["nodes"] == 3
