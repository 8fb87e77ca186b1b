# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All releases of one module call: prepared, planned, installed in parallel, each waited for by itself."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ..base.cancel import Cancelled
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.events import Events
from ..base.ours import object_key
from ..changes.actions import REUSE, Action, ReleaseObjects
from ..changes.fingerprints import fingerprinted
from ..helm.deployed import HelmRecords
from ..helm.records import Release, diff_texts
from ..helm.wanted import HELM_PROCESSES, Wanted
from .install import CREATED, UNCHANGED, Installer, ReleasePlan
from .nudge import nudge
from .readiness import NotReady, Readiness


class ReleasesFailed(OrchestratorError):
    """At least one release failed. results: of all of them, as the module returns them."""

    def __init__(self, details: list[str], results: list[Object], changed: bool) -> None:
        self.results, self.changed = results, changed
        if len(details) == 1:
            super().__init__(details[0])
        else:
            super().__init__(f"{len(details)} of {len(results)} releases failed:", details=details)


class Deploy:
    """Carries plans out. The results are in the order given."""

    def __init__(
        self, installer: Installer, inventory: HelmRecords, readiness: Readiness, events: Events, wait: bool
    ) -> None:
        self.installer, self.inventory, self.readiness = installer, inventory, readiness
        self.events, self.wait = events, wait

    def plan(self, wanted: list[Wanted], current: dict[str, Release], render: bool) -> list[ReleasePlan]:
        """Return what each release needs; raise for all that cannot be rendered."""
        with concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as pool:
            tasks = [pool.submit(self.installer.plan, one, current.get(one.name), render=render) for one in wanted]
            concurrent.futures.wait(tasks)
        errors = [
            f"{one.name}: {error}"
            for one, task in zip(wanted, tasks, strict=True)
            if (error := task.exception()) is not None
        ]
        for task in tasks:
            error = task.exception()
            if error is not None and not isinstance(error, OrchestratorError):
                raise error
        if errors:
            raise OrchestratorError("Charts cannot be rendered:", details=errors)
        return [task.result() for task in tasks]

    def carry_out(self, plans: list[ReleasePlan]) -> list[Object]:
        """Install in the order given, wait for each by itself; raise ReleasesFailed when all have ended."""
        with (
            concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as helms,
            concurrent.futures.ThreadPoolExecutor(max(1, len(plans))) as waits,
        ):
            installs = [helms.submit(self._install, plan) for plan in plans]
            tasks = [waits.submit(self._finish, plan, task) for plan, task in zip(plans, installs, strict=True)]
            results = [task.result() for task in tasks]
        failed = [f"{result['name']}: {result['error']}" for result in results if result.get("error")]
        if failed:
            raise ReleasesFailed(failed, results, any(result["action"] not in (UNCHANGED, None) for result in results))
        return results

    def _install(self, plan: ReleasePlan) -> tuple[ReleasePlan, Release, float]:
        begin, component, name = time.monotonic(), self.installer.component, plan.wanted.name
        if self.readiness.cancelled():
            raise Cancelled
        if plan.action == UNCHANGED:
            if not plan.known:
                self.installer.remember(plan)
            return plan, t.cast(Release, plan.current), begin
        with self.events.step(component, "install", name=name):
            done, release = self.installer.apply(plan)
        return done, release, begin

    def _finish(self, plan: ReleasePlan, task: concurrent.futures.Future) -> Object:
        result = describe(plan, self.installer.namespace)
        try:
            plan, release, begin = task.result()
            objects = self.inventory.scoped(release.manifest, release.namespace or self.installer.namespace)
            plan.after = release.manifest
            result.update(action=plan.action, revision=release.revision, objects=summary(objects))
            if plan.action != CREATED:
                nudge(self.inventory, objects)
            if self.wait:
                with self.events.step(self.installer.component, "ready", name=plan.wanted.name):
                    result["objects"] = self.readiness.wait(objects, self.installer.deadline)
            result["objects"] = fingerprinted(result["objects"], objects)
            result["seconds"] = round(time.monotonic() - begin, 2)
        except NotReady as exc:
            result.update(
                objects=fingerprinted(exc.objects, objects), error=str(exc), seconds=round(time.monotonic() - begin, 2)
            )
        except Cancelled as exc:
            result.update(action=result["action"] if result["objects"] else None, error=str(exc), cancelled=True)
        except OrchestratorError as exc:
            result.update(action=None, error=str(exc))
        return result


def describe(plan: ReleasePlan, namespace: str) -> Object:
    """Return a release's result as far as it is known before anything is done."""
    chart = plan.wanted.chart
    return {
        "name": plan.wanted.name,
        "namespace": namespace,
        "action": plan.action,
        "reason": plan.why,
        "chart": chart.name,
        "chart_version": chart.version,
        "chart_digest": chart.digest,
        "revision": plan.current.revision if plan.current else 0,
        "seconds": 0.0,
        "objects": [],
    }


def summary(objects: list[Object], ready: bool | None = None) -> list[Object]:
    """Return the objects as the module's results list them."""
    keys = [dict(zip(("api_version", "kind", "namespace", "name"), object_key(item), strict=True)) for item in objects]
    return [{**key, "ready": ready, "seconds": 0.0} for key in keys]


def parts(plans: list[ReleasePlan], installer: Installer) -> list[ReleaseObjects]:
    """Return the releases with the objects that they have and shall have; the manifests have to be rendered."""
    scoped, namespace = installer.inventory.scoped, installer.namespace
    found = []
    for plan in plans:
        before, after = scoped(plan.before, namespace), scoped(plan.after or "", namespace)
        managed = bool(plan.before) and plan.current is not None and plan.current.managed
        found.append(ReleaseObjects(installer.component, plan.wanted.name, namespace, before, after, managed))
    return found


def foreseen(plan: ReleasePlan, actions: list[Action]) -> list[Object]:
    """Return the objects of a release as the module's results list them in check mode, with what becomes of each."""
    mine = [action for action in actions if action.release == plan.wanted.name]
    rows = summary([action.item for action in mine])
    return [{**row, "action": action.action} for row, action in zip(rows, mine, strict=True)]


def foreseen_diffs(plans: list[ReleasePlan], actions: list[Action]) -> list[Object]:
    """Return Ansible's diff of the releases that change, of their changed objects only, Secret data hidden."""
    found = []
    for plan in plans:
        changed = [one for one in actions if one.release == plan.wanted.name and one.action != REUSE]
        if plan.action == UNCHANGED and not changed:
            continue
        texts = [action.texts() for action in changed]
        header = f"Helm release {plan.wanted.name}"
        before, after = ("".join(side) for side in zip(*texts, strict=True)) if texts else ("", "")
        found.append({"before_header": header, "after_header": header, "before": before, "after": after})
    return found


def diffs(plans: list[ReleasePlan], namespace: str) -> list[Object]:
    """Return Ansible's diff of the releases that change: manifests before and after, Secret data hidden."""
    found = []
    for plan in plans:
        if plan.action == UNCHANGED:
            continue
        before, after = diff_texts(plan.before, plan.after or "", namespace)
        header = f"Helm release {plan.wanted.name}"
        found.append({"before_header": header, "after_header": header, "before": before, "after": after})
    return found
