# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Every .Values path that a chart's templates read, found by following the templates without rendering them.

All branches are followed, helpers with the dot they are called with, loops once for any entry. The answer is an
over-approximation; what cannot be followed is marked so that nothing is taken for unread by mistake.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..charts.files import ChartFiles
from .origins import Path, TooLarge
from .reads import Place, ReadNode, Reads
from .walk import Walker


@dataclasses.dataclass(frozen=True)
class TemplatePath:
    """A path that templates read; "*" stands for any entry of a list or map.

    uses: {kind of use: (file, line) where it first stands}; compared, defaults: constants that stand beside it;
    message: what rendering fails with where it is missing.
    """

    path: Path
    uses: dict[str, Place]
    compared: tuple[t.Any, ...] = ()
    defaults: tuple[t.Any, ...] = ()
    message: str = ""


def template_paths(chart: ChartFiles) -> list[TemplatePath]:
    """Return every path that a chart's and its subcharts' templates read, in the order of their names."""
    return _listed(read_templates(chart).root)


def user_paths(text: str) -> list[TemplatePath]:
    """Return the paths that templates in a user's values read, where a chart runs them in its own context."""
    return _listed(read_templates(ChartFiles("", "", "", {}, text, None, {}, ())).root)


def _listed(root: ReadNode) -> list[TemplatePath]:
    found: list[TemplatePath] = []
    stack: list[tuple[Path, ReadNode]] = [((), root)]
    while stack:
        path, node = stack.pop()
        if path:
            found.append(TemplatePath(path, node.uses, tuple(node.compared), tuple(node.defaults), node.message))
        stack += [((*path, name), child) for name, child in node.children.items()]
    return sorted(found, key=lambda entry: entry.path)


def read_templates(chart: ChartFiles) -> Reads:
    """Return what a chart's templates read; a subchart's values stand below its name or alias."""
    walker = Walker(chart)
    try:
        walker.run()
    except (TooLarge, RecursionError) as exc:
        walker.reads.cannot_follow(f"the templates are too large to follow: {str(exc)[:80]}")
    return walker.reads
