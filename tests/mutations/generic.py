# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mutations that any values tree can have: a key misspelt, a value of another type, a key at another level.

Which keys are taken is drawn by a generator whose seed is the base's name, so that every run has the same cases.
"""

from __future__ import annotations

import dataclasses
import random
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from bases import Base, Edit, dig
from values import Values

Path = tuple[str | int, ...]

# Maps in which any key may stand, and fields that Kubernetes checks, not the chart.
FREE = {
    "labels",
    "matchLabels",
    "flags",
    "limits",
    "requests",
    "env",
    "resources",
    "volumes",
    "volumeMounts",
    "annotations",
    "pluginsCustomConfig",
    "listeners",
    "extraContainerPorts",
    "extraServicePorts",
}


@dataclasses.dataclass(frozen=True)
class Case:
    """One mistake in one base. named: printed keys of which the message has to name one; where: a CRD to take away."""

    kind: str
    base: str
    edits: tuple[Edit, ...]
    named: tuple[str, ...]
    without: tuple[str, str] | None = None

    @property
    def title(self) -> str:
        """Return what identifies the case on a page and in a test."""
        return f"{self.kind}: {self.base}: " + ", ".join(f"{where} {path}".strip() for where, path, _v in self.edits)


def typo(key: str, rng: random.Random) -> str:
    """Return a key with one slip of the fingers that leaves another word."""
    at = rng.randrange(max(len(key) - 1, 1))
    slips = [key[:at] + key[at + 1 :], key[:at] + key[at] + key[at:], key[:at] + key[at : at + 2][::-1] + key[at + 2 :]]
    return next(word for word in [*rng.sample(slips, len(slips)), key + "x"] if word and word != key)


def keys(tree: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every key that a chart itself reads."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield (*path, key)
            if key not in FREE and not str(key).endswith("Probe"):
                yield from keys(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from keys(value, (*path, index))


def dotted(path: Path) -> str:
    """Return a path as the edits have it."""
    return ".".join(str(part).replace(".", "|") for part in path)


def shown(path: Path) -> str:
    """Return a path as messages print it."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _rng(base: Base, what: str) -> random.Random:
    return random.Random(zlib.crc32(f"{base.name} {what}".encode()))


def _drawn(base: Base, what: str, count: int, fits: Callable[[Path, Any], bool]) -> list[tuple[str, Path, Any]]:
    """Return (file, path, value) of some keys: each depth of each file once, then others."""
    rng = _rng(base, what)
    found = []
    for file, tree in base.read_files().items():
        paths = [path for path in keys(tree) if fits(path, dig(tree, list(path)))]
        rng.shuffle(paths)
        depths: dict[int, Path] = {}
        for path in paths:
            depths.setdefault(len(path), path)
        firsts = list(depths.values())
        found += [(file, path, dig(tree, list(path))) for path in firsts + [p for p in paths if p not in firsts][:1]]
    rng.shuffle(found)
    return found[:count]


def typos(base: Base, count: int) -> Iterator[Case]:
    """Yield misspelt keys at every depth."""
    rng = _rng(base, "slips")
    for file, path, value in _drawn(base, "typo", count, lambda p, _v: isinstance(p[-1], str) and len(p[-1]) > 2):
        wrong = (*path[:-1], typo(str(path[-1]), rng))
        edits = ((file, dotted(path), ...), (file, dotted(wrong), value))
        yield Case(f"key misspelt at depth {min(len(wrong), 5)}", base.name, edits, (shown(wrong),))


def types(base: Base, count: int) -> Iterator[Case]:
    """Yield values of a type that the key does not take."""
    swaps: list[tuple[type, str, Any]] = [
        (bool, "word instead of true or false", "maybe"),
        (int, "word instead of a number", "many"),
        (dict, "text instead of a map", "text"),
        (list, "text instead of a list", "text"),
        (str, "map instead of text", {"a": {"b": "c"}}),
    ]
    for file, path, value in _drawn(base, "type", count, lambda p, v: v is not None):
        _kind, name, other = [swap for swap in swaps if isinstance(value, swap[0])][0]
        yield Case(name, base.name, ((file, dotted(path), other),), (shown(path),))


def moved_up(base: Base, count: int) -> Iterator[Case]:
    """Yield keys that stand one level too high."""
    for file, path, value in _drawn(base, "up", count, _movable):
        above = (*path[:-2], path[-1])
        if not _taken(base.files[file], above):
            edits = ((file, dotted(path), ...), (file, dotted(above), value))
            yield Case("key one level too high", base.name, edits, (shown(above),))


def moved_down(base: Base, count: int) -> Iterator[Case]:
    """Yield keys that stand one level too deep, inside a neighbour."""
    for file, path, value in _drawn(base, "down", count, lambda p, _v: isinstance(p[-1], str)):
        parent: Values = dig(base.files[file], list(path[:-1]))
        near = [k for k, v in parent.items() if isinstance(v, dict) and k != path[-1] and k not in FREE]
        near = [k for k in near if not k.endswith("Probe") and path[-1] not in parent[k] and path[-1] not in _COMMON]
        if near:
            below = (*path[:-1], near[0], path[-1])
            edits = ((file, dotted(path), ...), (file, dotted(below), value))
            yield Case("key one level too deep", base.name, edits, (shown(below),))


def moved_over(base: Base, count: int) -> Iterator[Case]:
    """Yield whole top-level blocks that stand in another chart's file."""
    rng = _rng(base, "over")
    own = {name.partition("-")[0]: name for name in base.read_files()}
    pairs = [(own[a], own[b], key) for a in own for b in own if a != b for key in base.files[own[a]]]
    rng.shuffle(pairs)
    for source, target, key in pairs[:count]:
        if key not in base.files[target] and key not in ("provider", "multinode"):
            edits = ((target, key, base.files[source][key]), (source, key, ...))
            yield Case("block in another chart's values", base.name, edits, (key,))


# Keys that mean something at many levels.
_COMMON = ("name", "enabled", "labels", "replicas", "create", "type", "env", "image", "resources", "interval")


def _movable(path: Path, _value: Any) -> bool:
    return len(path) > 2 and isinstance(path[-1], str) and isinstance(path[-2], str) and path[-1] not in _COMMON


def _taken(tree: Any, path: Path) -> bool:
    try:
        dig(tree, list(path))
    except (KeyError, IndexError, TypeError):
        return False
    return True


# (generator, cases a base)
GENERIC: tuple[tuple[Callable[[Base, int], Iterator[Case]], int], ...] = (
    (typos, 8),
    (types, 6),
    (moved_up, 4),
    (moved_down, 3),
    (moved_over, 2),
)


def cases(base: Base) -> list[Case]:
    """Return the generic mutations of a base, the first of each kind of one in a guide's structure."""
    guide = base.name.startswith("guide")
    return [case for make, count in GENERIC for case in make(base, 1 if guide else count)]
