# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a pool's endpoint picker parts prefill from decode, read from the plugins configuration that it runs with.

Without such plugins the picker takes prefill pods for ordinary servers: they answer requests, or get none, by chance.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from ..base import plain_yaml
from ..base.data import Object
from ..objects.pools import name_of
from ..objects.profiles import parts_prefill
from .pickers import picker_pods

# Below so many prompt tokens without a cached prefix the picker's deciders leave the request to decode alone.
THRESHOLDS = ("threshold", "nonCachedTokens", "promptTokens")
CONFIG_FILE = re.compile(r"(?<!\S)--?config-file[= ]+[\"']?([^\s\"']+)")


@dataclasses.dataclass(frozen=True)
class Wiring:
    """How a picker treats prefill pods. splits: None where unknown; title: its configuration; threshold: tokens."""

    splits: bool | None = None
    title: str = ""
    threshold: int = 0


def wiring_of(spec: Object, snapshot: Object) -> Wiring:
    """Return how the endpoint picker of a model's pool treats prefill pods."""
    for pod in picker_pods(spec, snapshot):
        for container in pod["spec"].get("containers") or []:
            words = [str(word) for word in [*(container.get("command") or []), *(container.get("args") or [])]]
            found = CONFIG_FILE.search(" ".join(words))
            if found:
                return _read(found.group(1), pod, container, snapshot)
    return Wiring()


def _read(path: str, pod: Object, container: Object, snapshot: Object) -> Wiring:
    """Return what the file at a path in a container says; it must come from a ConfigMap."""
    volumes = {item["name"]: item for item in pod["spec"].get("volumes") or []}
    for mount in container.get("volumeMounts") or []:
        inside = posixpath.relpath(path, mount["mountPath"])
        source = volumes.get(mount["name"], {}).get("configMap")
        if not source or inside.startswith(".."):
            continue
        keys = {item["path"]: item["key"] for item in source.get("items") or []}
        data = next(
            (item.get("data") for item in snapshot.get("configmaps") or [] if name_of(item) == source["name"]), None
        )
        text = (data or {}).get(keys.get(inside, inside))
        if text is not None:
            return wiring(text, f"{inside} of ConfigMap {source['name']}")
    return Wiring(title=path)


def wiring(text: str, title: str) -> Wiring:
    """Return what an EndpointPickerConfig says. title: where it stands, for messages."""
    try:
        config = plain_yaml.load(text)
    except plain_yaml.YAMLError:
        return Wiring(title=title)
    plugins = [item for item in _items(config, "plugins") if isinstance(item, dict)]
    splits = parts_prefill(config) if isinstance(config, dict) else False
    parameters = [plugin["parameters"] for plugin in plugins if isinstance(plugin.get("parameters"), dict)]
    limits = [part.get(name) for part in parameters for name in THRESHOLDS]
    return Wiring(splits, title, max([0, *(limit for limit in limits if isinstance(limit, int))]))


def _items(config: t.Any, key: str) -> list[t.Any]:
    found = config.get(key) if isinstance(config, dict) else None
    return found if isinstance(found, list) else []
