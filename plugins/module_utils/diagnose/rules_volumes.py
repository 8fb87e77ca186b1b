# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: volumes that are not bound, not there or not mounted."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pods import condition
from .base import Diagnosis, Proof, by_now, event_of, event_text
from .evidence import Evidence, ref


def claims_of(pod: Object) -> list[str]:
    """Return the names of the claims that a pod mounts."""
    volumes = (pod.get("spec") or {}).get("volumes") or []
    return [str((volume["persistentVolumeClaim"] or {}).get("claimName")) for volume in volumes
            if volume.get("persistentVolumeClaim")]  # fmt: skip


def _pending(evidence: Evidence) -> t.Iterator[tuple[Object, str]]:
    """Return the claims that are not bound, each with the rule's number."""
    for claim in evidence.of("PersistentVolumeClaim"):
        if (claim.get("status") or {}).get("phase") == "Pending":
            yield claim, _kind(evidence, claim)


def _kind(evidence: Evidence, claim: Object) -> str:
    spec = claim.get("spec") or {}
    name = spec.get("storageClassName")
    if name and evidence.seen("StorageClass"):
        found = next((item for item in evidence.of("StorageClass") if item["metadata"]["name"] == name), None)
        if found is None and not spec.get("volumeName"):
            return "no-class"
        late = (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"
        if late and not event_of(evidence, claim, "ProvisioningFailed"):
            return "waits"
    if not name and not spec.get("volumeName"):
        return "no-default"
    return "provisioning"


def _claims(kind: str) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for claim, found in _pending(evidence):
            name = claim["metadata"]["name"]
            users = [ref(pod) for pod in evidence.pods if name in claims_of(pod)]
            if found != kind or (kind == "waits" and users):
                continue
            text = _text(evidence, claim)
            yield Proof((ref(claim), *users), text, key=name, since=evidence.since(claim))

    return find


def _text(evidence: Evidence, claim: Object) -> str:
    spec = claim.get("spec") or {}
    event = event_of(
        evidence, claim, "ProvisioningFailed", "FailedBinding", "ExternalProvisioning", "WaitForFirstConsumer"
    )
    modes = "/".join(spec.get("accessModes") or [])
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    text = (
        f"claim {claim['metadata']['name']} ({size} {modes}, class {spec.get('storageClassName') or 'none'}) is Pending"
    )
    if evidence.seen("StorageClass"):
        text += f"; classes: {listed([item['metadata']['name'] for item in evidence.of('StorageClass')], 5) or 'none'}"
    return text + (f"; {event_text(event)}" if event else "")


def _absent(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("PersistentVolumeClaim"):
        return
    for pod in evidence.pods:
        for name in claims_of(pod):
            if evidence.find("PersistentVolumeClaim", name) is None and not (pod.get("spec") or {}).get("nodeName"):
                have = listed([item["metadata"]["name"] for item in evidence.of("PersistentVolumeClaim")], 5)
                text = f"claim {name} not found in the namespace; available: {have or 'none'}"
                yield Proof((ref(pod),), text, key=name, since=evidence.since(pod))


_DRIVER = re.compile(
    r"driver name (\S+) not found in the list of registered CSI drivers|does not contain driver (\S+?)[\s.]*$|"
    r"no CSI driver named (\S+)",
    re.MULTILINE,
)
_HELD = re.compile(
    r"multi-attach error|already exclusively attached|already (?:in use|used|attached) (?:by|to)", re.IGNORECASE
)
_ABSENT_SOURCE = re.compile(
    r'(secret|configmap) "([^"]+)" not found|non-existent (?:secret|config) key: ?(\S+)', re.IGNORECASE
)
# Said when the time is over, of volumes whose own reason another event tells.
_WAITED = re.compile(r"timed out waiting for the condition|timeout expired|context deadline exceeded", re.IGNORECASE)
_UNMOUNTED = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")


def _mounts(pattern: re.Pattern[str] | None, remedy: str = "") -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for volumes that are not mounted; None: for reasons that no other pattern knows."""
    known = (_DRIVER, _HELD, _ABSENT_SOURCE)

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod in evidence.pods:
            event = _unmounted(evidence, pod)
            message = str((event or {}).get("message"))
            first = next((one for one in known if one.search(message)), None)
            if event is None or first is not pattern:
                continue
            found = pattern.search(message) if pattern else None
            groups = [group for group in (found.groups() if found else ()) if group]
            node = str((pod.get("spec") or {}).get("nodeName") or "?")
            advice = by_now(evidence, message) or (remedy.format(" ".join(groups), node) if groups else "")
            key = " ".join(groups) or message[:60]
            yield Proof((ref(pod),), f"node {node}: {event_text(event)}", key, evidence.since(pod), remedy=advice)

    return find


def _unmounted(evidence: Evidence, pod: Object) -> Object | None:
    """Return the event that says why a waiting pod's volume is not mounted, rather than that it waited in vain."""
    if condition(pod, "Ready").get("status") == "True" or (pod.get("status") or {}).get("phase") != "Pending":
        return None
    events = [event for event in evidence.events(pod) if event.get("reason") in _UNMOUNTED]
    telling = [event for event in events if not _WAITED.search(str(event.get("message")))]
    return next(iter(telling or events), None)


RULES = (
    Diagnosis(
        "DIAG201", "A claim uses a storage class that does not exist", _claims("no-class"),
        "PersistentVolumeClaim Pending, event ProvisioningFailed: storageclass not found; its pods Pending",
        "No StorageClass of that name is in the cluster.",
        "Use one of the cluster's classes. A claim's class cannot be changed: delete and recreate the claim.",
        "F8; llm-d/llm-d-benchmark#1789; llm-d/llm-d#969",
    ),
    Diagnosis(
        "DIAG202", "A claim has no storage class, and the cluster has no default", _claims("no-default"),
        "PersistentVolumeClaim Pending, event FailedBinding: no persistent volumes available and no storage class is"
        " set",
        "No volume is created for a claim without a class if no class is the default.",
        "Set a class in the claim, mark one as the default, or create a matching PersistentVolume.",
        "F8; Kubernetes, Persistent Volumes",
    ),
    Diagnosis(
        "DIAG203", "A volume cannot be provisioned", _claims("provisioning"),
        "PersistentVolumeClaim Pending, event ProvisioningFailed or ExternalProvisioning",
        "The storage class's provisioner rejects the claim (access mode such as ReadWriteMany, size, quota), lacks "
        "permissions, or is not running.",
        "Read the event; use a class that supports the access mode; check that the provisioner's pods are running.",
        "F8; Kubernetes, Persistent Volumes",
    ),
    Diagnosis(
        "DIAG204", "A claim waits for its first pod, and no pod mounts it", _claims("waits"),
        "PersistentVolumeClaim Pending, WaitForFirstConsumer",
        "The class binds a volume only when a pod that mounts the claim is scheduled.",
        "Nothing, if a pod follows; else mount the claim or remove it.",
        "Kubernetes, Storage Classes",
        "warning",
    ),
    Diagnosis(
        "DIAG205", "A pod mounts a claim that does not exist", _absent,
        "Pod Pending, FailedScheduling: persistentvolumeclaim not found",
        "The claim was never created, was deleted, or has another name or namespace.",
        "Create the claim, or correct its name in the values (modelArtifacts.uri: pvc://CLAIM/PATH).",
        "F8; vllm-project/production-stack#37",
    ),
    Diagnosis(
        "DIAG207", "The volume's driver is not running on the node",
        _mounts(
            _DRIVER,
            "Make the CSI driver {0} run on node {1} (a DaemonSet: its tolerations and node selector must match the "
            "node), or select nodes that have it.",
        ),
        "Pod Pending in ContainerCreating, event FailedMount: not found in the list of registered CSI drivers",
        "The CSI driver of the volume has not registered on the node: its node plugin is not running there.",
        "Make the driver's node plugin run on the node, or select nodes that have it.",
        "Kubernetes, Volumes: csi",
    ),
    Diagnosis(
        "DIAG208", "Another pod or node uses the volume", _mounts(_HELD),
        "Pod Pending in ContainerCreating, event FailedAttachVolume: Multi-Attach error",
        "A ReadWriteOnce volume is attached to one node at a time, and a pod on another node still has it.",
        "Wait for the old pod, or delete it (a rollout of a Deployment keeps it: strategy Recreate); share weights by a"
        " ReadWriteMany claim.",
        "Kubernetes, Persistent Volumes: access modes",
    ),
    Diagnosis(
        "DIAG209", "A Secret or ConfigMap that is mounted does not exist, or lacks a key",
        _mounts(_ABSENT_SOURCE, "Create the {0} in this namespace, or set another one in the values."),
        'Pod Pending in ContainerCreating, event FailedMount: secret "..." not found',
        "A volume of the pods uses a Secret or ConfigMap that is not in the namespace, or a key that it lacks.",
        "Create the object in the event, or set another one in the values.",
        "Kubernetes, Debug Pods",
    ),
    Diagnosis(
        "DIAG206", "A volume cannot be mounted", _mounts(None),
        "Pod Pending in ContainerCreating, event FailedMount or FailedAttachVolume",
        "The storage or its driver fails or does not answer; see the event.",
        "Fix the cause in the event.",
        "Kubernetes, Debug Pods",
    ),
)  # fmt: skip
