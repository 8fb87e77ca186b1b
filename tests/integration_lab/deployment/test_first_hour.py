# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A new user's first hour on a terminal of 80 columns: the README's two models deployed, replicas changed, a broken
value, the value fixed, a model removed, everything removed. What one needs to know stands last on the screen."""

from __future__ import annotations

import os
import pathlib
import re
import shutil

import pytest
from plane_client import Lab
from terminal import COLUMNS, ROWS, told

from playbooks import ROOT

NAMESPACE = "first-hour"
SECOND = "llama-3-2-1b"
DECODE = f"ms-{SECOND}-llm-d-modelservice-decode"
PATIENCE = 400
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A folder with the user's copy of the lab's inventory, and what a command leaves on the screen."""

    def __init__(self, folder: pathlib.Path, lab: Lab) -> None:
        self.folder, self.lab = folder, lab
        shutil.copytree(ROOT / "inventories" / "lab", folder / "inventory")
        self.file = folder / "inventory" / "group_vars" / "all" / "stack.yml"
        self.edit("llm_d_namespace: llm-d\n", f"llm_d_namespace: {NAMESPACE}\n")

    def edit(self, old: str, new: str) -> None:
        """Change a text of the inventory, as with an editor."""
        text = self.file.read_text()
        assert old in text, old
        self.file.write_text(text.replace(old, new))

    def run(self, playbook: str, *typed: tuple[str, str]) -> tuple[list[str], int]:
        """Return the rows that a playbook printed, as the terminal breaks them, and its exit code."""
        command = ["ansible-playbook", str(ROOT / "playbooks" / f"{playbook}.yml"), "-i", "inventory"]
        command += ["-e", f"lab_name={os.environ['TEST_LAB']}"]
        env = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PWD": str(self.folder), "TERM": "xterm"}
        text, code = told(command, str(self.folder), env, list(typed), PATIENCE)
        lines = COLOUR.sub("", text).rstrip().split("\n")
        return [line[at : at + COLUMNS] for line in lines for at in range(0, max(len(line), 1), COLUMNS)], code

    def replicas(self) -> int | None:
        """Return how many replicas the second model has, None where it is not there."""
        found = self.lab.get("apps/v1", "Deployment", NAMESPACE, DECODE)
        return found["spec"]["replicas"] if found else None


@pytest.fixture(scope="module")
def terminal(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    return Terminal(tmp_path_factory.mktemp("first"), lab)


def screen(rows: list[str]) -> str:
    """Return what is on the screen once a command has ended."""
    return "\n".join(rows[-ROWS:])


def test_the_two_models_are_deployed(terminal: Terminal) -> None:
    rows, code = terminal.run("site")
    assert code == 0 and terminal.replicas() == 2, screen(rows)
    assert "[COMPLETE]" in screen(rows) and SECOND in screen(rows), screen(rows)


def test_changed_replicas_are_named_and_deployed(terminal: Terminal) -> None:
    terminal.edit("'replicas': 2", "'replicas': 3")
    rows, code = terminal.run("site")
    assert code == 0 and terminal.replicas() == 3, screen(rows)
    assert "replicas 2 → 3" in "\n".join(rows) and "[COMPLETE]" in screen(rows), screen(rows)


def test_a_broken_value_is_the_last_thing_said(terminal: Terminal) -> None:
    terminal.edit("'replicas': 3", "'replicas': 'three'")
    rows, code = terminal.run("site")
    assert code != 0 and terminal.replicas() == 3, screen(rows)
    last = "\n".join(rows[-12:])
    assert "replicas" in last and "three" in last and "[COMPLETE]" not in last, screen(rows)


def test_the_fixed_value_changes_nothing(terminal: Terminal) -> None:
    terminal.edit("'replicas': 'three'", "'replicas': 3")
    rows, code = terminal.run("site")
    assert code == 0 and "[COMPLETE]" in screen(rows) and terminal.replicas() == 3, screen(rows)


def test_a_removed_model_is_asked_about(terminal: Terminal) -> None:
    text = terminal.file.read_text()
    terminal.file.write_text(text[: text.index(f"  - name: {SECOND}")])
    question = "Type yes to delete"
    rows, code = terminal.run("site", (question, "no"))
    assert code == 0 and terminal.replicas() == 3, screen(rows)
    # The terminal breaks a long command anywhere.
    shown = "".join(rows[-ROWS:])
    assert "no longer in the inventory but still there" in shown and shown.endswith("llm_d_prune=true"), screen(rows)
    rows, code = terminal.run("site", (question, "yes"))
    assert code == 0 and terminal.replicas() is None, screen(rows)
    assert "[COMPLETE]" in screen(rows) and "still there" not in screen(rows), screen(rows)


def test_nothing_is_left_after_teardown(terminal: Terminal) -> None:
    rows, code = terminal.run("teardown", ("Type yes to remove all of it", "yes"))
    assert code == 0, screen(rows)
    left = terminal.lab.core.list_namespaced_secret(NAMESPACE, label_selector="owner=helm").items
    routes = terminal.lab.resource("gateway.networking.k8s.io/v1", "HTTPRoute").get(namespace=NAMESPACE).items
    assert not left and not routes and not terminal.lab.core.list_namespaced_pod(NAMESPACE).items
    terminal.lab.core.delete_namespace(NAMESPACE)
