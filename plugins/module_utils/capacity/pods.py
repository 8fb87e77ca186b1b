# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a pod asks of its node: effective requests and limits, after the defaults that the cluster gives.

Sources: Kubernetes, "Init Containers" (resource sharing), "Sidecar Containers", "Pod Overhead", "Limit Ranges".
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping, number
from ..base.quantities import MILLI, Amounts, added, amounts, larger

# Kubernetes, PriorityClass: what every cluster has.
GIVEN_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_POD_LEVEL = ("cpu", "memory")


@dataclasses.dataclass(frozen=True)
class Container:
    """One container after defaults. init: it ends before the others start; a sidecar is none."""

    name: str
    requests: Amounts
    limits: Amounts
    init: bool = False
    sidecar: bool = False
    key: str = "containers"
    index: int = 0


@dataclasses.dataclass(frozen=True)
class PodNeed:
    """One pod: what it asks for, and where it may run. requests counts the pod itself, as 'pods'."""

    namespace: str
    spec: Object
    labels: Object
    containers: tuple[Container, ...]
    requests: Amounts
    limits: Amounts
    selector: Object
    tolerations: tuple[Object, ...]
    priority: int = 0
    priority_class: str = ""
    preempts: bool = True

    @property
    def wanted(self) -> Amounts:
        """The requests that are said, without the pod itself."""
        return {name: value for name, value in self.requests.items() if value > 0 and name != "pods"}


def containers_of(spec: Object, limit_ranges: t.Iterable[Object] = ()) -> tuple[Container, ...]:
    """Return a pod's containers; limit_ranges: the namespace's, which give defaults."""
    limits_of = [item for body in limit_ranges for item in dicts(mapping(body.get("spec")).get("limits"))]
    defaults = [item for item in limits_of if item.get("type") == "Container"]
    found = []
    for key in ("containers", "initContainers"):
        for index, body in enumerate(dicts(spec.get(key))):
            requests, limits = _with_defaults(mapping(body.get("resources")), defaults)
            sidecar = key == "initContainers" and body.get("restartPolicy") == "Always"
            init = key == "initContainers" and not sidecar
            found.append(Container(str(body.get("name") or ""), requests, limits, init, sidecar, key, index))
    return tuple(found)


def _with_defaults(resources: Object, defaults: list[Object]) -> tuple[Amounts, Amounts]:
    """Return requests and limits: the API copies a limit to a request that is not said, then LimitRanges fill in."""
    limits = amounts(resources.get("limits"))
    requests = {**limits, **amounts(resources.get("requests"))}
    for item in defaults:
        limits = {**amounts(item.get("default")), **limits}
        requests = {**amounts(item.get("defaultRequest")), **requests}
    return requests, limits


def total(containers: t.Sequence[Container], field: str, overhead: Amounts, pod_level: Amounts) -> Amounts:
    """Return what a pod holds: containers and sidecars at once, or one init container with the sidecars before it."""
    running: Amounts = {}
    for container in containers:
        if container.key == "containers":
            running = added(running, getattr(container, field))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in containers:
        if container.sidecar:
            sidecars = added(sidecars, getattr(container, field))
            peak = larger(peak, sidecars)
        elif container.init:
            peak = larger(peak, added(sidecars, getattr(container, field)))
    whole = {**larger(added(running, sidecars), peak), **pod_level}
    return added(whole, {name: value for name, value in overhead.items() if field == "requests" or name in whole})


def pod_amounts(spec: Object, containers: t.Sequence[Container]) -> tuple[Amounts, Amounts]:
    """Return a pod's requests and limits; its overhead is part of both where a limit is set."""
    overhead, own = amounts(spec.get("overhead")), mapping(spec.get("resources"))
    limits = {name: value for name, value in amounts(own.get("limits")).items() if _pod_level(name)}
    requests = {name: value for name, value in amounts(own.get("requests")).items() if _pod_level(name)}
    # A pod's own limit becomes its request only where no container asks for the resource.
    asked = {name for container in containers for name in container.requests}
    requests = {**{name: value for name, value in limits.items() if name not in asked}, **requests}
    return total(containers, "requests", overhead, requests), total(containers, "limits", overhead, limits)


def _pod_level(name: str) -> bool:
    return name in _POD_LEVEL or name.startswith("hugepages-")


def need_of(
    spec: Object,
    labels: Object,
    namespace: str,
    limit_ranges: t.Iterable[Object] = (),
    priorities: t.Iterable[Object] = (),
    runtimes: t.Iterable[Object] = (),
) -> PodNeed:
    """Return what a pod asks for. priorities, runtimes: the cluster's PriorityClasses and RuntimeClasses."""
    runtime = _named(runtimes, spec.get("runtimeClassName"))
    scheduling = mapping(runtime.get("scheduling"))
    spec = {"overhead": mapping(runtime.get("overhead")).get("podFixed"), **spec}
    containers = containers_of(spec, limit_ranges)
    requests, limits = pod_amounts(spec, containers)
    priority = _priority(spec, list(priorities))
    return PodNeed(
        namespace=namespace,
        spec=spec,
        labels=labels,
        containers=containers,
        requests={**requests, "pods": MILLI},
        limits=limits,
        selector={**mapping(scheduling.get("nodeSelector")), **mapping(spec.get("nodeSelector"))},
        tolerations=(*dicts(spec.get("tolerations")), *dicts(scheduling.get("tolerations"))),
        priority=number(priority.get("value")) or 0,
        priority_class=str(mapping(priority.get("metadata")).get("name") or ""),
        preempts=(spec.get("preemptionPolicy") or priority.get("preemptionPolicy")) != "Never",
    )


def _named(bodies: t.Iterable[Object], name: t.Any) -> Object:
    return next((body for body in bodies if name and mapping(body.get("metadata")).get("name") == name), {})


def _priority(spec: Object, classes: list[Object]) -> Object:
    """Return the PriorityClass that a pod gets, {} where it gets none."""
    name = spec.get("priorityClassName")
    if not name:
        return next((body for body in classes if body.get("globalDefault") is True), {})
    if isinstance(name, str) and name in GIVEN_PRIORITIES:
        return {"metadata": {"name": name}, "value": GIVEN_PRIORITIES[name]}
    return _named(classes, name) or {"metadata": {"name": str(name)}}
