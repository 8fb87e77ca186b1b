# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Fields of a pod's specification that Kubernetes does not know, or that hold a value of another type.

A cluster may be newer than the names that are known here, so only what is very like a known field is taken for
misspelt.
"""

from __future__ import annotations

import re
import typing as t

from ..base.suggest import nearest
from .pod_models import MODELS

Path = tuple[t.Any, ...]
# Share of equal letters from which an unknown field is taken for a known one.
CLOSE = 0.7
_LIST = re.compile(r"[Ll]ist\[(\w+)\]\Z")
_PLAIN = {"str": (str, "text"), "int": (int, "a whole number"), "bool": (bool, "true or false")}


def field_problems(spec: t.Any, kind: str = "V1PodSpec") -> list[tuple[Path, str]]:
    """Return (path, what is wrong) of each mistake in an object of a model."""
    return list(_walk(spec, kind, ()))


def _walk(value: t.Any, kind: str, path: Path) -> t.Iterator[tuple[Path, str]]:
    inner = _LIST.match(kind)
    if value is None:
        return
    if inner:
        if not isinstance(value, list):
            yield path, f"is {_shown(value)}, a list is needed"
            return
        for index, item in enumerate(value):
            yield from _walk(item, inner[1], (*path, index))
    elif kind in MODELS:
        yield from _fields(value, MODELS[kind], path)
    elif kind in _PLAIN:
        wanted, name = _PLAIN[kind]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool"):
            yield path, f"is {_shown(value)}, {name} is needed"


def _fields(value: t.Any, types: dict[str, str], path: Path) -> t.Iterator[tuple[Path, str]]:
    if not isinstance(value, dict):
        yield path, f"is {_shown(value)}, a map is needed"
        return
    for key, inner in value.items():
        near = None if key in types else nearest(str(key), [name for name in types if name not in value], CLOSE)
        if key in types:
            yield from _walk(inner, types[key], (*path, key))
        elif near:
            yield (*path, key), f"is not known to Kubernetes. Did you mean {near}?"


def _shown(value: t.Any) -> str:
    if isinstance(value, (dict, list)):
        return "a map" if isinstance(value, dict) else "a list"
    return f"{value!r}"[:60]
