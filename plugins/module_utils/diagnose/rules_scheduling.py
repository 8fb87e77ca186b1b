# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: pods that get no node, and which node lacks what."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object
from ..base.quantities import shown
from ..capacity import reasons as why
from ..capacity.nodes import ClusterNode, occupied, repelling, selects, trouble
from ..capacity.pods import PodNeed, need_of
from ..objects.pods import condition, container_states, ended
from .base import Diagnosis, Proof
from .evidence import Evidence, clean, ref
from .rules_volumes import claims_of

DEVICES, ROOM, TAINTS, LABELS, NODES, APART, OTHER = "devices", "room", "taints", "labels", "nodes", "apart", "other"
VOLUMES, CLAIMS, PORTS = "volumes", "claims", "ports"
_NODES_SHOWN = 3
# A node is named with the first filter that it fails, so of several reasons the one of the latest filter is of nodes
# that would do but for it (kube-scheduler, default plugins). These are in that order, the latest first.
_LATE = (
    (APART, re.compile(r"anti-affinity rules|pod affinity rules|topology spread constraints")),
    (CLAIMS, re.compile(r"resource ?claim|allocate all claims|device ?class|allocate devices", re.IGNORECASE)),
    (
        VOLUMES,
        re.compile(
            r"volume node affinity conflict|match PersistentVolume's node affinity|no available volume zone|"
            r"bound to non-existent pv|ReadWriteOncePod access mode already in-use"
        ),
    ),
    (PORTS, re.compile(r"free ports for the requested pod ports")),
)
# What the scheduler says, where the nodes may not be read.
_SAID = (
    *_LATE,
    (DEVICES, re.compile(r"Insufficient [\w.-]+/")),
    (ROOM, re.compile(r"Insufficient |Too many pods")),
    (TAINTS, re.compile(r"untolerated taint|taints? .*didn't tolerate")),
    (LABELS, re.compile(r"node affinity|node selector")),
    (APART, re.compile(r"anti-affinity|pod affinity|topology spread")),
    (NODES, re.compile(r"no nodes available|were (unschedulable|not ready)|unknown conditions")),
)
_KINDS = {why.TAINTS: TAINTS, why.LABELS: LABELS, why.TROUBLE: NODES, why.APART: APART}


def unscheduled(evidence: Evidence) -> t.Iterator[tuple[Object, str]]:
    """Return the pods that the scheduler could not place, with what it said."""
    for pod in evidence.pods:
        found = condition(pod, "PodScheduled")
        if found.get("status") == "False" and found.get("reason") in ("Unschedulable", "SchedulerError"):
            yield pod, str(found.get("message") or "")


def need(evidence: Evidence, pod: Object) -> PodNeed:
    """Return what a live pod asks for; defaults are already in it."""
    return need_of(pod.get("spec") or {}, pod["metadata"].get("labels") or {}, evidence.namespace)


def lacks(wanted: PodNeed, nodes: t.Sequence[ClusterNode]) -> str:
    """Return which node lacks what, the nearest first: 'gpu-0 lacks 2 nvidia.com/gpu (8, 6 free)'."""
    rows = []
    for node in nodes:
        short = {name: value - node.free(name) for name, value in wanted.requests.items() if value > node.free(name)}
        texts = [
            f"{shown(name, value)} {name} ({shown(name, node.free(name))} of {_all(node, name)} free)"
            for name, value in sorted(short.items())
            if name != "pods"
        ]
        taints = [why.taint_text(taint) for taint in repelling(wanted, node)]
        state = trouble(wanted, node)
        texts += ["a toleration of " + ", ".join(taints)] if taints else []
        texts += ["the labels it selects"] if not selects(wanted, node) else []
        texts += [f"health ({state})"] if state else []
        rows.append((len(texts), sum(short.values()), node.name, " and ".join(texts)))
    rows = sorted(row for row in rows if row[3])
    more = f"; and {len(rows) - _NODES_SHOWN} more nodes" if len(rows) > _NODES_SHOWN else ""
    return "; ".join(f"{name} lacks {text}" for _count, _sum, name, text in rows[:_NODES_SHOWN]) + more


def _all(node: ClusterNode, name: str) -> str:
    return shown(name, node.allocatable.get(name, 0))


class Unplaced(t.NamedTuple):
    """Why a pod has no node. detail: what each node lacks, "" where that is not known."""

    kind: str
    why: str
    detail: str = ""
    remedy: str = ""


def judged(evidence: Evidence, pod: Object, message: str) -> Unplaced:
    """Return why a pod has no node: what only the scheduler weighs by its message, else by what the nodes have."""
    late = next((kind for kind, pattern in _LATE if pattern.search(message)), "")
    if late and late != APART:
        return Unplaced(late, volumes_of(evidence, pod) if late == VOLUMES else message)
    if not evidence.of("Node"):
        return Unplaced(_by_words(message), message)
    wanted = need(evidence, pod)
    known = evidence.everywhere is not None
    nodes = occupied(evidence.of("Node"), evidence.everywhere or [])
    reason = why.reason(wanted, nodes, known)
    if bool(late) != (reason.kind == why.APART):
        return Unplaced(_by_words(message), message)
    kind = _KINDS.get(reason.kind, "")
    if not kind:
        short = [name for name in wanted.wanted if not any(node.free(name) >= wanted.wanted[name] for node in nodes)]
        kind = DEVICES if any("/" in name for name in [*short, reason.detail]) else ROOM
    detail = lacks(wanted, nodes) if known else ""
    return Unplaced(kind, f"{why.asks(wanted)}; {reason.text}", detail, reason.remedy)


def _by_words(message: str) -> str:
    return next((kind for kind, pattern in _SAID if pattern.search(message)), OTHER)


def volumes_of(evidence: Evidence, pod: Object) -> str:
    """Return which of a pod's volumes can be reached from where, as far as that may be read."""
    texts = []
    for name in claims_of(pod):
        volume = ((evidence.find("PersistentVolumeClaim", name) or {}).get("spec") or {}).get("volumeName")
        body = evidence.find("PersistentVolume", volume, "") if volume else None
        terms = (((body or {}).get("spec") or {}).get("nodeAffinity") or {}).get("required") or {}
        where = " or ".join(map(why.term_text, terms.get("nodeSelectorTerms") or []))
        if volume:
            texts.append(f"claim {name} is bound to volume {volume}" + (f", of nodes with {where}" if where else ""))
    return "; ".join(texts) or "the pod's volume is bound to another node or zone"


def _unplaced(kind: str) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod, message in unscheduled(evidence):
            found = judged(evidence, pod, message)
            if found.kind == kind:
                line = found.why + (f" [{found.detail}]" if found.detail else "")
                line += f"; scheduler: {message}" if found.why != message else ""
                key = clean(found.why, 200)
                yield Proof((ref(pod),), clean(line), key=key, since=evidence.since(pod), remedy=found.remedy)

    return find


def _gated(evidence: Evidence) -> t.Iterator[Proof]:
    for pod in evidence.pods:
        gates = [str(gate.get("name")) for gate in (pod.get("spec") or {}).get("schedulingGates") or []]
        if gates:
            yield Proof(
                (ref(pod),), f"schedulingGates: {', '.join(gates)}", key=",".join(gates), since=evidence.since(pod)
            )


def _unnoticed(evidence: Evidence) -> t.Iterator[Proof]:
    """Pods that no scheduler has looked at for half a minute."""
    for pod in evidence.pods:
        spec = pod.get("spec") or {}
        since = evidence.since(pod)
        if spec.get("nodeName") or spec.get("schedulingGates") or condition(pod, "PodScheduled"):
            continue
        if since and evidence.now - since > 30:
            name = str(spec.get("schedulerName") or "default-scheduler")
            yield Proof((ref(pod),), f"no scheduler has processed it; schedulerName: {name}", key=name, since=since)


# Reasons of pods that were let in and had to go again.
GONE = ("Evicted", "Preempting", "NodeLost", "NodeShutdown", "Shutdown", "Terminated", "DeadlineExceeded")
_DEVICE = re.compile(r"([\w.-]+\.[\w-]+/[\w.-]*\w)")
_PLUGIN = re.compile(
    r"allocate failed|unhealthy devices|devices? unavailable|device plugin|device number", re.IGNORECASE
)
# By what the kubelet's reason begins with: what to do.
_REJECTIONS = (
    ("OutOf", "Something else took it between scheduling and start: a pod with a nodeName, another scheduler, or a "
              "device plugin that now offers less. Delete the failed pods; check what uses the node."),
    ("NodeAffinity", "The node's labels no longer match nodeSelector or affinity: relabel the node, or correct the "
                     "values."),
    ("TopologyAffinityError", "The kubelet's topology manager cannot give CPUs and devices of one NUMA node: request "
                              "fewer CPUs or devices in one pod, or use a less strict topologyManagerPolicy."),
    ("SMTAlignment", "The kubelet assigns only whole cores: request an even number of CPUs."),
    ("NodePorts", "Another pod on the node uses the host port: use another, or remove hostNetwork or hostPort."),
    ("PodOS", "The pod's spec.os does not match the node: select nodes of that operating system."),
)  # fmt: skip


def _rejected(*, plugin: bool) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    """Return a find() for pods that a kubelet did not let in; plugin: for their devices, else for anything else."""

    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod in evidence.pods:
            status = pod.get("status") or {}
            reason, message = str(status.get("reason") or ""), str(status.get("message") or "")
            begun = any(ended(state) or "running" in (state.get("state") or {}) for state in container_states(pod))
            if status.get("phase") != "Failed" or not reason or reason in GONE or begun:
                continue
            if bool(reason == "UnexpectedAdmissionError" and _PLUGIN.search(message)) != plugin:
                continue
            node = str((pod.get("spec") or {}).get("nodeName") or "that the pod requests")
            device = _DEVICE.search(message)
            what = f"of {device[1]} and its devices" if device else "and the devices"
            advice = (
                f"Check the device plugin {what} on node {node}: its pod, its log, the GPUs. Cordon the node so that "
                "the pods are scheduled elsewhere, and delete the failed ones; restart a kubelet that keeps devices "
                "of deleted pods."
                if plugin
                else next((text for start, text in _REJECTIONS if reason.startswith(start)), "")
            )
            text = clean(f"node {node} rejected it: {reason}: {message}")
            key = f"{reason} {device[1] if device else ''}"
            yield Proof((ref(pod),), text, key=key, since=evidence.since(pod), remedy=advice)

    return find


RULES = (
    Diagnosis(
        "DIAG223", "A node's device plugin rejects the pods", _rejected(plugin=True),
        "Pod Failed, reason UnexpectedAdmissionError: Allocate failed ...",
        "The scheduler counted a free device on the node, but the node's device plugin has no healthy one, or does "
        "not answer.",
        "Check the device plugin and the devices of the node; cordon the node meanwhile.",
        "Kubernetes, Device Plugins; kubernetes/kubernetes#130145",
    ),
    Diagnosis(
        "DIAG224", "A node rejects the pods that were placed on it", _rejected(plugin=False),
        "Pod Failed before any container started: OutOfcpu, NodeAffinity, TopologyAffinityError ...",
        "The kubelet checks a pod again before starting it, and found that it does not fit the node.",
        "Read the reason; delete the failed pods once the node is repaired.",
        "Kubernetes, kubelet: admission of pods",
    ),
    Diagnosis(
        "DIAG211", "No node has enough free GPUs", _unplaced(DEVICES),
        "Pod Pending, PodScheduled=False Unschedulable: Insufficient nvidia.com/gpu",
        "The pods request more accelerators than any node that they may use has free, or a kind that no node has.",
        "Free or add GPUs; lower replicas or tensor parallelism; correct the resource's name (accelerator.type).",
        "F8; Kubernetes, Assign Pods to Nodes",
    ),
    Diagnosis(
        "DIAG212", "No node has enough free CPU or memory", _unplaced(ROOM),
        "Pod Pending, PodScheduled=False Unschedulable: Insufficient cpu or memory",
        "The pods' requests exceed what is free on the nodes that they may use.",
        "Lower the requests, remove other pods, or add nodes.",
        "F8; Kubernetes, Resource Management for Pods and Containers",
    ),
    Diagnosis(
        "DIAG213", "Nodes have taints that the pods do not tolerate", _unplaced(TAINTS),
        "Pod Pending, PodScheduled=False Unschedulable: untolerated taint",
        "The nodes that could hold the pods have taints.",
        "Add the tolerations to the values, or remove the taint from the nodes.",
        "F8; Kubernetes, Taints and Tolerations",
    ),
    Diagnosis(
        "DIAG214", "No node has the labels that the pods select", _unplaced(LABELS),
        "Pod Pending, PodScheduled=False Unschedulable: didn't match node affinity/selector",
        "nodeSelector or node affinity (for example accelerator labels) matches none of the nodes.",
        "Correct nodeSelector or affinity in the values, or label the nodes.",
        "F8; Kubernetes, Assign Pods to Nodes",
    ),
    Diagnosis(
        "DIAG215", "The nodes that fit are not ready or are cordoned", _unplaced(NODES),
        "Pod Pending, PodScheduled=False Unschedulable; nodes NotReady or SchedulingDisabled",
        "Every node that could hold the pods is out of service.",
        "Repair the nodes, or uncordon them with kubectl uncordon.",
        "Kubernetes, Nodes",
    ),
    Diagnosis(
        "DIAG216", "Affinity or topology spread leaves no node", _unplaced(APART),
        "Pod Pending, PodScheduled=False Unschedulable: anti-affinity or topology spread constraints",
        "Nodes have room, but required affinity or spread rules exclude all of them.",
        "Loosen the rule (preferred, ScheduleAnyway) or add nodes in other domains.",
        "Kubernetes, Pod Topology Spread Constraints",
    ),
    Diagnosis(
        "DIAG220", "The pods' volume cannot be reached from the nodes with room", _unplaced(VOLUMES),
        "Pod Pending, PodScheduled=False Unschedulable: volume node affinity conflict",
        "The claim is bound to a volume of another zone or node than those with room for the pods.",
        "Free room where the volume is, or select its nodes; else recreate the claim with a class that binds with the "
        "first pod (WaitForFirstConsumer) or with storage that all nodes reach (ReadWriteMany).",
        "F8; Kubernetes, Persistent Volumes: node affinity",
    ),
    Diagnosis(
        "DIAG221", "No devices satisfy the pods' resource claims", _unplaced(CLAIMS),
        "Pod Pending, PodScheduled=False: cannot allocate all claims, or a device class that does not exist",
        "The pods request devices by dynamic resource allocation, but no node's driver offers such free devices, or "
        "the DeviceClass or claim does not exist.",
        "Compare the claim's device class and selectors with kubectl get deviceclasses,resourceslices; check that the "
        "driver's pods run on the nodes.",
        "Kubernetes, Dynamic Resource Allocation",
    ),
    Diagnosis(
        "DIAG222", "The host ports of the pods are in use", _unplaced(PORTS),
        "Pod Pending, PodScheduled=False Unschedulable: didn't have free ports for the requested pod ports",
        "The pods have host ports or the host's network, and other pods on the nodes use those ports.",
        "Use other ports, remove hostNetwork or hostPort, or add nodes: only one such pod fits on each.",
        "Kubernetes, Assign Pods to Nodes",
    ),
    Diagnosis(
        "DIAG217", "A gate keeps the pods from being scheduled", _gated,
        "Pod SchedulingGated, no events",
        "A controller for queues or gangs (Kueue, Grove, ...) has not removed the gate, or is not running.",
        "Look at the gate's controller: its queue, quota and workload objects; without it, remove the label or class "
        "that adds the gate.",
        "F8; ai-dynamo/dynamo#14278, #10064",
    ),
    Diagnosis(
        "DIAG218", "No scheduler processes the pods", _unnoticed,
        "Pod Pending without the condition PodScheduled and without events",
        "schedulerName is a scheduler that is not running, or the cluster's scheduler is down.",
        "Correct schedulerName in the values, or start that scheduler.",
        "Kubernetes, Configure Multiple Schedulers",
    ),
    Diagnosis(
        "DIAG219", "The scheduler finds no node", _unplaced(OTHER),
        "Pod Pending, PodScheduled=False Unschedulable",
        "See the scheduler's message.",
        "Fix the cause in the message.",
        "Kubernetes, Scheduler",
    ),
)  # fmt: skip
