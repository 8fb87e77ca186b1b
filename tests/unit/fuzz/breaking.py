# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Sound trees of maps and lists with something wrong put into them, as an editor's slip or a template's would."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# What stands where something else belongs. GONE takes the entry away.
GONE = object()
JUNK: tuple[Any, ...] = (
    *(GONE, None, True, False, 0, -1, 42, 8000.5, 10**30, "", " ", "text", "8000", "a: b", "{{ x }}", "-5%"),
    *([], [None], ["text"], [42], [[]], [{}], [{"name": ["a"]}], [{"": None}]),
    *({}, {"a": "b"}, {"name": None}, {"name": {}}, {"a": ["b"]}, {7: None, "a": {"b": []}}),
)
KEYS: tuple[Any, ...] = (7, True, None, "", "x", "nmae", 1.5)
Path = tuple[Any, ...]


def places(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of everything in a tree but the tree itself."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def broken(tree: Any, path: Path, junk: Any) -> Any:
    """Return a copy with junk at a path, GONE: without what stands there; shared parts stay shared."""
    if not path:
        return copy.deepcopy(junk)
    step, rest = path[0], path[1:]
    inner = dict(tree) if isinstance(tree, dict) else list(tree)
    if rest:
        inner[step] = broken(inner[step], rest, junk)
    elif junk is GONE:
        del inner[step]
    else:
        inner[step] = copy.deepcopy(junk)
    return inner


def renamed(tree: Any, path: Path, key: Any) -> Any:
    """Return a copy in which a map's key is another one."""
    held = at(tree, path[:-1])
    return broken(tree, path[:-1], {key if name == path[-1] else name: value for name, value in held.items()})


def at(tree: Any, path: Path) -> Any:
    """Return what stands at a path."""
    for step in path:
        tree = tree[step]
    return tree


@st.composite
def slips(draw: st.DrawFn, tree: Any, most: int = 2) -> Any:
    """Return a copy of a tree with one or a few places broken: replaced, removed, wrapped, doubled or renamed."""
    for _count in range(draw(st.integers(1, most))):
        spots = list(places(tree))
        if not spots:
            return tree
        path = draw(st.sampled_from(spots))
        value, holder = at(tree, path), at(tree, path[:-1])
        how = draw(st.integers(0, 9))
        if how == 0 and isinstance(holder, dict):
            tree = renamed(tree, path, draw(st.sampled_from(KEYS)))
        elif how == 1:
            tree = broken(tree, path, [value])
        elif how == 2:
            tree = broken(tree, path, {"a": value})
        elif how == 3 and isinstance(holder, list):
            tree = broken(tree, path[:-1], [*holder, value])
        elif how == 4:
            tree = broken(tree, path, at(tree, draw(st.sampled_from(spots))))
        else:
            tree = broken(tree, path, draw(st.sampled_from(JUNK)))
    return tree


def fuzzed(examples: int) -> settings:
    """Return hypothesis' settings: the same examples in each run, as many as these, whatever the machine's pace."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=slow)
