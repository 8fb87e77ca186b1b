# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""jsonschema's errors made into sentences: what is wrong at a path, and what to write instead."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ..base.findings import Path, show_value
from ..base.suggest import nearest
from .yaml11 import scalar

KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "a map",
    "string": "a string",
}

# Rules that a person understands with the schema's own figure behind them.
LIMITS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "minProperties": "must have at least {} keys",
    "maxProperties": "must have at most {} keys",
    "pattern": "must match the pattern {}",
    "format": "must be of the format {}",
    "const": "must be {}",
}


@dataclasses.dataclass(frozen=True)
class Violation:
    """One rule that one value breaks.

    says: what the schema says; siblings: the keys that are known beside an unknown one (rule unknown-key).
    """

    path: Path
    rule: str
    message: str
    hint: str
    says: str
    siblings: tuple[str, ...] = ()


def violations(errors: t.Iterable[t.Any]) -> list[Violation]:
    """Return every broken rule of jsonschema's errors, each once, in the order of the errors."""
    found: dict[tuple[Path, str, str], Violation] = {}
    for error in errors:
        for violation in _explain(error):
            found.setdefault((violation.path, violation.rule, violation.message), violation)
    return list(found.values())


def _explain(error: t.Any) -> list[Violation]:
    path: Path = tuple(error.absolute_path)
    rule = error.validator
    if rule in ("anyOf", "oneOf") and error.context:
        return _alternatives(error, path)
    if rule in ("additionalProperties", "unevaluatedProperties") and isinstance(error.instance, dict):
        return _unknown_keys(error, path)
    if rule == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [Violation((*path, key), "missing-key", "is missing", "give it a value", "required") for key in missing]
    if rule == "type":
        return [_wrong_type(path, error.instance, error.validator_value)]
    if rule == "enum":
        return [_not_a_choice(path, error.instance, error.validator_value)]
    if rule in LIMITS:
        says = f"{rule} {json.dumps(error.validator_value, ensure_ascii=False)}"
        text = LIMITS[rule].format(json.dumps(error.validator_value, ensure_ascii=False))
        return [Violation(path, "schema", f"{text}, not {show_value(error.instance, path)}", "", says)]
    if rule is None:
        return [Violation(path, "schema", "no value is allowed here", "remove it", "false")]
    message = f"{show_value(error.instance, path)} violates the schema's rule {rule}"
    return [Violation(path, "schema", message, "", f"{rule} {_short(error.validator_value)}")]


def _alternatives(error: t.Any, path: Path) -> list[Violation]:
    """Explain the alternative that the value comes nearest to; where none is of its kind, name the kinds."""
    branches: dict[t.Any, list[t.Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    wanted = {at: [one for one in found if one.validator == "type" and not one.path] for at, found in branches.items()}
    fitting = sorted((branch for place, branch in branches.items() if not wanted[place]), key=len)
    if fitting:
        return violations(fitting[0])
    kinds = [kind for found in wanted.values() for one in found for kind in _listed(one.validator_value)]
    return [_wrong_type(path, error.instance, list(dict.fromkeys(kinds)))]


def _unknown_keys(error: t.Any, path: Path) -> list[Violation]:
    declared = error.schema.get("properties") or {}
    patterns = list(error.schema.get("patternProperties") or {})
    extras = [key for key in error.instance if key not in declared and not any(re.search(one, key) for one in patterns)]
    return [Violation((*path, key), "unknown-key", "unknown key", "", "no such key", tuple(declared)) for key in extras]


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _wrong_type(path: Path, value: t.Any, wanted: str | list[str]) -> Violation:
    kinds = _listed(wanted)
    names = " or ".join(KINDS.get(kind, kind) for kind in kinds)
    found = "null" if value is None else f"{_kind(value)}{show_value(value, path)}"
    hint = _type_hint(value, kinds, path)
    return Violation(path, "wrong-type", f"must be {names}, not {found}", hint, f"type {' or '.join(kinds)}")


def _kind(value: t.Any) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, (int, float)):
        return "the number "
    return "the string " if isinstance(value, str) else ""


def _type_hint(value: t.Any, kinds: list[str], path: Path) -> str:
    if value is None:
        return "give it a value, or remove the key"
    meant = scalar(value) if isinstance(value, str) else None
    if isinstance(meant, bool) and "boolean" in kinds:
        return f"write {str(meant).lower()} without quotes"
    if isinstance(meant, (int, float)) and not isinstance(meant, bool) and {"integer", "number"} & set(kinds):
        return "write it without quotes"
    if "string" in kinds and isinstance(value, (bool, int, float)):
        return (
            f"put it in quotes: {json.dumps(json.dumps(value))}"
            if show_value(value, path) != "(hidden)"
            else "quote it"
        )
    if "array" in kinds and not isinstance(value, list):
        return 'write a list: each entry on a line of its own after "- "'
    if "object" in kinds and not isinstance(value, dict):
        return "write a map: KEY: VALUE lines, indented below the key"
    return f"write {' or '.join(KINDS.get(kind, kind) for kind in kinds)}"


def _not_a_choice(path: Path, value: t.Any, choices: list[t.Any]) -> Violation:
    shown = ", ".join(json.dumps(choice, ensure_ascii=False) for choice in choices[:20])
    near = nearest(value, [choice for choice in choices if isinstance(choice, str)]) if isinstance(value, str) else None
    hint = f"did you mean {json.dumps(near)}?" if near else "choose one of them"
    message = f"must be one of {shown}, not {show_value(value, path)}"
    return Violation(path, "not-a-choice", message, hint, f"enum {_short(choices)}")


def _short(value: t.Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 100 else text[:97] + "..."
