# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The consistency rules on the lab's charts, rendered by the real Helm: correct stacks, and one mistake at a time."""

from __future__ import annotations

import pytest

from rules import rendered
from rules.mutations import MUTATIONS

pytestmark = pytest.mark.skipif(not rendered.HELM, reason="needs helm on PATH, or its path in HELM")


@pytest.mark.parametrize("name", rendered.STACKS)
def test_a_correct_stack_has_no_findings(name: str) -> None:
    assert rendered.STACKS[name]().findings() == []


@pytest.mark.parametrize("name", rendered.STACKS)
def test_what_is_not_known_of_a_cluster_gives_no_findings(name: str) -> None:
    stack = rendered.STACKS[name]()
    stack.objects, stack.facts, stack.served, stack.expected = {}, {}, None, {}
    assert stack.findings() == []


@pytest.mark.parametrize(
    ("name", "changes", "rule", "named"),
    MUTATIONS,
    ids=[f"{rule} {name} {changes[0][1] or changes[0][0]}" for name, changes, rule, _named in MUTATIONS],
)
def test_one_mistake_is_one_finding(name: str, changes: list, rule: str, named: str) -> None:
    stack = rendered.STACKS[name]()
    for where, path, value in changes:
        stack.change(where, path, value)
    found = stack.findings()
    assert [item.rule for item in found] == [rule], "\n".join(f"{i.rule} {i.message}" for i in found)
    said = " ".join((found[0].message, found[0].hint, *found[0].keys, *found[0].objects))
    assert named in said, said
    assert found[0].hint
