# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A status as lines to read: a head, a table of what matters, what to do."""

from __future__ import annotations

import collections
import typing as t

from ..base.data import Object
from ..capacity.held import held_text

HEADINGS = ("COMPONENT", "OBJECT", "STATE", "DRIFT")
WIDEST = 70
# More rows than these are counted; the file has them all.
ROWS = 40


def screen(result: Object, fix: str = "", prune: str = "") -> list[str]:
    """Return the lines: what is deployed, releases and whatever is not as it should be, and the commands that mend.

    fix: deploys what was changed; prune: deletes what is left over.
    """
    lines = [head(result)]
    if not result["deployed"]:
        return lines + notes(result)
    shown = [row for row in result["rows"] if row["kind"] == "Helm release" or row["drift"] or row["ready"] is False]
    lines += table(shown[:ROWS])
    if len(shown) > ROWS:
        lines.append(f"... and {len(shown) - ROWS} more rows; status_file has them all")
    lines.append(f"{len(result['rows']) - len(shown)} more objects are unchanged and ready.")
    lines += notes(result)
    if fix and (result["drifted"] or not result["healthy"]):
        lines.append(f"To fix it: {fix}")
    if prune and result["leftovers"]:
        lines.append(f"To delete what is left over: {prune}")
    return lines


def left_over(result: Object) -> str:
    """Return how much is left over, and what that holds."""
    rows = result["leftovers"]
    devices: collections.Counter[str] = collections.Counter()
    for row in rows:
        devices.update(row["devices"])
    found = held_text({"pods": sum(row["pods"] for row in rows), "devices": devices})
    return f"{len(rows)} left over" + (f" ({found})" if found else "")


def head(result: Object) -> str:
    """Return the first line."""
    record, where = result["record"], f"Namespace {result['namespace']}"
    if not result["deployed"]:
        return f"{where}: nothing of this collection is deployed."
    health = "healthy" if result["healthy"] else "NOT HEALTHY"
    if not record:
        return f"{where}: {health}; there is no record, so the comparison is with Helm's manifests only."
    user = (record.get("by") or {}).get("user")
    models = ", ".join(map(str, record.get("models") or [])) or "no models"
    drift = "DRIFTED from its record" if result["drifted"] else "no drift"
    drift += f", {left_over(result)}" if result["leftovers"] else ""
    return f"{where}: {health}, {drift}. Deployed {record['time']}{f' by {user}' if user else ''}: {models}."


def notes(result: Object) -> list[str]:
    """Return what else has to be known."""
    last, record = result.get("last") or {}, result["record"]
    lines = []
    if last.get("outcome") == "failed":
        than = f"; the record above is of {record['time']}" if record else ""
        lines.append(f"The newest deployment, {last['time']}, failed{than}.")
    return lines + [f"Not checked: {text}" for text in result["unseen"]]


def table(rows: t.Sequence[Object]) -> list[str]:
    """Return rows as aligned columns."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [min(WIDEST, max(len(line[index]) for line in cells)) for index in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cells(row: Object) -> tuple[str, ...]:
    # A pod's name begins as its object's in the same row, and would take the place of what is wrong with it.
    state = " ".join(str(row["brief"]).split())
    drift = row["drift"] + (f": {row['detail']}" if row["detail"] else "")
    name = f"{row['kind']} {row['name']}"
    return row["component"] or "-", name, state if len(state) <= WIDEST else state[: WIDEST - 3] + "...", drift or "-"
