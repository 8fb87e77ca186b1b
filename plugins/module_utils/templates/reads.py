# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The tree of .Values paths that templates read, with how and where each is used."""

from __future__ import annotations

import dataclasses
import typing as t

from .origins import MAX_PATH, Held, Path

# How a template uses a value.
READ = "read"  # reached
FIELD = "field"  # keys below it are read by name
TEXT = "text"  # printed, or handed to a function of texts
NUMBER = "number"  # handed to a function of numbers
CONDITION = "condition"  # only whether it is there, or true
COMPARE = "compare"  # compared with something
FREE = "free-form"  # serialised as it is, or out of sight from there on
RANGE = "range"  # looped over
RANGE_MAP = "range-map"  # looped over with its keys or places
DYNAMIC = "dynamic"  # an entry is read whose key is not known
TYPE = "type"  # the template asks what type it is
TPL = "tpl"  # run as a template
DEFAULT = "default"  # with a default, which is kept
REQUIRED = "required"  # rendering fails without it
MAX_DEFAULTS = 12
MAX_DUMP = 12
Place = tuple[str, int]


@dataclasses.dataclass
class ReadNode:
    """One path: its uses with their first place (file, line), its defaults, and the paths below."""

    children: dict[str, ReadNode] = dataclasses.field(default_factory=dict)
    uses: dict[str, Place] = dataclasses.field(default_factory=dict)
    defaults: dict[t.Any, None] = dataclasses.field(default_factory=dict)

    def at(self, path: Path) -> ReadNode | None:
        """Return the node of a path below this one, or None."""
        node: ReadNode | None = self
        for part in path:
            node = node.children.get(part) if node is not None else None
        return node

    def below(self) -> t.Iterator[tuple[Path, ReadNode]]:
        """Yield every path below this one with its node."""
        for name, child in self.children.items():
            yield (name,), child
            yield from (((name, *path), node) for path, node in child.below())

    def place(self) -> Place | None:
        """Return where this path, or the first below it, is read."""
        if self.uses:
            return next(iter(self.uses.values()))
        return next((place for child in self.children.values() if (place := child.place())), None)


class Reads:
    """Collects uses; blind says why some reads may be missing, so that nothing may be called unknown."""

    def __init__(self) -> None:
        self.root = ReadNode()
        self.blind: dict[str, None] = {}
        self.place: Place = ("", 0)

    def use(self, path: Path, kind: str, defaults: t.Collection[t.Any] = ()) -> None:
        """Note one use of a path at the current place."""
        node = self.root
        for part in path[:MAX_PATH]:
            node = node.children.setdefault(part, ReadNode())
        node.uses.setdefault(FREE if len(path) > MAX_PATH else kind, self.place)
        if len(node.defaults) < MAX_DEFAULTS:
            node.defaults.update(dict.fromkeys(defaults))

    def use_all(self, held: Held, kind: str, defaults: t.Collection[t.Any] = ()) -> None:
        """Note one use of every path that something may come from."""
        for path in held.refs:
            self.use(path, kind, defaults)

    def use_each(self, helds: t.Iterable[Held], kind: str) -> None:
        """Note one use of every path that any of several things may come from."""
        for held in helds:
            self.use_all(held, kind)

    def dump(self, held: Held | None, depth: int = 0) -> None:
        """Note that something is taken over as it is, with all that is in it."""
        if held is None or depth > MAX_DUMP:
            return
        self.use_all(held, FREE)
        for root in held.roots:
            self.use(root, FREE)
        for entry in held.entries():
            self.dump(entry, depth + 1)
        self.dump(held.yaml, depth + 1)

    def cannot_follow(self, why: str) -> None:
        """Note that reads may be missing anywhere."""
        self.blind[f"{self.place[0]}:{self.place[1]}: {why}"] = None
