# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A user's inputs: values files and inline values, merged as Helm merges them, and the mistakes found in them.

Values are data: nothing in a file is evaluated, Jinja in it stays text.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._findings import ERROR, Mark, Place, Problems
from ansible_collections.llm_d.orchestrator.plugins.module_utils._findings import show_path as dotted
from ansible_collections.llm_d.orchestrator.plugins.module_utils._names import did_you_mean
from ansible_collections.llm_d.orchestrator.plugins.module_utils._values_yaml import Node, read_yaml, to_plain

Values = dict[str, t.Any]
Path = t.Sequence[str | int]


@dataclasses.dataclass
class Layer:
    """One source of values: a file with the places of its keys (root), or what stands inline in a variable."""

    values: Values
    where: str
    root: Node | None = None

    def locate(self, path: Path) -> Place | None:
        """Return 'file:line (key)' or 'variable.key' of a path where this layer sets it, else None."""
        if dig(self.values, path, _MISSING) is _MISSING:
            return None
        key = dotted(path)
        if self.root is None:
            return Place(f"{self.where}.{key}", Mark(self.where), key)
        mark = mark_of(self.root, path)
        return Place(f"{self.where}:{mark.line} ({key})", Mark(self.where, mark.line, mark.column), key)


_MISSING = object()


def dig(values: t.Any, path: Path, default: t.Any = None) -> t.Any:
    """Return the value at a path of keys and indexes, default where a step is absent."""
    for step in path:
        inside = isinstance(values, dict) and step in values
        if not inside and not (isinstance(values, list) and isinstance(step, int) and step < len(values)):
            return default
        values = values[step]
    return values


def merge(base: t.Any, over: t.Any) -> t.Any:
    """Return base with over on top as Helm does: maps join, null removes a key, all else replaces."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    merged = copy.deepcopy(base)
    for key, value in over.items():
        if value is None and key in merged:
            # Kept as null, so that Helm removes the chart's own default too.
            merged[key] = None
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def merge_all(layers: t.Iterable[Values]) -> Values:
    """Return the layers merged in order, the last one on top."""
    merged: Values = {}
    for layer in layers:
        merged = merge(merged, layer)
    return merged


def remainder(values: Values, base: Values) -> Values:
    """Return what must be merged over base to give values."""
    rest: Values = {}
    for key, value in values.items():
        if key not in base:
            rest[key] = value
        elif isinstance(value, dict) and isinstance(base[key], dict):
            inner = remainder(value, base[key])
            if inner:
                rest[key] = inner
        elif value != base[key]:
            rest[key] = value
    return rest


def mark_of(root: Node, path: Path) -> Mark:
    """Return the place of a path's key, or of the nearest key above it."""
    node, mark = root, Mark(root.mark.file, 1, 1)
    for step in path:
        try:
            node = node.value[step]
        except (KeyError, IndexError, TypeError):
            break
        mark = node.key_mark or node.mark
    return mark


def line_of(root: Node, path: Path) -> int:
    """Return the line (from 1) of a path's key, or of the nearest key above it."""
    return mark_of(root, path).line


class Loader:
    """Finds and reads values files, each once; mistakes go to problems."""

    def __init__(self, search_paths: t.Sequence[str], problems: Problems) -> None:
        """search_paths: folders that a relative name is looked up in, in order."""
        self.search_paths = [path for path in search_paths if path]
        self.problems = problems
        self._read_files: dict[str, Node | None] = {}

    def find(self, name: str, where: str) -> str | None:
        """Return the file's absolute path, or None with the mistake noted."""
        name = os.path.expanduser(name)
        tried = [name] if os.path.isabs(name) else [os.path.join(folder, name) for folder in self.search_paths]
        for path in tried:
            if os.path.isfile(path):
                return os.path.abspath(path)
        shown = ", ".join(dict.fromkeys(os.path.dirname(path) for path in tried)) or "nowhere"
        self.problems.add(where, f"the values file {name!r} was not found", f"a file in one of: {shown}", "yaml-file")
        return None

    def file(self, name: t.Any, where: str) -> Layer | None:
        """Return a values file's content, or None with the mistake noted."""
        if not isinstance(name, str):
            self.problems.add(where, f"{name!r} is not a file name", "a path as text", "input-type")
            return None
        path = self.find(name, where)
        if path is None:
            return None
        if path not in self._read_files:
            self._read_files[path] = self._read(path, where)
        root = self._read_files[path]
        return Layer(to_plain(root), path, root) if root else None

    def _read(self, path: str, where: str) -> Node | None:
        try:
            root, findings = read_yaml(path, path)
        except OSError as exc:
            self.problems.add(where, f"{path} cannot be read: {exc.strerror}", rule="yaml-file")
            return None
        for finding in findings:
            if root is None or finding.severity == ERROR:
                where = Place(f"{finding.mark.file}:{finding.mark.line}", finding.mark)
                self.problems.add(where, finding.message, finding.hint, finding.rule)
        return root

    def layers(self, entry: Values, where: str) -> list[Layer]:
        """Return an entry's values_files in order, then its inline values."""
        files = entry.get("values_files") or []
        found = []
        for index, name in enumerate(files):
            layer = self.file(name, f"{where}.values_files[{index}]")
            if layer:
                found.append(layer)
        if entry.get("values"):
            found.append(Layer(entry["values"], f"{where}.values"))
        return found


def locate(layers: t.Sequence[Layer], path: Path, fallback: str) -> str:
    """Return where the last layer that sets a path does so, else fallback."""
    for layer in reversed(layers):
        where = layer.locate(path)
        if where:
            return where
    return fallback


def kind(value: t.Any) -> str:
    """Return a value's type in YAML's words."""
    names = {dict: "map", list: "list", str: "text", bool: "true/false", int: "number", float: "number"}
    return "nothing" if value is None else names.get(type(value), type(value).__name__)


def check_entry(entry: t.Any, schema: t.Mapping[str, type], where: str, problems: Problems) -> Values | None:
    """Return an entry whose keys are known and typed as schema says; None where it is not a map.

    Mistyped keys are noted and left out, so that the rest is checked too.
    """
    if not isinstance(entry, dict):
        found = "is empty" if entry is None else f"is a {kind(entry)}"
        problems.add(where, found, "a map with the keys " + ", ".join(schema), "input-type")
        return None
    good: Values = {}
    for key, value in entry.items():
        if key not in schema:
            message = f"unknown key.{did_you_mean(str(key), schema)}"
            problems.add(f"{where}.{key}", message, "one of: " + ", ".join(schema), "input-unknown-key")
        elif value is None:
            continue
        elif not isinstance(value, schema[key]) or (isinstance(value, bool) and schema[key] is not bool):
            problems.add(f"{where}.{key}", f"is a {kind(value)}: {value!r}", f"a {kind(schema[key]())}", "input-type")
        else:
            good[key] = value
    return good


def plain(value: t.Any) -> t.Any:
    """Return a copy made of plain Python types (Ansible hands over tagged subclasses)."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
