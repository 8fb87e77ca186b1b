# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Dynamo operator of the lab: what it makes of graphs, in which state they are, and how they go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dynamo_objects import Cluster, Object, frontend, graph, operator_pod, platform, worker
from plane_objects import obj
from serving_plane.cluster.conditions import find
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.dynamo import components, graphs
from serving_plane.dynamo.controller import operator_work
from serving_plane.dynamo.failing import KILLED, STARTING, SlowStarts, deadline
from serving_plane.dynamo.names import FINALIZER
from serving_plane.dynamo.operators import Operator, operators
from serving_plane.writer import Writer


def running(*objects: Object) -> tuple[Snapshot, Operator]:
    snapshot = Snapshot(objects)
    return snapshot, operators(snapshot)[0]


def planned(item: Object, *others: Object, version: str = "0.5.0") -> graphs.Plan:
    snapshot, operator = running(*platform(version), item, *others)
    plan = graphs.plan(item, operator, snapshot)
    for number, made in enumerate(plan.apply):
        made["metadata"]["uid"] = f"uid-component-{number}"
    return plan


def main_container(component: Object, version: str) -> Object:
    snapshot, operator = running(*platform(version))
    return components.deployment(component, operator, snapshot)["spec"]["template"]["spec"]["containers"][0]


class Asked(Writer):
    """A writer that keeps what it is asked for."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, Any]] = []

    async def _keep(self, verb: str, item: Object, more: Any = None) -> None:
        self.done.append((verb, item["metadata"]["name"], more))

    async def apply(self, obj: Object) -> None:
        await self._keep("apply", obj)

    async def create(self, obj: Object) -> None:
        await self._keep("create", obj)

    async def delete(self, obj: Object, why: str) -> None:
        await self._keep("delete", obj, why)

    async def status(self, wanted: Any) -> None:
        await self._keep("status", wanted.obj, wanted.status)

    async def finalizers(self, obj: Object, wanted: list[str]) -> None:
        await self._keep("finalizers", obj, wanted)


def asked(*objects: Object) -> list[tuple[str, str, Any]]:
    """What the operators that run want to be written."""
    writer = Asked()

    async def work() -> None:
        await asyncio.gather(*operator_work(Snapshot(objects), writer))

    asyncio.run(work())
    return writer.done


def test_names_and_labels_before_1_0() -> None:
    (made,) = planned(graph("a", VllmDecodeWorker=worker("m/a", dynamoNamespace="ns"))).apply
    assert made["metadata"]["name"] == "a-vllmdecodeworker"
    assert made["metadata"]["labels"] == {
        "nvidia.com/dynamo-component": "VllmDecodeWorker",
        "nvidia.com/dynamo-namespace": "ns",
        "nvidia.com/dynamo-graph-deployment-name": "a",
    }


def test_workers_have_a_hash_in_their_names_since_1_0() -> None:
    front, first = planned(graph("a", Frontend=frontend("1.0.1"), Worker=worker("m/a")), version="1.0.1").apply
    assert front["metadata"]["name"] == "a-frontend"
    (scaled,) = planned(graph("a", Worker=worker("m/a", replicas=3)), version="1.0.1").apply
    (other,) = planned(graph("a", Worker=worker("m/b")), version="1.0.1").apply
    names = [item["metadata"]["name"] for item in (first, scaled, other)]
    assert names[0] == names[1] != names[2]
    assert all(len(name) == len("a-worker-") + 8 for name in names)


def test_namespaces_of_a_graph_have_to_agree_up_to_0_6() -> None:
    mixed = graph("a", Decode=worker("m/a", dynamoNamespace="x"), Prefill=worker("m/a", dynamoNamespace="y"))
    plan = planned(mixed)
    assert (plan.apply, plan.status["state"]) == ([], "failed")
    assert "namespace mismatch for component Prefill" in plan.status["conditions"][0]["message"]
    assert len(planned(mixed, version="0.7.1").apply) == 2


def test_graph_without_services_is_successful() -> None:
    """As the real one: its state says nothing of whether something serves."""
    status = planned(graph("a")).status
    assert (status["state"], status["conditions"][0]["reason"]) == ("successful", "all_resources_are_ready")
    assert "observedGeneration" not in status["conditions"][0]


@pytest.mark.parametrize(("version", "state"), [("0.5.0", "pending"), ("1.0.1", "initializing")])
def test_graph_whose_components_are_new(version: str, state: str) -> None:
    status = planned(graph("a", Worker=worker("m/a")), version=version).status
    assert status["state"] == state
    assert find(status["conditions"], "Ready")["reason"] == "some_resources_are_not_ready"


def test_status_since_1_0_counts_services() -> None:
    status = planned(graph("a", Worker=worker("m/a")), version="1.0.1").status
    assert status["observedGeneration"] == 1
    assert status["services"]["Worker"]["componentKind"] == "Deployment"
    assert status["services"]["Worker"]["readyReplicas"] == 0


def test_component_of_a_service_that_is_gone_stays() -> None:
    first = graph("a", Old=worker("m/a"), New=worker("m/b"))
    (old, new) = planned(first).apply
    new["status"] = {"conditions": [{"type": "Available", "status": "True"}]}
    plan = planned(graph("a", New=worker("m/b")), old, new)
    assert (plan.status["state"], plan.delete) == ("successful", [])


def test_workers_of_another_hash_go_when_the_new_ones_are_ready() -> None:
    version = "1.0.1"
    (old,) = planned(graph("a", Worker=worker("m/a")), version=version).apply
    present = graph("a", Worker=worker("m/b"))
    (new,) = planned(present, version=version).apply
    assert planned(present, old, new, version=version).delete == []
    new["status"] = {"conditions": [{"type": "Available", "status": "True"}]}
    assert planned(present, old, new, version=version).delete == [old]


@pytest.mark.parametrize(("version", "seconds"), [("0.5.0", 600), ("0.5.1", 600), ("0.6.0", 7200), ("1.0.1", 7200)])
def test_startup_budget_of_workers(version: str, seconds: int) -> None:
    (made,) = planned(graph("a", Worker=worker("m/a")), version=version).apply
    probe = main_container(made, version)["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == seconds


def test_container_is_the_operators_with_what_the_graph_says() -> None:
    service = worker(
        "m/a",
        dynamoNamespace="ns",
        envFromSecret="hf",
        envs=[{"name": "HF_HOME", "value": "/cache"}],
        resources={"limits": {"gpu": "2", "memory": "8Gi"}},
        livenessProbe={"httpGet": {"path": "/x", "port": 1}},
    )
    service["extraPodSpec"]["mainContainer"]["startupProbe"] = {"httpGet": {"path": "/y", "port": 2}}
    (made,) = planned(graph("a", Worker=service)).apply
    main = main_container(made, "0.5.0")
    env = {item["name"]: item.get("value") for item in main["env"]}
    assert main["name"] == "main"
    assert (env["DYN_NAMESPACE"], env["HF_HOME"]) == ("ns", "/cache")
    assert env["ETCD_ENDPOINTS"] == "platform-etcd.demo:2379"
    assert main["envFrom"] == [{"secretRef": {"name": "hf"}}]
    assert main["resources"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": "2"}
    assert main["livenessProbe"] == {"httpGet": {"path": "/x", "port": 1}}
    assert main["startupProbe"] == {"httpGet": {"path": "/y", "port": 2}}


@pytest.mark.parametrize(("version", "services"), [("0.5.0", ["front"]), ("1.0.1", ["front", "worker"])])
def test_workers_have_a_service_only_for_discovery_in_kubernetes(version: str, services: list[str]) -> None:
    _snapshot, operator = running(*platform(version))
    made = planned(graph("a", Front=frontend(), Worker=worker("m/a")), version=version).apply
    found = [components.service(item, operator) for item in made]
    assert [item["metadata"]["name"].split("-")[1] for item in found if item] == services


def _gone(item: Object) -> Object:
    item["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER]}
    return item


def _component(version: str = "0.5.0") -> Object:
    (made,) = planned(graph("a", Worker=worker("m/a")), version=version).apply
    return _gone(made)


def test_finalizers_need_a_running_operator() -> None:
    item = _gone(graph("a"))
    assert ("finalizers", "a", []) in asked(item, *platform())
    unready = operator_pod()
    unready["status"] = {}
    assert asked(item, unready) == []
    assert asked(item) == []


@pytest.mark.parametrize(("version", "ends"), [("0.5.0", False), ("1.0.1", True)])
def test_finalizers_of_components_need_etcd_before_1_0(version: str, ends: bool) -> None:
    item = _component(version)
    name = item["metadata"]["name"]
    alone = [part for part in platform(version) if part["metadata"]["name"] != "platform-etcd-0"]
    assert (("finalizers", name, []) in asked(item, *alone)) == ends
    assert ("finalizers", name, []) in asked(item, *platform(version))


def test_scope_of_an_operator_of_1_0_is_in_its_configuration() -> None:
    text = "namespace: {restricted: one}\ninfrastructure: {etcdAddress: 'e.ns:2379'}\ndiscovery: {backend: etcd}\n"
    pod = operator_pod("1.0.1", args=["--config=/etc/dynamo-operator/config.yaml"])
    pod["spec"]["volumes"] = [{"name": "operator-config", "configMap": {"name": "conf"}}]
    _snapshot, operator = running(pod, obj("ConfigMap", "conf", data={"config.yaml": text}))
    assert (operator.scope, operator.etcd, operator.backend) == ("one", "e.ns:2379", "etcd")


def _starting(ready_at: str, **probe: int) -> Object:
    cluster = Cluster(*platform(), graph("a", Worker=worker("m/a")))
    pod = cluster.snapshot.need("Pod", "demo", "a-worker-0")
    pod["spec"]["containers"][0]["startupProbe"] = probe
    pod["status"] = {
        "conditions": [{"type": STARTING, "status": "True", "message": ready_at}],
        "containerStatuses": [{"name": "main", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
    }
    return pod


def test_pod_that_takes_longer_than_its_startup_probe_is_killed() -> None:
    pod = _starting("2026-01-01T00:01:00.123456789Z", periodSeconds=10, failureThreshold=2)
    assert deadline(pod) == 1767225620.0
    assert deadline(_starting("2026-01-01T00:00:19Z", periodSeconds=10, failureThreshold=2)) == 0.0
    now, woken = [1767225610.0], list[float]()
    slow = SlowStarts(woken.append, lambda: now[0])
    assert slow.look(Snapshot([pod])) == {}
    assert woken == [10.0]
    now[0] += 10
    assert slow.look(Snapshot([pod])) == {pod["metadata"]["uid"]: KILLED}
