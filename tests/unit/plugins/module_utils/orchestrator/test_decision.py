# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The decision matrix of the guide, what it leaves open, and what contradicts it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.decision import decide


@pytest.mark.parametrize(
    ("workload", "mode", "reason", "warning"),
    [
        ({"workflows_per_day": 0}, "cli", "by hand", ""),
        ({"purpose": "development", "workflows_per_day": 20}, "cli", "development", ""),
        ({"workflows_per_day": 1}, "single", "fewer than 100", ""),
        ({"workflows_per_day": 99}, "single", "fewer than 100", ""),
        ({"workflows_per_day": 100}, "single", "fit on one node", "no mode for 100 to 1000"),
        ({"workflows_per_day": 1000}, "single", "fit on one node", "no mode for 100 to 1000"),
        ({"workflows_per_day": 1001}, "distributed", "more than 1000", ""),
        ({"workflows_per_day": 5, "availability": "high"}, "distributed", "a host is lost", ""),
        ({"workflows_per_day": 500, "teams": True}, "distributed", "several teams", ""),
        ({"purpose": "production"}, "single", "used in production", "down while its host is"),
        ({"workflows_per_day": 50, "containers": True}, "compose", "fewer than 100", ""),
        ({"workflows_per_day": 5000, "autoscaling": True}, "kubernetes", "autoscaling", ""),
        ({"multi_tenancy": True}, "kubernetes", "tenants", ""),
        ({"availability": "high", "kubernetes": True}, "kubernetes", "there is a Kubernetes cluster", ""),
        ({"workflows_per_day": 10, "autoscaling": True}, "kubernetes", "autoscaling", "would fit on a single node"),
        ({"autoscaling": True, "kubernetes": False}, "distributed", "no Kubernetes cluster", "autoscaling is needed"),
        ({"availability": "high", "hosts": 2}, "distributed", "a host is lost", "2 hosts cannot go on"),
        ({"availability": "high", "purpose": "development"}, "distributed", "a host is lost", "has the CLI"),
        ({"edge": True}, "single", "an edge site", ""),
        ({"edge": True, "cloud": True, "workflows_per_day": 50}, "hybrid", "with a cloud", "does not name it"),
        ({"edge": True, "workflows_per_day": 5000}, "hybrid", "more than 1000", "does not name it"),
    ],
)
def test_a_workload_has_a_mode_and_a_reason(workload: dict[str, t.Any], mode: str, reason: str, warning: str) -> None:
    decision, mistakes = decide(workload)
    assert decision is not None and not mistakes
    assert decision.mode == mode, decision
    assert reason in " ".join(decision.reasons), decision
    assert warning in " ".join(decision.warnings) if warning else not decision.warnings, decision


@pytest.mark.parametrize(
    ("workload", "place", "said"),
    [
        ({}, "llm_orchestrator_workload", "says nothing"),
        ({"hosts": 3}, "llm_orchestrator_workload", "says nothing"),
        ([], "llm_orchestrator_workload", "must be a map"),
        ({"workflow_per_day": 5}, "llm_orchestrator_workload.workflow_per_day", "Did you mean workflows_per_day?"),
        ({"workflows_per_day": "many"}, "llm_orchestrator_workload.workflows_per_day", "not a number"),
        ({"workflows_per_day": -1}, "llm_orchestrator_workload.workflows_per_day", "not a number"),
        ({"availability": "hgih"}, "llm_orchestrator_workload.availability", "Did you mean high?"),
        ({"autoscaling": "yes"}, "llm_orchestrator_workload.autoscaling", "not true or false"),
    ],
)
def test_a_workload_with_a_mistake_has_no_mode(workload: t.Any, place: str, said: str) -> None:
    decision, mistakes = decide(workload)
    assert decision is None
    assert [(finding.mark.file, said in finding.text()) for finding in mistakes] == [(place, True)]
