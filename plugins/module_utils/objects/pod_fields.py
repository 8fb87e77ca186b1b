# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Fields of a pod's specification that Kubernetes does not know, or that hold a value of another type.

The names and types are those of the Kubernetes client's own models. A cluster may be newer than the client, so only
what is very like a known field is taken for misspelt.
"""

from __future__ import annotations

import re
import typing as t

from ..base.suggest import nearest

try:
    from kubernetes.client import models
except ImportError:  # without the client nothing is said
    models = None  # type: ignore[assignment]
else:
    # Newer clients load the hundred models of a pod when they are first asked for, which takes 0.13 s. With this module
    # they are loaded in Ansible's main process, once for all hosts.
    getattr(models, "V1PodSpec", None)


Path = tuple[t.Any, ...]


# Share of equal letters from which an unknown field is taken for a known one.
CLOSE = 0.7


_LIST = re.compile(r"[Ll]ist\[(\w+)\]\Z")


_PLAIN = {"str": (str, "text"), "int": (int, "a whole number"), "bool": (bool, "true or false")}


def field_problems(spec: t.Any, kind: str = "V1PodSpec") -> list[tuple[Path, str]]:
    """Return (path, what is wrong) of each mistake in an object of the client's model `kind`; [] without the client."""
    return list(_walk(spec, kind, ())) if models is not None else []


def _walk(value: t.Any, kind: str, path: Path) -> t.Iterator[tuple[Path, str]]:
    inner = _LIST.match(kind)
    model = getattr(models, kind, None)
    if value is None:
        return
    if inner:
        if not isinstance(value, list):
            yield path, f"is {_shown(value)}, a list is needed"
            return
        for index, item in enumerate(value):
            yield from _walk(item, inner[1], (*path, index))
    elif model is not None and hasattr(model, "attribute_map"):
        yield from _fields(value, model, path)
    elif kind in _PLAIN:
        wanted, name = _PLAIN[kind]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool"):
            yield path, f"is {_shown(value)}, {name} is needed"


def _fields(value: t.Any, model: t.Any, path: Path) -> t.Iterator[tuple[Path, str]]:
    if not isinstance(value, dict):
        yield path, f"is {_shown(value)}, a map is needed"
        return
    types = {name: model.openapi_types[field] for field, name in model.attribute_map.items()}
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
