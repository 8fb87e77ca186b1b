# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules: complete, tried, documented, and safe on manifests that make no sense."""

from __future__ import annotations

import dataclasses
import pathlib
import random
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.shape import objects_in
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.base import finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import RULES, check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

from rules.mutations import MUTATIONS
from rules.world import World

TESTS = pathlib.Path(__file__).resolve().parents[4]
WORTHLESS: list[Any] = [None, "", "text", 7, -1, True, [], {}, [None], ["x"], {"a": None}, [{"name": None}]]


@pytest.mark.parametrize("seed", range(300))
def test_manifests_that_make_no_sense_are_survived(seed: int) -> None:
    """Any value of any manifest is replaced: rules may find something, they never fail."""
    chance, world = random.Random(seed), World()
    bodies = [item for items in world.manifests.values() for item in items] + world.routes
    node: Any = chance.choice(bodies)
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = chance.choice(keys)
        if not isinstance(node[key], (dict, list)) or not node[key] or chance.random() < 0.2:
            break
        node = node[key]
    node[key] = chance.choice(WORTHLESS)
    for item in check(world.model()):
        assert re.fullmatch(r"LLMD\d{3}", item.rule)


def test_rules_are_complete_data() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        for text in (rule.title, rule.meaning, rule.failure, rule.remedy, rule.source):
            assert len(text) > 8, rule.id


def test_every_rule_is_seen_to_work() -> None:
    text = "".join(path.read_text() for path in pathlib.Path(__file__).parent.rglob("test_*.py"))
    tried = {rule for _s, _c, rule, _n in MUTATIONS} | set(re.findall(r"LLMD\d{3}", text))
    assert {rule.id for rule in RULES} <= tried


def test_the_page_of_rules_is_up_to_date() -> None:
    sys.path.insert(0, str(TESTS))
    import rules_page

    assert (TESTS.parent / "docs" / "reference" / "rules.md").read_text() == rules_page.page(), (
        "run tests/rules_page.py"
    )


def test_what_is_no_object_is_named_with_its_key() -> None:
    given = {"extraDeploy": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, {"kind": "Secret"}]}
    found, misfits = objects_in(given["extraDeploy"])
    part = RenderedRelease("gateway", "infra", "demo", found, layers=[Layer(given, "infra.yaml")], misfits=misfits)
    named = [(one.rule, one.path, one.severity) for one in check(build_model([part]))]
    assert named == [("LLMD613", "extraDeploy[0]", "error"), ("LLMD613", "extraDeploy[1]", "error")]


def test_a_rule_that_fails_is_a_warning_and_the_others_have_their_say() -> None:
    def fails(_model: StackModel) -> Iterator[Finding]:
        yield finding("is wrong", ())
        raise KeyError("spec")

    broken = dataclasses.replace(RULES[0], check=fails)
    found = check(World().model(), [broken, *RULES[1:]])
    assert [(one.rule, one.severity) for one in found if one.rule == RULES[0].id] == [
        (RULES[0].id, "error"),
        (RULES[0].id, "warning"),
    ]
    assert "internal error in this rule" in found[1].message
    assert "KeyError: 'spec'" in found[1].message
