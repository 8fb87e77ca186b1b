# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os

import jsonschema
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.build import author, spans
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.page import markdown
from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.timeline import bars
from ansible_collections.llm_d.orchestrator.plugins.modules import deployment_record

from record.samples import SCHEMA, failed, sample

ORIGIN = 1795249800.0  # 2026-11-21T08:30:00Z


def event(second, component, name, step, status, **more):
    time = f"2026-11-21T08:30:{second:06.3f}Z"
    return {"time": time, "component": component, "name": name, "step": step, "status": status, **more}


EVENTS = [
    event(1, "modelservice", "ms-a", "install", "started"),
    event(2, "gaie", "gaie-a", "install", "started"),
    event(5, "gaie", "gaie-a", "install", "failed", seconds=3.0, detail="token hf_abcdefghijkl refused"),
    event(11, "modelservice", "ms-a", "install", "done", seconds=10.0),
    event(12, "httproute", "llm-d-a", "apply", "done", seconds=0.5),
    event(13, "verify", "a", "probe", "started"),
]


def test_spans():
    rows = spans([*EVENTS, {"time": "nonsense"}], ORIGIN)
    assert [(row["name"], row["begin"], row["end"], row["seconds"], row["status"]) for row in rows] == [
        ("ms-a", 1.0, 11.0, 10.0, "done"),
        ("gaie-a", 2.0, 5.0, 3.0, "failed"),
        ("llm-d-a", 11.5, 12.0, 0.5, "done"),
        ("a", 13.0, None, None, "started"),
    ]
    assert rows[1]["detail"] == "token (masked) refused"


def test_the_timeline_shows_what_overlaps():
    lines = bars(spans(EVENTS, ORIGIN), 20.0)
    assert lines[0] == "modelservice ms-a |" + "  " + "#" * 20 + " " * 18 + "|     1.0 s to    11.0 s"
    assert lines[1] == "gaie gaie-a       |" + " " * 4 + "!" * 6 + " " * 30 + "|     2.0 s to     5.0 s"
    assert lines[3].endswith("13.0 s to    20.0 s")  # still running
    assert bars([], 0.0) == []


def parameters(path, **more):
    names = ("cluster", "started", "failure", "inputs", "verification", "versions", "events_file", "diagnosis", "by")
    known = {**dict.fromkeys(names), "planned": {}, "collected": {}}
    return {**known, "state": "present", "path": str(path), "outcome": "succeeded", **more}


def test_a_failure_is_recorded_without_secrets(tmp_path):
    path = tmp_path / "east" / "20261121T083000Z"
    path.mkdir(parents=True)
    (path / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in EVENTS))
    failed_release = {"name": "gaie-a", "action": None, "error": "a|b\nc", "chart": "inferencepool"}
    params = parameters(
        path,
        outcome="failed",
        failure={"component": "gaie", "text": "```\nHF_TOKEN=abcdef12345 is wrong"},
        inputs={"llm_d_models": [{"name": "a"}], "prepare_hf_token": "hf_abcdefghijkl"},
        collected={"gaie": {"parts": [failed_release]}},
        verification={"checks": [{"model": "a", "name": "pods", "ok": False, "detail": "0 of 1"}], "models": []},
        versions={"helm": "v3.19.4"},
        planned={"plan": {"digest": "sha256:a1"}},
    )
    result, warnings = deployment_record.run(params)
    assert warnings == []
    assert result["changed"] is False and result["path"] == str(path)
    assert (result["summary"]["outcome"], result["summary"]["record"]) == ("failed", str(path))
    record = json.loads((path / "record.json").read_text())
    assert problems(record) == []
    page = (path / "record.md").read_text()
    assert (record["cluster"], record["started"], record["outcome"]) == ("east", "2026-11-21T08:30:00Z", "failed")
    assert page.startswith("# Deployment on east: failed")
    assert record["plan_digest"] == "sha256:a1" and "Plan `sha256:a1`." in page
    assert "Component: gaie" in page and "````text" in page and "| gaie-a | failed | inferencepool |" in page
    assert "a\\|b c" in page and "| a | pods | 0 of 1 |" in page and "| helm | v3.19.4 |" in page
    for text in (page, json.dumps(record)):
        assert "hf_abc" not in text and "abcdef12345" not in text
    assert {os.stat(path / name).st_mode & 0o777 for name in ("record.json", "record.md", "record.html")} == {0o640}
    assert sorted(os.listdir(path)) == ["events.jsonl", "record.html", "record.json", "record.md"]


def problems(record):
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(record)]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("record", [sample(), failed(), sample(events=[], stack={}, releases=[], verification={})])
def test_records_are_as_the_schema_says(record):
    assert problems(record) == []


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1},
        {"more": 1},
        {"outcome": "well"},
        {"started": "today"},
        {"releases": [{"name": "a"}]},
        {"steps": [{}]},
        {"routes": [{"name": "a"}]},
        {"by": {"uid": 1}},
    ],
)
def test_the_schema_refuses(change):
    assert problems({**sample(), **change})


def test_a_release_says_what_made_it():
    (first, second) = sample()["releases"]
    assert (first["component"], first["chart_ref"], first["revision"], first["inputs_digest"]) == (
        "modelservice",
        "oci://registry.example/charts/x",
        1,
        "aa",
    )
    assert second["inputs_digest"] == ""
    assert sample()["approved"]["digest"].startswith("sha256:") and sample(approved_inputs={})["approved"] == {}
    assert [row["name"] for row in sample()["routes"]] == ["llm-d-a", "llm-d-b"]


def test_only_a_failure_has_a_diagnosis():
    diagnosis = failed()["diagnosis"]
    assert diagnosis["causes"][0]["id"] == "DIAG101" and not {"screen", "changed"} & set(diagnosis)
    page = markdown(failed())
    assert (
        "## Why it failed" in page and "- **The image does not exist** (DIAG101)" in page and "What to do: Mend" in page
    )
    assert sample(diagnosis={"causes": []}, failure={"text": "x"})["diagnosis"] == {}


def test_a_log_in_a_diagnosis_is_bounded():
    diagnosis = {"causes": [{"evidence": ["x" * 20000]}]}
    assert len(failed(diagnosis=diagnosis)["diagnosis"]["causes"][0]["evidence"][0]) < 8100


def test_success_names_no_failure(tmp_path):
    path = tmp_path / "east" / "20261121T083000Z"
    deployment_record.run(parameters(path, failure={"component": None, "text": None}))
    assert "Failure" not in (path / "record.md").read_text()
    assert path.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("state", ["prepared", "present"])
def test_check_mode_writes_nothing(tmp_path, state):
    result, _warnings = deployment_record.run(
        parameters(tmp_path / "a" / "20261121T083000Z", state=state), check_mode=True
    )
    assert result["files"] == [] and os.listdir(tmp_path) == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_folder_that_cannot_be_written_is_one_error(tmp_path, check_mode):
    (tmp_path / "records").write_text("a file")
    path = tmp_path / "records" / "east" / "20261121T083000Z"
    with pytest.raises(OrchestratorError, match="Cannot write (.|\n)*llm_d_records_dir"):
        deployment_record.run(parameters(path, state="prepared"), check_mode=check_mode)


def test_a_wrong_time_is_named(tmp_path):
    with pytest.raises(OrchestratorError, match="'today'"):
        deployment_record.run(parameters(tmp_path / "east" / "today"))


@pytest.mark.parametrize(
    ("given", "environment", "found"),
    [
        ({"user": "ann"}, {}, {"user": "ann"}),
        # Another program's JOB_ID says nothing.
        ({"user": "ann", "job": ""}, {"JOB_ID": "7"}, {"user": "ann"}),
        (
            {"user": "ann"},
            {"JOB_ID": "7", "AWX_HOST": "https://awx.example"},
            {"user": "ann", "job": "7", "controller": "https://awx.example"},
        ),
        ({"user": "ann", "job": "8"}, {"JOB_ID": "7", "AWX_PRIVATE_DATA_DIR": "/x"}, {"user": "ann", "job": "8"}),
    ],
)
def test_author(given, environment, found):
    result = author(given, environment)
    assert result.pop("host") and result == found


def test_a_user_without_a_name(monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 1000730000")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert author({}, {})["user"].startswith("uid ")
