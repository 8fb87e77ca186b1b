# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A return to a recorded deployment carried out: all releases in parallel, each waited for by itself."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._charts import fetch_chart
from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils._deploy import HELM_PROCESSES, Deploy, prepare
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import Events
from ansible_collections.llm_d.orchestrator.plugins.module_utils._helm import Helm, HelmError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._install import Installer
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inventory import Inventory
from ansible_collections.llm_d.orchestrator.plugins.module_utils._nudge import nudge
from ansible_collections.llm_d.orchestrator.plugins.module_utils._readiness import NotReady, Readiness
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_objects import fingerprinted
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import Release
from ansible_collections.llm_d.orchestrator.plugins.module_utils._removal import Removal
from ansible_collections.llm_d.orchestrator.plugins.module_utils._replacing import mend
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rollback_plan import CHART, HISTORY, UNCHANGED, Step
from ansible_collections.llm_d.orchestrator.plugins.module_utils._watch import Watches

Object = dict[str, t.Any]

ATTEMPTS = 4
GRACE = 10


def rollback_arguments(name: str, namespace: str, number: int, timeout: int) -> list[str]:
    """Return the arguments of `helm rollback`; timeout (s) bounds the chart's hooks only."""
    return ["rollback", name, str(number), "--namespace", namespace, "--history-max", "10", "--timeout", f"{timeout}s"]


class Restore:
    """Restores releases of one cluster."""

    def __init__(self, cluster: Cluster, helm: Helm, inventory: Inventory, params: Object) -> None:
        """params: wait_timeout, events_file, chart_cache, plain_http of the module."""
        self.cluster, self.helm, self.inventory, self.params = cluster, helm, inventory, params
        self.deadline = time.monotonic() + params["wait_timeout"]
        self.watches, self.events = Watches(cluster), Events(params["events_file"])
        self.readiness = Readiness(cluster, self.watches, fail_fast=True, grace=GRACE)

    def run(self, steps: list[Step]) -> list[Object]:
        """Return a row for each release, as records have them; what failed has an error. Nothing is left running."""
        for step in steps:
            if step.action == CHART:
                self._check_chart(step)
        with concurrent.futures.ThreadPoolExecutor(max(HELM_PROCESSES, len(steps) or 1)) as pool:
            return list(pool.map(self._restored, steps))

    def remove(self, releases: list[Release]) -> None:
        """Remove releases that the deployment did not have; claims stay."""
        removal = Removal(self.cluster, self.helm, self.inventory, self.watches, self.events)
        removal.run(releases, max(60, int(self.deadline - time.monotonic())), check=False, keep_claims=True)

    def _check_chart(self, step: Step) -> None:
        """Refuse a chart that is no longer what it was."""
        wanted, digest = step.wanted, step.row.get("chart_digest")
        chart = fetch_chart(
            wanted["chart_ref"], wanted.get("chart_version") or None, helm=self.helm.binary,
            cache_dir=self.params["chart_cache"], env=self.helm.env, plain_http=self.params["plain_http"],
        )  # fmt: skip
        if digest and chart.digest != digest:
            raise OrchestratorError(
                f"{step.name} cannot be restored: its chart {wanted['chart_ref']} is no longer what it was.",
                hint="Run site.yml with the chart of that deployment.",
            )

    def _restored(self, step: Step) -> Object:
        row = {key: value for key, value in step.row.items() if key != "error"}
        row.update(action=step.action if step.action == UNCHANGED else "rolled back", reason=step.why, objects=[])
        begin = time.monotonic()
        try:
            row.update(self._from_chart(step) if step.action == CHART else self._from_history(step))
        except NotReady as exc:
            row.update(objects=exc.objects, error=str(exc))
        except OrchestratorError as exc:
            row.update(action=None, error=str(exc))
        return {**row, "seconds": round(time.monotonic() - begin, 2)}

    def _from_history(self, step: Step) -> Object:
        """Return what a row gets: revision and objects."""
        component = step.row.get("component") or "rollback"
        release = t.cast(Release, step.current)
        if step.action == HISTORY:
            with self.events.step(component, "rollback", name=step.name):
                self._helm(step)
            release = self.inventory.releases(step.namespace, [step.name])[step.name]
            mend(self.inventory, release)
        objects = self.inventory.scoped(release.manifest, step.namespace)
        if step.action == HISTORY:
            nudge(self.inventory, objects)
        with self.events.step(component, "ready", name=step.name):
            states = self.readiness.wait(objects, self.deadline)
        return {"revision": release.revision, "objects": fingerprinted(states, objects)}

    def _helm(self, step: Step) -> None:
        number = int(step.row["revision"])
        for attempt in range(ATTEMPTS):
            timeout = max(30, int(self.deadline - time.monotonic()))
            try:
                self.helm.run(rollback_arguments(step.name, step.namespace, number, timeout), timeout + 30)
                return
            except HelmError as exc:
                if not exc.transient or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(2**attempt)  # back-off after a failure: there is nothing to watch

    def _from_chart(self, step: Step) -> Object:
        params = {"component": step.row.get("component") or "", "namespace": step.namespace, "adopt": False}
        installer = Installer(self.cluster, self.helm, self.inventory, self.watches, params, self.deadline)
        keys = ("name", "chart_ref", "chart_version", "values")
        (wanted,) = prepare(
            [{key: step.wanted.get(key) for key in keys}], self.helm, self.params["chart_cache"],
            plain_http=self.params["plain_http"],
        )  # fmt: skip
        self.inventory.ensure_namespace(step.namespace, params["component"])
        deploy = Deploy(installer, self.inventory, self.readiness, self.events, True)
        (result,) = deploy.carry_out([installer.plan(wanted, step.current)])
        return {"revision": result["revision"], "objects": result["objects"]}
