# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A return to a recorded deployment carried out: all releases in parallel, each waited for by itself."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..changes.actions import REPLACE, Action
from ..changes.fingerprints import fingerprinted
from ..deploy.base import Work
from ..deploy.nudge import nudge
from ..deploy.readiness import NotReady
from ..deploy.release import Releases
from ..deploy.removal import Removal
from ..deploy.replacing import mend, remove
from ..helm.command import HelmError
from ..helm.records import Release, same_manifest, same_values
from ..helm.recovery import Recovery, outlived
from ..helm.wanted import HELM_PROCESSES
from .chart import RecordedCharts
from .steps import CHART, HISTORY, UNCHANGED, Step

ATTEMPTS = 4


def rollback_arguments(name: str, namespace: str, number: int, timeout: int) -> list[str]:
    """Return the arguments of `helm rollback`; timeout (s) bounds the chart's hooks only."""
    return ["rollback", name, str(number), "--namespace", namespace, "--history-max", "10", "--timeout", f"{timeout}s"]


def is_restored(current: Release, step: Step) -> bool:
    """Return whether a release has the manifest and values that it is to have."""
    return same_values(current.values, step.values) and same_manifest(current.manifest, step.after, step.namespace)


class Restore:
    """Restores releases of one cluster."""

    def __init__(self, work: Work, charts: RecordedCharts) -> None:
        self.work, self.inventory, self.charts = work, work.inventory, charts

    def run(self, steps: list[Step], actions: t.Sequence[Action]) -> list[Object]:
        """Return a row for each release, as records have them; what failed has an error. Nothing is left running.

        actions: of the releases' objects; what is to be replaced is deleted before.
        """
        replaced = {step.name: [one.item for one in actions if one.action == REPLACE and one.release == step.name]
                    for step in steps}  # fmt: skip
        with concurrent.futures.ThreadPoolExecutor(max(HELM_PROCESSES, len(steps) or 1)) as pool:
            return list(pool.map(lambda step: self._restored(step, replaced[step.name]), steps))

    def remove(self, releases: list[Release]) -> None:
        """Remove releases that the deployment did not have; claims stay."""
        Removal(self.work).run(releases, int(self.work.left(60)), check=False, keep_claims=True)

    def _restored(self, step: Step, replaced: list[Object]) -> Object:
        row = {key: value for key, value in step.row.items() if key != "error"}
        row.update(action=step.action if step.action == UNCHANGED else "rolled back", reason=step.why, objects=[])
        begin = time.monotonic()
        try:
            if step.action != UNCHANGED:
                self.work.check_owner()
                remove(self.inventory, self.work.watches, replaced, self.work.deadline)
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
            with self.work.events.step(component, "rollback", name=step.name):
                self._recovered(step)
            release = self.inventory.releases(step.namespace, [step.name])[step.name]
            mend(self.inventory, release)
        objects = self.inventory.scoped(release.manifest, step.namespace)
        if step.action == HISTORY:
            nudge(self.inventory, objects)
        with self.work.events.step(component, "ready", name=step.name):
            states = self.work.readiness.wait(objects, self.work.deadline)
        return {"revision": release.revision, "objects": fingerprinted(states, objects)}

    def _recovered(self, step: Step) -> None:
        """Roll back; where the newest revision was cut off or failed, all that it may have done is undone as well."""
        current = step.current
        if current is not None and current.pending:
            current = outlived(current, self.inventory, self.work.watches, self.work.deadline)
            if current is not None and current.status == "deployed" and is_restored(current, step):
                return  # a run that was killed has got that far
        if current is None or current.status in ("deployed", "uninstalled", "uninstalling"):
            self._helm(step)
            return
        recovery, done = Recovery(self.inventory, current), False
        try:
            recovery.begin()
            self._helm(step)
            done = True
        finally:
            recovery.end(succeeded=done)

    def _helm(self, step: Step) -> None:
        number = int(step.row["revision"])
        for attempt in range(ATTEMPTS):
            timeout = int(self.work.left())
            try:
                self.work.helm.run(rollback_arguments(step.name, step.namespace, number, timeout), timeout + 30)
                return
            except HelmError as exc:
                if not exc.transient or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(2**attempt)  # back-off after a failure: there is nothing to watch

    def _from_chart(self, step: Step) -> Object:
        component = step.row.get("component") or ""
        self.inventory.ensure_namespace(step.namespace, component)
        wanted, current = self.charts.wanted[step.name, step.namespace], {}
        if step.current is not None:
            current[step.name] = step.current
        releases = Releases(self.work, component, [wanted], current)
        (row,) = releases.carry_out(releases.plan())
        return {"revision": row["revision"], "objects": row["objects"]}
