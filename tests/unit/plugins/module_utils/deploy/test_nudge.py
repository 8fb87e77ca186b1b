# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Tests of which Deployments are made to try again."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.nudge import TRIED_ANNOTATION, nudge, refused

FAILURE = {"type": "ReplicaFailure", "status": "True"}
CASES: list[tuple[dict[str, Any] | None, bool]] = [
    (None, False),
    ({}, False),
    ({"status": {"conditions": None}}, False),
    ({"status": {"conditions": [{"type": "Available", "status": "True"}]}}, False),
    ({"status": {"conditions": [{**FAILURE, "status": "False"}]}}, False),
    ({"status": {"conditions": [FAILURE]}}, True),
]


@pytest.mark.parametrize(("live", "expected"), CASES)
def test_refused(live: dict[str, Any] | None, expected: bool) -> None:
    assert refused(live) is expected


def test_only_deployments_that_lack_pods_are_touched() -> None:
    changed: list[tuple[Any, ...]] = []

    class Inventory:
        cluster: Any

        @staticmethod
        def get(_version: str, _kind: str, name: str, _namespace: str) -> dict[str, Any]:
            return {"status": {"conditions": [FAILURE] if name == "bad" else []}}

        @staticmethod
        def change(*args: Any) -> None:
            changed.append(args)

    Inventory.cluster = Inventory
    objects = [
        {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "llm-d"}}
        for kind, name in (("Deployment", "good"), ("Deployment", "bad"), ("Service", "bad"))
    ]
    nudge(Inventory, objects)  # type: ignore[arg-type]
    ((_action, verb, *where, body),) = changed
    assert (verb, where) == ("patch", ["apps/v1", "Deployment", "bad", "llm-d"])
    assert list(body["metadata"]["annotations"]) == [TRIED_ANNOTATION]
