# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""When the rules are checked."""

from __future__ import annotations

import concurrent.futures
import types
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import CREATE, REUSE
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import OBJECTS, RELEASE, Part
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.planning import Planning

PARTS = [Part("platform", "platform", "demo", RELEASE), Part("models", "small", "demo", OBJECTS)]


@pytest.mark.parametrize(
    ("component", "action", "errors", "check", "changes"),
    [
        ("models", CREATE, [], "error", True),
        ("models", REUSE, [], "error", False),
        ("platform", CREATE, [], "error", False),
        ("models", CREATE, ["a mistake"], "error", False),
        ("models", CREATE, [], "off", False),
    ],
)
def test_objects_of_no_release_that_change(
    component: str, action: str, errors: list[str], check: str, changes: bool
) -> None:
    found: concurrent.futures.Future[t.Any] = concurrent.futures.Future()
    found.set_result([types.SimpleNamespace(component=component, action=action, unwanted=False)])
    planning = t.cast(t.Any, Planning.__new__(Planning))
    planning.params, planning.errors, planning.actions = {"check_rules": check}, errors, found
    planning.stack = types.SimpleNamespace(parts=lambda: PARTS)
    assert planning._objects_change() is changes
