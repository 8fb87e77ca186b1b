# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.progress import (
    Progress,
    clock_text,
    name_text,
    waiting_text,
)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def told():
    """Return (progress, lines, clock)."""
    lines, clock = [], Clock()
    return Progress(lambda text, kind: lines.append((text, kind)), clock), lines, clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0s"), (59.94, "59.9s"), (59.96, "1m00s"), (65, "1m05s"), (3599.6, "1h00m"), (3720, "1h02m")],
)
def test_clock(seconds, text):
    assert clock_text(seconds) == text


def test_a_phase_is_told_once_and_never_backwards(told):
    progress, lines, clock = told
    progress.task("lab", ["always"])
    progress.task("lab", ["planning", "always"])
    clock.now = 3.0
    for tags in (["planning"], ["deploying"], ["deploying"], ["planning"], []):
        progress.task("lab", tags)
    assert [text for text, _kind in lines] == [
        "[PLANNING]      0.0s  reading the inputs, checking all values and the cluster",
        "[DEPLOYING]     3.0s  installing all components at once",
    ]


def test_hosts_are_named_where_there_are_several(told):
    progress, lines, _clock = told
    progress.expect(["east", "northwest"])
    progress.task("east", ["planning"])
    progress.task("northwest", ["planning"])
    assert [text.partition(" 0.0s")[0] for text, _kind in lines] == [
        "east       [PLANNING]     ",
        "northwest  [PLANNING]     ",
    ]


@pytest.mark.parametrize(
    ("hosts", "text"), [(["lab"], ""), (["lab", "west"], "lab   "), (["lab", "w" * 99], "lab" + " " * 23)]
)
def test_what_lines_begin_with(hosts, text):
    assert name_text("lab", hosts) == text


def test_waiting_lines_keep_their_distance(told):
    progress, lines, clock = told
    assert not progress.is_due("lab")
    progress.task("lab", ["deploying"])
    clock.now = 6.0
    assert progress.is_due("lab")
    progress.waiting("lab", "waiting for gaie")
    clock.now = 10.0
    assert not progress.is_due("lab")
    clock.now = 11.0
    assert progress.is_due("lab")
    assert lines[-1][0] == "[DEPLOYING]     6.0s  waiting for gaie"


def test_a_failure_is_told_once_by_its_first_line(told):
    progress, lines, _clock = told
    progress.failed("lab", "gaie", "before any phase")
    progress.task("lab", ["deploying"])
    progress.failed("lab", "gaie", "\n1 release failed.\n  - ImagePullBackOff of x\nmore")
    progress.failed("lab", "gaie", "1 release failed.\n  - ImagePullBackOff of x\n  - other")
    progress.task("lab", ["complete"])
    progress.finish({"lab"})
    assert lines[1:] == [
        ("[FAILED]        0.0s  DEPLOYING gaie: 1 release failed.", "bad"),
        ("[FAILED]        0.0s  ended in DEPLOYING", "bad"),
    ]


def test_the_summary(told):
    progress, lines, clock = told
    progress.task("lab", ["complete"])
    row = {"name": "a", "ok": True, "status": 200, "latency_ms": 12.3, "url_path": "POST /a/v1/completions"}
    progress.probed("lab", {"endpoint": "http://10.0.0.1:80", "models": [row]})
    progress.recorded("lab", "records/lab/20261121T083000Z")
    clock.now = 75.0
    progress.finish(set())
    text = "\n".join(line for line, _kind in lines)
    assert "[COMPLETE]     1m15s  the models answer" in text
    assert "endpoint  http://10.0.0.1:80" in text
    assert "model     a  200 in 12 ms  /a/v1/completions" in text
    assert "record    records/lab/20261121T083000Z" in text


def test_the_summary_of_a_router(told):
    progress, lines, _clock = told
    progress.task("lab", ["complete"])
    rows = [{"router": "r", "class": name, "ok": good} for name, good in (("A", True), ("B", False), ("", True))]
    ways = ["Service dynamo/front port 8000 (x)", "Service llm-router/r port 8084 (y)"]
    progress.probed("lab", {"endpoint": "; ".join(ways), "endpoints": ways, "models": [], "classes": rows})
    progress.finish(set())
    text = "\n".join(line for line, _kind in lines)
    assert all(f"endpoint  {way}\n" in text for way in ways)
    assert ("router    r  1 of 2 classes, by the classifier 1 of 1 policy", "bad") in [
        (line.strip(), kind) for line, kind in lines
    ]
    assert "checked; the deployed models do not answer" in text


def test_models_that_do_not_answer_before_a_real_run_are_not_said_to(told):
    progress, lines, _clock = told
    progress.task("lab", ["complete"])
    row = {"name": "a", "ok": False, "status": 500, "latency_ms": 1.0, "url_path": "POST /v1/completions"}
    progress.probed("lab", {"endpoint": "http://10.0.0.1:80", "models": [row]})
    progress.finish(set())
    text = "\n".join(line for line, _kind in lines)
    assert "checked; the deployed models do not answer" in text
    assert "the models answer" not in text


def test_models_that_could_not_be_asked_are_shown_after_a_failure_alone(told):
    progress, lines, _clock = told
    row = {"name": "a", "ok": False, "status": 0, "latency_ms": 0.0, "url_path": ""}
    progress.task("lab", ["complete"])
    progress.probed("lab", {"endpoint": "", "models": [row]})
    progress.finish(set())
    assert "FAILED (0)" not in "\n".join(line for line, _kind in lines)


def test_a_playbook_without_phases_is_left_alone(told):
    progress, lines, _clock = told
    progress.task("lab", ["something"])
    progress.failed("lab", "x", "y")
    progress.finish({"lab"})
    assert lines == []


def event(component, name, step, status, at):
    return {"component": component, "name": name, "step": step, "status": status, "time": at}


def test_what_is_waited_for():
    events = [
        event("prepare", "Namespace x", "apply", "done", 0),
        event("gateway", "infra-x", "install", "started", 0),
        event("gateway", "infra-x", "install", "done", 1),
        event("gateway", "infra-x", "ready", "started", 1),
        event("gateway", "infra-x", "ready", "done", 20),
        event("gaie", "gaie-a", "install", "started", 0),
        event("gaie", "gaie-a", "install", "done", 2),
        event("modelservice", "ms-a", "ready", "started", 5),
        event("modelservice", "ms-b", "ready", "failed", 9),
    ]
    assert waiting_text(events, 35, float) == (
        "waiting for gaie gaie-a (35.0s), modelservice ms-a (30.0s); failed: modelservice ms-b; done: gateway infra-x"
    )
    assert waiting_text([], 1, float) == ""


def test_many_releases_are_counted():
    events = [{"time": "0", "component": "gaie", "name": f"gaie-{n}", "status": "started"} for n in range(5)]
    assert waiting_text(events, 2, float) == "waiting for gaie gaie-0 and 4 more (2.0s)"


def test_a_plan_is_shown_at_the_end_in_one_piece(told):
    progress, lines, _clock = told
    progress.task("lab", ["planning"])
    progress.planned("lab", ["Plan for lab", "  14 to create"])
    progress.finish([])
    assert lines[-1] == ("\nPlan for lab\n  14 to create", "plain")


def test_what_a_plan_comes_to_is_told_within_a_phase(told):
    progress, lines, _clock = told
    progress.proposed("lab", "14 to create")
    progress.task("lab", ["planning"])
    progress.proposed("lab", "14 to create")
    assert [text for text, _kind in lines][1:] == ["[PLANNING]      0.0s  14 to create"]


@pytest.mark.parametrize(("hosts", "rows"), [(1, 1), (9, 0)])
def test_what_changes_is_told_of_few_hosts_and_the_difference_where_it_is_asked_for(told, hosts, rows):
    progress, lines, _clock = told
    progress.expect([f"host-{number}" for number in range(hosts)])
    progress.task("host-0", ["planning"])
    progress.proposed("host-0", "1 to update", ["update  a: replicas 2 → 3"], ["update x", "-a", "+b"])
    assert sum("replicas 2 → 3" in text for text, _kind in lines) == rows
    assert [kind for _text, kind in lines][-3:] == ["plain", "removed", "added"]
