# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A release whose revision Helm has no more: made from the recorded chart, if that is still what it was."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..helm.command import Helm, template_arguments
from ..helm.deployed import HelmRecords
from ..helm.image_check import checked_render
from ..helm.records import Release
from ..helm.wanted import Wanted, prepare

RENDER_SECONDS = 120


KEYS = ("name", "chart_ref", "chart_version", "values")


class RecordedCharts:
    """Renders the charts of a record; Helm is only looked for where a chart is needed."""

    def __init__(self, inventory: HelmRecords, make_helm: t.Callable[[], Helm], params: Object) -> None:
        """make_helm: called once, at the first chart; params: chart_cache and plain_http of the module."""
        self.inventory, self.make_helm, self.params = inventory, make_helm, params
        self._helm: Helm | None = None
        # By release and namespace, as Helm is to install them.
        self.wanted: dict[tuple[str, str], Wanted] = {}

    @property
    def helm(self) -> Helm:
        """Helm, with the registry that the recorded deployment took its images from."""
        if self._helm is None:
            self._helm = self.make_helm()
        return self._helm

    def rendered(self, row: Object, wanted: Object, *, upgrade: bool) -> Release:
        """Return the release as its chart makes it; raise OrchestratorError where the chart is not what it was.

        row: the record's; wanted: as helm_releases takes it; upgrade: whether the release exists.
        """
        release = {key: wanted.get(key) for key in KEYS}
        (one,) = prepare([release], self.helm, self.params["chart_cache"], plain_http=self.params["plain_http"])
        recorded = row.get("chart_digest")
        if recorded and one.chart.digest != recorded:
            raise OrchestratorError(
                f"its chart {wanted['chart_ref']} is no longer what it was: its digest is {one.chart.digest}, "
                f"recorded was {recorded}"
            )
        arguments = template_arguments(
            one.name, one.chart.path, row["namespace"], one.files,
            kube_version=self.inventory.version, apis=self.inventory.apis, upgrade=upgrade,
        )  # fmt: skip
        text = checked_render(self.helm, arguments, one.chart.path, RENDER_SECONDS)
        self.wanted[row["name"], row["namespace"]] = one
        return Release(
            one.name, row["namespace"], 0, "deployed", one.chart.name, one.chart.version, one.values, text, {}
        )

    def close(self) -> None:
        """Remove Helm's values files."""
        if self._helm is not None:
            self._helm.close()
