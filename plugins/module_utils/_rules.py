# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules, and the one way to run them over a stack."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils import (
    _rules_events,
    _rules_kinds,
    _rules_model,
    _rules_names,
    _rules_picker,
    _rules_pool,
    _rules_provider,
    _rules_references,
    _rules_routing,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import ERROR, Rule, StackFinding, finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Pools": _rules_pool.RULES,
    "Endpoint pickers": _rules_picker.RULES,
    "Routes": _rules_routing.RULES,
    "Names": _rules_names.RULES,
    "Gateway providers": _rules_provider.RULES,
    "Model servers": _rules_model.RULES,
    "KV-cache events": _rules_events.RULES,
    "References": _rules_references.RULES,
    "Kinds": _rules_kinds.RULES,
}
# Earlier rules explain a cause better: of several findings with one cause the first one stays.
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)


def check(model: StackModel, rules: t.Iterable[Rule] = RULES) -> list[StackFinding]:
    """Return every mistake in a stack once, in the order of the rules.

    Findings of one cause are one, and so are those of one rule about the same line of a values file.
    """
    found: dict[tuple, StackFinding | None] = {}
    ordered = list(rules)
    # Of an error and a warning of one cause the error stays.
    for rule in sorted(ordered, key=lambda rule: rule.severity != ERROR):
        for hit in rule.check(model):
            item = finding(rule, hit)
            cause = hit.cause or (rule.id, item.mark.file, item.path, hit.text)
            line = ("line", rule.id, item.mark.file, item.mark.line, item.path) if item.mark.line else cause
            if cause not in found and line not in found:
                found[cause] = found[line] = item
                found.update(dict.fromkeys(hit.explains))
    places = {rule.id: place for place, rule in enumerate(ordered)}
    return sorted(dict.fromkeys(item for item in found.values() if item), key=lambda item: places[item.rule])


def by_id(rule_id: str) -> Rule:
    """Return a rule; raise KeyError for an id that there is not."""
    return {rule.id: rule for rule in RULES}[rule_id]
