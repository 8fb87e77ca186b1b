# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One chart's values checked before Helm sees them: its schema and its subcharts', known facts, likely misspellings.

All charts are checked by the schema that is inferred from their files too: it is the only one of those that ship none,
and knows what others leave open.

The values checked are those that Helm checks (pkg/chartutil/jsonschema.go): the user's, coalesced with the defaults.
"""

from __future__ import annotations

import typing as t

from ..base.data import Values, dig
from ..base.deadline import TookTooLong, deadline
from ..base.findings import ERROR, MAX_FINDINGS, NOTE, WARNING, Finding, Mark, Path, at_most, short, show_path, sort_key
from ..base.formats import FLOATING
from ..base.suggest import Index, index_schema, meant, moved, suggest
from ..charts.defaults import coalesce, enabled_subcharts, own_values
from ..charts.files import ChartFiles
from ..values.layers import UserValues
from ..values.violations import Violation, violations
from .facts import Fact, facts_for, may_read, owner
from .infer import Schema, allow_templated, infer_schema
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
    inferred: Schema | None = None,
    unknown_keys: str = ERROR,
) -> list[Finding]:
    """Return all that is wrong with a user's values for a chart, the files' own mistakes included, in reading order.

    strict: likely misspellings that the chart would ignore are errors instead of warnings; inferred: the schema of the
    chart's files (made here where it is not given); unknown_keys: severity of keys that the chart never reads.
    """
    check, findings = ValuesCheck(chart, given), list(given.findings)
    try:
        merged = coalesce(chart, given.values)
    except ValueError as exc:
        hint = "use a map: these are the values of the subchart of that name"
        findings.append(check.at((str(exc),), "must be a map", hint, "subchart-values"))
        return sorted(findings, key=sort_key)
    findings += check.schemas(merged)
    schema = inferred or infer_schema(chart)
    # What the chart at hand reads, or may read, is no mistake, whatever other versions of it do.
    facts = [fact for fact in facts_for(chart.name) if fact.kind != "forbidden" or not may_read(schema, fact.path)]
    findings += [finding for fact in facts for finding in check.fact(fact, merged)]
    known = {finding.path for finding in findings}
    found = check.inferred(schema, merged, unknown_keys)
    findings += [finding for finding in found if not _is_known(finding, known)]
    known = {finding.path for finding in findings}
    findings += [
        finding for finding in misspellings(chart, given, check.label, strict, schema) if finding.path not in known
    ]
    return at_most(sorted(findings, key=sort_key))


def _is_known(finding: Finding, known: set[str]) -> bool:
    """Return whether a finding of the inferred schema is said better already; a fact may name a deeper missing key."""
    if finding.rule == "missing-key":
        return any(path == finding.path or path.startswith(f"{finding.path}.") for path in known)
    return bool(finding.path) and finding.path in known


class Hint(t.NamedTuple):
    """What to do about an unknown key; meant: the key that was meant; other_chart: whether it is another chart's."""

    text: str
    meant: Path | None = None
    other_chart: bool = False


class ValuesCheck:
    """A user's values for a chart, or for a subchart of it (prefix: the way to its values)."""

    def __init__(self, chart: ChartFiles, given: UserValues, prefix: Path = ()) -> None:
        self.chart, self.given, self.prefix = chart, given, prefix
        self.label = f"{chart.name} {chart.version}"

    def at(
        self, path: Path, message: str, hint: str, rule: str, source: str = "", severity: str = ERROR, key: bool = False
    ) -> Finding:
        """Return a finding at the place of a value, or of its key."""
        mark = self.given.mark(path, key=key)
        return Finding(mark, show_path(path), message, hint, rule, severity, self.label, source)

    def whole(self, message: str, hint: str, rule: str, severity: str = ERROR, source: str = "") -> Finding:
        """Return a finding about the chart, at the user's values as a whole."""
        return Finding(Mark(self.given.file), "", message, hint, rule, severity, self.label, source)

    def too_slow(self) -> Finding:
        """Return the finding that the chart's schema costs too much to evaluate."""
        message = f"the schema of the chart {self.label} timed out after {SECONDS:g}s"
        hint = "use another version of the chart, or shorten the longest strings: a pattern may be slow on them"
        return self.whole(message, hint, "schema-cost")

    def broken(self, reason: str) -> Finding:
        """Return the finding that the chart's schema is none."""
        hint = "Helm rejects the chart too: use another version of it"
        return self.whole(f"the schema of the chart {self.label} is invalid: {reason}", hint, "broken-schema")

    def unfollowed(self, ref: str) -> Finding:
        """Return the note of a reference that is not followed; one to a file is a mistake of the chart."""
        source = f"chart {self.label}"
        if ref.startswith(("http://", "https://")):
            return self.whole(
                f"the schema's remote reference {short(ref)} was not followed", "", "remote-ref", NOTE, source
            )
        message = f"the schema refers to {short(ref)}, which Helm does not look for in the chart"
        hint = "Helm will reject the chart: use another version of it"
        return self.whole(message, hint, "remote-ref", WARNING, source)

    def schemas(self, values: Values) -> list[Finding]:
        """Return what the schemas that the chart and its subcharts ship say."""
        findings = self.schema(self.chart.schema, values) if self.chart.schema is not None else []
        for subchart in enabled_subcharts(self.chart, values):
            inner = values.get(subchart.name)
            if isinstance(inner, dict):
                findings += ValuesCheck(subchart, self.given, (*self.prefix, subchart.name)).schemas(inner)
        return findings

    def schema(self, text: str, values: Values) -> list[Finding]:
        """Return what one schema says."""
        try:
            validator, schema, remote = compile_schema(text)
        except SchemaError as exc:
            return [self.broken(str(exc))]
        try:
            with deadline(SECONDS):
                found = violations(validator.iter_errors(values))
        except TookTooLong:
            return [self.too_slow()]
        except Exception as exc:  # jsonschema raises many types for a schema that is none
            return [self.broken(explain_broken(schema, exc))]
        findings = [self.unfollowed(ref) for ref in remote]
        index = index_schema(schema, own_values(self.chart)) if found else {}
        for violation in self.certain(found):
            unknown = violation.rule == "unknown-key"
            hint = self.unknown_hint(violation, index, "known").text if unknown else violation.hint
            source, path = f"chart {self.label}'s schema says {violation.says}", (*self.prefix, *violation.path)
            findings.append(self.at(path, violation.message, hint, violation.rule, source, key=unknown))
        return findings

    def inferred(self, schema: Schema, merged: Values, unknown_keys: str = ERROR) -> list[Finding]:
        """Return what is wrong by the schema of the chart's files, and a note where the chart ships none.

        merged: the user's values with the chart's defaults. A key that nothing reads is a mistake where another one
        must have been meant, else a warning: guides carry such.
        """
        findings = [*self.forbidden(schema), *self.unread(schema)]
        if self.chart.schema is None:
            message = "the chart ships no schema: its keys are checked by what its templates read"
            if schema.get("x-open"):
                message = f"the chart ships no schema, and its keys are not checked: {schema['x-open'][0]}"
            findings.append(self.whole(message, "", "no-schema", NOTE, f"chart {self.label}"))
        allowed = allow_templated(schema, self.given.values)
        found = violations(jsonschema.Draft7Validator(allowed).iter_errors(merged))
        index = index_schema(schema, own_values(self.chart)) if found else {}
        for violation in self.certain(found):
            path, unknown = violation.path, violation.rule == "unknown-key"
            where = _source(schema, path[:-1] if unknown else path) or "its templates and values.yaml"
            source = f"chart {self.label}, {where}"
            if not unknown:
                findings.append(self.at(path, violation.message, violation.hint, violation.rule, source))
                continue
            hint = self.unknown_hint(violation, index, "read")
            # What was meant for something does it elsewhere, unless that is what happens anyway.
            same = hint.meant is not None and dig(merged, hint.meant, self) == dig(merged, path)
            wanted = hint.other_chart and self.chart.schema is None or hint.meant is not None and not same
            severity = ERROR if wanted and unknown_keys != WARNING else WARNING
            text = f"the chart never reads it{', so it has no effect' if same else ''}"
            findings.append(self.at(path, text, hint.text, "unread-key", source, severity, key=True))
        return findings

    def certain(self, found: list[Violation]) -> list[Violation]:
        """Return as many as are shown; what is missing may stand in a file that could not be read."""
        return [one for one in found[: MAX_FINDINGS + 1] if self.given.complete or one.rule != "missing-key"]

    def unknown_hint(self, violation: Violation, index: Index, verb: str) -> Hint:
        """Return what to do about an unknown key."""
        path = violation.path
        belongs = owner(str(path[-1]), self.chart.name) if len(path) == 1 and not self.prefix else None
        if belongs:
            text = f"it belongs in the values of the chart {belongs}: use one file per chart"
            return Hint(text, None, True)
        other = meant(path, violation.siblings, index)
        if other:
            return Hint(f"did you mean {suggest(path, violation.siblings, index, self.prefix)}?", other)
        node = self.given.node(path)
        inside = moved(path, node.value if node else None, index)
        if inside:
            text = f"{verb} is {show_path((*self.prefix, *inside))}, not {show_path((*self.prefix, *path, inside[-1]))}"
            return Hint(text, inside)
        return Hint(f"remove it; {verb} here: {', '.join(sorted(violation.siblings)[:12]) or 'nothing'}")

    def forbidden(self, schema: Schema) -> list[Finding]:
        """Return the keys that the chart refuses to render with."""
        return [
            self.at((*path, name), fact["message"], "", "refused-key", fact["source"], key=True)
            for path, node in _nodes(schema)
            for name, fact in node.get("x-forbidden", {}).items()
            if self.is_given((*path, name))
        ]

    def unread(self, schema: Schema) -> t.Iterator[Finding]:
        """Yield the keys that the chart's own values have and no template reads, where the user changes them."""
        own = own_values(self.chart)
        for path, node in _nodes(schema):
            if node.get("x-unread") and self.is_given(path) and dig(self.given.values, path) != dig(own, path):
                text = "no template of the chart reads it, although its values.yaml has it: it has no effect"
                yield self.at(path, text, "remove it", "unread-key", f"chart {self.label}", WARNING, key=True)

    def is_given(self, path: Path) -> bool:
        """Return whether the user gives a value at a path, other than null."""
        node = self.given.node(path)
        return node is not None and node.value is not None

    def fact(self, fact: Fact, merged: Values) -> list[Finding]:
        """Return what is wrong by one fact, [] for nothing."""
        path: Path = fact.path
        value: t.Any = dig(merged, path)
        message = fact.message
        if fact.kind == "forbidden":
            wrong = self.is_given(path)
        elif fact.kind == "required":
            wrong = not value and self.given.complete
        else:
            reason = self.tag_mistake(value, path)
            path, message, wrong = (*path, "tag"), f"{message}: {reason}", bool(reason)
        key, severity = fact.kind == "forbidden", WARNING if wrong and _floats(value) else ERROR
        return [self.at(path, message, fact.hint, fact.rule, fact.source, severity, key=key)] if wrong else []

    def tag_mistake(self, image: t.Any, path: Path) -> str:
        """Return what is wrong with an image's tag, "" for a fixed one."""
        tag = image.get("tag") if isinstance(image, dict) else None
        if tag is None or tag == "":
            return "the tag is missing" if self.given.complete else ""
        if not isinstance(tag, str):
            return f"the tag {tag} is a number, and YAML drops its trailing zeros"
        if _floats(image):
            return f"the tag {tag} can change under a deployment"
        name = self.given.node((*path, "name"))
        if name is not None and self.given.node((*path, "tag")) is None:
            return f"the tag {tag} is the chart's default and belongs to its own image, not to {name.value}"
        return ""


def _floats(image: t.Any) -> bool:
    """Return whether an image's tag moves on to other images."""
    tag = image.get("tag") if isinstance(image, dict) else None
    return isinstance(tag, str) and tag.lower() in FLOATING


def _nodes(schema: Schema) -> t.Iterator[tuple[Path, Schema]]:
    """Yield every map of a schema that is reached by names, with the path of its value."""
    stack: list[tuple[Path, Schema]] = [((), schema)]
    while stack:
        path, node = stack.pop()
        yield path, node
        stack += [((*path, name), inner) for name, inner in node.get("properties", {}).items()]


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
