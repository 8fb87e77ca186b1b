# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a kustomization consists of, and what it may not take in."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.kustomize.tree import refuse_remote, walk

FIXTURES = pathlib.Path(__file__).parents[3] / "fixtures" / "kustomize"
REMOTE = "https://github.com/kubernetes-sigs/kustomize//examples/multibases?ref=v1.0.6"


def test_what_is_taken_in_comes_first() -> None:
    found = [pathlib.Path(one.file).parent for one in walk(str(FIXTURES / "guide/vllm/base"))]
    assert [str(path.relative_to(FIXTURES)) for path in found] == ["recipes/base", "recipes/images", "guide/vllm/base"]


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(OrchestratorError) as error:
        refuse_remote(walk(str(FIXTURES / "guide/broken")), "toy")
    assert "toy: files of its kustomization not found" in str(error.value)
    assert "guide/broken/kustomization.yaml: not-there.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"resources: ['{REMOTE}']\n", "uses remote resources"),
        ("resources: [git@example.com:org/repo.git]\n", "uses remote resources"),
        ("components: [lost]\n", "not found"),
        ("patches: [{path: lost.yaml}]\n", "lost.yaml"),
        ("helmCharts: [{name: x}]\n", "runs Helm from kustomize"),
        ("- a list\n", "its content is not a map"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_what_cannot_be_rendered_here(tmp_path: pathlib.Path, content: str, said: str) -> None:
    (tmp_path / "kustomization.yaml").write_text(content)
    with pytest.raises(OrchestratorError) as error:
        refuse_remote(walk(str(tmp_path)), "toy")
    assert said in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_folders_that_take_each_other_in_end(tmp_path: pathlib.Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text(f"resources: [../{other}]\n")
    assert len(walk(str(tmp_path / "a"))) == 2
