# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A workload together with its pods: whether its rollout is done, and if not, what its pods say."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._conditions import State, object_state, seen
from ansible_collections.llm_d.orchestrator.plugins.module_utils._pods import (
    PodState,
    pod_revision,
    pod_state,
    unplaceable,
)

Object = dict[str, t.Any]

GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name"
LWS_NAME_LABEL = "leaderworkerset.sigs.k8s.io/name"
# A message names this many pods; the others are counted.
PODS_SHOWN = 3

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "LeaderWorkerSet", "Gateway")


def pod_labels(item: Object) -> dict[str, str]:
    """Return the labels that all pods of a workload carry, {} where the object has no pods."""
    name, kind = item["metadata"]["name"], item.get("kind")
    if kind == "LeaderWorkerSet":
        return {LWS_NAME_LABEL: name}
    if kind == "Gateway":
        return {GATEWAY_NAME_LABEL: name}
    if kind == "Job":
        return {"batch.kubernetes.io/job-name": name}
    if kind in WORKLOADS:
        return dict(((item.get("spec") or {}).get("selector") or {}).get("matchLabels") or {})
    return {}


def pods_of(item: Object, pods: t.Iterable[Object]) -> list[Object]:
    """Return a workload's pods, old ones of a rollout too, those that are being deleted left out."""
    wanted = pod_labels(item)
    if not wanted:
        return []
    return [
        pod
        for pod in pods
        if wanted.items() <= (pod["metadata"].get("labels") or {}).items()
        and not pod["metadata"].get("deletionTimestamp")
    ]


def newest_pods(item: Object, pods: t.Iterable[Object], replica_sets: t.Iterable[Object] = ()) -> list[Object]:
    """Return the pods of a workload's present revision: those of the newest template, not the ones it replaces.

    replica_sets: those of the namespace; needed for a Deployment only.
    """
    mine = pods_of(item, pods)
    revision = _present_revision(item, mine, replica_sets)
    return mine if revision is None else [pod for pod in mine if pod_revision(pod) == revision]


def _present_revision(item: Object, pods: list[Object], replica_sets: t.Iterable[Object]) -> str | None:
    kind = item.get("kind")
    if kind == "StatefulSet":
        return (item.get("status") or {}).get("updateRevision")
    if kind == "Deployment":
        number = (item["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")
        for entry in replica_sets:
            owners = [owner.get("uid") for owner in entry["metadata"].get("ownerReferences") or []]
            found = (entry["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision")
            if item["metadata"].get("uid") in owners and found == number:
                return (entry["metadata"].get("labels") or {}).get("pod-template-hash")
        return "" if not seen(item) else None
    if kind in ("DaemonSet", "LeaderWorkerSet") and pods:
        return pod_revision(max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp"))))
    return None


def verdict(
    item: Object, pods: list[Object], replica_sets: list[Object], nodes: t.Callable[[], list[Object]] | None = None
) -> State:
    """Return an object's readiness with what the pods of its present revision say, failed where they are stuck.

    nodes: returns the cluster's nodes; called only for a pod that the scheduler cannot place (None: not known).
    """
    state = object_state(item)
    if state.ready or item["metadata"].get("deletionTimestamp"):
        return state
    mine = newest_pods(item, pods, replica_sets)
    states = [(pod, _placed(pod, pod_state(pod), nodes)) for pod in mine]
    bad = [(pod, found) for pod, found in states if not found.ready]
    stuck = any(found.stuck for _pod, found in bad)
    failed = state.failed
    if item.get("kind") == "Deployment" and failed and _alive(bad):
        # The deadline for progress is shorter than a large model takes to load.
        failed = False
    return State(False, "; ".join([state.text, *pod_lines(bad)]), failed or stuck)


def _placed(pod: Object, state: PodState, nodes: t.Callable[[], list[Object]] | None) -> PodState:
    if state.reason != "Unschedulable" or nodes is None:
        return state
    why = unplaceable(pod, nodes())
    return PodState(False, f"Unschedulable: {why}", True, state.reason) if why else state


def _alive(bad: list[tuple[Object, PodState]]) -> bool:
    """Return whether pods run and only wait for their probes."""
    return bool(bad) and all(not found.reason for _pod, found in bad)


def pod_lines(bad: list[tuple[Object, PodState]]) -> list[str]:
    """Return one line for each pod that is not ready, those that are stuck first."""
    ordered = sorted(bad, key=lambda entry: (not entry[1].stuck, entry[0]["metadata"]["name"]))
    lines = [f"pod {pod['metadata']['name']}: {state.text}" for pod, state in ordered[:PODS_SHOWN]]
    if len(ordered) > PODS_SHOWN:
        lines.append(f"and {len(ordered) - PODS_SHOWN} more pods")
    return lines
