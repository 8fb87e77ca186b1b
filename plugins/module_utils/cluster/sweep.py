# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""All kinds of a cluster listed at once, to find by labels what nobody remembers the name of."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json

from ..base.data import Object
from .client import Cluster, api_error

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]

READERS = 8
# Kinds that controllers make for others' objects; they go with those.
DERIVED = ("Event", "Endpoints", "EndpointSlice", "ControllerRevision", "Lease", "PodMetrics", "ReplicaSet")
# KWOK's own objects of a simulated pod.
SIMULATED = "kwok.x-k8s.io"


@dataclasses.dataclass(frozen=True)
class Kind:
    """A listable kind. path: the API's path up to its namespace or plural."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str) -> str:
        """Return the path that lists it in a namespace, or in the cluster where it has none."""
        root = f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if self.namespaced else f"{root}/{self.plural}"


def listable_kinds(documents: list[Object]) -> list[Kind]:
    """Return the kinds of discovery documents that can be listed and deleted, in each group's preferred version."""
    found = []
    for document in documents:
        for group in document.get("items") or []:
            versions = group.get("versions") or []
            if not versions:
                continue
            name = group["metadata"].get("name")
            api_version = f"{name}/{versions[0]['version']}" if name else versions[0]["version"]
            for entry in versions[0].get("resources") or []:
                kind = (entry.get("responseKind") or {}).get("kind") or ""
                if {"list", "delete"} <= set(entry.get("verbs") or []) and kind not in DERIVED and name != SIMULATED:
                    found.append(Kind(api_version, kind, entry["resource"], entry.get("scope") == "Namespaced"))
    return found


class Sweep:
    """Lists all kinds of the cluster at once. Kinds that may not be listed hold nothing that could be ours."""

    def __init__(self, cluster: Cluster, discovery: list[Object]) -> None:
        """discovery: the documents in which the cluster says what it serves."""
        self.cluster, self.kinds = cluster, listable_kinds(discovery)

    def objects(self, namespaces: list[str], selector: str | None, *, cluster_wide: bool = False) -> list[Object]:
        """Return the objects of the namespaces, and where cluster_wide those without one, that match."""
        jobs = [(kind, namespace) for kind in self.kinds if kind.namespaced for namespace in namespaces]
        jobs += [(kind, "") for kind in self.kinds if cluster_wide and not kind.namespaced]
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            found = list(pool.map(lambda job: self._list(job[0], job[1], selector), jobs))
        return [item for items in found for item in items]

    def _list(self, kind: Kind, namespace: str, selector: str | None) -> list[Object]:
        query = [("labelSelector", selector)] if selector else []
        try:
            reply = self.cluster.client.request(
                "get", kind.path(namespace), query_params=query, serialize=False, _request_timeout=60
            )
        except ApiException as exc:
            if exc.status in (403, 404, 405, 503):
                return []
            raise api_error(exc, f"list {kind.kind}") from exc
        items = json.loads(reply.data).get("items") or []
        for item in items:
            item.update(apiVersion=kind.api_version, kind=kind.kind)
        return items
