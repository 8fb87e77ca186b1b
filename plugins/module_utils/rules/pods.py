# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what a model's pods are written as: pinned images, mounted volumes and known accelerators."""

from __future__ import annotations

import json
import typing as t

from ..base.data import Object, dicts, dig, leaves, mapping
from ..base.findings import WARNING, Finding
from ..base.formats import floating
from ..base.names import did_you_mean
from ..kustomize.places import is_written
from ..model.items import Item, Workload
from ..model.model import StackModel, pod_specs
from ..objects.servers import Server
from .agree.probes import port_names
from .base import Path, Side, container_side, finding, listed, rule_factory

# llm-d-modelservice, values.yaml accelerator.resources: where the chart's own cannot be read.
ACCELERATORS = ("nvidia", "intel-i915", "intel-xe", "intel-gaudi", "amd", "google", "rebellions-atom")
_NO_TYPE, _FALLBACK = "cpu", "nvidia.com/gpu"
_TYPES: tuple[Path, ...] = (
    ("accelerator", "type"),
    ("decode", "accelerator", "type"),
    ("prefill", "accelerator", "type"),
)


def _pods(model: StackModel) -> t.Iterator[tuple[Item, tuple[str, ...], Object]]:
    """Yield (object, path of the pod's specification, it) of the models' planned workloads."""
    for item in model.planned:
        if item.serves_models:
            for path, spec in pod_specs(item):
                yield item, path, spec


def pod_side(item: Item, path: tuple[str, ...], place: Path) -> Side:
    """Return the place of a field of a model's pod, and the values key that llm-d-modelservice takes it from."""
    role = next((role for role in ("decode", "prefill") if item.name.endswith(role)), "")
    kind = place[0] if place else ""
    if kind == "containers" and role:
        return Side(item, (*path, *place), role, place)
    if kind == "volumes" and role:
        return Side(item, (*path, *place), f"{role}_volumes")
    return Side(item, (*path, *place), "sidecar" if kind == "initContainers" else role)


def images(model: StackModel) -> t.Iterator[Finding]:
    """Images that the user names, or leaves to the chart, have a tag that stays, or a digest."""
    for item in model.planned:
        for path, spec in pod_specs(item):
            for kind in ("containers", "initContainers"):
                for index, container in enumerate(dicts(spec.get(kind))):
                    image = str(container.get("image") or "")
                    what = floating(image)
                    if what and is_written(item.layers):
                        text = f"the image {image} of {item.name} {what}"
                        yield finding(text, (Side(item, (*path, kind, index, "image")),), ("image", item.unit, image))
                        continue
                    own = _key_of(_layers(item), image, item.name) if what else None
                    chart = model.facts.chart_values.get(item.component) or {} if what else {}
                    if what and (key := own or _key_of([chart], image, item.name)):
                        side = Side(item, (*path, kind, index, "image"), "values", key)
                        whose = "" if own else ", the chart's default,"
                        text = f"the image {image} of {item.name}{whose} {what}"
                        yield finding(text, (side,), ("image", item.release, key))


def _key_of(values: t.Sequence[Object], image: str, name: str) -> Path | None:
    """Return the key by which values name an image as a whole, None where none does: the last of them, and where roles
    have the same image, that of an object's own role."""
    found = [path for one in reversed(values) for path, value in leaves(one) if value == image]
    return next((path for path in found if path[0] in name.split("-")), found[0] if found else None)


def mounts(model: StackModel) -> t.Iterator[Finding]:
    """What a container mounts is a volume of its pod."""
    for item, path, spec in _pods(model):
        names = {str(volume.get("name")) for volume in dicts(spec.get("volumes"))}
        for kind in ("containers", "initContainers"):
            for index, container in enumerate(dicts(spec.get(kind))):
                for place, mount in enumerate(dicts(container.get("volumeMounts"))):
                    name = str(mount.get("name"))
                    if name not in names:
                        guess = did_you_mean(name, names)
                        text = f"{item.name} mounts the volume {name}, but its pod has {listed(names)}.{guess}"
                        sides = (
                            pod_side(item, path, (kind, index, "volumeMounts", place, "name")),
                            pod_side(item, path, ("volumes",)),
                        )
                        yield finding(text, sides, ("mount", item.release, name))


def accelerators(model: StackModel) -> t.Iterator[Finding]:
    """An accelerator's type that neither chart nor values know, so that the pods ask for the chart's fallback.

    Pods that get their accelerators by resource claims, or that name them themselves, do not ask for it.
    """
    done = set()
    for item, path, spec in _pods(model):
        chart = model.facts.chart_values.get(item.component) or {}
        own = [dig(values, ("accelerator", "resources")) for values in (chart, *_layers(item))]
        known = {_NO_TYPE, *(str(key) for entry in own if isinstance(entry, dict) for key in entry)}
        known |= set() if chart else set(ACCELERATORS)
        for key in _TYPES:
            role = key[0] if key[0] != "accelerator" else ""
            given = next((v for values in reversed(_layers(item)) if (v := dig(values, key)) is not None), None)
            mine = not role or item.name.endswith(role)
            if given is None or given in known or not mine or not _falls_back(item, spec):
                continue
            guess = did_you_mean(str(given), known)
            if guess and (item.release, key) not in done:
                done.add((item.release, key))
                text = f"the accelerator {given} is unknown, so the pods request {_FALLBACK}.{guess}"
                yield finding(text, (Side(item, path, "values", key),), ("accelerator", item.release, key))


def _layers(item: Item) -> list[Object]:
    return [layer.values for layer in item.layers]


def _falls_back(item: Item, spec: Object) -> bool:
    """Return whether some container asks for the fallback though the values do not name it there."""
    for index, container in enumerate(dicts(spec.get("containers"))):
        resources = mapping(container.get("resources"))
        asked = any(_FALLBACK in mapping(resources.get(part)) for part in ("limits", "requests"))
        role = next((role for role in ("decode", "prefill") if item.name.endswith(role)), "decode")
        places = [(role, "containers", index, "resources", part) for part in ("limits", "requests")]
        named = any(_FALLBACK in mapping(dig(values, place)) for values in _layers(item) for place in places)
        if asked and not named:
            return True
    return False


def _servers(model: StackModel) -> t.Iterator[tuple[Workload, Server]]:
    for workload in model.workloads:
        if not workload.item.live and workload.replicas != 0:
            for server in workload.models:
                yield workload, server


def settings(model: StackModel) -> t.Iterator[Finding]:
    """Flags whose value is JSON: vLLM reads those named ...-config that start with a brace."""
    for workload, server in _servers(model):
        for name, value in _configs(server.line):
            try:
                json.loads(value)
            except ValueError as exc:
                text = f"{name} of {workload.item.name} is not JSON: {exc}"
                yield finding(text, (container_side(workload, server, "args"),), ("json", workload.item.title, name))


def _configs(line: list[str]) -> t.Iterator[tuple[str, str]]:
    for word, following in zip(line, [*line[1:], ""], strict=False):  # a line without words has no pairs
        name, equals, value = word.partition("=")
        value = value if equals else following
        if name.startswith("--") and name.replace("_", "-").endswith("-config") and value.lstrip()[:1] == "{":
            yield name, value


def monitors(model: StackModel) -> t.Iterator[Finding]:
    """A PodMonitor names a port that its pods declare."""
    for monitor in model.items("PodMonitor", planned_only=True):
        wanted = mapping(mapping(monitor.spec.get("selector")).get("matchLabels"))
        near = [w for w in model.workloads if w.item.unit == monitor.unit and wanted]
        pods = [w for w in near if all(w.labels.get(key) == value for key, value in wanted.items())]
        for pod in pods:
            containers = [c for kind in ("containers", "initContainers") for c in dicts(pod.spec.get(kind))]
            names = {name for container in containers for name in port_names(container)}
            for index, entry in enumerate(dicts(monitor.spec.get("podMetricsEndpoints"))):
                if entry.get("port") and str(entry["port"]) not in names:
                    text = f"{monitor.title} uses port {entry['port']}, but {pod.item.name} has {listed(names)}"
                    place = ("spec", "podMetricsEndpoints", index, "port")
                    sides = (Side(monitor, place, pod.role, ("monitoring", "podmonitor", "portName")), Side(pod.item))
                    yield finding(text, sides, ("monitor", pod.item.title, str(entry["port"])))


_rule = rule_factory("LLMD5")

RULES = (
    _rule(
        13,
        "Images are pinned",
        images,
        "Images that values or the chart's defaults name have a tag other than latest, main and the like, or a digest.",
        "A restarted pod may run another version than the others, and the deployed version is unknown.",
        "use a released version, for example v0.6.0, or a digest",
        "Kubernetes, Images; llm-d-modelservice, containers[].image and routing.proxy.image",
        WARNING,
    ),
    _rule(
        14,
        "Mounts have a volume",
        mounts,
        "Each volumeMount of a model's container names a volume of the pod.",
        "The API server refuses the Deployment: volumeMounts[].name not found.",
        "use the volume's name, or add it to volumes of that role",
        "Kubernetes, PodSpec containers[].volumeMounts[].name",
    ),
    _rule(
        15,
        "The accelerator's type is known",
        accelerators,
        "accelerator.type is one that the chart or the values list under accelerator.resources.",
        "The chart asks for nvidia.com/gpu instead, without an error: pods stay Pending, or run on other hardware.",
        "use a type of accelerator.resources, or add yours there",
        "llm-d-modelservice, templates/_helpers.tpl acceleratorResource",
    ),
    _rule(
        11,
        "JSON settings are valid JSON",
        settings,
        "The values of flags such as --kv-transfer-config and --kv-events-config can be read as JSON.",
        "The server exits at start: CrashLoopBackOff.",
        "correct the JSON; in YAML keep it in single quotes",
        "vLLM, --kv-transfer-config and --kv-events-config",
    ),
    _rule(
        12,
        "Monitors use a declared port",
        monitors,
        "The port that a PodMonitor names is declared by a container of its pods.",
        "No metrics of the model are collected, and there is no error.",
        "use the name of the server's port in monitoring.podmonitor.portName",
        "Prometheus operator, PodMonitor spec.podMetricsEndpoints[].port",
    ),
)
