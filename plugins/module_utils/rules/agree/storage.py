# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about volumes and secrets: a default StorageClass, access modes against class and pods, types of Secrets."""

from __future__ import annotations

import collections
import typing as t

from ...base.data import Object, dicts, mapping, number, texts
from ...base.findings import WARNING, Finding
from ...base.quantities import Amounts, amounts
from ...model.items import Item
from ...model.model import StackModel, pod_specs
from ...objects.pods import pod_requests
from ..base import Rule, Side, claim_variables, finding, listed, made, rule_factory

PVC, CLASS = "PersistentVolumeClaim", "StorageClass"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
ONE_NODE, ONE_POD = "ReadWriteOnce", "ReadWriteOncePod"
# Provisioners of volumes that only one node can mount for writing, by the documentation of each driver.
_ONE_NODE_ONLY = (
    "rancher.io/local-path",
    "kubernetes.io/host-path",
    "k8s.io/minikube-hostpath",
    "docker.io/hostpath",
    "microk8s.io/hostpath",
    "ebs.csi.aws.com",
    "kubernetes.io/aws-ebs",
    "pd.csi.storage.gke.io",
    "kubernetes.io/gce-pd",
    "disk.csi.azure.com",
    "kubernetes.io/azure-disk",
    "cinder.csi.openstack.org",
    "topolvm.io",
    "openebs.io/local",
    "dobs.csi.digitalocean.com",
    "csi.hetzner.cloud",
    "linodebs.csi.linode.com",
)
_PULL_TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


def _planned(model: StackModel) -> list[Item]:
    return model.items(PVC, planned_only=True)


def default_class(model: StackModel) -> t.Iterator[Finding]:
    """A claim without a class gets the cluster's default one, where there is one."""
    classes = model.items(CLASS)
    if not model.known(CLASS) or any(_is_default(one) for one in classes):
        return
    for claim in _planned(model):
        if claim.spec.get("storageClassName") is None and not claim.spec.get("volumeName"):
            there = f"none of the cluster's ({listed(one.name for one in classes)}) is the default"
            where = f"{claim_variables(claim)}storage_class is" if claim_variables(claim) else "it is set to"
            what = "empty" if claim_variables(claim) else "no StorageClass"
            text = (
                f"{claim.title} gets no volume: {where} {what}, and {there if classes else 'the cluster has no class'}"
            )
            yield finding(text, (Side(claim, ("spec", "storageClassName"), "objects"),), ("class", claim.title))


def _is_default(item: Item) -> bool:
    notes = mapping(mapping(item.body.get("metadata")).get("annotations"))
    return any(
        str(notes.get(key)) == "true" for key in (_DEFAULT, _DEFAULT.replace("storageclass", "storageclass.beta"))
    )


def class_modes(model: StackModel) -> t.Iterator[Finding]:
    """A class whose volumes only one node can mount is not asked for more."""
    classes = model.items(CLASS)
    fallback = next((one.name for one in classes if _is_default(one)), "")
    for claim in _planned(model):
        given = claim.spec.get("storageClassName")
        item = model.find(CLASS, str(fallback if given is None else given))
        provisioner = str(item.body.get("provisioner")) if item else ""
        wrong = [mode for mode in texts(claim.spec.get("accessModes")) if mode in ("ReadWriteMany", "ReadOnlyMany")]
        if provisioner in _ONE_NODE_ONLY and wrong and claim.spec.get("volumeMode") != "Block" and item:
            field = f"{claim_variables(claim)}access_modes" if claim_variables(claim) else "accessModes"
            text = f"{claim.title} asks for {listed(wrong)} ({field}), StorageClass {item.name} ({provisioner}) "
            text += "has volumes for one node only"
            side = Side(claim, ("spec", "accessModes"), "objects")
            yield finding(text, (side, Side(item)), ("modes", claim.title))


def shared_claims(model: StackModel) -> t.Iterator[Finding]:
    """A claim for one node or pod is not mounted by more."""
    users: dict[str, list[tuple[Item, int, Side]]] = collections.defaultdict(list)
    claims = {item.title: item for item in model.items(PVC)}
    for item in model.planned:
        for path, spec in pod_specs(item):
            for index, volume in enumerate(dicts(spec.get("volumes"))):
                name = mapping(volume.get("persistentVolumeClaim")).get("claimName")
                claim = model.find(PVC, str(name), item.namespace) if name else None
                if claim and item.kind != "Job":
                    side = Side(item, (*path, "volumes", index), _fact(item, volume))
                    users[claim.title].append((item, _pods(item), side))
    for title, mounted in users.items():
        modes = texts(claims[title].spec.get("accessModes"))
        pods = sum(count for _item, count, _side in mounted)
        if pods > 1 and modes and set(modes) <= {ONE_NODE, ONE_POD} and not _on_one_node(model, mounted, modes):
            whom = "one pod" if set(modes) == {ONE_POD} else "the pods of one node"
            who = listed(item.name for item, _count, _side in mounted)
            text = f"{pods} pods of {who} mount {title}, which is {listed(modes)}: for {whom}"
            sides = tuple(side for _item, _count, side in mounted)
            yield finding(text, (*sides, Side(claims[title])), ("shared", title))


def _on_one_node(model: StackModel, mounted: list[tuple[Item, int, Side]], modes: list[str]) -> bool:
    """Return whether pods that an operator makes may all be where their claim is: samples of graphs count on it."""
    items = [item for item, _count, _side in mounted]
    if set(modes) == {ONE_POD} or not all(item.by for item in items):
        return False
    nodes = (model.facts.capacity.nodes if model.facts.capacity else None) or ()
    rooms = [amounts(mapping(mapping(node.get("status")).get("allocatable"))) for node in nodes]
    wanted: Amounts = {}
    for item, count, _side in mounted:
        for _path, spec in pod_specs(item):
            for name, amount in pod_requests(spec).items():
                wanted[name] = wanted.get(name, 0) + amount * count
    return not rooms or any(all(room.get(name, 0) >= amount for name, amount in wanted.items()) for room in rooms)


def _fact(item: Item, volume: Object) -> str:
    if not item.serves_models:
        return "epp_volumes"
    role = next((role for role in ("decode", "prefill") if item.name.endswith(role)), "decode")
    return "uri" if volume.get("name") == "model-storage" else f"{role}_volumes"


def _pods(item: Item) -> int:
    size = number(mapping(item.spec.get("leaderWorkerTemplate")).get("size")) or 1
    replicas = number(item.spec.get("replicas", 1))
    return size * (1 if replicas is None else replicas)


def pull_secrets(model: StackModel) -> t.Iterator[Finding]:
    """The secrets that images are pulled with are there, and of the type that kubelets read."""
    for item in model.planned:
        for path, spec in pod_specs(item):
            for index, ref in enumerate(dicts(spec.get("imagePullSecrets"))):
                name = str(ref.get("name") or "")
                secret = model.find("Secret", name, item.namespace)
                kind = str(secret.body.get("type") or "Opaque") if secret else ""
                use = f"with which {item.name} pulls its images"
                if model.exists("Secret", name, item.namespace) is False:
                    text = f"Secret {name} not found in namespace {item.namespace}, {use}"
                elif secret and "type" in secret.body and kind not in _PULL_TYPES:
                    text = f"Secret {name}, {use}, is of type {kind}: kubelets ignore it"
                else:
                    continue
                side = made(item, (*path, "imagePullSecrets", index))
                yield finding(text, (side, *([Side(secret)] if secret else [])), ("pull", item.namespace, name))


_rule = rule_factory("LLMD6")
_STORAGE = "Kubernetes, Persistent Volumes"

RULES: tuple[Rule, ...] = (
    _rule(
        20,
        "Claims get a class",
        default_class,
        "A PersistentVolumeClaim names a StorageClass, or the cluster has a default one.",
        "The claim stays Pending: no storage class is set; its pods with it.",
        "name a StorageClass of the cluster (prepare_pvc_storage_class), or mark one as the default",
        f"{_STORAGE}, storageClassName",
    ),
    _rule(
        21,
        "A class offers the access modes",
        class_modes,
        "A claim asks a StorageClass for no ReadWriteMany or ReadOnlyMany whose driver's volumes are for one node.",
        "The claim stays Pending (ProvisioningFailed), and its pods with it.",
        "use a StorageClass of a shared file system, or ReadWriteOnce with one pod (prepare_pvc_access_modes)",
        f"{_STORAGE}, Access Modes; the drivers' documentation",
    ),
    _rule(
        22,
        "Claims are not mounted by more pods than they can be",
        shared_claims,
        "A claim that is ReadWriteOnce or ReadWriteOncePod only is mounted by one pod.",
        "Pods on another node stay in ContainerCreating: Multi-Attach error; a second pod of ReadWriteOncePod is never "
        "placed.",
        "use a claim with ReadWriteMany or ReadOnlyMany, or one replica",
        f"{_STORAGE}, Access Modes",
        WARNING,
    ),
    _rule(
        23,
        "Secrets for pulling images can be used",
        pull_secrets,
        "Each of imagePullSecrets is in the namespace, and of a type that kubelets read.",
        "Images are pulled without credentials: ImagePullBackOff if the registry requires some.",
        "create the secret with kubectl create secret docker-registry in that namespace",
        "Kubernetes, Pull an Image from a Private Registry",
        WARNING,
    ),
)
