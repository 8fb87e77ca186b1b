# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What became of a guide: what was translated, what was not and why, each with its file and line."""

from __future__ import annotations

import dataclasses
import typing as t

# What a report has, in the order in which people read it.
KINDS = ("untranslated", "notes", "ignored", "translated")
_WORDS = {"untranslated": "{place}: {what}: not translated, {why}", "notes": "{place}: {what}: {why}"}
MAX_SHOWN = 160


class At(t.NamedTuple):
    """A place in a file of the checkout, whose name is relative to its root; line 0 is the whole file."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclasses.dataclass
class Report:
    """Collects entries; each is kept once."""

    entries: dict[str, list[dict[str, t.Any]]] = dataclasses.field(default_factory=lambda: {kind: [] for kind in KINDS})

    def add(self, kind: str, at: At, what: str, why: str) -> None:
        """Note one thing. kind: one of KINDS; why: for what was translated, the keys that it went to."""
        entry = {"file": at.file, "line": at.line, "what": short(what), "why": why}
        if entry not in self.entries[kind]:
            self.entries[kind].append(entry)

    def lines(self) -> list[str]:
        """Return the report for people: what needs attention first, then counts."""
        shown = [
            words.format(place=At(entry["file"], entry["line"]), **entry)
            for kind, words in _WORDS.items()
            for entry in self.entries[kind]
        ]
        counts = ", ".join(f"{len(self.entries[kind])} {kind}" for kind in KINDS if kind != "notes")
        return [*shown, counts]


def short(text: str) -> str:
    """Return a text on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
