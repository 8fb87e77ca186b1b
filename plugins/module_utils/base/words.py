# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Words for a reader: lists that end early, numbers with their noun."""

from __future__ import annotations

import textwrap
import typing as t


def listed(names: t.Iterable[str], shown: int = 3) -> str:
    """Return the first names, each once, and how many more there are; "" for none."""
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - shown} more" if len(unique) > shown else ""
    return ", ".join(unique[:shown]) + more


def plural(count: int, word: str, words: str = "") -> str:
    """Return a number with its noun: 1 node, 2 nodes. words: the plural that is no mere s."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def sentence(text: str) -> str:
    """Return a text as a sentence, with a capital and a full stop; "" for none."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it: 90 s, 12 min, 5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a text's lines, each of at most width columns; what goes on is indented further than its line.

    indent: stands before each line. Words are never broken, so that paths and addresses can be copied.
    """
    found: list[str] = []
    for line in text.splitlines():
        body = line.lstrip()
        head = indent + line[: len(line) - len(body)]
        after = head + " " * (4 if body.startswith("- ") else 2)
        found += textwrap.wrap(body, max(width, len(after) + 20), initial_indent=head, subsequent_indent=after,
                               break_long_words=False, break_on_hyphens=False) or [""]  # fmt: skip
    return found
