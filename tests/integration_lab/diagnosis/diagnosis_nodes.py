# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Nodes and volumes that do not take pods, and pods whose status is set as a node would report it."""

from __future__ import annotations

import functools
from typing import Any

from diagnosis_faults import TAINTED, Case, held, workload
from plane_client import Lab, eventually
from plane_stack import Object, obj

CORDONED = "diagnosis-cordoned"
TOLERATED = {"tolerations": [{"key": "diagnosis", "operator": "Exists"}]}


def on_node(namespace: str, node: str, **spec: Any) -> Object:
    """A workload for one of the nodes that the tests have made."""
    return workload(namespace, nodeSelector={"kubernetes.io/hostname": node}, **TOLERATED, **spec)


def apart(namespace: str) -> Object:
    """Two pods that may not share the only node that they may use."""
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return on_node(namespace, TAINTED, replicas=2, affinity=affinity)


def waiting_claim(namespace: str) -> list[Object]:
    """A claim of a class that waits for a pod, and no pod."""
    name = f"diagnosis-{namespace}"
    storage = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
    storage |= {"provisioner": "example.com/none", "volumeBindingMode": "WaitForFirstConsumer"}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": name}
    return [storage, obj("v1", "PersistentVolumeClaim", "weights", namespace, spec=spec)]


NODES = [
    Case("cordoned", "DIAG215", CORDONED, lambda ns: [on_node(ns, CORDONED)]),
    Case("apart", "DIAG216", "anti-affinity", lambda ns: [apart(ns)]),
    Case("waits", "DIAG204", "is Pending", waiting_claim),
]


def report(status: Object, *events: tuple[str, str], lab: Lab, namespace: str) -> None:
    """Set the status of a held pod, and say what a node says in events."""

    def found() -> Any:
        pods = lab.core.list_namespaced_pod(namespace).items
        return pods[0] if pods and pods[0].status.container_statuses else None

    pod = eventually(found, 90)
    about = {"kind": "Pod", "name": pod.metadata.name, "namespace": namespace, "uid": pod.metadata.uid}
    for reason, text in events:
        meta = {"name": f"{pod.metadata.name}.{reason.lower()}", "namespace": namespace}
        row = {"metadata": meta, "involvedObject": about, "reason": reason, "message": text, "type": "Warning"}
        lab.core.create_namespaced_event(namespace, {**row, "count": 3, "source": {"component": "kubelet"}})
    lab.core.patch_namespaced_pod_status(pod.metadata.name, namespace, {"status": status})


def container(waiting: Object | None = None, last: Object | None = None, restarts: int = 0) -> Object:
    """The status of a pod with one container, which runs unless it waits."""
    state: Object = {"waiting": waiting} if waiting else {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    entry = {"name": "vllm", "image": "example.com/models/vllm:v1", "imageID": "", "ready": False}
    former = {"terminated": last} if last else {}
    statuses = [{**entry, "restartCount": restarts, "state": state, "lastState": former}]
    return {"phase": "Pending" if waiting and not restarts else "Running", "containerStatuses": statuses}


def played(name: str, rule: str, text: str, status: Object, *events: tuple[str, str]) -> Case:
    """A pod whose status a node reports so."""

    def then(lab: Lab, namespace: str) -> None:
        functools.partial(report, status, *events)(lab=lab, namespace=namespace)

    return Case(name, rule, text, lambda ns: [held(ns)], then=then)


def alone(name: str, rule: str, text: str, status: Object) -> Case:
    """A pod without an owner, which would make another."""

    def pod(namespace: str) -> list[Object]:
        template = held(namespace)["spec"]["template"]
        return [obj("v1", "Pod", "web", namespace, **template["metadata"], spec=template["spec"])]

    return played(name, rule, text, status)._replace(objects=pod)


def pull(name: str, rule: str, said: str, reason: str = "ImagePullBackOff") -> Case:
    """An image that a node cannot pull."""
    text = f'Failed to pull image "example.com/models/vllm:v1": {said}'
    return played(name, rule, said, container({"reason": reason, "message": said}), ("Failed", text))


PROBE = "Startup probe failed: Get http://10.0.0.9:8000/health: connection refused"
KILLED = {"exitCode": 137, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:05:00Z"}
NO_PROGRAM = 'failed to create containerd task: exec: "vlm": executable file not found in $PATH: unknown'
LOW: Object = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."}
LOW["containerStatuses"] = []
BACK_OFF = {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}
PLAYED = [
    pull("login", "DIAG102", "pull access denied, repository does not exist or may require authorization"),
    pull("rate", "DIAG103", "429 Too Many Requests - toomanyrequests: pull rate limit"),
    pull("image-name", "DIAG104", "couldn't parse image name", "InvalidImageName"),
    pull("registry", "DIAG105", "dial tcp 203.0.113.9:443: i/o timeout"),
    pull("processor", "DIAG106", "no match for platform in manifest: not found"),
    pull("never", "DIAG107", "Container image is not present with pull policy of Never", "ErrImageNeverPull"),
    played(
        "mount",
        "DIAG206",
        "FailedMount",
        container({"reason": "ContainerCreating"}),
        ("FailedMount", 'MountVolume.SetUp failed for volume "cache": no such file or directory'),
    ),
    played("program", "DIAG404", "executable", container({"reason": "RunContainerError", "message": NO_PROGRAM})),
    alone("evicted", "DIAG412", "ephemeral-storage", LOW),
    played("probe-kills", "DIAG413", PROBE, container(BACK_OFF, KILLED, 3), ("Unhealthy", PROBE)),
    played(
        "probe", "DIAG414", "HTTP probe failed", container(), ("Unhealthy", "Readiness probe failed: HTTP probe failed")
    ),
]
