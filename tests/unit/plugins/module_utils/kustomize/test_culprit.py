# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What kustomize reports, traced to the file and line that has to be changed. The messages are those of v5."""

from __future__ import annotations

import pathlib
import shutil

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.culprit import core, culprit
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.tree import walk

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures" / "kustomize"
GUIDE = "guide/vllm/base"
KUSTOMIZATION, PATCH = f"{GUIDE}/kustomization.yaml", f"{GUIDE}/patch-vllm.yaml"
IMAGES = "recipes/images"
NO_MATCH = (
    'error: no resource matches strategic merge patch "{id}.[noNs]": no matches for Id {id}.[noNs]; '
    "failed to find unique target for patch {id}.[noNs]"
)
INSIDE = (
    "error: accumulating components: accumulateDirectory: \"couldn't make target for path 'HERE/recipes/images': "
    'invalid Kustomization: json: unknown field \\"{field}\\""'
)


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(FIXTURES, tmp_path / "checkout")
    return tmp_path / "checkout"


@pytest.mark.parametrize(
    ("file", "old", "new", "said", "fix"),
    [
        (KUSTOMIZATION, "patches:", "patchs:", 'error: invalid Kustomization: json: unknown field "patchs"', "patches"),
        (KUSTOMIZATION, "kind: Kustomization", "kind: Kust", "kind should be Kustomization or Component", "Component"),
        (f"{IMAGES}/kustomization.yaml", "newTag:", "newTagg:", INSIDE.format(field="newTagg"), "newTag"),
        (PATCH, "name: decode", "name: decod", NO_MATCH.format(id="Deployment.v1.apps/decod"), "decode"),
        (PATCH, "kind: Deployment", "kind: Deploy", NO_MATCH.format(id="Deploy.v1.apps/decode"), "Deployment"),
        (
            PATCH,
            "apiVersion: apps/v1",
            "apiVersion: apps/v2",
            NO_MATCH.format(id="Deployment.v2.apps/decode"),
            "apiVersion",
        ),
        (
            PATCH,
            "  template:\n",
            "   template:\n",
            'error: trouble: unable to parse SM or JSON patch from [path: "patch-vllm.yaml"]',
            "",
        ),
        (KUSTOMIZATION, "- op: add", "- op: ad", "error: Unexpected kind: ad ", "use one of: add"),
        (
            KUSTOMIZATION,
            "path: /spec/template/spec/terminationGracePeriodSeconds",
            "path: /spec/templat/spec/x",
            'error: add operation does not apply: doc is missing path: "/spec/templat/spec/x": missing value',
            "",
        ),
    ],
)
def test_the_place_is_found(checkout: pathlib.Path, file: str, old: str, new: str, said: str, fix: str) -> None:
    path = checkout / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    line = text[: text.index(old)].count("\n") + 1
    found = culprit(said.replace("HERE", str(checkout)), walk(str(checkout / GUIDE)))
    assert found is not None and found.mark.file == str(path)
    # An operation stands as a whole where it begins.
    assert line - 1 <= found.mark.line <= line + 1, found
    assert fix in found.fix


def test_what_is_not_in_the_folder_has_no_place(checkout: pathlib.Path) -> None:
    said = NO_MATCH.format(id="Deployment.v1.apps/of-an-overlay")
    assert culprit(said, walk(str(checkout / GUIDE))) is None
    assert culprit("error: something else", walk(str(checkout / GUIDE))) is None


def test_only_the_last_of_the_causes_is_said() -> None:
    assert core(INSIDE.format(field="newTagg")) == 'invalid Kustomization: json: unknown field "newTagg"'
    assert core("error: something else") == "something else"
    assert "failed to find" not in core(NO_MATCH.format(id="Deployment.v1.apps/a"))
