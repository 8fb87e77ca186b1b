# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The program that the role orchestrator_cli has installed, as its user would try it. CLI_PREFIX: its folder."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
import testinfra

PREFIX = pathlib.Path(os.environ["CLI_PREFIX"])
LINK = PREFIX.with_name("llm-orchestrator-link")
WORKFLOW = """\
name: from-outside
version: "1.0"
steps:
  - {id: one, type: transform, function: identity, inputs: [text], output: [first]}
  - {id: two, type: transform, function: identity, inputs: [first], output: [second], depends_on: [one]}
"""


@pytest.fixture(scope="module")
def machine() -> testinfra.host.Host:
    """Return this machine, as testinfra sees it."""
    return testinfra.get_host("local://")


def test_the_link_leads_to_the_program(machine: testinfra.host.Host) -> None:
    assert machine.file(str(LINK)).linked_to.startswith(str(PREFIX))
    assert machine.run(f"{LINK} --version").stdout.startswith("llm-orchestrator 0.1.")


def test_a_workflow_is_validated_and_run(machine: testinfra.host.Host, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "workflow.yaml"
    file.write_text(WORKFLOW)
    assert machine.run(f"{LINK} validate {file}").rc == 0
    ran = machine.run(f'OPENAI_API_KEY=none {LINK} run {file} --input \'{{"text": "hello"}}\'')
    assert ran.rc == 0, ran.stderr
    results = json.loads(ran.stdout[ran.stdout.index("\n{") :])
    assert {name: step["status"] for name, step in results.items()} == {"one": "Completed", "two": "Completed"}


def test_a_workflow_with_a_mistake_is_refused(machine: testinfra.host.Host, tmp_path: pathlib.Path) -> None:
    file = tmp_path / "workflow.yaml"
    file.write_text(WORKFLOW.replace("depends_on: [one]", "depends_on: [three]"))
    assert machine.run(f"{LINK} validate {file}").rc != 0


def test_servers_are_not_in_what_is_released(machine: testinfra.host.Host) -> None:
    assert machine.run(f"{LINK} server --help").rc != 0
