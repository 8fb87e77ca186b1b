# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The action plugin that waits for background jobs: what it reads of their files, and what it says of failures."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.action.release_jobs import failure_text, left, read_result

ROOT = pathlib.Path(__file__).resolve().parents[3]
PLAY = """---
- name: Test
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Start one that takes long, and may
      ansible.builtin.command: sleep 3
      async: 60
      poll: 0
      register: patient
    - name: Start one that takes longer than it may
      ansible.builtin.command: sleep 30
      async: 60
      poll: 0
      register: hasty
    - name: Wait
      llm_d.orchestrator.release_jobs:
        jobs:
          patient: {id: "{{ patient.ansible_job_id }}", timeout: 30}
          hasty: {id: "{{ hasty.ansible_job_id }}", timeout: 1}
"""


def test_each_job_has_its_own_limit(tmp_path):
    (tmp_path / "play.yml").write_text(PLAY)
    program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections"), "ANSIBLE_NOCOLOR": "1"}
    env |= {"ANSIBLE_ASYNC_DIR": str(tmp_path), "ANSIBLE_LOCALHOST_WARNING": "false"}
    line = [program, "play.yml"]
    done = subprocess.run(line, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert "hasty failed; nothing that depends on this is done. Finished: patient." in done.stdout, done.stdout
    assert "hasty: it did not end within 1 s" in done.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ('{"started": true, "fin', None),
        (json.dumps({"started": True, "finished": False, "ansible_job_id": "j1"}), None),
        (
            json.dumps({"changed": True, "parts": [], "invocation": {"x": 1}, "_ansible_warnings": []}),
            {"changed": True, "parts": []},
        ),
    ],
)
def test_a_result_is_read_when_the_job_has_ended(tmp_path, text, expected):
    path = tmp_path / "j1"
    if text is not None:
        path.write_text(text)
    assert read_result(str(path)) == expected


def test_each_failed_component_has_its_own_error():
    results = {"gaie": {"failed": True, "msg": "no image"}, "gateway": {}, "modelservice": {"rc": 1, "stderr": "boom"}}
    text = failure_text(results, ["gaie", "modelservice"])
    head = "gaie and modelservice failed; nothing that depends on this is done. Finished: gateway."
    assert text.splitlines()[0] == head
    assert "gaie: no image" in text
    assert "modelservice: boom" in text


@pytest.mark.parametrize(
    ("awaited", "results", "expected"),
    [
        ({"platform", "router"}, {}, {"platform", "router"}),
        ({"platform"}, {}, {"platform"}),
        ({"platform"}, {"platform": {}}, set()),
        ({"platform"}, {"platform": {"failed": True}}, {"router"}),
        ({"platform"}, {"router": {"failed": True}}, {"platform"}),
    ],
)
def test_what_nothing_needs_is_left_to_a_later_call_unless_one_failed(awaited, results, expected):
    assert left(["platform", "router"], awaited, results) == expected
