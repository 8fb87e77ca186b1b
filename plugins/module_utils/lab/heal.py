# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What changed faults and stages mean for pods that are already there."""

from __future__ import annotations

import concurrent.futures
import datetime
import functools
import time
import typing as t

from .api import Change, LabApi
from .faults import FAULT_ANNOTATION
from .state import wait_until
from .templates import FAULT

POLICY = "MutatingAdmissionPolicy"
PREFIX = "lab-fault-"
# The API server learns of a changed policy a moment after it has stored it.
POLICY_WITHIN = 15
STAGES_SEEN = 0.2
# So long must no pod of a removed fault appear before it counts as gone, in looks 0.2 s apart.
QUIET_LOOKS = 4


def heal(api: LabApi, changes: list[Change], faults: list[dict], pool: concurrent.futures.Executor) -> list[str]:
    """Let existing pods follow the changes, and wait until new ones do; return what was done, one sentence each."""
    if any(change.kind == "Stage" for change in changes):
        # KWOK tells nobody when it has taken up changed stages; it watches them, which takes milliseconds.
        time.sleep(STAGES_SEEN)
        nudge(api, pool)
    new = {change.name for change in changes if change.kind == POLICY and change.verb != "delete"}
    for fault in faults:
        if PREFIX + fault["name"] in new:
            wait_until(functools.partial(_in_force, api, fault), POLICY_WITHIN, step=0.1)
    gone = {change.name[len(PREFIX) :] for change in changes if change.kind == POLICY and change.verb == "delete"}
    return _delete_held(api, gone) if gone else []


def nudge(api: LabApi, pool: concurrent.futures.Executor) -> None:
    """Touch the status of every scheduled pod: KWOK looks for a pod's next stage only when the pod changes."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def touch(pod: dict) -> None:
        known = {c["type"]: c["status"] for c in pod["status"].get("conditions") or []}
        condition = {"type": FAULT, "status": known.get(FAULT, "False"), "lastProbeTime": now}
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [condition]}}
        api.request("PATCH", _path(pod) + "/status", body, "application/strategic-merge-patch+json")

    pods = api.request("GET", "/api/v1/pods").body.get("items") or []
    list(pool.map(touch, [pod for pod in pods if pod["spec"].get("nodeName")]))


def _in_force(api: LabApi, fault: dict) -> bool:
    """Ask the API server, without keeping anything, what it would make of a pod that the fault is meant for."""
    namespace = fault.get("namespace") or "default"
    labels = {key: str(value) for key, value in (fault.get("match") or {}).items()}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": fault.get("pod_prefix") or "probe-", "labels": labels},
        "spec": {"containers": [{"name": "probe", "image": "probe:1"}]},
    }
    reply = api.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", pod)
    if reply.status >= 300:
        # The namespace does not exist yet: no pod can be in it either.
        return True
    return FAULT_ANNOTATION in (reply.body["metadata"].get("annotations") or {})


def _delete_held(api: LabApi, faults: t.Collection[str]) -> list[str]:
    """Delete the pods that removed faults hold back, until their controllers make ones that are not held back."""
    done: list[str] = []
    quiet = 0

    def settled() -> bool:
        nonlocal quiet
        held = [pod for pod in api.request("GET", "/api/v1/pods").body.get("items") or [] if _fault(pod) in faults]
        for pod in held:
            api.request("DELETE", _path(pod))
            done.append(f"deleted the pod {pod['metadata']['namespace']}/{pod['metadata']['name']} of a removed fault")
        quiet = 0 if held else quiet + 1
        return quiet >= QUIET_LOOKS

    wait_until(settled, POLICY_WITHIN, step=0.2)
    return list(dict.fromkeys(done))


def _fault(pod: dict) -> str | None:
    return (pod["metadata"].get("annotations") or {}).get(FAULT_ANNOTATION)


def _path(pod: dict) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
