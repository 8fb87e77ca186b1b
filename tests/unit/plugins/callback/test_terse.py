# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The stdout callback as ansible-playbook runs it: what is ours is left out, what is not and what fails is not."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.callback.terse import told_lines

ROOT = pathlib.Path(__file__).resolve().parents[4]
OURS = """---
- name: Our play
  hosts: all
  gather_facts: false
  tasks:
    - name: Our task
      ansible.builtin.debug: {msg: [First line., Second line.]}
      tags: [planning]
    - name: Our loop
      ansible.builtin.set_fact: {seen: "{{ item }}"}
      loop: [one, two]
    - name: Our failure
      ansible.builtin.assert: {that: not (bad | default(false)), fail_msg: "It broke.\\n  - in detail"}
      tags: [deploying]
    - name: Ignored by us
      ansible.builtin.fail: {msg: Never mind.}
      ignore_errors: true
    - name: Our end
      ansible.builtin.debug: {msg: Done.}
      tags: [complete]
"""
THEIRS = """---
- name: Import ours
  ansible.builtin.import_playbook: llm_d.orchestrator.phases
- name: Their play
  hosts: all
  gather_facts: false
  tasks:
    - name: Their task
      ansible.builtin.debug: {msg: Theirs.}
    - name: Their failure
      ansible.builtin.fail: {msg: Their own mistake.}
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
    (here / "playbooks" / "phases.yml").write_text(OURS)
    (top / "theirs.yml").write_text(THEIRS)
    return top


def play(collections, playbook, *more, callback="llm_d.orchestrator.terse", hosts="lab,"):
    """Return the finished process of a run."""
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(playbook), "-i", hosts, *more]
    given = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_STDOUT_CALLBACK": callback}
    env = {**os.environ, **given, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "80"}
    return subprocess.run(command, env=env, capture_output=True, text=True, cwd=collections, check=False)


def without_times(text):
    return re.sub(r" +[0-9.]+s ", "", text)


def test_a_good_run_shows_phases_what_is_told_and_the_recap(collections):
    lines = without_times(play(collections, "llm_d.orchestrator.phases").stdout).split("\n")
    recap = next(line for line in lines if line.startswith("lab "))
    assert lines == [
        "[PLANNING] reading the inputs, checking all values and the cluster",
        "First line.",
        "Second line.",
        "[DEPLOYING] installing all components at once",
        "Done.",
        "",
        "PLAY RECAP *********************************************************************",
        recap,
        "",
        "[COMPLETE] done",
        "",
    ]


def test_verbosely_every_task_is_shown(collections):
    text = play(collections, "llm_d.orchestrator.phases", "-v").stdout
    for part in ("PLAY [Our play]", "TASK [Our loop]", "ok: [lab] => (item=one)", "[DEPLOYING]"):
        assert part in text


def test_a_failure_of_ours_stands_once_at_the_end_without_a_dump(collections):
    done = play(collections, "llm_d.orchestrator.phases", "-e", "bad=true")
    text = without_times(done.stdout)
    assert done.returncode == 2
    assert "fatal:" not in text + done.stderr and "{" not in text
    tail = text.partition("PLAY RECAP")[2].split("\n")[3:]
    assert tail == [
        "[FAILED] ended in DEPLOYING",
        "",
        "It broke.",
        "  - in detail",
        "Then run again:",
        "  ansible-playbook llm_d.orchestrator.phases -i lab, -e bad=true",
        "",
    ]


def test_tasks_and_failures_of_others_are_shown_in_full(collections):
    text = play(collections, "theirs.yml").stdout
    for part in ("PLAY [Their play]", "TASK [Their task]", '"msg": "Theirs."', "fatal: [lab]: FAILED! =>"):
        assert part in text
    assert "Our play" not in text and "Our task" not in text
    tail = text.partition("PLAY RECAP")[2]
    assert re.search(r"Their failure \(.*theirs\.yml:\d+\):\nTheir own mistake\.", re.sub(r"\n  +", " ", tail)), tail
    assert text.splitlines()[-1] == "  ansible-playbook theirs.yml -i lab,"


def test_of_several_hosts_what_is_told_names_its_host(collections):
    lines = play(collections, "llm_d.orchestrator.phases", hosts="a,b,").stdout.splitlines()
    assert lines[lines.index("a:") + 1] == "First line." and "b:" in lines


@pytest.mark.parametrize("callback", ["ansible.posix.json", "ansible.posix.jsonl"])
def test_what_programs_read_stays_for_programs(collections, callback):
    done = play(collections, "llm_d.orchestrator.phases", "-e", "bad=true", callback=callback)
    documents = [done.stdout] if callback.endswith("json") else done.stdout.splitlines()
    assert all(json.loads(text) for text in documents if text) and documents
    assert "[DEPLOYING]" in done.stderr and "It broke." in done.stderr


def test_a_map_that_is_told_is_lines():
    report = {"Removed": ["Helm release a", "HTTPRoute b"], "Stays": ["Namespace c: kept"], "Left": []}
    assert list(told_lines(report)) == [
        "Removed:", "  Helm release a", "  HTTPRoute b", "Stays:", "  Namespace c: kept", "Left: nothing",
    ]  # fmt: skip
