# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What failed in a run and what was not begun for it, as Ansible tells of the task that failed."""

from __future__ import annotations

import typing as t

from ..base.data import Object


def failure(
    result: t.Mapping[str, t.Any],
    task: t.Mapping[str, t.Any],
    table: t.Iterable[Object],
    busy: t.Container[str] | None = None,
) -> Object:
    """Return {failed: [component], done: [component], not_started: [component], text, message}.

    done: of earlier waves; where something else failed, of the first one, without which nothing else is begun.

    result, task: ansible_failed_result and ansible_failed_task; table: the component table; busy: the components that
    have something to do, None for all.
    """
    text = str(result.get("msg") or result)
    failed = [
        str(name)
        for name in result.get("failed_components")
        or [result.get("component") or _role(task) or task.get("name") or ""]
    ]
    rows = list(table)
    first = min((row["wave"] for row in rows), default=0)
    wave = min((row["wave"] for row in rows if row["name"] in failed), default=first + 1)
    done = [row["name"] for row in rows if row["wave"] < wave]
    not_started: list[str] = []
    for row in rows:
        if row["name"] not in failed and {*row.get("needs", [])} & {*failed, *not_started}:
            not_started.append(row["name"])
    not_started = [name for name in not_started if busy is None or name in busy]
    told = f" Not deployed because of this: {', '.join(not_started)}." if not_started else ""
    message = f"Failed: {', '.join(failed)}.{told}\n{text}"
    return {"failed": failed, "done": done, "not_started": not_started, "text": text, "message": message}


def _role(task: t.Mapping[str, t.Any]) -> str:
    """Return the short name of a task's role, "" where it has none."""
    role = task.get("role") or ""
    name = role.get("_role_name") if isinstance(role, dict) else role
    return str(name or "").rpartition(".")[2]
