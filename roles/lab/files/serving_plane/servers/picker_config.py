# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The plugins configuration that an endpoint picker runs with, found by its command line and its ConfigMap."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from typing import Any, NamedTuple

import yaml

from ..cluster.snapshot import Object, Snapshot, labels_of, matches
from .commandline import flag, words

# llm-d-inference-scheduler and llm-d-router, docs/architecture.md: plugins that part requests.
SPLITTING = {"pd-profile-handler", "disagg-profile-handler", "prefill-filter", "prefill-header-handler"}


class PickerConfig(NamedTuple):
    """What a picker does: whether it separates prefill from decode (None: unknown), or why it cannot start."""

    splits: bool | None = None
    problem: str = ""


def picker_config(pod: Object, snapshot: Snapshot) -> PickerConfig:
    """The configuration of a picker's pod."""
    for container in pod["spec"].get("containers") or []:
        path = flag(words(container), "config-file")
        if path:
            return _mounted(pod, container, path, snapshot)
    return PickerConfig()


def pool_config(pool: Object, snapshot: Snapshot) -> PickerConfig:
    """The configuration of the picker of a pool, of its first pod that has one."""
    namespace = pool["metadata"]["namespace"]
    service = snapshot.get("Service", namespace, (pool["spec"].get("endpointPickerRef") or {}).get("name", ""))
    selector = service["spec"].get("selector") if service else None
    pods = [pod for pod in snapshot.within("Pod", namespace) if matches(labels_of(pod), selector)]
    found = [picker_config(pod, snapshot) for pod in pods]
    return next((item for item in found if item.splits is not None), PickerConfig())


def _mounted(pod: Object, container: Object, path: str, snapshot: Snapshot) -> PickerConfig:
    volumes = {item["name"]: item for item in pod["spec"].get("volumes") or []}
    for mount in container.get("volumeMounts") or []:
        source = volumes.get(mount["name"], {}).get("configMap")
        inside = posixpath.relpath(path, mount["mountPath"])
        found = snapshot.get("ConfigMap", pod["metadata"]["namespace"], source["name"]) if source else None
        if not source or found is None or inside.startswith("..") or mount.get("subPath"):
            continue
        keys = {item["path"]: item["key"] for item in source.get("items") or []}
        text = (found.get("data") or {}).get(keys.get(inside, inside))
        if text is None:
            return PickerConfig(None, f"its plugins file {path} is not in ConfigMap {source['name']}")
        return _read(text, path)
    return PickerConfig()


@lru_cache(maxsize=256)
def _read(text: str, path: str) -> PickerConfig:
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return PickerConfig(None, f"its plugins file {path} is no YAML")
    plugins = content.get("plugins") if isinstance(content, dict) else None
    types = {str(item.get("type")) for item in plugins or [] if isinstance(item, dict)}
    return PickerConfig(bool(types & SPLITTING))
