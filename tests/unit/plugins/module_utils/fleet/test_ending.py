# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands last on the screen."""

from __future__ import annotations

from typing import Any

from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.ending import HostEnd, last_lines

MISTAKES = f"2 mistakes found; nothing was changed.\n  - site.yml:3: replicas: {'word ' * 40}end\n  - b\nMend them."
CAUSE = {
    "id": "DIAG101",
    "title": "The image does not exist",
    "severity": "error",
    "component": "modelservice",
    "objects": ["Pod web-1"],
    "count": 1,
    "explains": [],
    "evidence": ["image x: not found"],
    "remedy": "Correct it.",
    "seconds_since_first": None,
}
DIAGNOSIS: dict[str, Any] = {
    "namespace": "demo", "healthy": False, "causes": [CAUSE], "evidence": [], "unseen": [], "counts": {},
    "requests": [], "state": ["modelservice: failed: web", "not started: httproute"],
}  # fmt: skip


def ended(*failures: str, **answers: Any) -> HostEnd:
    end = HostEnd()
    for text in failures:
        end.failed(text)
    for module, answer in answers.items():
        end.took(module, answer)
    return end


def shown(ends: dict[str, HostEnd], bad: set[str], command: str = "ansible-playbook x", width: int = 80) -> list[str]:
    return [text for text, _kind in last_lines(ends, bad, width, command, several=len(ends) > 1)]


def test_every_mistake_in_full_and_the_command_last() -> None:
    lines = shown({"lab": ended(MISTAKES, MISTAKES.splitlines()[0])}, {"lab"})
    assert lines[:2] == ["", "2 mistakes found; nothing was changed."]
    assert sum("mistakes found" in line for line in lines) == 1
    assert max(map(len, lines)) <= 80
    assert any(line.endswith(" end") for line in lines)
    assert lines[-3:] == ["Mend them.", "Then run again:", "  ansible-playbook x"]


def test_a_diagnosis_stands_behind_what_was_left_and_instead_of_what_it_explains() -> None:
    lines = shown({"lab": ended("web: pod web-1 is not ready", stack_diagnosis=DIAGNOSIS)}, {"lab"})
    assert lines == [
        "",
        "State:",
        "   modelservice: failed: web",
        "   not started: httproute",
        "1. DIAG101 The image does not exist [modelservice]",
        "   what:    Pod web-1",
        "   why:     image x: not found",
        "   do:      Correct it.",
        "Then run again:",
        "  ansible-playbook x",
    ]


def test_a_failure_of_something_else_is_told_besides_the_diagnosis() -> None:
    lines = shown({"lab": ended("The lock was lost.", stack_diagnosis=DIAGNOSIS)}, {"lab"})
    assert "The lock was lost." in lines


def test_without_a_cause_the_failure_itself_is_told() -> None:
    unknown = {**DIAGNOSIS, "causes": [], "unseen": ["Pods: forbidden"]}
    lines = shown({"lab": ended("web: timed out", stack_diagnosis=unknown)}, {"lab"})
    assert "web: timed out" in lines and "Not seen: Pods: forbidden" in lines


def test_clusters_that_say_the_same_are_told_once() -> None:
    ends = {"east": ended("Same."), "west": ended("Same."), "north": ended("Other."), "south": HostEnd()}
    assert shown(ends, {"east", "west", "north"}) == [
        "", "east, west:", "Same.", "", "north:", "Other.", "Then run again:", "  ansible-playbook x",
    ]  # fmt: skip


def test_secrets_are_masked_and_the_command_says_so() -> None:
    text = "\n".join(shown({"lab": ended("token hf_abcdefghijkl is wrong")}, {"lab"}, "x -e 'hf_token=(masked)'"))
    assert "hf_abc" not in text and "with your own values for (masked)" in text


def test_what_modules_have_for_the_end() -> None:
    more = {"at_end": {"lines": ["2 models still run."], "commands": ["ansible-playbook y"]}}
    last = ["", "2 models still run.", "  ansible-playbook y"]
    assert shown({"lab": ended(deployment_record=more)}, set(), "") == last
    assert shown({"lab": ended("Bad.", serving_info=more)}, {"lab"}).count(last[1]) == 0
    assert shown({"lab": ended("Bad.", deployment_record=more)}, {"lab"})[-1] == "  ansible-playbook x"
