# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The words that a program knows, by version, and whether a value is of a word's kind.

A table is text, one row a line: since, before, kind, names. A row holds from the version `since` to the one `before` it
("-" is open); a name has its other spellings behind commas; a line that ends with | goes on in the next. Kinds:

    int, float      with bounds as mathematics writes them: float(0,1]
    size, size-auto whole numbers that may end in k, K, m, M ...; or "auto", or -1
    switch, flag    no value; a switch has a --no- twin
    bool            true or false, which a Go program takes behind "=" alone
    choice:a|b      one of these words
    json            a JSON map; json:NAME one whose keys a table of this name has
    text, optional-text, list, list:int, duration, any
    refused:WHY     a word that the program knows and ends at
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ..base.suggest import nearest
from .versions import Version, show_version, version

# A hint names a word this like; further off it would be a guess.
LIKE = 0.7
_BOUNDED = re.compile(r"(int|float)(?:([\[(])(-?[\d.]*),(-?[\d.]*)([\])]?))?\Z")
_SIZE = re.compile(r"(\d+(?=[KMGT]?\Z)|\d+(?:\.\d+)?(?=[kmgt]\Z))([kKmMgGtT]?)\Z")
# time.ParseDuration of Go.
_DURATION = re.compile(r"[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+\Z")
_TRUTHS = ("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False")


class Ranged(t.Protocol):
    """What a version has, and those that do not yet or no longer have it (None is open)."""

    @property
    def since(self) -> Version | None:
        """The first version that has it."""

    @property
    def before(self) -> Version | None:
        """The first version that no longer has it."""


class Word(t.NamedTuple):
    """A word with its other spellings: its kind, and the versions that know it (None is open)."""

    names: tuple[str, ...]
    kind: str
    since: Version | None
    before: Version | None

    @property
    def name(self) -> str:
        """The first spelling."""
        return self.names[0]

    @property
    def refused(self) -> bool:
        """Whether the program ends at it although it knows it."""
        return self.kind.startswith("refused")

    @property
    def takes_value(self) -> bool:
        """Whether a value has to follow."""
        return self.kind not in ("switch", "flag", "any", "optional-text", "bool")

    @property
    def is_single(self) -> bool:
        """Whether one value at most may follow."""
        return not self.kind.startswith(("list", "any"))

    @property
    def takes_none(self) -> bool:
        """Whether no value may follow."""
        return self.kind in ("switch", "flag")


@dataclasses.dataclass(frozen=True)
class Span:
    """The versions of a program that an image may hold, from low to high; sure: whether the table speaks of them."""

    low: Version
    high: Version
    sure: bool = True

    def __str__(self) -> str:
        both = dict.fromkeys(map(show_version, (self.low, self.high)))
        return " or ".join(both)


@dataclasses.dataclass(frozen=True)
class Table:
    """The words of one program. versions: those that the rows were read of; source: where."""

    program: str
    source: str
    versions: tuple[Version, ...]
    text: str

    def span(self, low: Version | None, high: Version | None = None) -> Span | None:
        """Return the versions of the table between two others, None where they are older or not known.

        A version between two of the table may know what either of them knows; of one that is newer than all the
        newest is the best guess.
        """
        if low is None:
            return None
        places = len(self.versions[0])
        low, high = low[:places], (high or low)[:places]
        if low < self.versions[0] or len(low) < places:
            return None
        if high > self.versions[-1]:
            return Span(self.versions[-1], self.versions[-1], sure=False)
        below = [one for one in self.versions if one <= low]
        above = [one for one in self.versions if one >= high]
        return Span(below[-1], above[0])

    def is_older(self, low: Version | None) -> bool:
        """Return whether a version is older than all of the table, which then says nothing of it."""
        return low is not None and low[: len(self.versions[0])] < self.versions[0]

    def words(self, span: Span | None) -> dict[str, Word]:
        """Return the words by each of their spellings that some version of a span knows, all for None."""
        return _words(self, span)

    @functools.cached_property
    def rows(self) -> list[Word]:
        """All words, those of one name from the oldest version on."""
        rows = []
        for line in self.text.replace("|\n", "|").strip().splitlines():
            since, before, kind, *names = line.split()
            ends = version(since), version(before)
            rows += [Word(tuple(name.split(",")), kind, *ends) for name in names]
        return sorted(rows, key=lambda word: word.since or ())

    def elsewhere(self, name: str) -> str:
        """Return which versions know a word, '' where none does."""
        return since_before([word for word in self.rows if name in word.names and not word.refused])


@functools.lru_cache(maxsize=64)
def _words(table: Table, span: Span | None) -> dict[str, Word]:
    among = (word for word in table.rows if known_versions(table.versions, word, span))
    return {name: word for word in among for name in word.names}


def known_versions(versions: t.Sequence[Version], row: Ranged, span: Span | None) -> bool:
    """Return whether some version of a span has a row, any version for None."""
    among = [one for one in versions if span is None or span.low <= one <= span.high]
    return any((row.since or one) <= one and (row.before is None or one < row.before) for one in among)


def since_before(rows: t.Sequence[Ranged]) -> str:
    """Return 'since 0.12 and before 0.18' of rows of one name in order, '' for none."""
    if not rows:
        return ""
    since, before = rows[0].since, rows[-1].before
    first = f"since {show_version(since)}" if since else ""
    last = f"before {show_version(before)}" if before else ""
    return " and ".join(filter(None, (first, last))) or "in other versions"


def guess(name: str, known: t.Iterable[str]) -> str:
    """Return ' Did you mean x?' for the known word that is like a name, '' where none is."""
    near = nearest(name, known, LIKE)
    return f" Did you mean {near}?" if near else ""


def problem(kind: str, value: t.Any) -> str:
    """Return what is wrong with a value of a word's kind, '' for nothing; texts are as a command line has them."""
    bounded = _BOUNDED.match(kind)
    if bounded:
        return _number_problem(bounded, value)
    text = str(value)
    if kind.startswith("choice:"):
        choices = kind.partition(":")[2].split("|")
        return "" if text in choices else f"is not one of {', '.join(choices)}.{guess(text, choices)}"
    if kind in ("size", "size-auto"):
        return _size_problem(text, kind == "size-auto")
    if kind == "bool":
        return "" if isinstance(value, bool) or text in _TRUTHS else "is neither true nor false"
    if kind == "duration":
        return "" if _DURATION.match(text) else "is not a duration such as 50ms"
    return ""


def _size_problem(text: str, auto: bool) -> str:
    found = _SIZE.match(text)
    if auto and text in ("auto", "-1"):
        return ""
    if not found or not float(found[1]):
        return "is not a whole number" if not found else "is not above 0"
    if len(found[1]) > 3 and found[2] in ("k", "K"):
        return f"is {int(found[1]) * (1024 if found[2] == 'K' else 1000)}, {found[1]} with the suffix {found[2]}"
    return ""


def _number_problem(bounded: re.Match[str], value: t.Any) -> str:
    whole = bounded[1] == "int"
    noun = "is not a whole number" if whole else "is not a number"
    if isinstance(value, bool):
        return noun
    try:
        number = int(str(value)) if whole and not isinstance(value, float) else float(str(value))
    except ValueError:
        return noun
    if whole and number != int(number):
        return noun
    low, high = bounded[3], bounded[4]
    under = low and (number < float(low) or (bounded[2] == "(" and number == float(low)))
    over = high and (number > float(high) or (bounded[5] == ")" and number == float(high)))
    return f"is not {_range(bounded)}" if under or over else ""


def _range(bounded: re.Match[str]) -> str:
    least = f"{'above' if bounded[2] == '(' else 'at least'} {bounded[3]}" if bounded[3] else ""
    most = f"{'below' if bounded[5] == ')' else 'at most'} {bounded[4]}" if bounded[4] else ""
    return " and ".join(filter(None, (least, most)))
