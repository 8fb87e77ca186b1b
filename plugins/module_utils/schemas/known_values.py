# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys that a chart's values.yaml shows, those in its comments included, with their kinds and lines."""

from __future__ import annotations

import bisect
import dataclasses
import re
import typing as t

from ..templates.origins import ITEM, Path
from ..values.nodes import ValueNode
from ..values.reader import load_yaml

COMMENT = re.compile(r"( *)#+( *)(.*)")
# A key as charts write them; prose ("Note: ...", "see https://...") has spaces, capitals or no space after the colon.
KEY = re.compile(r"- [a-zA-Z][\w./-]*:( |$)|[a-z][\w./-]*:( |$)")
MAX_BLOCK = 400


@dataclasses.dataclass
class Known:
    """A key that values.yaml shows.

    kinds: map, list, empty map, empty list, text, empty text, number, boolean, null; source: (file, line) or None;
    live: whether it is set rather than in a comment.
    """

    children: dict[str, Known] = dataclasses.field(default_factory=dict)
    kinds: set[str] = dataclasses.field(default_factory=set)
    source: tuple[str, int] | None = None
    live: bool = False

    def child(self, name: str) -> Known:
        """Return the key below this one, new where there is none."""
        return self.children.setdefault(name, Known())

    def merge(self, other: Known) -> None:
        """Add what another place says about the same key."""
        self.kinds |= other.kinds
        self.source = self.source or other.source
        self.live = self.live or other.live
        for name, child in other.children.items():
            self.child(name).merge(child)


@dataclasses.dataclass(frozen=True)
class Commented:
    """A key in a comment: the paths it may stand at, and what stands below it."""

    paths: tuple[Path, ...]
    known: Known


def read_values(text: str, file: str) -> tuple[Known, list[Commented]] | None:
    """Return the keys that a values.yaml sets, and those that its comments show; None where it cannot be read."""
    node, _findings = load_yaml(text.encode(), file)
    if node is None:
        return None
    known = Known()
    _add(known, node, True)
    return known, _commented(text, file, node)


def kind_of(value: t.Any) -> str:
    """Return what a value is: see Known."""
    if isinstance(value, dict):
        return "map" if value else "empty map"
    if isinstance(value, list):
        return "list" if value else "empty list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if value else "empty text"


def _add(known: Known, node: ValueNode, live: bool, shift: int = 0) -> None:
    stack = [(known, node)]
    while stack:
        here, node = stack.pop()
        here.kinds.add(kind_of(node.value))
        here.live = here.live or live
        if here.source is None:
            mark = node.key_mark or node.mark
            here.source = (mark.file, mark.line + shift)
        if isinstance(node.value, dict):
            stack += [(here.child(name), inner) for name, inner in node.value.items()]
        elif isinstance(node.value, list):
            stack += [(here.child(ITEM), inner) for inner in node.value]


class _Key(t.NamedTuple):
    """A key that is set; columns: of each part of its path; hollow: whether its value may have gone into a comment."""

    line: int
    column: int
    path: Path
    columns: tuple[int, ...]
    hollow: bool


def _live_keys(node: ValueNode) -> list[_Key]:
    found: list[_Key] = []
    stack: list[tuple[ValueNode, Path, tuple[int, ...]]] = [(node, (), ())]
    while stack:
        here, path, columns = stack.pop()
        if isinstance(here.value, list):
            stack += [(inner, (*path, ITEM), (*columns, inner.mark.column)) for inner in here.value]
        for name, inner in here.value.items() if isinstance(here.value, dict) else ():
            mark = inner.key_mark or inner.mark
            place = (*columns, mark.column)
            found.append(_Key(mark.line, mark.column, (*path, name), place, not inner.value))
            stack.append((inner, (*path, name), place))
    return sorted(found)


def _commented(text: str, file: str, node: ValueNode) -> list[Commented]:
    found: list[Commented] = []
    keys = _live_keys(node)
    lines_of_keys = [key.line for key in keys]
    for start, left, lines in _blocks(text):
        for offset, indent, chunk in _chunks(lines):
            made = _parsed(chunk, file, start + offset)
            place = bisect.bisect_left(lines_of_keys, start + offset)
            around = keys[place - 1] if place else None, keys[place] if place < len(keys) else None
            # "# key" and "#key" uncomment to the comment's column, "#   key" further to the right.
            columns = dict.fromkeys((left + max(indent - 1, 0), left + (indent if indent > 1 else 0)))
            parents = [parent for column in columns for parent in _parents(column + 1, *around)]
            for name, known in made.children.items() if parents else ():
                found.append(Commented(tuple(dict.fromkeys((*parent, name) for parent in parents)), known))
    return found


def _blocks(text: str) -> t.Iterator[tuple[int, int, list[str]]]:
    """Yield (first line, column of #, texts after #) of comments on lines of their own."""
    block: list[str] = []
    first, column = 0, -1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        match = COMMENT.match(line.rstrip())
        if match and (len(match.group(1)) == column or not block) and len(block) < MAX_BLOCK:
            if not block:
                first, column = number, len(match.group(1))
            block.append(match.group(2) + match.group(3))
            continue
        if block:
            yield first, column, block
        block = [match.group(2) + match.group(3)] if match else []
        first, column = number, len(match.group(1)) if match else -1


def _chunks(lines: list[str]) -> t.Iterator[tuple[int, int, list[str]]]:
    """Yield (offset, indentation, lines) of each key in a comment with what is indented below it."""
    place = 0
    while place < len(lines):
        line = lines[place]
        indent = len(line) - len(line.lstrip())
        if not KEY.match(line.lstrip()) or line.lstrip().startswith("- "):
            place += 1
            continue
        end = place + 1
        while end < len(lines) and _belongs(lines[end], indent):
            end += 1
        yield place, indent, [text[indent:] for text in lines[place:end]]
        place = end


def _belongs(line: str, indent: int) -> bool:
    inner = len(line) - len(line.lstrip())
    return not line.strip() or inner > indent or (inner == indent and line.lstrip().startswith("- "))


def _parsed(chunk: list[str], file: str, line: int) -> Known:
    """Return the keys of a comment's chunk; only its first line's where the rest is prose."""
    for text in ("\n".join(chunk), chunk[0], chunk[0].partition(":")[0] + ":"):
        node, findings = load_yaml(text.encode(), file)
        if node is not None and not findings:
            known = Known()
            _add(known, node, False, line - 1)
            return known
    return Known()


def _parents(column: int, last: _Key | None, following: _Key | None) -> list[Path]:
    """Return the maps whose keys stand in a column around a place, or the key above that has none below it yet."""
    found: list[Path] = []
    if last is not None and last.hollow and column > last.column:
        found.append(last.path)
    for key in (last, following):
        if key is not None and column in key.columns:
            found.append(key.path[: len(key.columns) - 1 - key.columns[::-1].index(column)])
    if column == 1 or (last is None and not found):
        found.append(())
    return found
