# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What changes of an object, field by field and in the field's own words: replicas 2 → 3."""

from __future__ import annotations

import collections
import dataclasses
import json
import typing as t

from ..base import plain_yaml
from ..base.data import Object
from ..base.mask import is_secret_key, mask, mask_text
from ..base.quantities import amount
from ..cluster.compare import is_built_in, merge_key
from .commands import command_changes

LONGEST = 60
# Entries of lists that the API replaces as a whole are told apart by these all the same.
NAMES = ("name", "type", "path", "port")
# Levels of an object that say nothing to a reader: what is in them has names of its own.
COLLECTIONS = ("containers", "initContainers")
STRUCTURE = ("spec", "template", "metadata", "data", "stringData", "binaryData", "rules", "matches", "resources",
             "args", "command", *COLLECTIONS)  # fmt: skip
SINGULAR = {"labels": "label", "annotations": "annotation"}
# Fields that change as a consequence of others.
CONSEQUENCES = ("checksum/", "helm.sh/chart", "meta.helm.sh/", "orchestrator.llm-d.ai/")
MARKS = ("labels", "annotations", "matchLabels")
COMMANDS = ("args", "command")
AMOUNTS = ("limits", "requests")

Path = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class FieldChange:
    """One field. path: its place; what: the change, as it stands behind the field's name."""

    path: Path
    what: str

    @property
    def rank(self) -> int:
        """Content first, then labels and annotations, then what follows from the rest."""
        if any(key.startswith(CONSEQUENCES) for key in self.path):
            return 2
        return int(any(key in MARKS for key in self.path))

    def label(self, *, container: bool = False) -> str:
        """Return the field's name: the last keys of its path that tell something. container: and whose it is."""
        path = self.path[:-1] if self.path[-1] == "value" and len(self.path) > 1 else self.path
        keys: list[str] = []
        for above, key in zip(("", *path), path, strict=False):
            if above in COLLECTIONS and not container:
                continue
            if key == path[-1] or (key not in STRUCTURE and not key.isdigit()):
                keys.append(SINGULAR.get(key, key))
        if "env" in keys:
            return " ".join(keys[keys.index("env") - int(container) :][: 2 + int(container)])
        return " ".join(keys[-2 - int(container) :])

    def text(self, *, container: bool = False) -> str:
        """Return the change in a few words."""
        return f"{self.label(container=container)} {self.what}"


def texts(before: Object | None, after: Object | None) -> list[str]:
    """Return what changes from one manifest to another, most telling first; nothing where either is not there."""
    if not before or not after:
        return []
    found = sorted(differences(before, after), key=lambda change: change.rank)
    names = collections.Counter(change.label() for change in found)
    return list(dict.fromkeys(change.text(container=names[change.label()] > 1) for change in found))


def differences(before: Object, after: Object) -> t.Iterator[FieldChange]:
    """Yield the fields that change."""
    yield from _Walk(is_built_in(after), after.get("kind") == "Secret").of(before, after, ())


class _Walk:
    """Goes through two values side by side. merged: the API merges lists; hidden: values are secret."""

    def __init__(self, merged: bool, hidden: bool) -> None:
        self.merged, self.hidden = merged, hidden

    def of(self, old: t.Any, new: t.Any, path: Path, secret: bool = False) -> t.Iterator[FieldChange]:
        """Yield what changes between two values of one place."""
        if old == new:
            return
        secret = secret or self._hides(path)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._maps(old, new, path, secret)
        elif isinstance(old, list) and isinstance(new, list):
            yield from self._lists(old, new, path, secret)
        elif secret and old is not None and new is not None:
            yield FieldChange(path, "changed")
        else:
            yield from self._values(old, new, path, secret)

    def _hides(self, path: Path) -> bool:
        return bool(path) and (is_secret_key(path[-1]) or (self.hidden and "data" in path[0].lower()))

    def _maps(self, old: Object, new: Object, path: Path, secret: bool) -> t.Iterator[FieldChange]:
        secret = secret or is_secret_key(str(new.get("name") or ""))
        for key in dict.fromkeys([*new, *old]):
            yield from self.of(old.get(key), new.get(key), (*path, str(key)), secret)

    def _lists(self, old: list, new: list, path: Path, secret: bool) -> t.Iterator[FieldChange]:
        if path[-1] in COMMANDS and all(isinstance(item, str) for item in (*old, *new)):
            yield from (FieldChange((*path, *inner), what) for inner, what in command_changes(old, new))
            return
        key = self._key(path[-1], old, new)
        if key is not None:
            sides = [{str(item[key]): item for item in side} for side in (old, new)]
            for name in dict.fromkeys([*sides[1], *sides[0]]):
                if name in sides[0] and name in sides[1]:
                    yield from self.of(sides[0][name], sides[1][name], (*path, name), secret)
                else:
                    yield FieldChange(path, f"{'+' if name in sides[1] else '−'}{name}")
        elif all(isinstance(item, dict) for item in (*old, *new)):
            yield from self._alike(old, new, path, secret)
        else:
            yield FieldChange(path, _entries(old, new, secret))

    def _alike(self, old: list, new: list, path: Path, secret: bool) -> t.Iterator[FieldChange]:
        """Yield what changes between lists without names: of the entries that only one has, side by side."""
        left, come = [item for item in old if item not in new], [item for item in new if item not in old]
        for number, (one, other) in enumerate(zip(left, come, strict=False)):
            yield from self.of(one, other, (*path, str(number)), secret)
        if len(old) != len(new):
            yield FieldChange(path, _amounts(max(len(new) - len(old), 0), max(len(old) - len(new), 0)))
        elif not come:
            yield FieldChange(path, "in another order")

    def _key(self, field: str, old: list, new: list) -> str | None:
        """Return what tells the entries of two lists apart, None for nothing."""
        both = merge_key(field, old + new) if self.merged else None
        for key in filter(None, [both, *NAMES]):
            named = all(isinstance(item, dict) and isinstance(item.get(key), (str, int)) for item in (*old, *new))
            if named and all(len({str(item[key]) for item in side}) == len(side) for side in (old, new)):
                return key
        return None

    def _values(self, old: t.Any, new: t.Any, path: Path, secret: bool) -> t.Iterator[FieldChange]:
        if _is_structure(old) or _is_structure(new):
            if old in EMPTY or new in EMPTY:
                if not (old in EMPTY and new in EMPTY):
                    yield FieldChange(path, "added" if old in EMPTY else "removed")
                return
            yield FieldChange(path, "changed")
        elif secret:
            yield FieldChange(path, "added" if old is None else "removed")
        elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
            yield from self._documents(old, new, path)
        elif path[-1].lower().endswith("image") and isinstance(old, str) and isinstance(new, str):
            yield FieldChange(path, _arrow(*_images(old, new)))
        elif not (set(path) & set(AMOUNTS) and amount(old) == amount(new) != 0):
            yield FieldChange(path, _arrow(_shown(old), _shown(new)))

    def _documents(self, old: str, new: str, path: Path) -> t.Iterator[FieldChange]:
        """Yield what changes in a text of several lines: field by field where it is YAML."""
        sides = [_document(text) for text in (old, new)]
        if None not in sides:
            found = list(self.of(sides[0], sides[1], path))
            if found:
                yield from found
                return
        lines = [collections.Counter(text.splitlines()) for text in (old, new)]
        more, fewer = (sum((lines[a] - lines[b]).values()) for a, b in ((1, 0), (0, 1)))
        yield FieldChange(path, f"{_amounts(more, fewer)} lines" if more or fewer else "lines in another order")


EMPTY: tuple[t.Any, ...] = (None, "", [], {})


def _is_structure(value: t.Any) -> bool:
    return isinstance(value, (dict, list))


def _document(text: str) -> t.Any:
    """Return a text as YAML, None where it is no map."""
    try:
        found = plain_yaml.load(text)
    except plain_yaml.YAMLError:
        return None
    return found if isinstance(found, dict) else None


def _entries(old: list, new: list, secret: bool) -> str:
    """Return what comes to a list and what leaves it: by name where that is one short text each."""
    sides = [collections.Counter(json.dumps(item, sort_keys=True, default=str) for item in side) for side in (old, new)]
    more, fewer = list((sides[1] - sides[0]).elements()), list((sides[0] - sides[1]).elements())
    if not more and not fewer:
        return "in another order"
    if len(more) == len(fewer) == 1:
        return "changed" if secret else _arrow(*(_shown(json.loads(text)) for text in (*fewer, *more)))
    named = [f"+{text}" for text in map(json.loads, more)] + [f"−{text}" for text in map(json.loads, fewer)]
    plain = all(not isinstance(json.loads(text), (dict, list)) for text in (*more, *fewer)) and not secret
    if plain and len(named) <= 2 and len(" ".join(named)) <= LONGEST:
        return mask_text(" ".join(named))
    return _amounts(len(more), len(fewer))


def _amounts(more: int, fewer: int) -> str:
    return " ".join(filter(None, [f"+{more}" if more else "", f"−{fewer}" if fewer else ""]))


def _arrow(old: str, new: str) -> str:
    return f"{old} → {new}"


def _shown(value: t.Any) -> str:
    """Return a value as YAML would have it, cut where it is long."""
    if value is None:
        return "unset"
    text = value if isinstance(value, str) and value else json.dumps(mask(value), ensure_ascii=False)
    text = mask_text(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _images(old: str, new: str) -> tuple[str, str]:
    """Return two images, by tags or digests alone where the rest is the same."""
    for mark in ("@", ":"):
        (name, _mark, one), (other_name, _mark, other) = old.rpartition(mark), new.rpartition(mark)
        if name and name == other_name and "/" not in one + other:
            return _digest(one), _digest(other)
    return mask_text(old), mask_text(new)


def _digest(text: str) -> str:
    return f"{text[:19]}..." if text.startswith("sha256:") else text
