# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The key of the values that made a field of a rendered object."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.origin import origin

CONTAINER = {
    "name": "vllm",
    "resources": {"limits": {"memory": "100G1"}},
    "readinessProbe": {"startupProbe": {"path": "/x"}},
    "env": [{"name": "A", "valueFrom": {"secretRef": {"name": "s"}}}],
}
VOLUMES = [{"name": "v", "emptyDir": {"sizeLimit": "20gb"}}]
VALUES = {
    "modelArtifacts": {"size": "80 Gi", "name": "org/a"},
    "prefill": {"replicas": 1, "containers": [{**CONTAINER, "image": "p"}]},
    "decode": {"replicas": -1, "containers": [CONTAINER], "volumes": VOLUMES},
}
POD = {
    "containers": [
        {
            **CONTAINER,
            "image": "p",
            "env": [{"name": "OURS", "value": "1"}, *CONTAINER["env"]],  # type: ignore[misc]
            "ports": [{"containerPort": 8000}],
        }
    ],
    "volumes": [{"name": "m", "emptyDir": {"sizeLimit": "80 Gi"}}, {"name": "v", "emptyDir": {"sizeLimit": "20gb"}}],
    "runtimeClassName": "made",
}
BODY = {"spec": {"replicas": -1, "template": {"spec": POD}}}
SPEC = ("spec", "template", "spec")
FIRST = (*SPEC, "containers", 0)


@pytest.mark.parametrize(
    ("path", "name", "key"),
    [
        ((*FIRST, "resources", "limits", "memory"), "ms-decode", "decode.containers.0.resources.limits.memory"),
        ((*FIRST, "resources", "limits", "memory"), "ms-prefill", "prefill.containers.0.resources.limits.memory"),
        ((*FIRST, "resources", "requests", "cpu"), "ms-decode", "decode.containers.0.resources"),
        ((*FIRST, "readinessProbe", "startupProbe"), "ms-decode", "decode.containers.0.readinessProbe.startupProbe"),
        ((*FIRST, "env", 1, "valueFrom", "secretRef"), "ms-decode", "decode.containers.0.env.0.valueFrom.secretRef"),
        ((*FIRST, "image"), "ms-decode", "prefill.containers.0.image"),
        ((*SPEC, "volumes", 0, "emptyDir", "sizeLimit"), "ms-decode", "modelArtifacts.size"),
        ((*SPEC, "volumes", 1, "emptyDir", "sizeLimit"), "ms-decode", "decode.volumes.0.emptyDir.sizeLimit"),
        (("spec", "replicas"), "ms-decode", "decode.replicas"),
        ((*SPEC, "runtimeClassName"), "ms-decode", ""),
        (("spec", "selector"), "ms-decode", ""),
        ((), "ms-decode", ""),
    ],
)
def test_the_key(path: tuple, name: str, key: str) -> None:
    found = origin([Layer(VALUES, "ms.yaml")], BODY, path, name)
    assert ".".join(map(str, found)) == key


def test_without_values_there_is_none() -> None:
    layers: list[Any] = []
    assert origin(layers, BODY, FIRST) == ()
    assert origin([Layer({}, "x")], BODY, FIRST) == ()
