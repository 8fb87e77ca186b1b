# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""From a URL inside the cluster to the pod that answers, and why nothing does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from plane_objects import model_pod, obj, service
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.network import Network, Unreachable
from serving_plane.servers.counters import Counters
from serving_plane.servers.messages import Call, Reply, text_reply


def network(*others: dict[str, Any], ready: bool = True) -> Network:
    found = Network(Counters())
    plain = service("model", {"app": "model"}, 80, targetPort=8000)
    plain["spec"]["clusterIP"] = "10.96.0.9"
    found.snapshot = Snapshot([plain, model_pod(ready=ready), *others])
    return found


def fetch(net: Network, url: str, namespace: str = "demo") -> Reply:
    return asyncio.run(net.fetch(url, Call("GET", "/ignored"), namespace))


@pytest.mark.parametrize(
    ("url", "namespace"),
    [
        ("http://model/v1/models", "demo"),
        ("http://model.demo/v1/models", "other"),
        ("http://model.demo.svc:80/v1/models?limit=1", "other"),
        ("http://model.demo.svc.cluster.local/v1/models", "other"),
        ("http://10.96.0.9/v1/models", "other"),
    ],
)
def test_urls_that_lead_to_a_pod(url: str, namespace: str) -> None:
    assert fetch(network(), url, namespace).status == 200


@pytest.mark.parametrize(
    ("url", "namespace", "why"),
    [
        ("http://model/v1/models", "other", "dns error"),
        ("http://model.demo.svc.cluster/v1/models", "demo", "dns error"),
        ("https://api.example.com/v1/models", "demo", "dns error"),
        ("https://model/v1/models", "demo", "no TLS"),
        ("http://model:81/v1/models", "demo", "no such port"),
        ("http://model:x/v1/models", "demo", "builder error"),
        ("${API_BASE}/v1/models", "demo", "builder error"),
        ("http://nobody/", "demo", "no ready pod"),
        ("http://elsewhere/", "demo", "Connection refused"),
    ],
)
def test_urls_that_lead_nowhere(url: str, namespace: str, why: str) -> None:
    nobody = service("nobody", {"app": "nobody"}, 80)
    elsewhere = service("elsewhere", {"app": "model"}, 80, targetPort=8001)
    with pytest.raises(Unreachable, match=why):
        fetch(network(nobody, elsewhere), url, namespace)


def test_a_pod_that_is_not_ready_is_not_asked() -> None:
    with pytest.raises(Unreachable, match="no ready pod"):
        fetch(network(ready=False), "http://model/")


def test_players_answer_for_servers_of_their_kind() -> None:
    async def played(pod: Any, server: Any, call: Call, _network: Network) -> Reply:
        where = f"{pod['metadata']['name']}:{server.port}"
        return text_reply(200, f"{where} {call.path}?{call.query} {call.headers['host']}")

    net = network(obj("Namespace", "demo", ""))
    net.players["vllm"] = played
    assert fetch(net, "http://model/path?a=b").body == b"model-0:8000 /path?a=b model"
