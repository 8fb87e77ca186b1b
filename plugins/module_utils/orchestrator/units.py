# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Times and sizes as orchestrator.yaml writes them."""

from __future__ import annotations

import re
import typing as t

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1}
for _power, _letter in enumerate("KMGT", 1):
    _BYTES.update({_letter: 1000**_power, f"{_letter}i": 1024**_power})


def seconds(text: t.Any) -> float | None:
    """Return a time (30s, 5m) in seconds, None where it is none."""
    found = re.fullmatch(r"([0-9]+)(ms|s|m|h|d)", str(text))
    return int(found[1]) * _SECONDS[found[2]] if found else None


def size(text: t.Any) -> float | None:
    """Return a size (16Gi, 500M, 1024) in bytes, None where it is none."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([KMGT]i?)?B?", str(text).replace(" ", ""))
    return float(found[1]) * _BYTES[found[2] or ""] if found else None


def shown(number: float) -> str:
    """Return bytes for a reader: 15.6Gi."""
    for unit in ("Ti", "Gi", "Mi", "Ki"):
        if number >= _BYTES[unit]:
            return f"{number / _BYTES[unit]:.1f}".removesuffix(".0") + unit
    return f"{number:g}"
