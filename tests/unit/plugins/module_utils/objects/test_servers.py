# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What command lines say about model servers, and what they leave open."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.servers import flag, flags, servers, words

WIDE = """
START_RANK=$(( ${LWS_WORKER_INDEX:-0} * DP_SIZE_LOCAL ))
source /opt/vllm/bin/activate
exec vllm serve \\
  org/big \\
  --port 8200 \\
  --data-parallel-size $((LWS_GROUP_SIZE * DP_SIZE_LOCAL)) \\
  --data-parallel-size-local $DP_SIZE_LOCAL \\
  --kv_transfer_config '{"kv_connector":"NixlConnector"}'
"""
QUOTED = """cd /tmp && vllm serve org/a --port ${PORT:-8005} --kv-events-config '{
  "endpoint": "tcp://x:1"; "topic": "a && b"
}' --served-model-name one two"""


def container(*args: str, command: list[str] | None = None, image: str = "vllm/vllm-openai:v1", **more: Any) -> dict:
    return {"name": "main", "image": image, "args": list(args), **({"command": command} if command else {}), **more}


PORTS: list[tuple[str, dict, tuple[int, ...] | None]] = [
    ("given apart", container("--model", "m", "--port", "9000"), (9000,)),
    ("given with =", container("--port=9000"), (9000,)),
    ("the last one counts", container("--port=1", "--port=2"), (2,)),
    ("vLLM's default", container("--model", "m"), (8000,)),
    ("the simulator's default", container(image="ghcr.io/llm-d/llm-d-inference-sim:v0.7.1"), (8000,)),
    (
        "SGLang's default",
        container(command=["python3", "-m", "sglang.launch_server"], image="lmsys/sglang:v1"),
        (30000,),
    ),
    ("a variable that is set", container("--port=$(P)", env=[{"name": "P", "value": "81"}]), (81,)),
    ("a variable that is not", container("--port=$(P)"), None),
    ("a script", container("vllm serve m --port 8200", command=["bash", "-c"]), (8200,)),
    ("a script's default value", container(QUOTED, command=["sh", "-c"]), (8005,)),
    ("a script with a variable that nobody sets", container("vllm serve m --port $P", command=["sh", "-c"]), None),
    (
        "ranks that listen side by side",
        container(WIDE, command=["/bin/bash", "-c"], env=[{"name": "DP_SIZE_LOCAL", "value": "2"}]),
        (8200, 8201),
    ),
    (
        "TensorRT-LLM's default",
        container("org/a", command=["trtllm-serve", "serve"], image="nvcr.io/trtllm:1"),
        (8000,),
    ),
    ("TensorRT-LLM's given", container("org/a", "--port=8100", command=["trtllm-serve"], image="x"), (8100,)),
    ("an unknown program's declared ports", container(command=["/serve"], ports=[{"containerPort": 7}]), (7,)),
    ("an unknown program", container(command=["/serve"]), None),
]


@pytest.mark.parametrize(("what", "item", "ports"), PORTS, ids=[what for what, _i, _p in PORTS])
def test_ports(what: str, item: dict, ports: tuple[int, ...] | None) -> None:
    models, sidecars = servers({"containers": [item]})
    assert [model.ports for model in models] == [ports], what
    assert sidecars == []


NAMES = [
    (container("--model", "org/a"), ("org/a",)),
    (container("org/a", command=["vllm", "serve"]), ("org/a",)),
    (container("--model=x", "--served-model-name", "one", "two", "--port=1"), ("one", "two")),
    (container(QUOTED, command=["sh", "-c"]), ("one", "two")),
    (container("--config=x"), ()),
    (container("org/a", "--tp_size=2", command=["trtllm-serve", "serve"], image="x"), ("org/a",)),
    (container("org/a", "--served_model_name=one", command=["trtllm-serve"], image="x"), ("one",)),
]


@pytest.mark.parametrize(("item", "names"), NAMES)
def test_served_names(item: dict, names: tuple[str, ...]) -> None:
    assert servers({"containers": [item]})[0][0].names == names


def test_a_routing_sidecar_and_where_it_sends() -> None:
    proxy = {"name": "routing-proxy", "image": "x", "args": ["--port=8000", "--vllm-port=8200"]}
    models, sidecars = servers({"initContainers": [proxy], "containers": [container("--port=8200")]})
    assert (sidecars[0].ports, sidecars[0].forward, models[0].ports) == ((8000,), 8200, (8200,))


def test_a_routing_sidecar_listens_for_each_rank() -> None:
    proxy = {"name": "routing-proxy", "image": "x", "args": ["--port=8000", "--data-parallel-size=3"]}
    assert servers({"initContainers": [proxy]})[1][0].ports == (8000, 8001, 8002)
    proxy["args"] = ["--data-parallel-size=1000000000"]
    assert len(servers({"initContainers": [proxy]})[1][0].ports or ()) == 1024


def test_what_starts_ranks_answers_probes_on_a_port_of_its_own() -> None:
    (model,), _sidecars = servers({"containers": [container("--model", "m", "--data-parallel-supervisor-port=8008")]})
    assert (model.ports, model.aside) == ((8000,), 8008)


def test_helpers_of_a_pod_are_no_model_servers() -> None:
    assert servers({"containers": [{"name": "metrics", "image": "prom/exporter", "args": ["--port=9"]}]}) == ([], [])


def test_accelerators_are_counted_and_other_resources_are_not() -> None:
    resources = {"limits": {"nvidia.com/gpu": "2", "cpu": "8", "rdma/ib": 1}, "requests": {"nvidia.com/gpu": "2"}}
    assert servers({"containers": [container(resources=resources)]})[0][0].devices == 2


def test_flags_with_both_spellings_and_the_namespace_of_the_pod() -> None:
    field = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    item = container("--kv_events_config", "$(NS)-$(POD_IP)", env=[{"name": "NS", "valueFrom": field}])
    assert flag(words(item, "demo"), "kv-events-config") == "demo-$(POD_IP)"
    assert flags(words(item), "absent") == []
