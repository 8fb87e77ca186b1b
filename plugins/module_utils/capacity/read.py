# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a cluster says about room, read in few and bounded calls and added to a model's facts."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ..base.apis import LWS_API
from ..base.data import Object, mapping
from ..base.errors import OrchestratorError
from ..cluster.client import api_error
from ..model.model import StackModel, pod_specs
from ..model.room import Capacity, Place
from .nodes import trimmed_node, trimmed_pod
from .quota import counted_as

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

try:
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


# Rules that the variable llm_d_capacity is about.
CAPACITY_RULES = ("LLMD70", "LLMD71", "LLMD72")
# Objects of one page, and how many are read at most: what lies beyond counts as not readable.
PAGE, MOST = 500, 50_000
ALIVE = "status.phase!=Succeeded,status.phase!=Failed"
# What controllers make of a kind's objects, as quotas count it.
_MADE = {
    "Deployment": ("count/replicasets.apps",),
    "LeaderWorkerSet": ("count/statefulsets.apps", "services", "count/services"),
}
_WORKLOADS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    (LWS_API, "LeaderWorkerSet"),
)


def add_capacity(
    model: StackModel, cluster: Cluster, unwanted: t.Collection[tuple[str, str, str]] = frozenset()
) -> None:
    """Add to a model's facts what room the cluster has, and what of it may not be read.

    unwanted: kind, namespace and name of live objects that go with the deployment.
    """
    unread: list[str] = []

    def attempt(action: t.Callable[[], list[Object]]) -> list[Object] | None:
        try:
            return action()
        except OrchestratorError as exc:
            unread.append(exc.message)
            return None

    spaces = sorted({item.namespace for item in model.planned if item.namespace})
    nodes = attempt(lambda: pages(cluster, "v1", "Node", trimmed_node))
    pods: list[Object] | None = None
    own: list[Object] = []
    if nodes is not None:
        pods = attempt(lambda: pages(cluster, "v1", "Pod", _trim(spaces), ALIVE))
    if pods is None:
        own = [body for name in spaces for body in attempt(lambda: _pods(cluster, name)) or []]  # noqa: B023
    quotas = _in(cluster, attempt, "v1", "ResourceQuota", spaces)
    capacity = Capacity(
        nodes=nodes,
        pods=pods,
        own_pods=own if pods is None else [body for body in pods if body["metadata"]["namespace"] in spaces],
        quotas=quotas,
        limits=_in(cluster, attempt, "v1", "LimitRange", spaces),
        workloads=[body for version, kind in _WORKLOADS for body in _in(cluster, attempt, version, kind, spaces)],
        runtimes=_runtimes(model, cluster, attempt),
        present=_present(model, cluster, attempt, quotas),
        unread=tuple(dict.fromkeys(unread)),
        unwanted=frozenset((kind, name, place) for kind, place, name in unwanted),
    )
    model.facts = dataclasses.replace(model.facts, capacity=capacity)


Attempt = t.Callable[[t.Callable[[], list[Object]]], "list[Object] | None"]


def _trim(spaces: list[str]) -> t.Callable[[Object], Object]:
    return lambda body: trimmed_pod(body, mapping(body.get("metadata")).get("namespace") in spaces)


def _pods(cluster: Cluster, namespace: str) -> list[Object]:
    return pages(cluster, "v1", "Pod", _trim([namespace]), ALIVE, namespace)


def _in(cluster: Cluster, attempt: Attempt, version: str, kind: str, spaces: list[str]) -> list[Object]:
    return [body for name in spaces for body in attempt(lambda: cluster.list(version, kind, name)) or []]  # noqa: B023


def _runtimes(model: StackModel, cluster: Cluster, attempt: Attempt) -> list[Object]:
    """Return the RuntimeClasses, where a pod of the plan names one: they add to what a pod asks for."""
    named = any(spec.get("runtimeClassName") for item in model.planned for _path, spec in pod_specs(item))
    return (attempt(lambda: cluster.list("node.k8s.io/v1", "RuntimeClass")) or []) if named else []


def _present(
    model: StackModel, cluster: Cluster, attempt: Attempt, quotas: list[Object]
) -> dict[Place, frozenset[str]]:
    """Return the names of live objects of each planned kind that a quota counts."""
    counted = {
        (str(name), str(mapping(quota.get("metadata")).get("namespace")))
        for quota in quotas
        for name in mapping(mapping(quota.get("spec")).get("hard"))
    }
    kinds = {(item.kind, item.group, item.version, item.namespace) for item in model.planned if item.namespace}
    spaces = {place[3] for place in kinds}
    kinds |= {(kind, "", "v1", name) for kind in ("Secret", "PersistentVolumeClaim") for name in spaces}
    found: dict[Place, frozenset[str]] = {}
    for kind, group, version, namespace in sorted(kinds):
        if any(_counts(name, kind, group) for name, space in counted if space == namespace):
            api = f"{group}/{version}" if group else version
            bodies = attempt(lambda: pages(cluster, api, kind, _name_only, None, namespace))  # noqa: B023
            if bodies is not None:
                found[(kind, group, namespace)] = frozenset(body["metadata"]["name"] for body in bodies)
    return found


def _counts(name: str, kind: str, group: str) -> bool:
    if name in counted_as(kind, group):
        return True
    if kind == "PersistentVolumeClaim":
        return name.endswith(("requests.storage", "/persistentvolumeclaims"))
    if kind == "Service":
        return name.startswith("services.")
    return name in _MADE.get(kind, ())


def _name_only(body: Object) -> Object:
    return {"metadata": {"name": str(mapping(body.get("metadata")).get("name"))}}


def pages(
    cluster: Cluster,
    api_version: str,
    kind: str,
    keep: t.Callable[[Object], Object],
    field_selector: str | None = None,
    namespace: str | None = None,
) -> list[Object]:
    """Return what is kept of each object of a kind, read page by page; [] where the kind is not served.

    Raises OrchestratorError where it may not be listed, and where there are more than MOST.
    """
    resource = cluster.resource(api_version, kind)
    if resource is None:
        return []
    path = resource.path(namespace=namespace)
    query: list[tuple[str, t.Any]] = [("limit", PAGE)]
    query += [("fieldSelector", field_selector)] if field_selector else []
    found: list[Object] = []
    token = ""
    while True:
        more = [("continue", token)] if token else []
        try:
            reply = cluster.client.request("get", path, query_params=query + more, serialize=False, _request_timeout=30)
        except ApiException as exc:
            raise api_error(exc, f"list {kind}") from exc
        page = json.loads(reply.data)
        found += [keep(body) for body in page.get("items") or []]
        token = mapping(page.get("metadata")).get("continue") or ""
        if not token:
            return found
        if len(found) >= MOST:
            raise OrchestratorError(f"The cluster has more than {MOST} objects of kind {kind}: they are not counted.")
