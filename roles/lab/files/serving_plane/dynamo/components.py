# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""DynamoComponentDeployment: the Deployment and the rest that one should have, and its status."""

from __future__ import annotations

from typing import NamedTuple

from ..cluster.conditions import condition, find
from ..cluster.snapshot import Object, Snapshot, labels_of
from ..gateways.infrastructure import owner
from .graphs import is_frontend
from .names import (
    BACKEND,
    COMPONENT,
    DISCOVERED,
    GRAPH,
    HTTP_PORT,
    NAMESPACE,
    ONE,
    SELECTOR,
    STRATEGY,
    SYSTEM_PORT,
    TYPE,
)
from .operators import Operator
from .templates import backend_of, discovery_account, pod_template

ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}
STRATEGIES: dict[str, Object] = {
    "Recreate": {"type": "Recreate"},
    "RampedSlowRollout": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
    "BestEffortControlledRollout": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": "20%"}},
}


class Plan(NamedTuple):
    """What to apply for one component, what to create where it is missing, and the status it should show."""

    apply: list[Object]
    create: list[Object]
    status: Object


def _object(api: str, kind: str, component: Object, name: str = "", **fields: Object) -> Object:
    meta = {
        "name": name or component["metadata"]["name"],
        "namespace": component["metadata"]["namespace"],
        "labels": labels_of(component),
        "ownerReferences": [owner(component, controller=True)],
    }
    return {"apiVersion": api, "kind": kind, "metadata": meta, **fields}


def deployment(component: Object, operator: Operator, snapshot: Snapshot) -> Object:
    """The Deployment of a component."""
    spec = component["spec"]
    asked = (spec.get("annotations") or {}).get(STRATEGY, "")
    replicas = spec.get("replicas")
    return _object(
        "apps/v1",
        "Deployment",
        component,
        spec={
            "replicas": 1 if replicas is None else replicas,
            "selector": {"matchLabels": {SELECTOR: component["metadata"]["name"]}},
            "strategy": STRATEGIES.get(asked, {"type": "RollingUpdate", "rollingUpdate": ROLLING}),
            "template": pod_template(component, operator, snapshot),
        },
    )


def service(component: Object, operator: Operator) -> Object | None:
    """The Service of a frontend, or of any component that registers in Kubernetes; others have none."""
    name, port = ("http", HTTP_PORT) if is_frontend(component) else ("system", SYSTEM_PORT)
    in_kubernetes = backend_of(component, operator) == "kubernetes"
    if not (is_frontend(component) or in_kubernetes):
        return None
    ports = [{"name": name, "port": port, "targetPort": name, "protocol": "TCP"}]
    selector = {SELECTOR: component["metadata"]["name"]}
    if operator.version >= ONE:
        selector = {key: labels_of(component)[key] for key in (NAMESPACE, COMPONENT)}
        selector[TYPE] = component["spec"].get("componentType", "")
    made = _object("v1", "Service", component, spec={"selector": selector, "ports": ports})
    if in_kubernetes:
        made["metadata"]["labels"] = {**made["metadata"]["labels"], BACKEND: "kubernetes", DISCOVERED: "true"}
    return made


def _claims(component: Object) -> list[Object]:
    claim = component["spec"].get("pvc") or {}
    if not (claim.get("create") and claim.get("name")):
        return []
    spec: Object = {
        "accessModes": [claim.get("volumeAccessMode") or "ReadWriteOnce"],
        "resources": {"requests": {"storage": str(claim.get("size") or "1Gi")}},
    }
    spec.update({"storageClassName": claim["storageClass"]} if claim.get("storageClass") else {})
    made = _object("v1", "PersistentVolumeClaim", component, claim["name"], spec=spec)
    del made["metadata"]["ownerReferences"]
    return [made]


def _accounts(component: Object, operator: Operator) -> list[Object]:
    if backend_of(component, operator) != "kubernetes":
        return []
    made = _object("v1", "ServiceAccount", component, discovery_account(labels_of(component).get(GRAPH, "")))
    made["metadata"]["labels"] = {GRAPH: labels_of(component).get(GRAPH, "")}
    # Shared by the components of a graph, so that it goes with the graph, their owner.
    made["metadata"]["ownerReferences"] = component["metadata"].get("ownerReferences") or []
    return [made]


def plan(component: Object, operator: Operator, snapshot: Snapshot) -> Plan:
    """What the operator does for a component that is not being deleted."""
    made = [*_accounts(component, operator), deployment(component, operator, snapshot)]
    found = service(component, operator)
    return Plan(made + ([found] if found else []), _claims(component), _status(component, operator, snapshot))


def is_rolled_out(found: Object | None) -> bool:
    """Whether a Deployment has as many updated and available pods as it wants, of its present generation."""
    if found is None:
        return False
    wanted, status = found["spec"].get("replicas", 1), found.get("status") or {}
    if wanted == 0:
        return True
    seen = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
    enough = min(status.get("updatedReplicas", 0), status.get("availableReplicas", 0)) >= wanted
    return seen and enough and find(status.get("conditions"), "Available").get("status") == "True"


def _status(component: Object, operator: Operator, snapshot: Snapshot) -> Object:
    meta = component["metadata"]
    ready = is_rolled_out(snapshot.get("Deployment", meta["namespace"], meta["name"]))
    generation = meta.get("generation", 1)
    available = (
        condition("Available", True, "DeploymentReady", "Deployment is ready", generation)
        if ready
        else condition("Available", False, "DeploymentNotReady", "Deployment is not ready", generation)
    )
    own = condition("DynamoComponentReady", True, "ComponentReady", "DynamoComponent is ready", generation)
    conditions = [available, own]
    status: Object = {"conditions": conditions, "podSelector": {SELECTOR: meta["name"]}}
    if operator.version >= ONE:
        return {**status, "observedGeneration": generation}
    for item in conditions:
        del item["observedGeneration"]
    return status
