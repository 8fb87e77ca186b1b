# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of a plan that says what room there is, in lines. The report's form is that of capacity_report."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_amounts import MILLI, is_bytes, parse, shown

Object = dict[str, t.Any]


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
    return lines + [f"may not be read: {name}" for name in capacity.get("unread") or []]


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
