# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Dynamo frontend of the lab: what it lists, who answers, and what does not serve."""

from __future__ import annotations

import json

from dynamo_objects import Cluster, Object, frontend, graph, platform, worker
from serving_plane.dynamo.failing import crashes
from serving_plane.dynamo.names import BACKEND

SHARED = {"dynamoNamespace": "shared"}
FRONT = graph("front", Frontend=frontend(dynamoNamespace="dynamo"))


def test_each_model_is_listed_and_answered_by_its_own_worker() -> None:
    cluster = Cluster(
        *platform(),
        FRONT,
        graph("a", Worker=worker("m/a", dynamoNamespace="a")),
        graph("b", Worker=worker("m/b", dynamoNamespace="b")),
    )
    assert cluster.models() == ["m/a", "m/b"]
    for _unused in range(3):
        reply = cluster.complete("m/a")
        assert (reply.status, json.loads(reply.body)["model"]) == (200, "m/a")
    assert (cluster.worked("a-worker-0"), cluster.worked("b-worker-0")) == (3, 0)


def test_unknown_model_is_not_found() -> None:
    reply = Cluster(*platform(), FRONT).complete("m/a")
    assert (reply.status, json.loads(reply.body)) == (404, {"error": "Model not found"})


def test_frontend_without_models_is_healthy() -> None:
    cluster = Cluster(*platform(), FRONT)
    reply = cluster.call("front-frontend-0", 8000, "GET", "/health")
    assert (reply.status, json.loads(reply.body)["status"], cluster.models()) == (200, "healthy", [])


def test_prefill_takes_part_where_there_is_a_prefill_worker() -> None:
    decode, prefill = worker("m/a", dynamoNamespace="a"), worker("m/a", "--is-prefill-worker", dynamoNamespace="a")
    cluster = Cluster(*platform(), FRONT, graph("a", Decode=decode, Prefill=prefill))
    assert cluster.models() == ["m/a"]
    assert cluster.complete("m/a").status == 200
    assert (cluster.worked("a-decode-0"), cluster.worked("a-prefill-0")) == (1, 1)


def test_models_of_one_endpoint_are_mixed_up() -> None:
    front = graph("front", Frontend=frontend(**SHARED))
    models = [graph(name, Worker=worker(f"m/{name}", **SHARED)) for name in ("a", "b")]
    cluster = Cluster(*platform(), front, *models)
    for _unused in range(4):
        assert json.loads(cluster.complete("m/a").body)["model"] == "m/a"
    assert (cluster.worked("a-worker-0"), cluster.worked("b-worker-0")) == (2, 2)


def test_scope_of_another_namespace_is_not_seen() -> None:
    front = graph("front", Frontend=frontend(dynamoNamespace="a"))
    models = [graph(name, Worker=worker(f"m/{name}", dynamoNamespace=name)) for name in ("a", "b")]
    cluster = Cluster(*platform(), front, *models)
    assert cluster.models() == ["m/a"]
    assert cluster.complete("m/b").status == 404


def test_namespace_of_the_file_is_ignored_since_0_7() -> None:
    """The shared namespace of a recipe for 0.5 means nothing: the frontend sees its own graph only, which is empty."""
    version = "0.7.1"
    model = graph("a", Worker=worker("m/a", version=version, **SHARED))
    own = graph("front", Frontend=frontend(version, **SHARED))
    assert Cluster(*platform(version), own, model).models() == []
    shared = graph("front", Frontend=frontend(version, globalDynamoNamespace=True))
    assert Cluster(*platform(version), shared, model).models() == ["m/a"]


def test_restricted_operator_leaves_other_namespaces_alone() -> None:
    elsewhere = graph("front", "other", Frontend=frontend())
    cluster = Cluster(*platform(restricted="demo"), elsewhere)
    assert cluster.snapshot.all("DynamoComponentDeployment") == []
    assert len(Cluster(*platform(), elsewhere).snapshot.all("DynamoComponentDeployment")) == 1


def _without(name: str, objects: list[Object]) -> list[Object]:
    return [item for item in objects if item["metadata"]["name"] != name]


def test_nothing_is_registered_without_etcd_or_nats() -> None:
    for gone, message in (("platform-etcd-0", "Unable to connect to etcd"), ("platform-nats-0", "connect to NATS")):
        model = graph("a", Worker=worker("m/a", dynamoNamespace="a"))
        cluster = Cluster(*_without(gone, platform()), FRONT, model)
        assert cluster.models() == []
        logs = crashes(cluster.snapshot)
        assert len(logs) == 2
        assert all(message in text for text in logs.values())


def test_discovery_backends_that_differ_do_not_meet() -> None:
    version, global_ = "1.0.1", {"globalDynamoNamespace": True}
    front = graph("front", Frontend=frontend(version, **global_))
    model = graph("a", Worker=worker("m/a", version=version))
    assert Cluster(*platform(version), front, model).models() == ["m/a"]
    in_etcd = graph("a", annotations={BACKEND: "etcd"}, Worker=worker("m/a", version=version))
    assert Cluster(*platform(version), front, in_etcd).models() == []


def test_discovery_in_kubernetes_ends_at_the_namespace() -> None:
    version = "1.0.1"
    front = graph("front", Frontend=frontend(version, globalDynamoNamespace=True))
    model = graph("a", "other", Worker=worker("m/a", version=version))
    assert Cluster(*platform(version, args=["--discovery-backend=kubernetes"]), front, model).models() == []


def test_argument_of_a_later_version_ends_the_worker() -> None:
    model = graph("a", Worker=worker("m/a", "--disaggregation-mode prefill", dynamoNamespace="a"))
    cluster = Cluster(*platform(), FRONT, model)
    assert list(crashes(cluster.snapshot).values()) == [
        "usage: main.py [options]\nmain.py: error: unrecognized arguments: --disaggregation-mode"
    ]


def test_prefill_of_another_model_is_used_in_a_shared_namespace() -> None:
    decode = worker("m/a", **SHARED)
    prefill = worker("m/b", "--is-prefill-worker", **SHARED)
    front = graph("front", Frontend=frontend(**SHARED))
    cluster = Cluster(*platform(), front, graph("a", Decode=decode), graph("b", Prefill=prefill))
    assert cluster.models() == ["m/a"]
    assert cluster.complete("m/a").status == 200
    assert cluster.worked("b-prefill-0") == 1


def test_other_engines_need_the_prefill_worker_that_they_were_told_of() -> None:
    decode = worker("m/a", "--disaggregation-mode decode", module="sglang", dynamoNamespace="a")
    prefill = worker("m/a", "--disaggregation-mode prefill", module="sglang", dynamoNamespace="a")
    assert Cluster(*platform(), FRONT, graph("a", Decode=decode)).complete("m/a").status == 500
    cluster = Cluster(*platform(), FRONT, graph("a", Decode=decode, Prefill=prefill))
    assert cluster.complete("m/a").status == 200
    assert cluster.worked("a-prefill-0") == 1


def test_two_endpoints_for_one_model_before_1_0_only_the_first_is_used() -> None:
    models = [graph(name, Worker=worker("m/same", dynamoNamespace=name)) for name in ("a", "b")]
    cluster = Cluster(*platform(), FRONT, *models)
    for _unused in range(4):
        assert cluster.complete("m/same").status == 200
    assert sorted((cluster.worked("a-worker-0"), cluster.worked("b-worker-0"))) == [0, 4]
