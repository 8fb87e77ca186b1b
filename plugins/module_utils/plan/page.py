# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A plan as a Markdown page, to read and to approve."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.mask import mask_text
from ..base.quantities import MILLI, is_bytes, parse, shown
from ..report import pages
from .document import (
    by_release,
    changes,
    cluster_text,
    counts,
    decisions,
    extra_vars,
    finding_line,
    grant,
    grants,
    left_text,
    missing_consents,
    object_text,
    open_questions,
)
from .file import masked_plan

# A longer diff says no more to a reader; plan.json has all of it.
DIFF_LINES = 400

PAGE = """\
# Plan for {{ name }}

Namespace {{ plan.namespace }} on {{ cluster }}, seen {{ plan.made }}.

Digest: `{{ plan.digest }}`

|{% for action in counts %} {{ action }} |{% endfor +%}
|{% for action in counts %}---|{% endfor +%}
|{% for action in counts %} {{ counts[action] }} |{% endfor +%}
{% if not changed %}

**Nothing would change**: all objects are up to date.
{% elif command %}

## How to approve

{% if open %}
Answer the questions below, then make a new plan with:

{{ ("-e '" ~ answers ~ "'")|fenced }}
{% else %}
This deploys exactly what this page shows, or fails:

{{ command|fenced("sh") }}
{% if missing %}

It needs these too, which consent to what is listed below:

{{ ("-e '" ~ grants ~ "'")|fenced }}
{% endif %}
{% endif %}
{% endif %}
{{ table("Consents" ~ (" (%d missing)"|format(missing|length) if missing else ""),
         ["kind", "what", "consent", "variable"], consents) -}}
{{ table("Questions", ["object", "question", "choices", "answer"], questions) -}}
{{ table("Actions", ["action", "component", "release", "objects", "changes", "why"], actions) -}}
{{ table("Charts", ["release", "chart", "version", "digest", "from"], charts) -}}
{{ table("Order", ["wave", "components", "at once", "seconds"], order) -}}
{{ bullets("Capacity", capacity) -}}
{% if access.missing %}
{{ bullets("Permissions that " ~ access.user ~ " lacks", access.missing) }}
This grants everything that the plan needs:

{{ access.role_yaml.rstrip("\n")|fenced("yaml") }}
{% endif %}
{{ bullets("Findings", findings) -}}
{{ bullets("Notes", notes) -}}
{{ bullets("Left over", leftovers) -}}
{{ bullets("Images", images) -}}
{% for component, rows in diffs %}

## Differences: {{ component }}
{% for title, diff in rows %}

### {{ title }}

{{ diff|fenced("diff") }}
{% endfor %}
{% endfor %}
"""


def plan_page(plan: Object, *, name: str = "", command: str = "") -> str:
    """Return a plan as a page, without secrets. name: the inventory host; command: what deploys it."""
    plan = masked_plan(plan)
    shown = {
        "plan": plan,
        "name": name or (plan.get("cluster") or {}).get("host") or "the cluster",
        "cluster": cluster_text(plan),
        "command": command,
        "counts": counts(plan),
        "changed": changes(plan),
        "open": open_questions(plan),
        "answers": extra_vars({"llm_d_decisions": decisions(plan)}),
        "missing": missing_consents(plan),
        "grants": extra_vars(grants(plan)),
        "capacity": capacity_lines(plan.get("capacity") or {}),
        "access": plan.get("access") or {},
        "findings": [finding_line(item) for item in plan.get("findings") or []],
        "notes": plan.get("notes") or [],
        "leftovers": [f"{left_text(row)}: {row.get('why') or ''}" for row in plan.get("leftovers") or []],
        "images": [f"`{image}`" for image in plan.get("images") or []],
        "diffs": _diffs(plan),
    }
    return mask_text(pages.markdown("plan.md", PAGE, **shown, **_rows(plan)))


def _rows(plan: Object) -> dict[str, list[list[t.Any]]]:
    """Return the rows of the page's tables."""
    chart = ("release", "name", "version", "digest", "ref")
    return {
        "consents": [
            [row.get("kind"), row.get("what") or row.get("id"), _granted(row),
             "" if row.get("granted") else f"`{grant(row)}`"]
            for row in plan.get("consents") or []
        ],
        "questions": [
            [row["id"], row.get("text"), "; ".join(map(": ".join, (row.get("choices") or {}).items())),
             row.get("answer") or "**open**"]
            for row in plan.get("questions") or []
        ],
        "actions": [
            [*key, ", ".join(map(object_text, rows)),
             "; ".join(dict.fromkeys(text for row in rows for text in row.get("changes") or [])),
             "; ".join({row["why"]: 0 for row in rows if row.get("why")})]
            for key, kinds in by_release(plan.get("actions") or []).items()
            for rows in kinds.values()
        ],
        "charts": [[row.get(key) for key in chart] for row in plan.get("charts") or []],
        "order": [
            [row.get("wave"), ", ".join(row.get("components") or []), "yes" if row.get("parallel") else "no",
             row.get("seconds")]
            for row in plan.get("order") or []
        ],
    }  # fmt: skip


def _granted(consent: Object) -> str:
    return "given" if consent.get("granted") else "with this plan" if consent.get("optional") else "**missing**"


def _diffs(plan: Object) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the diffs by component, each with its title."""
    found: dict[str, list[tuple[str, str]]] = {}
    for action in sorted(plan.get("actions") or [], key=lambda item: str(item.get("component"))):
        if action.get("diff"):
            lines = action["diff"].rstrip("\n").split("\n")
            more = len(lines) - DIFF_LINES
            lines = [*lines[:DIFF_LINES], f"... {more} lines more, in plan.json"] if more > 0 else lines
            rows = found.setdefault(str(action.get("component")), [])
            rows.append((f"{action['action']} {object_text(action)}", "\n".join(lines)))
    return list(found.items())


def capacity_lines(capacity: Object) -> list[str]:
    """Return what the plan's pods ask for, which stay Pending, and what quotas say; nothing where it is unknown."""
    lines = [_resource(capacity, name, amount) for name, amount in (capacity.get("requested") or {}).items()]
    lines += [
        f"{row.get('pods')} of {row.get('of')} pods of {row.get('workload')} stay Pending: {row.get('why')}"
        for row in capacity.get("pending") or []
    ]
    lines += [
        f"quota {row.get('name')}: {row.get('added')} {row.get('resource')} more,"
        f" {row.get('used')} of {row.get('hard')} used now"
        for row in capacity.get("quota") or []
    ]
    return lines + [f"not permitted to read: {name}" for name in capacity.get("unread") or []]


def _resource(capacity: Object, name: str, amount: str) -> str:
    """Return one resource: what the whole plan asks for, and what the nodes have."""
    free, total = (capacity.get("free") or {}).get(name), (capacity.get("allocatable") or {}).get(name)
    nodes = capacity.get("nodes")
    where = f" on {nodes} node{'' if nodes == 1 else 's'}" if nodes else ""
    asked, all_of_it = f"{name}: {_shown(name, amount)} asked for", _shown(name, total)
    if free is None or total is None:
        return asked + (f", {all_of_it}{where} in all" if total else "")
    return f"{asked}, {_shown(name, free)} of {all_of_it}{where} free now"


def _shown(name: str, quantity: t.Any) -> str:
    """Return a quantity for a reader."""
    number = parse(quantity)
    if number is None:
        return str(quantity)
    return shown(name, number) if is_bytes(name) else f"{number / MILLI:g}"
