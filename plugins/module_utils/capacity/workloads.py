# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The pods that a plan adds: each workload's pods as its replicas say, less those of it that run already."""

from __future__ import annotations

import collections
import dataclasses
import math
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..model.items import Item
from ..model.model import StackModel
from ..model.room import Capacity
from .nodes import ENDED, RunningPod, held
from .pods import PodNeed, need_of

_RELEASE = "meta.helm.sh/release-name"
_WORKER_INDEX = "leaderworkerset.sigs.k8s.io/worker-index"
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "LeaderWorkerSet")
# apps/v1 Deployment, strategy.rollingUpdate.
_DEFAULT_SHARE = "25%"
# What of a container a plan's and a live one are compared by, besides its environment.
_COMPARED = ("image", "command", "args")
# More pods than that are a mistake in the number, not a plan: counting stops there.
MOST = 100_000


@dataclasses.dataclass(frozen=True)
class Growth:
    """Pods of one template of a workload. wanted: how many there shall be; live: those that there are, not ended.

    kept: the live ones on a node that ask for the same as before, and so stay or are replaced by their like; rolls:
    the update replaces pods; scaler, most: the autoscaler in charge, and how many there may be of it.
    """

    item: Item
    path: tuple[str, ...]
    part: str
    need: PodNeed
    wanted: int
    live: tuple[RunningPod, ...] = ()
    kept: tuple[RunningPod, ...] = ()
    rolls: bool = False
    scaler: Item | None = None
    most: int = 0

    @property
    def title(self) -> str:
        return f"{self.item.title} {self.part}".rstrip()

    @property
    def missing(self) -> int:
        """How many pods still need a node."""
        return max(0, self.wanted - len(self.kept))

    @property
    def leaving(self) -> list[RunningPod]:
        """Live pods on nodes that are there no longer after the update."""
        kept = {id(pod) for pod in self.kept}
        return [pod for pod in self.live if pod.node and id(pod) not in kept]


def growths(model: StackModel) -> list[Growth]:
    """Return the pods of all workloads that the plan makes; [] where nothing is known of the cluster's room."""
    capacity = model.facts.capacity
    if capacity is None:
        return []
    if "growths" not in model.cache:
        live = _live_pods(capacity)
        found = [one for item in model.planned for one in _of_item(model, capacity, item, live)]
        model.cache["growths"] = found
    return model.cache["growths"]


Live = dict[tuple[str, str, str], list[RunningPod]]


def _live_pods(capacity: Capacity) -> Live:
    found: Live = collections.defaultdict(list)
    for body in capacity.own_pods:
        if mapping(body.get("status")).get("phase") not in ENDED:
            pod = held(body)
            found[(*pod.owner, pod.namespace)].append(pod)
    return found


def _of_item(model: StackModel, capacity: Capacity, item: Item, live: Live) -> t.Iterator[Growth]:
    scaler = scaler_of(model, item)
    mosts = {part: count for part, _path, _template, count in parts(model, item, scaler)} if scaler else {}
    for part, path, template, count in parts(model, item):
        pods = [pod for pod in live.get((item.kind, item.name, item.namespace), ()) if _is_part(pod, part)]
        if item.kind == "Pod":
            pods = [pod for pods in live.values() for pod in pods if (pod.name, pod.namespace) == _key(item)]
        if item.kind in _SCALED and number(item.spec.get("replicas")) is None:
            # An autoscaler's number stays as it is.
            count = max(count, len(pods))
        spec, labels = mapping(template.get("spec")), mapping(mapping(template.get("metadata")).get("labels"))
        limits = [body for body in capacity.limits if _namespace(body) == item.namespace]
        classes = [entry.body for entry in model.items("PriorityClass")]
        need = need_of(spec, labels, item.namespace, limits, classes, capacity.runtimes)
        same = [pod for pod in pods if pod.node and same_place(need, pod)]
        rolls = any(changed(spec, pod) for pod in pods) or len(same) < sum(bool(pod.node) for pod in pods)
        most = max(count, mosts.get(part, 0))
        yield Growth(item, path, part, need, count, tuple(pods), tuple(same[:count]), rolls, scaler, most)


def _key(item: Item) -> tuple[str, str]:
    return item.name, item.namespace


def _namespace(body: Object) -> str:
    return str(mapping(body.get("metadata")).get("namespace") or "")


def _is_part(pod: RunningPod, part: str) -> bool:
    leads = pod.labels.get(_WORKER_INDEX) == "0"
    return not part or leads == (part == "leaders")


Part = tuple[str, tuple[str, ...], Object, int]


def parts(model: StackModel, item: Item, scaler: Item | None = None) -> list[Part]:
    """Return a workload's templates: ('leaders', 'workers' or '', path, template, how many pods).

    scaler: an autoscaler, where as many pods are meant as it may make.
    """
    if item.kind == "Pod":
        return [("", (), item.body, 1)]
    if item.kind == "Job":
        most, done = number(item.spec.get("parallelism")), number(item.spec.get("completions"))
        count = min(1 if most is None else most, most or 1 if done is None else done)
        return [("", ("spec", "template"), mapping(item.spec.get("template")), _bounded(count))]
    if item.kind not in _SCALED:
        return []
    count = _most(scaler) if scaler else replicas(model, item)
    if item.kind != "LeaderWorkerSet":
        return [("", ("spec", "template"), mapping(item.spec.get("template")), count)]
    group = mapping(item.spec.get("leaderWorkerTemplate"))
    leader = "leaderTemplate" if mapping(group.get("leaderTemplate")).get("spec") else "workerTemplate"
    rows = [("leaders", leader, count), ("workers", "workerTemplate", count * ((number(group.get("size")) or 1) - 1))]
    found: list[Part] = [
        (part, ("spec", "leaderWorkerTemplate", key), mapping(group.get(key)), _bounded(many))
        for part, key, many in rows
        if many > 0
    ]
    return [("", *found[0][1:])] if len(found) == 1 else found


def _bounded(count: int) -> int:
    return max(0, min(count, MOST))


# Where an autoscaler says its bounds, with the API's defaults.
_LEAST = {"HorizontalPodAutoscaler": ("minReplicas", 1), "ScaledObject": ("minReplicaCount", 0)}
_MOST = {"HorizontalPodAutoscaler": ("maxReplicas", 1), "ScaledObject": ("maxReplicaCount", 100)}


def scaler_of(model: StackModel, item: Item) -> Item | None:
    """Return the autoscaler in charge of a workload's replicas, None where there is none."""
    for scaler in (one for kind in _LEAST for one in model.items(kind)):
        target = mapping(scaler.spec.get("scaleTargetRef"))
        kind = target.get("kind") or ("Deployment" if scaler.kind == "ScaledObject" else None)
        if (kind, target.get("name"), scaler.namespace) == (item.kind, item.name, item.namespace):
            return scaler
    return None


def _bound(scaler: Item, bounds: t.Mapping[str, tuple[str, int]]) -> int:
    key, default = bounds[scaler.kind]
    found = number(scaler.spec.get(key))
    return default if found is None else found


def _most(scaler: Item) -> int:
    return _bounded(_bound(scaler, _MOST))


def replicas(model: StackModel, item: Item) -> int:
    """Return how many replicas a workload starts with: an autoscaler's least where one is in charge."""
    said, scaler = number(item.spec.get("replicas")), scaler_of(model, item)
    if scaler:
        return _bounded(max(_bound(scaler, _LEAST), said or 0))
    return _bounded(1 if said is None else said)


def same_place(need: PodNeed, pod: RunningPod) -> bool:
    """Return whether a live pod asks for what the plan's asks for, and may run where that may."""
    spec = mapping(pod.body.get("spec"))
    requests = {name: value for name, value in pod.requests.items() if value}
    wanted = {name: value for name, value in need.requests.items() if value}
    affinity, own = spec.get("affinity") or {}, need.spec.get("affinity") or {}
    return requests == wanted and mapping(spec.get("nodeSelector")) == need.selector and affinity == own


def changed(spec: Object, pod: RunningPod) -> bool:
    """Return whether the plan's containers differ from a live pod's: an update then replaces the pod."""
    live = mapping(pod.body.get("spec"))
    for key in ("containers", "initContainers"):
        by_name = {str(body.get("name")): body for body in dicts(live.get(key))}
        for body in dicts(spec.get(key)):
            other = by_name.get(str(body.get("name")))
            if other is None or any((body.get(name) or None) != (other.get(name) or None) for name in _COMPARED):
                return True
            if any(entry not in dicts(other.get("env")) and "value" in entry for entry in dicts(body.get("env"))):
                return True
    return False


def leaving(model: StackModel) -> list[RunningPod]:
    """Return pods on nodes that the update ends: surplus ones, and those of workloads that a release drops."""
    capacity = model.facts.capacity
    gone = [pod for one in growths(model) for pod in one.leaving]
    if capacity is None:
        return gone
    releases = {(item.release, item.namespace) for item in model.planned if item.release}
    planned = {(item.kind, item.name, item.namespace) for item in model.planned}
    dropped = {
        key for body in capacity.workloads if (key := _workload(body)) not in planned and _release(body) in releases
    }
    return gone + [pod for key, pods in _live_pods(capacity).items() if key in dropped for pod in pods]


def _workload(body: Object) -> tuple[str, str, str]:
    return str(body.get("kind")), str(mapping(body.get("metadata")).get("name")), _namespace(body)


def _release(body: Object) -> tuple[str, str]:
    annotations = mapping(mapping(body.get("metadata")).get("annotations"))
    return str(annotations.get(_RELEASE) or ""), _namespace(body)


def surge(one: Growth) -> tuple[int, int]:
    """Return how many pods a rolling update starts before it ends one, and how many may be missing meanwhile."""
    strategy = mapping(one.item.spec.get("strategy"))
    if one.item.kind != "Deployment" or strategy.get("type") == "Recreate":
        return 0, 1
    rolling = mapping(strategy.get("rollingUpdate"))
    more = share(rolling.get("maxSurge"), one.wanted, math.ceil)
    fewer = share(rolling.get("maxUnavailable"), one.wanted, math.floor)
    # The API server makes it 1 where both come to 0.
    return more, fewer if more or fewer else 1


def share(value: t.Any, count: int, rounded: t.Callable[[float], int]) -> int:
    """Return how many of a number of pods a field such as maxSurge means: itself, or per cent of them."""
    text = str(_DEFAULT_SHARE if value is None else value)
    part = number(text.removesuffix("%")) or 0
    return rounded(part * count / 100) if text.endswith("%") else part
