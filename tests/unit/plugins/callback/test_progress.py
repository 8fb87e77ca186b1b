# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The callback as ansible-playbook runs it: no configuration, and never twice."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.callback.progress import failure_text

ROOT = pathlib.Path(__file__).resolve().parents[4]
PLAYBOOK = """---
- name: Test
  hosts: all
  gather_facts: false
  vars:
    llm_d_events_file: "{{ run_dir | default('') }}/events.jsonl"
  tasks:
    - name: Plan
      ansible.builtin.debug: {msg: a}
      tags: [planning]
    - name: Deploy
      ansible.builtin.assert: {that: not (bad | default(false)), fail_msg: It broke.}
      tags: [deploying]
    - name: Wait
      # Fails once.
      ansible.builtin.command: {argv: [sh, -c, "test -e '{{ run_dir }}/again' || ! touch '{{ run_dir }}/again'"]}
      register: waited
      until: waited.rc == 0
      retries: 3
      delay: 0
      when: wait | default(false) | bool
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}", ansible_connection: local}
      tags: [deploying]
    - name: Finish
      ansible.builtin.debug: {msg: a}
      tags: [complete]
"""


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """Return a collections path with the plugins of this checkout installed, and one test playbook."""
    top = tmp_path_factory.mktemp("collections")
    here = top / "ansible_collections" / "llm_d" / "orchestrator"
    plugins = [f"plugins/{part}" for part in ("callback", "lookup", "module_utils", "plugin_utils")]
    for part in (*plugins, "playbooks/callback_plugins", "meta"):
        shutil.copytree(ROOT / part, here / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", here)
    (here / "playbooks" / "phases.yml").write_text(PLAYBOOK)
    return top


def phases(collections, playbook, *more, names="", **env):
    """Return the lines of the callback that a run prints, without the times. names: what lines begin with, if any."""
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-i", "lab,", *more]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "120", **env}
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=collections, check=False)
    lines = [line for line in done.stdout.splitlines() if re.match(rf"({names})? *\[[A-Z]+\] ", line)]
    assert lines, done.stdout + done.stderr
    return [re.sub(r" +[0-9.]+s ", "", line) for line in lines]


EXPECTED = [
    "[PLANNING] reading the inputs, checking all values and the cluster",
    "[DEPLOYING] installing all components at once",
    "[COMPLETE] done",
]


def test_an_installed_playbook_by_name(collections):
    assert phases(collections, "llm_d.orchestrator.phases") == EXPECTED


def test_a_playbook_that_imports_ours(collections):
    mine = collections / "mine.yml"
    mine.write_text("- import_playbook: llm_d.orchestrator.phases\n")
    assert phases(collections, mine) == EXPECTED


def test_enabled_as_well_it_still_prints_once(collections):
    enabled = {"ANSIBLE_CALLBACKS_ENABLED": "llm_d.orchestrator.progress"}
    assert phases(collections, "llm_d.orchestrator.phases", **enabled) == EXPECTED


def test_a_playbook_elsewhere_that_enables_it(collections, tmp_path):
    (tmp_path / "own.yml").write_text(PLAYBOOK)
    enabled = {"ANSIBLE_CALLBACKS_ENABLED": "llm_d.orchestrator.progress"}
    assert phases(collections, tmp_path / "own.yml", **enabled) == EXPECTED


def test_a_failure(collections):
    lines = phases(collections, "llm_d.orchestrator.phases", "-e", "bad=true")
    assert lines[2:] == ["[FAILED] DEPLOYING Deploy: It broke.", "[FAILED] ended in DEPLOYING"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"msg": "It broke.\nMore."}, "It broke.\nMore."),
        ({"exception": "Traceback"}, "Traceback"),
        ({}, "no message"),
        ({"msg": "x failed.", "failed_components": ["x"], "results": {"x": {"msg": "no image"}, "y": {}}}, "no image"),
        ({"msg": "gaie failed.", "failed_components": ["gaie"]}, "gaie failed."),
        (
            {"msg": "x", "failed_components": ["x", "y"], "results": {"x": {"msg": "no image"}, "y": {"stderr": "e"}}},
            "x: no image\ny: e",
        ),
    ],
)
def test_failure_text(answer, text):
    assert failure_text(answer) == text


def test_several_hosts(collections):
    lines = phases(collections, "llm_d.orchestrator.phases", "-i", "northwest,", names="lab|northwest")
    assert {line.split()[0] for line in lines} == {"lab", "northwest"}
    assert "lab        [PLANNING] reading the inputs, checking all values and the cluster" in lines


def test_what_is_waited_for(collections, tmp_path):
    event = {"component": "gaie", "name": "gaie-a", "step": "ready", "status": "started"}
    (tmp_path / "events.jsonl").write_text(json.dumps({"time": "2026-11-21T08:30:00.000Z", **event}))
    lines = phases(collections, "llm_d.orchestrator.phases", "-e", "wait=true", "-e", f"run_dir={tmp_path}")
    assert re.match(r"\[DEPLOYING\] waiting for gaie gaie-a \(\w+\)", lines[2])
