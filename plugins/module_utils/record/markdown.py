# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A record as Markdown, to read."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object

WIDTH = 40


def timeline(steps: list[Object], total: float) -> list[str]:
    """Return one text line for each component and name: a bar from its first begin to its last end."""
    rows: dict[tuple[str, str], Object] = {}
    for step in steps:
        row = rows.setdefault((step["component"], step["name"]), {"begin": step["begin"], "end": 0.0, "bad": False})
        row["begin"] = min(row["begin"], step["begin"])
        row["end"] = max(row["end"], total if step["end"] is None else step["end"])
        row["bad"] = row["bad"] or step["status"] == "failed"
    labels = {key: " ".join(dict.fromkeys(part for part in key if part)) for key in rows}
    width = max((len(text) for text in labels.values()), default=0)
    scale = WIDTH / max(total, 0.001)
    lines = []
    for key, row in sorted(rows.items(), key=lambda item: item[1]["begin"]):
        left = min(int(row["begin"] * scale), WIDTH - 1)
        length = max(1, min(round((row["end"] - row["begin"]) * scale), WIDTH - left))
        drawn = (" " * left + ("!" if row["bad"] else "#") * length).ljust(WIDTH)
        lines.append(f"{labels[key]:<{width}} |{drawn}| {row['begin']:7.1f} s to {row['end']:7.1f} s")
    return lines


def markdown(record: Object) -> str:
    """Return the record as a page to read."""
    parts = (_head, _diagnosis, _timeline, _releases, _verification, _versions)
    return "\n\n".join(filter(None, (part(record) for part in parts))) + "\n"


def _head(record: Object) -> str:
    lines = [
        f"# Deployment on {record['cluster']}: {record['outcome']}",
        "",
        f"Started {record['started']}, finished {record['finished']} ({record['seconds']:.1f} s).",
    ]
    stack = record["stack"]
    if stack.get("namespace"):
        gateway = stack.get("gateway") or {}
        where = f"{gateway.get('namespace')}/{gateway.get('name')} ({gateway.get('provider')})"
        lines += ["", f"Namespace {stack['namespace']}, Gateway {where}."]
    if record["plan_digest"]:
        lines += ["", f"Plan `{record['plan_digest']}`."]
    failure = record["failure"]
    if failure:
        lines += ["", "## Failure", "", f"Component: {failure.get('component') or 'unknown'}", ""]
        lines += _block(str(failure.get("text") or "no message"))
    return "\n".join(lines)


def _diagnosis(record: Object) -> str:
    diagnosis, lines = record["diagnosis"], []
    for cause in diagnosis.get("causes") or []:
        lines += [f"- **{_cell(cause.get('title') or cause.get('id'))}** ({_cell(cause.get('id'))})"]
        lines += [f"  {_cell(row)}" for row in cause.get("evidence") or []]
        lines += [f"  What to do: {_cell(cause['remedy'])}"] if cause.get("remedy") else []
    if not lines:
        lines = [f"- {_cell(row)}" for row in diagnosis.get("evidence") or []]
    lines += [f"- {_cell(row)}" for row in diagnosis.get("state") or []]
    return "\n".join(["## Diagnosis", "", *lines]) if lines else ""


def _block(text: str) -> list[str]:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return [fence + "text", text, fence]


def _timeline(record: Object) -> str:
    lines = timeline(record["steps"], record["seconds"])
    if not lines:
        return ""
    note = "What overlaps ran in parallel; `!` marks what failed."
    return "\n".join(["## Timeline", "", note, "", *_block("\n".join(lines))])


def _table(title: str, head: list[str], rows: list[list[t.Any]]) -> str:
    if not rows:
        return ""
    cells = [" | ".join(_cell(value) for value in row) for row in rows]
    rule = "|".join(["---"] * len(head))
    return "\n".join([f"## {title}", "", f"| {' | '.join(head)} |", f"|{rule}|", *(f"| {row} |" for row in cells)])


def _cell(value: t.Any) -> str:
    return str("" if value is None else value).replace("\n", " ").replace("|", "\\|")[:200]


def _releases(record: Object) -> str:
    rows = [
        [
            item.get("name"),
            item.get("action") or "failed",
            item.get("chart"),
            item.get("chart_version"),
            str(item.get("chart_digest") or "")[:19],
            item.get("revision"),
            item.get("seconds"),
            item.get("error"),
        ]
        for item in record["releases"]
    ]
    return _table("Releases", ["release", "action", "chart", "version", "digest", "revision", "seconds", "error"], rows)


def _verification(record: Object) -> str:
    found = record["verification"]
    models = [
        [row.get("name"), row.get("model"), row.get("status"), row.get("latency_ms"),
         ", ".join(row.get("served_by") or []), row.get("url_path")]
        for row in found.get("models") or []
    ]  # fmt: skip
    bad = [[row["model"], row["name"], row["detail"]] for row in found.get("checks") or [] if not row.get("ok")]
    return "\n\n".join(
        part
        for part in (
            _table("Models", ["name", "model", "status", "latency in ms", "served by", "request"], models),
            f"Endpoint: {found['endpoint']}" if found.get("endpoint") else "",
            _table("Findings", ["model", "check", "detail"], bad),
        )
        if part
    )


def _versions(record: Object) -> str:
    return _table("Versions", ["tool", "version"], [[name, value] for name, value in record["versions"].items()])
