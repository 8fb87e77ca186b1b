# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What planning has not foreseen is told as its own mistake, beside all that it has found."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan import planning
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.findings import PlanningFailed
from stack.test_resolve import params


def test_an_exception_that_nobody_has_foreseen_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: planning.Planning) -> None:
        self.errors.add("llm_d_models", "is empty")
        raise KeyError("metadata")

    monkeypatch.setattr(planning.Planning, "resolve", fails)
    with pytest.raises(PlanningFailed) as failed:
        planning.run({**params(), "findings_file": ""})
    known, unknown = failed.value.result["findings"]
    assert known["message"] == "is empty"
    assert "KeyError: 'metadata' (test_unforeseen.py:" in unknown["message"]
    assert "report it" in unknown["hint"]
