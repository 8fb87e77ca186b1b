# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""An AWX that lasts for the tests of this folder, and the playbook that sets it up."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "awx")]
from awx_runs import Run  # noqa: E402
from awx_server.server import TOKEN, Awx, Running  # noqa: E402


@pytest.fixture(scope="session")
def awx() -> Iterator[Awx]:
    with Running() as running:
        yield running


@pytest.fixture(scope="session")
def set_up(awx: Awx, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Runs awx_setup.yml with variables and arguments."""
    folder = tmp_path_factory.mktemp("set-up")

    def run(*arguments: str, **variables: Any) -> Run:
        before = len(awx.changing())
        path = folder / "variables.json"
        path.write_text(json.dumps(variables), encoding="utf-8")
        command = ["ansible-playbook", str(TESTS.parent / "playbooks" / "awx_setup.yml"), "-e", f"@{path}", *arguments]
        # Time enough for a machine with much else to do.
        controller = {"HOST": awx.url, "OAUTH_TOKEN": TOKEN, "REQUEST_TIMEOUT": "300"}
        environment = {**os.environ, **{f"CONTROLLER_{key}": value for key, value in controller.items()}}
        done = subprocess.run(
            command, cwd=folder, env={**environment, "HOME": str(folder)}, capture_output=True, text=True, check=False
        )
        text = done.stdout + done.stderr
        recap = re.search(r"changed=(\d+)", text)
        items = re.findall(r"^changed: \[localhost\] => \(item=(.*)\)$", text, re.MULTILINE)
        return Run(done.returncode, text, int(recap[1]) if recap else -1, items, awx.changing()[before:])

    return run
