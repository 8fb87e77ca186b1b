# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Components whose releases need nothing: as wanted and ready. A run that changes nothing starts no job for them."""

from __future__ import annotations

import time

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, FINGERPRINT_LABEL
from ..changes.fingerprints import fingerprinted
from ..charts.fetch import fetch_chart
from ..cluster.client import Cluster
from ..cluster.watch import Watches
from ..deploy.install import UNCHANGED, ReleasePlan, fingerprint
from ..deploy.readiness import Readiness
from ..deploy.releases import describe
from ..helm.deployed import HelmRecords
from ..helm.records import Release, manifest_objects
from ..helm.wanted import Wanted, read_values


class Settled:
    """Compares releases with one cluster, without rendering a chart and without waiting."""

    def __init__(
        self, cluster: Cluster, *, helm: str, cache_dir: str | None, plain_http: bool = False, registry: str = ""
    ) -> None:
        """registry: where the images of all releases shall come from, "" for any; the others as of fetch_chart."""
        self.inventory = HelmRecords(cluster)
        self.readiness = Readiness(cluster, Watches(cluster), fail_fast=False, grace=0)
        # By component and release, of what has been found to need nothing.
        self.manifests: dict[tuple[str, str], str] = {}
        # By component and release, of what is there.
        self.current: dict[tuple[str, str], Release] = {}
        # Whether some could not be read, so that whose an object is cannot be told.
        self.unread = False
        self.registry = registry
        self.fetch: Object = {"helm": helm, "cache_dir": cache_dir, "plain_http": plain_http}

    def look(self, component: str, namespace: str, releases: list[Object]) -> dict[str, Release] | None:
        """Find out which of a component's releases are there, None where that may not be read; see current."""
        try:
            found = self.inventory.releases(namespace, [release["name"] for release in releases])
        except OrchestratorError:
            self.unread = True
            return None
        self.current.update({(component, name): release for name, release in found.items()})
        return found

    def results(self, component: str, namespace: str, releases: list[Object]) -> list[Object] | None:
        """Return what helm_releases would return for a component that needs nothing, None for one that does.

        releases: as helm_releases takes them. A component whose objects may not be read is not known to need nothing.
        Raises OrchestratorError where a chart cannot be read.
        """
        current = self.look(component, namespace, releases)
        if current is None:
            return None
        plans = []
        for release, values in zip(releases, read_values(releases).values(), strict=True):
            found = current.get(release["name"])
            if found is None or found.status != "deployed" or found.labels.get(COMPONENT_LABEL) != component:
                return None
            chart = fetch_chart(release["chart_ref"], release.get("chart_version") or None, **self.fetch)
            plan = ReleasePlan(
                Wanted(found.name, chart, values, [], self.registry), UNCHANGED, "", found, found.manifest
            )
            if not self._as_wanted(plan, found, namespace):
                return None
            plans.append(plan)
        ready = self._ready(plans, namespace)
        if ready is not None:
            self.manifests.update({(component, plan.wanted.name): plan.before for plan in plans})
        return ready

    def _as_wanted(self, plan: ReleasePlan, found: Release, namespace: str) -> bool:
        if found.labels.get(FINGERPRINT_LABEL) != fingerprint(plan.wanted, found.revision, self.inventory):
            return False
        try:
            objects = manifest_objects(found.manifest, namespace)
            return not self.inventory.missing(objects) and not self.inventory.drifted(objects)
        except OrchestratorError:
            return False

    def _ready(self, plans: list[ReleasePlan], namespace: str) -> list[Object] | None:
        objects = [self.inventory.scoped(plan.before, namespace) for plan in plans]
        try:
            # All watches first: they are listed side by side.
            self.readiness.follow([item for found in objects for item in found])
            states = [self.readiness.wait(found, time.monotonic()) for found in objects]
        except OrchestratorError:
            return None
        return [
            {**describe(plan, namespace), "objects": fingerprinted(state, found)}
            for plan, state, found in zip(plans, states, objects, strict=True)
        ]
