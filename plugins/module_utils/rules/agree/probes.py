# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the probes of model servers: the port that they ask, and the path that the server knows."""

from __future__ import annotations

import typing as t

from ...base.data import Object, dicts, mapping, number
from ...base.findings import Finding
from ...base.names import did_you_mean
from ...model.items import Workload
from ...model.model import StackModel
from ...objects.servers import Server, flag
from ..base import Rule, container_side, finding, listed, rule_factory

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
_METRICS = ("/metrics", "/metrics/")
# What each program answers to GET with 200: vllm/entrypoints (v0.6 to v0.18), sglang/srt/entrypoints/http_server.py,
# llm-d-inference-sim/pkg/communication. Those of vLLM's development mode are among them.
PATHS: dict[str, tuple[str, ...]] = {
    "vllm": (
        *("/health", "/ping", "/load", "/version", "/v1/models", "/openapi.json", "/docs", "/redoc", *_METRICS),
        *("/server_info", "/is_sleeping", "/is_paused", "/get_world_size"),
    ),
    "sglang": (
        *("/health", "/health_generate", "/ping", "/v1/models", "/model_info", "/get_model_info", "/server_info"),
        *("/get_server_info", "/get_load", "/v1/loads", "/openapi.json", "/docs", "/redoc", "/weights_info", *_METRICS),
    ),
    "simulator": ("/health", "/ready", "/v1/models", *_METRICS),
}


def _servers(model: StackModel) -> t.Iterator[tuple[Workload, Server]]:
    for workload in model.workloads:
        if not workload.item.live and workload.replicas != 0:
            for server in workload.models:
                yield workload, server


def port_names(container: Object) -> dict[str, int | None]:
    """Return a container's ports by name."""
    return {str(p.get("name")): number(p.get("containerPort")) for p in dicts(container.get("ports")) if p.get("name")}


def probes(model: StackModel) -> t.Iterator[Finding]:
    for workload, server in _servers(model):
        names = port_names(server.container)
        # A sidecar passes on what it does not answer itself: llm-d-inference-scheduler, pkg/sidecar/proxy.
        passed = {port for sidecar in workload.sidecars for port in sidecar.ports or ()}
        for probe in PROBES:
            spec = mapping(server.container.get(probe))
            ask = mapping(spec.get("httpGet")) or mapping(spec.get("tcpSocket")) or mapping(spec.get("grpc"))
            port = ask.get("port")
            target = number(port) if number(port) is not None else names.get(str(port))
            open_ = server.ports is None or target in (*server.ports, server.aside) or target in passed
            if port is None or (target is not None and open_):
                continue
            knows = f"the server listens on {listed(server.ports or (), 'an unknown port')}"
            what = f"port {port}" if target in (None, number(port)) else f"port {port} ({target})"
            what += "" if target is not None else f", which the container does not declare (it has {listed(names)})"
            text = f"the {probe} of {workload.item.name} uses {what}; {knows}"
            sides = (container_side(workload, server, probe), container_side(workload, server, "ports"))
            same = (("monitor", workload.item.title, str(port)),)
            yield finding(text, sides, ("probe", workload.item.title), explains=same)


def paths(model: StackModel) -> t.Iterator[Finding]:
    for workload, server in _servers(model):
        known = PATHS.get(server.program, ())
        if not known or flag(server.line, "root-path", "middleware"):
            continue
        for probe in PROBES:
            asks = mapping(mapping(server.container.get(probe)).get("httpGet"))
            path, port = asks.get("path"), asks.get("port")
            if server.aside is not None and port_names(server.container).get(str(port), number(port)) == server.aside:
                continue  # it is not the API's
            asked = str(path).partition("?")[0]
            if path is None or asked in known:
                continue
            text = f"the {probe} of {workload.item.name} requests {path}, which {server.program} does not have."
            text += did_you_mean(asked, known)
            yield finding(
                text, (container_side(workload, server, probe, "httpGet", "path"),), ("path", workload.item.title)
            )


_rule = rule_factory("LLMD5")

RULES: tuple[Rule, ...] = (
    _rule(
        10,
        "Probes use a port that answers",
        probes,
        "The port of a model server's probe is declared, where it is a name, and is one that the server or the routing "
        "sidecar before it listens on.",
        "The pod never becomes Ready, or is killed before the weights are loaded; the pool has no endpoints.",
        "use one port in --port, ports and the probes (behind a sidecar: routing.proxy.targetPort)",
        "Kubernetes, Container probes; F9",
    ),
    _rule(
        17,
        "Probes use a path that exists",
        paths,
        "The path of a model server's probe is one that the server answers: /health and /v1/models for all.",
        "404: the pod never becomes Ready, or is killed again and again.",
        "use /v1/models for startup and readiness, /health for liveness",
        "vLLM, vllm/entrypoints; SGLang, srt/entrypoints/http_server.py; F9",
    ),
)
