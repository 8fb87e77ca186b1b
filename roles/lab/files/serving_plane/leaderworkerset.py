# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LeaderWorkerSet: the pods and the Service that one should have, and its status."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import NamedTuple

from .cluster.conditions import condition
from .cluster.snapshot import Object, Snapshot, is_deleted, is_ready, labels_of
from .gateways.infrastructure import owner

PREFIX = "leaderworkerset.sigs.k8s.io"
NAME, GROUP, WORKER = f"{PREFIX}/name", f"{PREFIX}/group-index", f"{PREFIX}/worker-index"
REVISION = f"{PREFIX}/template-revision-hash"


class Plan(NamedTuple):
    """What to create and delete for one LeaderWorkerSet, and the status it should show."""

    create: list[Object]
    delete: list[Object]
    status: Object


def revision(lws: Object) -> str:
    """A hash of the pod templates and the group size."""
    text = json.dumps(lws["spec"]["leaderWorkerTemplate"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _size(lws: Object) -> int:
    return lws["spec"]["leaderWorkerTemplate"].get("size") or 1


def _replicas(lws: Object) -> int:
    replicas = lws["spec"].get("replicas")
    return 1 if replicas is None else replicas


def pod_name(lws: Object, group: int, worker: int) -> str:
    """`<lws>-<group>` for a leader, `<lws>-<group>-<worker>` for a worker."""
    base = f"{lws['metadata']['name']}-{group}"
    return f"{base}-{worker}" if worker else base


def pod(lws: Object, group: int, worker: int) -> Object:
    """A pod of a group; worker 0 is the leader."""
    template = lws["spec"]["leaderWorkerTemplate"]
    source = template["workerTemplate"]
    if worker == 0 and template.get("leaderTemplate"):
        source = template["leaderTemplate"]
    meta, spec = source.get("metadata") or {}, copy.deepcopy(source["spec"])
    name, namespace = lws["metadata"]["name"], lws["metadata"]["namespace"]
    spec["subdomain"], spec["hostname"] = name, pod_name(lws, group, worker)
    env = [
        {"name": "LWS_LEADER_ADDRESS", "value": f"{pod_name(lws, group, 0)}.{name}.{namespace}"},
        {"name": "LWS_GROUP_SIZE", "value": str(_size(lws))},
        {"name": "LWS_WORKER_INDEX", "value": str(worker)},
    ]
    for container in (spec.get("initContainers") or []) + spec["containers"]:
        container["env"] = env + (container.get("env") or [])
    own = {NAME: name, GROUP: str(group), WORKER: str(worker), REVISION: revision(lws)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": pod_name(lws, group, worker),
            "namespace": namespace,
            "labels": {**(meta.get("labels") or {}), **own},
            "annotations": {**(meta.get("annotations") or {}), f"{PREFIX}/size": str(_size(lws))},
            "ownerReferences": [owner(lws, controller=True)],
        },
        "spec": spec,
    }


def headless_service(lws: Object) -> Object:
    """The Service that gives the group's pods their host names."""
    name = lws["metadata"]["name"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": lws["metadata"]["namespace"],
            "ownerReferences": [owner(lws, controller=True)],
        },
        "spec": {"clusterIP": "None", "selector": {NAME: name}, "publishNotReadyAddresses": True},
    }


def plan(lws: Object, snapshot: Snapshot) -> Plan:
    """Compare a LeaderWorkerSet with its pods. Outdated groups are replaced one at a time."""
    mine = _own_pods(lws, snapshot)
    wanted = {(g, w) for g in range(_replicas(lws)) for w in range(_size(lws))}
    extra = [item for key, item in mine.items() if key not in wanted and not is_deleted(item)]
    delete = extra + _outdated(lws, mine, wanted)
    create = [pod(lws, *key) for key in sorted(wanted - set(mine))]
    return Plan(create, delete, _status(lws, mine))


def _own_pods(lws: Object, snapshot: Snapshot) -> dict[tuple[int, int], Object]:
    found = {}
    for item in snapshot.within("Pod", lws["metadata"]["namespace"]):
        owners = item["metadata"].get("ownerReferences") or []
        if any(ref["uid"] == lws["metadata"]["uid"] for ref in owners):
            labels = labels_of(item)
            found[int(labels[GROUP]), int(labels[WORKER])] = item
    return found


def _outdated(lws: Object, mine: dict[tuple[int, int], Object], wanted: set[tuple[int, int]]) -> list[Object]:
    current = revision(lws)
    old = {key: item for key, item in mine.items() if key in wanted and labels_of(item).get(REVISION) != current}
    fresh_unready = any(labels_of(item).get(REVISION) == current and not is_ready(item) for item in mine.values())
    if not old or fresh_unready or set(mine) < wanted or any(is_deleted(item) for item in mine.values()):
        return []
    last = max(group for group, _unused in old)
    return [item for (group, _unused), item in old.items() if group == last]


def _status(lws: Object, mine: dict[tuple[int, int], Object]) -> Object:
    replicas, size, current = _replicas(lws), _size(lws), revision(lws)
    groups = [[mine.get((group, worker)) for worker in range(size)] for group in range(replicas)]
    ready = [all(item is not None and is_ready(item) for item in group) for group in groups]
    updated = [all(item is not None and labels_of(item).get(REVISION) == current for item in group) for group in groups]
    available = all(ready) and all(updated)
    generation = lws["metadata"].get("generation", 1)
    reason, message = "GroupsProgressing", f"{sum(ready)} of {replicas} groups are ready"
    if available:
        reason, message = "AllGroupsReady", "All replicas are ready"
    return {
        "replicas": len({group for group, worker in mine if worker == 0}),
        "readyReplicas": sum(ready),
        "updatedReplicas": sum(updated),
        "hpaPodSelector": f"{NAME}={lws['metadata']['name']},{WORKER}=0",
        "conditions": [
            condition("Available", available, reason, message, generation),
            condition("Progressing", not available, reason, message, generation),
        ],
    }
