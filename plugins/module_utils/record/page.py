# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A record as one HTML page that needs nothing else, and as Markdown. The same record gives the same page."""

from __future__ import annotations

import json
import typing as t

from ..base.data import Object
from ..capacity.held import held_text
from ..components.gateway import gateway_of
from ..report import pages
from . import timeline, topology_svg
from .fronts import fronts
from .topology import topology

# Of evidence, which is others' logs; a page is read by people.
LINES = 40

HTML = """\
{% extends "layout" %}
{% block heading %}Deployment on <bdi>{{ record.cluster }}</bdi>{% endblock %}
{% block main %}
{% if record.outcome == "failed" %}
<section>
{% if causes %}
<h2>Why it failed</h2>
{% endif %}
{% for cause in causes %}
<div class="card {{ "warn" if cause.severity == "warning" else "bad" }}">
<h3><bdi>{{ cause.title or cause.id or "unknown cause" }}</bdi></h3>
<p class="muted"><bdi>{{ [cause.id, cause.component, cause.where]|select|join(" \u00b7 ")|soft }}</bdi></p>
<p><bdi>{{ cause.cause|soft }}</bdi></p>
{% if cause.remedy %}
<p><strong>What to do: </strong><bdi>{{ cause.remedy|soft }}</bdi></p>
{% endif %}
{% if cause.evidence %}
<pre>{{ cause.evidence|join("\\n")|cut(4000)|soft }}</pre>
{% endif %}
{% if cause.explained %}
<p class="muted">Explains: <bdi>{{ cause.explained|soft }}</bdi></p>
{% endif %}
</div>
{% endfor %}
{% if left %}
<h2>State of the objects</h2>
<div class="card"><ul>
{% for row in left %}
<li><bdi>{{ row|soft }}</bdi></li>
{% endfor %}
</ul></div>
{% endif %}
<h2>Error</h2>
<div class="card{{ "" if causes else " bad" }}">
<h3>Component <bdi>{{ record.failure.component or "unknown" }}</bdi></h3>
<pre>{{ (record.failure.text or "no message")|cut(4000)|soft }}</pre></div>
{% if evidence %}
<h2>Evidence</h2>
<div class="card"><pre>{{ evidence|join("\\n")|cut(4000)|soft }}</pre></div>
{% endif %}
</section>
{% endif %}
{% if commands %}
<section><h2>Ask the models</h2>
<div class="card"><p>With the cluster's kubeconfig:</p>
{% for command in commands %}
<pre class="command">{{ command|soft }}</pre>
{% endfor %}
</div></section>
{% endif %}
{% if topology %}
<section><h2>Topology</h2>
<figure>
{{ topology|join("\\n") }}
<figcaption>\u2713 ready, \u2715 not ready, ! doubtful, \u2013 not known. A dashed line leads to what is not
ready.</figcaption>
</figure></section>
{% endif %}
{% if record.steps %}
<section><h2>Timeline</h2>
<figure>
{{ timeline|join("\\n") }}
<figcaption><span class="key work"></span>working<span class="key wait"></span>waiting until ready
<span class="key probe"></span>verifying<span class="key failed"></span>failed<br/>
Steps that overlap ran in parallel.</figcaption>
</figure></section>
{% endif %}
{% for title, columns, rows in tables %}
{{ table(title, columns, rows) }}
{% endfor %}
{% endblock %}
"""

MARKDOWN = """\
# Deployment on {{ record.cluster }}: {{ record.outcome }}

Started {{ record.started|moment }}, finished {{ record.finished|moment }} ({{ "%.1f"|format(record.seconds) }} s).
{% if record.namespace %}

Namespace {{ record.namespace }}{% if gateway.name %}, Gateway {{ gateway.namespace }}/{{ gateway.name }} (\
{{ gateway.provider }}){% endif %}.
{% endif %}
{% if record.plan_digest %}

Plan `{{ record.plan_digest }}`.
{% endif %}
{% if record.verification.endpoint %}

Endpoint: {{ record.verification.endpoint }}
{% endif %}
{% if commands %}

## Ask the models

{{ commands|join("\\n")|fenced("sh") }}
{% endif %}
{% if causes %}

## Why it failed

{% for cause in causes %}
- **{{ (cause.title or cause.id)|cut(200) }}** ({{ cause.id }})
{% for row in cause.evidence %}
  {{ row|cut(200) }}
{% endfor %}
{% if cause.remedy %}
  What to do: {{ cause.remedy|cut(200) }}
{% endif %}
{% endfor %}
{% endif %}
{% if left %}

## State of the objects

{% for row in left %}
- {{ row|cut(200) }}
{% endfor %}
{% endif %}
{% if record.failure %}

## Error

Component: {{ record.failure.component or "unknown" }}

{{ (record.failure.text or "no message")|fenced }}
{% for row in evidence %}
- {{ row|cut(200) }}
{% endfor %}
{% endif %}
{% if record.steps %}

## Timeline

Steps that overlap ran in parallel; `!` marks failures.

{{ timeline|join("\\n")|fenced }}
{% endif %}
{% for title, columns, rows in tables %}
{{ table(title, columns, rows) -}}
{% endfor %}
"""


def page(record: Object) -> str:
    """Return a record as an HTML page, which is well-formed XML behind its first line."""
    by, stack = record["by"], record["stack"]
    roots = [*filter(None, [topology(record)]), *fronts(record)]
    gateway = gateway_of(stack)
    facts = [
        ("Namespace", record["namespace"]),
        ("Gateway", f"{gateway.get('namespace')}/{gateway['name']}" if gateway.get("name") else ""),
        ("Started", pages.moment(record["started"])),
        ("Took", f"{record['seconds']:.1f} s"),
        ("By", f"{by.get('user')} on {by.get('host')}" if by.get("user") else ""),
        ("Job", " ".join(filter(None, [by.get("job"), by.get("controller")]))),
        ("Endpoint", record["verification"].get("endpoint")),
        ("Plan", record["plan_digest"]),
    ]
    return pages.html(
        "record.html",
        HTML,
        **_shown(record),
        title=f"Deployment on {record['cluster']}: {record['outcome']}",
        outcome=record["outcome"],
        good=record["outcome"] == "succeeded",
        data="record.json",
        facts=facts,
        topology=[
            topology_svg.drawing(root, form, f"-{number}" if number else "")
            for number, root in enumerate(roots)
            for form in ("wide", "narrow")
        ],
        timeline=[timeline.drawing(record, form) for form in ("wide", "narrow")],
    )


def markdown(record: Object) -> str:
    """Return a record as Markdown."""
    bars, gateway = timeline.bars(record["steps"], record["seconds"]), gateway_of(record["stack"])
    return pages.markdown("record.md", MARKDOWN, **_shown(record), gateway=gateway, timeline=bars)


def _shown(record: Object) -> Object:
    """Return what both pages say of a record besides its drawings."""
    diagnosis = record["diagnosis"]
    causes = [_cause(cause) for cause in diagnosis.get("causes") or [] if isinstance(cause, dict)]
    left = diagnosis.get("state")
    return {
        "record": record,
        "causes": causes,
        "evidence": [] if causes else _lines(diagnosis.get("evidence") or []),
        "left": [_text(row) for row in left] if isinstance(left, list) else [],
        "commands": _commands(record["verification"].get("commands") or []),
        "tables": _tables(record),
    }


def _commands(rows: t.Sequence[t.Any]) -> list[str]:
    """Return commands of one or several lines, each as one text."""
    found: list[str] = []
    for row in map(str, rows):
        if found and found[-1].endswith("\\"):
            found[-1] += f"\n{row}"
        else:
            found.append(row)
    return found


def _tables(record: Object) -> list[tuple[str, t.Sequence[str], list[list[t.Any]]]]:
    """Return (title, columns, rows) of all that is a list in a record."""
    found = record["verification"]
    models = [
        [row.get("name"), row.get("model"), _styled(row.get("status"), "good" if row.get("ok") else "bad"),
         row.get("latency_ms"), row.get("url_path"), ", ".join(map(str, row.get("served_by") or []))]
        for row in found.get("models") or []
    ]  # fmt: skip
    classes = [
        [row.get("router"), row.get("policy"), row.get("class") or f"classifier: {row.get('chosen') or 'none'}",
         row.get("model"), _styled(row.get("status"), "good" if row.get("ok") else "bad"), row.get("latency_ms"),
         row.get("answered_by")]
        for row in found.get("classes") or []
    ]  # fmt: skip
    findings = [
        [row.get("model"), _styled(row.get("name"), "warn" if row.get("level") == "warning" else "bad"),
         row.get("detail"), row.get("hint")]
        for row in found.get("checks") or []
        if not row.get("ok")
    ]  # fmt: skip
    findings += [["", "note", note, ""] for note in found.get("notes") or []]
    releases = []
    for row in record["releases"]:
        action = "failed" if row.get("error") else row.get("action") or "failed"
        releases.append([row.get("name"), _styled(action, "bad" if action == "failed" else ""), row.get("chart"),
                         row.get("chart_version"), str(row.get("chart_digest") or "")[:12], row.get("revision"),
                         row.get("seconds"), row.get("error")])  # fmt: skip
    return [
        ("Models", ("name", "model", "status", "latency in ms", "request", "served by"), models),
        ("Classes", ("router", "policy", "class", "model", "status", "latency in ms", "answered by"), classes),
        ("Findings", ("model", "check", "what was found", "what to do"), findings),
        ("Releases", ("release", "action", "chart", "version", "digest", "revision", "in s", "error"), releases),
        ("No longer in the inventory", ("object", "what became of it", "holds"), _unwanted(record)),
        ("Versions", ("tool", "version"), [list(row) for row in record["versions"].items()]),
    ]


def _unwanted(record: Object) -> list[list[t.Any]]:
    """Return the rows of what the stack no longer has."""
    left = [
        [f"{row['kind']} {row['namespace']}/{row['name']}", _styled("still there", "warn"), held_text(row)]
        for row in record.get("leftovers") or []
    ]
    return left + [[line, "deleted", ""] for line in record.get("removed") or []]


def _styled(text: t.Any, style: str) -> Object:
    return {"text": text, "style": style}


def _cause(cause: Object) -> Object:
    """Return a cause with what its lists come to."""
    return {
        **cause,
        "where": ", ".join(map(_text, cause.get("objects") or [])),
        "evidence": _lines(cause.get("evidence") or []),
        "explained": ", ".join(map(_text, cause.get("explains") or [])),
    }


def _lines(rows: t.Any) -> list[str]:
    rows = rows if isinstance(rows, list) else [rows]
    more = [f"and {len(rows) - LINES} more, in record.json"] if len(rows) > LINES else []
    return [*map(_text, rows[:LINES]), *more]


def _text(value: t.Any) -> str:
    """Return a line for what the diagnosis names: a text, or an object by kind, namespace and name."""
    if isinstance(value, dict) and value.get("kind") and value.get("name"):
        where = "/".join(str(part) for part in (value.get("namespace"), value["name"]) if part)
        return f"{value['kind']} {where}"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
