# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A small cluster and a plan as plain data, for the rules about room, quotas and limits."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.room import Capacity
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.capacity import RULES as ROOM
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.quota import RULES as QUOTAS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check

GPU = "nvidia.com/gpu"
Object = dict[str, Any]
HIGH = {"metadata": {"name": "high"}, "value": 1000}
MEEK = {"metadata": {"name": "meek"}, "value": 1000, "preemptionPolicy": "Never"}


def node(name: str, gpus: int = 0, cpu: str = "16", memory: str = "64Gi", **more: Any) -> Object:
    """more: labels, taints, unschedulable, ready, allocatable."""
    allocatable = {"cpu": cpu, "memory": memory, "pods": "110", **({GPU: str(gpus)} if gpus else {})}
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **more.get("labels", {})}},
        "spec": {"taints": more.get("taints", []), "unschedulable": more.get("unschedulable")},
        "status": {
            "allocatable": {**allocatable, **more.get("allocatable", {})},
            "conditions": [{"type": "Ready", "status": more.get("ready", "True")}],
        },
    }


def container(requests: Object | None = None, limits: Object | None = None, **more: Any) -> Object:
    """more: further fields of the container."""
    devices = {name: value for name, value in (requests or {}).items() if "/" in name}
    limits = {**devices, **(limits or {})}
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value}
    return {"name": "vllm", "image": "vllm:1", "resources": resources, **more}


def spec(requests: Object | None = None, **more: Any) -> Object:
    """A pod's spec of one container; more: its other fields."""
    return {"containers": [container(requests)], **more}


def pod(name: str, where: str, requests: Object, owner: str = "", namespace: str = "demo", **more: Any) -> Object:
    """A live pod of a Deployment (owner) or of none; more: priority, phase, labels, and other fields of its spec."""
    labels = {**more.pop("labels", {}), **({"pod-template-hash": "abc"} if owner else {})}
    phase = more.pop("phase", "Running")
    owners = [{"kind": "ReplicaSet", "name": f"{owner}-abc", "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels, "ownerReferences": owners},
        "spec": {"nodeName": where, **spec(requests), **more},
        "status": {"phase": phase},
    }


def deployment(name: str, pod_spec: Object, replicas: int | None = 1, **more: Any) -> Object:
    """more: labels of its pods, and other fields of its spec."""
    labels = {"app": name, **more.pop("labels", {})}
    template = {"metadata": {"labels": labels}, "spec": pod_spec}
    count = {} if replicas is None else {"replicas": replicas}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "demo"}}
    return {**body, "spec": {**count, "template": template, **more}}


def group(name: str, pod_spec: Object, replicas: int, size: int, leader: Object | None = None) -> Object:
    """A LeaderWorkerSet."""
    templates = {"workerTemplate": {"spec": pod_spec}, **({"leaderTemplate": {"spec": leader}} if leader else {})}
    body = {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet"}
    metadata = {"name": name, "namespace": "demo"}
    spec_ = {"replicas": replicas, "leaderWorkerTemplate": {"size": size, **templates}}
    return {**body, "metadata": metadata, "spec": spec_}


def quota(hard: Object, used: Object | None = None, **more: Any) -> Object:
    """more: scopes, scopeSelector."""
    metadata = {"name": "team", "namespace": "demo"}
    limits = {"spec": {"hard": hard, **more}, "status": {"used": used or {}}}
    return {"kind": "ResourceQuota", "metadata": metadata, **limits}


def limit_range(**item: Any) -> Object:
    """A LimitRange of one item; its type is Container where none is given."""
    metadata = {"name": "team", "namespace": "demo"}
    return {"kind": "LimitRange", "metadata": metadata, "spec": {"limits": [{"type": "Container", **item}]}}


def model(plan: list[Object], nodes: list[Object] | None, pods: list[Object] | None = None, **more: Any) -> StackModel:
    """more: fields of Capacity; classes: PriorityClasses."""
    part = RenderedRelease("modelservice", "ms-a", "demo", copy.deepcopy(plan))
    objects = {"PriorityClass": more.pop("classes", [HIGH, MEEK])}
    found = build_model([part], [], [], RuleFacts(objects=objects))
    every = pods or []
    own = more.pop("own_pods", [body for body in every if body["metadata"]["namespace"] == "demo"])
    known = None if more.pop("pods_unknown", False) else every
    capacity = Capacity(nodes=nodes, pods=known, own_pods=own, **more)
    found.facts = dataclasses.replace(found.facts, capacity=capacity)
    return found


def findings(found: StackModel) -> list[Finding]:
    return check(found, (*ROOM, *QUOTAS))


def shown(found: list[Finding]) -> str:
    return "\n".join(f"{item.rule} {item.message} -> {item.hint}" for item in found)
