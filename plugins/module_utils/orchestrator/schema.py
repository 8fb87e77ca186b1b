# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The JSON schema of orchestrator.yaml, made from the table of its keys, and what it says of a configuration."""

from __future__ import annotations

import functools
import typing as t

from ..base.data import mapping
from ..base.findings import Path, show_path, show_value
from ..base.suggest import index_schema, suggest
from ..values.violations import Violation, violations
from .keys import KEYS, OPTIONAL, Key, key_at, steps

try:
    import jsonschema
except ImportError:  # pragma: no cover - reported by the modules
    jsonschema = None  # type: ignore[assignment]

DRAFT = "http://json-schema.org/draft-07/schema#"
UNKNOWN, TYPE, CHOICE, FORM, LIMIT, MISSING = (f"LLMD9{number}" for number in range(10, 16))
_RULES = {"unknown-key": UNKNOWN, "wrong-type": TYPE, "not-a-choice": CHOICE, "missing-key": MISSING}


class Mistake(t.NamedTuple):
    """What is wrong at a path, what to write instead, and the rule's id; meant: the key that was meant."""

    path: Path
    message: str
    hint: str
    rule: str
    meant: str = ""


@functools.lru_cache(maxsize=1)
def schema() -> dict[str, t.Any]:
    """Return the schema: every section closed, every key with what it is for and its default."""
    root = _section()
    root.update({"$schema": DRAFT, "title": "orchestrator.yaml of LLM-Orchestrator"})
    for key in KEYS:
        *sections, last = steps(key.path)
        node = root
        for name in sections:
            node = node["properties"].setdefault(name, _section())
        if last == "*":
            del node["properties"]
            node["additionalProperties"] = _leaf(key)
        else:
            node["properties"][last] = _leaf(key)
    for path in OPTIONAL:
        group, name = steps(path)
        root["properties"][group]["properties"][name]["required"] = ["endpoint"]
    return root


def _section() -> dict[str, t.Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _leaf(key: Key) -> dict[str, t.Any]:
    default = {} if key.default is None else {"default": key.default}
    return {**key.kind.schema, "description": key.says, **default}


def mistakes(config: t.Any) -> list[Mistake]:
    """Return all that the schema says of a configuration, in the order of its keys."""
    found = violations(_validator().iter_errors(config))
    order = {key.path: number for number, key in enumerate(KEYS)}
    told = [_told(config, one) for one in found]
    return sorted(told, key=lambda one: (order.get(".".join(map(str, one.path)), len(order)), str(one.path)))


@functools.lru_cache(maxsize=1)
def _validator() -> t.Any:
    return jsonschema.Draft7Validator(schema())


def _told(config: t.Any, one: Violation) -> Mistake:
    key, rule = key_at(one.path), _RULES.get(one.rule)
    if rule == UNKNOWN:
        return _unknown(one)
    if rule == MISSING and key:
        return Mistake(one.path, one.message, f"use {key.kind.says}, for example {key.kind.example}", rule)
    value = functools.reduce(lambda node, step: mapping(node).get(step), one.path, config)
    if rule == TYPE and key and key.kind.schema["type"] == "string" and isinstance(value, (bool, int, float)):
        # A number where a time or a size is meant: quotes alone would not do.
        return Mistake(one.path, one.message, f"use {key.kind.says}, for example {key.kind.example}", rule)
    if rule:
        return Mistake(one.path, one.message, one.hint, rule)
    if one.says.startswith("pattern") and key:
        return Mistake(
            one.path,
            f"{show_value(value, one.path)} is not {key.kind.says}",
            f"use {key.kind.says}, for example {key.kind.example}",
            FORM,
        )
    return Mistake(one.path, one.message, f"use {key.kind.says}" if key else one.hint, LIMIT)


def _unknown(one: Violation) -> Mistake:
    near = suggest(one.path, one.siblings, _index())
    if near:
        # "the same key, at another level" stands behind the path.
        return Mistake(one.path, "unknown key", f"did you mean {near}?", UNKNOWN, near.partition(" ")[0])
    known = ", ".join(one.siblings) or "none"
    around = show_path(one.path[:-1])
    return Mistake(one.path, "unknown key", f"remove it; keys of {around or 'the file'} are: {known}", UNKNOWN)


@functools.lru_cache(maxsize=1)
def _index() -> dict[str, list[Path]]:
    return index_schema(schema(), {})
