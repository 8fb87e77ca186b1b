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
from ..objects.pods import condition
from .base import Diagnosis, Proof
from .evidence import Evidence, clean, ref

DEVICES, ROOM, TAINTS, LABELS, NODES, APART, OTHER = "devices", "room", "taints", "labels", "nodes", "apart", "other"
_NODES_SHOWN = 3
# What the scheduler says, where the nodes may not be read.
_SAID = (
    (DEVICES, re.compile(r"Insufficient [\w.-]+/")),
    (ROOM, re.compile(r"Insufficient |Too many pods")),
    (TAINTS, re.compile(r"untolerated taint")),
    (LABELS, re.compile(r"node affinity|node selector")),
    (APART, re.compile(r"anti-affinity|pod affinity|topology spread")),
    (NODES, re.compile(r"no nodes available|unschedulable|not ready")),
)
_KINDS = {why.TAINTS: TAINTS, why.LABELS: LABELS, why.TROUBLE: NODES, why.APART: APART}


def unscheduled(evidence: Evidence) -> t.Iterator[tuple[Object, str]]:
    """Return the pods that the scheduler could not place, with what it said."""
    for pod in evidence.pods:
        found = condition(pod, "PodScheduled")
        if found.get("status") == "False" and found.get("reason") == "Unschedulable":
            yield pod, clean(found.get("message"))


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
    """Return why a pod has no node; by the scheduler's message alone where nodes may not be read."""
    if not evidence.of("Node"):
        return Unplaced(next((kind for kind, pattern in _SAID if pattern.search(message)), OTHER), message)
    wanted = need(evidence, pod)
    known = evidence.everywhere is not None
    nodes = occupied(evidence.of("Node"), evidence.everywhere or [])
    reason = why.reason(wanted, nodes, known)
    kind = _KINDS.get(reason.kind, "")
    if not kind:
        short = [name for name in wanted.wanted if not any(node.free(name) >= wanted.wanted[name] for node in nodes)]
        kind = DEVICES if any("/" in name for name in [*short, reason.detail]) else ROOM
    detail = lacks(wanted, nodes) if known else ""
    return Unplaced(kind, f"{why.asks(wanted)}; {reason.text}", detail, reason.remedy)


def _unplaced(kind: str) -> t.Callable[[Evidence], t.Iterator[Proof]]:
    def find(evidence: Evidence) -> t.Iterator[Proof]:
        for pod, message in unscheduled(evidence):
            found = judged(evidence, pod, message)
            if found.kind == kind:
                line = found.why + (f" [{found.detail}]" if found.detail else "")
                line += f"; scheduler: {clean(message, 200)}" if evidence.of("Node") else ""
                yield Proof((ref(pod),), line, key=found.why, since=evidence.since(pod), remedy=found.remedy)

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
            yield Proof((ref(pod),), f"no scheduler has looked at it; schedulerName: {name}", key=name, since=since)


RULES = (
    Diagnosis(
        "DIAG211", "No node has enough free GPUs", _unplaced(DEVICES),
        "Pod Pending, PodScheduled=False Unschedulable: Insufficient nvidia.com/gpu",
        "The pods ask for more accelerators than any node that they may use has free, or for a kind that none has.",
        "Free or add GPUs; lower replicas or tensor parallelism; correct the resource's name (accelerator.type).",
        "F8; Kubernetes, Assign Pods to Nodes",
    ),
    Diagnosis(
        "DIAG212", "No node has enough free CPU or memory", _unplaced(ROOM),
        "Pod Pending, PodScheduled=False Unschedulable: Insufficient cpu or memory",
        "The pods' requests do not fit into what is free on the nodes that they may use.",
        "Lower the requests, remove other pods, or add nodes.",
        "F8; Kubernetes, Resource Management for Pods and Containers",
    ),
    Diagnosis(
        "DIAG213", "Nodes have taints that the pods do not tolerate", _unplaced(TAINTS),
        "Pod Pending, PodScheduled=False Unschedulable: untolerated taint",
        "The nodes that could hold the pods keep them away.",
        "Add the tolerations to the values, or take the taint from the nodes.",
        "F8; Kubernetes, Taints and Tolerations",
    ),
    Diagnosis(
        "DIAG214", "No node has the labels that the pods select", _unplaced(LABELS),
        "Pod Pending, PodScheduled=False Unschedulable: didn't match node affinity/selector",
        "nodeSelector or node affinity (accelerator labels, for example) fits none of the nodes.",
        "Correct nodeSelector or affinity in the values, or label the nodes.",
        "F8; Kubernetes, Assign Pods to Nodes",
    ),
    Diagnosis(
        "DIAG215", "The nodes that fit are not ready or are cordoned", _unplaced(NODES),
        "Pod Pending, PodScheduled=False Unschedulable; nodes NotReady or SchedulingDisabled",
        "Every node that could hold the pods is out of service.",
        "Mend the nodes, or kubectl uncordon them.",
        "Kubernetes, Nodes",
    ),
    Diagnosis(
        "DIAG216", "Affinity or topology spread leaves no node", _unplaced(APART),
        "Pod Pending, PodScheduled=False Unschedulable: anti-affinity or topology spread constraints",
        "Nodes have room, but required rules between pods exclude all of them.",
        "Loosen the rule (preferred, ScheduleAnyway) or add nodes in other domains.",
        "Kubernetes, Pod Topology Spread Constraints",
    ),
    Diagnosis(
        "DIAG217", "A gate keeps the pods from being scheduled", _gated,
        "Pod SchedulingGated, no events",
        "A controller for queues or gangs (Kueue, Grove, ...) has not opened the gate, or does not run.",
        "Look at the gate's controller: its queue, quota and workload objects; without it, remove the label or class"
        " that brings the gate.",
        "F8; ai-dynamo/dynamo#14278, #10064",
    ),
    Diagnosis(
        "DIAG218", "No scheduler takes the pods up", _unnoticed,
        "Pod Pending without the condition PodScheduled and without events",
        "schedulerName names a scheduler that does not run, or the cluster's scheduler is down.",
        "Correct schedulerName in the values, or start that scheduler.",
        "Kubernetes, Configure Multiple Schedulers",
    ),
    Diagnosis(
        "DIAG219", "The scheduler finds no node", _unplaced(OTHER),
        "Pod Pending, PodScheduled=False Unschedulable",
        "The scheduler's message says why.",
        "Mend what the message names.",
        "Kubernetes, Scheduler",
    ),
)  # fmt: skip
