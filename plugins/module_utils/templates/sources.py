# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A chart's templates with its subcharts', parsed: what Helm renders, the helpers, and other files that may be run."""

from __future__ import annotations

import re

from ..charts.files import ChartFiles
from . import reads
from .nodes import Node
from .origins import Path
from .reads import Reads
from .syntax import TemplateError, parse

VALUES_PATH = re.compile(r"\.Values((?:\.[A-Za-z_]\w*)*)")
# A file's name, its nodes, and the path at which its chart's values stand.
Page = tuple[str, list[Node], Path]


class Sources:
    """defines: {helper: [(file, nodes)]}; pages: what Helm renders, and templates in values; other: what a template
    may load with .Files; roots: where each chart's values stand; incomplete: whether a dependency is not packed."""

    def __init__(self, chart: ChartFiles, found: Reads) -> None:
        self.reads = found
        self.defines: dict[str, list[tuple[str, list[Node]]]] = {}
        self.pages: list[Page] = []
        self.other: list[Page] = []
        self.roots: list[Path] = []
        self.incomplete = False
        self.load(chart, (), "")

    def load(self, chart: ChartFiles, prefix: Path, folder: str) -> None:
        self.roots.append(prefix)
        own = len(self.roots)
        self.incomplete = self.incomplete or bool(chart.missing())
        for name, sub in chart.named_subcharts():
            self.load(sub, (*prefix, name), f"{folder}charts/{sub.name}/")
        library = chart.metadata.get("type") == "library"
        for name, text in chart.templates.items():
            nodes = self.parsed(text, folder + name, prefix)
            if nodes and not library and not name.rpartition("/")[2].startswith("_"):
                self.pages.append((folder + name, nodes, prefix))
        for name, text in chart.files.items():
            nodes = self.parsed(text, folder + name, prefix, strict=False)
            if nodes:
                self.other.append((folder + name, nodes, prefix))
        self.load_values(chart, folder, [prefix, *self.roots[own:]])

    def load_values(self, chart: ChartFiles, folder: str, prefixes: list[Path]) -> None:
        """Take templates in values.yaml for run, in the chart's context and in those of its subcharts."""
        if "{{" in chart.values:
            nodes = self.parsed(chart.values, f"{folder}values.yaml", prefixes[0], strict=False)
            self.pages += [(f"{folder}values.yaml", nodes, prefix) for prefix in prefixes]

    def parsed(self, text: str, file: str, prefix: Path, strict: bool = True) -> list[Node]:
        """Return a file's nodes and keep its helpers; where it is no template, note the paths that it shows."""
        try:
            template = parse(text, file)
        except TemplateError as exc:
            self.reads.place = (file, 0)
            if strict:
                self.reads.cannot_follow(str(exc))
            for match in VALUES_PATH.finditer(text):
                self.reads.use((*prefix, *match.group(1).split(".")[1:]), reads.FREE)
            return []
        for name, nodes in template.defines.items():
            same = self.defines.setdefault(name, [])
            if not any(nodes == other for _file, other in same):  # libraries are packed into many subcharts
                same.append((file, nodes))
        return template.nodes
