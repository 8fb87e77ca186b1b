# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about what pods refer to (secrets, claims, accounts, classes) and about the kinds that the cluster serves."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping
from ..base.findings import Finding
from ..base.given import GIVEN
from ..base.names import did_you_mean
from ..model.items import CLUSTER_KINDS, Item
from ..model.model import StackModel, pod_specs
from .base import Check, Side, claim_variables, finding, listed, made, rule_factory

# What clusters make by themselves.
_GIVEN = {
    **GIVEN,
    "PriorityClass": ("system-cluster-critical", "system-node-critical"),
}


@dataclasses.dataclass(frozen=True)
class Ref:
    """A reference of a pod: kind and name of what it needs, the key in it ('' for none), and where it is said."""

    kind: str
    name: str
    key: str
    side: Side


def _refs(model: StackModel) -> t.Iterator[Ref]:
    for item in model.planned:
        for path, spec in pod_specs(item):
            yield from _pod_refs(item, path, spec)
        if item.kind == "StatefulSet":
            yield from _template_refs(item)
    for item in model.items("Ingress", planned_only=True):
        if name := item.spec.get("ingressClassName"):
            yield Ref("IngressClass", str(name), "", made(item, ("spec", "ingressClassName")))
    for item in model.items("PersistentVolumeClaim", planned_only=True):
        name = item.spec.get("storageClassName")
        if name:
            yield Ref("StorageClass", str(name), "", Side(item, ("spec", "storageClassName"), "objects"))


def _template_refs(item: Item) -> t.Iterator[Ref]:
    """Yield the classes of the claims that a StatefulSet makes."""
    for index, claim in enumerate(dicts(item.spec.get("volumeClaimTemplates"))):
        name = mapping(claim.get("spec")).get("storageClassName")
        if name:
            place = ("spec", "volumeClaimTemplates", index, "spec", "storageClassName")
            yield Ref("StorageClass", str(name), "", made(item, place))


def _pod_refs(item: Item, path: tuple[str, ...], spec: Object) -> t.Iterator[Ref]:
    account = spec.get("serviceAccountName")
    if account:
        yield Ref("ServiceAccount", str(account), "", Side(item, (*path, "serviceAccountName"), "account"))
    if spec.get("priorityClassName"):
        name = str(spec["priorityClassName"])
        yield Ref(
            "PriorityClass",
            name,
            "",
            Side(item, (*path, "priorityClassName"), _role(item), ("extraConfig", "priorityClassName")),
        )
    for index, volume in enumerate(dicts(spec.get("volumes"))):
        yield from _volume_refs(volume, Side(item, (*path, "volumes", index), _volume_fact(volume, item)))
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(dicts(spec.get(kind))):
            yield from _container_refs(container, item, (*path, kind, index))


def _role(item: Item) -> str:
    return next((role for role in ("decode", "prefill") if item.name.endswith(role)), "")


def _volume_fact(volume: Object, item: Item) -> str:
    if not item.serves_models:
        return "epp_volumes"
    return "uri" if volume.get("name") == "model-storage" else f"{_role(item)}_volumes"


def _volume_refs(volume: Object, side: Side) -> t.Iterator[Ref]:
    for kind, source, field in (
        ("Secret", "secret", "secretName"),
        ("ConfigMap", "configMap", "name"),
        ("PersistentVolumeClaim", "persistentVolumeClaim", "claimName"),
    ):
        ref = mapping(volume.get(source))
        if ref.get(field) and not ref.get("optional"):
            yield Ref(kind, str(ref[field]), "", side)


def _container_refs(container: Object, item: Item, path: tuple) -> t.Iterator[Ref]:
    for index, env in enumerate(dicts(container.get("env"))):
        for kind, source in (("Secret", "secretKeyRef"), ("ConfigMap", "configMapKeyRef")):
            ref = mapping(mapping(env.get("valueFrom")).get(source))
            if ref.get("name") and not ref.get("optional"):
                token = item.serves_models and env.get("name") == "HF_TOKEN"
                fact = "secret" if token else "epp_env" if not item.serves_models else _role(item)
                more = ("containers", path[-1], "env") if fact in ("decode", "prefill") else ()
                side = Side(item, (*path, "env", index), fact, more)
                yield Ref(kind, str(ref["name"]), str(ref.get("key") or ""), side)
    for index, env in enumerate(dicts(container.get("envFrom"))):
        for kind, source in (("Secret", "secretRef"), ("ConfigMap", "configMapRef")):
            ref = mapping(env.get(source))
            if ref.get("name") and not ref.get("optional"):
                yield Ref(kind, str(ref["name"]), "", Side(item, (*path, "envFrom", index), _role(item)))


def _missing(model: StackModel, kind: str) -> t.Iterator[Finding]:
    users: dict[tuple[str, str], list[Side]] = collections.defaultdict(list)
    for ref in _refs(model):
        namespace = "" if kind in CLUSTER_KINDS else ref.side.item.namespace
        absent = ref.kind == kind and ref.name not in _GIVEN.get(kind, ())
        if absent and "$" not in ref.name and model.exists(kind, ref.name, namespace) is False:
            users[(namespace, ref.name)].append(ref.side)
    for (namespace, name), sides in users.items():
        known = [item.name for item in model.items(kind) if item.namespace == namespace]
        where = f" in namespace {namespace}" if namespace else ""
        text = f"{kind} {name} not found{where}; {listed(map(_needer, sides))} needs it."
        yield finding(text + did_you_mean(name, known), tuple(sides), (kind, namespace, name))


def _needer(side: Side) -> str:
    begin = claim_variables(side.item)
    return f"{side.item.name} ({begin}storage_class)" if begin and side.fact == "objects" else side.item.name


def _check(kind: str) -> Check:
    def check(model: StackModel) -> t.Iterator[Finding]:
        return _missing(model, kind)

    return check


def secret_keys(model: StackModel) -> t.Iterator[Finding]:
    """The key that a pod reads is in the Secret or ConfigMap; one whose keys are not given says nothing."""
    for ref in _refs(model):
        item = model.find(ref.kind, ref.name, ref.side.item.namespace) if ref.key else None
        data = [mapping(item.body.get(part)) for part in ("data", "stringData", "binaryData")] if item else []
        keys = {str(key) for part in data for key in part}
        if item and keys and ref.key not in keys:
            text = f"{ref.kind} {ref.name} has no key {ref.key}; its keys are {listed(keys)}."
            yield finding(text + did_you_mean(ref.key, keys), (ref.side, Side(item)), ("key", item.title, ref.key))


_rule = rule_factory("LLMD6")
_PODS = "Kubernetes, PodSpec"

RULES = (
    _rule(
        1,
        "Secrets exist",
        _check("Secret"),
        "Each Secret that a pod needs is in the cluster or made by the plan.",
        "CreateContainerConfigError: secret not found; the release waits until it times out.",
        "create the Secret in that namespace (prepare_hf_token makes the one for Hugging Face), or correct its name",
        f"{_PODS}; F9; aibrix#772",
    ),
    _rule(
        2,
        "Secrets have the key that is read",
        secret_keys,
        "A Secret or ConfigMap that a container reads by key has that key.",
        "CreateContainerConfigError: couldn't find key.",
        "add the key, or use an existing one",
        f"{_PODS}, env[].valueFrom.secretKeyRef; F9",
    ),
    _rule(
        3,
        "Volume claims exist",
        _check("PersistentVolumeClaim"),
        "Each PersistentVolumeClaim that a pod mounts is in the cluster or made by the plan.",
        "The pod stays Pending: persistentvolumeclaim not found.",
        "create the claim, or correct modelArtifacts.uri (pvc://CLAIM/PATH)",
        f"{_PODS}, volumes[].persistentVolumeClaim; F8",
    ),
    _rule(
        4,
        "Service accounts exist",
        _check("ServiceAccount"),
        "Each ServiceAccount that a pod runs as is in the cluster or made by the plan.",
        "No pod is created; only the ReplicaSet's events say why.",
        "create the account, or leave serviceAccountOverride empty so that the chart creates one",
        f"{_PODS}, serviceAccountName",
    ),
    _rule(
        5,
        "Storage classes exist",
        _check("StorageClass"),
        "Each StorageClass that a claim asks for is in the cluster.",
        "The claim stays Pending (ProvisioningFailed), and its pods with it.",
        "use a StorageClass of the cluster",
        "Kubernetes, PersistentVolumeClaim spec.storageClassName; F8",
    ),
    _rule(
        6,
        "Priority classes exist",
        _check("PriorityClass"),
        "Each PriorityClass that a pod names is in the cluster.",
        "No pod is created: no PriorityClass with that name was found.",
        "use a PriorityClass of the cluster, or remove it",
        f"{_PODS}, priorityClassName",
    ),
    _rule(
        7,
        "Config maps exist",
        _check("ConfigMap"),
        "Each ConfigMap that a pod needs is in the cluster or made by the plan.",
        "The pod stays in ContainerCreating or CreateContainerConfigError.",
        "create the ConfigMap, or correct its name",
        f"{_PODS}; F9",
    ),
    _rule(
        14,
        "Ingress classes exist",
        _check("IngressClass"),
        "Each IngressClass that an Ingress names is in the cluster.",
        "No controller takes up the Ingress, and it never gets an address.",
        "use an IngressClass of the cluster, or install the controller that brings it",
        "Kubernetes, Ingress spec.ingressClassName",
    ),
)
