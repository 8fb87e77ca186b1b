# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Words for a reader: lists that end early, numbers with their noun."""

from __future__ import annotations

import typing as t


def listed(names: t.Iterable[str], shown: int = 3) -> str:
    """Return the first names, each once, and how many more there are; "" for none."""
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - shown} more" if len(unique) > shown else ""
    return ", ".join(unique[:shown]) + more


def plural(count: int, word: str, words: str = "") -> str:
    """Return a number with its noun: 1 node, 2 nodes. words: the plural that is no mere s."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it: 90 s, 12 min, 5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
