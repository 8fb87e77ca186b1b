# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What changes of a container's command line: a flag's value, or how many arguments come and go."""

from __future__ import annotations

import collections
import shlex
import typing as t

from ..base.mask import MASK, is_secret_flag, mask_text

LONGEST = 60
# So many arguments that come or go are named.
NAMED = 2


def command_changes(old: t.Sequence[str], new: t.Sequence[str]) -> t.Iterator[tuple[tuple[str, ...], str]]:
    """Yield (keys below the list, change) of two command lines; one change says how many arguments come and go."""
    sides = [_arguments(_words(side)) for side in (old, new)]
    both = [flag for flag in sides[1] if flag and flag in sides[0]]
    for flag in both:
        if sides[0][flag] != sides[1][flag]:
            yield (flag,), _value_change(flag, *(" ".join(side[flag]) for side in sides))
    more, fewer = _beside(sides[1], sides[0]), _beside(sides[0], sides[1])
    if more or fewer:
        yield (), " ".join(filter(None, [_amount("+", more), _amount("−", fewer)]))
    elif not any(sides[0][flag] != sides[1][flag] for flag in both):
        yield (), "in another order or form"


def _words(items: t.Sequence[str]) -> list[str]:
    """Return the words of a command line; a text with spaces is a shell's."""
    words: list[str] = []
    for item in items:
        try:
            words += shlex.split(item, comments=True) if any(mark in item for mark in " \n") else [item]
        except ValueError:
            words += item.split()
    return words


def _arguments(words: list[str]) -> dict[str, list[str]]:
    """Return the values of each flag, in order; what belongs to none is under ""."""
    found: dict[str, list[str]] = {"": []}
    flag = ""
    for word in words:
        if word.startswith("--") or (word.startswith("-") and len(word) == 2 and word[1].isalpha()):
            flag, mark, value = word.partition("=")
            found.setdefault(flag, [])
            if mark:
                found[flag].append(value)
                flag = ""
        else:
            found[flag].append(word)
            flag = ""
    return found


def _value_change(flag: str, old: str, new: str) -> str:
    if is_secret_flag(flag):
        return "changed"
    return f"{_shown(old)} → {_shown(new)}"


def _shown(text: str) -> str:
    text = mask_text(text) or "unset"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _beside(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """Return the arguments of a command line that another lacks, each as it may be shown."""
    named = [_argument(flag, values) for flag, values in one.items() if flag and flag not in other]
    return named + [mask_text(word) for word in (collections.Counter(one[""]) - collections.Counter(other[""]))]


def _argument(flag: str, values: list[str]) -> str:
    return " ".join([flag, *([MASK] if values and is_secret_flag(flag) else values)])


def _amount(sign: str, arguments: list[str]) -> str:
    """Return how many arguments come or go, and which where they are few and short."""
    if not arguments:
        return ""
    text = ", ".join(arguments)
    named = f" ({mask_text(text)})" if len(arguments) <= NAMED and len(text) <= LONGEST else ""
    return f"{sign}{len(arguments)}{named}"
