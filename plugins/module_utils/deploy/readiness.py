# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Wait until a release's objects are ready, by watches; give up early on those that cannot become so."""

from __future__ import annotations

import threading
import time
import typing as t

from ..base.cancel import Cancelled
from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import object_key
from ..cluster.client import Cluster
from ..cluster.watch import Watches
from ..objects.conditions import CHECKS, State
from ..objects.graph_state import DEPLOYMENT, graph_state
from ..objects.graphs import is_graph
from ..objects.rollout import WORKLOADS, verdict

# Where the cluster autoscaler says what it does, in kube-system.
AUTOSCALER_STATUS = "cluster-autoscaler-status"
# An autoscaler that works on a pod says so by one of these events.
AUTOSCALER_REASONS = ("TriggeredScaleUp", "Nominated", "NominatedNode")


class NotReady(OrchestratorError):
    """Objects that are not ready: one detail each. objects: the state of all, as in the module's results."""

    def __init__(self, lines: list[str], objects: list[Object]) -> None:
        self.lines, self.objects = lines, objects
        super().__init__("; ".join(lines))


class Readiness:
    """Waits for objects; shared by the threads of one module call."""

    def __init__(self, cluster: Cluster, watches: Watches, *, fail_fast: bool, grace: float) -> None:
        """grace: seconds for which an object must look stuck before it counts as failed."""
        self.cluster, self.watches = cluster, watches
        self.fail_fast, self.grace = fail_fast, grace
        self._crash_logs: t.Any = None
        self.cancelled: t.Callable[[], bool] = lambda: False
        self._growing: bool | None = None
        self._nodes: tuple[float, list[Object]] | None = None
        self._lock = threading.Lock()

    def follow(self, objects: list[Object]) -> None:
        """Begin the watches that these objects need."""
        for item in objects:
            api_version, kind, namespace, _name = object_key(item)
            if kind not in CHECKS:
                continue
            self.watches.start(api_version, kind, namespace)
            if kind in WORKLOADS:
                self.watches.start("v1", "Pod", namespace)
            if is_graph(item):
                self.watches.start(*DEPLOYMENT, namespace)
                self.watches.start("v1", "Pod", namespace)
            if kind == "Deployment" or is_graph(item):
                self.watches.start("apps/v1", "ReplicaSet", namespace)

    def wait(self, objects: list[Object], deadline: float) -> list[Object]:
        """Return each object's {api_version, kind, namespace, name, ready, seconds}; raise NotReady.

        deadline: time.monotonic() seconds. A failure ends the wait for that object only.
        """
        self.follow(objects)
        self.watches.synced(max(deadline, time.monotonic() + 10))
        run = _Run(self, objects, deadline)
        self.watches.wait(run.check, deadline, run.wake)
        return run.result()

    def judge(self, item: Object) -> State:
        """Return the present state of a manifest's object."""
        api_version, kind, namespace, name = object_key(item)
        if kind not in CHECKS:
            return State(True)
        live = self.watches.find(api_version, kind, namespace, name)
        if live is None:
            return State(False, "does not exist in the cluster")
        if kind == "PersistentVolumeClaim" and self._binds_late(live):
            return State(True)
        pods = self.watches.objects("v1", "Pod", namespace)
        sets = self.watches.objects("apps/v1", "ReplicaSet", namespace)
        words = self.said if self.fail_fast else None
        if not is_graph(live):
            return verdict(live, pods, sets, self.nodes, words)
        children = [{**one, "kind": DEPLOYMENT[1]} for one in self.watches.objects(*DEPLOYMENT, namespace)]
        return graph_state(live, children, pods, lambda child: verdict(child, pods, sets, self.nodes, words))

    def said(self, pod: Object, container: Object) -> t.Any:
        """Return what a crashed container said last, None as long as that is not known."""
        if self._crash_logs is None:
            # With all rules of diagnosis, which only a crash needs.
            from ..diagnose.logs import CrashLogs

            self._crash_logs = CrashLogs(self.cluster, self.watches.tell)
        return self._crash_logs.said(pod, container)

    def nodes(self) -> list[Object]:
        """Return the cluster's nodes, [] where they may not be read; at most 10 s old."""
        with self._lock:
            if self._nodes is None or time.monotonic() - self._nodes[0] > 10:
                try:
                    found = self.cluster.list("v1", "Node")
                except OrchestratorError:  # not allowed: the scheduler's own message is what is left
                    found = []
                self._nodes = (time.monotonic(), found)
            return self._nodes[1]

    def _binds_late(self, claim: Object) -> bool:
        """Return whether a claim is bound only when its first pod comes."""
        name = (claim.get("spec") or {}).get("storageClassName")
        if (claim.get("status") or {}).get("phase") != "Pending" or not name:
            return False
        try:
            found = self.cluster.get("storage.k8s.io/v1", "StorageClass", name)
        except OrchestratorError:
            return False
        return (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"

    def may_grow(self) -> bool:
        """Return whether the cluster may get nodes by itself, True where that is not known; asked once."""
        if self._growing is None:
            try:
                self._growing = self.cluster.resource("karpenter.sh/v1", "NodePool") is not None or bool(
                    self.cluster.get("v1", "ConfigMap", AUTOSCALER_STATUS, "kube-system")
                )
            except OrchestratorError:
                self._growing = True
        return self._growing

    def scaling(self, namespace: str) -> bool:
        """Return whether an autoscaler has begun to make room in the namespace."""
        try:
            events = self.cluster.list("v1", "Event", namespace)
        except OrchestratorError:
            return False
        return any(event.get("reason") in AUTOSCALER_REASONS for event in events)


class _Run:
    """One wait: what is ready since when, what looks stuck since when."""

    def __init__(self, readiness: Readiness, objects: list[Object], deadline: float) -> None:
        self.readiness, self.deadline = readiness, deadline
        self.begin = time.monotonic()
        self.open = {object_key(item): item for item in objects}
        self.order = list(self.open)
        self.done: dict[tuple, tuple[State, float]] = {}
        self.last: dict[tuple, State] = {}
        self.stuck: dict[tuple, float] = {}

    def check(self) -> bool | None:
        """Judge what is still open; True when nothing is. Raises Cancelled."""
        if self.readiness.cancelled():
            raise Cancelled
        now = time.monotonic()
        for key in list(self.open):
            state = self.last[key] = self.readiness.judge(self.open[key])
            if not state.failed:
                self.stuck.pop(key, None)
            if state.ready or (state.failed and self._gives_up(key, now)):
                self.done[key] = (state, now - self.begin)
                del self.open[key]
        return None if self.open else True

    def _gives_up(self, key: tuple, now: float) -> bool:
        if not self.readiness.fail_fast:
            return False
        since = self.stuck.setdefault(key, now)
        unplaceable = self.last[key].unplaced
        if self.last[key].certain and not (unplaceable and self.readiness.may_grow()):
            return True
        if now - since < self.readiness.grace and key[1] != "Job":
            return False
        if unplaceable and self.readiness.scaling(key[2]):
            self.stuck[key] = now
            return False
        return True

    def wake(self) -> float:
        """Return when to look again though nothing changes: at the end of a grace period."""
        return min([since + self.readiness.grace for since in self.stuck.values()], default=self.deadline)

    def result(self) -> list[Object]:
        """Return all objects' states; raise NotReady where one is not ready."""
        spent = time.monotonic() - self.begin
        objects, lines = [], []
        for key in self.order:
            state, seconds = self.done.get(key, (self.last.get(key, State(False, "was not seen")), spent))
            api_version, kind, namespace, name = key
            entry = {"api_version": api_version, "kind": kind, "namespace": namespace, "name": name}
            objects.append({**entry, "ready": state.ready, "seconds": round(seconds, 2)})
            if not state.ready:
                more = f"; {state.more}" if state.details else ""
                lines.append(f"{kind} {name}: {state.head} after {seconds:.0f} s{more}")
        if lines:
            raise NotReady(lines + self.readiness.watches.errors(), objects)
        return objects
