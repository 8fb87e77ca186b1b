# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What vLLM, its routing sidecar and prefill pods answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from plane_objects import Lab, model_pod, obj, picker_pod, sidecar
from serving_plane.servers.messages import Call, Reply
from serving_plane.servers.pods import call_pod


def test_streaming_ends_with_done() -> None:
    lab = Lab()
    reply = lab.complete(stream=True)
    assert reply.stream is not None

    async def read() -> list[bytes]:
        return [chunk async for chunk in reply.stream]

    events = asyncio.run(read())
    assert events[-1] == b"data: [DONE]\n\n"
    assert json.loads(events[-2][6:])["choices"][0]["finish_reason"] == "length"
    assert lab.served("model-0") == 1


ROLE = "llm-d.ai/role"
DECODE, PREFILL = {"app": "model", ROLE: "decode"}, {"app": "model", ROLE: "prefill"}


def _pd(vllm_port: int = 8200, side: dict[str, Any] | None = None, **prefill: Any) -> Lab:
    decode = model_pod("decode-0", port=vllm_port, labels=DECODE, initContainers=[side or sidecar()])
    return Lab(model_pod=decode, prefill=model_pod("prefill-0", **{"labels": PREFILL, **prefill}))


@pytest.mark.parametrize(
    ("lab", "status", "decoded", "prefilled"),
    [
        (_pd(), 200, 1, 1),
        (_pd(ready=False), 200, 1, 0),
        (_pd(port=8200), 200, 1, 0),
        (_pd(port=8200, side=sidecar(version="v0.5.1")), 502, 0, 0),
        (_pd(port=8200, side=sidecar(version="latest")), 200, 1, 0),
        (_pd(vllm_port=8100), 502, 0, 1),
        (_pd(vllm_port=8000), 502, 0, 1),
        (_pd(side=sidecar(port=8001)), 503, 0, 0),
        (_pd(model="else"), 404, 0, 0),
    ],
    ids=[
        "good",
        "no ready prefill",
        "prefill port",
        "prefill port of old",
        "prefill port, no version",
        "sidecar's vLLM port",
        "one port for both",
        "sidecar port",
        "model",
    ],
)
def test_prefill_takes_part(lab: Lab, status: int, decoded: int, prefilled: int) -> None:
    assert lab.complete().status == status
    assert (lab.served("decode-0"), lab.served("prefill-0")) == (decoded, prefilled)


def _picker(plugins: str, file: str = "p.yaml") -> dict[str, Any]:
    """A picker's pod that reads p.yaml from its ConfigMap, and that ConfigMap."""
    pod = picker_pod()
    pod["spec"]["containers"][0]["args"] += ["--config-file", f"/config/{file}"]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "plugins", "mountPath": "/config"}]
    pod["spec"]["volumes"] = [{"name": "plugins", "configMap": {"name": "plugins"}}]
    return {"picker_pod": pod, "plugins": obj("ConfigMap", "plugins", data={"p.yaml": plugins})}


SPLIT, PLAIN = "plugins: [{type: pd-profile-handler}]", "plugins: [{type: queue-scorer}]"


@pytest.mark.parametrize(
    ("picker", "status", "decoded", "prefilled"),
    [
        (_picker(SPLIT), 200, 4, 4),
        (_picker(PLAIN), 200, 2, 2),  # in turns, as ordinary servers
        (_picker("plugins: {"), 500, 0, 0),
        (_picker(PLAIN, "else.yaml"), 500, 0, 0),
    ],
    ids=["parts prefill", "does not", "broken", "missing"],
)
def test_the_pickers_plugins_decide_on_prefill(
    picker: dict[str, Any], status: int, decoded: int, prefilled: int
) -> None:
    decode = model_pod("decode-0", port=8200, labels=DECODE, initContainers=[sidecar()])
    lab = Lab(model_pod=decode, prefill=model_pod("prefill-0", labels=PREFILL), **picker)
    assert [lab.complete().status for _unused in range(4)] == [status] * 4
    assert (lab.served("decode-0"), lab.served("prefill-0")) == (decoded, prefilled)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/models", None, 200),
        ("GET", "/health", None, 200),
        ("GET", "/metrics", None, 200),
        ("GET", "/v1/completions", None, 405),
        ("POST", "/v1/models", {}, 405),
        ("GET", "/v2/models", None, 404),
        ("POST", "/v1/completions", b"{not json", 400),
        ("POST", "/v1/completions", b"[]", 400),
        ("POST", "/v1/completions", {"model": "m"}, 400),
        ("POST", "/v1/completions", {"model": "m", "prompt": "x", "max_tokens": 0}, 400),
        ("POST", "/v1/completions", {"prompt": "x"}, 200),
        ("POST", "/v1/chat/completions", {"model": "m", "messages": []}, 400),
        ("POST", "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "x"}]}, 200),
    ],
)
def test_vllm(method: str, path: str, body: Any, status: int) -> None:
    assert Lab().call(method, path, body).status == status


def test_metrics_name_model_and_count() -> None:
    lab = Lab()
    lab.complete()
    text = lab.call("GET", "/metrics").body.decode()
    assert 'vllm:request_success_total{engine="0",model_name="m",finished_reason="length"} 1.0' in text
    assert 'vllm:generation_tokens_total{engine="0",model_name="m"} 4.0' in text


@pytest.mark.parametrize(
    ("image", "counters"),
    [
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.0.2", ["inference_model_request_total"]),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0", ["inference_objective_request_total"]),
        ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0", ["inference_objective_request_total"]),
        (
            "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0",
            ["llm_d_epp_request_total", "inference_objective_request_total"],
        ),
    ],
)
def test_a_picker_counts_what_it_is_asked(image: str, counters: list[str]) -> None:
    lab = Lab(picker_pod=picker_pod(image=image, args=["--metrics-endpoint-auth=false"]))
    for _unused in range(2):
        lab.complete()
    reply = _metrics_of_picker(lab)
    found = [line.partition("{")[0] for line in reply.body.decode().splitlines() if line.endswith(" 2.0")]
    assert (reply.status, found) == (200, counters)


def test_a_pickers_metrics_ask_for_a_token() -> None:
    lab = Lab()
    assert _metrics_of_picker(lab).status == 401
    assert _metrics_of_picker(lab, authorization="Bearer x").status == 200


def _metrics_of_picker(lab: Lab, **headers: str) -> Reply:
    pod = lab.snapshot.need("Pod", "demo", "pool-epp-0")
    reply = asyncio.run(call_pod(pod, 9090, Call("GET", "/metrics", headers=headers), lab.snapshot, lab.counters))
    assert reply is not None
    return reply
