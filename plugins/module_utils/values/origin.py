# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which key of a chart's values has made a field of a rendered object, found by what both look like.

Charts write most of their values out as they are, below other keys: the longer the common end of both paths, and the
more equal what stands there, the surer it is. What no user gave has no key here.
"""

from __future__ import annotations

import typing as t

from ..base.data import KeyPath, dig, mapping
from .layers import Layer

Path = tuple[t.Any, ...]
_ABSENT = object()
# Keys that lead to what charts fill in themselves; above them nothing is alike.
_TOP = ("spec", "template", "metadata")
# Shorter texts and single digits stand in too many places to be known by themselves.
_TELLING = 3


def origin(layers: t.Sequence[Layer], body: t.Any, path: Path, name: str = "") -> Path:
    """Return the key of the values that made a field of an object, or else the nearest one above it, () for none.

    name: the object's; of two keys that are alike the one whose first key the name has is meant (decode, prefill).
    """
    words = name.split("-")
    own = {key for layer in layers for key in layer.values if key in words and isinstance(layer.values[key], dict)}
    rest = path
    while rest and rest[-1] not in _TOP:
        value = dig(body, rest, _ABSENT)
        found = _best(layers, rest, value, own) or _parts(layers, rest, value)
        if found:
            return found
        rest = rest[:-1]
    return _switch(layers, path, own)


def _switch(layers: t.Sequence[Layer], path: Path, own: set[str]) -> Path:
    """Return the role whose containers are the chart's own, since the values have none for it."""
    with_none = [key for key in own if not any(mapping(layer.values.get(key)).get("containers") for layer in layers)]
    return (with_none[0],) if "containers" in path and len(with_none) == 1 else ()


def _best(layers: t.Sequence[Layer], path: Path, value: t.Any, own: set[str]) -> Path:
    found: dict[Path, tuple[int, ...]] = {}
    for layer in reversed(layers):
        for key, held in _nodes(layer.values):
            tail, equal = common_tail(key, path), value is not _ABSENT and _same(held, value)
            likely = not own or key[0] in own
            # What a field has not, no key with a value has made, nor one of another role where this one's has none.
            near = likely and (value is not _ABSENT or not held) and _is_place(key[-tail:] if tail else (), held)
            if (tail and equal) or (equal and _telling(value)) or near:
                found.setdefault(key, (int(equal), tail, int(key[0] in own), -len(key)))
    best = max(found, key=lambda key: found[key], default=())
    alone = sum(score[0] for score in found.values()) == 1
    # By its value alone a key is known where no other has that value.
    return best if best and (found[best][1] or alone) else ()


def _parts(layers: t.Sequence[Layer], path: Path, value: t.Any) -> Path:
    """Return the key above all texts that a text was put together of: the hub, name and tag of an image."""
    if not isinstance(value, str) or path[-1] in _TOP:
        return ()
    found = {
        key: held
        for layer in layers
        for key, held in _nodes(layer.values)
        if path[-1] in key and isinstance(held, str) and len(held) >= _TELLING and held in value
    }
    shared: Path = next(iter(found), ())
    for key in found:
        shared = tuple(step for step, other in zip(shared, key, strict=False) if step == other)
    return shared


def common_tail(one: KeyPath, other: KeyPath) -> int:
    """Return how many keys two paths have in common at their ends; a single index alone is none."""
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        count += 1
    tail = list(other)[len(other) - count :]
    return 0 if all(isinstance(step, int) for step in tail) else count


def _is_place(tail: Path, held: t.Any) -> bool:
    """Return whether a common end says enough though what stands there differs: charts add to maps and lists."""
    names = sum(isinstance(step, str) for step in tail)
    return names > 1 or (len(tail) > 1 and isinstance(held, (dict, list)))


def _same(held: t.Any, value: t.Any) -> bool:
    if isinstance(held, (dict, list)) or isinstance(value, (dict, list)):
        return held == value
    return held is not None and str(held) == str(value)


def _telling(value: t.Any) -> bool:
    """Return whether a value is likely to stand in one place only."""
    return bool(value) and (isinstance(value, (dict, list)) or (isinstance(value, str) and len(value) >= _TELLING))


def _nodes(value: t.Any, path: Path = ()) -> t.Iterator[tuple[Path, t.Any]]:
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _nodes(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _nodes(inner, (*path, index))
