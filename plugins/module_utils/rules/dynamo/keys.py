# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which key sets a field of a graph: the field itself where the graph is read of a file, else a model's setting."""

from __future__ import annotations

import typing as t

from ...base.data import dig
from ...model.items import Item

Path = tuple[t.Any, ...]
_ABSENT = object()
# By a step of a path in a graph the settings of a model that it is made of, the likeliest first.
SETTINGS: dict[str, tuple[str, ...]] = {
    "image": ("image",),
    "gpu": ("gpus", "resources"),
    "replicas": ("replicas",),
    "args": ("args", "tensor_parallel_size", "model"),
    "command": ("engine",),
    "workingDir": ("engine",),
    "startupProbe": ("probes", "startup_timeout"),
    "livenessProbe": ("probes",),
    "readinessProbe": ("probes",),
    "envs": ("env",),
    "env": ("env",),
    "envFromSecret": ("hf_token_secret",),
    "nodeSelector": ("node_selector",),
    "tolerations": ("tolerations",),
    "imagePullSecrets": ("pull_secret",),
    "pvc": ("pvc",),
    "pvcs": ("pvc",),
    "volumeMounts": ("pvc",),
    "sharedMemory": ("shared_memory",),
    "resources": ("resources", "gpus"),
    "backendFramework": ("engine",),
    "name": ("name",),
}
_ROLES = ("prefill", "decode")


def graph_key(item: Item, path: Path) -> Path:
    """Return the key, in one of a graph's layers, that sets what stands at a path of it; () where none is known."""
    for end in range(len(path), 0, -1):
        if any(dig(layer.values, path[:end], _ABSENT) is not _ABSENT for layer in item.layers):
            return path[:end]
    words = [str(step) for step in path]
    role = next((role for role in _ROLES if any(role in word.lower() for word in words)), "")
    for step in reversed(words):
        for name in SETTINGS.get(step, ()):
            for key in ((role, name), (name,)):
                if any(dig(layer.values, key, _ABSENT) is not _ABSENT for layer in item.layers):
                    return key
    return ("name",) if any("name" in layer.values for layer in item.layers) else ()
