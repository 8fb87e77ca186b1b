# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is printed: a failed result has only what the screen and the fleet's summary need, and a job of AWX no files.

A job's container is gone with its files when somebody reads its output, and nobody runs commands in it.
"""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.action import stack_diagnosis, stack_rollback, stack_status
from ansible_collections.llm_d.orchestrator.plugins.callback import progress
from ansible_collections.llm_d.orchestrator.plugins.modules import deployment_plan
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils import screen

WELL = {"name": "a", "drift": "", "ready": True}
UNKNOWN = {"name": "b", "drift": "", "ready": None}
DRIFTED = {"name": "c", "drift": "changed", "ready": True}
BROKEN = {"name": "d", "drift": "", "ready": False}
STATUS = {"healthy": False, "record": {}, "last": {}, "screen": ["x"], "rows": [WELL, UNKNOWN, DRIFTED, BROKEN]}


def test_a_failed_status_has_the_rows_that_matter():
    assert stack_status.told({**STATUS, "failed": True}) == {
        "failed": True,
        "healthy": False,
        "record": {},
        "rows": [DRIFTED, BROKEN],
    }


@pytest.mark.parametrize("result", [STATUS, {"failed": True, "msg": "no cluster", "rows": []}])
def test_another_status_is_whole(result):
    assert stack_status.told(result) == result


def test_a_failed_diagnosis_says_nothing_twice():
    result = {"failed": True, "msg": "x", "causes": [{}], "screen": ["x"], "evidence": [], "releases": [], "counts": {}}
    assert stack_diagnosis.told(result) == {"failed": True, "msg": "x", "causes": [{}]}


@pytest.fixture
def job(monkeypatch):
    monkeypatch.setenv("JOB_ID", "7")
    monkeypatch.setenv("AWX_HOST", "https://awx.example.com")


SITE = ["/usr/bin/ansible-playbook", "playbooks/site.yml", "-i", "inventory"]


def test_commands_of_a_terminal():
    assert stack_status.fixing(SITE).startswith("ansible-playbook")
    assert stack_rollback.returning(SITE).startswith("ansible-playbook")
    assert stack_diagnosis.continuing(SITE).startswith("ansible-playbook")


@pytest.mark.usefixtures("job")
def test_a_job_says_what_to_start_in_awx():
    assert stack_status.fixing(SITE) == "start the template deploy"
    assert stack_rollback.returning(SITE, llm_d_approved_digest="sha256:a") == (
        "start the template rollback with llm_d_approved_digest: sha256:a"
    )
    assert stack_diagnosis.continuing(SITE) == "start the template deploy"


RECORDED = {"path": "/runner/records/x", "files": ["record.html"], "kept": "llm-d/llm-d-record-1"}


@pytest.mark.parametrize(
    ("answer", "place"),
    [(RECORDED, "Secret llm-d/llm-d-record-1"), ({**RECORDED, "kept": ""}, "/runner/records/x"), ({"files": []}, "")],
)
@pytest.mark.usefixtures("job")
def test_a_job_names_the_secret_of_its_record(answer, place):
    assert progress.record_place(answer) == place


def test_elsewhere_the_records_folder_is_named():
    assert progress.record_place(RECORDED) == "/runner/records/x"


def planned(tmp_path):
    action = {"action": "create", "kind": "Secret", "namespace": "n", "name": "a", "component": "gaie", "release": "r"}
    plan = {"digest": "sha256:a", "made": "now", "namespace": "n", "actions": [action]}
    given = {"state": "present", "approve": "no", "environment": "", "arguments": [], "answers": [], "artifacts": None}
    return deployment_plan.run({**given, "plan": plan, "cluster": "east", "directory": str(tmp_path)})


@pytest.mark.usefixtures("job")
def test_a_job_that_plans_names_no_files(tmp_path):
    text = "\n".join(planned(tmp_path)["summary"])
    assert str(tmp_path) not in text and "ansible-playbook" not in text
    assert "approve it, or start the template deploy with llm_d_approved_digest: sha256:a" in text


def test_a_plan_elsewhere_names_its_files_and_the_command(tmp_path):
    text = "\n".join(planned(tmp_path)["summary"])
    assert str(tmp_path) in text and "ansible-playbook" in text


def test_a_worker_tells_by_its_queue_alone(monkeypatch, capsys):
    sent = []
    queue = type("Queue", (), {"send_display": staticmethod(lambda *args, **_options: sent.append(args))})
    monkeypatch.setattr(screen.display, "_final_q", queue)
    screen.tell("a line")
    assert sent == [("display", "a line")] and capsys.readouterr().out == ""
