# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about a namespace's ResourceQuotas: they suffice for all that the plan adds.

What one object or pod may be like (LimitRanges, what a quota makes it specify) the API server is asked itself.
"""

from __future__ import annotations

import collections
import typing as t

from ..base.findings import ERROR, WARNING, Finding
from ..base.quantities import shown
from ..capacity.quota import Use, surging, uses
from ..model.items import Item
from ..model.model import StackModel
from .base import Check, Rule, Side, finding
from .capacity import chart_fact


def quotas(model: StackModel) -> t.Iterator[Finding]:
    """One finding for each quota, with all resources that do not suffice."""
    found: dict[str, list[Use]] = collections.defaultdict(list)
    for use in uses(model):
        if use.exceeded:
            found[use.name].append(use)
    for name, exceeded in found.items():
        items = {entry.title: entry for use in exceeded for entry, value in use.by if value > 0}
        text = f"ResourceQuota {name} would be exceeded: " + "; ".join(map(_use, _distinct(exceeded)))
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
        "Quotas allow what the plan adds",
        quotas,
        "What the plan adds to a namespace fits into its ResourceQuotas. Running pods count once.",
        f"{_REFUSED} exceeded quota.",
        "raise the quota, remove what is not used, or request less (replicas, requests, limits)",
        "Kubernetes, Resource Quotas",
    ),
    _rule(
        24,
        "Quotas leave room for an update",
        surges,
        "A rolling update that may miss no pod has room in the quota for one more pod than before.",
        "The new pod is refused, the old ones keep serving, and the update never finishes.",
        "let the update end a pod first (strategy Recreate, or maxUnavailable 1), or raise the quota",
        "Kubernetes, Resource Quotas; Deployments, Rolling Update",
        WARNING,
    ),
)
