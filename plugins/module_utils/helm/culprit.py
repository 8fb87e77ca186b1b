# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which key of the values keeps a chart from being rendered, found by leaving keys out.

Helm names the template and its line, where what a user wrote stands under another name.
"""

from __future__ import annotations

import time
import typing as t

Path = tuple[t.Any, ...]
# Each costs a run of Helm: a wrong key is found with a dozen, in values of the guides' size.
MOST_RUNS, SECONDS = 40, 10.0
# A text that every template can write.
_PLAIN = "x"


def culprit(values: t.Any, renders: t.Callable[[t.Any], bool]) -> Path:
    """Return the deepest key without which the chart renders, () where no single key is to blame, or time is over.

    renders: whether the chart renders with given values.
    """
    end, runs = time.monotonic() + SECONDS, 0
    path: Path = ()
    held = values
    while True:
        found = None
        for key, changed in _changes(values, path, held):
            runs += 1
            if runs > MOST_RUNS or time.monotonic() > end:
                return path
            if renders(changed):
                found = key
                break
        if found is None:
            return path
        path, held = (*path, found), held[found]


def _changes(values: t.Any, path: Path, held: t.Any) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Yield (key, values without it) for each key of what stands at a path, then with another text where it has one.

    What a chart requires cannot be left out; another text in its place tells whether the text is to blame.
    """
    keys = list(held) if isinstance(held, dict) else range(len(held)) if isinstance(held, list) else ()
    for key in keys:
        yield key, without(values, (*path, key))
    for key in keys:
        if isinstance(held[key], str):
            yield key, replaced(values, (*path, key), _PLAIN)


def replaced(values: t.Any, path: Path, value: t.Any) -> t.Any:
    """Return values with another value at a path; what is not on the way is shared."""
    step, rest = path[0], path[1:]
    inner = replaced(values[step], rest, value) if rest else value
    if isinstance(values, dict):
        return {**values, step: inner}
    return [*values[:step], inner, *values[step + 1 :]]


def without(values: t.Any, path: Path) -> t.Any:
    """Return values without what stands at a path; what is not on the way is shared."""
    step, rest = path[0], path[1:]
    if isinstance(values, dict):
        return {key: without(value, rest) if key == step else value
                for key, value in values.items() if rest or key != step}  # fmt: skip
    return [without(value, rest) if index == step else value
            for index, value in enumerate(values) if rest or index != step]  # fmt: skip
