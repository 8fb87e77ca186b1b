# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pods of the runtime that do not stay: those that end at once, and those that take longer than their startup probe."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from ..cluster.conditions import find
from ..cluster.snapshot import Object, Snapshot, is_deleted
from .workers import Runtime, runtime

# The condition in which the lab keeps when a pod that runs becomes ready: module_utils/lab/templates.py.
STARTING = "lab.llm-d.ai/Starting"
KILLED = "INFO loading model weights ...\nStartup probe failed: HTTP probe failed with statuscode: 503"


def crashes(snapshot: Snapshot) -> dict[str, str]:
    """The uids of pods that end at once, and the log of each: wrong arguments, or nobody to register with."""
    found = (runtime(pod, snapshot) for pod in snapshot.all("Pod") if not is_deleted(pod))
    return {item.pod["metadata"]["uid"]: _log(item) for item in found if item and item.problem}


def _log(item: Runtime) -> str:
    if "unrecognized arguments" in item.problem:
        return f"usage: main.py [options]\n{item.problem}"
    return (
        f"INFO dynamo_runtime: starting dynamo.{item.kind}\nERROR dynamo_runtime: {item.problem}\nError: {item.problem}"
    )


class SlowStarts:
    """Pods that their startup probe ends before they are ready: it asks for nothing less than the loaded model.

    `wake` is called with the seconds after which to look again.
    """

    def __init__(self, wake: Callable[[float], object], clock: Callable[[], float] = time.time) -> None:
        self._wake = wake
        self._clock = clock
        self._deadlines: dict[str, float] = {}

    def look(self, snapshot: Snapshot) -> dict[str, str]:
        """The uids of pods whose time is over, and the log of each."""
        pods = {pod["metadata"]["uid"]: pod for pod in snapshot.all("Pod")}
        self._deadlines = {uid: moment for uid, moment in self._deadlines.items() if uid in pods}
        for uid, pod in pods.items():
            if uid not in self._deadlines and runtime(pod, snapshot):
                moment = deadline(pod)
                if moment:
                    self._deadlines[uid] = moment
                    self._wake(max(0.0, moment - self._clock()))
        return dict.fromkeys((uid for uid, moment in self._deadlines.items() if moment <= self._clock()), KILLED)


def deadline(pod: Object) -> float:
    """When a pod's startup probe has failed as often as it may; 0 where the pod is ready before that."""
    status = pod.get("status") or {}
    starting = find(status.get("conditions"), STARTING)
    main = pod["spec"]["containers"][0]
    mine = next((item for item in status.get("containerStatuses") or [] if item["name"] == main["name"]), {})
    started = ((mine.get("state") or {}).get("running") or {}).get("startedAt")
    probe = main.get("startupProbe")
    if not (probe and started and starting.get("status") == "True"):
        return 0.0
    budget = probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    over = _seconds(started) + budget
    return over if _seconds(starting["message"]) > over else 0.0


def _seconds(moment: str) -> float:
    """A time of the API, which may have more digits than Python reads, in seconds."""
    whole, _dot, rest = moment.partition(".")
    zone = moment[-1:] if moment.endswith("Z") else rest.lstrip("0123456789")
    return datetime.fromisoformat((whole.removesuffix("Z") + zone).replace("Z", "+00:00")).timestamp()
