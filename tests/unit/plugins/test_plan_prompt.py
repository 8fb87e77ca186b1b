# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The role plan asks once for all clusters of a play, as ansible-playbook runs it on a terminal."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from terminal import answer

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/unit/plugins/module_utils"))
from plan.world import plan, question  # noqa: E402

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


# ansible-runner, and so AWX, runs a playbook on a terminal at which nobody sits.
RUNNER = {"AWX_ISOLATED_DATA_DIR": "/runner/artifacts/1"}


def test_a_job_is_not_asked_for_consent(command, tmp_path):
    text = answer(command, str(tmp_path), {**ENVIRONMENT, **RUNNER}, [], 60)
    assert "deployed calm" in text and "deployed east" not in text
    assert "Type yes" not in text and "llm_d_consent" in text


# In place of the role stack: the plan again, with the questions answered.
ANSWERED = """---
- name: Tell the decisions
  ansible.builtin.debug: {msg: "{{ inventory_hostname }} decided {{ stack_decisions | to_json }}"}
- name: Plan again
  ansible.builtin.set_fact:
    stack_plan: {plan: "{{ stack_plan.plan | combine({'questions': []}) }}"}
"""


@pytest.fixture
def asking(tmp_path):
    """Return a command that asks two clusters' questions, and its environment; calm has none."""
    here = tmp_path / "collections" / "ansible_collections" / "llm_d" / "orchestrator"
    for part in ("plugins", "meta", "roles/plan", "roles/consent"):
        shutil.copytree(ROOT / part, here / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", here)
    (here / "roles/stack/tasks").mkdir(parents=True)
    (here / "roles/stack/tasks/main.yml").write_text(ANSWERED)
    asked = {"east": [question(), question(id="Route/demo/r")], "west": [question()], "calm": []}
    for host, questions in asked.items():
        (tmp_path / f"{host}.json").write_text(json.dumps(plan(consents=[], questions=questions)))
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
    command = [program, str(tmp_path / "play.yml"), "-i", "calm,east,west,", "-e", '{"llm_d_decisions": {"a": "new"}}']
    return command, {**ENVIRONMENT, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections")}


def test_each_cluster_gets_its_answers(asking, tmp_path):
    command, environment = asking
    typed = [("east: Gateway/demo/other", "reuse"), ("east: Route/demo/r", "new"), ("west: Gateway/demo/other", "new")]
    text = answer(command, str(tmp_path), environment, typed, 40)
    assert "east decided" in text and "west decided" in text and "calm decided" not in text, text
    said = text.replace("\\", "")
    assert 'east decided {"a": "new", "Gateway/demo/other": "reuse", "Route/demo/r": "new"}' in said
    assert 'west decided {"a": "new", "Gateway/demo/other": "new"}' in said
    assert text.count('"deployed ') == 3


def test_without_answers_nothing_goes_on(asking, tmp_path):
    command, environment = asking
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    text = done.stdout + done.stderr
    assert "2 questions are not answered. Nothing was changed." in text and "decided" not in text
    assert "deployed east" not in text and "llm_d_decisions" in text


def test_a_job_is_not_asked_questions(asking, tmp_path):
    command, environment = asking
    text = answer(command, str(tmp_path), {**environment, **RUNNER}, [], 60)
    assert "2 questions are not answered. Nothing was changed." in text and "decided" not in text
