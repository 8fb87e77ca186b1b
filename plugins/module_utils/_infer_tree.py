# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Keys that values.yaml shows and paths that templates read, joined into JSON schemas, node by node."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils import _template_reads as reads
from ansible_collections.llm_d.orchestrator.plugins.module_utils._known_values import Known
from ansible_collections.llm_d.orchestrator.plugins.module_utils._template_reads import ReadNode
from ansible_collections.llm_d.orchestrator.plugins.module_utils._template_values import ITEM

Schema = dict[str, t.Any]

LOOPS = {reads.RANGE, reads.RANGE_MAP, reads.DYNAMIC}
# The template itself copes with more than one type, or hands the value on to be run.
ANY_TYPE = {reads.TYPE, reads.TPL}
# Numbers by name: a default that is a number may else stand for 50%, 30s, a named port or a tag.
NUMBER_NAME = re.compile(r"(replicas|replicacount|seconds|threshold|number|weight|historylimit)$", re.IGNORECASE)
NUMERIC_TEXT = r"^\s*[-+]?[0-9]|\{\{|^\s*$"
SCALAR = ["string", "number", "boolean", "null"]
# Schemas of public charts have below 3 000 nodes; entries that are read at every level would multiply.
MAX_NODES = 20_000
MAPS = {"map", "empty map"}
LISTS = {"list", "empty list"}


def empty_schema() -> Schema:
    """Return the schema that allows everything."""
    return {}


def _kinds(known: Known | None) -> set[str]:
    return known.kinds - {"null"} if known is not None else set()


def _typed(types: list[str], uses: set[str]) -> Schema:
    return {} if uses & ANY_TYPE else {"type": [*types, "null"]}


def _free(known: Known | None, uses: set[str]) -> Schema:
    """A value that is taken over as it is."""
    kinds = _kinds(known)
    if reads.TEXT in uses or not kinds or not kinds <= MAPS | LISTS:
        return {}
    if kinds & {"empty map", "empty list"} or len(kinds) > 1:
        return _typed(["object", "array"], uses)
    return _typed(["object" if kinds == {"map"} else "array"], uses)


def _leaf(known: Known | None, read: ReadNode, uses: set[str], name: str) -> Schema:
    kinds = _kinds(known) | {_constant_kind(value) for value in read.defaults}
    if uses & ANY_TYPE or not kinds or kinds & (MAPS | LISTS):
        return {}
    shown = uses & {reads.TEXT, reads.NUMBER, reads.COMPARE}
    if kinds == {"boolean"} and not shown:
        return {"type": ["boolean", "null"]}
    if kinds == {"number"} and (reads.NUMBER in uses or NUMBER_NAME.search(name)):
        return {"type": ["number", "string", "null"], "pattern": NUMERIC_TEXT}
    if shown or kinds == {"text"}:
        return {"type": list(SCALAR)}
    return {}


def _constant_kind(value: t.Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if value else "empty text"


def _joined(left: ReadNode | None, right: ReadNode | None) -> ReadNode | None:
    """Return what both read of one value."""
    if left is None or right is None:
        return left or right
    made = ReadNode(dict(left.children), {**right.uses, **left.uses}, {**left.compared, **right.compared})
    made.defaults = {**left.defaults, **right.defaults}
    made.message = left.message or right.message
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
        self.left -= 1
        schema = self.body(known, read, name)
        place = (read.place() if read is not None else None) or (known.source if known is not None else None)
        if place is not None and place[1]:
            schema["x-source"] = f"{place[0]}:{place[1]}"
        if read is None:
            schema["x-unread"] = True
            return schema
        if read.message:
            schema["x-required"] = read.message
        values = [value for value in read.compared if isinstance(value, str)]
        if values:
            schema["x-values"] = values
        return schema

    def body(self, known: Known | None, read: ReadNode | None, name: str) -> Schema:
        if read is None or self.left < 0:
            return {}
        uses = set(read.uses)
        if reads.FREE in uses:
            return _free(known, uses)
        if uses & LOOPS or ITEM in read.children:
            return self.loop(known, read, uses)
        if read.children:
            return self.map(known, read, uses)
        return _leaf(known, read, uses, name)

    def loop(self, known: Known | None, read: ReadNode, uses: set[str]) -> Schema:
        """A list or map whose entries are all read alike."""
        kinds = _kinds(known)
        named = dict(read.children)
        item_read = named.pop(ITEM, None)
        item_known = Known()
        for child in known.children.values() if known is not None else ():
            item_known.merge(child)
        item = self.build(item_known, item_read or ReadNode())
        schema: Schema = {}
        if kinds != {"map"}:
            schema["items"] = item
        if kinds != {"list"}:
            schema["additionalProperties"] = item
        children = known.children if known is not None else {}
        names = [name for name in dict.fromkeys([*children, *named]) if name != ITEM]
        if names:
            schema["properties"] = {
                name: self.build(children.get(name), _joined(named.get(name), item_read), name) for name in names
            }
        other = uses & {reads.TEXT, reads.NUMBER, *ANY_TYPE}
        if other or not kinds or not kinds <= MAPS | LISTS:
            return schema
        if kinds == {"map"} or kinds == {"list"}:
            return {**schema, "type": ["object" if kinds == {"map"} else "array", "null"]}
        return {**schema, "type": ["object", "array", "null"]}

    def map(self, known: Known | None, read: ReadNode, uses: set[str]) -> Schema:
        """A map whose keys are read by name: no other key has any effect."""
        kinds = _kinds(known)
        children = known.children if known is not None else {}
        names = [name for name in dict.fromkeys([*children, *read.children]) if name != ITEM]
        schema: Schema = {
            "properties": {name: self.build(children.get(name), read.children.get(name), name) for name in names},
            "additionalProperties": False,
        }
        other = uses & {reads.TEXT, reads.NUMBER, *ANY_TYPE}
        return schema if other or not kinds or not kinds <= MAPS else {**schema, "type": ["object", "null"]}
