# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tells KWOK, by annotations of pods, which pods may start, which are held back and why, and which have ended."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from ..cluster.conditions import now
from ..cluster.snapshot import Object, Snapshot, is_deleted
from ..writer import Writer
from .logs import PodLogs, logs_object
from .needs import problem, waits
from .problem import Problem

# What module_utils/lab/templates.py of the collection reads.
STATE, CONFIG_ERROR, REASON = "lab.llm-d.ai/kubelet", "lab.llm-d.ai/config-error", "lab.llm-d.ai/waiting-reason"
WAITING_INIT, EXIT_CODE = "lab.llm-d.ai/waiting-init-container", "lab.llm-d.ai/exit-code"
STARTED, HELD, CRASHED = "started", "held", "crashed"
# The line of a crash's log by which the kubelet itself ended the container: its probe's failure.
PROBE, BY_SIGNAL = re.compile(r"^(?:Startup|Liveness) probe failed: .*", re.MULTILINE), "137"
Crashes = Callable[[Snapshot], dict[str, str]]


class Kubelet:
    """Holds scheduled pods to what they need; `crashes` tell, by uid, the log of pods whose container has ended."""

    def __init__(self, writer: Writer, folder: Path) -> None:
        self.crashes: list[Crashes] = []
        self.logs = PodLogs(folder)
        self._writer = writer
        self._told: set[tuple[str, Problem]] = set()
        self._started: set[str] = set()
        self._killed: set[tuple[str, str]] = set()

    def work(self, snapshot: Snapshot) -> list[Awaitable[None]]:
        """What is to be written for all pods."""
        crashed = {uid: text for crashes in self.crashes for uid, text in crashes(snapshot).items()}
        pods = snapshot.all("Pod")
        alive = {pod["metadata"]["uid"] for pod in pods}
        self.logs.forget(alive)
        self._told = {item for item in self._told if item[0] in alive}
        self._killed = {item for item in self._killed if item[0] in alive}
        self._started = {pod["metadata"]["uid"] for pod in pods if _state(pod) == STARTED and not _finished(pod)}
        work: list[Awaitable[None]] = []
        for pod in pods:
            crash = crashed.get(pod["metadata"]["uid"], "")
            concerned = crash or _state(pod) or waits(pod)
            if concerned and pod["spec"].get("nodeName") and not is_deleted(pod) and not _finished(pod):
                work += self._pod(pod, crash, snapshot)
        return work

    def _pod(self, pod: Object, crash: str, snapshot: Snapshot) -> list[Awaitable[None]]:
        uid = pod["metadata"]["uid"]
        work: list[Awaitable[None]] = []
        found = problem(pod, snapshot, self._started) if _state(pod) != STARTED else None
        if found:
            work.append(self._annotate(pod, HELD, found))
            if (uid, found) not in self._told:
                self._told.add((uid, found))
                work += [self._writer.tell(event(pod, reason, text)) for reason, text in found.events]
            return work
        self._started.add(uid)
        if crash:
            self.logs.write(uid, crash.splitlines())
        killed = PROBE.search(crash)
        if killed and (uid, killed[0]) not in self._killed:
            self._killed.add((uid, killed[0]))
            work += [self._writer.tell(event(pod, reason, text)) for reason, text in _killing(pod, killed[0])]
        if self.logs.has(uid):
            work.append(self._writer.apply(logs_object(pod, self.logs.path(uid))))
        work.append(self._annotate(pod, CRASHED if crash else STARTED, None, BY_SIGNAL if killed else None))
        return work

    def _annotate(self, pod: Object, state: str, found: Problem | None, code: str | None = None) -> Awaitable[None]:
        """Write a pod's state; an annotation of somebody else that holds it back stays."""
        wanted: dict[str, str | None] = {STATE: state}
        if code:
            wanted[EXIT_CODE] = code
        if found:
            wanted |= {CONFIG_ERROR: found.message, REASON: found.reason, WAITING_INIT: found.init or None}
        elif _state(pod) == HELD:
            wanted |= {CONFIG_ERROR: None, REASON: None, WAITING_INIT: None}
        return self._writer.annotate(pod, wanted)


def _killing(pod: Object, said: str) -> tuple[tuple[str, str], ...]:
    """The events of a container that its probe ends."""
    name, kind = pod["spec"]["containers"][0]["name"], said.partition(" ")[0].lower()
    return ("Unhealthy", said), ("Killing", f"Container {name} failed {kind} probe, will be restarted")


def _state(pod: Object) -> str:
    return (pod["metadata"].get("annotations") or {}).get(STATE, "")


def _finished(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def event(pod: Object, reason: str, message: str) -> Object:
    """A warning about a pod, as its kubelet writes it."""
    meta, moment = pod["metadata"], now()
    mark = hashlib.sha256(f"{meta['uid']} {reason} {message}".encode()).hexdigest()[:16]
    about = {
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{mark}", "namespace": meta["namespace"]},
        "involvedObject": about,
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": pod["spec"]["nodeName"]},
        "reportingComponent": "kubelet",
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
    }
