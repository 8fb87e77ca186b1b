# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One chart's values checked before Helm sees them: its schema and its subcharts', known facts, likely misspellings.

All charts are checked by the schema that is inferred from their files too: it is the only one of those that ship none,
and knows what others leave open.

The values checked are those that Helm checks (pkg/chartutil/jsonschema.go): the user's, coalesced with the defaults.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Values
from ..base.deadline import TookTooLong, deadline
from ..base.findings import ERROR, MAX_FINDINGS, NOTE, WARNING, Finding, Mark, Path, at_most, short, show_path, sort_key
from ..base.suggest import Index, index_schema, suggest
from ..charts.defaults import coalesce, enabled_subcharts, own_values
from ..charts.files import ChartFiles
from ..values.layers import UserValues
from .errors import Violation, violations
from .facts import Fact, facts_for, owner
from .infer import allow_templated, infer_schema
from .known_keys import misspellings
from .source import SchemaError, compile_schema, explain_broken

try:
    import jsonschema
except ImportError:  # pragma: no cover - reported by check_charts()
    jsonschema = None  # type: ignore[assignment]


# Seconds that one release's values may take against a schema; sound ones take a few hundredths.
SECONDS = 1.5


def check_values(
    chart: ChartFiles,
    given: UserValues,
    *,
    strict: bool = False,
    inferred: dict[str, t.Any] | None = None,
    unknown_keys: str = ERROR,
) -> list[Finding]:
    """Return all that is wrong with a user's values for a chart, the files' own mistakes included, in reading order.

    strict: likely misspellings that the chart would ignore are errors instead of warnings; inferred: the schema of the
    chart's files (made here where it is not given); unknown_keys: severity of keys that the chart never reads.
    """
    label = f"{chart.name} {chart.version}"
    findings = list(given.findings)
    try:
        merged = coalesce(chart, given.values)
    except ValueError as exc:
        path: Path = (str(exc),)
        hint = "write a map: they are the values of the subchart of that name"
        message = "must be a map"
        findings.append(Finding(given.mark(path), show_path(path), message, hint, "subchart-values", chart=label))
        return sorted(findings, key=sort_key)
    findings += _Check(chart, given, label).run(merged, ())
    findings += [finding for fact in facts_for(chart.name) for finding in _fact_findings(fact, merged, given, label)]
    known = {finding.path for finding in findings}
    found = check_inferred(chart, inferred or infer_schema(chart), given, merged, unknown_keys)
    if chart.schema is not None:
        found = [_beside_schema(finding) for finding in found if finding.rule != NO_SCHEMA]
    findings += [finding for finding in found if not _is_known(finding, known)]
    known = {finding.path for finding in findings}
    findings += [finding for finding in misspellings(chart, given, label, strict) if finding.path not in known]
    return at_most(sorted(findings, key=sort_key))


def _beside_schema(finding: Finding) -> Finding:
    """Return a finding of the inferred schema as one for a chart that ships a schema, which allows that key.

    A key that nothing reads is a mistake where another one must have been meant, else a warning: guides carry such.
    """
    unlike = finding.rule == UNREAD and not finding.hint.startswith(MEANT)
    return dataclasses.replace(finding, severity=WARNING) if unlike else finding


def _is_known(finding: Finding, known: set[str]) -> bool:
    """Return whether a finding of the inferred schema is said better already; a fact may name a deeper missing key."""
    if finding.rule == "missing-key":
        return any(path == finding.path or path.startswith(f"{finding.path}.") for path in known)
    return bool(finding.path) and finding.path in known


def too_slow(given: UserValues, label: str) -> Finding:
    """Return the finding that a chart's schema costs too much to evaluate."""
    message = f"the schema of the chart {label} takes more than {SECONDS:g} s to evaluate"
    hint = "take another version of the chart, or shorten the longest texts, which a pattern may take too long for"
    return Finding(Mark(given.file), "", message, hint, "schema-cost", chart=label)


class _Check:
    """The schemas of one chart and its subcharts against one set of values."""

    def __init__(self, chart: ChartFiles, given: UserValues, label: str) -> None:
        self.chart, self.given, self.label = chart, given, label

    def run(self, values: Values, prefix: Path) -> list[Finding]:
        """Return the findings below a prefix, which is the way to a subchart's values."""
        text = self.chart.schema
        findings = self.against_schema(text, values, prefix) if text is not None else []
        for subchart in enabled_subcharts(self.chart, values):
            inner = values.get(subchart.name)
            if isinstance(inner, dict):
                label = f"{subchart.name} {subchart.version}"
                findings += _Check(subchart, self.given, label).run(inner, (*prefix, subchart.name))
        return findings

    def against_schema(self, text: str, values: Values, prefix: Path) -> list[Finding]:
        try:
            validator, schema, remote = compile_schema(text)
        except SchemaError as exc:
            return [self.broken(str(exc))]
        try:
            with deadline(SECONDS):
                found = violations(validator.iter_errors(values))
        except TookTooLong:
            return [too_slow(self.given, self.label)]
        except Exception as exc:  # jsonschema raises many types for a schema that is none
            return [self.broken(explain_broken(schema, exc))]
        findings = [self.unfollowed(ref) for ref in remote]
        index = index_schema(schema, own_values(self.chart)) if found else {}
        return findings + [
            self.finding(violation, index, prefix)
            for violation in found[: MAX_FINDINGS + 1]
            if self.given.complete or violation.rule != "missing-key"
        ]

    def finding(self, violation: Violation, index: Index, prefix: Path) -> Finding:
        path = (*prefix, *violation.path)
        unknown = violation.rule == "unknown-key"
        hint = self.unknown_hint(violation, index, prefix) if unknown else violation.hint
        source = f"chart {self.label}'s schema says {violation.says}"
        mark = self.given.mark(path, key=unknown)
        return Finding(mark, show_path(path), violation.message, hint, violation.rule, chart=self.label, source=source)

    def unknown_hint(self, violation: Violation, index: Index, prefix: Path) -> str:
        belongs = owner(str(violation.path[-1]), self.chart.name) if len(violation.path) == 1 and not prefix else None
        if belongs:
            return f"it belongs into the values of the chart {belongs}: give each chart a file of its own"
        meant = suggest(violation.path, violation.siblings, index, prefix)
        if meant:
            return f"did you mean {meant}?"
        known = ", ".join(sorted(violation.siblings)[:12]) or "nothing"
        return f"remove it; known here: {known}"

    def unfollowed(self, ref: str) -> Finding:
        """Return the note of a reference that is not followed; one to a file is a mistake of the chart."""
        message, hint, severity = f"the schema's remote reference {short(ref)} was not followed", "", NOTE
        if not ref.startswith(("http://", "https://")):
            message = f"the schema refers to {short(ref)}, for which Helm does not look in the chart"
            hint, severity = "expect Helm to refuse the chart: take another version of it", WARNING
        place = Mark(self.given.file)
        return Finding(place, "", message, hint, "remote-ref", severity, self.label, f"chart {self.label}")

    def broken(self, reason: str) -> Finding:
        hint = "Helm refuses the chart too: take another version of it"
        message = f"the schema of the chart {self.label} is broken: {reason}"
        return Finding(Mark(self.given.file), "", message, hint, "broken-schema", chart=self.label)


def _fact_findings(fact: Fact, merged: Values, given: UserValues, label: str) -> list[Finding]:
    path: Path = fact.path
    value: t.Any = merged
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    message = fact.message
    if fact.kind == "forbidden":
        node = given.node(path)
        wrong = node is not None and node.value is not None
    elif fact.kind == "required":
        wrong = not value and given.complete
    else:
        path = (*path, "tag")
        reason = _tag_mistake(value, given, fact.path)
        message, wrong = f"{message}: {reason}", bool(reason)
    if not wrong:
        return []
    mark = given.mark(path, key=fact.kind == "forbidden")
    return [Finding(mark, show_path(path), message, fact.hint, fact.rule, chart=label, source=fact.source)]


def _tag_mistake(image: t.Any, given: UserValues, path: Path) -> str:
    """Return what is wrong with an image's tag, "" for a fixed one."""
    tag = image.get("tag") if isinstance(image, dict) else None
    if tag is None or tag == "":
        return "the tag is missing" if given.complete else ""
    if not isinstance(tag, str):
        return f"the tag {tag} is a number, of which YAML drops trailing zeros"
    if tag.lower() == "latest":
        return "latest changes under a deployment"
    name = given.node((*path, "name"))
    if name is not None and given.node((*path, "tag")) is None:
        return f"the tag {tag} is the chart's default and belongs to its own image, not to {name.value}"
    return ""


Schema = dict[str, t.Any]


UNREAD = "unread-key"


NO_SCHEMA = "no-schema"


# How a hint begins that names the key that must have been meant.
MEANT = "did you mean "


def check_inferred(
    chart: ChartFiles, schema: Schema, given: UserValues, merged: Values, unknown_keys: str = ERROR
) -> list[Finding]:
    """Return what is wrong with values by an inferred schema, and a note that there is no other.

    merged: the user's values with the chart's defaults; unknown_keys: severity of keys that the chart never reads.
    """
    label = f"{chart.name} {chart.version}"
    findings = [_note(schema, given, label)]
    allowed = allow_templated(schema, given.values)
    found = violations(jsonschema.Draft7Validator(allowed).iter_errors(merged))
    index = index_schema(schema, own_values(chart)) if found else {}
    for violation in found[: MAX_FINDINGS + 1]:
        if violation.rule == "unknown-key":
            findings.append(_unread(violation, schema, given, index, chart.name, label, unknown_keys))
        elif given.complete or violation.rule != "missing-key":
            findings.append(_wrong(violation, schema, given, label))
    return findings + _forbidden(schema, given, label)


def _note(schema: Schema, given: UserValues, label: str) -> Finding:
    message = "the chart ships no schema: its keys are checked by what its templates read"
    if schema.get("x-open"):
        message = f"the chart ships no schema, and its keys are not checked: {schema['x-open'][0]}"
    return Finding(Mark(given.file), "", message, "", NO_SCHEMA, NOTE, label, f"chart {label}")


def _unread(
    violation: Violation, schema: Schema, given: UserValues, index: Index, chart: str, label: str, severity: str
) -> Finding:
    path = violation.path
    source = f"chart {label}, {_source(schema, path[:-1]) or 'its templates and values.yaml'}"
    hint = _hint(violation, index, chart)
    mark = given.mark(path, key=True)
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


def _wrong(violation: Violation, schema: Schema, given: UserValues, label: str) -> Finding:
    source = f"chart {label}, {_source(schema, violation.path) or 'its templates and values.yaml'}"
    mark = given.mark(violation.path)
    path = show_path(violation.path)
    return Finding(mark, path, violation.message, violation.hint, violation.rule, ERROR, label, source)


def _forbidden(schema: Schema, given: UserValues, label: str) -> list[Finding]:
    found: list[Finding] = []
    stack: list[tuple[Path, Schema]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        for name, fact in node.get("x-forbidden", {}).items():
            found_node = given.node((*path, name))
            if found_node is not None and found_node.value is not None:
                mark = given.mark((*path, name), key=True)
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
