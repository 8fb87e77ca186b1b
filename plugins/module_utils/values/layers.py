# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values as Helm merges them, each with the file and line that gave it.

User files are merged as `helm -f A -f B` does (pkg/cli/values/options.go: maps merge, all else is replaced, null
stays), then coalesced with the chart's and its subcharts' defaults (pkg/chartutil/coalesce.go: null takes a default
away).
"""

from __future__ import annotations

import copy
import dataclasses
import os
import stat
import typing as t

from ..base.data import KeyPath, Values, dig, kind
from ..base.findings import ERROR, MAX_PATH, Finding, Mark, Path, Place, Problems, short
from ..base.findings import show_path as dotted
from ..base.names import did_you_mean
from .nodes import MAX_DEPTH, ValueNode
from .reader import from_plain, read_yaml, to_plain


@dataclasses.dataclass
class Loaded:
    """The merged values of a chart's user: nodes with their places, and what is wrong with the files themselves.

    complete: whether every file could be read; what is missing from values may stand in one that could not.
    """

    root: ValueNode
    findings: list[Finding]
    complete: bool

    def values(self) -> Values:
        """Return the merged values without their places."""
        return to_plain(self.root)

    def node(self, path: Path) -> ValueNode | None:
        """Return what the user gave at a path, or None."""
        node = self.root
        for part in path:
            inside = node.value
            if isinstance(inside, dict) and part in inside or isinstance(inside, list) and part in range(len(inside)):
                node = inside[part]
            else:
                return None
        return node

    def mark(self, path: Path, *, key: bool = False) -> Mark:
        """Return the place of a value (of its key with key=True), or of the nearest map around it."""
        for length in range(len(path), 0, -1):
            node = self.node(path[:length])
            if node is not None:
                around = length < len(path)
                return node.key_mark or node.mark if key or around else node.mark
        return self.root.mark


def load_values(files: list[str], inline: Values | None, inline_name: str) -> Loaded:
    """Return the files' values merged in order, then the inline values, with every file's own mistakes.

    inline_name: what to call the inline values in messages.
    """
    findings: list[Finding] = []
    root: ValueNode | None = None
    complete = True
    for file in files:
        node, mistakes = load_file(file)
        findings += mistakes
        complete = complete and node is not None
        if node is not None:
            root = node if root is None else overlaid(root, node)
    if inline and depth(inline) > MAX_DEPTH:
        message, hint = f"nested more than {MAX_DEPTH} levels deep", "flatten it"
        findings.append(Finding(Mark(inline_name), "", message, hint, "yaml-depth"))
        inline, complete = None, False
    if inline or root is None:
        extra = from_plain(inline or {}, Mark(inline_name if inline or not files else files[0]))
        root = extra if root is None else overlaid(root, extra)
    return Loaded(root, findings, complete)


def load_file(file: str) -> tuple[ValueNode | None, list[Finding]]:
    """Return one file's map, or None with what is wrong with the file; never raises for a bad file."""
    path = os.path.expanduser(file)
    shown = Mark(short(file, MAX_PATH))
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            hint = "name a values file; list several files one by one"
            return None, [Finding(shown, "", "not a file", hint, "yaml-file")]
        return read_yaml(path, file)
    except (OSError, ValueError) as exc:  # ValueError: a name that no file can have
        hint = f"check the name; relative names count from {os.getcwd()}"
        reason = getattr(exc, "strerror", None) or exc
        return None, [Finding(shown, "", f"cannot be read: {reason}", hint, "yaml-file")]


def depth(value: t.Any) -> int:
    """Return how many levels of maps and lists a value has, MAX_DEPTH + 1 where there are more."""
    level, here = 0, [value]
    while here and level <= MAX_DEPTH:
        level += 1
        held = [item for item in here if isinstance(item, (dict, list))]
        here = [inner for item in held for inner in (item.values() if isinstance(item, dict) else item)]
    return level


def overlaid(base: ValueNode, over: ValueNode) -> ValueNode:
    """Return base with over's values laid on it; neither is changed."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = overlaid(merged[key], node) if key in merged else node
    return ValueNode(merged, over.mark, over.key_mark)


def _coalesce_maps(values: Values, defaults: Values, keep_null: bool) -> None:
    for key, default in defaults.items():
        if key not in values:
            values[key] = default
        elif values[key] is None and not keep_null:
            del values[key]
        elif isinstance(values[key], dict) and isinstance(default, dict):
            _coalesce_maps(values[key], default, keep_null)


def _share_globals(parent: Values, child: Values) -> None:
    shared, own = parent.get("global", {}), child.setdefault("global", {})
    if not (isinstance(shared, dict) and isinstance(own, dict)):
        return
    for key, value in copy.deepcopy(shared).items():
        if isinstance(value, dict) and isinstance(own.get(key), dict):
            _coalesce_maps(value, own[key], True)
            own[key] = value
        elif isinstance(value, dict) and key in own or isinstance(own.get(key), dict):
            continue
        else:
            own[key] = value


@dataclasses.dataclass
class Layer:
    """One source of values: a file with the places of its keys (root), or what stands inline in a variable."""

    values: Values
    where: str
    root: ValueNode | None = None

    def locate(self, path: KeyPath) -> Place | None:
        """Return 'file:line (key)' or 'variable.key' of a path where this layer sets it, else None."""
        if dig(self.values, path, _MISSING) is _MISSING:
            return None
        key = dotted(path)
        if self.root is None:
            return Place(f"{self.where}.{key}", Mark(self.where), key)
        mark = mark_of(self.root, path)
        return Place(f"{self.where}:{mark.line} ({key})", Mark(self.where, mark.line, mark.column), key)


_MISSING = object()


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


def mark_of(root: ValueNode, path: KeyPath) -> Mark:
    """Return the place of a path's key, or of the nearest key above it."""
    node, mark = root, Mark(root.mark.file, 1, 1)
    for step in path:
        try:
            node = node.value[step]
        except (KeyError, IndexError, TypeError):
            break
        mark = node.key_mark or node.mark
    return mark


def line_of(root: ValueNode, path: KeyPath) -> int:
    """Return the line (from 1) of a path's key, or of the nearest key above it."""
    return mark_of(root, path).line


class Loader:
    """Finds and reads values files, each once; mistakes go to problems."""

    def __init__(self, search_paths: t.Sequence[str], problems: Problems) -> None:
        """search_paths: folders that a relative name is looked up in, in order."""
        self.search_paths = [path for path in search_paths if path]
        self.problems = problems
        self._read_files: dict[str, ValueNode | None] = {}

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

    def _read(self, path: str, where: str) -> ValueNode | None:
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


def locate(layers: t.Sequence[Layer], path: KeyPath, fallback: str) -> str:
    """Return where the last layer that sets a path does so, else fallback."""
    for layer in reversed(layers):
        where = layer.locate(path)
        if where:
            return where
    return fallback


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
