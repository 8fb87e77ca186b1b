# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Components whose releases need nothing: as wanted and ready. A run that changes nothing starts no job for them."""

from __future__ import annotations

from ..base.data import Object
from ..cluster.client import Cluster
from ..deploy import release
from ..deploy.base import Work
from ..helm.records import Release


class Settled(Work):
    """Compares releases with one cluster, without rendering a chart and without waiting."""

    def __init__(
        self, cluster: Cluster, *, helm: str, cache_dir: str | None, plain_http: bool = False, registry: str = ""
    ) -> None:
        """registry: where the images of all releases shall come from, "" for any; the others as of fetch_chart."""
        params = {"helm_binary": helm, "chart_cache": cache_dir, "plain_http": plain_http, "image_registry": registry}
        super().__init__(cluster, {**params, "fail_fast": False, "fail_fast_grace": 0}, check=True)

    def look(self, component: str, namespace: str, releases: list[Object]) -> dict[str, Release] | None:
        """Find out which of a component's releases are there, None where that may not be read; see current."""
        return release.look(self, parts_of(component, namespace, releases))

    def results(self, component: str, namespace: str, releases: list[Object]) -> list[Object] | None:
        """Return the rows of a component that needs nothing, None for one that does."""
        return release.settled(self, parts_of(component, namespace, releases))


def parts_of(component: str, namespace: str, releases: list[Object]) -> list[Object]:
    """Return releases as parts."""
    place = {"component": component, "namespace": namespace, "kind": release.KIND}
    return [{**row, **place} for row in releases]
