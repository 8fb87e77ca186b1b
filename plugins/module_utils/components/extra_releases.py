# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Further Helm releases of a stack, by charts of the user: a batch gateway, a queue, an autoscaler.

Nothing is known of their charts. They are planned, waited for, recorded, rolled back and removed as all releases are.
"""

from __future__ import annotations

import typing as t

from ..base.data import Values, kind
from ..base.findings import Findings
from ..base.names import RELEASE_LIMIT
from ..values.layers import Layer, merge_all
from .base import RELEASE, Component, Part

KEYS: dict[str, type] = {"name": str, "chart": str, "version": str, "values_files": list, "values": dict}
VARIABLE = "llm_d_releases"


class ExtraReleasesComponent(Component):
    """The component `extra_releases`: a release for each entry of llm_d_releases."""

    name = "extra_releases"

    def resolve(self) -> None:
        """Read the entries and their values files."""
        self.rows: list[tuple[Values, str, list[Layer]]] = []
        given = self.given.get("charts") or []
        if not isinstance(given, list):
            fix = "use a list, each entry beginning with - name: NAME"
            self.stack.findings.add(VARIABLE, f"is a {kind(given)}", fix, rule="input-type")
            given = []
        for entry, where in self.stack.entries(given, VARIABLE, KEYS, limit=RELEASE_LIMIT, space="further release"):
            check_chart(entry, where, self.stack.findings)
            self.rows.append((entry, where, self.stack.loader.layers(entry, where)))

    def make_parts(self) -> list[Part]:
        return [self._part(*row) for row in self.rows if row[0].get("chart")]

    def _part(self, entry: Values, where: str, layers: list[Layer]) -> Part:
        values = merge_all(layer.values for layer in layers)
        spec = {"chart_ref": entry["chart"], "chart_version": entry.get("version") or None, "values": values}
        part = Part(self.name, entry["name"], self.namespace, RELEASE, spec, f"{where}.name", layers)
        at = where.replace(VARIABLE, "charts")
        part.chart_settings = (f"{at}.chart", f"{at}.version")
        return part


def check_chart(entry: Values, where: str, findings: Findings) -> None:
    """Note an entry without a chart, or with one that would be another tomorrow."""
    chart = entry.get("chart")
    if not chart:
        findings.add(
            f"{where}.chart", "is missing", "set it to a chart's folder, archive or address", rule="input-chart"
        )
    elif not is_local(chart) and not entry.get("version"):
        text = f"is missing: {chart} would be another chart tomorrow"
        findings.add(f"{where}.version", text, "set it to an exact version of the chart", rule="input-chart")


def is_local(chart: t.Any) -> bool:
    """Return whether a chart is a folder or an archive on this machine, whose content is its version."""
    text = str(chart)
    return text.startswith(("/", ".", "~")) or text.endswith(".tgz") and "://" not in text
