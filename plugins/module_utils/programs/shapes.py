# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The maps that a program reads, by version: their keys at any depth, and the kinds of what stands there.

Shapes are text, one a line: since, before, name, and its keys as path:kind. A path has dots, and [] for every item of a
list; * alone stands for keys that are not known. A line that ends with | goes on in the next. See tables for kinds.
"""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ..base.findings import Path
from .tables import Span, guess, known_versions, problem, since_before
from .versions import Version, version

# Keys by name, [the kind of its items], or a kind.
Tree = dict[str, t.Any]
OPEN = "*"


@dataclasses.dataclass(frozen=True)
class Shape:
    """What one version reads below a name. tree: None where the keys are not known."""

    name: str
    since: Version | None
    before: Version | None
    tree: Tree | None


class Misfit(t.NamedTuple):
    """What does not fit a shape. ignored: whether it is an unknown key, which lenient readers pass over; near: whether
    a known key is like it."""

    path: Path
    text: str
    ignored: bool = False
    near: bool = False


@dataclasses.dataclass(frozen=True)
class Shapes:
    """The shapes of one program. versions: those that the rows were read of; source: where."""

    source: str
    versions: tuple[Version, ...]
    text: str

    def known(self, span: Span | None) -> dict[str, Shape]:
        """Return the shapes that some version of a span has, all for None; of several of a name what any reads."""
        return _known(self, span)

    def elsewhere(self, name: str) -> str:
        """Return which versions have a name, '' where none has."""
        return since_before([shape for shape in self.rows if shape.name == name])

    @functools.cached_property
    def rows(self) -> list[Shape]:
        """All shapes, those of one name from the oldest version on."""
        rows = []
        for line in self.text.replace("|\n", " ").strip().splitlines():
            since, before, name, *fields = line.split()
            tree = None if fields == [OPEN] else _tree(fields)
            rows.append(Shape(name, version(since), version(before), tree))
        return sorted(rows, key=lambda shape: shape.since or ())


@functools.lru_cache(maxsize=64)
def _known(shapes: Shapes, span: Span | None) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for shape in shapes.rows:
        if known_versions(shapes.versions, shape, span):
            other = found.get(shape.name)
            tree = shape.tree if other is None else _either(other.tree, shape.tree)
            found[shape.name] = dataclasses.replace(shape, tree=tree)
    return found


def _either(one: t.Any, other: t.Any) -> t.Any:
    """Return a tree of what either of two takes, None where one of them is not known."""
    if one is None or other is None:
        return None
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: _either(one[key], other[key]) for key in one.keys() & other.keys()}
        return {**one, **other, **both}
    if one == other:
        return one
    return "float" if (one, other) in (("int", "float"), ("float", "int")) else "any"


def _tree(fields: list[str]) -> Tree:
    tree: Tree = {}
    for field in fields:
        path, _colon, kind = field.partition(":")
        *way, last = path.replace("[]", ".[]").split(".")
        node = tree
        for step in way:
            node = node.setdefault(step, {})
        node[last] = kind
    return tree


def misfits(tree: t.Any, value: t.Any, path: Path = (), folded: bool = False) -> t.Iterator[Misfit]:
    """Yield what in a value does not fit a tree. folded: whether the case of keys does not count, as in Go's JSON."""
    if value is None or tree == "any":
        return
    if isinstance(tree, str):
        wrong = _plain_problem(tree, value)
        if wrong:
            yield Misfit(path, wrong)
    elif "[]" in tree:
        if not isinstance(value, list):
            yield Misfit(path, "is not a list")
        for place, item in enumerate(value if isinstance(value, list) else ()):
            yield from misfits(tree["[]"], item, (*path, place), folded)
    elif not isinstance(value, dict):
        yield Misfit(path, "is not a map")
    else:
        by_case = {name.lower(): name for name in tree} if folded else {}
        for key, inner in value.items():
            name = by_case.get(str(key).lower(), key)
            if name in tree:
                yield from misfits(tree[name], inner, (*path, key), folded)
            elif inner is not None:
                hint = guess(str(key), tree)
                yield Misfit((*path, key), f"is not a known key.{hint}", ignored=True, near=bool(hint))


def _plain_problem(kind: str, value: t.Any) -> str:
    if kind in ("map", "list"):
        return "" if isinstance(value, dict if kind == "map" else list) else f"is not a {kind}"
    if kind == "text" or kind.startswith("choice:"):
        return problem(kind, value) if isinstance(value, str) else "is not a string: put it in quotes"
    if kind == "duration":
        return problem(kind, value) if isinstance(value, str) else "is not a duration such as 50ms"
    if kind == "bool":
        return "" if isinstance(value, bool) else "is neither true nor false"
    if isinstance(value, str):
        return "is not a number" if kind == "float" else "is not a whole number"
    return problem("int" if kind == "nanoseconds" else kind, value)
