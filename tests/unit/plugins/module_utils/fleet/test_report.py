# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError, Unreachable
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.report import (
    Fleet,
    cause,
    facts,
    is_unreachable,
    to_retry,
)

DETAILS = OrchestratorError("2 mistakes found; nothing was changed.", "Look.", ["a: bad", "b: worse"]).render()
AWAY = OrchestratorError("1 mistake found.", None, ["cluster: Cannot reach the cluster at https://x: no"]).render()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def fleet():
    return Fleet(Clock())


def rows(fleet, bad=()):
    return {row["host"]: row for row in fleet.report("site.yml", "20261121T083000Z", bad)["rows"]}


@pytest.mark.parametrize(
    ("module", "answer", "expected"),
    [
        ("debug", {"msg": "x"}, {}),
        ("stack_info", {"censored": "hidden"}, {}),
        ("stack_info",
         {"stack": {"models": [{"name": "a"}], "kubernetes": "v1.34.4", "gateway": {"provider": "istio"}},
          "plan": {"charts": [{"name": "llm-d-infra", "version": "v1.3.6"}], "actions": []},
          "findings": [{"severity": "warning"}, {"severity": "error"}, {"severity": "warning"}]},
         {"models": ["a"], "versions": {"Kubernetes": "v1.34.4", "gateway": "istio", "llm-d-infra": "v1.3.6"},
          "errors": 1, "warnings": 2, "detail": "Nothing would change: all 0 objects are up to date."}),
        ("stack_info", {"msg": "x", "findings": [{"severity": "error"}]}, {"errors": 1}),
        ("serving_info", {"models": [{"name": "a", "ok": True}, {"name": "b", "ok": False}], "notes": ["n"]},
         {"models": ["a", "b"], "warnings": 1, "detail": "1 of 2 models answer"}),
        ("stack_status", {"msg": "x"}, {}),
        ("stack_status", {"healthy": True, "deployed": True, "rows": [{"ready": True, "drift": "changed"}],
                          "record": {"models": ["a"], "versions": {"kubernetes": "v1"}, "charts": {"c": "v2"}}},
         {"models": ["a"], "versions": {"Kubernetes": "v1", "c": "v2"}, "warnings": 1, "detail": "healthy, 1 drifted"}),
        ("stack_status", {"healthy": False, "deployed": True, "rows": [{"ready": False}], "record": {}},
         {"errors": 1, "detail": "1 not ready"}),
        ("stack_status", {"healthy": False, "deployed": False, "rows": [], "record": {}},
         {"detail": "nothing deployed"}),
        ("stack_teardown", {"removed": ["a", "b"], "kept": [{"object": "c"}]}, {"detail": "2 removed, 1 kept"}),
        ("stack_teardown", {"removed": [], "kept": []}, {"detail": "nothing to remove"}),
        ("stack_diagnosis", {"causes": []}, {}),
        ("stack_diagnosis",
         {"causes": [{"component": "gaie", "title": "No image", "evidence": ["image a:\n  gone", "b"]}, {}]},
         {"diagnosis": "gaie: No image: image a: gone (and 1 more)"}),
        ("deployment_record", {"path": "/r/a/1", "files": ["x"]}, {"record": "/r/a/1"}),
        ("deployment_record", {"path": "/r/a/1", "files": []}, {}),
        ("deployment_plan", {"path": "/p/plan.json", "digest": "sha256:1", "files": ["x"]},
         {"plan": "/p/plan.json", "digest": "sha256:1"}),
        ("deployment_plan", {"path": "", "digest": "sha256:1", "files": []}, {}),
    ],
)  # fmt: skip
def test_facts(module, answer, expected):
    assert facts(module, answer) == expected


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("It broke.\nMore.", "It broke."),
        ("", "no message"),
        (DETAILS, "a: bad (and 1 more)"),
        (AWAY, "cluster: Cannot reach the cluster at https://x: no"),
    ],
)
def test_cause(message, text):
    assert cause(message) == text


@pytest.mark.parametrize(
    ("answer", "unreachable"),
    [
        ({"msg": AWAY}, False),
        (Unreachable("It is away.").result, True),
        ({"results": {"gaie": {"msg": "x"}, "gateway": Unreachable("It is away.").result}}, True),
        ({"results": [{"msg": "x"}]}, False),
    ],
)
def test_a_cluster_that_does_not_answer(answer, unreachable):
    assert is_unreachable(answer) == unreachable


def test_each_result(fleet):
    fleet.expect(["a", "b", "c", "d", "e"], [1, 3, "100%"])
    fleet.begun("a")
    fleet.clock.now = 4.0
    fleet.took("a", "serving_info", {"models": [{"name": "m", "ok": True}]})
    for host, message in (("b", "It broke."), ("c", AWAY)):
        fleet.failed(host, "stack", message, unreachable=host == "c")
    fleet.begun("d")
    report = fleet.report("site.yml", "20261121T083000Z", {"b", "c", "d"})
    found = [(row["host"], row["wave"], row["result"], row["seconds"], row["detail"]) for row in report["rows"]]
    assert found == [
        ("a", 1, "ok", 4.0, "1 of 1 models answer"),
        ("b", 2, "failed", 0.0, "stack: It broke."),
        ("c", 2, "unreachable", 0.0, "cluster: Cannot reach the cluster at https://x: no"),
        ("d", 2, "failed", 0.0, "stopped by the failure of another cluster"),
        ("e", 3, "untouched", None, ""),
    ]
    assert report["waves"] == [1, 3, 1] and fleet.several
    assert report["totals"] == {"failed": 2, "unreachable": 1, "untouched": 1, "ok": 1}
    assert to_retry(report) == ["b", "c", "d", "e"]


def test_a_rescued_failure_is_none(fleet):
    fleet.expect(["a"], [])
    fleet.failed("a", "gaie", "It broke.")
    assert rows(fleet)["a"]["result"] == "ok" and rows(fleet)["a"]["detail"] == "" and not fleet.several


def test_the_first_failure_is_the_cause(fleet):
    fleet.failed("a", "gaie", "First.")
    fleet.failed("a", "fail", "Failed: gaie.")
    assert rows(fleet, {"a"})["a"]["detail"] == "gaie: First."
    fleet.took("a", "stack_diagnosis", {"causes": [{"title": "The image does not exist"}]})
    assert rows(fleet, {"a"})["a"]["detail"] == "The image does not exist"


def test_results_of_several_modules_add_up(fleet):
    fleet.took("a", "stack_info", {"stack": {"models": [{"name": "m"}], "kubernetes": "v1"}, "findings": [{}] * 3})
    fleet.took("a", "serving_info", {"models": [{"name": "m", "ok": True}], "notes": ["n"]})
    row = rows(fleet)["a"]
    assert row["models"] == ["m"] and row["versions"] == {"Kubernetes": "v1"}
    assert row["findings"] == {"errors": 0, "warnings": 1} and row["detail"] == "1 of 1 models answer"


def test_a_plan_that_was_written(fleet):
    fleet.took("a", "deployment_plan", {"path": "/p", "digest": "sha256:1", "files": ["x"]})
    assert rows(fleet)["a"]["digest"] == "sha256:1"


def test_another_wave_of_a_play_changes_no_numbers(fleet):
    fleet.expect(["a", "b"], [1])
    fleet.expect(["a", "b"], [])
    assert [row["wave"] for row in rows(fleet).values()] == [1, 2]


def test_secrets_are_masked(fleet):
    fleet.failed("a", "gaie", "The token hf_abcdefghijklmnopqrstuvwxyz0123 is bad.")
    assert "hf_abc" not in rows(fleet, {"a"})["a"]["detail"]
