# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules, and the one way to run them over a stack."""

from __future__ import annotations

import typing as t

from ..base.findings import ERROR, Finding
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
    refused,
    routes_to_gateways,
    routes_to_pools,
    versions,
)
from .agree import artifacts, claims, handover, listeners, probes, storage
from .base import Rule, joined, ruled

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Pools": pools.RULES,
    "Endpoint pickers": pickers.RULES,
    "Listeners": listeners.RULES,
    "Routes to Gateways": routes_to_gateways.RULES,
    "Routes to pools": routes_to_pools.RULES,
    "Names": names.RULES,
    "Gateway providers": provider.RULES,
    "Versions": versions.RULES,
    "The API server": refused.RULES,
    "Artifacts of models": artifacts.RULES,
    "Model servers": model_servers.RULES,
    "Prefill and decode": handover.RULES,
    "Pods of models": (*pods.RULES, *probes.RULES),
    "KV-cache events": events.RULES,
    "References": references.RULES,
    "Claims for devices": claims.RULES,
    "Volumes and secrets": storage.RULES,
    "Platform": platform.RULES,
    "Kinds": kinds.RULES,
    "Room on nodes": capacity.RULES,
    "Quotas and limits": quota.RULES,
    "Permissions": permissions.RULES,
}

# Earlier rules explain a cause better: of several findings with one cause the first one stays.
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)


def check(model: StackModel, rules: t.Iterable[Rule] = RULES) -> list[Finding]:
    """Return every mistake in a stack once, in the order of the rules.

    Findings of one key are one, and so are those of one rule about the same line of a values file.
    """
    ordered = list(rules)
    found: dict[tuple, tuple[Rule, Finding] | None] = {}
    # Of an error and a warning of one key the error stays.
    for rule in sorted(ordered, key=lambda rule: rule.severity != ERROR):
        for one in rule.check(model):
            _note(found, rule, one)
    places = {rule.id: place for place, rule in enumerate(ordered)}
    findings = [ruled(*entry) for entry in found.values() if entry]
    return sorted(_unsaid(_by_line(findings)), key=lambda item: places[item.rule])


def _unsaid(findings: list[Finding]) -> list[Finding]:
    """Return findings without those of the API server about a field of which a rule says more."""
    asked = {rule.id for rule in refused.RULES}
    said = {spot for item in findings if item.rule not in asked for spot in item.spots}
    return [item for item in findings if item.rule not in asked or not item.spots & said]


def _note(found: dict[tuple, tuple[Rule, Finding] | None], rule: Rule, one: Finding) -> None:
    """Keep a finding, or let the one of the same key name its places too."""
    key = one.key or (rule.id, *one.objects)
    if key not in found:
        found[key] = (rule, one)
        found.update({other: found.get(other) for other in one.explains})
        return
    entry = found[key]
    if entry and entry[0] is rule:
        found[key] = (rule, joined(entry[1], one))


def _by_line(findings: list[Finding]) -> list[Finding]:
    kept: dict[tuple, Finding] = {}
    for item in findings:
        line = (item.rule, item.mark, item.path, () if item.mark.line else (item.objects, item.key))
        kept.setdefault(line, item)
    return list(kept.values())
