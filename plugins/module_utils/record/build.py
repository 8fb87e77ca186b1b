# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a deployment: what went in, what was done when, what came out. As data; see record.schema.json."""

from __future__ import annotations

import datetime
import getpass
import hashlib
import json
import os
import socket
import typing as t

from ..base.data import Object
from ..base.events import parse_time
from ..base.mask import mask, mask_text
from ..changes.fingerprints import listed
from .parts import RELEASE, parts_of

# Whoever reads records goes by this number; it changes with their shape.
FORMAT = 2
STARTED_FORMAT = "%Y%m%dT%H%M%SZ"
# Texts of a diagnosis are others' logs.
TEXT_LIMIT = 8000
# Of a diagnosis, what Ansible adds, and its words on the screen, which are made of the rest.
SHOWN = ("changed", "failed", "screen", "warnings", "invocation")


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
        row.update(status=str(event.get("status")), end=at if ended else None)
        if event.get("detail"):
            row["detail"] = mask_text(str(event["detail"]))
    rows = sorted(found.values(), key=lambda row: row["begin"])
    for row in rows:
        row["begin"] = round(max(row["begin"], 0.0), 3)
        row["end"] = row["end"] if row["end"] is None else round(max(row["end"], row["begin"]), 3)
        row["seconds"] = None if row["end"] is None else round(row["end"] - row["begin"], 3)
    return rows


def build(params: Object, events: list[Object], now: datetime.datetime) -> Object:
    """Return the record of module deployment_record's options; secrets are masked.

    Raises ValueError where started is no time.
    """
    started = datetime.datetime.strptime(params["started"], STARTED_FORMAT).replace(tzinfo=datetime.timezone.utc)
    stack = params.get("stack") or {}
    failed = params["outcome"] == "failed"
    approved = params.get("approved_inputs") or {}
    record = {
        "format": FORMAT,
        "cluster": params["cluster"],
        "namespace": stack.get("namespace") or "",
        "started": started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "finished": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round((now - started).total_seconds(), 1),
        "outcome": params["outcome"],
        "by": params.get("by") or {},
        "failure": _failure(params.get("failure") or {}) if failed else {},
        "diagnosis": _diagnosis(params.get("diagnosis") or {}) if failed else {},
        "versions": params.get("versions") or {},
        "plan_digest": params.get("plan_digest") or "",
        "approved": {"digest": approved_digest(approved), "inputs": approved} if approved else {},
        "inputs": mask(params.get("inputs") or {}),
        "stack": mask({key: value for key, value in stack.items() if key != "objects"}),
        "releases": mask(_releases(params.get("releases") or [], stack, approved)),
        "routes": listed(stack.get("routes") or []),
        "leftovers": params.get("leftovers") or [],
        "removed": params.get("removed") or [],
        "steps": spans(events, started.timestamp()),
        "verification": mask(params.get("verification") or {}),
    }
    # As JSON has it: keys are texts, whatever Ansible's own types were.
    return json.loads(json.dumps(record, default=str))


def approved_digest(inputs: t.Mapping[str, str]) -> str:
    """Return one hash over the hashes of what was approved: each release's chart and values, routes, preparation."""
    return "sha256:" + hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()


def _failure(failure: Object) -> Object:
    return {key: mask_text(str(failure.get(key) or "")) for key in ("component", "text")}


def _diagnosis(found: Object) -> Object:
    """Return a diagnosis without what only the run itself shows."""
    return _shortened(mask({key: value for key, value in found.items() if key not in SHOWN}))


def _releases(rows: list[Object], stack: Object, approved: Object) -> list[Object]:
    """Return the releases with their component, where their chart came from, and the hash of chart and values."""
    wanted = {
        part["name"]: {"component": part["component"], "chart_ref": part.get("chart_ref") or ""}
        for part in parts_of(stack)
        if part["kind"] == RELEASE
    }
    found = []
    for row in rows:
        known = wanted.get(row.get("name"), {"component": "", "chart_ref": ""})
        values = approved.get(f"{known['component']}/{row.get('name')}") or ""
        found.append({**row, **known, "inputs_digest": values})
    return found


def _shortened(value: t.Any) -> t.Any:
    """Return data whose texts end after TEXT_LIMIT characters."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shortened(item) for item in value]
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        return value[:TEXT_LIMIT] + " [...]"
    return value


# What AWX and Automation Controller set for a job's processes.
JOB_ID, CONTROLLER = "JOB_ID", ("AWX_HOST", "TOWER_HOST", "AWX_PRIVATE_DATA_DIR")


def author(given: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> dict[str, str]:
    """Return {user, host} and where a controller runs it {job, controller}.

    given: what is known already (user, job), "" or absent where it is not; environment: of this process.
    """
    found = {"user": str(given.get("user") or "") or _user(), "host": socket.gethostname()}
    controller = next((environment[name] for name in CONTROLLER if environment.get(name)), "")
    job = str(given.get("job") or "") or (environment.get(JOB_ID, "") if controller else "")
    if job:
        found["job"] = job
    if job and controller.startswith(("http://", "https://")):
        found["controller"] = controller
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
