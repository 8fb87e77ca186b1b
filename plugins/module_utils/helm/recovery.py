# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A release whose last upgrade was cut off or failed, made fit for Helm's next one.

Helm merges three ways, from the last deployed revision: what a later, broken revision has already written to the
cluster would stay there for ever. So for the time of the next upgrade the broken revision passes as the deployed
one, with a manifest that is the union of all that may have been applied since.
"""

from __future__ import annotations

import dataclasses
import time

from ..base.data import Object
from ..base.ours import FINGERPRINT_LABEL, object_key
from ..cluster.watch import Watches
from .deployed import HelmRecords, owner_release
from .records import Release, dump_objects, manifest_objects, union

# In place of a fingerprint: this revision's record is not the truth.
RECOVERING = "recovering"
# A release that has been pending for this long without hooks has lost its Helm process.
STUCK_SECONDS = 15
INTERRUPTED = "interrupted or failed, and resumed"


def applied(base: str, broken: list[list[Object]], namespace: str) -> str:
    """Return the union of the base manifest and the objects of later revisions, as YAML text."""
    objects = {object_key(item): item for item in manifest_objects(base, namespace)}
    for items in broken:
        for item in items:
            key = object_key(item)
            objects[key] = union(objects[key], item) if key in objects else item
    return dump_objects(list(objects.values()))


def outlived(pending: Release, inventory: HelmRecords, watches: Watches, deadline: float) -> Release | None:
    """Give the process that made a release pending time to end; return the release as it is then.

    deadline: time.monotonic() seconds.
    """
    left = STUCK_SECONDS - max(0.0, time.time() - pending.modified)
    if left > 0:
        watches.start("v1", "Secret", pending.namespace)
        watches.synced(time.monotonic() + STUCK_SECONDS)

        def ended() -> bool | None:
            secret = watches.find("v1", "Secret", pending.namespace, pending.secret)
            labels = (secret or {"metadata": {}})["metadata"].get("labels") or {}
            return None if labels.get("status") == pending.status else True

        watches.wait(ended, min(deadline, time.monotonic() + left))
    return inventory.releases(pending.namespace, [pending.name]).get(pending.name)


class Recovery:
    """Prepares one release; end() has to follow begin(), whatever came of the upgrade."""

    def __init__(self, inventory: HelmRecords, current: Release) -> None:
        """current: the newest revision, failed or with a Helm process that is gone."""
        self.inventory, self.current = inventory, current
        self.base: Release | None = None

    def begin(self) -> Release:
        """Change the records; return the newest revision as it is then."""
        history = self.inventory.history(self.current.namespace, self.current.name)
        deployed = [release for release in history if release.status == "deployed"]
        if not deployed:
            # A first install: Helm itself starts from a failed one.
            self._store(self.current, "failed")
            return dataclasses.replace(self.current, status="failed")
        self.base = deployed[-1]
        broken = [release for release in history if release.revision > self.base.revision]
        manifest = applied(self.base.manifest, [self._ours(release) for release in broken], self.current.namespace)
        self._store(self.current, "deployed", manifest, RECOVERING)
        self._store(self.base, "superseded")
        return dataclasses.replace(self.current, status="recovering")

    def end(self, *, succeeded: bool) -> None:
        """Give the broken revision its own record back."""
        if self.base is None:
            return
        self._store(self.current, "failed", self.current.manifest, self.current.labels.get(FINGERPRINT_LABEL))
        if not succeeded:
            self._store(self.base, "deployed")

    def _ours(self, release: Release) -> list[Object]:
        """Return a broken revision's objects without those that are in the cluster and another's."""
        objects = []
        for item in self.inventory.scoped(release.manifest, release.namespace):
            if self.inventory.namespaced(item) is None:
                continue
            api_version, kind, namespace, name = object_key(item)
            live = self.inventory.cluster.get(api_version, kind, name, namespace or None)
            if live is None or owner_release(live) == (release.name, release.namespace):
                item["metadata"].setdefault("namespace", release.namespace)
                objects.append(item)
        return objects

    def _store(
        self, release: Release, status: str, manifest: str | None = None, fingerprint: str | None = None
    ) -> None:
        labels: Object = {"status": status}
        info = {"status": status}
        if status == "failed":
            info["description"] = INTERRUPTED
        fields: Object = {"info": info}
        if manifest is not None:
            labels[FINGERPRINT_LABEL] = fingerprint
            fields["manifest"] = manifest
        self.inventory.rewrite(release, labels=labels, **fields)
