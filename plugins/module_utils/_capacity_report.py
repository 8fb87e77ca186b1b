# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The part of a plan that says what room it needs and what there is."""

from __future__ import annotations

import collections
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_amounts import Amounts, added, exact
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_fit import fit
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_quota import uses
from ansible_collections.llm_d.orchestrator.plugins.module_utils._capacity_workloads import growths
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel

Object = dict[str, t.Any]


def capacity_report(model: StackModel) -> Object:
    """Return what the plan's pods ask for and what the cluster has, {} where that is unknown.

    nodes: how many; requested: by all pods of the plan, by_component: of each; allocatable, free: of all nodes, before
    the plan (free only where pods may be listed, and only on nodes that take pods); pending: pods that stay Pending;
    quota: what the plan adds to each; unread: what may not be read. Amounts are Kubernetes quantities.
    """
    capacity = model.facts.capacity
    if capacity is None:
        return {}
    found = fit(model)
    parts: dict[str, Amounts] = collections.defaultdict(dict)
    for one in growths(model):
        parts[one.item.component] = added(parts[one.item.component], one.need.requests, one.wanted)
    requested: Amounts = {}
    for amounts in parts.values():
        requested = added(requested, amounts)
    allocatable: Amounts = {}
    free: Amounts = {}
    for node in found.before:
        allocatable = added(allocatable, node.allocatable)
        open_to_pods = node.ready and not node.cordoned
        free = added(free, {name: node.free(name) if open_to_pods else 0 for name in node.allocatable})
    names = {name for name in requested if requested[name]}
    return {
        "nodes": None if capacity.nodes is None else len(capacity.nodes),
        "requested": _written(requested, names),
        "free": {} if capacity.pods is None else _written(free, names),
        "allocatable": _written(allocatable, names),
        "by_component": {name: _written(amounts, names) for name, amounts in sorted(parts.items())},
        "pending": [
            {"workload": one.growth.title, "pods": one.pending, "of": one.growth.wanted, "why": one.reason.text}
            for one in found.stuck
        ],
        "quota": [
            {
                "name": use.name,
                "resource": use.resource,
                "hard": exact(use.resource, use.hard),
                "used": exact(use.resource, use.used),
                "added": exact(use.resource, use.added),
            }
            for use in uses(model)
        ],
        "unread": list(capacity.unread),
    }


def _written(amounts: Amounts, names: t.Collection[str]) -> dict[str, str]:
    return {name: exact(name, value) for name, value in sorted(amounts.items()) if name in names}
