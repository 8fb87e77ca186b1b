# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a command line gives a program, and what of it the program does not take.

Python's argparse takes the beginning of an argument for the whole where only one begins so; vLLM takes _ for - and
--argument.key for a key of a JSON argument besides. Programs in Go take one dash or two.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .tables import Span, Table, Word, guess, problem

_NUMBER = re.compile(r"-\d+(\.\d+)?\Z")
# Words of a shell: what stands behind them is not the program's.
_SHELL = re.compile(r"(\d?>{1,2}|&|\||\d>&\d)")
_HELP = ("help", "-h")


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How a program reads its command line. go: by Go's flags; underscores: whether _ is -, and .key a JSON key."""

    go: bool = False
    underscores: bool = False


@dataclasses.dataclass(frozen=True)
class Given:
    """An argument as written, with the values behind it; at: its place; joined: whether by "="."""

    text: str
    values: tuple[str, ...]
    at: int
    joined: bool = False

    @property
    def shown(self) -> str:
        """What was written, without a value."""
        return self.text.partition("=")[0] if self.joined else self.text


class Fault(t.NamedTuple):
    """What a program does not take. word: whether it is the argument itself, not its value."""

    given: Given
    text: str
    word: bool


def arguments(words: t.Sequence[str]) -> tuple[list[str], list[Given]]:
    """Return the words before the first argument, and the arguments."""
    ends = next((at for at, word in enumerate(words) if _SHELL.match(word)), len(words))
    starts = [at for at in range(ends) if _is_argument(words[at])]
    found = []
    for at, end in zip(starts, [*starts, ends][1:], strict=True):
        _name, equals, value = words[at].partition("=")
        joined = bool(equals) and " " not in _name
        values = ((value,) if joined else ()) + tuple(words[at + 1 : end])
        found.append(Given(words[at], values, at, joined))
    return list(words[: starts[0] if starts else ends]), found


def _is_argument(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and not _NUMBER.match(word)


def word_of(given: Given, known: dict[str, Word], dialect: Dialect) -> Word | None:
    """Return the word that an argument is, None where none is known by it."""
    key = _key(given.shown, dialect)
    if key in known:
        return known[key]
    if dialect.go:
        return known.get(f"-{key}")
    twin = known.get(key.removeprefix("no-"))
    if twin and twin.kind == "switch" and key.startswith("no-"):
        return twin
    begun = {word for name, word in known.items() if name.startswith(key) and not key.startswith("-") and key}
    return begun.pop() if len(begun) == 1 else None


def _key(shown: str, dialect: Dialect) -> str:
    """Return an argument's name: without the two dashes, with the one of a short form."""
    if dialect.go:
        return shown.removeprefix("-").removeprefix("-")
    key = shown.removeprefix("--")
    if dialect.underscores and shown.startswith("--"):
        return key.partition(".")[0].replace("_", "-")
    return key


def faults(
    given: t.Sequence[Given], table: Table, span: Span | None, dialect: Dialect, strict: bool = True
) -> t.Iterator[Fault]:
    """Yield what a program does not take. strict: whether the words come from no shell, which may change them."""
    known = table.words(span)
    for one in given:
        if "$" in one.shown or _key(one.shown, dialect) in _HELP or _is_level(one.shown, dialect):
            continue
        word = word_of(one, known, dialect)
        if word is None:
            text = _unknown(one, table, known, dialect, span)
            if text:
                yield Fault(one, text, True)
        elif word.refused:
            if span is not None:
                yield Fault(one, f"which it refuses ({word.kind.partition(':')[2]})", True)
        else:
            text = _value_fault(one, word, dialect, strict)
            if text:
                yield Fault(one, text, False)


def _is_level(shown: str, dialect: Dialect) -> bool:
    """Return whether it is vLLM's -O3, which is written without a space."""
    return dialect.underscores and shown.startswith("-O")


def _unknown(one: Given, table: Table, known: dict[str, Word], dialect: Dialect, span: Span | None) -> str:
    key = _key(one.shown, dialect)
    name, space, _value = key.partition(" ")
    if space and word_of(Given(one.text.partition(" ")[0], (), 0), known, dialect):
        return "an argument and its value in one item: make two items of it, or join them by ="
    begun = sorted(other for other in known if not dialect.go and other.startswith(key))
    if begun and not key.startswith("-"):
        # The beginning of several, unless another version has other words.
        sure = span is not None and span.sure and span.low == span.high
        return f"which may be --{' or --'.join(begun[:3])}" if sure else ""
    where = table.elsewhere(name)
    hint = f"{table.program} has it {where}" if where else _guess(name, known, dialect)
    return "which it does not know" + (f". {hint}" if hint else "")


def _guess(name: str, known: dict[str, Word], dialect: Dialect) -> str:
    if f"-{name}" in known:
        return f"Did you mean -{name}?"
    dashes = "" if dialect.go else "--"
    return guess(dashes + name, [dashes + other for other in known if not other.startswith("-")]).strip()


def _value_fault(one: Given, word: Word, dialect: Dialect, strict: bool) -> str:
    values = [value for value in one.values if not strict or value != ""]
    if "." in one.shown or any("$" in value for value in values):
        return ""
    if word.kind == "bool":
        wrong = problem("bool", one.values[0]) if one.values else ""
        if one.joined and wrong:
            return f"whose value {one.values[0]!r} {wrong}"
        false = bool(one.values) and not one.joined and not wrong and one.values[0].lower().startswith(("f", "0"))
        return f"and {one.values[0]!r}, but it is read as true: a value must follow =" if false else ""
    if word.takes_none and strict and one.values:
        return f"which takes no value, and {one.values[0]!r}" if one.joined or _is_truth(one.values[0]) else ""
    if word.takes_value and not one.values:
        return "which needs a value"
    if not values or values[0] == "None" or word.kind.startswith(("list", "json")):
        return ""
    wrong = problem(word.kind, values[0])
    return f"whose value {_short(values[0])} {wrong}" if wrong else ""


def _is_truth(value: str) -> bool:
    return value.lower() in ("true", "false")


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:37]}...")
