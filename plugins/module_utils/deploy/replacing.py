# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What Helm's upgrade does not do: make anew what cannot be changed, and mend custom resources that were changed.

Helm patches a custom resource by the difference of its own two manifests: what somebody else changed stays.
"""

from __future__ import annotations

import time
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import object_key
from ..cluster.client import api_error
from ..cluster.compare import as_patch, is_built_in
from ..cluster.live import LiveObjects
from ..cluster.watch import Watches
from ..helm.deployed import HelmRecords
from ..helm.records import Release

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


# Seconds for what is to be replaced to be gone, its pods included.
GONE_SECONDS = 300


def remove(inventory: HelmRecords, watches: Watches, items: t.Sequence[Object], deadline: float) -> list[str]:
    """Delete objects and wait until they and what belongs to them are gone; return those that were there.

    items: with apiVersion, kind and metadata; deadline: time.monotonic() seconds. Raises OrchestratorError for one that
    does not go.
    """
    removed = []
    for item in items:
        api_version, kind, namespace, name = object_key(item)
        live = inventory.cluster.get(api_version, kind, name, namespace or None)
        if live is None:
            continue
        watches.start(api_version, kind, namespace)
        watches.synced(deadline)
        _delete(inventory, item)
        uid = live["metadata"]["uid"]

        def gone(place: tuple[str, str, str, str] = object_key(item), old: str = uid) -> bool | None:
            found = watches.find(*place)
            return True if found is None or found["metadata"]["uid"] != old else None

        if not watches.wait(gone, min(deadline, time.monotonic() + GONE_SECONDS)):
            raise OrchestratorError(
                f"{kind} {namespace}/{name} was deleted to be recreated, but still exists after {GONE_SECONDS}s.",
                hint="Find what keeps it (finalizers, or pods that use it), then run again.",
            )
        removed.append(f"{kind} {namespace}/{name}")
    return removed


def _delete(inventory: HelmRecords, item: Object) -> None:
    api_version, kind, namespace, name = object_key(item)
    resource = inventory.cluster.resource(api_version, kind)
    try:
        # Foreground: its pods give back what they hold before new ones ask for it.
        resource.delete(name=name, namespace=namespace or None, body={"propagationPolicy": "Foreground"})
    except ApiException as exc:
        if exc.status != 404:
            raise api_error(exc, f"delete {kind} {namespace}/{name}") from exc


def mend(inventory: HelmRecords, release: Release) -> None:
    """Patch the release's custom resources that are not as its manifest says, after an upgrade."""
    objects = inventory.scoped(release.manifest, release.namespace)
    custom = [item for item in objects if not is_built_in(item) and inventory.namespaced(item) is not None]
    fresh = LiveObjects(inventory.cluster)
    fresh.preload(custom)
    for item in inventory.drifted(custom, fresh):
        live = t.cast(Object, fresh.find(item))
        api_version, kind, namespace, name = object_key(item)
        inventory.change(
            f"fix {kind} {name}", "patch", api_version, kind, name, namespace or None, as_patch(item, live)
        )  # fmt: skip
