# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Variables of a guide: where each is set, what it may be, and what it comes to for a choice of some of them.

A page sets a variable once for all, or in several blocks of which a reader takes one. So definitions are kept, and
looked up with the choices made: a block that contradicts a choice does not count.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .report import At
from .shell import ShellLine, ShellWord, Unknown, expand, names_in

# Deeper than any guide's; a variable that is made of itself ends there.
MAX_DEPTH = 20
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
# Comments as pages write them: "base | gke", "options: none, gke", "other na, agentgateway or istio".
_CHOICES = re.compile(
    r"(?:options(?: are)?|others?)\b\s*:?\s*(?P<list>.+)|(?P<bars>[\w./-]+(?:\s*\([^)]*\))?(?:\s*\|\s*[\w./-]+)+)"
)
_CHOICE = re.compile(r"[A-Za-z0-9][\w./-]*\Z")


@dataclasses.dataclass(frozen=True)
class Definition:
    """raw: the text as written; block: the fenced block or file that it stands in; choices: what else it may be.

    when: the values of other variables for which it is set.
    """

    name: str
    raw: str
    at: At
    block: int
    choices: tuple[str, ...] = ()
    # Whether what the environment has comes first, as in X=${X:-value}.
    fallback: bool = False
    when: t.Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class GuideVariables:
    """Definitions in order; given: variables that the user sets, which win."""

    given: dict[str, str] = dataclasses.field(default_factory=dict)
    found: dict[str, list[Definition]] = dataclasses.field(default_factory=dict)

    def copy(self) -> GuideVariables:
        """Return the same definitions, to which others may be added."""
        return GuideVariables(self.given, {name: list(items) for name, items in self.found.items()})

    def define(self, definition: Definition) -> None:
        """Note a definition."""
        self.found.setdefault(definition.name, []).append(definition)

    def is_free(self, name: str) -> bool:
        """Return whether a page leaves a choice: it names several values, or sets several in turn."""
        items = self.found.get(name, [])
        return any(item.choices for item in items) or len({item.raw for item in items if not item.when}) > 1

    def choices(self, name: str) -> set[str]:
        """Return the values that a variable may have by the page."""
        items = self.found.get(name, [])
        return {one for item in items for one in (*item.choices, item.raw) if "$" not in one and one}

    def definition(self, name: str, chosen: t.Mapping[str, str], before: At | None = None) -> Definition | None:
        """Return the definition that counts: the last one before a place, of a block that contradicts no choice."""
        items = [item for item in self.found.get(name, []) if self._holds(item, name, chosen)]
        kept = [item for item in items if not self._contradicts(item, chosen)] or items
        if before is not None:
            earlier = [item for item in kept if item.at.file != before.file or item.at.line <= before.line]
            kept = earlier or kept[:1]
        return kept[-1] if kept else None

    def _holds(self, item: Definition, name: str, chosen: t.Mapping[str, str]) -> bool:
        return all(other != name and (self.value(other, chosen) or "") in values for other, values in item.when.items())

    def _contradicts(self, item: Definition, chosen: t.Mapping[str, str]) -> bool:
        return any(
            other.block == item.block and "$" not in other.raw and other.raw != value
            for name, value in chosen.items()
            for other in self.found.get(name, [])
        )

    def value(
        self, name: str, chosen: t.Mapping[str, str] | None = None, before: At | None = None, depth: int = 0
    ) -> str | None:
        """Return what a variable comes to, None where that is not known."""
        chosen = chosen or {}
        if name in chosen:
            return chosen[name]
        if name in self.given:
            return self.given[name]
        item = self.definition(name, chosen, before)
        if item is None or depth > MAX_DEPTH:
            return None
        unknown = Unknown()
        # ${X:-value} in the definition of X itself asks the environment, which is not known.
        text = expand(
            item.raw,
            lambda other: None if other == name else self.value(other, chosen, before, depth + 1),
            unknown,
        )
        return None if unknown.names else text

    def lookup(self, chosen: t.Mapping[str, str], before: At | None = None) -> t.Callable[[str], str | None]:
        """Return a function that finds variables by name."""
        return lambda name: self.value(name, chosen, before)

    def needs(self, text: str, seen: frozenset[str] = frozenset()) -> set[str]:
        """Return the variables that a text is made of, those of their definitions included."""
        found: set[str] = set()
        for name in names_in(text):
            if name not in seen:
                inner = {n for item in self.found.get(name, []) for n in self.needs(item.raw, seen | {name})}
                found |= {name} | inner
        return found


def assignments(line: ShellLine) -> list[tuple[str, str]]:
    """Return the variables that a line sets for what follows, with or without export; [] where it does not."""
    words = list(line.words)
    exported = bool(words) and words[0].bare and words[0].text in ("export", "readonly", "local")
    words = words[1:] if exported else words
    found: list[tuple[str, str]] = []
    for word in words:
        match = _ASSIGNMENT.match(word.text) if not word.operator else None
        if match is None:
            return found if exported and found else []
        found.append((match[1], _raw(word, match.end())))
    return found


def _raw(word: ShellWord, start: int) -> str:
    """Return the text behind NAME=; what single quotes hold is kept from being replaced."""
    parts = [part.text.replace("$", "\\$") if part.quote == "'" else part.text for part in word.parts]
    return "".join(parts)[start:]


def choices_of(comment: str) -> tuple[str, ...]:
    """Return the values that a comment names for a variable, () where it names none."""
    match = _CHOICES.search(comment)
    if match is None:
        return ()
    text = re.sub(r"\([^)]*\)", " ", match["list"] or match["bars"])
    words = re.split(r"\s*(?:\||,|\bor\b|\band\b)\s*", text)
    return tuple(word for word in (one.strip() for one in words) if _CHOICE.match(word))


def read_settings(lines: t.Sequence[ShellLine], file: str, variables: GuideVariables, block: int) -> list[ShellLine]:
    """Note the variables that a file such as env.sh sets; return the lines that are no such thing.

    Of if, elif and else the branch counts whose test is known to hold; where it is not known, none does.
    """
    rest: list[ShellLine] = []
    # Of each open if: whether a branch was taken, and whether the present one is; None where it is not known.
    stack: list[list[bool | None]] = []
    for line in lines:
        first = line.words[0].text if line.words else ""
        if first in ("if", "elif"):
            if first == "if":
                stack.append([False, False])
            elif not stack:
                rest.append(line)
                continue
            state = stack[-1]
            holds = _test(line, variables) if state[0] is False else (None if state[0] is None else False)
            state[0] = None if holds is None else state[0] or holds
            state[1] = holds
            if holds is None:
                rest.append(line)
        elif first == "else" and stack:
            taken = stack[-1][0]
            stack[-1][1] = None if taken is None else not taken
        elif first == "fi" and stack:
            stack.pop()
        elif first in ("then", "set", "shopt", ":") or not line.words and not line.broken:
            continue
        else:
            found = assignments(line)
            if not found:
                rest.append(line)
            elif all(state[1] is True for state in stack):
                for name, raw in found:
                    variables.define(_own(Definition(name, raw, At(file, line.number), block)))
    return rest


def _own(item: Definition) -> Definition:
    own = re.match(rf"\$\{{{item.name}:?[-=]", item.raw) is not None
    return dataclasses.replace(item, fallback=own)


def _test(line: ShellLine, variables: GuideVariables) -> bool | None:
    """Return whether [[ $X == "value" ]] holds, None where that is not known."""
    words = [word for word in line.words[1:] if not (word.operator and word.text == ";")]
    words = [word for word in words if word.text not in ("then",)]
    if len(words) == 5 and words[0].text in ("[[", "[") and words[2].text in ("==", "=", "!="):
        unknown = Unknown()
        left, right = (expand(words[at].text, variables.lookup({}), unknown) for at in (1, 3))
        if not unknown.names:
            return (left == right) == (words[2].text != "!=")
    if len(words) == 4 and words[0].text in ("[[", "[") and words[1].text in ("-z", "-n"):
        unknown = Unknown()
        text = expand(words[2].text, variables.lookup({}), unknown)
        # A variable that nothing sets is empty.
        empty = not text or bool(unknown.names and re.fullmatch(r"\$\{?\w+\}?", words[2].text))
        return empty if words[1].text == "-z" else not empty
    return None
