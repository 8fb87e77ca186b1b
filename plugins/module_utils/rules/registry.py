# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules, and the one way to run them over a stack."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.findings import ERROR
from ..model.model import StackModel
from . import (
    capacity,
    events,
    kinds,
    model_servers,
    names,
    permissions,
    pickers,
    platform,
    pods,
    pools,
    provider,
    quota,
    references,
    routes_to_gateways,
    routes_to_pools,
    versions,
)
from .base import Hit, Rule, StackFinding, finding

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Pools": pools.RULES,
    "Endpoint pickers": pickers.RULES,
    "Routes to Gateways": routes_to_gateways.RULES,
    "Routes to pools": routes_to_pools.RULES,
    "Names": names.RULES,
    "Gateway providers": provider.RULES,
    "Versions": versions.RULES,
    "Model servers": model_servers.RULES,
    "Pods of models": pods.RULES,
    "KV-cache events": events.RULES,
    "References": references.RULES,
    "Platform": platform.RULES,
    "Kinds": kinds.RULES,
    "Room on nodes": capacity.RULES,
    "Quotas and limits": quota.RULES,
    "Permissions": permissions.RULES,
}


# Earlier rules explain a cause better: of several findings with one cause the first one stays.
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)


def check(model: StackModel, rules: t.Iterable[Rule] = RULES) -> list[StackFinding]:
    """Return every mistake in a stack once, in the order of the rules.

    Hits of one cause are one finding, and so are those of one rule about the same line of a values file.
    """
    ordered = list(rules)
    found: dict[tuple, tuple[Rule, Hit] | None] = {}
    # Of an error and a warning of one cause the error stays.
    for rule in sorted(ordered, key=lambda rule: rule.severity != ERROR):
        for hit in rule.check(model):
            _note(found, rule, hit)
    places = {rule.id: place for place, rule in enumerate(ordered)}
    findings = [finding(*entry) for entry in found.values() if entry]
    return sorted(_by_line(findings), key=lambda item: places[item.rule])


def _note(found: dict[tuple, tuple[Rule, Hit] | None], rule: Rule, hit: Hit) -> None:
    """Keep a hit, or let the one of the same cause name its places too."""
    cause = hit.cause or (rule.id, hit.text, *(side.item.title for side in hit.sides))
    if cause not in found:
        found[cause] = (rule, hit)
        found.update({other: found.get(other) for other in hit.explains})
        return
    entry = found[cause]
    if entry and entry[0] is rule:
        known = {side.text() for side in entry[1].sides}
        more = tuple(side for side in hit.sides if side.text() not in known)
        found[cause] = (rule, dataclasses.replace(entry[1], sides=entry[1].sides + more))


def _by_line(findings: list[StackFinding]) -> list[StackFinding]:
    kept: dict[tuple, StackFinding] = {}
    for item in findings:
        line = (item.rule, item.mark.file, item.mark.line, item.path) if item.mark.line else (item.rule, item.message)
        kept.setdefault(line, item)
    return list(kept.values())
