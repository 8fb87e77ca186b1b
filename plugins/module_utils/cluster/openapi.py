# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The API server's own schemas (OpenAPI v3), and what of an object they do not take.

They are asked for only where the server cannot be asked itself, or does not say which field it means. A document is
kept on disk by the hash that its address carries, so that it is fetched once for each release of its definitions.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import typing as t

from ..base.data import Object, dig, kind, mapping
from ..base.files import scratch_folder
from ..base.quantities import parse
from ..base.suggest import LIKE, NEAR, nearest
from .refusals import INVALID, UNKNOWN, UNREADABLE, Objection, Path, shown

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    FAILURES: tuple[type[Exception], ...] = (Exception,)
else:
    FAILURES = (ApiException, urllib3.exceptions.HTTPError, ValueError)

if t.TYPE_CHECKING:
    from .client import Cluster

ROOT = "/openapi/v3"
TIMEOUT = 20
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_KINDS = "x-kubernetes-group-version-kind"
_KEEPS = "x-kubernetes-preserve-unknown-fields"
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "object": ((dict,), "a map"),
    "array": ((list,), "a list"),
    "string": ((str,), "a string"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
}


class Schemas:
    """The schemas of one cluster's kinds."""

    def __init__(self, cluster: Cluster, folder: str = "") -> None:
        """folder: keeps documents; by default that of this collection's cache."""
        self.cluster = cluster
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self.folder = folder or scratch_folder(os.path.join(cache, "llm-d-orchestrator", "openapi"), "openapi")
        self._index: dict[str, str] | None = None
        self._documents: dict[str, Object] = {}

    def problems(self, item: Object) -> list[Objection]:
        """Return what the schema of an object's kind does not take, [] where there is none."""
        document = self._document(str(item["apiVersion"]))
        schema = kind_schema(document, str(item["apiVersion"]), str(item["kind"]))
        return list(problems(item, schema, document)) if schema else []

    def guess(self, item: Object, path: Path) -> str:
        """Return what an unknown field was probably meant to be, as a sentence, "" where nothing is like it."""
        document = self._document(str(item["apiVersion"]))
        schema = kind_schema(document, str(item["apiVersion"]), str(item["kind"]))
        return guessed(path, schema, document) if schema else ""

    def _document(self, api_version: str) -> Object:
        name = ("apis/" if "/" in api_version else "api/") + api_version
        try:
            if self._index is None:
                paths = mapping(self._get(ROOT).get("paths"))
                self._index = {key: str(mapping(row).get("serverRelativeURL")) for key, row in paths.items()}
            if name not in self._documents:
                self._documents[name] = self._kept(name, self._index[name]) if name in self._index else {}
        except FAILURES:
            return self._documents.setdefault(name, {})  # it may not be read: nothing is known
        return self._documents[name]

    def _kept(self, name: str, url: str) -> Object:
        """Return a document from disk, or from the server, and keep it where it can be kept."""
        found = re.search(r"hash=(\w+)", url)
        file = os.path.join(self.folder, f"{name.replace('/', '-')}-{found[1]}.json") if found else ""
        # Not kept yet, or cut off: the server has it.
        with contextlib.suppress(OSError, ValueError), open(file, encoding="utf-8") as stream:
            return json.load(stream)
        document = self._get(url)
        if file:
            _keep(file, document)
        return document

    def _get(self, path: str) -> Object:
        reply = self.cluster.client.request(
            "get", path, serialize=False, header_params={"Accept": "application/json"}, _request_timeout=TIMEOUT
        )
        return json.loads(reply.data)


def _keep(file: str, document: Object) -> None:
    """Write a document whole or not at all; a folder that cannot be written keeps nothing."""
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=os.path.dirname(file), delete=False, encoding="utf-8") as stream:
            json.dump(document, stream)
        os.replace(stream.name, file)
    except OSError:
        return


def kind_schema(document: Object, api_version: str, name: str) -> Object | None:
    """Return the schema of a kind, None where the document has none."""
    group, _slash, version = api_version.rpartition("/")
    wanted = {"group": group, "version": version, "kind": name}
    schemas = mapping(mapping(document.get("components")).get("schemas"))
    return next((schema for schema in schemas.values() if wanted in (schema.get(_KINDS) or ())), None)


def _resolved(schema: t.Any, document: Object) -> tuple[Object, str]:
    """Return a schema with its reference followed, and the name that it has there."""
    name = ""
    for _step in range(20):
        inner = schema.get("allOf")
        ref = schema.get("$ref") or (inner[0].get("$ref") if isinstance(inner, list) and len(inner) == 1 else None)
        if not ref:
            return schema, name
        name = str(ref).rpartition("/")[2]
        schema = mapping(dig(document, ("components", "schemas", name)))
    return {}, name


def problems(value: t.Any, schema: Object, document: Object, path: Path = ()) -> t.Iterator[Objection]:
    """Yield what a schema does not take of a value; what it does not say is taken."""
    schema, name = _resolved(schema, document)
    if value is None:
        return
    if name == QUANTITY:
        if parse(value) is None or str(value) != str(value).strip():
            yield Objection(path, UNREADABLE, f"{value!r} is not a valid quantity such as 500m, 8 or 16Gi")
        return
    if schema.get("x-kubernetes-int-or-string") or schema.get("format") == "int-or-string":
        wanted = (not isinstance(value, bool) and isinstance(value, (int, str)), "a whole number or a string")
    else:
        types, words = _TYPES.get(str(schema.get("type")), ((object,), ""))
        wanted = (isinstance(value, types) and (not isinstance(value, bool) or types in ((bool,), (object,))), words)
    if not wanted[0]:
        yield Objection(path, UNREADABLE, f"must be {wanted[1]}, not {_told(value)}")
    elif isinstance(value, dict):
        yield from _fields(value, schema, document, path)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from problems(inner, mapping(schema.get("items")), document, (*path, index))
    else:
        yield from _limits(value, schema, path)


def _fields(value: Object, schema: Object, document: Object, path: Path) -> t.Iterator[Objection]:
    known, others = mapping(schema.get("properties")), schema.get("additionalProperties")
    closed = bool(known) and not others and not schema.get(_KEEPS)
    for key, inner in value.items():
        if key in known:
            yield from problems(inner, known[key], document, (*path, key))
        elif isinstance(others, dict):
            yield from problems(inner, others, document, (*path, key))
        elif closed and not (path == () and key in ("apiVersion", "kind", "metadata")):
            yield Objection((*path, key), UNKNOWN, "is not known to the API server")
    for key in schema.get("required") or ():
        if value.get(key) is None:
            yield Objection((*path, key), INVALID, "Required value")


def _limits(value: t.Any, schema: Object, path: Path) -> t.Iterator[Objection]:
    if schema.get("enum") and value not in schema["enum"] and value != "":
        named = ", ".join(map(str, schema["enum"]))
        yield Objection(path, INVALID, f"{value!r} is not one of {named}")
    if isinstance(value, str) and schema.get("pattern") and not _matches(schema["pattern"], value):
        yield Objection(path, INVALID, f"{value!r} does not match {schema['pattern']}")
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        yield Objection(path, INVALID, f"{value} is less than {least}")
    if most is not None and value > most:
        yield Objection(path, INVALID, f"{value} is more than {most}")


def _matches(pattern: str, value: str) -> bool:
    """Return whether a text matches a pattern of Go's; True for one that Python does not read."""
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def _told(value: t.Any) -> str:
    return f"a {kind(value)}" if isinstance(value, (dict, list)) else f"{value!r}"[:60]


def guessed(path: Path, schema: Object, document: Object) -> str:
    """Return where an unknown field belongs, or which known one it is like, "" where neither is found.

    A field of that name further up, or one step aside from there, is most often the one: what was indented wrongly.
    """
    levels = [schema]
    for step in path[:-1]:
        inner, _name = _resolved(levels[-1], document)
        below = inner.get("items") if isinstance(step, int) else mapping(inner.get("properties")).get(step)
        levels.append(mapping(below) or mapping(inner.get("additionalProperties")))
    key, tables = str(path[-1]), [mapping(_resolved(level, document)[0].get("properties")) for level in levels]
    near = nearest(key, tables[-1], LIKE)
    if near and nearest(key, tables[-1], NEAR):
        return f" Did you mean {near}?"
    for depth in range(len(tables) - 2, 0, -1):
        if isinstance(path[depth], int):
            continue
        if key in tables[depth]:
            return f" Move it to {shown(path[:depth])}."
        for name, inner in tables[depth].items():
            if key in mapping(_resolved(mapping(inner), document)[0].get("properties")):
                return f" Move it to {shown((*path[:depth], name))}."
    return f" Did you mean {near}?" if near else ""
