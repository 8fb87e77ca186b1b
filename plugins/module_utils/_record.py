# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a deployment: what went in, what was done when, what came out. As data and as Markdown."""

from __future__ import annotations

import datetime
import os
import re
import tempfile
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import parse_time
from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import mask, mask_text

FORMAT = 1
STARTED_FORMAT = "%Y%m%dT%H%M%SZ"
WIDTH = 40
# Records may be shared within a group; they hold no secrets.
FILE_MODE, DIRECTORY_MODE = 0o640, 0o750

Object = dict[str, t.Any]


def spans(events: list[Object], origin: float) -> list[Object]:
    """Return the timed steps: component, name, step, status, begin and end (seconds after origin).

    A step begins with its started event, or where none is there by its own seconds; end is None while it runs.
    """
    found: dict[tuple[str, str, str], Object] = {}
    for event in events:
        key = (str(event.get("component", "")), str(event.get("name", "")), str(event.get("step", "")))
        try:
            at = parse_time(str(event.get("time"))) - origin
        except ValueError:
            continue
        row = found.get(key)
        if row is None:
            begin = at - float(event.get("seconds") or 0.0)
            row = found[key] = dict(zip(("component", "name", "step"), key, strict=True)) | {"begin": begin}
        ended = event.get("status") in ("done", "failed")
        row["begin"] = min(row["begin"], at)
        row.update(status=event.get("status"), end=at if ended else None)
        if event.get("detail"):
            row["detail"] = mask_text(str(event["detail"]))
    rows = sorted(found.values(), key=lambda row: row["begin"])
    for row in rows:
        row["begin"] = round(max(row["begin"], 0.0), 3)
        row["end"] = row["end"] if row["end"] is None else round(max(row["end"], row["begin"]), 3)
        row["seconds"] = None if row["end"] is None else round(row["end"] - row["begin"], 3)
    return rows


def build(params: Object, events: list[Object], now: datetime.datetime) -> Object:
    """Return the record of module deployment_record's options; secrets are masked."""
    started = datetime.datetime.strptime(params["started"], STARTED_FORMAT).replace(tzinfo=datetime.timezone.utc)
    stack = params.get("stack") or {}
    return {
        "format": FORMAT,
        "cluster": params["cluster"],
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "finished": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round((now - started).total_seconds(), 1),
        "outcome": params["outcome"],
        "failure": mask(params.get("failure") or {}) if params["outcome"] == "failed" else {},
        "versions": params.get("versions") or {},
        "plan_digest": params.get("plan_digest") or "",
        "inputs": mask(params.get("inputs") or {}),
        "stack": mask({key: value for key, value in stack.items() if key != "objects"}),
        "releases": mask(params.get("releases") or []),
        "steps": spans(events, started.timestamp()),
        "verification": mask(params.get("verification") or {}),
    }


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
    parts = [_head(record), _timeline(record), _releases(record), _verification(record), _versions(record)]
    return "\n\n".join(part for part in parts if part) + "\n"


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


def prepare_directory(path: str, dry: bool = False) -> None:
    """Make a run's directory and prove that it can be written; dry only asks the nearest folder that exists.

    Raises OrchestratorError naming the folder.
    """
    hint = "Set llm_d_records_dir to a folder that you can write, or mend its permissions."
    if dry:
        while not os.path.exists(path) and os.path.dirname(path) != path:
            path = os.path.dirname(path)
        if not os.path.isdir(path) or not os.access(path, os.W_OK | os.X_OK):
            raise OrchestratorError(f"The record of the deployment cannot be written under {path}.", hint=hint)
        return
    try:
        os.makedirs(path, mode=DIRECTORY_MODE, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as exc:
        reason = exc.strerror or exc
        raise OrchestratorError(
            f"The record of the deployment cannot be written to {path}: {reason}.", hint=hint
        ) from exc


def write_atomic(path: str, text: str) -> None:
    """Write a file as a whole or not at all. Raises OrchestratorError."""
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".record-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, FILE_MODE)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as exc:
        raise OrchestratorError(f"Cannot write {path}: {exc.strerror or exc}.") from exc
