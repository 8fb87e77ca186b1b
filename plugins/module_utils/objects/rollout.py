# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A workload together with its pods: whether its rollout is done, and if not, what its pods say."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base.data import Object
from .conditions import State, object_state, seen
from .pods import LastWords, PodState, container_states, ended, pod_revision, pod_state, unplaceable, waiting

# Their pods belong to workloads that a controller makes for them.
NAME_LABELS = {
    "Gateway": "gateway.networking.k8s.io/gateway-name",
    "LeaderWorkerSet": "leaderworkerset.sigs.k8s.io/name",
}
# The reason of a pod that the scheduler has no node for.
UNPLACED = "Unschedulable"
# kube-scheduler, plugins/dynamicresources.
CLASSLESS = re.compile(r"device class \S+ does not exist")
# A message names this many pods; the others are counted.
PODS_SHOWN = 3
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "LeaderWorkerSet", "Gateway")


def pods_of(item: Object, pods: t.Iterable[Object], replica_sets: t.Iterable[Object]) -> list[Object]:
    """Return a workload's pods: old ones of a rollout and those that are being deleted too.

    Found by owners, as several workloads may share a selector; by label only where a controller in between is not
    watched. replica_sets: those of the namespace.
    """
    name, kind = item["metadata"]["name"], item.get("kind")
    if kind in NAME_LABELS:
        return [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(NAME_LABELS[kind]) == name]
    if kind not in WORKLOADS:
        return []
    owners = {item["metadata"].get("uid")}
    if kind == "Deployment":
        owners = {entry["metadata"]["uid"] for entry in replica_sets if _owners(entry) & owners}
    return [pod for pod in pods if _owners(pod) & owners]


def _owners(item: Object) -> set[str]:
    return {owner.get("uid") for owner in item["metadata"].get("ownerReferences") or []}


def newest_pods(item: Object, pods: t.Iterable[Object], replica_sets: list[Object]) -> list[Object]:
    """Return the pods of a workload's present revision: those of the newest template, not the ones it replaces."""
    present = replica_sets
    if item.get("kind") == "Deployment":
        number = _revision_number(item)
        present = [entry for entry in replica_sets if seen(item) and _revision_number(entry) == number]
    mine = [pod for pod in pods_of(item, pods, present) if not pod["metadata"].get("deletionTimestamp")]
    revision = _present_revision(item, mine)
    return mine if revision is None else [pod for pod in mine if pod_revision(pod) == revision]


def _revision_number(item: Object) -> str | None:
    return (item["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")


def _present_revision(item: Object, pods: list[Object]) -> str | None:
    if item.get("kind") == "StatefulSet":
        return (item.get("status") or {}).get("updateRevision")
    if item.get("kind") in ("DaemonSet", "LeaderWorkerSet") and pods:
        return pod_revision(max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp"))))
    return None


def verdict(
    item: Object,
    pods: list[Object],
    replica_sets: list[Object],
    nodes: t.Callable[[], list[Object]] | None = None,
    words: t.Callable[[Object, Object], LastWords | None] | None = None,
) -> State:
    """Return an object's readiness with what the pods of its present revision say, failed where they are stuck.

    nodes: returns the cluster's nodes; called only for a pod that the scheduler cannot place (None: not known).
    words: returns what a crashed container said last, None as long as that is not known.
    """
    state = object_state(item)
    if state.ready or item["metadata"].get("deletionTimestamp"):
        return state
    mine = newest_pods(item, pods, replica_sets)
    states = [(pod, _explained(pod, _placed(pod, pod_state(pod), nodes), words)) for pod in mine]
    bad = [(pod, found) for pod, found in states if not found.ready]
    stuck = any(found.stuck for _pod, found in bad)
    failed = state.failed
    if item.get("kind") == "Deployment" and failed and _alive(bad):
        # The deadline for progress is shorter than a large model takes to load.
        failed = False
    certain = any(found.certain for _pod, found in bad)
    unplaced = any(found.reason == UNPLACED for _pod, found in bad)
    details = (*state.details, *_of_pods(bad))
    return State(False, state.head, failed or stuck, certain, unplaced=unplaced, details=details)


def _placed(pod: Object, state: PodState, nodes: t.Callable[[], list[Object]] | None) -> PodState:
    if state.reason == UNPLACED and CLASSLESS.search(state.text):
        # No node that is added mends it either.
        return PodState(False, state.text, True, "DeviceClassNotFound", True)
    if state.reason != UNPLACED or nodes is None:
        return state
    why = unplaceable(pod, nodes())
    return PodState(False, f"{UNPLACED}: {why}", True, state.reason, True) if why else state


def _explained(pod: Object, state: PodState, words: t.Callable[[Object, Object], LastWords | None] | None) -> PodState:
    """Return the state of a pod that has crashed with its last words; stuck where a restart does not mend it."""
    if state.ready or words is None or state.reason in (UNPLACED, "OOMKilled"):
        return state
    for container in container_states(pod):
        said = words(pod, container) if crashed(container) else None
        if said is None:
            continue
        text = f"{state.text}; log: {said.line}" + (f" ({said.cause})" if said.cause else "")
        stuck, certain = state.stuck or said.fatal, state.certain or said.fatal
        return dataclasses.replace(state, text=text, stuck=stuck, certain=certain)
    return state


def crashed(container: Object) -> bool:
    """Return whether a container ended in failure, was started again, and does not serve."""
    backs_off = waiting(container).get("reason") == "CrashLoopBackOff"
    running = "running" in (container.get("state") or {})
    again = backs_off or (int(container.get("restartCount") or 0) >= 1 and not running)
    return bool(not container.get("ready") and again and (ended(container).get("exitCode") or backs_off))


def _alive(bad: list[tuple[Object, PodState]]) -> bool:
    """Return whether pods run and only wait for their probes."""
    return bool(bad) and all(not found.reason for _pod, found in bad)


def _of_pods(bad: list[tuple[Object, PodState]]) -> list[tuple[str, str]]:
    """Return what is to be said of each pod that is not ready, those that are stuck first."""
    ordered = sorted(bad, key=lambda entry: (not entry[1].stuck, entry[0]["metadata"]["name"]))
    lines = [(f"pod {pod['metadata']['name']}", state.text) for pod, state in ordered[:PODS_SHOWN]]
    if len(ordered) > PODS_SHOWN:
        lines.append(("", f"and {len(ordered) - PODS_SHOWN} more pods"))
    return lines
