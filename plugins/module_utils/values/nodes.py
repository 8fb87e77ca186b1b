# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""YAML events made into nodes with their places, on an explicit stack: nothing recurses, all is bounded."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ..base.findings import Finding, Mark, short
from ..base.plain_yaml import LOADER
from .yaml11 import scalar

try:
    import yaml
except ImportError:  # pragma: no cover - reported by the modules
    yaml = None  # type: ignore[assignment]


MAX_NODES = 100_000
MAX_DEPTH = 100
TAG = "tag:yaml.org,2002:"
TEMPLATE_HINT = 'templates are not filled in here, and the braces must be quoted, as in "{{ name }}"'


@dataclasses.dataclass
class ValueNode:
    """A value with its place; value is a dict of nodes, a list of nodes or a plain scalar.

    size: values in all, aliases filled in; depth: levels below, itself included.
    """

    value: t.Any
    mark: Mark
    key_mark: Mark | None = None
    size: int = 1
    depth: int = 1


class Refused(Exception):
    """The file cannot be used at all; finding says why."""

    def __init__(self, mark: Mark, message: str, hint: str, rule: str) -> None:
        super().__init__(message)
        self.finding = Finding(mark, "", message, hint, rule)


class Builder:
    """Builds nodes from events, on an explicit stack."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.anchors: dict[str, ValueNode] = {}
        self.root: ValueNode | None = None
        self.stack: list[Open] = []

    def build(self, text: str) -> ValueNode:
        documents = 0
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    hint = "Helm reads only the first: put each document into its own file"
                    raise Refused(self.mark(event), "the file contains several YAML documents", hint, "yaml-documents")
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self.open(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self.close()
            elif isinstance(event, yaml.ScalarEvent):
                self.add(self.anchored(event, ValueNode(self.scalar(event), self.mark(event))))
            elif isinstance(event, yaml.AliasEvent):
                self.add(self.alias(event))
        return self.checked_root()

    def checked_root(self) -> ValueNode:
        if self.root is None or self.root.value is None:
            return ValueNode({}, Mark(self.file, 1, 1))
        if not isinstance(self.root.value, dict):
            kind = "a list" if isinstance(self.root.value, list) else "text or a number"
            hint = "write KEY: VALUE lines at the top level"
            raise Refused(self.root.mark, f"the file contains {kind}, not a map", hint, "yaml-map")
        return self.root

    def mark(self, event: t.Any) -> Mark:
        return Mark(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def report(self, mark: Mark, message: str, hint: str, rule: str) -> None:
        self.findings.append(Finding(mark, "", message, hint, rule))

    def open(self, event: t.Any) -> None:
        if self.stack and self.stack[-1].wants_key():
            raise Refused(self.mark(event), "a map or list is used as a key", TEMPLATE_HINT, "yaml-key")
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", TAG + ("map" if is_map else "seq")):
            self.unknown_tag(event)
        node = ValueNode({} if is_map else [], self.mark(event))
        self.check_depth(node)
        self.stack.append(Open(self.anchored(event, node)))

    def close(self) -> None:
        closed = self.stack.pop()
        for merged in closed.merges:
            for key, inner in merged.value.items():
                closed.node.value.setdefault(key, inner)
        self.add(closed.node)

    def anchored(self, event: t.Any, node: ValueNode) -> ValueNode:
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: t.Any) -> ValueNode:
        target = self.anchors.get(event.anchor)
        if target is None or any(entry.node is target for entry in self.stack):
            hint = 'define the anchor above, or quote text that begins with "*"'
            raise Refused(
                self.mark(event), f"the alias *{short(event.anchor)} has no anchor above it", hint, "yaml-alias"
            )
        return ValueNode(target.value, self.mark(event), size=target.size, depth=target.depth)

    def scalar(self, event: t.Any) -> t.Any:
        if event.tag in (None, "!"):
            value = scalar(event.value) if not event.style and event.tag is None else event.value
        elif event.tag in (TAG + "str", TAG + "timestamp"):
            value = event.value
        elif event.tag in (TAG + "int", TAG + "float", TAG + "bool", TAG + "null"):
            value = scalar(event.value)
            value = float(value) if event.tag == TAG + "float" and isinstance(value, int) else value
        else:
            self.unknown_tag(event)
            value = event.value
        if isinstance(value, float) and not math.isfinite(value):
            message = f"Helm does not accept {short(event.value)} as a number"
            self.report(self.mark(event), message, "use a finite number", "yaml-number")
        return value

    def unknown_tag(self, event: t.Any) -> None:
        hint = "remove it; put secret values into a Kubernetes Secret, and its name into the values"
        tag = "!!" + event.tag.removeprefix(TAG) if event.tag.startswith(TAG) else event.tag
        self.report(self.mark(event), f"Helm does not know the tag {short(tag)}", hint, "yaml-tag")

    def check_depth(self, node: ValueNode) -> None:
        if len(self.stack) + node.depth > MAX_DEPTH:
            raise Refused(node.mark, f"nested more than {MAX_DEPTH} levels deep", "flatten it", "yaml-depth")

    def add(self, node: ValueNode) -> None:
        self.check_depth(node)
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.node.size += node.size
        parent.node.depth = max(parent.node.depth, node.depth + 1)
        if parent.node.size > MAX_NODES:
            hint = "remove aliases that repeat others, or split the file"
            raise Refused(node.mark, f"more than {MAX_NODES} values once aliases are filled in", hint, "yaml-size")
        parent.add(node, self)


class Open:
    """A map or list whose end has not come yet."""

    def __init__(self, node: ValueNode) -> None:
        self.node = node
        self.key: ValueNode | None = None
        self.merges: list[ValueNode] = []

    def wants_key(self) -> bool:
        return isinstance(self.node.value, dict) and self.key is None

    def add(self, node: ValueNode, builder: Builder) -> None:
        if isinstance(self.node.value, list):
            self.node.value.append(node)
        elif self.key is None:
            if isinstance(node.value, (dict, list)) or node.value is None:
                raise Refused(node.mark, "a key is empty or not text", TEMPLATE_HINT, "yaml-key")
            self.key = node
        else:
            key, self.key = self.key, None
            if key.value == "<<":
                self.merge(node)
            else:
                self.put(key, node, builder)

    def merge(self, node: ValueNode) -> None:
        parts = node.value if isinstance(node.value, list) else [node]
        if not all(isinstance(part.value, dict) for part in parts):
            raise Refused(node.mark, "<< needs a map, or a list of maps", "give it an alias of a map", "yaml-merge")
        self.merges += parts

    def put(self, key: ValueNode, node: ValueNode, builder: Builder) -> None:
        name = self.name(key, builder)
        first = self.node.value.get(name)
        if first is not None:
            hint = f"keep one: line {first.key_mark.line} has it too, and the later one would silently win"
            builder.report(key.mark, f"the key {short(name)!r} is given twice in one map", hint, "yaml-duplicate")
        node.key_mark = key.mark
        self.node.value[name] = node

    @staticmethod
    def name(key: ValueNode, builder: Builder) -> str:
        # Helm turns the values into JSON, where every key is text.
        if isinstance(key.value, bool):
            name = str(key.value).lower()
            message = f"YAML reads this key as {name}, as it does y, n, yes, no, on and off"
            builder.report(key.mark, message, "put the key in quotes", "yaml-key")
            return name
        return format(key.value, "g") if isinstance(key.value, float) else str(key.value)
