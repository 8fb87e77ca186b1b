# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a Pod's status says: ready, on its way, or not able to become ready, and why."""

from __future__ import annotations

import dataclasses
import re

from ..base.data import Object, dicts, mapping
from ..base.quantities import MILLI, Amounts, added, amounts, larger


def owner(metadata: Object) -> tuple[str, str]:
    """Return kind and name of the workload that a pod is of: a Deployment rather than its ReplicaSet."""
    labels = mapping(metadata.get("labels"))
    group = labels.get("leaderworkerset.sigs.k8s.io/name")
    if group:
        return "LeaderWorkerSet", str(group)
    found: Object = next((ref for ref in dicts(metadata.get("ownerReferences")) if ref.get("controller")), {})
    kind, name = str(found.get("kind") or ""), str(found.get("name") or "")
    suffix = f"-{labels.get('pod-template-hash')}"
    if kind == "ReplicaSet" and name.endswith(suffix):
        return "Deployment", name.removesuffix(suffix)
    return kind, name


@dataclasses.dataclass(frozen=True)
class LastWords:
    """line: the line that tells the cause, else the last one; cause: the rule's id and title, '' where no rule knows
    it; fatal: a restart does not mend it."""

    line: str
    cause: str = ""
    fatal: bool = False


# A container that died this often is not going to live without a change.
RESTARTS_FATAL = 3
OOM_RESTARTS_FATAL = 2
# Reasons of a waiting container that only a change of the object or of what it refers to can end.
STUCK_REASONS = (
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
)
# A pull that failed so may succeed by itself.
TRANSIENT_PULL = re.compile(
    r"timeout|timed out|connection re(set|fused)|unexpected EOF|too many requests|toomanyrequests|i/o|"
    r"\b50[0234]\b|temporar|no such host|TLS handshake|qps exceeded",
    re.I,
)
# An image that was not there a moment ago is not going to be there in the next.
ABSENT_IMAGE = re.compile(r"not found|manifest unknown|does not exist|no such manifest", re.I)
HOPELESS_PULLS = ("InvalidImageName", "ErrImageNeverPull")


@dataclasses.dataclass(frozen=True)
class PodState:
    """text: one line for an operator; stuck: it cannot become ready without a change; certain: and not only for
    a moment."""

    ready: bool
    text: str
    stuck: bool = False
    reason: str = ""
    certain: bool = False


def pod_state(pod: Object) -> PodState:
    """Return what the pod's status says. Unschedulable pods are not stuck here: see unplaceable()."""
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return PodState(False, "is being deleted")
    if status.get("phase") == "Succeeded":
        return PodState(True, "completed")
    if condition(pod, "Ready").get("status") == "True":
        return PodState(True, "ready")
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        reason = scheduled.get("reason") or "not scheduled"
        return PodState(False, _join(reason, scheduled.get("message")), reason=reason)
    containers = container_states(pod)
    states = [_container_state(container) for container in containers]
    for state in sorted(filter(None, states), key=lambda state: not state.stuck):
        return state
    if status.get("phase") == "Failed":
        return PodState(False, _join(status.get("reason") or "Failed", status.get("message")), reason="Failed")
    unready = [container["name"] for container in containers if not container.get("ready")]
    if status.get("phase") == "Running":
        return PodState(False, "running, not ready yet" + (f" (container {', '.join(unready)})" if unready else ""))
    return PodState(False, status.get("phase") or "no status yet")


def _container_state(container: Object) -> PodState | None:
    """Return what is wrong with a container, or None where nothing is known to be."""
    name, state = container.get("name", ""), container.get("state") or {}
    restarts, last = int(container.get("restartCount") or 0), ended(container)
    reason, message = waiting(container).get("reason") or "", waiting(container).get("message") or ""
    died = _death(name, last, restarts)
    if last.get("reason") == "OOMKilled" and not container.get("ready"):
        return PodState(False, _join("OOMKilled", died), restarts >= OOM_RESTARTS_FATAL, "OOMKilled")
    if reason == "CrashLoopBackOff":
        return PodState(False, _join(reason, died or message), restarts >= RESTARTS_FATAL, reason)
    if reason in STUCK_REASONS:
        passing = reason.endswith(("ImagePullBackOff", "ErrImagePull")) and bool(TRANSIENT_PULL.search(message))
        certain = reason in HOPELESS_PULLS or ("ImagePull" in reason and bool(ABSENT_IMAGE.search(message)))
        text = _join(reason, message or f"image {container.get('image')}")
        return PodState(False, text, not passing, reason, certain and not passing)
    if state.get("terminated") and last.get("exitCode"):
        return PodState(False, _join(last.get("reason") or "Error", died), reason=last.get("reason") or "Error")
    if reason and reason not in ("ContainerCreating", "PodInitializing"):
        return PodState(False, _join(reason, message), reason=reason)
    return None


def _death(name: str, last: Object, restarts: int) -> str:
    if not last:
        return ""
    text = f"container {name} exited with {last.get('exitCode')}"
    if restarts:
        text += f", restarted {restarts} times"
    return _join(text, last.get("message"))


def pod_revision(pod: Object) -> str:
    """Return the hash that tells a rollout's pods from older ones, or '' where the pod carries none."""
    labels = pod["metadata"].get("labels") or {}
    keys = ("leaderworkerset.sigs.k8s.io/template-revision-hash", "controller-revision-hash")
    return next((labels[key] for key in keys if labels.get(key)), "")


def unplaceable(pod: Object, nodes: list[Object]) -> str | None:
    """Return why no node could ever hold the pod, or None where one could if it were empty.

    Weighs nodeSelector and allocatable resources; taints, affinity and other pods are the scheduler's to judge.
    """
    spec = pod.get("spec") or {}
    wanted = (spec.get("nodeSelector") or {}).items()
    fitting = [node for node in nodes if wanted <= (node["metadata"].get("labels") or {}).items()]
    if not fitting:
        pairs = ",".join(f"{key}={value}" for key, value in sorted(wanted))
        return f"no node has the labels {pairs}" if nodes else None
    requests = pod_requests(spec)
    rooms = [amounts((node.get("status") or {}).get("allocatable")) for node in fitting]
    if any(all(room.get(name, 0) >= amount for name, amount in requests.items()) for room in rooms):
        return None
    best = {name: max(room.get(name, 0) for room in rooms) for name in requests}
    short = [
        f"{_number(amount)} {name} (the most that one has: {_number(best[name])})"
        for name, amount in sorted(requests.items())
        if best[name] < amount
    ]
    return "no node has " + " and ".join(short) if short else "no single node has everything that it requests"


def pod_requests(spec: Object) -> Amounts:
    """Return what a pod needs of each resource: the sum of its containers, or an init container's if larger."""
    total: Amounts = {}
    for container in spec.get("containers") or []:
        total = added(total, _container_requests(container))
    for container in spec.get("initContainers") or []:
        join = added if container.get("restartPolicy") == "Always" else larger
        total = join(total, _container_requests(container))
    return {name: amount for name, amount in total.items() if amount > 0}


def _container_requests(container: Object) -> Amounts:
    resources = container.get("resources") or {}
    return {**amounts(resources.get("limits")), **amounts(resources.get("requests"))}


def _number(amount: int) -> str:
    value = amount / MILLI
    return f"{value:g}" if value < 1e6 else f"{value / 1024**3:.4g}Gi"


def condition(item: Object, name: str) -> Object:
    """Return the named condition of an object's status, of whatever generation it is; {} where there is none."""
    found = dicts(mapping(item.get("status")).get("conditions"))
    return next((entry for entry in found if entry.get("type") == name), {})


def container_states(pod: Object) -> list[Object]:
    """Return the statuses of a pod's containers, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def ended(state: Object) -> Object:
    """Return how a container ended last: its present end, else the end of its last run; {} where it has not."""
    return (state.get("state") or {}).get("terminated") or (state.get("lastState") or {}).get("terminated") or {}


def waiting(state: Object) -> Object:
    """Return what a container waits for, {} for nothing."""
    return (state.get("state") or {}).get("waiting") or {}


def _join(reason: str, message: str | None) -> str:
    text = " ".join(str(message or "").split())
    return f"{reason}: {text[:300]}" if text and text != reason else reason
