# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a shell text sets, and what of it is not translated."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._bench_parts import BAD, TEXT, Part, Word
from ansible_collections.llm_d.orchestrator.plugins.module_utils._bench_words import bare
from ansible_collections.llm_d.orchestrator.plugins.module_utils._mask import mask_text

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_DECLARING = ("export", "declare", "typeset", "readonly", "local")


@dataclasses.dataclass
class Value:
    """A variable's or file's text, None where it cannot be known, with the reason; line: where it was last set."""

    text: str | None
    line: int = 0
    why: str = ""


@dataclasses.dataclass
class Statement:
    """Something that is not translated: its line, what it is, why not, and the variables it affects."""

    line: int
    what: str
    why: str
    variables: list[str] = dataclasses.field(default_factory=list)

    def as_dict(self) -> dict[str, t.Any]:
        """Return it as a module returns it."""
        return {**dataclasses.asdict(self), "what": mask_text(self.what), "variables": sorted(set(self.variables))}


def origin(word: Word) -> str:
    """Return the first piece of a word that cannot be understood, "" where all can."""
    return next((part.text[:80] for part in word if part.kind == BAD), "")


def assigned(words: list[Word]) -> list[tuple[str, bool, Word]] | None:
    """Return name, whether appended to, and value of each assignment; None where the words are another command."""
    declares = bool(words) and bare(words[0]) in _DECLARING
    found: list[tuple[str, bool, Word]] = []
    for word in words[1:] if declares else words:
        head = word[0]
        match = _ASSIGNMENT.match(head.text) if head.kind == TEXT and not head.quoted else None
        if match:
            found.append((match[1], bool(match[2]), (Part(TEXT, head.text[match.end() :]), *word[1:])))
        elif not declares:
            return None
    return found


def cut(text: str, kind: str, pattern: str) -> tuple[str | None, str]:
    """Return text without a prefix (#) or suffix (%): plain letters, with a * at one end at most."""
    plain = pattern.strip("*")
    if any(letter in plain for letter in "*?[\\"):
        return None, f"the pattern {pattern[:40]}"
    open_end = pattern.endswith("*") if kind[0] == "%" else pattern.startswith("*")
    if not open_end:
        return (text.removesuffix(plain) if kind[0] == "%" else text.removeprefix(plain)), ""
    if kind[0] == "%":
        at = text.find(plain) if len(kind) > 1 else text.rfind(plain)
        return (text[:at] if at >= 0 else text), ""
    at = text.rfind(plain) if len(kind) > 1 else text.find(plain)
    return (text[at + len(plain) :] if at >= 0 else text), ""
