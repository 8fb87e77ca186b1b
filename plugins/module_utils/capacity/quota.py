# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""ResourceQuotas against what a plan adds: pods' requests and limits, claims' storage, and counts of objects.

Source: Kubernetes, "Resource Quotas"; pkg/quota/v1/evaluator/core. What controllers make of objects is counted for
Deployments (a ReplicaSet) and LeaderWorkerSets (StatefulSets, a Service); what a Gateway's controller makes is not.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..base.data import Object, dicts, mapping
from ..base.quantities import MILLI, Amounts, added, amount, amounts
from ..model.items import Item
from ..model.model import StackModel
from ..model.room import Capacity
from .nodes import expression_holds
from .place import terms
from .pods import PodNeed, need_of
from .workloads import Growth, growths, surge

PLAIN = ("cpu", "memory", "ephemeral-storage")
# Kinds that a quota also counts without 'count/'.
SHORT = ("services", "secrets", "configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas")
_CLASS = ".storageclass.storage.k8s.io/"


def pod_usage(need: PodNeed) -> Amounts:
    """Return what a pod uses of a quota's resources."""
    found: Amounts = {"pods": MILLI, "count/pods": MILLI}
    for name, value in need.requests.items():
        if name != "pods":
            found[f"requests.{name}"] = value
            found.update({name: value} if name in PLAIN or name.startswith("hugepages-") else {})
    found.update({f"limits.{name}": value for name, value in need.limits.items()})
    return found


def in_scope(quota: Object, need: PodNeed) -> bool:
    """Return whether a quota's scopes take in a pod."""
    spec = mapping(quota.get("spec"))
    scopes = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or []]
    scopes += dicts(mapping(spec.get("scopeSelector")).get("matchExpressions"))
    return all(_scope_holds(scope, need) for scope in scopes)


def _scope_holds(scope: Object, need: PodNeed) -> bool:
    name = scope.get("scopeName")
    if name == "PriorityClass":
        labels = {"class": need.priority_class} if need.priority_class else {}
        return expression_holds(labels, {**scope, "key": "class"})
    if name in ("Terminating", "NotTerminating"):
        return (need.spec.get("activeDeadlineSeconds") is not None) == (name == "Terminating")
    if name in ("BestEffort", "NotBestEffort"):
        return is_best_effort(need) == (name == "BestEffort")
    if name == "CrossNamespacePodAffinity":
        both = terms(need, "podAffinity") + terms(need, "podAntiAffinity")
        return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in both)
    return False


def is_best_effort(need: PodNeed) -> bool:
    """Return whether no container asks for or limits CPU or memory."""
    return not any(
        resources.get(name)
        for container in need.containers
        for resources in (container.requests, container.limits)
        for name in ("cpu", "memory")
    )


def plural(kind: str) -> str:
    """Return a kind as the API's path has it (apimachinery, meta.UnsafeGuessKindToResource)."""
    low = kind.lower()
    if low.endswith(("s", "x", "ch", "sh")):
        return low + "es"
    return low[:-1] + "ies" if low.endswith("y") and low[-2:-1] not in "aeiou" else low + "s"


def counted_as(kind: str, group: str) -> tuple[str, ...]:
    """Return the resources of a quota that count objects of a kind."""
    name = f"{plural(kind)}.{group}" if group else plural(kind)
    return (f"count/{name}", *((name,) if name in SHORT and not group else ()))


@dataclasses.dataclass
class Use:
    """A quota's resource: hard and used as the cluster says, added by the plan, and by which objects."""

    quota: Object
    resource: str
    hard: int
    used: int
    added: int
    by: list[tuple[Item, int]]

    @property
    def name(self) -> str:
        metadata = mapping(self.quota.get("metadata"))
        return f"{metadata.get('namespace')}/{metadata.get('name')}"

    @property
    def exceeded(self) -> bool:
        return self.added > 0 and self.used + self.added > self.hard


def uses(model: StackModel) -> list[Use]:
    """Return each resource of each quota in the plan's namespaces, with what the plan adds to it."""
    capacity = model.facts.capacity
    if capacity is None:
        return []
    if "uses" not in model.cache:
        model.cache["uses"] = [use for quota in capacity.quotas for use in _of_quota(model, capacity, quota)]
    return model.cache["uses"]


def _of_quota(model: StackModel, capacity: Capacity, quota: Object) -> t.Iterator[Use]:
    spec, status = mapping(quota.get("spec")), mapping(quota.get("status"))
    namespace = str(mapping(quota.get("metadata")).get("namespace"))
    hard = amounts(spec.get("hard"))
    by: dict[str, list[tuple[Item, int]]] = collections.defaultdict(list)
    for one in growths(model):
        if one.item.namespace == namespace:
            for name, value in growth(quota, one).items():
                by[name].append((one.item, value))
    if not spec.get("scopes") and not spec.get("scopeSelector"):
        for item, usage in new_objects(model, capacity, namespace):
            for name, value in usage.items():
                by[name].append((item, value))
    for name, limit in hard.items():
        entries = [entry for entry in by[name] if entry[1]]
        yield Use(
            quota, name, limit, amount(mapping(status.get("used")).get(name)), sum(v for _i, v in entries), entries
        )


def growth(quota: Object, one: Growth) -> Amounts:
    """Return what a workload's pods add to a quota: all that it shall have, less what its live pods use already."""
    total: Amounts = added({}, pod_usage(one.need), one.wanted) if in_scope(quota, one.need) else {}
    for pod in one.live:
        need = need_of(mapping(pod.body.get("spec")), pod.labels, pod.namespace)
        need = dataclasses.replace(need, priority_class=str(need.spec.get("priorityClassName") or ""))
        if in_scope(quota, need):
            total = added(total, pod_usage(need), -1)
    return total


def new_objects(model: StackModel, capacity: Capacity, namespace: str) -> t.Iterator[tuple[Item, Amounts]]:
    """Return the plan's new objects of a namespace with what they use of a quota: counts, and claims' storage."""
    releases: set[str] = set()
    for item in model.planned + model.live:
        if item.namespace != namespace or (item.live and not is_made(item)):
            continue
        # Where a kind was not listed, nothing of it is known to be new.
        names = capacity.present.get((item.kind, item.group, item.namespace))
        if names is not None and item.name not in names:
            yield item, object_usage(item)
        secrets = capacity.present.get(("Secret", "", namespace))
        if item.release and item.release not in releases and secrets is not None:
            releases.add(item.release)
            if not any(name.startswith(f"sh.helm.release.v1.{item.release}.v") for name in secrets):
                yield item, dict.fromkeys(counted_as("Secret", ""), MILLI)


def is_made(item: Item) -> bool:
    """Return whether an object among the live ones is one that is made before the releases: it has no uid yet."""
    return item.kind in ("Secret", "PersistentVolumeClaim") and not mapping(item.body.get("metadata")).get("uid")


def object_usage(item: Item) -> Amounts:
    """Return what a new object uses of a quota, with what its controller makes of it."""
    found = dict.fromkeys(counted_as(item.kind, item.group), MILLI)
    if item.kind == "Service" and not item.group:
        kind, ports = item.spec.get("type"), dicts(item.spec.get("ports"))
        nodeports = kind == "NodePort" or (
            kind == "LoadBalancer" and item.spec.get("allocateLoadBalancerNodePorts", True)
        )
        found.update({"services.loadbalancers": MILLI} if kind == "LoadBalancer" else {})
        found.update({"services.nodeports": MILLI * len(ports)} if nodeports else {})
    elif item.kind == "PersistentVolumeClaim":
        size = amount(mapping(mapping(item.spec.get("resources")).get("requests")).get("storage"))
        name = item.spec.get("storageClassName")
        found["requests.storage"] = size
        found.update(
            {f"{name}{_CLASS}requests.storage": size, f"{name}{_CLASS}persistentvolumeclaims": MILLI} if name else {}
        )
    elif item.kind == "Deployment":
        found["count/replicasets.apps"] = MILLI
    elif item.kind == "LeaderWorkerSet":
        groups = amount(item.spec.get("replicas", 1))
        found.update({"count/statefulsets.apps": MILLI + groups, "services": MILLI, "count/services": MILLI})
    return found


def surging(model: StackModel) -> t.Iterator[tuple[Growth, Use]]:
    """Return rolling updates that may miss no pod and have no room in a quota for the one that they start first."""
    for one in growths(model):
        running = [pod for pod in one.live if pod.node]
        _more, fewer = surge(one)
        if not running or fewer or not one.rolls:
            continue
        for use in uses(model):
            same = mapping(use.quota.get("metadata")).get("namespace") == one.item.namespace
            wanted = pod_usage(one.need).get(use.resource, 0) if same and in_scope(use.quota, one.need) else 0
            if wanted and not use.exceeded and use.used + max(0, use.added) + wanted > use.hard:
                yield one, use
