# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: the operator of NVIDIA Dynamo, its images, its webhooks and its definitions."""

from __future__ import annotations

import re
import typing as t

from ...base.data import Object, dicts, mapping, texts
from ...base.words import listed
from ...components.dynamo_lines import COMPONENT, Line
from ...components.dynamo_operators import FINALIZER, LiveOperator
from ...objects import graph_definitions
from ...objects.conditions import object_state
from ...objects.graphs import KIND as GRAPH
from ...objects.pods import waiting
from ...programs.versions import show_version
from ...rules.dynamo.platforms import GONE, repository
from ..base import ERROR, SYMPTOM, WARNING, Diagnosis, Proof, refusals, said
from ..evidence import Evidence, Ref, clean, ref, seconds
from ..rules_images import image_of, kind_of, pull_failures
from .gathering import DEFINITION, METADATA, WEBHOOKS

_SOURCE = "ai-dynamo/dynamo"
# Of a pull that fails: the registry says that there is no such image, or that it is not for everybody.
_ABSENT = (101, 102, 109)
# Where the images that are gone stand in the values of the platform's chart.
_KEYS = {
    "gcr.io/kubebuilder/kube-rbac-proxy": "dynamo-operator.controllerManager.kubeRbacProxy.image.repository",
    "docker.io/bitnami/etcd": "etcd.image.repository",
}
# Seconds that an operator may take to notice a graph, or to end a deletion.
NOTICED = 20.0
# From here on workers are registered in objects of their own.
_WORKER_METADATA = (0, 8)


def _gone(evidence: Evidence) -> t.Iterator[Proof]:
    for pod, state, said_of_it in pull_failures(evidence):
        image = image_of(pod, state)
        name = repository(image)
        if name in GONE and kind_of(str(waiting(state).get("reason")), " ".join(said_of_it)) in _ABSENT:
            text = f"image {clean(image, 160)}: container {state.get('name')}: {clean(max(said_of_it, key=len), 300)}"
            remedy = (
                f"Set {_KEYS.get(name, 'the image')} in dynamo_platform_values to {GONE[name]}, and run site.yml again."
            )
            yield Proof((ref(pod),), text, name, evidence.since(pod), remedy=remedy)


def graphs(evidence: Evidence) -> list[Object]:
    """Return the graphs of the namespace itself."""
    return [item for item in evidence.of(GRAPH) if ref(item)[1] == evidence.namespace]


def covering(evidence: Evidence) -> list[LiveOperator]:
    """Return the operators that work for the namespace."""
    return [one for one in evidence.operators or [] if one.covers(evidence.namespace)]


def line_of(evidence: Evidence) -> str:
    """Return the version of Dynamo that reads the namespace's graphs, "" where nobody knows."""
    return next((one.version for one in covering(evidence) if one.version), "")


def _deleted(item: Object) -> bool:
    return bool(item["metadata"].get("deletionTimestamp"))


def _served(item: Object) -> bool:
    """Return whether a graph was all right when somebody looked after it last."""
    return mapping(item.get("status")).get("state") == "successful"


def _where(one: LiveOperator) -> Ref:
    return "Deployment", one.namespace, one.name


def _nobody(evidence: Evidence) -> t.Iterator[Proof]:
    """Graphs of a namespace that no operator works for."""
    if evidence.operators is None or covering(evidence):
        return
    others = listed([one.title for one in evidence.operators], 3)
    text = f"no operator watches namespace {evidence.namespace}: {others or 'the cluster has none'}"
    remedy = (
        f"Put the graphs into namespace {evidence.operators[0].scope}, or let the operator watch all namespaces "
        "(dynamo-operator.namespaceRestriction.enabled: false in its values)."
        if evidence.operators
        else "Run site.yml, which installs the platform, or install an operator of the graphs' version."
    )
    for item in graphs(evidence):
        if not _deleted(item):
            severity = WARNING if _served(item) else ERROR
            yield Proof((ref(item),), text, since=evidence.since(item), remedy=remedy, severity=severity)


def _unavailable(evidence: Evidence) -> t.Iterator[Proof]:
    mine = covering(evidence)
    if not mine or any(one.available for one in mine):
        return
    one = mine[0]
    pods = [pod for pod in evidence.pods if evidence.workload(pod) == _where(one) or _is_of(pod, one)]
    because = (_where(one), *map(ref, pods))
    for item in graphs(evidence):
        if not _served(item):
            text = f"{one.title} is not available; the graph's state is {_state(item)}"
            yield Proof((ref(item),), text, one.name, evidence.since(item), because)


def _is_of(pod: Object, one: LiveOperator) -> bool:
    labels = mapping(pod["metadata"].get("labels"))
    return ref(pod)[1] == one.namespace and one.labels.items() <= labels.items() and bool(one.labels)


def _state(item: Object) -> str:
    return str(mapping(item.get("status")).get("state") or "unset")


def _hanging(evidence: Evidence) -> t.Iterator[Proof]:
    """Graphs and what the operator made of them that were deleted and stay."""
    mine = covering(evidence)
    if evidence.operators is None:
        return
    for item in (*graphs(evidence), *evidence.of(COMPONENT)):
        since = seconds(item["metadata"].get("deletionTimestamp"))
        if FINALIZER not in texts(item["metadata"].get("finalizers")) or since is None:
            continue
        kind, namespace, name = ref(item)
        if mine and any(one.available for one in mine) and evidence.now - since < NOTICED:
            continue
        if not mine:
            why = "no operator watches its namespace, and only the operator removes the finalizer"
            patch = f"""kubectl patch {kind.lower()} {name} -n {namespace} --type merge"""
            patch += """ -p '{"metadata":{"finalizers":null}}'"""
            remedy = "Reinstall the operator (site.yml), and the deletion finishes; or remove the finalizer"
            yield Proof((ref(item),), _kept(item, why), "gone", since, remedy=f"{remedy}: {patch}")
        elif not any(one.available for one in mine):
            why = f"{mine[0].title}, which removes the finalizer, is not available"
            remedy = "Find out why the operator is not available; once it is, the deletion finishes."
            yield Proof((ref(item),), _kept(item, why), "down", since, (_where(mine[0]),), remedy)
        elif store := _store(evidence, mine[0]):
            why = f"{mine[0].title} deletes its keys in etcd first, and StatefulSet {store[2]} is not ready"
            remedy = "Find out why etcd is not ready; once it is, the deletion finishes."
            yield Proof((ref(item),), _kept(item, why), "etcd", since, (store,), remedy)
        else:
            why = f"{mine[0].title} has not removed the finalizer"
            yield Proof((ref(item),), _kept(item, why), "silent", since, remedy="See the operator's log.")


def _kept(item: Object, why: str) -> str:
    return f"deleted at {item['metadata']['deletionTimestamp']}, kept by {FINALIZER}: {why}"


def _store(evidence: Evidence, one: LiveOperator) -> Ref | None:
    """Return the etcd of an operator that is not ready, where it is in the namespace and the operator needs it."""
    for item in evidence.of("StatefulSet") if Line(one.version) < (1, 0) else ():
        if item["metadata"]["name"].endswith("-etcd") and not object_state(item).ready:
            return ref(item)
    return None


def _two(evidence: Evidence) -> t.Iterator[Proof]:
    mine = covering(evidence)
    for index, one in enumerate(mine):
        rivals = [other for other in mine[:index] if not one.leaves(other)]
        if rivals:
            text = f"{rivals[0].title} and {one.title} both watch namespace {evidence.namespace}"
            yield Proof((*map(ref, graphs(evidence)), _where(rivals[0]), _where(one)), text, key=one.name)


def _webhooks(evidence: Evidence) -> t.Iterator[tuple[Object, Object, Object]]:
    """Yield (configuration, webhook, its Service's reference) of those that changes in the namespace go through."""
    for kind in WEBHOOKS:
        for item in evidence.of(kind):
            for hook in dicts(item.get("webhooks")):
                service = mapping(mapping(hook.get("clientConfig")).get("service"))
                labels = mapping(mapping(hook.get("namespaceSelector")).get("matchLabels"))
                only = labels.get("kubernetes.io/metadata.name", evidence.namespace)
                if service and only == evidence.namespace and hook.get("failurePolicy") != "Ignore":
                    yield item, hook, service


def _no_authority(evidence: Evidence) -> t.Iterator[Proof]:
    for item, hook, service in _webhooks(evidence):
        home = str(service.get("namespace"))
        behind = [one for one in evidence.operators or [] if one.namespace == home and one.available]
        if behind and not mapping(hook.get("clientConfig")).get("caBundle"):
            text = (
                f"webhook {hook.get('name')} has no caBundle: the API server trusts no certificate of {home}'s operator"
            )
            yield Proof((ref(item),), text, key=ref(item)[2], since=evidence.since(item))


_CALLING = re.compile(r'failed calling webhook "v\w*dynamo')
_TRUST = said(r'failed calling webhook "(v\w*dynamo\w+\.kb\.io)".*?(?:x509:[^\n]*|unable to load root certificates)')


def _untrusted(evidence: Evidence) -> t.Iterator[Proof]:
    yield from _no_authority(evidence)
    yield from _TRUST(evidence)


def _silent(evidence: Evidence) -> t.Iterator[Proof]:
    """Webhooks whose operator is gone: each change of a graph is refused."""
    if evidence.operators is None:
        return
    refused = [one.ref for one in refusals(evidence) if _CALLING.search(one.text)]
    for item, hook, service in _webhooks(evidence):
        home = str(service.get("namespace"))
        if not any(one.namespace == home for one in evidence.operators):
            text = (
                f"webhook {hook.get('name')} is called for each change of a graph, but namespace {home} has no operator"
            )
            kind, _namespace, name = ref(item)
            remedy = f"Remove what the operator left behind: kubectl delete {kind.lower()} {name}."
            yield Proof((ref(item), *refused), text, key=name, since=evidence.since(item), remedy=remedy)


def _definitions(evidence: Evidence) -> t.Iterator[Proof]:
    """Definitions that lack what the operator reads, or have what it does not know."""
    version = line_of(evidence)
    numbers = Line(version).numbers
    for item in evidence.of(DEFINITION) if version else ():
        found = graph_definitions.span(item)
        if found is None:
            continue
        begin = f"{item['metadata']['name']}"
        if found.older_than(numbers) or (numbers >= _WORKER_METADATA and METADATA in evidence.unserved):
            lacks = f"has no field {found.lacks}" if found.older_than(numbers) else f"{METADATA} does not exist"
            before = found.before or _WORKER_METADATA
            text = f"{begin}: {lacks}, it is of before {show_version(before)}; the operator is of {version}"
            remedy = _NEWER if numbers >= (1, 0) else _UPGRADE.format(version)
            yield Proof((ref(item),), text, "older", remedy=remedy)
        elif found.newer_than(numbers):
            since = show_version(found.since or ())
            text = f"{begin} has the field {found.has}, it is of {since} or later; the operator is of {version}"
            yield Proof((ref(item),), text, "newer", severity=WARNING)


_UPGRADE = "helm upgrade dynamo-crds to {0}, the operator's version: site.yml does where the release is this stack's."
_NEWER = (
    "Turn on the chart's upgrade of CRDs (dynamo-operator.upgradeCRD: true), or apply crds/ of the operator's chart "
    "with kubectl apply --server-side."
)

RULES = (
    Diagnosis(
        "DIAG850", "An image of Dynamo's platform is no longer in its registry", _gone,
        "ImagePullBackOff of gcr.io/kubebuilder/kube-rbac-proxy, docker.io/bitnami/etcd or docker.io/bitnami/nats",
        "The charts up to 0.9 use images that their publishers have since removed or moved.",
        "Set the image's current repository in dynamo_platform_values.",
        f"NVIDIA/aicr#318, #459; {_SOURCE}#2806, #4322, #2843",
    ),
    Diagnosis(
        "DIAG851", "No Dynamo operator watches the graphs' namespace", _nobody,
        "a DynamoGraphDeployment without status, no pods, no event, no line in the operator's log",
        "The operator is restricted to another namespace (0.5.0 by default to that of its release), or does not exist.",
        "Let one operator watch the namespace.",
        f"{_SOURCE}#3104, #3199",
    ),
    Diagnosis(
        "DIAG853", "A graph of Dynamo hangs in its deletion", _hanging,
        "DynamoGraphDeployment or DynamoComponentDeployment with deletionTimestamp and the finalizer"
        " nvidia.com/finalizer",
        "Only the operator removes the finalizer; up to 0.9 it deletes keys in its etcd first. It was removed before "
        "the graphs, or is not running.",
        "Remove graphs before the platform, as teardown does.",
        f"NVIDIA/aicr#406; {_SOURCE}, controller_common FinalizeResource",
    ),
    Diagnosis(
        "DIAG855", "Two operators of Dynamo reconcile the same namespace", _two,
        "graphs whose Deployments change again and again; two operators that cover one namespace",
        "A cluster-wide operator and another one both reconcile the graphs, and undo each other's work. From 0.7 on a "
        "cluster-wide operator skips the namespaces of restricted ones.",
        "Keep one of the two: uninstall the other, or restrict it to another namespace"
        " (dynamo-operator.namespaceRestriction).",
        f"{_SOURCE}#4573",
    ),
    Diagnosis(
        "DIAG860", "The API server does not trust the webhooks of Dynamo's operator", _untrusted,
        'failed calling webhook "vdynamographdeployment.kb.io": x509; caBundle of the configuration is empty',
        "The operator writes the authority of its certificate into the webhook's configuration after its start (from "
        "0.8 on); it has not, is not permitted to, or another authority is there.",
        "Wait a minute and run site.yml again; see the operator's log for the configuration that it may not patch; or"
        " let cert-manager do it (dynamo-operator.webhook.certManager.enabled: true).",
        "NVIDIA/aicr#689; Kubernetes, Dynamic Admission Control",
    ),
    Diagnosis(
        "DIAG861", "A webhook of Dynamo's operator remains, but its operator is gone", _silent,
        'failed calling webhook "vdynamographdeployment.kb.io": no endpoints available, service not found',
        "The API server calls the operator for each change of a graph (failurePolicy Fail), but no operator runs "
        "behind the webhook's Service.",
        "Remove the webhook's configuration, or reinstall the operator.",
        "NVIDIA/aicr#406; Kubernetes, Dynamic Admission Control",
    ),
    Diagnosis(
        "DIAG862", "Dynamo's CRDs have another version than its operator", _definitions,
        "fields of graphs that the API server drops; workers that no frontend sees",
        "Helm does not upgrade CRDs with the operator: the installed ones are of another release line.",
        "Upgrade CRDs and operator to one version.",
        f"{_SOURCE}, nvidia.com_dynamographdeployments.yaml of v0.5.0 to v1.0.1",
    ),
    Diagnosis(
        "DIAG852", "The Dynamo operator is not available", _unavailable,
        "a DynamoGraphDeployment without status, or one that stays pending; its operator's Deployment is not available",
        "Graphs are not reconciled while their operator is not running.",
        "Find out why the operator's pods are not ready; they may be in another namespace.",
        f"{_SOURCE}, deploy/operator",
        ERROR, SYMPTOM,
    ),
)  # fmt: skip
