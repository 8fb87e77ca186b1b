# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules, and the one way to run them over a stack."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils import (
    _rules_access,
    _rules_capacity,
    _rules_events,
    _rules_images,
    _rules_kinds,
    _rules_model,
    _rules_names,
    _rules_picker,
    _rules_platform,
    _rules_pods,
    _rules_pool,
    _rules_provider,
    _rules_quota,
    _rules_references,
    _rules_routing,
    _rules_versions,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import (
    ERROR,
    Hit,
    Rule,
    StackFinding,
    finding,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Pools": _rules_pool.RULES,
    "Endpoint pickers": _rules_picker.RULES,
    "Routes": _rules_routing.RULES,
    "Names": _rules_names.RULES,
    "Gateway providers": _rules_provider.RULES,
    "Versions": _rules_versions.RULES,
    "Pods as written": _rules_images.RULES,
    "Model servers": _rules_model.RULES,
    "Pods of models": _rules_pods.RULES,
    "KV-cache events": _rules_events.RULES,
    "References": _rules_references.RULES,
    "Platform": _rules_platform.RULES,
    "Kinds": _rules_kinds.RULES,
    "Room on nodes": _rules_capacity.RULES,
    "Quotas and limits": _rules_quota.RULES,
    "Permissions": _rules_access.RULES,
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


def by_id(rule_id: str) -> Rule:
    """Return a rule; raise KeyError for an id that there is not."""
    return {rule.id: rule for rule in RULES}[rule_id]
