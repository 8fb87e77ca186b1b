# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Conditions as the Kubernetes API keeps them: built, and compared with what is there."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

Condition = dict[str, Any]


def condition(kind: str, ok: bool, reason: str, message: str, generation: int) -> Condition:
    """A condition without its time; `at` adds it when it is written."""
    return {
        "type": kind,
        "status": "True" if ok else "False",
        "reason": reason,
        "message": message,
        "observedGeneration": generation,
    }


def now() -> str:
    """The time as the API writes it, in UTC to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def timed(wanted: list[Condition], present: list[Condition] | None, moment: str) -> list[Condition]:
    """Give each condition its lastTransitionTime: the old one where the status is unchanged, else `moment`."""
    old = {item["type"]: item for item in present or []}
    result = []
    for item in wanted:
        before = old.get(item["type"], {})
        same = before.get("status") == item["status"]
        result.append({**item, "lastTransitionTime": before.get("lastTransitionTime", moment) if same else moment})
    return result


def find(conditions: list[Condition] | None, kind: str) -> Condition:
    """The condition of a type; empty where there is none."""
    return next((item for item in conditions or [] if item["type"] == kind), {})
