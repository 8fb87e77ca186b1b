# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about a namespace's ResourceQuotas and LimitRanges: the API server accepts all that the plan adds."""

from __future__ import annotations

import collections
import typing as t

from ..base.data import Object, mapping
from ..base.findings import ERROR, WARNING, Finding
from ..base.quantities import shown
from ..capacity.quota import Use, breaches, claim_breaches, surging, unsaid, uses
from ..capacity.workloads import growths
from ..model.items import Item
from ..model.model import StackModel
from .base import Check, Rule, Side, finding
from .capacity import chart_fact, container_path, pod_side


def _of(objects: t.Sequence[Object], namespace: str) -> list[Object]:
    return [body for body in objects if mapping(body.get("metadata")).get("namespace") == namespace]


def _name(body: Object) -> str:
    return (
        f"{body.get('kind')} {mapping(body.get('metadata')).get('namespace')}/{mapping(body['metadata']).get('name')}"
    )


def quotas(model: StackModel) -> t.Iterator[Finding]:
    """One finding for each quota, with all resources that do not suffice."""
    found: dict[str, list[Use]] = collections.defaultdict(list)
    for use in uses(model):
        if use.exceeded:
            found[use.name].append(use)
    for name, exceeded in found.items():
        items = {entry.title: entry for use in exceeded for entry, value in use.by if value > 0}
        text = f"ResourceQuota {name} does not suffice: " + "; ".join(map(_use, _distinct(exceeded)))
        yield finding(text, tuple(Side(item, (), chart_fact(item)) for item in items.values()), ("quota", name))


def _distinct(found: list[Use]) -> list[Use]:
    """Return the uses without those that count the same objects by another name (pods, count/pods)."""
    names = {use.resource for use in found}
    return [use for use in found if use.resource.removeprefix("count/") not in names - {use.resource}]


def _use(use: Use) -> str:
    amounts: dict[str, int] = collections.defaultdict(int)
    for item, value in use.by:
        amounts[item.name] += value
    largest = sorted(amounts.items(), key=lambda entry: -entry[1])[:3]
    by = ", ".join(f"{name} {shown(use.resource, value)}" for name, value in largest if value > 0)
    hard, used, more = (shown(use.resource, value) for value in (use.hard, use.used, use.added))
    return f"{use.resource} {hard}, of which {used} are used and the plan adds {more} ({by})"


def unspecified(model: StackModel) -> t.Iterator[Finding]:
    """Pods that a quota on CPU or memory cannot count are refused, unless a LimitRange gives defaults."""
    capacity = model.facts.capacity
    for one in growths(model) if capacity else []:
        for quota in _of(capacity.quotas if capacity else (), one.item.namespace):
            missing = unsaid(quota, one.need) if one.wanted else {}
            if missing:
                said = "; ".join(f"{', '.join(names)} for container {name}" for name, names in missing.items())
                text = f"{_name(quota)} makes pods of {one.title} specify {said}"
                index = [c for c in one.need.containers if c.name in missing][0]
                side = pod_side(one, index.key, index.index, "resources")
                yield finding(text, (side,), ("unspecified", one.title))


def limits(model: StackModel) -> t.Iterator[Finding]:
    """Pods and claims within the LimitRanges of their namespace."""
    capacity = model.facts.capacity
    if capacity is None:
        return
    for one in growths(model):
        for body in _of(capacity.limits, one.item.namespace) if one.wanted else []:
            for breach in breaches(body, one.need):
                path = (*breach.container, "resources") if breach.container else container_path(one)
                text = f"{_name(body)} refuses pods of {one.title}: {breach.text}"
                yield finding(text, (pod_side(one, *path),), ("limits", one.title, breach.text))
    for item in model.items("PersistentVolumeClaim", planned_only=True):
        for body in _of(capacity.limits, item.namespace):
            for text in claim_breaches(body, mapping(item.spec.get("resources")).get("requests")):
                side = Side(item, ("spec", "resources", "requests"))
                yield finding(f"{_name(body)} refuses {item.title}: it {text}", (side,), ("limits", item.title, text))


def devices(model: StackModel) -> t.Iterator[Finding]:
    """Extended resources cannot be overcommitted: the API server wants a limit that equals the request."""
    for one in growths(model):
        for body in one.need.containers if one.wanted else ():
            for name, asked in body.requests.items():
                limit = body.limits.get(name)
                if "/" in name and not name.startswith("kubernetes.io/") and limit != asked:
                    has = "no limit" if limit is None else f"a limit of {shown(name, limit)}"
                    text = f"container {body.name} of {one.title} requests {shown(name, asked)} {name} with {has}"
                    side = pod_side(one, body.key, body.index, "resources", "limits")
                    yield finding(text, (side,), ("devices", one.item.title, body.name, name))


def surges(model: StackModel) -> t.Iterator[Finding]:
    for one, use in surging(model):
        text = f"the update of {one.title} starts a new pod before it ends an old one, for which ResourceQuota "
        text += f"{use.name} has no room: {use.resource} {shown(use.resource, use.hard)}, of which "
        text += f"{shown(use.resource, use.used)} are used"
        yield finding(text, (_strategy(one.item),), ("surge", one.item.title))


def _strategy(item: Item) -> Side:
    return Side(item, ("spec", "strategy"), chart_fact(item), ("strategy",))


def _rule(
    number: int, title: str, check: Check, meaning: str, failure: str, remedy: str, source: str, severity: str = ERROR
) -> Rule:
    return Rule(f"LLMD7{number:02d}", title, severity, check, meaning, failure, remedy, source)


_REFUSED = "The API server refuses the pods; only the ReplicaSet's or StatefulSet's events say why."

RULES = (
    _rule(
        21,
        "Quotas suffice for what the plan adds",
        quotas,
        "What the plan adds to a namespace fits into what its ResourceQuotas leave. What runs already counts once.",
        f"{_REFUSED} exceeded quota.",
        "have the quota raised, remove what is not used, or ask for less (replicas, requests, limits)",
        "Kubernetes, Resource Quotas",
    ),
    _rule(
        22,
        "Pods specify what quotas count",
        unspecified,
        "Where a ResourceQuota limits CPU or memory, each container says how much it requests or limits.",
        f"{_REFUSED} failed quota: must specify limits.cpu.",
        "set these in the containers' resources, or have a LimitRange give defaults",
        "Kubernetes, Resource Quotas, Requests compared to Limits",
    ),
    _rule(
        23,
        "Pods and claims keep to the namespace's limits",
        limits,
        "Requests and limits are within the minimum, maximum and ratio of the namespace's LimitRanges.",
        f"{_REFUSED} maximum memory usage per Container is ...",
        "change the resources, or have the LimitRange changed",
        "Kubernetes, Limit Ranges",
    ),
    _rule(
        25,
        "Devices have a limit that equals the request",
        devices,
        "For extended resources (nvidia.com/gpu, rdma/ib ...) a container's limit is set and equals its request.",
        "The API server refuses the workload or its pods: Limit must be set for non overcommitable resources.",
        "set the same number under limits (a request alone is not enough)",
        "Kubernetes, Extended Resources, Consuming extended resources",
    ),
    _rule(
        24,
        "Quotas leave room for an update",
        surges,
        "A rolling update that may miss no pod has room in the quota for one more pod than before.",
        "The new pod is refused, the old ones serve on, and the update never ends.",
        "let the update end a pod first (strategy Recreate, or maxUnavailable 1), or have the quota raised",
        "Kubernetes, Resource Quotas; Deployments, Rolling Update",
        WARNING,
    ),
)
