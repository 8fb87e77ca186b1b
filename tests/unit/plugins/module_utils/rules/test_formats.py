# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values that the API server takes and nothing can use: one that is right beside each that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.room import Capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules import formats
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

NODES = ({"metadata": {"name": "n", "labels": {"kubernetes.io/hostname": "n", "zone": "a"}}},)
FACTS = RuleFacts(capacity=Capacity(nodes=NODES, pods=()))


GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "gw"},
    "spec": {"infrastructure": {"parametersRef": {"group": "", "kind": "ConfigMap", "name": "a"}}},
}


def pod(kind: str = "Deployment", **container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "vllm", "image": "lab/model:1", **container}]}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "a"}, "spec": {"template": {"spec": spec}}}


def spread(**spec: Any) -> dict[str, Any]:
    body = pod()
    body["spec"]["template"]["spec"] |= spec
    return body


def env(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def custom(kind: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "x.io/v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}


def overlay(text: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"deployment": text}}


def monitor(**endpoint: Any) -> dict[str, Any]:
    return custom("PodMonitor", podMetricsEndpoints=[endpoint])


def destination(value: Any) -> dict[str, Any]:
    return custom("DestinationRule", trafficPolicy={"connectionPool": {"http": {"idleTimeout": value}}})


SPREAD = "topologySpreadConstraints"
LIMITS = "spec: {template: {spec: {containers: [{resources: {limits: {memory: %s}}}]}}}"
CASES: list[tuple[dict[str, Any], str, str]] = [
    (pod(image="ghcr.io/llm-d/llm-d-cuda:v0.5.1"), "", ""),
    (pod(image="host:5000/a/b@sha256:" + "a" * 64), "", ""),
    (pod(image="https://ghcr.io/llm-d/llm-d-cuda:v0.5.1"), "LLMD805", "remove the scheme"),
    (pod(image="ghcr.io/llm-d/llm-d cuda"), "LLMD805", "not a valid image"),
    (pod(env=env(("TRITON_CACHE_DIR", "/a"), ("a.b-c", "1"))), "", ""),
    (pod(env=env(("TRITON CACHE DIR", "/a"))), "LLMD806", "'TRITON CACHE DIR'"),
    (pod(args=["$(POD_IP)"], env=env(("POD_IP", "1"))), "", ""),
    (pod(args=["$(POD_IP)"], env=env(("PODIP", "1"))), "LLMD807", "Did you mean PODIP?"),
    (pod(args=["$$(POD_IP)", "$(hostname)", "$(LWS_LEADER_ADDRESS)", "$(KUBERNETES_SERVICE_HOST)"]), "", ""),
    (pod(args=["$(POD_IP)"], envFrom=[{"configMapRef": {"name": "a"}}]), "", ""),
    (pod(env=env(("A", "1"), ("B", "$(A)"))), "", ""),
    (pod(env=env(("B", "$(A)"), ("A", "1"))), "LLMD807", "does not set before it"),
    (pod(volumeMounts=[{"name": "v", "mountPath": "/dev/shm"}]), "", ""),
    (pod(volumeMounts=[{"name": "v", "mountPath": "dev/shm"}]), "LLMD808", "'dev/shm'"),
    (spread(volumes=[{"name": "shm", "emptyDir": {"medium": "Memory"}}, {"name": "c", "emptyDir": {}}]), "", ""),
    (spread(volumes=[{"name": "huge", "emptyDir": {"medium": "HugePages-2Mi"}}]), "", ""),
    (spread(volumes=[{"name": "shm", "emptyDir": {"medium": "memory"}}]), "LLMD812", "'memory'"),
    (monitor(interval="30s", scrapeTimeout="1m30s"), "", ""),
    (monitor(interval="30 seconds"), "LLMD809", "'30 seconds'"),
    (monitor(interval=30), "LLMD809", "not a duration"),
    (destination("900s"), "", ""),
    (destination("900"), "LLMD809", "'900'"),
    (overlay(LIMITS % "16Gi"), "", ""),
    (overlay(LIMITS % "16GB"), "LLMD810", "limits.memory in deployment of ConfigMap demo/a is '16GB'"),
    (overlay("resources: [{{"), "", ""),
    (spread(**{SPREAD: [{"topologyKey": "zone"}]}), "", ""),
    (
        spread(**{SPREAD: [{"topologyKey": "kubernetes.io/hostnames"}]}),
        "LLMD811",
        "Did you mean kubernetes.io/hostname?",
    ),
]


@pytest.mark.parametrize(("body", "rule", "words"), CASES)
def test_formats(body: dict[str, Any], rule: str, words: str) -> None:
    part = RenderedRelease("monitoring", "r", "demo", [body, GATEWAY])
    found = check(build_model([part], facts=FACTS), formats.RULES)
    assert [item.rule for item in found] == ([rule] if rule else []), [item.message for item in found]
    assert all(words in item.message for item in found)


def test_the_key_of_the_values_is_named() -> None:
    values = {"gateway": {"parameters": {"resources": {"limits": {"memory": "16GB"}}}}}
    part = RenderedRelease(
        "gateway", "r", "demo", [overlay(LIMITS % "16GB"), GATEWAY], layers=[Layer(values, "infra.yaml")]
    )
    (found,) = check(build_model([part]), formats.RULES)
    assert found.path == "gateway.parameters.resources.limits.memory"
