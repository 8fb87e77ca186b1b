# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pods and status of a LeaderWorkerSet."""

from __future__ import annotations

from typing import Any

from plane_objects import obj
from serving_plane.cluster.conditions import find
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.leaderworkerset import GROUP, NAME, WORKER, plan


def _set(replicas: int | None = 2, size: int = 2, image: str = "vllm:1", **template: Any) -> dict[str, Any]:
    worker = {"metadata": {"labels": {"app": "m"}}, "spec": {"containers": [{"name": "vllm", "image": image}]}}
    spec: dict[str, Any] = {"leaderWorkerTemplate": {"size": size, "workerTemplate": worker, **template}}
    if replicas is not None:
        spec["replicas"] = replicas
    return obj("LeaderWorkerSet", "lws", api="leaderworkerset.x-k8s.io/v1", spec=spec)


def _run(lws: dict[str, Any], ready: bool = True) -> Snapshot:
    """A snapshot in which all pods of a set exist."""
    snapshot = Snapshot([lws])
    for at, pod in enumerate(plan(lws, snapshot).create):
        pod["metadata"]["uid"] = f"pod-{at}"
        pod["status"] = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
        snapshot.put(pod)
    return snapshot


def _names(pods: list[dict[str, Any]]) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in pods)


def test_pods() -> None:
    lws = _set()
    made = plan(lws, Snapshot([lws])).create
    assert _names(made) == ["lws-0", "lws-0-1", "lws-1", "lws-1-1"]
    worker = next(pod for pod in made if pod["metadata"]["name"] == "lws-1-1")
    env = {item["name"]: item["value"] for item in worker["spec"]["containers"][0]["env"]}
    assert env == {"LWS_LEADER_ADDRESS": "lws-1.lws.demo", "LWS_GROUP_SIZE": "2", "LWS_WORKER_INDEX": "1"}
    labels = worker["metadata"]["labels"]
    assert (labels["app"], labels[NAME], labels[GROUP], labels[WORKER]) == ("m", "lws", "1", "1")
    assert worker["metadata"]["ownerReferences"][0]["controller"] is True


def test_leader_has_its_own_template() -> None:
    lws = _set(leaderTemplate={"spec": {"containers": [{"name": "leader", "image": "l"}]}})
    first = {pod["metadata"]["name"]: pod["spec"]["containers"][0]["name"] for pod in plan(lws, Snapshot()).create}
    assert (first["lws-0"], first["lws-0-1"]) == ("leader", "vllm")


def test_replicas_default_to_one() -> None:
    assert _names(plan(_set(None, 1), Snapshot()).create) == ["lws-0"]


def test_status() -> None:
    lws = _set()
    for ready, count, available in ((True, 2, "True"), (False, 0, "False")):
        status = plan(lws, _run(lws, ready)).status
        assert (status["replicas"], status["readyReplicas"], status["updatedReplicas"]) == (2, count, 2)
        assert find(status["conditions"], "Available")["status"] == available


def test_scaling_down_deletes_whole_groups() -> None:
    lws = _set()
    snapshot = _run(lws)
    lws["spec"]["replicas"] = 1
    assert _names(plan(lws, snapshot).delete) == ["lws-1", "lws-1-1"]
    lws["spec"]["replicas"] = 0
    assert len(plan(lws, snapshot).delete) == 4


def test_lost_pod_comes_back() -> None:
    lws = _set()
    snapshot = _run(lws)
    snapshot.drop(snapshot.need("Pod", "demo", "lws-0-1"))
    assert _names(plan(lws, snapshot).create) == ["lws-0-1"]


def test_new_template_replaces_one_group_at_a_time() -> None:
    lws = _set()
    snapshot = _run(lws)
    lws["spec"]["leaderWorkerTemplate"]["workerTemplate"]["spec"]["containers"][0]["image"] = "vllm:2"
    assert _names(plan(lws, snapshot).delete) == ["lws-1", "lws-1-1"]
    snapshot.drop(snapshot.need("Pod", "demo", "lws-1"))
    assert plan(lws, snapshot).delete == []


def test_pods_of_others_do_not_count() -> None:
    lws = _set()
    alien = obj("Pod", "lws-0", labels={NAME: "lws", GROUP: "0", WORKER: "0"}, spec={}, status={})
    assert plan(lws, Snapshot([alien])).status["replicas"] == 0
