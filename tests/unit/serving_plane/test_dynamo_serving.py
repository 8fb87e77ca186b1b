# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Dynamo frontend of the lab: what it lists, who answers, and what does not serve."""

from __future__ import annotations

import json

from dynamo_objects import Cluster, frontend, graph, platform, worker

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
