# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What containers listen on and which models they serve, from their command lines."""

from __future__ import annotations

from typing import Any

import pytest
from plane_objects import obj, picker_pod, pod, sidecar
from serving_plane.servers.commandline import flag_values, seconds, words
from serving_plane.servers.servers import server_on, servers

SCRIPT = """
set -e
export X=1  # a comment; vllm serve is not here
exec vllm serve $MODEL \\
  --port ${PORT:-9000} \\
  --served-model-name a b
"""


def _of(container: dict[str, Any]) -> list[tuple[str, int, tuple[str, ...]]]:
    found = servers(obj("Pod", "p", spec={"containers": [{"name": "main", "image": "x/y:1", **container}]}))
    return [(item.kind, item.port, item.models) for item in found]


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (
            {"command": ["vllm", "serve"], "args": ["Qwen/Q", "--port", "8000", "--served-model-name", "Qwen/Q"]},
            [("vllm", 8000, ("Qwen/Q",))],
        ),
        ({"command": ["vllm", "serve", "Qwen/Q", "--port=8200"]}, [("vllm", 8200, ("Qwen/Q",))]),
        ({"command": ["vllm", "serve", "Qwen/Q"]}, [("vllm", 8000, ("Qwen/Q",))]),
        ({"command": ["vllm", "serve", "Qwen/Q", "--served_model_name", "a", "b"]}, [("vllm", 8000, ("a", "b"))]),
        ({"command": ["/opt/bin/vllm", "serve", "--model=Q/Q"]}, [("vllm", 8000, ("Q/Q",))]),
        (
            {"command": ["python3", "-m", "vllm.entrypoints.openai.api_server"], "args": ["--model", "M"]},
            [("vllm", 8000, ("M",))],
        ),
        ({"image": "vllm/vllm-openai:v0.11", "args": ["--model", "M", "--port", "81"]}, [("vllm", 81, ("M",))]),
        ({"image": "vllm/vllm-openai:v0.11", "args": ["--port", "81"]}, []),
        (
            {"image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1", "args": ["--model", "random", "--port", "8200"]},
            [("vllm", 8200, ("random",))],
        ),
        (
            {
                "command": ["vllm", "serve", "$(MODEL)", "--port", "$(PORT)"],
                "env": [{"name": "MODEL", "value": "M"}, {"name": "PORT", "value": "7000"}],
            },
            [("vllm", 7000, ("M",))],
        ),
        (
            {"command": ["/bin/sh", "-c"], "args": [SCRIPT], "env": [{"name": "MODEL", "value": "M"}]},
            [("vllm", 9000, ("a", "b"))],
        ),
        ({"command": ["bash", "-c", "vllm serve M --port 8001 && echo done"]}, [("vllm", 8001, ("M",))]),
        ({"command": ["vllm", "serve", "M", "--headless"]}, []),
        (
            {"command": ["vllm", "serve", "M", "--port", "8001"], "ports": [{"containerPort": 8000}]},
            [("vllm", 8001, ("M",))],
        ),
        ({"command": ["nginx"], "ports": [{"containerPort": 8080}]}, [("other", 8080, ())]),
        ({"command": ["nginx"], "ports": [{"containerPort": 53, "protocol": "UDP"}]}, []),
    ],
)
def test_container(container: dict[str, Any], expected: list[Any]) -> None:
    assert _of(container) == expected


def test_sidecar_stands_before_vllm() -> None:
    item = pod("p", {}, "--model", "m", "--port", "8200", initContainers=[sidecar()])
    assert [(s.kind, s.port, s.vllm_port) for s in servers(item)] == [("sidecar", 8000, 8200), ("vllm", 8200, 0)]


def test_two_servers_cannot_have_one_port() -> None:
    item = pod("p", {}, "--model", "m", "--port", "8000", initContainers=[sidecar()])
    assert [(s.kind, s.port) for s in servers(item)] == [("sidecar", 8000)]


def test_init_container_that_ends_does_not_listen() -> None:
    item = pod("p", {}, "--model", "m", initContainers=[{**sidecar(), "restartPolicy": None}])
    assert [s.kind for s in servers(item)] == ["vllm"]


def test_endpoint_picker() -> None:
    found = server_on(picker_pod("q"), 9002)
    assert found and (found.kind, found.pool) == ("epp", ("inference.networking.k8s.io", "demo", "q"))
    assert {item.port for item in servers(picker_pod())} == {9002, 9003, 9090}


def test_endpoint_picker_defaults() -> None:
    item = pod("p", {}, "--pool-name=q", "--grpc-port=9100", "--secure-serving=false", image="x/epp:1")
    found = server_on(item, 9100)
    assert found and found.pool == ("inference.networking.k8s.io", "demo", "q") and not found.secure


def test_last_use_of_a_flag_wins() -> None:
    assert flag_values(["--a", "1", "2", "--b", "--a=3"], "a") == ["3"]


def test_script_without_server_stays_as_it_is() -> None:
    assert words({"command": ["sh", "-c", "sleep 1"]}) == ["sh", "-c", "sleep 1"]


@pytest.mark.parametrize(
    ("text", "expected"), [("0s", 0), ("1m30s", 90), ("250ms", 0.25), ("2000", 2), (None, 0), ("1.5s", 1.5)]
)
def test_seconds(text: str | None, expected: float) -> None:
    assert seconds(text) == expected
