# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a Kubernetes object is ready, and if not, why; whether it has failed for good.

A status counts only where the controller has seen the object's present generation, and old pods of a
rollout never count.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from .pods import pod_state

NOT_SEEN = "its controller has not observed the current generation yet"


@dataclasses.dataclass(frozen=True)
class State:
    """ready; head: why not; details: of what (as printed, "" for nothing) and what it says; failed: it does not become
    ready without a change; certain: so much so that there is nothing to wait for; denied: a condition says no, which
    may pass; unplaced: a pod has no node."""

    ready: bool
    head: str = ""
    failed: bool = False
    certain: bool = False
    denied: bool = False
    unplaced: bool = False
    details: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """Return why it is not ready, for an operator."""
        return "; ".join(filter(None, [self.head, self.more]))

    @property
    def more(self) -> str:
        """Return the details as printed."""
        return "; ".join(f"{of}: {said}" if of else said for of, said in self.details)

    @property
    def brief(self) -> str:
        """Return the text without what the details are of."""
        return "; ".join([self.head, *(said for _of, said in self.details)])


def object_state(item: Object) -> State:
    """Return an object's own readiness. Kinds without a rule are ready as soon as they exist."""
    check = CHECKS.get(item.get("kind", ""))
    if item["metadata"].get("deletionTimestamp"):
        return State(False, "is being deleted")
    return check(item) if check else State(True)


def condition(item: Object, name: str) -> Object:
    """Return the named condition of the status, {} where there is none or it is of an older generation."""
    found = _find((item.get("status") or {}).get("conditions"), name)
    return found if _current(found, item) else {}


def _find(conditions: list | None, name: str) -> Object:
    return next((entry for entry in conditions or [] if entry.get("type") == name), {})


def _current(found: Object, item: Object) -> bool:
    return int(found.get("observedGeneration") or item["metadata"].get("generation") or 0) >= int(
        item["metadata"].get("generation") or 0
    )


def describe(found: Object, name: str) -> str:
    """Return 'Programmed=False AddressNotAssigned: message' for a condition; {} says that it is not set."""
    if not found:
        return f"{name} is not reported yet"
    text = f"{name}={found.get('status')} {found.get('reason') or ''}".strip()
    message = " ".join(str(found.get("message") or "").split())
    return f"{text}: {message[:300]}" if message else text


def seen(item: Object) -> bool:
    status = item.get("status") or {}
    return int(status.get("observedGeneration") or 0) >= int(item["metadata"].get("generation") or 0)


def _count(item: Object, *path: str, default: int = 0) -> int:
    value: t.Any = item
    for key in path:
        value = (value or {}).get(key)
    return default if value is None else int(value)


def _deployment(item: Object) -> State:
    wanted = _count(item, "spec", "replicas", default=1)
    if not seen(item):
        return State(False, NOT_SEEN)
    updated, total = _count(item, "status", "updatedReplicas"), _count(item, "status", "replicas")
    available = _count(item, "status", "availableReplicas")
    text = f"{min(available, updated)} of {wanted} pods ready"
    failure = condition(item, "ReplicaFailure")
    if failure.get("status") == "True":
        return State(False, text, failed=True, details=(("", describe(failure, "ReplicaFailure")),))
    if updated >= wanted and available >= updated and total <= updated:
        return State(True)
    if updated < wanted:
        text += f", {updated} of the new template"
    elif available >= wanted and total > updated:
        text = f"{total - updated} of {total} pods are old and not yet terminated"
    progressing = condition(item, "Progressing")
    if progressing.get("status") == "False":
        return State(False, text, failed=True, details=(("", describe(progressing, "Progressing")),))
    return State(False, text)


def _stateful_set(item: Object) -> State:
    wanted = _count(item, "spec", "replicas", default=1)
    if not seen(item):
        return State(False, NOT_SEEN)
    ready, updated = _count(item, "status", "readyReplicas"), _count(item, "status", "updatedReplicas")
    strategy = (item.get("spec") or {}).get("updateStrategy") or {}
    partition = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    status = item.get("status") or {}
    if ready < wanted:
        return State(False, f"{ready} of {wanted} pods ready")
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    if rolling and status.get("updateRevision") != status.get("currentRevision") and updated < wanted - partition:
        return State(False, f"{updated} of {wanted} pods updated")
    return State(True)


def _daemon_set(item: Object) -> State:
    if not seen(item):
        return State(False, NOT_SEEN)
    wanted = _count(item, "status", "desiredNumberScheduled")
    updated, available = _count(item, "status", "updatedNumberScheduled"), _count(item, "status", "numberAvailable")
    done = min(updated, available)
    return State(True) if done >= wanted else State(False, f"{done} of {wanted} pods ready")


def _job(item: Object) -> State:
    conditions = (item.get("status") or {}).get("conditions")
    failed = _find(conditions, "Failed")
    if failed.get("status") == "True":
        return State(False, describe(failed, "Failed"), failed=True)
    if _find(conditions, "Complete").get("status") == "True" or (item.get("spec") or {}).get("suspend"):
        return State(True)
    return State(
        False, f"{_count(item, 'status', 'succeeded')} of {_count(item, 'spec', 'completions', default=1)} done"
    )


def _pod(item: Object) -> State:
    state = pod_state(item)
    return State(state.ready, "" if state.ready else state.text, state.stuck)


def _leader_worker_set(item: Object) -> State:
    wanted = _count(item, "spec", "replicas", default=1)
    ready, updated = _count(item, "status", "readyReplicas"), _count(item, "status", "updatedReplicas")
    available = condition(item, "Available")
    if "observedGeneration" in (item.get("status") or {}) and not seen(item):
        return State(False, NOT_SEEN)
    if min(ready, updated) < wanted:
        return State(False, f"{min(ready, updated)} of {wanted} groups ready")
    if available.get("status") != "True":
        return State(False, describe(available, "Available"))
    return State(True)


def _gateway(item: Object) -> State:
    programmed, accepted = condition(item, "Programmed"), condition(item, "Accepted")
    if programmed.get("status") == "True":
        return State(True)
    if accepted.get("status") == "False":
        return State(False, describe(accepted, "Accepted"), failed=True)
    broken = tuple(
        (f"listener {listener.get('name')}", describe(entry, entry["type"]))
        for listener in (item.get("status") or {}).get("listeners") or []
        for entry in listener.get("conditions") or []
        if entry.get("type") in ("Accepted", "ResolvedRefs", "Programmed") and entry.get("status") == "False"
    )
    return State(False, describe(programmed, "Programmed"), details=broken)


def _route(item: Object) -> State:
    statuses = (item.get("status") or {}).get("parents") or []
    for parent in (item.get("spec") or {}).get("parentRefs") or []:
        status: Object = next(
            (entry for entry in statuses if _same_parent(entry.get("parentRef") or {}, parent, item)), {}
        )
        for name in ("Accepted", "ResolvedRefs"):
            found = _find(status.get("conditions"), name)
            if not found or not _current(found, item):
                return State(False, f"Gateway {parent.get('name')} has not reported {name} yet")
            if found.get("status") != "True":
                return State(False, f"Gateway {parent.get('name')}: {describe(found, name)}", denied=True)
    return State(True)


def _same_parent(status: Object, wanted: Object, route: Object) -> bool:
    home = route["metadata"].get("namespace")
    return (
        status.get("name") == wanted.get("name")
        and status.get("namespace", home) == wanted.get("namespace", home)
        and status.get("sectionName") == wanted.get("sectionName")
        and status.get("port") == wanted.get("port")
    )


def _claim(item: Object) -> State:
    phase = (item.get("status") or {}).get("phase") or "no phase yet"
    return State(phase == "Bound", "" if phase == "Bound" else phase, phase == "Lost")


def _definition(item: Object) -> State:
    conditions = (item.get("status") or {}).get("conditions")
    refused = _find(conditions, "NamesAccepted")
    if _find(conditions, "Established").get("status") == "True":
        return State(True)
    return State(False, describe(_find(conditions, "Established"), "Established"), refused.get("status") == "False")


def _graph(item: Object) -> State:
    """Return what a graph of Dynamo says of itself; see graph_state.py for its children."""
    if "observedGeneration" in (item.get("status") or {}) and not seen(item):
        return State(False, NOT_SEEN)
    ready, state = condition(item, "Ready"), (item.get("status") or {}).get("state") or ""
    if ready.get("status") == "True":
        return State(True)
    return State(False, describe(ready, "Ready"), failed=state == "failed")


# What a webhook is called for that stands between a client and its objects.
_CHANGING = {"CREATE", "UPDATE", "DELETE", "*"}


def _webhooks(item: Object) -> State:
    """Return whether the API server can call webhooks without which it refuses what they are for.

    Their servers write their certificates in once they run; until then each call fails (NVIDIA/aicr pull request 689).
    """
    for webhook in item.get("webhooks") or []:
        client = webhook.get("clientConfig") or {}
        changing = any(_CHANGING & set(rule.get("operations") or []) for rule in webhook.get("rules") or [])
        must = webhook.get("failurePolicy", "Fail") == "Fail" and changing
        if must and client.get("service") and not client.get("caBundle"):
            return State(False, f"webhook {webhook.get('name')} has no certificate authority yet")
    return State(True)


CHECKS: dict[str, t.Callable[[Object], State]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Pod": _pod,
    "LeaderWorkerSet": _leader_worker_set,
    "Gateway": _gateway,
    "HTTPRoute": _route,
    "PersistentVolumeClaim": _claim,
    "CustomResourceDefinition": _definition,
    "DynamoGraphDeployment": _graph,
    "MutatingWebhookConfiguration": _webhooks,
    "ValidatingWebhookConfiguration": _webhooks,
}
