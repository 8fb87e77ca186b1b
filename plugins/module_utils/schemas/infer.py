# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A JSON schema for the values of a chart that ships none, made of what its files say.

Keys: those of values.yaml (comments included) and those that templates read. A map is closed where all its readers
read keys by name, open where it is taken over as it is, where a key is not known before rendering, or where nothing
reads it (it may be read in a way that cannot be followed). Where templates cannot be followed at all, all is open.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import typing as t

from ..base.files import replace_file
from ..charts.files import ChartFiles
from ..templates import reads
from ..templates.origins import ITEM, Path
from ..templates.reads import ReadNode
from ..templates.walk import read_templates, user_paths
from .facts import apply_overlays
from .known_values import Commented, Known, kind_of, read_values

# Part of the cache's key: raise it whenever the same chart would give another schema.
VERSION = 6
# Characters of templates that are followed; the largest charts in use have a few millions.
MAX_TEMPLATES = 8 * 1024 * 1024
# Top-level keys that hold YAML anchors for the rest of a file.
ANCHORS = r"^(x-|_|\.)"


def infer_schema(chart: ChartFiles) -> Schema:
    """Return a draft-07 schema for a chart's values, its subcharts' below their names or aliases.

    Annotations: x-source "file:line" (the rule's origin), x-forbidden on a map ({key: {message, source}}), x-unread on
    a key of values.yaml that no template reads, beside others that are read by their names, and x-open at the top: why
    the schema names no unknown key, where templates cannot be followed.
    """
    if _size(chart) > MAX_TEMPLATES:
        return open_schema(f"its templates have more than {MAX_TEMPLATES} characters")
    found = read_templates(chart)
    known = Known(kinds={"map"}, live=True)
    for prefix, sub, folder in _tree(chart, (), ""):
        if not _add_chart(known, found.root, prefix, sub, folder):
            found.blind[f"{folder}values.yaml: cannot be read"] = None
    schema = {} if found.blind else build(known, found.root)
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "type": "object"}
    if found.blind:
        schema["x-open"] = list(found.blind)[:20]
    for prefix, sub, _folder in _tree(chart, (), ""):
        _open_helm_keys(schema, prefix, sub)
        apply_overlays(schema, sub.name, prefix)
    return schema


def open_schema(reason: str) -> Schema:
    """Return the schema of a chart whose templates cannot be followed: it allows everything."""
    return {"type": "object", "x-open": [reason]}


def allow_templated(schema: Schema, values: dict[str, t.Any]) -> Schema:
    """Return the schema with what the user's own values read: charts may run texts such as "{{ .Values.domain }}".

    The schema itself is not changed. A text below a subchart's name may mean that subchart's values.
    """
    allowed = schema
    for name, value in values.items():
        texts = "\n".join(text for text in _texts(value) if "{{" in text and ".Values" in text)
        for path in user_paths(texts) if texts else ():
            allowed = copy.deepcopy(schema) if allowed is schema else allowed
            _allow(allowed, path)
            _allow(allowed, (name, *path))
    return allowed


def _texts(value: t.Any) -> t.Iterator[str]:
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, str):
            yield here
        elif isinstance(here, (dict, list)):
            stack += list(here.values()) if isinstance(here, dict) else here


def _allow(schema: Schema, path: Path) -> None:
    """Let a path be given, where all but its last key may be."""
    node = schema
    for place, name in enumerate(path):
        properties = node.get("properties", {})
        if name not in properties:
            if node.get("additionalProperties") is False and place == len(path) - 1:
                properties[name] = {"x-source": "a template in the values"}
            return
        node = properties[name]


def cached_schema(chart: ChartFiles, digest: str, cache_dir: str) -> Schema:
    """Return infer_schema() of a chart, kept in a cache folder below the digest of the chart's files.

    A cache that cannot be read or written costs time only.
    """
    path = os.path.join(os.path.expanduser(cache_dir), "schemas", f"{digest}-{VERSION}.json")
    try:
        with open(path, encoding="utf-8") as stream:
            kept = json.load(stream)
        if isinstance(kept, dict):
            return kept
    except (OSError, ValueError):
        pass  # not there yet, or not whole: made anew below
    schema = infer_schema(chart)
    with contextlib.suppress(OSError):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace_file(path, json.dumps(schema).encode(), 0o600)
    return schema


def _size(chart: ChartFiles) -> int:
    own = sum(len(text) for text in chart.templates.values())
    return own + sum(_size(subchart) for subchart in chart.subcharts)


def _tree(chart: ChartFiles, prefix: Path, folder: str) -> t.Iterator[tuple[Path, ChartFiles, str]]:
    """Yield (path of its values, chart, its folder) of a chart's subcharts, then of itself."""
    for name, sub in chart.named_subcharts():
        yield from _tree(sub, (*prefix, name), f"{folder}charts/{sub.name}/")
    yield prefix, chart, folder


def _add_chart(known: Known, reads: ReadNode, prefix: Path, chart: ChartFiles, folder: str) -> bool:
    """Add what a chart's values.yaml shows below its prefix; False where it cannot be read."""
    read = read_values(chart.values, f"{folder}values.yaml")
    if read is None:
        return False
    own, comments = read
    place = known
    for name in prefix:
        place = place.child(name)
    place.merge(own)
    here = reads.at(prefix) or ReadNode()
    for comment in comments:
        for path in _places(comment, here):
            node = place
            for name in path:
                node = node.child(name)
            node.merge(comment.known)
    return True


def _places(comment: Commented, reads: ReadNode) -> tuple[Path, ...]:
    """Return where a commented-out key belongs: where templates read it, anywhere it may stand if nowhere."""
    read = tuple(path for path in comment.paths if reads.at(path) is not None)
    return read or comment.paths


def _open_helm_keys(schema: Schema, prefix: Path, chart: ChartFiles) -> None:
    """Allow what Helm itself reads or adds: globals, tags, conditions, and values of dependencies not packed."""
    node = schema
    for name in prefix:
        node = node.get("properties", {}).get(name, {})
    properties = node.get("properties", {})
    if node.get("additionalProperties") is False or "global" in properties:
        # What a chart without subcharts has there is its own; other keys are free, as globals are shared by habit.
        own = (
            {}
            if prefix or chart.subcharts or chart.dependencies
            else properties.get("global", {}).get("properties", {})
        )
        properties["global"] = {"x-source": "Helm", **({"properties": own} if own else {})}
    if node.get("additionalProperties") is not False:
        return
    if not prefix:
        node["patternProperties"] = {ANCHORS: {}}
    for name in chart.missing():
        properties[name] = {"x-source": "Chart.yaml"}
    for name, sub in chart.named_subcharts():
        inner = properties.setdefault(name, {"x-source": "Chart.yaml"})
        if sub.schema is not None:
            properties[name] = {"x-source": f"charts/{sub.name}/values.schema.json"}
        elif not sub.templates and not inner.get("properties"):
            properties[name] = {"x-source": "Chart.yaml"}
    for entry in chart.dependencies:
        _open_conditions(properties, entry)


def _open_conditions(properties: dict[str, t.Any], entry: dict[str, t.Any]) -> None:
    if entry.get("tags"):
        properties.setdefault("tags", {"x-source": "Chart.yaml"})
    for condition in str(entry.get("condition") or "").split(","):
        here = properties
        for name in condition.strip().split(".") if condition.strip() else ():
            inner = here.setdefault(name, {"x-source": "Chart.yaml"})
            if inner.get("additionalProperties") is not False:
                break
            here = inner["properties"]


Schema = dict[str, t.Any]
LOOPS = {reads.RANGE, reads.RANGE_MAP, reads.DYNAMIC}
# The template itself copes with more than one type, or hands the value on to be run.
ANY_TYPE = {reads.TYPE, reads.TPL}
PRINTED = {reads.TEXT, reads.NUMBER, *ANY_TYPE}
# Numbers by name: a default that is a number may else stand for 50%, 30s, a named port or a tag.
NUMBER_NAME = re.compile(r"(replicas|replicacount|seconds|threshold|number|weight|historylimit)$", re.IGNORECASE)
# Switches by name: any text, "false" too, would turn them on.
SWITCH_NAME = re.compile(r"(enabled?|create)$", re.IGNORECASE)
NUMERIC_TEXT = r"^\s*[-+]?[0-9]|\{\{|^\s*$"
SCALAR = ["string", "number", "boolean", "null"]
# Schemas of public charts have below 3 000 nodes; entries that are read at every level would multiply.
MAX_NODES = 20_000
MAPS = {"map", "empty map"}
LISTS = {"list", "empty list"}


def _typed(kinds: set[str], uses: set[str], allowed: set[str] = MAPS | LISTS) -> Schema:
    """Return the type of a map or list, {} for what may be more than that; an empty one may stand for either."""
    if uses or not kinds or not kinds <= allowed:
        return {}
    return {"type": [*({"map": ["object"], "list": ["array"]}.get("+".join(kinds)) or ["object", "array"]), "null"]}


def _leaf(known: Known, read: ReadNode, uses: set[str], name: str) -> Schema:
    kinds = known.kinds - {"null"} | {kind_of("" if value is None else value) for value in read.defaults}
    if uses & ANY_TYPE or not kinds or kinds & (MAPS | LISTS):
        return {}
    shown = uses & {reads.TEXT, reads.NUMBER, reads.COMPARE}
    switch = reads.CONDITION in uses and SWITCH_NAME.search(name)
    if kinds == {"boolean"} and (switch or not shown):
        return {"type": ["boolean", "null"]}
    if kinds == {"number"} and (reads.NUMBER in uses or NUMBER_NAME.search(name)):
        return {"type": ["number", "string", "null"], "pattern": NUMERIC_TEXT}
    if shown or kinds == {"text"}:
        return {"type": list(SCALAR)}
    return {}


def _joined(left: ReadNode | None, right: ReadNode | None) -> ReadNode | None:
    """Return what both read of one value."""
    if left is None or right is None:
        return left or right
    made = ReadNode(dict(left.children), {**right.uses, **left.uses}, {**left.defaults, **right.defaults})
    for name, child in right.children.items():
        made.children[name] = t.cast("ReadNode", _joined(made.children.get(name), child))
    return made


def build(known: Known | None, read: ReadNode | None) -> Schema:
    """Return the schema of values that values.yaml shows so and templates read so."""
    return _Builder().build(known, read)


class _Builder:
    """Builds one chart's schema; what would make it larger than MAX_NODES is left open."""

    def __init__(self) -> None:
        self.left = MAX_NODES

    def build(self, known: Known | None, read: ReadNode | None, name: str = "") -> Schema:
        """Return the schema of one key."""
        known = known or Known()
        self.left -= 1
        schema = self.body(known, read, name)
        place = (read.place() if read is not None else None) or known.source
        if place is not None and place[1]:
            schema["x-source"] = f"{place[0]}:{place[1]}"
        return schema

    def body(self, known: Known, read: ReadNode | None, name: str) -> Schema:
        if read is None and known.live and self.left >= 0 and name != "global":
            return {"x-unread": True}
        if read is None or self.left < 0:
            return {}
        uses = set(read.uses)
        if reads.FREE in uses:
            return _typed(known.kinds - {"null"}, uses & {reads.TEXT, *ANY_TYPE})
        if uses & LOOPS or ITEM in read.children:
            return self.loop(known, read, uses)
        if read.children:
            return self.map(known, read, uses)
        return _leaf(known, read, uses, name)

    def loop(self, known: Known, read: ReadNode, uses: set[str]) -> Schema:
        """A list or map whose entries are all read alike."""
        kinds = known.kinds - {"null"}
        named = dict(read.children)
        item_read = named.pop(ITEM, None)
        item_known = Known()
        for child in known.children.values():
            item_known.merge(child)
        item = self.build(item_known, item_read or ReadNode())
        schema: Schema = {}
        if kinds != {"map"}:
            schema["items"] = item
        if kinds != {"list"}:
            schema["additionalProperties"] = item
        names = [name for name in dict.fromkeys([*known.children, *named]) if name != ITEM]
        if names:
            schema["properties"] = {
                name: self.build(known.children.get(name), _joined(named.get(name), item_read), name) for name in names
            }
        return {**schema, **_typed(kinds, uses & PRINTED)}

    def map(self, known: Known, read: ReadNode, uses: set[str]) -> Schema:
        """A map whose keys are read by name: no other key has any effect."""
        names = [name for name in dict.fromkeys([*known.children, *read.children]) if name != ITEM]
        schema: Schema = {
            "properties": {name: self.build(known.children.get(name), read.children.get(name), name) for name in names},
            "additionalProperties": False,
        }
        kinds = known.kinds - {"null"}
        return schema if uses & PRINTED or not kinds or not kinds <= MAPS else {**schema, "type": ["object", "null"]}
