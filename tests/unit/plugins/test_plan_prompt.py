# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The role plan asks once for all clusters of a play, as ansible-playbook runs it on a terminal."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from terminal import answer

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/unit/plugins/module_utils"))
from plan_world import plan  # noqa: E402

PLAYBOOK = """---
- name: Test
  hosts: all
  gather_facts: false
  connection: local
  vars:
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    stack_plan: {plan: "{{ lookup('file', playbook_dir ~ '/' ~ inventory_hostname ~ '.json') | from_json }}"}
  tasks:
    - name: Ask
      ansible.builtin.include_role: {name: llm_d.orchestrator.plan}
      vars: {plan_state: approved}
    - name: Go on
      ansible.builtin.debug: {msg: "deployed {{ inventory_hostname }}"}
"""
CONSENT = {"id": "delete:Pod/demo/a", "kind": "delete", "what": "delete Pod demo/a", "granted": False}


@pytest.fixture
def command(tmp_path):
    """Return a command that asks for the approval of three clusters; the last lacks no consent."""
    for host, consents in (("east", [CONSENT]), ("west", plan()["consents"]), ("calm", [])):
        (tmp_path / f"{host}.json").write_text(json.dumps(plan(consents=consents)))
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
    return [program, str(tmp_path / "play.yml"), "-i", "calm,east,west,"]


ENVIRONMENT = {
    **os.environ,
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
    "ANSIBLE_NOCOLOR": "1",
}


def test_yes_is_for_all(command, tmp_path):
    text = answer(command, str(tmp_path), ENVIRONMENT, [("Type yes to deploy these", "yes")], 30)
    before, _plan, prompt = text.partition("Plan for east")
    assert "Plan for west" in prompt and "Plan for calm" not in text
    assert prompt.count("deployed ") == 3 and "deployed" not in before


def test_anything_else_is_for_none_that_was_asked(command, tmp_path):
    text = answer(command, str(tmp_path), ENVIRONMENT, [("Type yes to deploy these", "y")], 30)
    assert "deployed calm" in text and "deployed east" not in text and "deployed west" not in text
    assert text.count("The plan was not approved; nothing was changed.") >= 2


def test_without_a_terminal_the_variables_are_named(command, tmp_path):
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    for text in ("delete Pod demo/a", "replace Service demo/gaie-a-epp", '-e \'{"llm_d_consent": ["delete"]}\''):
        assert text in done.stdout + done.stderr
