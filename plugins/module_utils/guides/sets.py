# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm's --set: what it says (helm.sh/helm pkg/strvals), and the values that come to the same.

A list of values takes the place of another one, while --set changes an item of it. So where --set names an item, the
whole list as the values files have it is taken, with the item changed.
"""

from __future__ import annotations

import copy
import re
import typing as t

from ..base.data import Values, dig

Path = tuple[t.Any, ...]
MAX_INDEX = 1024


class SetError(ValueError):
    """What --set does not take."""


def read_set(text: str, as_text: bool = False) -> list[tuple[Path, t.Any]]:
    """Return the paths and values of an argument of --set; as_text: of --set-string. Raises SetError."""
    found: list[tuple[Path, t.Any]] = []
    at = 0
    while at < len(text):
        path, at = _path(text, at)
        # KEY= is a value, too: an empty one.
        if text[at : at + 1] == "{":
            value: t.Any
            value, at = _list(text, at + 1, as_text)
        else:
            raw, at = _until(text, at, ",")
            value = raw if as_text else typed(raw)
        found.append((path, value))
        at += 1
    if not found:
        raise SetError("it is empty")
    return found


def typed(raw: str) -> t.Any:
    """Return what Helm makes of a value: true, false, null and whole numbers, else text (strvals, typedVal)."""
    if raw in ("true", "false"):
        return raw == "true"
    if raw == "null":
        return None
    return int(raw) if re.fullmatch(r"0|-?[1-9]\d{0,18}", raw) else raw


def _path(text: str, at: int) -> tuple[Path, int]:
    path: list[t.Any] = []
    while True:
        name, at = _until(text, at, "=.[,")
        if name:
            path.append(name)
        while at < len(text) and text[at] == "[":
            close = text.find("]", at)
            index = text[at + 1 : close] if close > 0 else ""
            if not re.fullmatch(r"\d{1,4}", index) or int(index) > MAX_INDEX or not path:
                raise SetError(f"{text!r} has no valid index")
            path.append(int(index))
            at = close + 1
        if at >= len(text) or text[at] == ",":
            raise SetError(f"{text!r} has no value for {_shown(path)}")
        at += 1
        if text[at - 1] == "=":
            if not path:
                raise SetError(f"{text!r} has no key")
            return tuple(path), at
        if not name and text[at - 1] == "." and (not path or not isinstance(path[-1], int)):
            raise SetError(f"{text!r} has an empty key")


def _until(text: str, at: int, ends: str) -> tuple[str, int]:
    """Return the text up to one of some signs, without the backslashes before signs, and where it ends."""
    found = ""
    while at < len(text) and text[at] not in ends:
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        found, at = found + text[at], at + 1
    return found, at


def _list(text: str, at: int, as_text: bool) -> tuple[list[t.Any], int]:
    items: list[t.Any] = []
    while True:
        raw, at = _until(text, at, ",}")
        if at >= len(text):
            raise SetError(f"{text!r} has a list that is not closed")
        if raw or text[at] == "," or items:
            items.append(raw if as_text else typed(raw))
        at += 1
        if text[at - 1] == "}":
            return items, at


def _shown(path: t.Sequence[t.Any]) -> str:
    return ".".join(str(step) for step in path)


def overrides(base: Values, changes: t.Sequence[tuple[Path, t.Any]]) -> Values:
    """Return values that laid over base come to the same as --set. base: what the values files have."""
    found: Values = {}
    for path, value in changes:
        index = next((n for n, step in enumerate(path) if isinstance(step, int)), None)
        if index is None:
            _put(found, path, value)
            continue
        outer = path[:index]
        known = dig(found, outer, None)
        whole = copy.deepcopy(known if isinstance(known, list) else dig(base, outer, None))
        if not isinstance(whole, list):
            whole = []
        _put_item(whole, path[index:], value)
        _put(found, outer, whole)
    return found


def _put(values: Values, path: Path, value: t.Any) -> None:
    for step in path[:-1]:
        inner = values.get(step)
        if not isinstance(inner, dict):
            inner = values[step] = {}
        values = inner
    values[path[-1]] = value


def _put_item(items: t.Any, path: Path, value: t.Any) -> None:
    """Change an item of a list; lists are filled up with null, and null takes a key of a map away, as Helm does."""
    for n, step in enumerate(path):
        last = n == len(path) - 1
        empty: t.Any = None if last else [] if isinstance(path[n + 1], int) else {}
        if isinstance(step, int):
            while len(items) <= step:
                items.append(None)
            if last:
                items[step] = value
            elif not isinstance(items[step], (dict, list)):
                items[step] = empty
        elif last and value is None:
            items.pop(step, None)
        elif last:
            items[step] = value
        elif not isinstance(items.get(step), (dict, list)):
            items[step] = empty
        if last:
            return
        items = items[step]
        if isinstance(items, dict) != isinstance(path[n + 1], str):
            raise SetError(
                f"{_shown(path)} names an item of something other than a list, or a key of something other than a map"
            )
