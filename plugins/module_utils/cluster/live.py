# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Live objects, read once for one module call: one list for each kind and namespace, and trials of changes.

A trial is a server-side dry run: the API server says what would become of an object, and whether it would refuse.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ..base import plain_yaml
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import RECORD_TYPE, SECRET_TYPE, object_key
from .client import Cluster, api_error
from .refusals import Rejection, rejection_of, takes, warned

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


Place = tuple[str, str, str]
THREADS = 8


# Unknown fields are refused instead of dropped without a word.
STRICT = ("fieldValidation", "Strict")


@dataclasses.dataclass(frozen=True)
class Trial:
    """What the API server says to a change. after: the object as it would be; refused: what of it is not taken."""

    after: Object | None
    refused: Rejection | None = None


class LiveObjects:
    """Objects as they were when they were first asked for. Safe for threads."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._lists: dict[Place, dict[str, Object]] = {}
        self._single: dict[tuple[str, str, str, str], Object | None] = {}

    def namespaced(self, item: Object) -> bool | None:
        """Return whether the kind lives in namespaces, None where the cluster does not serve it."""
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

    def patched(self, live: Object, patch: Object, *, strategic: bool, strict: bool = False) -> Trial:
        """Try a patch of a live object; raise OrchestratorError for what is not about its content."""
        form = "strategic-merge-patch" if strategic else "merge-patch"
        return self._try(live, "patch", strict, body=patch, content_type=f"application/{form}+json")

    def applied(self, item: Object, manager: str, *, strict: bool = False) -> Trial:
        """Try a server-side apply, as this collection does it without Helm."""
        return self._try(item, "server_side_apply", strict, body=item, field_manager=manager, force_conflicts=True)

    def refused(self, item: Object, namespace: str) -> Rejection | None:
        """Return why the API server would not make such an object, or what it warns of; raise OrchestratorError.

        Content is looked at before names, so that a name that is taken says that the content is good.
        """
        resource = self.cluster.resource(item["apiVersion"], item["kind"])
        if resource is None:
            return None
        try:
            reply = resource.create(
                body=item, namespace=namespace or None, dry_run="All", query_params=[STRICT], serialize=False
            )
        except ApiException as exc:
            found = rejection_of(exc.status, status_of(exc))
            if found is None and not takes(exc.status, status_of(exc)):
                raise api_error(exc, f"dry-run {item['kind']} {object_key(item)[3]}") from exc
            return found
        return warned(reply.headers.getlist("Warning"))

    def _try(self, item: Object, verb: str, strict: bool, **options: t.Any) -> Trial:
        api_version, kind, namespace, name = object_key(item)
        resource = self.cluster.resource(api_version, kind)
        query = [STRICT] if strict else []
        try:
            reply = getattr(resource, verb)(
                name=name, namespace=namespace or None, dry_run="All", query_params=query, **options
            )
        except ApiException as exc:
            found = rejection_of(exc.status, status_of(exc))
            if found is None:
                raise api_error(exc, f"dry-run the change of {kind} {name}") from exc
            return Trial(None, found)
        return Trial(reply.to_dict())


def status_of(exc: ApiException) -> t.Any:
    """Return the Status object of a reply, None where it has another body."""
    try:
        return plain_yaml.load(exc.body or "")
    except (TypeError, plain_yaml.YAMLError):
        return None
