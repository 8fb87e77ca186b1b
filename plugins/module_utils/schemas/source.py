# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A chart's values.schema.json made into a validator, as Helm 3.19 compiles it, without any network.

Helm fetches remote `$ref`s; here they accept anything and are reported, so that a check neither waits for nor trusts
a web server.
"""

from __future__ import annotations

import functools
import json
import re
import typing as t
from urllib.parse import urldefrag, urljoin

try:
    import jsonschema
    from jsonschema_specifications import REGISTRY
except ImportError as exc:  # pragma: no cover - reported by the modules
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None


# Helm's compiler (santhosh-tekuri/jsonschema v6) takes the newest draft where $schema is absent, and checks formats
# only up to draft 7.
FORMAT_DRAFTS = ("draft-04", "draft-06", "draft-07")
NEWEST = "2020-12"
METASCHEMAS = ("http://json-schema.org/", "https://json-schema.org/")  # known to jsonschema itself
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
# Classes, quoting, groups and flags of Go's regular expressions (regexp/syntax) that Python reads otherwise or refuses.
GO_ONLY = re.compile(r"\\[pPzQEC]|\(\?<[A-Za-z_]|\(\?[a-z]*U|\[\[:")
# Keywords that hold values, not schemas.
DATA = ("const", "enum", "default", "examples")
DRAFTS = {
    "draft-04": "Draft4Validator",
    "draft-06": "Draft6Validator",
    "draft-07": "Draft7Validator",
    "2019-09": "Draft201909Validator",
    "2020-12": "Draft202012Validator",
}


class SchemaError(Exception):
    """The schema itself is broken; Helm refuses the chart too."""


@functools.lru_cache(maxsize=64)
def compile_schema(text: str) -> tuple[t.Any, t.Any, tuple[str, ...]]:
    """Return (validator, schema, remote references taken as anything) of a schema's text; raise SchemaError."""
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SchemaError(f"values.schema.json is not JSON: {exc}") from exc
    if not isinstance(schema, (dict, bool)):
        raise SchemaError("values.schema.json is neither an object nor a boolean")
    draft = _draft(schema)
    try:
        schema, remote = _without_remote(schema, draft)
    except RecursionError as exc:
        raise SchemaError("values.schema.json is nested too deep") from exc
    except ValueError as exc:
        raise SchemaError(f"values.schema.json holds a broken address: {exc}") from exc
    cls = getattr(jsonschema, DRAFTS[draft])
    checker = cls.FORMAT_CHECKER if draft in FORMAT_DRAFTS else None
    # A registry of the metaschemas alone: by default, a reference that was overlooked would be fetched.
    return cls(schema, format_checker=checker, registry=REGISTRY), schema, tuple(sorted(remote))


def explain_broken(schema: t.Any, problem: Exception) -> str:
    """Return why a schema could not be evaluated, as its metaschema says it."""
    try:
        getattr(jsonschema, DRAFTS[_draft(schema)]).check_schema(schema)
    except jsonschema.exceptions.SchemaError as exc:
        return f"{exc.message[:200]} at {'/'.join(str(part) for part in exc.absolute_path) or 'its top'}"
    return f"{type(problem).__name__}: {str(problem)[:200]}"


def resolve(schema: t.Any, root: t.Any) -> t.Any:
    """Return what a local `$ref` points to, else the schema itself; {} where it leads nowhere."""
    for _hop in range(20):
        ref = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(ref, str) or not ref.startswith("#"):
            return schema
        target: t.Any = root
        for part in ref[1:].split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, dict) else None
        schema = {} if target is None else target
    return {}


def _draft(schema: t.Any) -> str:
    name = schema.get("$schema") if isinstance(schema, dict) else None
    if not isinstance(name, str):
        return NEWEST
    for draft in DRAFTS:
        if f"/{draft}/" in name:
            return draft
    return NEWEST


def _without_remote(schema: t.Any, draft: str) -> tuple[t.Any, set[str]]:
    bases = {""}
    _collect_ids(schema, "", bases)
    remote: set[str] = set()
    whole = draft in FORMAT_DRAFTS  # up to draft 7, what stands beside $ref does not count
    return _replace(schema, "", bases, remote, whole), remote


def _id_of(node: dict[str, t.Any]) -> str:
    found = node.get("$id", node.get("id"))
    return found if isinstance(found, str) and not found.startswith("#") else ""


def _collect_ids(node: t.Any, base: str, bases: set[str]) -> None:
    if isinstance(node, dict):
        base = urldefrag(urljoin(base, _id_of(node)))[0]
        bases.add(base)
        for inner in node.values():
            _collect_ids(inner, base, bases)
    elif isinstance(node, list):
        for inner in node:
            _collect_ids(inner, base, bases)


def _replace(node: t.Any, base: str, bases: set[str], remote: set[str], whole: bool) -> t.Any:
    if isinstance(node, list):
        return [_replace(inner, base, bases, remote, whole) for inner in node]
    if not isinstance(node, dict):
        return node
    base = urldefrag(urljoin(base, _id_of(node)))[0]
    for keyword in REFERENCES:
        ref = node.get(keyword)
        target = urldefrag(urljoin(base, ref))[0] if isinstance(ref, str) else base
        if isinstance(ref, str) and target not in bases and not target.startswith(METASCHEMAS):
            remote.add(ref)
            if whole:
                return {}
            node = {key: inner for key, inner in node.items() if key != keyword}
    node = _without_foreign_patterns(node)
    kept = {key: node[key] for key in DATA if key in node}
    return {**{key: _replace(inner, base, bases, remote, whole) for key, inner in node.items()}, **kept}


def _without_foreign_patterns(node: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a schema without the patterns that Go knows and Python does not; Helm still checks them."""
    pattern = node.get("pattern")
    if isinstance(pattern, str) and GO_ONLY.search(pattern):
        node = {key: inner for key, inner in node.items() if key != "pattern"}
    patterns = node.get("patternProperties")
    if isinstance(patterns, dict) and any(GO_ONLY.search(key) for key in patterns):
        closing = ("additionalProperties", "unevaluatedProperties")
        node = {key: inner for key, inner in node.items() if key not in closing}
        node["patternProperties"] = {key: inner for key, inner in patterns.items() if not GO_ONLY.search(key)}
    return node
