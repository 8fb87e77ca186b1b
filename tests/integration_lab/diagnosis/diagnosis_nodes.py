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


def far_volume(namespace: str) -> list[Object]:
    """A claim that is bound to a volume of a node that there is not, and a pod that mounts it."""
    name = f"diagnosis-{namespace}"
    term = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["moon"]}]}
    size = {"storage": "1Gi"}
    shared = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    body = {"capacity": size, "hostPath": {"path": "/tmp"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}
    claimed = {"namespace": namespace, "name": "weights"}
    metadata = {"name": name}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": {**body, **shared}}
    volume["spec"]["claimRef"] = claimed
    claim = {**shared, "volumeName": name, "resources": {"requests": size}}
    mounted = [{"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}]
    parts = [obj("v1", "PersistentVolumeClaim", "weights", namespace, spec=claim), workload(namespace, volumes=mounted)]
    return [volume, *parts]


def no_device_class(namespace: str) -> list[Object]:
    """A pod that claims a device of a class that does not exist."""
    requests = [{"name": "gpu", "exactly": {"deviceClassName": "gpu.absent.example.com"}}]
    spec = {"spec": {"devices": {"requests": requests}}}
    template = obj("resource.k8s.io/v1", "ResourceClaimTemplate", "gpu", namespace, spec=spec)
    claims = [{"name": "gpu", "resourceClaimTemplateName": "gpu"}]
    return [
        template,
        workload(namespace, resourceClaims=claims, container={"resources": {"claims": [{"name": "gpu"}]}}),
    ]


def same_port(namespace: str) -> list[Object]:
    """Two pods that need one port of the only node that they may use."""
    ports = [{"containerPort": 8000, "hostPort": 28000}]
    return [on_node(namespace, TAINTED, replicas=2, container={"ports": ports})]


NODES = [
    Case("far-volume", "DIAG220", "topology.kubernetes.io/zone In moon", far_volume),
    Case("device-class", "DIAG221", "gpu.absent.example.com", no_device_class),
    Case("host-port", "DIAG222", "free ports", same_port),
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


def failed(name: str, rule: str, text: str, reason: str, message: str) -> Case:
    """A pod that a node rejects or throws off."""
    return alone(name, rule, text, {"phase": "Failed", "reason": reason, "message": message, "containerStatuses": []})


def waits(name: str, rule: str, text: str, reason: str, message: str) -> Case:
    """A pod whose containers cannot be made yet."""
    return played(name, rule, text, container({"reason": "ContainerCreating"}), (reason, message))


def sandbox(name: str, rule: str, text: str, message: str) -> Case:
    """A pod whose sandbox the node cannot make."""
    said = f"Failed to create pod sandbox: rpc error: code = Unknown desc = {message}"
    return played(name, rule, text, container({"reason": "ContainerCreating"}), ("FailedCreatePodSandBox", said))


def initialising(name: str, text: str) -> Case:
    """A pod that waits for an init container which serves and never ends."""
    init = {"name": "routing-proxy", "image": "example.com/proxy:v1", "args": ["--port=8000", "--vllm-port=8200"]}
    status = container({"reason": "PodInitializing"})
    running = {**status["containerStatuses"][0], "name": "routing-proxy"}
    running["state"] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    status["initContainerStatuses"] = [running]

    def objects(namespace: str) -> list[Object]:
        template = held(namespace)
        template["spec"]["template"]["spec"]["initContainers"] = [init]
        return [template]

    return played(name, "DIAG424", text, status)._replace(objects=objects)


OVER_VOLUME = 'Usage of EmptyDir volume "model-storage" exceeds the limit "5Gi". '
OVER_LIMIT = "Pod ephemeral local storage usage exceeds the total limit of containers 9Gi. "
UNHEALTHY = (
    "Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices"
    " nvidia.com/gpu, which is unexpected"
)
NO_DRIVER = (
    'MountVolume.MountDevice failed for volume "w" : driver name nfs.csi.example.com not found in the list of'
    " registered CSI drivers"
)
LEAVING = "Pod was terminated in response to imminent node shutdown."
ATTACHED = 'Multi-Attach error for volume "w" Volume is already exclusively attached to one node'
NO_SOURCE = 'MountVolume.SetUp failed for volume "c" : configmap "absent" not found'
PROBE = "Startup probe failed: Get http://10.0.0.9:8000/health: connection refused"
KILLED = {"exitCode": 137, "reason": "Error", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:05:00Z"}
NO_PROGRAM = 'failed to create containerd task: exec: "vlm": executable file not found in $PATH: unknown'
LOW: Object = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."}
LOW["containerStatuses"] = []
BACK_OFF = {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}
PLAYED = [
    pull("login", "DIAG102", "pull access denied, repository does not exist or may require authorization"),
    pull("image-disk", "DIAG108", "write /var/lib/containerd/x: no space left on device"),
    pull("trust", "DIAG110", "x509: certificate signed by unknown authority"),
    pull("odd", "DIAG109", "unexpected media type text/html for sha256:77: not a manifest"),
    pull("rate", "DIAG103", "429 Too Many Requests - toomanyrequests: pull rate limit"),
    pull("image-name", "DIAG104", "couldn't parse image name", "InvalidImageName"),
    pull("registry", "DIAG105", "dial tcp 203.0.113.9:443: i/o timeout"),
    pull("image-processor", "DIAG106", "no match for platform in manifest: not found"),
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
    failed("volume-limit", "DIAG415", "modelArtifacts.size", "Evicted", OVER_VOLUME),
    failed("disk-limit", "DIAG416", "ephemeral-storage", "Evicted", OVER_LIMIT),
    failed(
        "shutdown", "DIAG417", "shutdown", "Terminated", "Pod was terminated in response to imminent node shutdown."
    ),
    failed("devices", "DIAG223", "device plugin of nvidia.com/gpu", "UnexpectedAdmissionError", UNHEALTHY),
    failed("rejected", "DIAG224", "NUMA node", "TopologyAffinityError", "Pod was rejected: no aligned devices"),
    sandbox("runtime", "DIAG421", "Set up the runtime nvidia", 'no runtime for "nvidia" is configured'),
    sandbox(
        "network", "DIAG422", "calico", 'failed to setup network for sandbox "a1": plugin type="calico" failed (add)'
    ),
    sandbox("sandbox", "DIAG423", "cgroups", "runc create failed: unable to start: cgroups: cannot find cgroup mount"),
    waits("csi-driver", "DIAG207", "CSI driver nfs.csi.example.com", "FailedMount", NO_DRIVER),
    waits("attached", "DIAG208", "exclusively attached", "FailedAttachVolume", ATTACHED),
    waits("volume-source", "DIAG209", "Create the configmap absent", "FailedMount", NO_SOURCE),
    initialising("init-serves", "restartPolicy: Always"),
    played("probe-kills", "DIAG413", PROBE, container(BACK_OFF, KILLED, 3), ("Unhealthy", PROBE)),
    played(
        "probe", "DIAG414", "HTTP probe failed", container(), ("Unhealthy", "Readiness probe failed: HTTP probe failed")
    ),
]
