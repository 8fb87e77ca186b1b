# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Live objects, read once for one module call: one list for each kind and namespace, and trials of changes.

A trial is a server-side dry run: the API server says what would become of an object, and whether it would refuse.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import threading
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import RECORD_TYPE, SECRET_TYPE, object_key
from .client import Cluster, api_error, server_message

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


Place = tuple[str, str, str]
THREADS = 8
INVALID = 422


@dataclasses.dataclass(frozen=True)
class Trial:
    """What the API server says to a change. after: the object as it would be; refused: why not, "" where it would."""

    after: Object | None
    refused: str = ""


class LiveObjects:
    """Objects as they were when they were first asked for. Safe for threads."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._lists: dict[Place, dict[str, Object]] = {}
        self._single: dict[tuple[str, str, str, str], Object | None] = {}
        self._lock = threading.Lock()

    def namespaced(self, item: Object) -> bool | None:
        """Return whether the kind lives in namespaces, None where the cluster does not serve it."""
        with self._lock:
            resource = self.cluster.resource(item["apiVersion"], item["kind"])
        return None if resource is None else bool(resource.namespaced)

    def preload(self, items: t.Iterable[Object]) -> None:
        """Read in parallel what find() is going to be asked for."""
        tasks: dict[t.Any, Object] = {}
        for item in items:
            if self.namespaced(item):
                tasks.setdefault(object_key(item)[:3], item)
            else:
                tasks.setdefault(object_key(item), item)
        # Each thread has a connection of its own, and its handshake takes as long as two answers.
        with concurrent.futures.ThreadPoolExecutor(min(THREADS, len(tasks) // 3 + 1)) as pool:
            concurrent.futures.wait([pool.submit(self.find, item) for item in tasks.values()])

    def find(self, item: Object) -> Object | None:
        """Return the live object of an item's kind, namespace and name; raise OrchestratorError where it is hidden."""
        namespaced = self.namespaced(item)
        if namespaced is None:
            return None
        api_version, kind, namespace, name = object_key(item)
        if not namespaced:
            return self._get(api_version, kind, "", name)
        place = (api_version, kind, namespace)
        if place not in self._lists:
            try:
                self._lists[place] = self._list(place)
            except OrchestratorError:
                return self._get(*place, name)
        return self._lists[place].get(name)

    def _list(self, place: Place) -> dict[str, Object]:
        # Helm's own records and ours are large, and no objects of a release.
        only = f"type!={SECRET_TYPE},type!={RECORD_TYPE}" if place[1] == "Secret" else None
        found = self.cluster.list(*place, field_selector=only)
        return {entry["metadata"]["name"]: entry for entry in found}

    def _get(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        key = (api_version, kind, namespace, name)
        if key not in self._single:
            self._single[key] = self.cluster.get(api_version, kind, name, namespace or None)
        return self._single[key]

    def patched(self, live: Object, patch: Object, *, strategic: bool) -> Trial:
        """Try a patch of a live object; raise OrchestratorError for what is not about its content."""
        form = "strategic-merge-patch" if strategic else "merge-patch"
        return self._try(live, "patch", body=patch, content_type=f"application/{form}+json")

    def applied(self, item: Object, manager: str) -> Trial:
        """Try a server-side apply, as this collection does it without Helm."""
        return self._try(item, "server_side_apply", body=item, field_manager=manager, force_conflicts=True)

    def creatable(self, item: Object) -> str:
        """Return why the API server would refuse such an object if its name were free, "" where it would not.

        Content is looked at before names, so that a name that is taken says that the content is good.
        """
        api_version, kind, namespace, _name = object_key(item)
        with self._lock:
            resource = self.cluster.resource(api_version, kind)
        try:
            resource.create(body=item, namespace=namespace or None, dry_run="All")
        except ApiException as exc:
            return server_message(exc) if exc.status == INVALID else ""
        return ""

    def _try(self, item: Object, verb: str, **options: t.Any) -> Trial:
        api_version, kind, namespace, name = object_key(item)
        with self._lock:
            resource = self.cluster.resource(api_version, kind)
        try:
            reply = getattr(resource, verb)(name=name, namespace=namespace or None, dry_run="All", **options)
        except ApiException as exc:
            if exc.status == INVALID:
                return Trial(None, server_message(exc))
            raise api_error(exc, f"try the change of {kind} {name}") from exc
        return Trial(reply.to_dict())
