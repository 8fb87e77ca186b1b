# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Plain data: what manifests and values are made of, and reading it when it may hold anything."""

from __future__ import annotations

import typing as t

Path = tuple[str, ...]
Object = dict[str, t.Any]


def dicts(value: t.Any) -> list[Object]:
    """Return the maps of a list, [] where it is none: rendered manifests may hold anything."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: t.Any) -> list[str]:
    """Return a list's items as texts, [] for what is no list."""
    return [str(item) for item in value] if isinstance(value, list) else []


def mapping(value: t.Any) -> Object:
    """Return a map, {} where the value is none."""
    return value if isinstance(value, dict) else {}


def number(text: t.Any) -> int | None:
    """Return a whole number, None for anything else (a variable that nobody sets, arithmetic)."""
    try:
        return int(str(text))
    except ValueError:
        return None


def nest(path: KeyPath, value: t.Any) -> Values:
    """Return {a: {b: value}} for the path (a, b)."""
    for key in reversed(path):
        value = {key: value}
    return value


Values = dict[str, t.Any]
KeyPath = t.Sequence[str | int]


def dig(values: t.Any, path: KeyPath, default: t.Any = None) -> t.Any:
    """Return the value at a path of keys and indexes, default where a step is absent."""
    for step in path:
        inside = isinstance(values, dict) and step in values
        if not inside and not (isinstance(values, list) and isinstance(step, int) and step < len(values)):
            return default
        values = values[step]
    return values


def leaves(values: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[tuple[t.Any, ...], t.Any]]:
    """Yield what is neither map nor list in a value, with its path of keys and indexes."""
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else None
    if inner is None:
        yield path, values
    for step, value in inner or ():
        yield from leaves(value, (*path, step))


def kind(value: t.Any) -> str:
    """Return a value's type in YAML's words."""
    if value is None:
        return "null"
    kinds = (bool, "boolean"), (dict, "map"), (list, "list"), (str, "string"), ((int, float), "number")
    return next((name for types, name in kinds if isinstance(value, types)), type(value).__name__)


def plain(value: t.Any) -> t.Any:
    """Return a copy made of plain Python types (Ansible hands over tagged subclasses)."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
