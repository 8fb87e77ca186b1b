# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values against the schema that is inferred for a chart without one: keys that it never reads, and wrong values.

The source of a finding is the line of the chart, or the fact, that the rule was inferred from.
"""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._chart_facts import owner
from ansible_collections.llm_d.orchestrator.plugins.module_utils._chart_files import ChartFiles
from ansible_collections.llm_d.orchestrator.plugins.module_utils._findings import (
    ERROR,
    MAX_FINDINGS,
    NOTE,
    WARNING,
    Finding,
    Mark,
    Path,
    show_path,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._infer import allow_templated
from ansible_collections.llm_d.orchestrator.plugins.module_utils._schema_errors import Violation, violations
from ansible_collections.llm_d.orchestrator.plugins.module_utils._suggest import Index, index_schema, suggest
from ansible_collections.llm_d.orchestrator.plugins.module_utils._values import Loaded, Values, chart_defaults

try:
    import jsonschema
except ImportError:  # pragma: no cover - reported by check_charts()
    jsonschema = None  # type: ignore[assignment]

Schema = dict[str, t.Any]

UNREAD = "unread-key"
NO_SCHEMA = "no-schema"
# How a hint begins that names the key that must have been meant.
MEANT = "did you mean "


def check_inferred(
    chart: ChartFiles, schema: Schema, loaded: Loaded, merged: Values, unknown_keys: str = ERROR
) -> list[Finding]:
    """Return what is wrong with values by an inferred schema, and a note that there is no other.

    merged: the user's values with the chart's defaults; unknown_keys: severity of keys that the chart never reads.
    """
    label = f"{chart.name} {chart.version}"
    findings = [_note(schema, loaded, label)]
    allowed = allow_templated(schema, loaded.values())
    found = violations(jsonschema.Draft7Validator(allowed).iter_errors(merged))
    index = index_schema(schema, chart_defaults(chart)) if found else {}
    for violation in found[: MAX_FINDINGS + 1]:
        if violation.rule == "unknown-key":
            findings.append(_unread(violation, schema, loaded, index, chart.name, label, unknown_keys))
        elif loaded.complete or violation.rule != "missing-key":
            findings.append(_wrong(violation, schema, loaded, label))
    return findings + _forbidden(schema, loaded, label)


def _note(schema: Schema, loaded: Loaded, label: str) -> Finding:
    message = "the chart ships no schema: its keys are checked by what its templates read"
    if schema.get("x-open"):
        message = f"the chart ships no schema, and its keys are not checked: {schema['x-open'][0]}"
    return Finding(Mark(loaded.root.mark.file), "", message, "", NO_SCHEMA, NOTE, label, f"chart {label}")


def _unread(
    violation: Violation, schema: Schema, loaded: Loaded, index: Index, chart: str, label: str, severity: str
) -> Finding:
    path = violation.path
    source = f"chart {label}, {_source(schema, path[:-1]) or 'its templates and values.yaml'}"
    hint = _hint(violation, index, chart)
    mark = loaded.mark(path, key=True)
    severity = WARNING if severity == WARNING else ERROR
    return Finding(mark, show_path(path), "the chart never reads it", hint, UNREAD, severity, label, source)


def _hint(violation: Violation, index: Index, chart: str) -> str:
    belongs = owner(str(violation.path[-1]), chart) if len(violation.path) == 1 else None
    if belongs:
        return f"it belongs into the values of the chart {belongs}: give each chart a file of its own"
    meant = suggest(violation.path, violation.siblings, index)
    if meant:
        return f"{MEANT}{meant}?"
    return f"remove it; read here: {', '.join(sorted(violation.siblings)[:12]) or 'nothing'}"


def _wrong(violation: Violation, schema: Schema, loaded: Loaded, label: str) -> Finding:
    source = f"chart {label}, {_source(schema, violation.path) or 'its templates and values.yaml'}"
    mark = loaded.mark(violation.path)
    path = show_path(violation.path)
    return Finding(mark, path, violation.message, violation.hint, violation.rule, ERROR, label, source)


def _forbidden(schema: Schema, loaded: Loaded, label: str) -> list[Finding]:
    found: list[Finding] = []
    stack: list[tuple[Path, Schema]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        for name, fact in node.get("x-forbidden", {}).items():
            given = loaded.node((*path, name))
            if given is not None and given.value is not None:
                mark = loaded.mark((*path, name), key=True)
                place = show_path((*path, name))
                found.append(Finding(mark, place, fact["message"], "", "refused-key", ERROR, label, fact["source"]))
        stack += [((*path, name), inner) for name, inner in node.get("properties", {}).items()]
    return found


def _source(schema: Schema, path: Path) -> str:
    """Return where the nearest schema around a path comes from: 'templates/x.yaml:12', or a fact's source."""
    node: t.Any = schema
    source = ""
    for part in path:
        inner = node.get("items") if isinstance(part, int) else node.get("properties", {}).get(part)
        node = inner if isinstance(inner, dict) else node.get("additionalProperties")
        if not isinstance(node, dict):
            break
        source = node.get("x-source", source)
    return source
