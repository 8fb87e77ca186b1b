# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A diagnosis is told in full, causes last, and says what was left of each component."""

from __future__ import annotations

from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import CANCELLED
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import unasked
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import (
    RAW,
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
        "what:    Pod web-0, Pod web-1, Pod web-2 and 6 more, since 4 s",
        "affects: Deployment web",
        "why:     image x:",
        "do:      Correct it.",
        "   gaie: not started",
        "   ansible-playbook site.yml",
    ):
        assert part in text
    assert max(map(len, lines)) <= WIDTH


def test_every_cause_is_told_in_full_after_what_was_left() -> None:
    raw = [{"object": "Pod x", "events": ["Warning a: " + "b" * 300] * 5, "log": ["line"] * 10}] * 9
    last = {**CAUSE, "id": "DIAG102", "evidence": ["word " * 200 + "end"]}
    found = result(*[CAUSE] * 30, last, evidence=raw, unseen=["Node:forbidden"] * 9)
    lines = screen(found, state=["gaie: not started"], command="c", width=80)
    text = "\n".join(lines)
    assert text.count("DIAG101") == 30
    assert " end\n" in text.partition("DIAG102")[2]
    assert "Pod x says" not in text
    assert text.index("gaie: not started") < text.index("DIAG101")
    assert text.count("Node:forbidden") == 9
    assert lines[-2:] == ["Then run again:", "   c"]
    assert max(map(len, lines)) <= 80


def test_what_no_rule_knows_is_shown_where_there_is_no_cause() -> None:
    raw = [{"object": "Pod x", "events": ["Warning a: " + "b" * 300] * 5, "log": ["line"] * 10}] * 9
    lines = screen({**result(evidence=raw), "healthy": False})
    assert "   Pod x says:" in lines
    assert len(lines) <= RAW + 1


def test_nothing_is_wrong_only_where_all_was_seen() -> None:
    counts = {"Pod": 2, "Deployment": 1}
    assert screen(result(counts=counts)) == ["Namespace demo: nothing is wrong (2 Pods, 1 Deployment)"]
    assert "as far as could be read" in screen(result(unseen=["Pods: forbidden"]))[0]
    warned = screen(result({**CAUSE, "severity": "warning"}))
    assert warned[0] == "Namespace demo: nothing has failed; warnings:"
    assert "(warning)" in warned[1]
    assert screen(unasked("demo", "Cannot reach it"))[:2] == [
        "Namespace demo: cannot reach the cluster",
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
        "modelservice: failed: ms-a; ready: ms-b",
        "gaie: cancelled: gaie-a; started, not finished: gaie-b",
        "failed: prepare",
        "ready: gateway",
        "not started: httproute",
    ]
