# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a misspelt or misplaced key was probably meant to be."""

from __future__ import annotations

import difflib
import typing as t

from .findings import Path, show_path

# Shares of equal letters: a sibling this near is a typing mistake; one that is only this like is still worth naming.
NEAR = 0.8
LIKE = 0.6
# Schemas with the whole of Kubernetes inlined hold the same names thousands of times; deeper ones are of no help.
MAX_KEYS = 20_000
MAX_LEVELS = 12
Index = dict[str, list[Path]]
# Names of keys that switch what stands beside them on.
SWITCHES = ("enabled", "create", "enable", "install")


def nearest(word: str, choices: t.Iterable[str], least: float = LIKE) -> str | None:
    """Return the choice most like a word, None where none is like enough; case and separators count little."""
    best, best_ratio = None, least
    for choice in choices:
        if choice == word:
            continue
        ratio = _ratio(word, choice)
        if ratio > best_ratio or (best is None and ratio >= least):
            best, best_ratio = choice, ratio
    return best


def index_schema(schema: t.Any, defaults: dict[str, t.Any]) -> Index:
    """Return where each key name stands in a chart: {name: paths}, from its schema and its values.yaml."""
    index: Index = {}
    stack: list[tuple[Path, t.Any]] = [((), schema)]
    count = 0
    while stack and count < MAX_KEYS:
        path, node = stack.pop(0)
        if not isinstance(node, dict) or len(path) > MAX_LEVELS:
            continue
        for name, inner in _items(node.get("properties")):
            count += 1
            index.setdefault(name, []).append((*path, name))
            stack.append(((*path, name), inner))
        if isinstance(node.get("items"), dict):
            stack.append(((*path, 0), node["items"]))
    known = {place for places in index.values() for place in places}
    _index_values(defaults, (), index, known)
    return index


def suggest(path: Path, siblings: t.Iterable[str], index: Index, prefix: Path = ()) -> str | None:
    """Return the printed path that an unknown key at a path was meant to be, None where nothing is like it.

    prefix: the way to a subchart's values, which path and index do not hold.
    """
    other = meant(path, siblings, index)
    if other is None:
        return None
    moved = " (the same key, at another level)" if other[-1] == path[-1] else ""
    return show_path((*prefix, *other)) + moved


def meant(path: Path, siblings: t.Iterable[str], index: Index) -> Path | None:
    """Return the path that an unknown key was meant to be, None where nothing is like it.

    A near sibling first, or one that switches the same; then the same key at another level (the most frequent mistake),
    then what is like it.
    """
    key, siblings = str(path[-1]), list(siblings)
    switch = next((name for name in SWITCHES if key in SWITCHES and name in siblings), None)
    near = switch or nearest(key, siblings, NEAR)
    if near:
        return (*path[:-1], near)
    if key in index:
        other = _closest(path, index[key])
        if other and other != path:
            return other
    like = nearest(key, siblings)
    if like:
        return (*path[:-1], like)
    elsewhere = nearest(key, index, NEAR)
    return _closest(path, index[elsewhere]) if elsewhere else None


def moved(path: Path, value: t.Any, index: Index) -> Path | None:
    """Return where a key of an unknown map is read, None where none is read in one other place only.

    Among several maps that hold it, one whose name begins as the unknown one's does.
    """
    for key in value if isinstance(value, dict) else ():
        places = [place for place in index.get(str(key), []) if place[:-1] and place[: len(path)] != path]
        named = [place for place in places if str(place[-2]).lower().startswith(str(path[-1]).lower())]
        if len(found := named or places) == 1:
            return found[0]
    return None


def _ratio(word: str, choice: str) -> float:
    left, right = _plain(word), _plain(choice)
    if left == right:
        return 1.0
    if not left or not right or max(len(left), len(right)) > 2 * min(len(left), len(right)):
        return 0.0
    matcher = difflib.SequenceMatcher(None, left, right)
    return matcher.ratio() if matcher.real_quick_ratio() >= LIKE and matcher.quick_ratio() >= LIKE else 0.0


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _items(properties: t.Any) -> list[tuple[str, t.Any]]:
    return list(properties.items()) if isinstance(properties, dict) else []


def _index_values(values: dict[str, t.Any], path: Path, index: Index, known: set[Path]) -> None:
    for name, inner in values.items():
        place = (*path, name)
        if place not in known and len(known) < MAX_KEYS:
            known.add(place)
            index.setdefault(name, []).append(place)
        if isinstance(inner, dict):
            _index_values(inner, place, index, known)


def _closest(path: Path, places: list[Path]) -> Path:
    """Return the place that shares the longest way with a path; among equals the shortest."""

    def distance(place: Path) -> tuple[int, int]:
        shared = 0
        for left, right in zip(path[:-1], place[:-1], strict=False):
            if left != right:
                break
            shared += 1
        return (-shared, len(place))

    return min(places, key=distance)
