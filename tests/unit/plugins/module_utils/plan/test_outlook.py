# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a plan mentions besides its actions."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.records import Release
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.outlook import revisions

PART = {"component": "gaie", "name": "gaie-a", "namespace": "n", "kind": "release", "values": {"x": 1}}
STACK = {"namespace": "n", "parts": [PART]}
CHARTS = [{"component": "gaie", "release": "gaie-a", "namespace": "n", "name": "pool", "version": "1"}]


@pytest.mark.parametrize(
    ("change", "busy", "why"),
    [
        ({}, set(), ""),
        ({"values": {"x": 2}}, set(), "its values differ"),
        ({"values": {"x": 2}}, {"gaie-a"}, ""),
        ({"chart_version": "0"}, set(), "its chart is pool 0"),
        ({"status": "failed"}, set(), "its status is failed"),
        ({"status": "uninstalled"}, set(), ""),
    ],
)
def test_revisions(change, busy, why):
    fields = {"name": "gaie-a", "namespace": "n", "revision": 1, "status": "deployed", "chart": "pool"}
    fields |= {"chart_version": "1", "values": {"x": 1}, "manifest": "", "labels": {}, **change}
    found = revisions(STACK, CHARTS, {("gaie", "gaie-a"): Release(**fields)}, busy)
    assert found == ([f"Helm release n/gaie-a gets a new revision ({why}); its objects do not change."] if why else [])
