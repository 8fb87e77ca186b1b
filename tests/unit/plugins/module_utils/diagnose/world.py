# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Evidence for tests of diagnosis: objects as the API gives them, shortened."""

from __future__ import annotations

from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Evidence, Log

Object = dict[str, Any]
NS, NOW, BORN = "demo", 1_795_255_200.0, "2026-11-21T09:20:00Z"


def item(kind: str, name: str, uid: str = "", **fields: Any) -> Object:
    """An object of the namespace; labels, annotations, ownerReferences go to its metadata."""
    metadata: Object = {"name": name, "namespace": NS, "uid": uid or f"{kind}-{name}", "creationTimestamp": BORN}
    for key in ("labels", "annotations", "ownerReferences", "deletionTimestamp", "finalizers"):
        if key in fields:
            metadata[key] = fields.pop(key)
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields}


def wide(kind: str, name: str, **fields: Any) -> Object:
    """An object of no namespace."""
    made = item(kind, name, **fields)
    del made["metadata"]["namespace"]
    return made


def state(
    name: str = "vllm",
    *,
    waiting: Object | None = None,
    last: Object | None = None,
    restarts: int = 0,
    running: bool = False,
    ready: bool = False,
) -> Object:
    """A container's status."""
    now = {"waiting": waiting} if waiting else {"running": {}} if running else {"terminated": last}
    former = {"terminated": last} if last and (waiting or running) else {}
    return {"name": name, "image": "i:v1", "ready": ready, "restartCount": restarts, "state": now, "lastState": former}


def pod(
    name: str = "web-1",
    *states: Object,
    phase: str = "Pending",
    spec: Object | None = None,
    conditions: list[Object] | None = None,
    owner: str = "web",
    **fields: Any,
) -> Object:
    """A pod of a Deployment."""
    labels = {"app": owner, "pod-template-hash": "h", **fields.pop("labels", {})}
    refs = [{"kind": "ReplicaSet", "name": f"{owner}-h", "controller": True, "uid": f"ReplicaSet-{owner}-h"}]
    body = {"nodeName": "n", "containers": [{"name": "vllm", "image": "reg/vllm:v1"}], **(spec or {})}
    status = {"phase": phase, "containerStatuses": list(states), "conditions": conditions or []}
    return item("Pod", name, labels=labels, ownerReferences=refs, spec=body, status=status, **fields)


def event(about: Object, reason: str, message: str, kind: str = "Warning", count: int = 1) -> Object:
    """An event."""
    target = {"kind": about["kind"], "name": about["metadata"]["name"], "uid": about["metadata"]["uid"]}
    return item(
        "Event",
        f"e-{reason}-{about['metadata']['name']}",
        involvedObject=target,
        reason=reason,
        message=message,
        type=kind,
        count=count,
        firstTimestamp=BORN,
        lastTimestamp=BORN,
    )


def evidence(*objects: Object, logs: list[Log] | None = None, **fields: Any) -> Evidence:
    """Evidence of these objects; kinds without any count as read, and empty."""
    kinds = (
        "Pod",
        "Event",
        "PersistentVolumeClaim",
        "Service",
        "Deployment",
        "Gateway",
        "HTTPRoute",
        "InferencePool",
        "GatewayClass",
        "StorageClass",
    )
    found = Evidence(NS, {kind: [] for kind in kinds}, logs=logs or [], now=NOW, **fields)
    for entry in objects:
        found.lists.setdefault(entry["kind"], []).append(entry)
    return found


def crashed(line: str, name: str = "web-1", container: str = "vllm") -> tuple[Object, Log]:
    """A pod in its back-off, and its log."""
    wait = {"reason": "CrashLoopBackOff", "message": "back-off"}
    body = pod(
        name, state(container, waiting=wait, last={"exitCode": 1, "reason": "Error"}, restarts=2), phase="Running"
    )
    return body, Log(body, container, tuple(line.split("\n")))
