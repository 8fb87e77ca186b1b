# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The registry of consistency rules: complete, tried, documented, and safe on manifests that make no sense."""

from __future__ import annotations

import pathlib
import random
import re
import sys
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import RULES, check

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
    text = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    tried = {rule for _s, _c, rule, _n in MUTATIONS} | set(re.findall(r"LLMD\d{3}", text))
    assert {rule.id for rule in RULES} <= tried


def test_the_page_of_rules_is_up_to_date() -> None:
    sys.path.insert(0, str(TESTS))
    import rules_page

    assert (TESTS.parent / "docs" / "reference" / "rules.md").read_text() == rules_page.page(), (
        "run tests/rules_page.py"
    )
