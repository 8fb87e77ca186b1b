# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: namespaces, Helm releases, kinds that are not served, and what no rule knows."""

from __future__ import annotations

import typing as t

from ..base.data import Object
from ..base.words import listed
from ..components.dynamo_lines import COMPONENT
from ..helm.records import PENDING
from ..objects.conditions import object_state
from ..objects.graphs import KIND as GRAPH
from ..objects.pods import condition, container_states, ended, pod_state, waiting
from ..objects.rollout import pods_of
from .base import ERROR, REST, SYMPTOM, WARNING, Diagnosis, Proof, event_text
from .evidence import Evidence, Ref, clean, conditions, ref, seconds
from .log_rules import last_line, said_last
from .rules_pools import waiting_pickers

# Seconds after which a Helm command that has not ended counts as gone, and a deletion as stuck.
HELM_SILENT, DELETION_STUCK = 300.0, 60.0
# Seconds for which a pod or workload that says nothing is taken to be starting.
STARTING = 60.0
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "LeaderWorkerSet", "Job")


def _terminating(evidence: Evidence) -> t.Iterator[Proof]:
    namespace = evidence.phase
    if not namespace or (namespace.get("status") or {}).get("phase") != "Terminating":
        return
    said = [clean(entry.get("message")) for entry in conditions(namespace)
            if entry.get("status") == "True" and str(entry.get("type", "")).endswith("Remaining")]  # fmt: skip
    held = [f"{kind} {item['metadata']['name']} ({', '.join(item['metadata']['finalizers'])})"
            for kind, items in evidence.lists.items() for item in items
            if item["metadata"].get("finalizers") and item["metadata"].get("namespace")]  # fmt: skip
    own = [str(name) for name in namespace["metadata"].get("finalizers") or []]
    parts = (
        said
        + ([f"finalizers on: {listed(held, 5)}"] if held else [])
        + ([f"its own finalizers: {listed(own)}"] if own else [])
    )
    since = seconds(namespace["metadata"].get("deletionTimestamp"))
    text = clean("; ".join(parts) or "its content is being deleted", 600)
    yield Proof((("Namespace", "", evidence.namespace),), text, since=since)


def _absent(evidence: Evidence) -> t.Iterator[Proof]:
    if evidence.phase == {} and evidence.seen("Namespace"):
        yield Proof((("Namespace", "", evidence.namespace),), "the cluster has no namespace of that name")


def _stuck_deletion(evidence: Evidence) -> t.Iterator[Proof]:
    if (evidence.phase.get("status") or {}).get("phase") == "Terminating":
        return
    for kind, items in evidence.lists.items():
        for item in items:
            since = seconds(item["metadata"].get("deletionTimestamp"))
            names = item["metadata"].get("finalizers") or []
            known = kind in (GRAPH, COMPONENT) and evidence.operators is not None
            late = since is not None and evidence.now - since > DELETION_STUCK
            if names and since and late and not known and item["metadata"].get("namespace"):
                text = f"deleted {evidence.now - since:.0f} s ago, kept by the finalizers {', '.join(names)}"
                yield Proof(((kind, *ref(item)[1:]),), text, key=",".join(names), since=since)


def _release(evidence: Evidence, release: Object) -> Ref:
    return "Helm release", evidence.namespace, release["name"]


def _stuck_release(evidence: Evidence) -> t.Iterator[Proof]:
    for release in evidence.releases:
        age = evidence.now - release["modified"] if release.get("modified") else None
        if release["status"] in (*PENDING, "uninstalling") and (evidence.ended or age is None or age > HELM_SILENT):
            for_long = f" for {age:.0f} s" if age is not None else ""
            begun = f"revision {release['revision']} is {release['status']}{for_long}"
            text = f"{begun}: its Helm command has not finished"
            yield Proof((_release(evidence, release),), text, since=release.get("modified") or None)


def _failed_release(evidence: Evidence) -> t.Iterator[Proof]:
    for release in evidence.releases:
        if release["status"] == "failed":
            text = f"revision {release['revision']} failed: {clean(release.get('description')) or 'no description'}"
            because = tuple((kind, evidence.namespace, name) for kind, name in release.get("objects") or [])
            yield Proof((_release(evidence, release),), text, key=release["name"], because=because)


def _not_served(evidence: Evidence) -> t.Iterator[Proof]:
    for release, api_version, kind in evidence.missing:
        where = ("Helm release", evidence.namespace, release)
        text = f"the release {release} has a {kind} of {api_version}, which the cluster does not serve"
        yield Proof((where,), text, key=f"{kind} {api_version}")


def _crashes(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        for state in container_states(pod):
            end = ended(state)
            again = int(state.get("restartCount") or 0) > 0 or (state.get("state") or {}).get("terminated")
            failed = end.get("exitCode") or waiting(state).get("reason") == "CrashLoopBackOff"
            if not end or not failed or not again or state.get("ready"):
                continue
            name = str(state.get("name"))
            text = f"container {name}: exit code {end.get('exitCode')}, {state.get('restartCount') or 0} restarts"
            line = said_last(evidence, pod, name) or clean(end.get("message"))
            text += f"; its log says: {line}" if line else "; no log"
            key = f"{'/'.join(evidence.workload(pod))} {name}"
            yield Proof((ref(pod),), text, key=key, since=evidence.since(pod))


def _unknown_pods(evidence: Evidence) -> t.Iterator[Proof]:
    """What is not ready and was not explained."""
    excused = waiting_pickers(evidence)
    for pod in evidence.pods:
        state = pod_state(pod)
        if not state.ready and ref(pod) not in excused and (state.reason or not _young(evidence, pod)):
            text = _raw(evidence, pod, "; ".join(filter(None, [state.text, _gate(pod)])))
            because = (evidence.workload(pod),)
            yield Proof((ref(pod),), text, state.reason or state.text, evidence.since(pod), because)


def _young(evidence: Evidence, item: Object) -> bool:
    """Return whether an object may just be starting: nothing need be wrong with it then."""
    created = seconds(item["metadata"].get("creationTimestamp"))
    return created is None or evidence.now - created < STARTING


def _gate(pod: Object) -> str:
    """Return what a pod waits for whose containers are ready, "" for nothing."""
    ready = condition(pod, "ContainersReady").get("status") == "True"
    return str(condition(pod, "Ready").get("message") or "") if ready else ""


def _unknown_workloads(evidence: Evidence) -> t.Iterator[Proof]:
    for kind in WORKLOADS:
        for item in evidence.of(kind):
            owned = object_state(item)
            if not owned.ready and (owned.failed or not _young(evidence, item)):
                pods = pods_of(item, evidence.of("Pod"), evidence.of("ReplicaSet"))
                yield Proof((ref(item),), _raw(evidence, item, owned.text), key=f"{kind} {owned.text}",
                            since=evidence.since(item), because=tuple(map(ref, pods)),
                            severity=ERROR if owned.failed else WARNING)  # fmt: skip


def _raw(evidence: Evidence, item: Object, text: str) -> str:
    lines = [event_text(event) for event in evidence.events(item) if event.get("type") == "Warning"][:2]
    said = [last_line(log.lines) for log in evidence.logs if ref(log.pod) == ref(item)]
    return clean("; ".join([text, *lines, *(f"log: {line}" for line in said if line)]), 700)


NAMESPACE = (
    Diagnosis(
        "DIAG801", "The namespace is being deleted", _terminating,
        "Namespace Terminating; nothing can be created in it",
        "The namespace was deleted, and finalizers of objects in it keep it until their controllers remove them.",
        "Start the controllers that own the finalizers (they may have been removed with their operator); as a last "
        "resort clear metadata.finalizers of these objects. Deploy again when the namespace is gone.",
        "llm-d/llm-d-benchmark#1801; Kubernetes, Namespaces",
    ),
    Diagnosis(
        "DIAG802", "The namespace does not exist", _absent,
        "NotFound",
        "Nothing was deployed in a namespace of that name, or the kubeconfig's context is another cluster.",
        "Check llm_d_namespace and llm_d_context.",
        "Kubernetes, Namespaces",
    ),
    Diagnosis(
        "DIAG803", "An object cannot be deleted: finalizers keep it", _stuck_deletion,
        "an object with metadata.deletionTimestamp that stays",
        "The controller of the finalizer is not running, or waits for something (a pod that still mounts a claim).",
        "Start the controller, or remove what it waits for; as a last resort clear the finalizer.",
        "llm-d/llm-d-benchmark#1801", WARNING,
    ),
    Diagnosis(
        "DIAG811", "A Helm release is stuck", _stuck_release,
        "helm list: pending-install, pending-upgrade, pending-rollback or uninstalling; another operation is in"
        " progress",
        "A Helm command was killed or lost its connection.",
        "Run site.yml again: it resumes the release.",
        "helm/helm#8987",
    ),
    Diagnosis(
        "DIAG812", "A kind that a release needs is no longer served", _not_served,
        "no matches for kind; the objects of that kind are gone with its definition",
        "A CustomResourceDefinition was deleted, or another version of it was installed.",
        "Install the definition again, in the version that the release uses, and run site.yml again.",
        "F1, F3; kubernetes-sigs/gateway-api-inference-extension#1933",
    ),
)  # fmt: skip

LAST = (
    Diagnosis(
        "DIAG901", "A container exits again and again", _crashes,
        "CrashLoopBackOff or Error, with a log that no rule matches",
        "The program exits; see its log.",
        "Read its log, below and with kubectl logs --previous.",
        "Kubernetes, Debug Running Pods",
    ),
    Diagnosis(
        "DIAG813", "A Helm release failed", _failed_release,
        "helm list: failed",
        "See Helm's description.",
        "Fix the cause in it and run site.yml again.",
        "Helm, release status", ERROR, SYMPTOM,
    ),
    Diagnosis(
        "DIAG999", "Not ready, for a reason that no rule matches", _unknown_pods,
        "a pod that is not ready",
        "The evidence below is what the cluster reports.",
        "Look at the pod with kubectl describe; its events and log lines are below.",
        "", ERROR, REST,
    ),
    Diagnosis(
        "DIAG998", "A workload is not ready, and none of its pods shows why", _unknown_workloads,
        "a Deployment, StatefulSet, DaemonSet, LeaderWorkerSet or Job that is not ready",
        "The evidence below is what the cluster reports.",
        "Look at the workload with kubectl describe, and at its controller.",
        "", ERROR, SYMPTOM,
    ),
)  # fmt: skip
