# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs this collection's playbooks on the tests' lab with its own inventory, as a user would."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import time
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
RECAP = re.compile(r"changed=(\d+).*failed=(\d+)")


@dataclasses.dataclass(frozen=True)
class Run:
    """What a playbook printed and how it ended. seconds: how long it took."""

    text: str
    code: int
    changed: int
    seconds: float


def command(name: str, *args: str, checkout: pathlib.Path = ROOT, **variables: Any) -> list[str]:
    """The command of a checkout's playbook with its inventory of the lab."""
    inventory = ("-i", str(checkout / "inventories" / "lab"))
    extra = json.dumps({"lab_name": os.environ["TEST_LAB"], **variables})
    return ["ansible-playbook", str(checkout / "playbooks" / f"{name}.yml"), *inventory, *args, "-e", extra]


def environment(folder: pathlib.Path) -> dict[str, str]:
    """The environment of a shell in a folder. A row of the screen has room for every message."""
    return {**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "2000", "PWD": str(folder)}


def play(folder: pathlib.Path, name: str, *args: str, timeout: float = 240, **variables: Any) -> Run:
    """Run a playbook in a folder, which gets its records."""
    begin = time.monotonic()
    done = subprocess.run(
        command(name, *args, **variables),
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    recap = RECAP.search(done.stdout)
    return Run(done.stdout + done.stderr, done.returncode, int(recap[1]) if recap else 0, time.monotonic() - begin)
