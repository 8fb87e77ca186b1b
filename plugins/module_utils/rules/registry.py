# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules, and the one way to run them over a stack."""

from __future__ import annotations

import dataclasses
import os
import traceback
import typing as t

from ..base.errors import OrchestratorError
from ..base.findings import ERROR, WARNING, Finding
from ..model.model import StackModel
from . import (
    capacity,
    events,
    formats,
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
from .base import Rule, finding, joined, ruled
from .dynamo import fields, namespaces, platforms, policies, router, workers
from .words import arguments, plugins_files, proxies

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Pools": pools.RULES,
    "Endpoint pickers": pickers.RULES,
    "Plugins files": plugins_files.RULES,
    "Listeners": listeners.RULES,
    "Routes to Gateways": routes_to_gateways.RULES,
    "Routes to pools": routes_to_pools.RULES,
    "Names": names.RULES,
    "Gateway providers": provider.RULES,
    "Versions": versions.RULES,
    "Artifacts of models": artifacts.RULES,
    "The API server": refused.RULES,
    "Not checked by the API server": formats.RULES,
    "Model servers": model_servers.RULES,
    "Arguments": (*arguments.RULES, *proxies.RULES),
    "Prefill and decode": handover.RULES,
    "Pods of models": (*pods.RULES, *probes.RULES),
    "KV-cache events": events.RULES,
    "References": references.RULES,
    "Claims for devices": claims.RULES,
    "Volumes and secrets": storage.RULES,
    "Platform": platform.RULES,
    "Kinds": kinds.RULES,
    "Dynamo's platform": platforms.RULES,
    "Graphs of Dynamo": (*fields.RULES, *namespaces.RULES),
    "Dynamo's workers": workers.RULES,
    "The LLM Router": (*router.RULES, *policies.RULES),
    "Room on nodes": capacity.RULES,
    "Quotas and limits": quota.RULES,
    "Permissions": permissions.RULES,
}

# The first part of the key of a finding that says that a rule itself failed.
FAILED = "failed"
# Earlier rules explain a cause better: of several findings with one cause the first one stays.
RULES: tuple[Rule, ...] = tuple(rule for rules in GROUPS.values() for rule in rules)


def check(model: StackModel, rules: t.Iterable[Rule] = RULES) -> list[Finding]:
    """Return every mistake in a stack once, in the order of the rules.

    Findings of one key are one, and so are those of one rule about the same line of a values file, or about the same
    key of a variable if they differ in names alone.
    """
    ordered = list(rules)
    found: dict[tuple, tuple[Rule, Finding] | None] = {}
    # Of an error and a warning of one key the error stays.
    for rule in sorted(ordered, key=lambda rule: rule.severity != ERROR):
        for one in _checked(rule, model):
            _note(found, rule, one)
    places = {rule.id: place for place, rule in enumerate(ordered)}
    findings = [_said(*entry) for entry in found.values() if entry]
    return sorted(_unsaid(_by_line(findings)), key=lambda item: places[item.rule])


def _unsaid(findings: list[Finding]) -> list[Finding]:
    """Return findings without those of the API server about a field of which another rule says as much."""
    asked = {rule.id for rule in refused.RULES}
    others = [item for item in findings if item.rule not in asked]
    errors = {spot for item in others if item.severity == ERROR for spot in item.spots}
    warnings = {spot for item in others for spot in item.spots}
    return [
        item
        for item in findings
        if item.rule not in asked or not item.spots & (errors if item.severity == ERROR else warnings)
    ]


def _checked(rule: Rule, model: StackModel) -> t.Iterator[Finding]:
    """Yield what a rule finds; where it fails itself, that too: the other rules have their say all the same."""
    try:
        yield from rule.check(model)
    except OrchestratorError:
        raise
    except Exception as exc:  # whatever a rule has not foreseen is its mistake, not the user's
        where = traceback.extract_tb(exc.__traceback__)[-1]
        place = f"{os.path.basename(where.filename)}:{where.lineno}"
        text = f"internal error in this rule: {type(exc).__name__}: {exc} ({place})"
        remedy = "report it with this line; the rule's subject is unchecked, see docs/reference/rules.md"
        yield finding(text, (), (FAILED, rule.id), remedy)


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


def _said(rule: Rule, one: Finding) -> Finding:
    """Return a finding as its rule has it; that a rule failed is a warning, whatever the rule is."""
    said = ruled(rule, one)
    return dataclasses.replace(said, severity=WARNING) if one.key[:1] == (FAILED,) else said


def _by_line(findings: list[Finding]) -> list[Finding]:
    kept: dict[tuple, list[Finding]] = {}
    for item in findings:
        text = _nameless(item) if item.place else (item.objects, item.key)
        kept.setdefault((item.rule, item.mark, item.path, () if item.mark.line else text), []).append(item)
    return [_first(alike) for alike in kept.values()]


def _nameless(item: Finding) -> str:
    """Return what is said of one object of several that the same values make, without the names of these."""
    text = item.message
    for name in sorted(item.about, key=len, reverse=True):
        text = text.replace(name, "")
    return text


def _first(alike: list[Finding]) -> Finding:
    """Return the first of findings that are one mistake, and of how many other objects they are."""
    count = len({item.objects for item in alike}) - 1
    more = f" and {count} more like it" if count else ""
    return dataclasses.replace(alike[0], message=alike[0].message + more)
