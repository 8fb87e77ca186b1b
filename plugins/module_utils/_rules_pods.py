# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about one pod of a model: its probes and monitors ask a port that answers, its settings can be read."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import (
    Object,
    Server,
    dicts,
    mapping,
    number,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import (
    Hit,
    Side,
    container_side,
    listed,
    rule_factory,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_items import Workload
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def _servers(model: StackModel) -> t.Iterator[tuple[Workload, Server]]:
    for workload in model.workloads:
        if not workload.item.live and workload.replicas != 0:
            for server in workload.models:
                yield workload, server


def _names(container: Object) -> dict[str, int | None]:
    return {str(p.get("name")): number(p.get("containerPort")) for p in dicts(container.get("ports")) if p.get("name")}


def probes(model: StackModel) -> t.Iterator[Hit]:
    for workload, server in _servers(model):
        names = _names(server.container)
        for probe in PROBES:
            spec = mapping(server.container.get(probe))
            ask = mapping(spec.get("httpGet")) or mapping(spec.get("tcpSocket")) or mapping(spec.get("grpc"))
            port = ask.get("port")
            target = number(port) if number(port) is not None else names.get(str(port))
            if port is None or (target is not None and (server.ports is None or target in server.ports)):
                continue
            knows = f"the server listens on {listed(server.ports or (), 'an unknown port')}"
            what = f"port {port}" if target in (None, number(port)) else f"port {port} ({target})"
            what += "" if target is not None else f", which the container does not declare (it has {listed(names)})"
            text = f"the {probe} of {workload.item.name} asks {what}; {knows}"
            sides = (container_side(workload, server, probe), container_side(workload, server, "ports"))
            same = (("monitor", workload.item.title, str(port)),)
            yield Hit(text, sides, ("probe", workload.item.title), explains=same)


def settings(model: StackModel) -> t.Iterator[Hit]:
    """Flags whose value is JSON: vLLM reads those named ...-config that start with a brace."""
    for workload, server in _servers(model):
        for name, value in _configs(server.line):
            try:
                json.loads(value)
            except ValueError as exc:
                text = f"{name} of {workload.item.name} is not JSON: {exc}"
                yield Hit(text, (container_side(workload, server, "args"),), ("json", workload.item.title, name))


def _configs(line: list[str]) -> t.Iterator[tuple[str, str]]:
    for word, following in zip(line, [*line[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        value = value if equals else following
        if name.startswith("--") and name.replace("_", "-").endswith("-config") and value.lstrip()[:1] == "{":
            yield name, value


def monitors(model: StackModel) -> t.Iterator[Hit]:
    """A PodMonitor names a port that its pods declare."""
    for monitor in model.items("PodMonitor", planned_only=True):
        wanted = mapping(mapping(monitor.spec.get("selector")).get("matchLabels"))
        near = [w for w in model.workloads if w.item.release == monitor.release and wanted]
        pods = [w for w in near if all(w.labels.get(key) == value for key, value in wanted.items())]
        for pod in pods:
            containers = [c for kind in ("containers", "initContainers") for c in dicts(pod.spec.get(kind))]
            names = {name for container in containers for name in _names(container)}
            for index, entry in enumerate(dicts(monitor.spec.get("podMetricsEndpoints"))):
                if entry.get("port") and str(entry["port"]) not in names:
                    text = f"{monitor.title} asks port {entry['port']}, {pod.item.name} has {listed(names)}"
                    place = ("spec", "podMetricsEndpoints", index, "port")
                    sides = (Side(monitor, place, pod.role, ("monitoring", "podmonitor", "portName")), Side(pod.item))
                    yield Hit(text, sides, ("monitor", pod.item.title, str(entry["port"])))


_rule = rule_factory("LLMD5")


RULES = (
    _rule(
        10,
        "Probes ask a port that answers",
        probes,
        "The port of a model server's probe is declared, where it is a name, and is one that the server listens on.",
        "The pod never becomes Ready, or is killed before the weights are loaded; the pool has no endpoints.",
        "use one port in --port, ports and the probes (behind a sidecar: routing.proxy.targetPort)",
        "Kubernetes, Container probes; F9",
    ),
    _rule(
        11,
        "Settings given as JSON are JSON",
        settings,
        "The values of flags such as --kv-transfer-config and --kv-events-config can be read as JSON.",
        "The server dies at start: CrashLoopBackOff.",
        "correct the JSON; in YAML keep it in single quotes",
        "vLLM, --kv-transfer-config and --kv-events-config",
    ),
    _rule(
        12,
        "Monitors ask a declared port",
        monitors,
        "The port that a PodMonitor names is declared by a container of its pods.",
        "No metrics of the model are collected, without a sign of it.",
        "use the name of the server's port in monitoring.podmonitor.portName",
        "Prometheus operator, PodMonitor spec.podMetricsEndpoints[].port",
    ),
)
