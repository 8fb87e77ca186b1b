# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the containers of a pod really listen on, read from their command lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..cluster.snapshot import Object
from .commandline import environment, flag, flag_values, has_flag, seconds, words
from .orchestrators import kind_of

VLLM_PORT = 8000
SIDECAR_VLLM_PORT = 8001
# Kinds of the LLM Router's servers; the controller's port is part of its program, whatever the chart says.
ROUTER, TRITON = "router-controller", "triton"
ROUTER_PORT = 8084
# A proxy that asks an endpoint picker where to send each request.
PROXY, PROXIES = "router-proxy", ("envoy", "agentgateway")
TRITON_PORTS = {"http-port": 8000, "grpc-port": 8001, "metrics-port": 8002}
EPP_PORTS = {"grpc-port": 9002, "grpc-health-port": 9003, "metrics-port": 9090}
Version = tuple[int, int, int]
# llm-d-inference-scheduler v0.6.0, pkg/sidecar/proxy/connector_nixlv2.go: what prefill answers with 5xx, decode does.
FALLS_BACK: Version = (0, 6, 0)
# Gateway API Inference Extension v1.1.0, pkg/epp/metrics/metrics.go: inference_objective_ instead of inference_model_.
OBJECTIVES: Version = (1, 1, 0)
DYNAMO_PORT, SYSTEM_PORT = 8000, 9090
DYNAMO_MODULES = {f"dynamo.{name}" for name in ("frontend", "vllm", "sglang", "trtllm", "mocker")}
MODEL_IMAGES = ("vllm", "llm-d-cuda", "llm-d-cpu", "llm-d-xpu", "llm-d-hpu", "llm-d-rocm", "llm-d-inference-sim")


@dataclass(frozen=True)
class Server:
    """One listening port of a pod.

    `kind` is vllm, sidecar, epp, router-proxy, dynamo-frontend, dynamo-worker, router-controller, triton,
    orchestrator-api, orchestrator-worker or other.
    vLLM: served `models`, `first_token` and `per_token` in seconds.
    Sidecar: `vllm_port`, where it looks for vLLM in its pod, and whether it `falls_back` to that where prefill fails.
    EPP: `pool` as (group, namespace, name), `secure` TLS, whether its metrics are `guarded`, its request `counters`;
    without a pool that is an object, the `selector` of its pods and their `targets`.
    """

    kind: str
    port: int
    container: str = ""
    models: tuple[str, ...] = ()
    vllm_port: int = 0
    pool: tuple[str, str, str] = ("", "", "")
    secure: bool = True
    guarded: bool = True
    counters: tuple[str, ...] = ()
    selector: tuple[tuple[str, str], ...] = ()
    targets: tuple[int, ...] = ()
    falls_back: bool = True
    first_token: float = 0.0
    per_token: float = 0.0


def servers(pod: Object) -> tuple[Server, ...]:
    """Every port that the pod's containers listen on. Of two containers that want one port the first has it."""
    spec = pod["spec"]
    sidecars = [item for item in spec.get("initContainers") or [] if item.get("restartPolicy") == "Always"]
    found: dict[int, Server] = {}
    for container in sidecars + (spec.get("containers") or []):
        for server in _container_servers(container, pod["metadata"]["namespace"]):
            found.setdefault(server.port, server)
    return tuple(found.values())


def _container_servers(container: Object, namespace: str) -> list[Server]:
    line = words(container)
    image = container.get("image", "").rpartition("/")[2]
    if dynamo_module(line):
        return _dynamo(container, dynamo_module(line), line)
    if _is_sidecar(container["name"], image, line):
        target = _port(flag(line, "vllm-port", "decoder-port"), SIDECAR_VLLM_PORT)
        own = _port(flag(line, "port"), 8000)
        falls_back = version_of(image, FALLS_BACK) >= FALLS_BACK
        return [Server("sidecar", own, container["name"], vllm_port=target, falls_back=falls_back)]
    if ROUTER in image or container["name"].endswith(f"-{ROUTER}"):
        return [Server(ROUTER, ROUTER_PORT, container["name"])]
    if line and line[0].rpartition("/")[2] == "tritonserver":
        ports = [_port(flag(line, name), default) for name, default in TRITON_PORTS.items()]
        return [Server(TRITON, port, container["name"]) for port in ports]
    if kind := kind_of(container):
        ports = [item["containerPort"] for item in container.get("ports") or [] if item.get("name") != "grpc"]
        return [Server(kind, port, container["name"]) for port in ports]
    if image.partition(":")[0] in PROXIES:
        return [
            Server(_proxy_kind(item), item["containerPort"], container["name"]) for item in container.get("ports") or []
        ]
    if flag(line, "pool-name") is not None or flag(line, "endpoint-selector") is not None:
        return _epp(container, image, line, namespace)
    if _is_vllm(image, line):
        return _vllm(container, image, line)
    ports = [item["containerPort"] for item in container.get("ports") or [] if item.get("protocol", "TCP") == "TCP"]
    return [Server("other", port, container["name"]) for port in ports]


def _proxy_kind(port: Object) -> str:
    """What listens on a proxy's port: requests come in by http or http-8081, metrics and readiness by others."""
    return PROXY if str(port.get("name", "")).partition("-")[0] == "http" else "other"


def dynamo_module(line: list[str]) -> str:
    """The module of Dynamo's runtime that a command line starts, without "dynamo."; "" where it starts none."""
    return next((word.removeprefix("dynamo.") for word in line[:4] if word in DYNAMO_MODULES), "")


def _dynamo(container: Object, kind: str, line: list[str]) -> list[Server]:
    """A frontend's HTTP port, or the system port of a worker, which has none unless it is enabled."""
    env = environment(container)
    if kind == "frontend":
        port = _port(flag(line, "http-port") or env.get("DYN_HTTP_PORT"), DYNAMO_PORT)
        return [Server("dynamo-frontend", port, container["name"])]
    if env.get("DYN_SYSTEM_ENABLED", "false").lower() != "true":
        return []
    port = _port(env.get("DYN_SYSTEM_PORT"), SYSTEM_PORT)
    return [Server("dynamo-worker", port, container["name"], (dynamo_model(line),))]


def dynamo_model(line: list[str]) -> str:
    """The name under which a worker of Dynamo's runtime serves."""
    named = flag_values(line, "served-model-name") or flag_values(line, "model", "model-path")
    return named[0] if named else "Qwen/Qwen3-0.6B"


def _is_sidecar(name: str, image: str, line: list[str]) -> bool:
    return "routing-sidecar" in image or name == "routing-proxy" or has_flag(line, "vllm-port")


def _is_vllm(image: str, line: list[str]) -> bool:
    names = [word.rpartition("/")[2] for word in line]
    if "vllm" in names[:2] or "vllm.entrypoints.openai.api_server" in line or "llm-d-inference-sim" in names[:1]:
        return True
    if has_flag(line, "served-model-name"):
        return True
    known_image = image.partition(":")[0].startswith(MODEL_IMAGES)
    return known_image and (not line or line[0].startswith("-") or names[0] == "serve")


def _port(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


def _vllm(container: Object, image: str, line: list[str]) -> list[Server]:
    models = served_models(container, line)
    if has_flag(line, "headless") or not models:
        return []
    timing: dict[str, Any] = {}
    if "inference-sim" in image:
        timing["first_token"] = seconds(flag(line, "time-to-first-token"))
        timing["per_token"] = seconds(flag(line, "inter-token-latency"))
    port = _port(flag(line, "port"), VLLM_PORT)
    return [Server("vllm", port, container["name"], models=models, **timing)]


def served_models(container: Object, line: list[str]) -> tuple[str, ...]:
    """The names that a vLLM or simulator container answers to."""
    named = flag_values(line, "served-model-name")
    if named:
        return tuple(dict.fromkeys(named))
    model = flag(line, "model", "model-tag") or _positional(line)
    env = environment(container)
    model = model or next(
        (env[name] for name in ("SERVED_MODEL_NAME", "VLLM_MODEL", "MODEL_NAME") if env.get(name)), ""
    )
    return (model,) if model else ()


def _positional(line: list[str]) -> str:
    """The word after `serve`, or the first word of bare arguments."""
    start = line.index("serve") + 1 if "serve" in line else 0
    after = line[start : start + 1]
    return after[0] if after and not after[0].startswith("-") and (start or "/" in after[0]) else ""


def version_of(image: str, unknown: Version) -> Version:
    """The version in an image's tag; `unknown` where that is none, as `latest`."""
    found = re.search(r":v?(\d+)\.(\d+)(?:\.(\d+))?", image)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else unknown


def _request_counters(image: str) -> tuple[str, ...]:
    """The names under which a picker counts the requests that it is asked about."""
    if "router" in image:
        return "llm_d_epp_request_total", "inference_objective_request_total"
    old = image.startswith("epp:") and version_of(image, OBJECTIVES) < OBJECTIVES
    return ("inference_model_request_total" if old else "inference_objective_request_total",)


def _epp(container: Object, image: str, line: list[str], namespace: str) -> list[Server]:
    env = environment(container)
    pool = (
        flag(line, "pool-group") or "inference.networking.k8s.io",
        flag(line, "pool-namespace") or env.get("NAMESPACE") or namespace,
        flag(line, "pool-name") or "",
    )
    secure = (flag(line, "secure-serving") or "true").lower() != "false"
    ports = [_port(flag(line, name), default) for name, default in EPP_PORTS.items()]
    declared = [item["containerPort"] for item in container.get("ports") or [] if item["containerPort"] not in ports]
    guarded = (flag(line, "metrics-endpoint-auth") or "true").lower() != "false"
    pairs = [pair.partition("=") for pair in (flag(line, "endpoint-selector") or "").split(",")]
    targets = [int(port) for port in (flag(line, "endpoint-target-ports") or "").split(",") if port.isdigit()]
    traits: dict[str, Any] = {"secure": secure, "guarded": guarded, "counters": _request_counters(image)}
    traits |= {"selector": tuple((key, value) for key, equals, value in pairs if equals), "targets": tuple(targets)}
    made = [Server("epp", port, container["name"], pool=pool, **traits) for port in ports]
    return made + [Server("other", port, container["name"]) for port in declared]


def server_on(pod: Object, port: int) -> Server | None:
    """The server that listens on a port of a pod, or None."""
    return next((item for item in servers(pod) if item.port == port), None)
