# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What tests/docs_commands.py takes from a page, and that a failing command fails it."""

from __future__ import annotations

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import docs_commands  # noqa: E402

PAGE = """# A page

```bash
first
second
```

<!-- not run: it would end the world -->
```bash
third
```

```yaml
- hosts: all
```
"""


def test_blocks_of_a_page() -> None:
    assert docs_commands.blocks("page.md", PAGE) == [
        docs_commands.Block("page.md:3", "bash", "first\nsecond\n", ""),
        docs_commands.Block("page.md:9", "bash", "third\n", "it would end the world"),
        docs_commands.Block("page.md:13", "yaml", "- hosts: all\n", ""),
    ]


def test_plays_are_written_out(tmp_path: pathlib.Path) -> None:
    command = docs_commands.syntax_command(docs_commands.blocks("docs/page.md", PAGE), tmp_path)
    assert command.endswith(" shown-docs-page.md-13.yml")
    assert (tmp_path / "shown-docs-page.md-13.yml").read_text(encoding="utf-8") == "- hosts: all\n"


@pytest.mark.parametrize(("command", "good"), [("true", True), ("false\ntrue", False), ("false | true", False)])
def test_the_first_failure_counts(
    command: str, good: bool, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KUBECONFIG", "none")
    assert docs_commands.checked("here", command, tmp_path) is good


def test_every_page_is_read_and_the_one_that_removes_is_last() -> None:
    pages = [block.place.rpartition(":")[0] for block in docs_commands.all_blocks()]
    assert {"README.md", "docs/lab.md", "docs/verify.md"} <= set(pages)
    assert pages[-1] == "docs/teardown.md"
