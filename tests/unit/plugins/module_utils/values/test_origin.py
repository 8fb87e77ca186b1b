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


PROBE = {"httpGet": {"path": "/health", "port": "vllm"}, "periodSeconds": 10}
PROBED = {"name": "vllm", "livenessProbe": {"httpGet": {"path": "/health"}}, "startupProbe": PROBE}


@pytest.mark.parametrize(
    ("values", "container", "path", "name", "key"),
    [
        pytest.param(
            {"decode": {"containers": [PROBED]}, "prefill": {"containers": [{"livenessProbe": PROBE}]}},
            PROBED,
            ("livenessProbe", "httpGet", "port"),
            "ms-decode",
            "decode.containers.0.livenessProbe.httpGet",
            id="a field that is missing is neither a sibling's nor another role's",
        ),
        pytest.param(
            {"decode": {"containers": [{"image": "a:v1"}]}, "prefill": {"create": True}},
            {"image": "simulator:latest"},
            ("image",),
            "ms-prefill",
            "prefill",
            id="a role without containers gets the chart's",
        ),
        pytest.param(
            {"epp": {"image": {"hub": "https://ghcr.io/x", "name": "picker", "tag": "v1"}, "replicas": 1}},
            {"image": "https://ghcr.io/x/picker:v1"},
            ("image",),
            "gaie-epp",
            "epp.image",
            id="an image that is put together",
        ),
        pytest.param(
            {"epp": {"image": {"hub": "https://ghcr.io/x"}, "replicas": 1}},
            {"image": "https://ghcr.io/x/picker:v1"},
            ("image",),
            "gaie-epp",
            "epp.image.hub",
            id="an image of which one part is given",
        ),
        pytest.param(
            {"decode": {"extraConfig": {"toleration": []}, "containers": [{"ports": []}]}},
            {"toleration": []},
            ("toleration",),
            "ms-decode",
            "decode.extraConfig.toleration",
            id="an empty list",
        ),
    ],
)
def test_the_key_of_what_stands_in_a_container(values: dict, container: dict, path: tuple, name: str, key: str) -> None:
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    found = origin([Layer(values, "ms.yaml")], body, (*FIRST, *path), name)
    assert ".".join(map(str, found)) == key
