# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A release whose revision Helm has no more: made from the recorded chart, if that is still what it was."""

from __future__ import annotations

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..deploy.base import Work
from ..helm.image_check import checked_render
from ..helm.records import Release
from ..helm.wanted import Wanted, prepare

RENDER_SECONDS = 120
KEYS = ("name", "chart_ref", "chart_version", "values")


class RecordedCharts:
    """Renders the charts of a record; Helm is only looked for where a chart is needed."""

    def __init__(self, work: Work) -> None:
        self.work = work
        # By release and namespace, as Helm is to install them.
        self.wanted: dict[tuple[str, str], Wanted] = {}

    def rendered(self, row: Object, wanted: Object, *, upgrade: bool) -> Release:
        """Return the release as its chart makes it; raise OrchestratorError where the chart is not what it was.

        row: the record's; wanted: a part of the kind release; upgrade: whether the release exists.
        """
        release = {**{key: wanted.get(key) for key in KEYS}, "namespace": row["namespace"]}
        options, helm = self.work.params, self.work.helm
        (one,) = prepare([release], helm, options["chart_cache"], plain_http=options["plain_http"])
        recorded = row.get("chart_digest")
        if recorded and one.chart.digest != recorded:
            raise OrchestratorError(
                f"its chart {wanted['chart_ref']} has changed: its digest is {one.chart.digest}, the recorded one is "
                f"{recorded}"
            )
        arguments = one.template(self.work.inventory.version, self.work.inventory.apis, upgrade=upgrade)
        text = checked_render(helm, arguments, one.chart.path, RENDER_SECONDS)
        self.wanted[row["name"], row["namespace"]] = one
        return Release(
            one.name, row["namespace"], 0, "deployed", one.chart.name, one.chart.version, one.values, text, {}
        )
