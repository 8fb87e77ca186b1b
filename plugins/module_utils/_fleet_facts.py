# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a fleet's summary takes from the results of this collection's modules, by module."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_summary import counts_text
from ansible_collections.llm_d.orchestrator.plugins.module_utils._progress import MESSAGE_LIMIT, headline

Object = dict[str, t.Any]

# How _cluster.py begins to say that a cluster does not answer.
UNREACHABLE = "Cannot reach the cluster"


def facts(module: str, answer: Object) -> Object:
    """Return what a module's result says.

    That is any of models, versions, errors, warnings, detail, diagnosis, record, plan and digest.

    module: a name without its collection; of other modules nothing is taken. answer: the result, which may be that of a
    failure, or censored.
    """
    read = READERS.get(module)
    return {key: value for key, value in read(answer).items() if value} if read else {}


def _planned(answer: Object) -> Object:
    stack, plan, found = (answer.get(key) or {} for key in ("stack", "plan", "findings"))
    levels = [row.get("severity") for row in found or [] if isinstance(row, dict)]
    charts = {str(row.get("name")): str(row.get("version")) for row in plan.get("charts") or []}
    gateway = (stack.get("gateway") or {}).get("provider")
    return {
        "models": [str(row.get("name")) for row in stack.get("models") or []],
        "versions": {
            name: str(value)
            for name, value in {"Kubernetes": stack.get("kubernetes"), "gateway": gateway, **charts}.items()
            if value
        },
        "errors": levels.count("error"),
        "warnings": levels.count("warning"),
        "detail": counts_text(plan) if plan else "",
    }


def _probed(answer: Object) -> Object:
    models = answer.get("models") or []
    good = sum(bool(row.get("ok")) for row in models)
    return {
        "models": [str(row.get("name")) for row in models],
        "warnings": len(answer.get("notes") or []),
        "detail": f"{good} of {len(models)} models answer" if models else "",
    }


def _status(answer: Object) -> Object:
    if "healthy" not in answer:
        return {}
    rows = answer.get("rows") or []
    drifted, bad = sum(bool(row.get("drift")) for row in rows), sum(row.get("ready") is False for row in rows)
    health = "healthy" if answer["healthy"] else f"{bad} not ready" if answer.get("deployed") else "nothing deployed"
    record = answer.get("record") or {}
    return {
        "models": [str(name) for name in record.get("models") or []],
        "versions": _recorded_versions(record),
        "errors": bad,
        "warnings": drifted + len(answer.get("unseen") or []),
        "detail": f"{health}, {drifted} drifted" if drifted else health,
    }


def _recorded_versions(record: Object) -> Object:
    kubernetes, charts = (record.get("versions") or {}).get("kubernetes"), record.get("charts") or {}
    return {name: str(value) for name, value in {"Kubernetes": kubernetes, **charts}.items() if value}


def _removed(answer: Object) -> Object:
    removed, kept = len(answer.get("removed") or []), len(answer.get("kept") or [])
    text = f"{removed} removed, {kept} stay" if kept else f"{removed} removed"
    return {"detail": text if removed or kept else "nothing to remove", "warnings": len(answer.get("left") or [])}


def _diagnosed(answer: Object) -> Object:
    causes = answer.get("causes") or []
    if not causes:
        return {}
    first = causes[0]
    said = [first.get("component"), first.get("title"), *(first.get("evidence") or [])[:1]]
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    return {"diagnosis": ": ".join(" ".join(str(text).split()) for text in said if text)[:MESSAGE_LIMIT] + more}


def _recorded(answer: Object) -> Object:
    return {"record": answer["path"] if answer.get("files") else ""}


def _written(answer: Object) -> Object:
    return {"plan": answer.get("path"), "digest": answer.get("digest")} if answer.get("files") else {}


READERS: dict[str, t.Callable[[Object], Object]] = {
    "stack_info": _planned,
    "probe": _probed,
    "stack_status": _status,
    "stack_teardown": _removed,
    "stack_diagnosis": _diagnosed,
    "deployment_plan": _written,
    "deployment_record": _recorded,
}


def cause(message: str) -> str:
    """Return a failure in one line: its first detail where it has some, as what stands above only counts them."""
    lines = [line.strip() for line in message.splitlines()]
    details = [line[2:] for line in lines if line.startswith("- ")]
    if not details:
        return " ".join(headline(message).split())
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return " ".join(details[0].split())[:MESSAGE_LIMIT] + more


def is_unreachable(message: str) -> bool:
    """Return whether a failure is a cluster that does not answer."""
    return UNREACHABLE in message
