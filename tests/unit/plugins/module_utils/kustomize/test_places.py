# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the fields of a kustomization's objects stand."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.places import place_of, read
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.program import build
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.tree import walk

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures" / "kustomize"
GUIDE = FIXTURES / "guide/vllm/base"
BODY = next(one for one in build(str(GUIDE), "toy") if one["kind"] == "Deployment")
POD = ("spec", "template", "spec")
SERVER = (*POD, "containers", 0)


def line(file: str, text: str) -> tuple[str, int]:
    lines = (FIXTURES / file).read_text().splitlines()
    return file, next(number for number, one in enumerate(lines, 1) if text in one)


@pytest.mark.parametrize(
    ("path", "file", "text"),
    [
        ((*SERVER, "args", 1), "guide/vllm/base/patch-vllm.yaml", "- --port=8000"),
        ((*SERVER, "resources", "limits", "nvidia.com/gpu"), "guide/vllm/base/patch-vllm.yaml", "nvidia.com/gpu"),
        (("spec", "replicas"), "guide/vllm/base/patch-vllm.yaml", "replicas: 2"),
        ((*SERVER, "ports", 0, "containerPort"), "recipes/base/deployment.yaml", "containerPort"),
        ((*SERVER, "readinessProbe", "httpGet", "port"), "recipes/base/deployment.yaml", "readinessProbe"),
        ((*SERVER, "image"), "recipes/images/kustomization.yaml", "- name: REPLACE"),
        ((*POD, "terminationGracePeriodSeconds"), "guide/vllm/base/kustomization.yaml", "- op: add"),
        (
            ("spec", "template", "metadata", "labels", "llm-d.ai/guide"),
            "guide/vllm/base/kustomization.yaml",
            "guide: toy",
        ),
    ],
)
def test_a_field_is_found_where_it_stands(path: tuple[Any, ...], file: str, text: str) -> None:
    mark = place_of(read(walk(str(GUIDE))), BODY, path)
    assert mark is not None
    found = str(pathlib.Path(mark.file).relative_to(FIXTURES)), mark.line
    wanted = line(file, text)
    # Of a flow style's fields the line is the key's around them.
    assert found == wanted or (path[-2:-1] == ("httpGet",) and abs(found[1] - wanted[1]) <= 1)


def test_values_of_a_chart_have_no_such_place() -> None:
    assert place_of([], BODY, ("spec",)) is None
