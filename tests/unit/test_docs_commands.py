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


@pytest.fixture()
def page(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A page's name in a checkout that holds nothing else."""
    monkeypatch.setattr(docs_commands, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(PAGE, encoding="utf-8")
    return "docs/page.md"


def test_blocks_of_a_page(page: str) -> None:
    assert docs_commands.blocks(page) == [
        docs_commands.Block("docs/page.md:3", "bash", "first\nsecond\n", ""),
        docs_commands.Block("docs/page.md:9", "bash", "third\n", "it would end the world"),
        docs_commands.Block("docs/page.md:13", "yaml", "- hosts: all\n", ""),
    ]


def test_plays_are_written_out(page: str, tmp_path: pathlib.Path) -> None:
    command = docs_commands.syntax_command(docs_commands.blocks(page), tmp_path)
    assert command.endswith(" shown-docs-page.md-13.yml")
    assert (tmp_path / "shown-docs-page.md-13.yml").read_text(encoding="utf-8") == "- hosts: all\n"


@pytest.mark.parametrize(("command", "good"), [("true", True), ("false\ntrue", False), ("false | true", False)])
def test_the_first_failure_counts(command: str, good: bool, tmp_path: pathlib.Path) -> None:
    assert docs_commands.checked("here", command, docs_commands.Lane(tmp_path, {})) is good


def test_what_a_closed_network_lacks_has_stand_ins(tmp_path: pathlib.Path) -> None:
    assert docs_commands.checked("here", "false", docs_commands.Lane(tmp_path, {}, (("false", "true"),)))


def test_every_page_is_read_and_the_one_that_removes_is_last() -> None:
    pages = docs_commands.lab_pages()
    readers = {page for lane in docs_commands.READERS for page in lane}
    assert {"README.md", "docs/start/quick-start.md", "docs/start/first-cluster.md"} <= readers
    assert {"docs/lab/lab.md", "docs/operate/verify.md", "docs/fleets/fleet.md"} <= set(pages)
    assert readers.isdisjoint(pages)
    everything = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")}
    assert everything <= readers | set(pages)
    assert pages[-1] == "docs/operate/teardown.md"
