# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Keys that a chart would silently ignore because they are a misspelt or misplaced one of its own.

A chart's known keys are those of its schema, its values.yaml and the `.Values` paths in its templates. They are not
all (templates also read through variables), so only what is very like a known key is named.
"""

from __future__ import annotations

import re
import typing as t

from ..base.findings import ERROR, MAX_FINDINGS, WARNING, Finding, Path, show_path
from ..base.suggest import NEAR, index_schema, nearest, suggest
from ..charts.defaults import own_values
from ..charts.files import ChartFiles
from ..values.layers import UserValues
from .infer import MAX_TEMPLATES
from .source import SchemaError, compile_schema, resolve

TEMPLATE_PATH = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)+)")
# Names of labels, annotations and environment variables are free.
FREE_KEY = re.compile(r".*[./].*|[A-Z0-9_]+")
ITEM = "[]"
MAX_LEVELS = 8
# Unknown keys that are compared with the known ones; a file has room for more than there is time to.
MAX_LOOKED = 2_000
Tree = dict[str, t.Any]


def misspellings(
    chart: ChartFiles, given: UserValues, label: str, strict: bool, read: t.Mapping[str, t.Any]
) -> list[Finding]:
    """Return the user's keys that the chart does not know and that are very like one it knows.

    read: the schema of what its templates read, by name, through helpers too.
    """
    tree = known_keys(chart, own_values(chart))
    index = index_schema({}, _as_values(tree)) if chart.schema is None else {}
    found: list[Finding] = []
    stack: list[tuple[Path, t.Any, Tree]] = [((), given.values, tree)]
    looked = 0
    while stack and looked < MAX_LOOKED and len(found) <= MAX_FINDINGS:
        path, value, known = stack.pop()
        if isinstance(value, list):
            stack += [((*path, place), inner, known.get(ITEM, {})) for place, inner in enumerate(value)]
            continue
        for key, inner in value.items() if isinstance(value, dict) and known else ():
            here = (*path, key)
            if key in known:
                stack.append((here, inner, known[key]))
                continue
            if _is_read(read, here):
                continue
            looked += 1
            meant = _meant(here, [name for name in known if name not in value and name != ITEM], index)
            if meant:
                severity = ERROR if strict else WARNING
                message, hint = "the chart does not seem to read this key", f"did you mean {meant}?"
                mark = given.mark(here, key=True)
                source = f"chart {label}'s values.yaml and templates"
                found.append(Finding(mark, show_path(here), message, hint, "ignored-key", severity, label, source))
    return found


def _is_read(schema: t.Mapping[str, t.Any], path: Path) -> bool:
    """Return whether templates read the key at a path by its name."""
    node: t.Any = schema
    for step in path:
        node = node.get("items") if isinstance(step, int) else (node.get("properties") or {}).get(step)
        if not isinstance(node, dict):
            return False
    return True


def known_keys(chart: ChartFiles, defaults: dict[str, t.Any]) -> Tree:
    """Return the tree of keys that a chart is known to read; "[]" stands for a list's entries."""
    tree: Tree = {"global": {}}
    _add_values(tree, defaults)
    small = sum(len(text) for text in chart.templates.values()) <= MAX_TEMPLATES
    for text in chart.templates.values() if small else ():
        for match in TEMPLATE_PATH.finditer(text):
            node = tree
            for part in match.group(1)[1:].split("."):
                node = node.setdefault(part, {})
    if chart.schema is not None:
        try:
            schema = compile_schema(chart.schema)[1]
        except SchemaError:
            return tree  # reported where the schema is applied
        _add_schema(tree, schema, schema, 0)
    for subchart in chart.subcharts:
        tree.setdefault(subchart.name, {})
    return tree


def _meant(path: Path, siblings: list[str], index: dict[str, list[Path]]) -> str | None:
    key = str(path[-1])
    if FREE_KEY.fullmatch(key):
        return None
    near = nearest(key, siblings, NEAR)
    if near:
        return show_path((*path[:-1], near))
    if len(path) > 2:
        return None
    # A free-form map may hold any name further down; the first two levels are the chart's own.
    return suggest(path, [], index) if key in index else None


def _add_values(tree: Tree, values: dict[str, t.Any]) -> None:
    for key, value in values.items():
        node = tree.setdefault(key, {})
        if isinstance(value, dict):
            _add_values(node, value)


def _add_schema(tree: Tree, schema: t.Any, root: t.Any, level: int) -> None:
    schema = resolve(schema, root)
    if not isinstance(schema, dict) or level > MAX_LEVELS:
        return
    properties = schema.get("properties")
    for key, inner in properties.items() if isinstance(properties, dict) else ():
        _add_schema(tree.setdefault(key, {}), inner, root, level + 1)
    if isinstance(schema.get("items"), dict):
        _add_schema(tree.setdefault(ITEM, {}), schema["items"], root, level + 1)


def _as_values(tree: Tree) -> dict[str, t.Any]:
    return {key: _as_values(inner) or None for key, inner in tree.items() if key != ITEM}
