# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages, task names, descriptions and pages use the field's words: phrases that were replaced do not come back."""

from __future__ import annotations

import ast
import pathlib
import re
import typing as t

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
# A phrase, and what to write instead; see CONTRIBUTING.md, Messages.
REPLACED = {
    r"\bfor want of\b": "because … is missing",
    r"\bhence\b": "so, therefore",
    r"\bthereof\b": "of it",
    r"\banew\b": "recreate, again",
    r"\bmend(s|ed)?\b(?!')": "fix, repair",
    r"\bbefall": "affect",
    r"\bat hand\b": "available",
    r"\bas wanted\b": "up to date, as expected",
    r"\bin which state\b": "the state of",
    r"\bno sense\b": "invalid",
    r"\bis told to you\b": "is shown",
    r"\bis no (address|bundle|duration|file|folder|grant|hostname|image|JSON|kind|label|list|map|number|path|port)\b": (
        "is not a valid …"
    ),
    r"\bis no (quantity|registry|repository|share|size|string|text|time|token|value|version|whole|YAML)\b": (
        "is not a valid …"
    ),
    r"\bcannot be had\b": "not found, cannot be fetched",
    r"\bworked out\b": "evaluated, resolved",
    r"\bby a mistake of its own\b": "internal error",
    r"\bnobody (knows|can)\b": "is unknown",
    r"\bwithout a (word|sign)\b": "silently",
    r"\bfor ever\b": "forever",
    r"\bnot there any more\b": "no longer exists",
    r"\bno sound\b": "not a valid …",
    r"\bwants a login\b": "requires a login",
    r"\bsome ?body else\b": "another run, user or owner",
}
PATTERNS = [(re.compile(phrase), instead) for phrase, instead in REPLACED.items()]


def strings(source: str) -> t.Iterator[tuple[int, str]]:
    """Yield (line, text) of each text of a Python file but its docstrings."""
    tree = ast.parse(source)
    homes = (node for node in ast.walk(tree) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    docs = {id(home.body[0].value) for home in homes if home.body and isinstance(home.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield from enumerate(node.value.splitlines(), node.lineno)


def lines(source: str) -> t.Iterator[tuple[int, str]]:
    """Yield (line, text) of a file of YAML without its comments."""
    numbered = enumerate(source.splitlines(), 1)
    yield from ((number, line) for number, line in numbered if not line.lstrip().startswith("# "))


def found(texts: t.Iterable[tuple[int, str]]) -> list[str]:
    """Return each replaced phrase with its line, and what to write instead."""
    return [
        f"{number}: {match[0]!r} -> {instead}"
        for number, text in texts
        for pattern, instead in PATTERNS
        if (match := pattern.search(text))
    ]


def sources() -> t.Iterator[tuple[str, t.Callable[[str], t.Iterator[tuple[int, str]]]]]:
    yield from ((str(path), strings) for path in (ROOT / "plugins").rglob("*.py"))
    # What the measured mutations are called is no message.
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    yield from ((str(path), page) for path in pages if path.name != "mutations.md")
    for folder in ("roles", "playbooks"):
        yield from ((str(path), lines) for path in (ROOT / folder).rglob("*.yml") if "files" not in path.parts)


def page(source: str) -> t.Iterator[tuple[int, str]]:
    """Yield (line, text) of a page."""
    yield from enumerate(source.splitlines(), 1)


def test_replaced_phrases_do_not_come_back() -> None:
    said = {name: found(read(pathlib.Path(name).read_text(encoding="utf-8"))) for name, read in sources()}
    assert {str(pathlib.Path(name).relative_to(ROOT)): texts for name, texts in said.items() if texts} == {}


@pytest.mark.parametrize(
    ("source", "phrases"),
    [
        ('"""Mend it."""\nX = f"{name} is no port"\n', 1),
        ("X = 'the plan is made anew, for want of a plan'\n", 2),
        ("X = 'the port is not valid'\n", 0),
    ],
)
def test_a_replaced_phrase_is_found(source: str, phrases: int) -> None:
    assert len(found(strings(source))) == phrases
