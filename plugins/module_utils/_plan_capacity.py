# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of a plan that says what room there is, in lines."""

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]


def capacity_lines(capacity: Object) -> list[str]:
    """Return one line for each thing that a plan's capacity says, none where it is unknown."""
    return [line for key, value in capacity.items() for line in _lines(str(key), value)]


def _lines(key: str, value: t.Any) -> list[str]:
    if value in (None, "", [], {}):
        return []
    if isinstance(value, list):
        return [f"{key}: {_text(item)}" for item in value]
    return [f"{key}: {_text(value)}"]


def _text(value: t.Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return " ".join(_text(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
