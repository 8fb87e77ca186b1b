# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The action plugin that waits for background jobs: what it reads of their files, and what it says of failures."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

from ansible_collections.llm_d.orchestrator.plugins.action.release_jobs import failure_text

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
    assert "hasty failed. Components that depend on it are skipped. Finished: patient." in done.stdout, done.stdout
    assert "hasty: timed out after 1s" in done.stdout


def test_each_failed_component_has_its_own_error():
    results = {"gaie": {"failed": True, "msg": "no image"}, "gateway": {}, "modelservice": {"rc": 1, "stderr": "boom"}}
    text = failure_text(results, ["gaie", "modelservice"])
    head = "gaie and modelservice failed. Components that depend on it are skipped. Finished: gateway."
    assert text.splitlines()[0] == head
    assert "gaie: no image" in text
    assert "modelservice: boom" in text
