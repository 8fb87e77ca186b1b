# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The recipes of CONTRIBUTING.md lead to what they promise, each in a copy of the checkout and in one folder."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
import docs_commands  # noqa: E402
import recipes  # noqa: E402

RECIPES = {title: body for title, body in recipes.recipes().items() if "```" in body}


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_can_be_followed(title: str, tmp_path: pathlib.Path) -> None:
    docs_commands.copy_checkout(tmp_path)
    try:
        files = recipes.follow(RECIPES[title], tmp_path)
    except subprocess.CalledProcessError as problem:
        pytest.fail(f"{problem.cmd}\n{problem.output}")
    assert files, "the recipe shows no file"


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_names_its_folder(title: str) -> None:
    folder = re.search(r"folder is\s+`([\w/]+/)`", RECIPES[title])
    assert folder and (ROOT / folder[1]).is_dir()


def test_what_is_unclear_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.yml").write_text("x: 1\ny: 2\nx: 3\n")
    below = "```yaml\n# a/b.yml, below: {}\nz: 4\n```\n"
    assert recipes.follow(below.format("x:"), tmp_path) == ["a/b.yml"]
    assert recipes.follow(below.replace("below", "instead of").format("y:"), tmp_path) == ["a/b.yml"]
    assert (tmp_path / "a" / "b.yml").read_text() == "x: 1\nz: 4\nx: 3\nz: 4\n"
    for wrong, named in (
        (below.format("nothing"), "no line"),
        ("```yaml\n# a/b.yml\n```\n", "already"),
        ("```yaml\nx: 1\n```\n", "place|belongs"),
    ):
        with pytest.raises(recipes.Unclear, match=named):
            recipes.follow(wrong, tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        recipes.follow("```bash\nfalse\n```\n", tmp_path)
