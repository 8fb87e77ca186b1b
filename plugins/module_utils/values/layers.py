# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values as Helm merges them, each with the file and line that gave it.

User files are merged as `helm -f A -f B` does (pkg/cli/values/options.go), then coalesced with the chart's and its
subcharts' defaults (charts/defaults.py).
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import os
import stat
import typing as t

from ..base.data import KeyPath, Values, dig, kind, plain
from ..base.findings import MAX_PATH, Finding, Findings, Mark, Path, Place, short
from ..base.findings import show_path as dotted
from ..base.names import did_you_mean
from .nodes import MAX_DEPTH, ValueNode
from .reader import from_plain, read_yaml, to_plain

_MISSING = object()
# The file that makes a folder a kustomization.
KUSTOMIZATION = "kustomization.yaml"


@dataclasses.dataclass
class Layer:
    """One source of values: a file, whose keys have lines (root), or what stands inline in a variable."""

    values: Values
    where: str
    root: ValueNode | None = None

    @functools.cached_property
    def nodes(self) -> ValueNode:
        """The values with their places; inline ones all stand in their variable."""
        return from_plain(self.values, Mark(self.where)) if self.root is None else self.root

    def mark(self, path: KeyPath) -> Mark:
        """Return the place of a path's key, or of the nearest key above it."""
        node, mark = self.nodes, Mark(self.where) if self.root is None else Mark(self.where, 1, 1)
        for step in path:
            try:
                node = node.value[step]
            except (KeyError, IndexError, TypeError):
                break
            mark = node.key_mark or node.mark
        return mark

    def locate(self, path: KeyPath) -> Place | None:
        """Return 'file:line (key)' or 'variable.key' of a path where this layer sets it, else None."""
        if dig(self.values, path, _MISSING) is _MISSING:
            return None
        key, mark = dotted(path), self.mark(path)
        return Place(f"{self.where}:{mark.line} ({key})" if mark.line else f"{self.where}.{key}", mark, key)


@dataclasses.dataclass
class UserValues:
    """All that a user gives one chart, the last layer on top, and what is wrong with the files themselves.

    complete: whether every file could be read; what is missing from values may stand in one that could not;
    variables: what the inline values were merged of, the last one on top, where that is known.
    """

    layers: list[Layer]
    findings: list[Finding] = dataclasses.field(default_factory=list)
    complete: bool = True
    variables: t.Sequence[Layer] = ()

    @functools.cached_property
    def values(self) -> Values:
        """The layers merged."""
        return merge_all(layer.values for layer in self.layers)

    @property
    def file(self) -> str:
        """The last file or variable, by which all of the values are named."""
        return self.layers[-1].where

    def node(self, path: Path) -> ValueNode | None:
        """Return what the user gave at a path, or None."""
        found, left = self._nearest(path)
        return None if left else found

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """Return the place of a value (of its key with key=True), or of the nearest map around it."""
        node, around = self._nearest(path)
        mark = node.key_mark or node.mark if key or around else node.mark
        return mark if mark.line else self._variable(path) or mark

    def _variable(self, path: Path) -> Mark | None:
        """Return the variable that sets an inline value, or the nearest map above it; None where none does."""
        for end in range(len(path), 0, -1):
            for layer in reversed(self.variables):
                if layer.locate(path[:end]):
                    return Mark(layer.where)
        return None

    def _nearest(self, path: Path) -> tuple[ValueNode, int]:
        """Return the node at a path or the nearest one above it, and how many keys of the path it lacks."""
        best, left = self.layers[-1].nodes, len(path)
        for layer in reversed(self.layers):
            node, depth = layer.nodes, 0
            while depth < len(path) and (inner := _inside(node, path[depth])) is not None:
                node, depth = inner, depth + 1
            if len(path) - depth < left:
                best, left = node, len(path) - depth
            if not left or not isinstance(node.value, dict):
                break  # what is no map replaces all that lies below it
        return best, left


def _inside(node: ValueNode, key: t.Any) -> ValueNode | None:
    held = node.value
    if isinstance(held, dict):
        return held.get(key)
    return held[key] if isinstance(held, list) and isinstance(key, int) and 0 <= key < len(held) else None


def load_values(files: t.Sequence[str], inline: Values | None, inline_name: str) -> UserValues:
    """Return the files' values in order, then the inline values, with every file's own mistakes.

    inline_name: what to call the inline values in messages.
    """
    given = UserValues([])
    for file in files:
        root, mistakes = load_file(file)
        given.findings += mistakes
        if root is None:
            given.complete = False
        else:
            given.layers.append(Layer(to_plain(root), file, root))
    if inline and _depth(inline) > MAX_DEPTH:
        message, hint = f"nested more than {MAX_DEPTH} levels deep", "flatten it"
        given.findings.append(Finding(Mark(inline_name), "", message, hint, "yaml-depth"))
        inline, given.complete = None, False
    if inline or not given.layers:
        given.layers.append(Layer(plain(inline or {}), inline_name if inline or not files else files[0]))
    return given


def load_file(file: str) -> tuple[ValueNode | None, list[Finding]]:
    """Return one file's map, or None with what is wrong with the file; never raises for a bad file.

    A file that has not changed is read and parsed once in a process; nobody changes the nodes.
    """
    path = os.path.abspath(os.path.expanduser(file))
    shown = Mark(short(file, MAX_PATH))
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            return None, [
                Finding(
                    shown, "", "not a file", ("use the path of a values file; list several files one by one"), _FILE
                )
            ]
        return _read(path, file, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    except (OSError, ValueError) as exc:  # ValueError: a name that no file can have
        hint = f"check the path; relative paths are resolved from {os.getcwd()}"
        reason = getattr(exc, "strerror", None) or exc
        return None, [Finding(shown, "", f"cannot be read: {reason}", hint, _FILE)]


_FILE = "yaml-file"


@functools.lru_cache(maxsize=256)
def _read(path: str, shown: str, _state: tuple[int, ...]) -> tuple[ValueNode | None, list[Finding]]:
    return read_yaml(path, shown)


def _depth(value: t.Any) -> int:
    """Return how many levels of maps and lists a value has, MAX_DEPTH + 1 where there are more."""
    level, here = 0, [value]
    while here and level <= MAX_DEPTH:
        level += 1
        held = [item for item in here if isinstance(item, (dict, list))]
        here = [inner for item in held for inner in (item.values() if isinstance(item, dict) else item)]
    return level


def merge(base: t.Any, over: t.Any, keep_null: bool = True) -> t.Any:
    """Return base with over on top as Helm does: maps merge, all else replaces. Neither is changed or shared.

    keep_null: a null over a key stays, so that Helm removes the chart's default too; else it takes the key away.
    """
    if not isinstance(base, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    merged = {
        key: merge(value, over[key], keep_null) if key in over else copy.deepcopy(value)
        for key, value in base.items()
        if keep_null or over.get(key, "") is not None
    }
    return {**merged, **{key: copy.deepcopy(value) for key, value in over.items() if key not in base}}


def merge_all(layers: t.Iterable[Values]) -> Values:
    """Return the layers merged in order, the last one on top."""
    return functools.reduce(merge, layers, {})


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


class Loader:
    """Finds and reads values files, each once; mistakes go to findings."""

    def __init__(self, search_paths: t.Sequence[str], findings: Findings) -> None:
        """search_paths: folders that a relative name is looked up in, in order."""
        self.search_paths = [path for path in search_paths if path]
        self.findings = findings
        self._layers: dict[str, Layer | None] = {}

    def find(self, name: str, where: str) -> str | None:
        """Return the file's absolute path, or None with the mistake noted."""
        name = os.path.expanduser(name)
        tried = [name] if os.path.isabs(name) else [os.path.join(folder, name) for folder in self.search_paths]
        for path in tried:
            if os.path.isfile(path):
                return os.path.abspath(path)
        if folder := next((path for path in tried if os.path.isfile(os.path.join(path, KUSTOMIZATION))), None):
            fix = f"set kustomization: {name} in the model's entry, instead of values"
            self.findings.add(where, f"{folder} is a kustomization, not a values file", fix, "yaml-file")
            return None
        shown = ", ".join(dict.fromkeys(os.path.dirname(path) for path in tried)) or "nowhere"
        self.findings.add(where, f"values file not found: {name!r}", (f"use a file in one of: {shown}"), "yaml-file")
        return None

    def file(self, name: t.Any, where: str) -> Layer | None:
        """Return a values file's content, or None with the mistake noted."""
        if not isinstance(name, str):
            self.findings.add(where, f"{name!r} is not a file name", "use a path", "input-type")
            return None
        path = self.find(name, where)
        if path is None:
            return None
        if path not in self._layers:
            self._layers[path] = self._layer(path, where)
        return self._layers[path]

    def _layer(self, path: str, where: str) -> Layer | None:
        root, findings = load_file(path)
        for finding in findings:
            mark = finding.mark
            if mark.line:
                place = Place(f"{mark.file}:{mark.line}", mark)
                self.findings.add(place, finding.message, finding.hint, finding.rule)
            else:  # the file cannot be read at all: what names it is to be changed
                self.findings.add(where, f"{path} {finding.message}", rule=finding.rule)
        return None if root is None else Layer(to_plain(root), path, root)

    def layers(self, entry: Values, where: str) -> list[Layer]:
        """Return an entry's values_files in order, then its inline values.

        where: the entry's place, or the beginning of the names of a role's variables, with its underscore.
        """
        where += "" if where.endswith("_") else "."
        files = entry.get("values_files") or []
        found = []
        for index, name in enumerate(files):
            layer = self.file(name, f"{where}values_files[{index}]")
            if layer:
                found.append(layer)
        if entry.get("values"):
            found.append(Layer(entry["values"], f"{where}values"))
        return found


def locate(layers: t.Sequence[Layer], path: KeyPath, fallback: str) -> str:
    """Return where the last layer that sets a path does so, else fallback."""
    for layer in reversed(layers):
        where = layer.locate(path)
        if where:
            return where
    return fallback


def check_entry(entry: t.Any, schema: t.Mapping[str, type], where: str, findings: Findings) -> Values | None:
    """Return an entry whose keys are known and typed as schema says; None where it is not a map.

    Mistyped keys are noted and left out, so that the rest is checked too.
    """
    if not isinstance(entry, dict):
        found = "is empty" if entry is None else f"is a {kind(entry)}"
        findings.add(where, found, "use a map with the keys " + ", ".join(schema), "input-type")
        return None
    good: Values = {}
    for key, value in entry.items():
        if key not in schema:
            message = f"unknown key.{did_you_mean(str(key), schema)}"
            findings.add(f"{where}.{key}", message, "use one of: " + ", ".join(schema), "input-unknown-key")
        elif value is None:
            continue
        elif not isinstance(value, schema[key]) or (isinstance(value, bool) and schema[key] is not bool):
            findings.add(
                f"{where}.{key}", f"is a {kind(value)}: {value!r}", (f"use a {kind(schema[key]())}"), "input-type"
            )
        else:
            good[key] = value
    return good
