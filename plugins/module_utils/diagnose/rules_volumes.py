# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: volumes that are not bound, not there or not mounted."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..objects.pods import condition
from .base import Diagnosis, Proof, event_of, event_text
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
                text = f"no claim {name} in the namespace; there is: {have or 'none'}"
                yield Proof((ref(pod),), text, key=name, since=evidence.since(pod))


def _unmounted(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        event = event_of(evidence, pod, "FailedMount", "FailedAttachVolume", "FailedMapVolume")
        if (
            event
            and condition(pod, "Ready").get("status") != "True"
            and (pod.get("status") or {}).get("phase") == "Pending"
        ):
            yield Proof((ref(pod),), event_text(event), key=str(event.get("message"))[:60], since=evidence.since(pod))


RULES = (
    Diagnosis(
        "DIAG201", "A claim names a storage class that does not exist", _claims("no-class"),
        "PersistentVolumeClaim Pending, event ProvisioningFailed: storageclass not found; its pods Pending",
        "No StorageClass of that name is in the cluster.",
        "Name one of the cluster's classes. A claim's class cannot be changed: delete the claim and make it anew.",
        "F8; llm-d/llm-d-benchmark#1789; llm-d/llm-d#969",
    ),
    Diagnosis(
        "DIAG202", "A claim names no storage class, and the cluster has no default", _claims("no-default"),
        "PersistentVolumeClaim Pending, event FailedBinding: no persistent volumes available and no storage class is"
        " set",
        "Nothing makes a volume for a claim without a class where no class is the default.",
        "Name a class in the claim, mark one as the default, or make a PersistentVolume that fits.",
        "F8; Kubernetes, Persistent Volumes",
    ),
    Diagnosis(
        "DIAG203", "A volume cannot be provisioned", _claims("provisioning"),
        "PersistentVolumeClaim Pending, event ProvisioningFailed or ExternalProvisioning",
        "The storage class's provisioner refuses the claim (access mode such as ReadWriteMany, size, quota), has no"
        " rights, or does not run.",
        "Read the event; choose a class that supports the access mode; see to it that the provisioner's pods run.",
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
        "The claim was never made, was deleted, or has another name or namespace.",
        "Make the claim, or correct its name in the values (modelArtifacts.uri: pvc://CLAIM/PATH).",
        "F8; vllm-project/production-stack#37",
    ),
    Diagnosis(
        "DIAG206", "A volume cannot be mounted", _unmounted,
        "Pod Pending in ContainerCreating, event FailedMount or FailedAttachVolume",
        "The Secret or ConfigMap of a volume is missing, another node holds the volume, or the storage's driver fails.",
        "Make what the event names; for Multi-Attach errors wait for the old pod or use ReadWriteMany.",
        "Kubernetes, Debug Pods",
    ),
)  # fmt: skip
