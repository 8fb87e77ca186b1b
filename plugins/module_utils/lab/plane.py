# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's serving plane as a background process: started, watched, restarted when its code changes."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess

from ..base.errors import OrchestratorError, install_command
from . import state as process
from .state import LabState, crowded, patience, wait_until

PACKAGE = "serving_plane"
READY_WITHIN = 30


class ServingPlane:
    """A lab's serving plane. python: interpreter with its packages. files: the folder that holds its package."""

    def __init__(self, state: LabState, python: str, files: str, load_balancer: bool) -> None:
        self.state = state
        self.python = python
        self.files = pathlib.Path(files)
        self.load_balancer = load_balancer

    def exists(self) -> bool:
        """Say whether the package is there to be started."""
        return (self.files / PACKAGE / "__main__.py").is_file()

    def fingerprint(self) -> str:
        """Return a hash of all that decides how the plane behaves: its code, interpreter and options."""
        digest = hashlib.sha256(f"{self.python} {self.load_balancer}".encode())
        for path in sorted((self.files / PACKAGE).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(self.files)).encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:16]

    def running(self) -> list[process.Process]:
        """Return the planes that run for this lab; there should be one."""
        return process.planes_of(self.state.dir, process.processes())

    def healthy(self, recorded: str | None) -> bool:
        """Say whether exactly one plane runs, of this code, and is watching. recorded: fingerprint at its start."""
        if not self.exists():
            return not self.running()
        return len(self.running()) == 1 and self.state.plane_ready.exists() and recorded == self.fingerprint()

    def command(self) -> list[str]:
        """Return the plane's command line."""
        options = ["--kubeconfig", str(self.state.kubeconfig), "--state-dir", str(self.state.dir)]
        return [self.python, "-m", PACKAGE, *options, *(["--load-balancer"] if self.load_balancer else [])]

    def stop(self) -> list[int]:
        """End this lab's planes."""
        ended = process.stop(self.running(), grace=3.0)
        self.state.plane_ready.unlink(missing_ok=True)
        return ended

    def restart(self) -> int | None:
        """Start the plane afresh and wait until it watches; return its number, or None where there is no package."""
        self.stop()
        if not self.exists():
            return None
        env = {**os.environ, "PYTHONPATH": str(self.files), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        with open(self.state.plane_log, "ab") as log:
            child = subprocess.Popen(
                self.command(), env=env, cwd=self.state.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: self.state.plane_ready.exists() or child.poll() is not None, READY_WITHIN)
        if child.poll() is None and self.state.plane_ready.exists():
            return child.pid
        self.stop()
        text = self.state.plane_log.read_text(encoding="utf-8", errors="replace")
        late = f"was not ready after {patience(READY_WITHIN):.0f}s."
        raise OrchestratorError(
            f"The serving plane of the lab {self.state.name!r} "
            + ("exited immediately." if child.poll() is not None else late),
            details=text.splitlines()[-8:],
            hint=f"Its log is {self.state.plane_log}; lab_python is the Python that runs it ({self.python}), which "
            f"needs packages: {install_command(self.python)}.{crowded()}",
        )
