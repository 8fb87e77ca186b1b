# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab of machines that tests/machines/run.sh has booted (MACHINES_LAB): commands in it, its faults, playbooks."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import time
import typing as t

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lab.machines.machine_lab import MachineLab

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECAP = re.compile(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Machines:
    """A lab of machines as a test uses it."""

    lab: str

    @property
    def folder(self) -> pathlib.Path:
        """Where the lab has its inventory and its key."""
        return MachineLab(self.lab).folder

    def ssh(self, name: str, *command: str) -> list[str]:
        """Return the line that runs a command on a machine."""
        return ["ssh", "-F", str(self.folder / "ssh_config"), name, *command]

    def run(self, name: str, command: str) -> str:
        """Return what a command on a machine printed; fail where it fails."""
        done = subprocess.run(self.ssh(name, command), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{name}: {command}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def succeeds(self, name: str, command: str) -> bool:
        """Return whether a command on a machine ends without an error."""
        return subprocess.run(self.ssh(name, command), capture_output=True, check=False, timeout=120).returncode == 0

    def state(self, name: str, state: str) -> None:
        """Boot, stop or kill a machine."""
        lab = MachineLab(self.lab)
        with lab.lock():
            lab.set_machine(name, state, None, check_mode=False)

    def play(self, playbook: str, *arguments: str) -> dict[str, int]:
        """Run a playbook of this folder; return by host how many tasks have changed something."""
        line = ["ansible-playbook", "-i", str(self.folder / "inventory.yml"), f"tests/machines/{playbook}", *arguments]
        env = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default"}
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=900)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return {host: int(changed) for host, changed, *_bad in RECAP.findall(done.stdout)}


def eventually(question: t.Callable[[], t.Any], seconds: float, what: str) -> t.Any:
    """Return the first answer that is true; fail where none comes in time."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, f"{what}: not after {seconds:.0f} s"
        time.sleep(0.5)
    return answer


@pytest.fixture(scope="session")
def machines() -> Machines:
    """Return the lab, which has to be up."""
    found = Machines(os.environ["MACHINES_LAB"])
    MachineLab(found.lab).verified()
    return found
