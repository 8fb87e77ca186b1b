# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis fits one screen and says what was left of each component."""

from __future__ import annotations

from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import CANCELLED
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import unasked
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import (
    LINES,
    WIDTH,
    component_states,
    screen,
)

CAUSE = {
    "id": "DIAG101",
    "title": "The image does not exist",
    "severity": "error",
    "component": "modelservice",
    "objects": [f"Pod web-{n}" for n in range(9)],
    "count": 9,
    "explains": ["Deployment web"],
    "evidence": ["image x: " + "word " * 80],
    "remedy": "Correct it.",
    "seconds_since_first": 4.2,
}


def result(*causes: dict[str, Any], **more: Any) -> dict[str, Any]:
    healthy = not any(cause["severity"] == "error" for cause in causes)
    base = {"namespace": "demo", "healthy": healthy, "causes": list(causes), "evidence": [], "unseen": [], "counts": {}}
    base["requests"] = []
    return {**base, **more}


def test_a_cause_with_all_that_an_operator_needs() -> None:
    lines = screen(result(CAUSE), state=["gaie: not started"], command="ansible-playbook site.yml")
    text = "\n".join(lines)
    for part in (
        "Namespace demo: 1 cause of failure",
        "1. DIAG101 The image does not exist [modelservice]",
        "what:  Pod web-0, Pod web-1, Pod web-2 and 6 more, since 4 s",
        "why:   image x:",
        "do:    Correct it.",
        "hence: Deployment web",
        "   gaie: not started",
        "   ansible-playbook site.yml",
    ):
        assert part in text
    assert max(map(len, lines)) <= WIDTH


def test_many_causes_stay_on_one_screen() -> None:
    raw = [{"object": "Pod x", "events": ["Warning a: " + "b" * 300] * 5, "log": ["line"] * 10}] * 9
    lines = screen(result(*[CAUSE] * 30, evidence=raw, unseen=["Nodes: forbidden"] * 9), state=["a"] * 5, command="c")
    assert len(lines) <= LINES
    assert any(line.startswith("and 2") and "more" in line for line in lines)
    assert any("Not seen: Nodes: forbidden" in line and "and 6 more" in line for line in lines)


def test_nothing_is_wrong_only_where_all_was_seen() -> None:
    counts = {"Pod": 2, "Deployment": 1}
    assert screen(result(counts=counts)) == ["Namespace demo: nothing is wrong (2 Pods, 1 Deployment)"]
    assert "as far as could be seen" in screen(result(unseen=["Pods: forbidden"]))[0]
    warned = screen(result({**CAUSE, "severity": "warning"}))
    assert warned[0] == "Namespace demo: nothing has failed; to be noted:"
    assert "(warning)" in warned[1]
    assert screen(unasked("demo", "Cannot reach it"))[:2] == [
        "Namespace demo: the cluster cannot be asked",
        "Not seen: Cannot reach it",
    ]


def test_what_was_left_of_each_component() -> None:
    def event(component: str, name: str, step: str, status: str, detail: str = "") -> dict[str, str]:
        return {"component": component, "name": name, "step": step, "status": status, "detail": detail}

    events = [
        event("modelservice", "ms-a", "install", "done"),
        event("modelservice", "ms-a", "ready", "failed", "0 of 1"),
        event("modelservice", "ms-b", "install", "done"),
        event("modelservice", "ms-b", "ready", "done"),
        event("gaie", "gaie-a", "install", "done"),
        event("gaie", "gaie-a", "ready", "failed", CANCELLED),
        event("gaie", "gaie-b", "install", "started"),
        event("other", "x", "ready", "done"),
    ]
    names = ["modelservice", "gaie", "gateway", "httproute", "prepare"]
    assert component_states(names, ["gateway"], events, ["prepare"]) == [
        "modelservice: failed: ms-a; deployed and ready: ms-b",
        "gaie: cancelled: gaie-a; begun, not ended: gaie-b",
        "gateway: as wanted before, unchanged",
        "httproute: not started",
        "prepare: failed",
    ]
