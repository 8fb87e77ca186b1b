# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what a model's pods are written as: pinned images, mounted volumes, known fields and accelerators."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._inputs import dig
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import Object, dicts
from ansible_collections.llm_d.orchestrator.plugins.module_utils._names import did_you_mean
from ansible_collections.llm_d.orchestrator.plugins.module_utils._pod_fields import field_problems
from ansible_collections.llm_d.orchestrator.plugins.module_utils._pools import split_image
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import (
    Hit,
    Path,
    Side,
    listed,
    rule_factory,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_items import Item
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel, pod_specs

# llm-d-modelservice v0.4.5 and later, values.yaml accelerator.resources; any other type gets nvidia.com/gpu.
ACCELERATORS = ("nvidia", "intel-i915", "intel-xe", "intel-gaudi", "amd", "google", "cpu", "rebellions-atom")
_TYPES: tuple[Path, ...] = (
    ("accelerator", "type"),
    ("decode", "accelerator", "type"),
    ("prefill", "accelerator", "type"),
)


def _pods(model: StackModel) -> t.Iterator[tuple[Item, tuple[str, ...], Object]]:
    """Yield (object, path of the pod's specification, it) of the models' planned workloads."""
    for item in model.planned:
        if item.component == "modelservice":
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


def images(model: StackModel) -> t.Iterator[Hit]:
    """Images that the user names have a tag that stays, or a digest."""
    for item, path, spec in _pods(model):
        for kind in ("containers", "initContainers"):
            for index, container in enumerate(dicts(spec.get(kind))):
                image = str(container.get("image") or "")
                tag = split_image(image)[2]
                side = pod_side(item, path, (kind, index, "image"))
                if side.fact == "sidecar":
                    side = Side(item, side.path, "sidecar", ("image",))
                given = any(dig(layer.values, side.key) == image for layer in item.layers) if side.key else False
                if given and "@" not in image and (tag is None or tag.lower() == "latest"):
                    what = f"has the tag {tag}" if tag else "has no tag, which means latest"
                    yield Hit(f"the image {image} of {item.name} {what}", (side,), ("image", item.release, side.key))


def mounts(model: StackModel) -> t.Iterator[Hit]:
    """What a container mounts is a volume of its pod."""
    for item, path, spec in _pods(model):
        names = {str(volume.get("name")) for volume in dicts(spec.get("volumes"))}
        for kind in ("containers", "initContainers"):
            for index, container in enumerate(dicts(spec.get(kind))):
                for number, mount in enumerate(dicts(container.get("volumeMounts"))):
                    name = str(mount.get("name"))
                    if name not in names:
                        guess = did_you_mean(name, names)
                        text = f"{item.name} mounts the volume {name}, its pod has {listed(names)}.{guess}"
                        sides = (
                            pod_side(item, path, (kind, index, "volumeMounts", number, "name")),
                            pod_side(item, path, ("volumes",)),
                        )
                        yield Hit(text, sides, ("mount", item.release, name))


def fields(model: StackModel) -> t.Iterator[Hit]:
    """Fields of a pod are known to Kubernetes, and hold values of their types."""
    for item, path, spec in _pods(model):
        for place, wrong in field_problems(spec):
            side = pod_side(item, path, place)
            probes = (("probe", item.title), ("monitor", item.title, "")) if "ports" in place else ()
            yield Hit(f"{place[-1]} of {item.name} {wrong}", (side,), ("field", item.title, place), explains=probes)


def accelerators(model: StackModel) -> t.Iterator[Hit]:
    """An accelerator's type that is very like a known one is that one misspelt."""
    done = set()
    for item, _path, _spec in _pods(model):
        own = [dig(layer.values, ("accelerator", "resources")) for layer in item.layers]
        known = {*ACCELERATORS, *(str(key) for entry in own if isinstance(entry, dict) for key in entry)}
        for key in _TYPES:
            given = next((v for layer in reversed(item.layers) if (v := dig(layer.values, key)) is not None), None)
            guess = did_you_mean(str(given), known)
            if given is not None and given not in known and guess and (item.release, key) not in done:
                done.add((item.release, key))
                text = f"the accelerator {given} is not known, so the pods ask for nvidia.com/gpu.{guess}"
                side = Side(item, (), "values", key)
                yield Hit(text, (side,), ("accelerator", item.release, key))


_rule = rule_factory("LLMD5")

RULES = (
    _rule(
        16,
        "Fields of pods are known",
        fields,
        "Fields of a model's pods have the names and types of Kubernetes' own, where they are not quite different.",
        "The API server drops the field without an error (no probe, no port), or refuses the object.",
        "correct the name or the value",
        "Kubernetes, PodSpec",
    ),
    _rule(
        13,
        "Images are pinned",
        images,
        "Images of model servers and sidecars that the values name have a tag other than latest, or a digest.",
        "A restarted pod runs another version than its neighbours; nobody can say what was deployed.",
        "a released version, for example v0.6.0, or a digest",
        "Kubernetes, Images; llm-d-modelservice, containers[].image and routing.proxy.image",
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
)
