# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The programs that a lab of machines is run with: asked for, started, and told of when they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t

from ...base.errors import OrchestratorError

# Program to the Debian package that has it.
PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "nft": "nftables",
    "ssh-keygen": "openssh-client",
}


def require_machines(programs: t.Iterable[str] = tuple(PACKAGES)) -> None:
    """Raise OrchestratorError where this machine cannot run others."""
    if os.geteuid() != 0:
        raise OrchestratorError(
            "A lab of machines needs root: it makes network namespaces and boots root file systems.",
            hint="Run the playbook as root, for example with sudo.",
        )
    missing = [name for name in programs if not shutil.which(name, path=search_path())]
    if missing:
        packages = " ".join(sorted({PACKAGES[name] for name in missing}))
        raise OrchestratorError(f"Programs not found: {', '.join(missing)}.", hint=f"apt-get install {packages}")


def search_path() -> str:
    """Return the folders of programs, with those that only root has on its PATH."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def run(line: t.Sequence[str], text: str | None = None) -> str:
    """Return what a program printed; raises OrchestratorError with its last words where it fails."""
    env = {**os.environ, "PATH": search_path(), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(list(line), input=text, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        details = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise OrchestratorError(f"{line[0]} failed with exit code {done.returncode}: {' '.join(line)}", details=details)
    return done.stdout


def succeeds(line: t.Sequence[str]) -> bool:
    """Return whether a program ends without an error."""
    env = {**os.environ, "PATH": search_path()}
    return subprocess.run(list(line), env=env, capture_output=True, check=False).returncode == 0  # noqa: S603
