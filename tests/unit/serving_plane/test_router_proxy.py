# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The proxy of a router that stands alone: beside the picker or in pods of its own, and to which pods it sends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from plane_objects import model_pod, obj, pool, service
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.network import Network
from serving_plane.router_proxy import RouterProxies
from serving_plane.servers.counters import Counters
from serving_plane.servers.messages import Call, Reply
from serving_plane.servers.servers import PROXY

POOL = ["--pool-name", "pool", "--pool-namespace", "demo"]
OWN = ["--endpoint-selector", "app=model", "--endpoint-target-ports", "8000"]


def envoy(host: str = "127.0.0.1", port: int = 9002) -> dict[str, Any]:
    text = f"socket_address:\n  address: {host}\n  port_value: {port}\n"
    return obj("ConfigMap", "envoy", data={"envoy.yaml": text})


def container(name: str, image: str, args: list[str] | None = None, **ports: int) -> dict[str, Any]:
    listed = [{"name": key.replace("_", "-"), "containerPort": number} for key, number in ports.items()]
    return {"name": name, "image": image, "args": args or [], "ports": listed}


PROXY_CONTAINER = container("envoy-proxy", "x/envoy:1", http_8081=8081, metrics_19001=19001)


def router(*containers: dict[str, Any], name: str = "pool-epp-0", app: str = "epp") -> dict[str, Any]:
    spec = {"containers": list(containers), "volumes": [{"name": "config", "configMap": {"name": "envoy"}}]}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return obj("Pod", name, labels={"app": app}, spec=spec, status=status)


def beside(args: list[str]) -> dict[str, Any]:
    return router(PROXY_CONTAINER, container("epp", "x/llm-d-router-endpoint-picker:v0.10.0", args))


class Alone:
    """A router without a Gateway."""

    def __init__(self, *objects: dict[str, Any]) -> None:
        self.counters = Counters()
        self.network = Network(self.counters)
        self.network.players[PROXY] = RouterProxies(self.counters).answer
        self.network.snapshot = Snapshot([obj("Namespace", "demo", ""), *objects])

    def ask(self, model: str = "m", pod: str = "pool-epp-0") -> Reply:
        body = json.dumps({"model": model, "prompt": "a", "max_tokens": 1}).encode()
        call = Call("POST", "/v1/completions", body=body)
        reply = asyncio.run(self.network.pod(self.network.snapshot.need("Pod", "demo", pod), 8081, call))
        assert reply is not None
        return reply


@pytest.mark.parametrize("args", [POOL, OWN])
def test_requests_go_to_the_ready_pods_of_the_pool_in_turn(args: list[str]) -> None:
    pods = [model_pod("model-0"), model_pod("model-1"), model_pod("model-2", ready=False)]
    alone = Alone(beside(args), envoy(), pool(), *pods)
    replies = [alone.ask() for _number in range(4)]
    assert [reply.status for reply in replies] == [200] * 4
    assert {reply.note.partition("pod ")[2].partition(":")[0] for reply in replies} == {"model-0", "model-1"}


def test_the_picker_counts_what_it_is_asked() -> None:
    picker = beside(OWN)
    alone = Alone(picker, envoy(), model_pod())
    alone.ask()
    assert dict(alone.counters.asked(picker["metadata"]["uid"])) == {"m": 1}


def test_a_proxy_of_its_own_asks_the_picker_behind_its_service() -> None:
    picker = router(container("epp", "x/epp:1", OWN), name="picker-0")
    proxy = router(PROXY_CONTAINER, name="proxy-0", app="proxy")
    objects = [picker, proxy, envoy("pool-epp.demo.svc.cluster.local"), model_pod()]
    assert Alone(*objects).ask(pod="proxy-0").status == 503
    assert Alone(*objects, service("pool-epp", {"app": "epp"}, 9002)).ask(pod="proxy-0").status == 200


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([beside(OWN), envoy()], "no ready endpoint"),
        ([beside(POOL), envoy(), model_pod()], "its pool does not exist"),
        ([beside(OWN), model_pod()], "no configuration names one"),
        ([router(PROXY_CONTAINER), envoy(), model_pod()], "nothing listens on 127.0.0.1:9002"),
        ([beside(OWN), envoy(), model_pod(port=9000)], "does not listen"),
    ],
)
def test_what_is_not_served(objects: list[dict[str, Any]], why: str) -> None:
    reply = Alone(*objects).ask()
    assert reply.status == 503
    assert why in reply.note
