# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""DynamoGraphDeployment: the components that one should have, and its status."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import NamedTuple

from ..cluster.conditions import condition, find
from ..cluster.snapshot import Object, Snapshot, is_deleted, labels_of
from ..gateways.infrastructure import owner
from .names import (
    API,
    BACKEND,
    COMPONENT,
    COMPONENT_KIND,
    FRONTEND,
    GLOBAL,
    GRAPH,
    METRICS_ANNOTATION,
    NAMESPACE,
    ONE,
    OWN_NAMESPACE,
    WORKER_HASH,
    Version,
    is_worker,
)
from .operators import Operator

# Fields of a worker that leave its pods as they are, so that they are not in the hash of its name.
NOT_HASHED = (
    "annotations", "labels", "serviceName", "componentType", "subComponentType", "dynamoNamespace", "replicas",
    "autoscaling", "scalingAdapter", "ingress", "modelRef", "eppConfig",
)  # fmt: skip


class Refused(Exception):
    """A graph that the operator cannot reconcile; the text is the message of its condition."""


class Plan(NamedTuple):
    """The components to apply and to delete for one graph, and the status it should show."""

    apply: list[Object]
    delete: list[Object]
    status: Object


def services_of(graph: Object) -> dict[str, Object]:
    """The services of a graph, by name."""
    return (graph.get("spec") or {}).get("services") or {}


def dynamo_namespace(graph: Object, service: Object, version: Version) -> str:
    """The Dynamo namespace of a service. Raises Refused where a graph of 0.5 or 0.6 names several."""
    meta = graph["metadata"]
    if version >= OWN_NAMESPACE:
        return GLOBAL if service.get("globalDynamoNamespace") else f"{meta['namespace']}-{meta['name']}"
    named = {name: item.get("dynamoNamespace") or "" for name, item in sorted(services_of(graph).items())}
    first = next((value for value in named.values() if value), "")
    odd = next((name for name, value in named.items() if value != first), None)
    if odd is not None:
        raise Refused(
            f"failed to get the graph dynamo namespace: namespace mismatch for component {odd}: graph uses namespace "
            f"{first} but component specifies {named[odd]}"
        )
    return first or f"dynamo-{meta['name']}"


def worker_hash(graph: Object) -> str:
    """Eight hex digits over all that shapes the pods of a graph's workers."""
    workers = {
        name: {key: value for key, value in service.items() if key not in NOT_HASHED}
        for name, service in services_of(graph).items()
        if is_worker(service)
    }
    return hashlib.sha256(json.dumps(workers, sort_keys=True).encode()).hexdigest()[:8]


def component(graph: Object, name: str, service: Object, operator: Operator) -> Object:
    """The DynamoComponentDeployment of a service. Raises Refused."""
    meta, spec = graph["metadata"], copy.deepcopy(service)
    namespace = dynamo_namespace(graph, service, operator.version)
    labels = {COMPONENT: name, NAMESPACE: namespace, GRAPH: meta["name"]}
    own_name = f"{meta['name']}-{name.lower()}"
    if operator.version >= ONE and is_worker(service):
        labels[WORKER_HASH] = worker_hash(graph)
        own_name = f"{own_name}-{labels[WORKER_HASH]}"
    spec.update({"serviceName": name, "dynamoNamespace": namespace, "labels": dict(labels)})
    if graph["spec"].get("backendFramework"):
        spec["backendFramework"] = graph["spec"]["backendFramework"]
    shared = {item["name"]: item for item in graph["spec"].get("envs") or []}
    shared.update({item["name"]: item for item in spec.get("envs") or []})
    spec.update({"envs": list(shared.values())} if shared else {})
    own = meta.get("annotations") or {}
    passed_on = {key: own[key] for key in (METRICS_ANNOTATION, BACKEND) if key in own}
    spec.update({"annotations": {**(spec.get("annotations") or {}), **passed_on}} if passed_on else {})
    return {
        "apiVersion": API,
        "kind": COMPONENT_KIND,
        "metadata": {
            "name": own_name,
            "namespace": meta["namespace"],
            "labels": labels,
            "ownerReferences": [owner(graph, controller=True)],
        },
        "spec": spec,
    }


def plan(graph: Object, operator: Operator, snapshot: Snapshot) -> Plan:
    """What the operator does for a graph that is not being deleted."""
    try:
        wanted = [component(graph, name, item, operator) for name, item in services_of(graph).items()]
    except Refused as exc:
        return Plan([], [], _status(graph, operator, "failed", "failed_to_reconcile_the_resources", str(exc)))
    names = {item["metadata"]["name"] for item in wanted}
    unready = [item["metadata"]["name"] for item in wanted if not is_available(_present(item, snapshot))]
    # Nothing is ever deleted but, since 1.0, workers of another hash, once the present ones are ready.
    delete = [] if unready else [item for item in _of(graph, snapshot) if item["metadata"]["name"] not in names]
    state, reason, message = "successful", "all_resources_are_ready", "All resources are ready"
    if unready:
        lines = [f"{name}: Component deployment not ready - Available condition not true" for name in unready]
        state, reason, message = "pending", "some_resources_are_not_ready", f"Resources not ready: {'; '.join(lines)}"
    if operator.version >= ONE and wanted and not any(_present(item, snapshot) for item in wanted):
        state = "initializing"
    status = _status(graph, operator, state, reason, message)
    if operator.version >= ONE:
        status["services"] = {item["spec"]["serviceName"]: _service_status(item, snapshot) for item in wanted}
    return Plan(wanted, delete, status)


def _of(graph: Object, snapshot: Snapshot) -> list[Object]:
    """The components of a graph whose names have a hash."""
    return [
        item
        for item in snapshot.within(COMPONENT_KIND, graph["metadata"]["namespace"])
        if labels_of(item).get(GRAPH) == graph["metadata"]["name"]
        and WORKER_HASH in labels_of(item)
        and not is_deleted(item)
    ]


def _present(wanted: Object, snapshot: Snapshot) -> Object | None:
    return snapshot.get(COMPONENT_KIND, wanted["metadata"]["namespace"], wanted["metadata"]["name"])


def is_available(item: Object | None) -> bool:
    """Whether a component says that it is available, be it of an older generation."""
    return find(((item or {}).get("status") or {}).get("conditions"), "Available").get("status") == "True"


def _service_status(wanted: Object, snapshot: Snapshot) -> Object:
    meta = wanted["metadata"]
    deployment = snapshot.get("Deployment", meta["namespace"], meta["name"]) or {}
    counts = deployment.get("status") or {}
    names = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    return {
        "componentKind": "Deployment",
        "componentName": meta["name"],
        **{name: counts.get(name, 0) for name in names},
    }


def _status(graph: Object, operator: Operator, state: str, reason: str, message: str) -> Object:
    generation = graph["metadata"].get("generation", 1)
    ready = condition("Ready", state == "successful", reason, message, generation)
    if operator.version < ONE:
        del ready["observedGeneration"]
        return {"state": state, "conditions": [ready]}
    return {"state": state, "conditions": [ready], "observedGeneration": generation}


def is_frontend(item: Object) -> bool:
    """Whether a component is a frontend."""
    return item["spec"].get("componentType") == FRONTEND
