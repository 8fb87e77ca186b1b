# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Versions as numbers that can be compared."""

from __future__ import annotations

import re

Version = tuple[int, ...]


def version(text: str | None) -> Version | None:
    """Return a version's leading numbers ('v1.28.1-rc2' gives (1, 28, 1)), None where there is none."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", text or "")
    return tuple(int(part) for part in found[1].split(".")) if found else None


def show_version(number: Version) -> str:
    """Return a version as people write it: 0.18."""
    return ".".join(map(str, number))
