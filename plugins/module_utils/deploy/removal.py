# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Helm releases removed, and waited for until their objects and pods are really gone."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, is_kept, object_key
from ..cluster.client import Cluster
from ..cluster.watch import Watches
from ..components.registry import COMPONENTS
from ..helm.command import HelmError, uninstall_arguments
from ..helm.deployed import owner_release
from ..helm.records import Release, diff_texts
from ..helm.wanted import HELM_PROCESSES
from ..objects.rollout import WORKLOADS, pods_of
from .base import REMOVED, Work, difference

Key = tuple[str, str, str, str]
ATTEMPTS = 4
# Definitions belong to the cluster, not to a stack.
LEFT_ALONE = ("CustomResourceDefinition",)


class Removal:
    """Removes releases; shared by the parts that are releases, by rollback and by teardown."""

    def __init__(self, work: Work) -> None:
        self.work, self.inventory = work, work.inventory

    @staticmethod
    def ours(found: dict[str, Release], component: str, names: list[str]) -> list[Release]:
        """Return those of the named releases that exist and are ours; raise for those that are another's."""
        others = [
            name
            for name, release in found.items()
            if not release.managed or release.labels.get(COMPONENT_LABEL, component) != component
        ]
        if others:
            raise OrchestratorError(
                (
                    f"Helm releases that {component} of this collection did not create are not removed: "
                    f"{', '.join(others)}"
                ),
                hint="Remove them with helm uninstall if they are yours.",
            )
        return [found[name] for name in names if name in found]

    def run(self, releases: list[Release], timeout: int, *, check: bool, keep_claims: bool = False) -> list[Object]:
        """Remove releases in parallel and return a result for each; raise for whatever is left.

        timeout: seconds to wait for the objects; 0 does not wait. keep_claims: leave PersistentVolumeClaims.
        """
        results = [result_of(release) for release in releases]
        if check or not releases:
            return results
        deadline = time.monotonic() + max(timeout, 60)
        with concurrent.futures.ThreadPoolExecutor(HELM_PROCESSES) as pool:
            tasks = [pool.submit(self._remove, release, deadline, timeout > 0, keep_claims) for release in releases]
            concurrent.futures.wait(tasks)
        errors = []
        for result, task in zip(results, tasks, strict=True):
            error = task.exception()
            if error is None:
                result["seconds"], result["objects"] = task.result()
            elif isinstance(error, OrchestratorError):
                errors.append(f"{result['name']}: {error}")
            else:
                raise error
        if errors:
            raise OrchestratorError("Cannot remove releases:", details=errors)
        return results

    def _remove(self, release: Release, deadline: float, wait: bool, keep_claims: bool) -> tuple[float, list[Object]]:
        begin, component = time.monotonic(), release.labels.get(COMPONENT_LABEL) or "teardown"
        with self.work.events.step(component, "remove", name=release.name):
            release = self.inventory.ready_to_remove(release, keep_claims)
            objects = self.inventory.scoped(release.manifest, release.namespace)
            goes = [item for item in objects if not is_kept(item) and item["kind"] not in LEFT_ALONE]
            targets = find_targets(self.work.watches, goes, (release.name, release.namespace))
            self._uninstall(release, deadline)
            left = gone(self.work.watches, targets, deadline) if wait else []
        if left:
            raise OrchestratorError("left behind: " + "; ".join(left_line(item) for item in left))
        return round(time.monotonic() - begin, 2), [
            dict(zip(("api_version", "kind", "namespace", "name"), object_key(item), strict=True)) for item in goes
        ]

    def _uninstall(self, release: Release, deadline: float) -> None:
        for attempt in range(ATTEMPTS):
            try:
                timeout = max(30, int(deadline - time.monotonic()))
                self.work.helm.run(uninstall_arguments(release.name, release.namespace, timeout), timeout + 30)
                return
            except HelmError as exc:
                if not exc.transient or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(2**attempt)  # back-off after a failure: there is nothing to watch


def dependants(cluster: Cluster, release: Release) -> list[Object]:
    """Return the objects that cannot be removed without a release: its controller has the last word on them."""
    component = COMPONENTS.get(release.labels.get(COMPONENT_LABEL) or "")
    return component.dependants(cluster, release.name, release.namespace) if component else []


def refuse_needed(cluster: Cluster, releases: t.Iterable[Release]) -> None:
    """Raise OrchestratorError for releases without which something that is there could not be removed any more."""
    needed = {release.name: dependants(cluster, release) for release in releases}
    lines = [f"{name}: {needed_by(items)}" for name, items in needed.items() if items]
    if lines:
        raise OrchestratorError(
            "Helm releases are not removed while something needs them:",
            details=lines,
            hint="Remove it first; if it is not yours, it stays, and so does the release.",
        )


def needed_by(items: t.Sequence[Object], most: int = 5) -> str:
    """Return 'without it Kind namespace/name ... could not be removed'."""
    # What belongs to others of them goes with those.
    tops = [item for item in items if not item["metadata"].get("ownerReferences")] or items
    names = [f"{item['kind']} {item['metadata'].get('namespace')}/{item['metadata']['name']}" for item in tops]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"without it {', '.join(names[:most])}{more} could no longer be removed"


def why_left(cluster: Cluster, item: Object) -> str:
    """Return 'Kind name: why it is still there', with what its controller has to do with that."""
    whys = [why for one in COMPONENTS.values() if (why := one.why_held(cluster, item))]
    return "; ".join([left_line(item), *whys])


def find_targets(watches: Watches, objects: t.Iterable[Object], owner: tuple[str, str] | None = None) -> dict[str, Key]:
    """Return what must vanish, by uid: the live objects that are the owner's, and their pods.

    owner: (release, namespace) that the objects must name, or None to take them all.
    """
    keys = [object_key(item) for item in objects]
    for api_version, kind, namespace, _name in keys:
        watches.start(api_version, kind, namespace)
        if kind in WORKLOADS:
            watches.start("v1", "Pod", namespace)
        if kind == "Deployment":
            watches.start("apps/v1", "ReplicaSet", namespace)
    watches.synced(time.monotonic() + 60)
    found: dict[str, Key] = {}
    for key in keys:
        live = watches.find(*key)
        if live is None or (owner and owner_release(live) != owner):
            continue
        found[live["metadata"]["uid"]] = key
        pods, sets = watches.objects("v1", "Pod", key[2]), watches.objects("apps/v1", "ReplicaSet", key[2])
        for pod in pods_of(live, pods, sets):
            found[pod["metadata"]["uid"]] = ("v1", "Pod", key[2], pod["metadata"]["name"])
    return found


def gone(watches: Watches, targets: t.Mapping[str, Key], deadline: float) -> list[Object]:
    """Wait until none of the targets exists; return those that are left at the deadline."""

    def left() -> list[Object]:
        live = [(uid, watches.find(*key)) for uid, key in targets.items()]
        return [item for uid, item in live if item is not None and item["metadata"].get("uid") == uid]

    watches.wait(lambda: None if left() else True, deadline)
    return left()


def left_line(item: Object) -> str:
    """Return 'Kind name: why it is still there'."""
    metadata = item["metadata"]
    why = "not deleted"
    if metadata.get("deletionTimestamp"):
        holders = ", ".join(metadata.get("finalizers") or [])
        why = f"being deleted, held by the finalizers {holders}" if holders else "being deleted"
    return f"{item.get('kind')} {metadata['name']}: {why}"


def result_of(release: Release) -> Object:
    """Return the module's result for a release that goes."""
    return {
        "component": release.labels.get(COMPONENT_LABEL) or "",
        "kind": "release",
        "name": release.name,
        "namespace": release.namespace,
        "action": REMOVED,
        "chart": release.chart,
        "chart_version": release.chart_version,
        "revision": release.revision,
        "seconds": 0.0,
        "objects": [],
    }


def removal_diff(releases: list[Release]) -> list[Object]:
    """Return Ansible's diff for releases that go."""
    return [
        difference(f"Helm release {release.name}", *diff_texts(release.manifest, "", release.namespace))
        for release in releases
    ]
