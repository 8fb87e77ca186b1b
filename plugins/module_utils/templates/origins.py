# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a template's expression may hold, said as where in .Values it comes from.

A Held is an over-approximation: it names every place in the values that the expression can have come from. It never
holds a value of a user, only paths.
"""

from __future__ import annotations

import typing as t

# Stands in a path for any entry of a list and for any key of a map.
ITEM = "*"
Path = tuple[str, ...]
MAX_SIGNATURE = 6
MAX_PATH = 24
# Parts in one expression; public charts stay below 100, what doubles with every step gets there soon.
MAX_WEIGHT = 2_000


class TooLarge(Exception):
    """Templates that would take too long to follow."""


class Held:
    """Possible contents of an expression; all of them are alternatives.

    refs: places in .Values; roots: the whole context of the chart whose values stand at that path; keys: entries of a
    map or list that the template itself made; rest: entries under unknown keys; consts: constants; yaml: what a text
    was serialised from; mixed: that text holds more than that one document; opaque: something that comes from
    elsewhere; files: the chart's other files; fresh: a copy, so that changing it changes no values.
    """

    __slots__ = ("consts", "files", "fresh", "keys", "mixed", "opaque", "refs", "rest", "roots", "weight", "yaml")

    def __init__(
        self,
        refs: t.Iterable[Path] = (),
        *,
        roots: t.Iterable[Path] = (),
        keys: dict[str | int, Held] | None = None,
        rest: Held | None = None,
        consts: t.Iterable[t.Any] = (),
        yaml: Held | None = None,
        mixed: bool = False,
        opaque: bool = False,
        files: bool = False,
    ) -> None:
        self.refs, self.roots, self.consts = frozenset(refs), frozenset(roots), frozenset(consts)
        self.keys, self.rest, self.yaml = keys, rest, yaml
        self.mixed, self.opaque, self.files, self.fresh = mixed, opaque, files, False
        self.weight = 1
        if keys or rest or yaml:
            self.weigh()

    def weigh(self) -> None:
        """Count the parts; raise TooLarge where there are too many."""
        parts = [*(self.keys or {}).values(), self.rest, self.yaml]
        self.weight = 1 + sum(part.weight for part in parts if part is not None)
        if self.weight > MAX_WEIGHT:
            raise TooLarge("an expression holds too much")

    def exact(self) -> list[str]:
        """Return the texts that this is one of, [] where it may be something else too."""
        if self.refs or self.roots or self.keys is not None or self.yaml or self.opaque or self.files:
            return []
        return [value for value in self.consts if isinstance(value, str)]

    def numbers(self) -> list[int]:
        """Return the whole numbers among the constants."""
        return [value for value in self.consts if isinstance(value, int) and not isinstance(value, bool)]

    def entries(self) -> list[Held]:
        """Return the entries that the template itself put into this map or list."""
        return [*(self.keys or {}).values(), *([self.rest] if self.rest else [])]

    def empty(self) -> bool:
        """Return whether this holds nothing at all."""
        return not (self.refs or self.roots or self.consts or self.opaque or self.files or self.yaml) and (
            self.keys is None and self.rest is None
        )

    def signature(self, depth: int = 0) -> tuple[t.Any, ...]:
        """Return what tells this from another; equal ones make a template read the same."""
        if depth > MAX_SIGNATURE:
            return (id(self),)
        keys = None
        if self.keys is not None:
            keys = tuple(sorted((str(name), inner.signature(depth + 1)) for name, inner in self.keys.items()))
        rest = self.rest.signature(depth + 1) if self.rest else None
        yaml = self.yaml.signature(depth + 1) if self.yaml else None
        # True and 1 are equal to Python; they read the same here.
        return (self.refs, self.roots, self.consts, keys, rest, yaml, self.mixed, self.opaque, self.files)


def opaque() -> Held:
    """Return something that does not come from .Values."""
    return Held(opaque=True)


def union(*parts: Held | None) -> Held:
    """Return what holds any of the parts; a single part is returned as it is."""
    found = [part for part in parts if part is not None and not part.empty()]
    if len(found) == 1:
        return found[0]
    joined = Held()
    for part in found:
        _add(joined, part)
    joined.weigh()
    joined.fresh = bool(found) and all(part.fresh for part in found if part.refs or part.roots)
    return joined


def _add(joined: Held, part: Held) -> None:
    joined.refs |= part.refs
    joined.roots |= part.roots
    joined.consts |= part.consts
    joined.mixed |= part.mixed
    joined.opaque |= part.opaque
    joined.files |= part.files
    if part.keys is not None:
        keys = {} if joined.keys is None else joined.keys
        joined.keys = {name: union(keys.get(name), part.keys.get(name)) for name in dict.fromkeys([*keys, *part.keys])}
    if part.rest is not None:
        joined.rest = union(joined.rest, part.rest)
    if part.yaml is not None:
        joined.yaml = union(joined.yaml, part.yaml)


def copy(held: Held) -> Held:
    """Return a copy whose own entries can be set without changing the original's."""
    made = Held()
    _add(made, held)
    made.weight = held.weight
    made.keys = None if held.keys is None else {name: copy(inner) for name, inner in held.keys.items()}
    return made
