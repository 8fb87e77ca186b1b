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
import functools
import os
import stat
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._chart_files import ChartFiles
from ansible_collections.llm_d.orchestrator.plugins.module_utils._findings import MAX_PATH, Finding, Mark, Path, short
from ansible_collections.llm_d.orchestrator.plugins.module_utils._values_yaml import (
    Node,
    from_plain,
    load_yaml,
    read_yaml,
    to_plain,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._yaml_builder import MAX_DEPTH

Values = dict[str, t.Any]


@dataclasses.dataclass
class Loaded:
    """The merged values of a chart's user: nodes with their places, and what is wrong with the files themselves.

    complete: whether every file could be read; what is missing from values may stand in one that could not.
    """

    root: Node
    findings: list[Finding]
    complete: bool

    def values(self) -> Values:
        """Return the merged values without their places."""
        return to_plain(self.root)

    def node(self, path: Path) -> Node | None:
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
    root: Node | None = None
    complete = True
    for file in files:
        node, mistakes = load_file(file)
        findings += mistakes
        complete = complete and node is not None
        if node is not None:
            root = node if root is None else merge(root, node)
    if inline and depth(inline) > MAX_DEPTH:
        message, hint = f"nested more than {MAX_DEPTH} levels deep", "flatten it"
        findings.append(Finding(Mark(inline_name), "", message, hint, "yaml-depth"))
        inline, complete = None, False
    if inline or root is None:
        extra = from_plain(inline or {}, Mark(inline_name if inline or not files else files[0]))
        root = extra if root is None else merge(root, extra)
    return Loaded(root, findings, complete)


def load_file(file: str) -> tuple[Node | None, list[Finding]]:
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


def merge(base: Node, over: Node) -> Node:
    """Return base with over's values laid on it; neither is changed."""
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = merge(merged[key], node) if key in merged else node
    return Node(merged, over.mark, over.key_mark)


def coalesce(chart: ChartFiles, values: Values) -> Values:
    """Return the values that the chart's templates and schema see; raises ValueError where a subchart's is no map."""
    return _coalesce(chart, copy.deepcopy(values), False)


def chart_defaults(chart: ChartFiles) -> Values:
    """Return the chart's own values.yaml, {} where it is empty or no map."""
    return copy.deepcopy(_defaults(chart.values))


@functools.lru_cache(maxsize=64)
def _defaults(text: str) -> Values:
    node, _findings = load_yaml(text.encode(), "values.yaml")
    return {} if node is None else to_plain(node)


def enabled_subcharts(chart: ChartFiles, values: Values) -> list[ChartFiles]:
    """Return the subcharts in use, under their aliases, by the conditions and tags of Chart.yaml."""
    entries = [entry for entry in chart.metadata.get("dependencies") or [] if isinstance(entry, dict)]
    named = {entry.get("name") for entry in entries}
    used = [subchart for subchart in chart.subcharts if subchart.name not in named]
    for entry in entries:
        for subchart in chart.subcharts:
            if subchart.name == entry.get("name") and _enabled(entry, values):
                used.append(dataclasses.replace(subchart, name=entry.get("alias") or subchart.name))
                break
    return used


def _enabled(entry: dict[str, t.Any], values: Values) -> bool:
    tags: t.Any = values.get("tags")
    tags = tags if isinstance(tags, dict) else {}
    flags = [tags[tag] for tag in entry.get("tags") or [] if isinstance(tags.get(tag), bool)]
    enabled = not flags or any(flags)
    for condition in str(entry.get("condition") or "").split(","):
        value: t.Any = values
        for part in condition.strip().split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return value
    return enabled


def _coalesce(chart: ChartFiles, values: Values, keep_null: bool) -> Values:
    defaults = chart_defaults(chart)
    probe = copy.deepcopy(values)
    _coalesce_maps(probe, copy.deepcopy(defaults), True)
    subcharts = enabled_subcharts(chart, probe)
    names = {subchart.name for subchart in subcharts}
    for key, default in defaults.items():
        if key not in values:
            values[key] = default
        elif values[key] is None and not keep_null:
            del values[key]
        elif isinstance(values[key], dict) and isinstance(default, dict):
            _coalesce_maps(values[key], default, keep_null or key in names)
    for subchart in subcharts:
        inner = values.setdefault(subchart.name, {})
        if not isinstance(inner, dict):
            raise ValueError(subchart.name)
        _share_globals(values, inner)
        values[subchart.name] = _coalesce(subchart, inner, keep_null)
    return values


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
