# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""One machine: its files over the base image, booted by systemd-nspawn, shut down, or cut off from its power."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import uuid

from ...base.errors import OrchestratorError
from .. import state as process
from .network import BRIDGE, Network
from .programs import run, search_path, succeeds

SHUTDOWN_WITHIN, DEATH_WITHIN, SSH_WITHIN = 60, 10, 60
SSH_PORT = 22
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# A cgroup of its own for each machine: nspawn puts what it boots below the one that it was started in.
ENTER = 'for file in $CGROUP_FILES; do echo $$ > "$file"; done; unset CGROUP_FILES; exec "$@"'
# Where a controller may keep what it resolves names by: systemd-resolved's own file first, as 127.0.0.53 is not there.
RESOLVERS = ("/run/systemd/resolve/resolv.conf", "/etc/resolv.conf")


class LabMachine:
    """A machine of a lab. folder: the lab's; image: the base image's root folder."""

    def __init__(self, lab: str, name: str, folder: pathlib.Path) -> None:
        self.name, self.full = name, f"{lab}-{name}"
        self.folder = folder / "machines" / name
        self.root, self.upper, self.work = (self.folder / part for part in ("root", "upper", "work"))
        self.console = self.folder / "console.log"
        self.image_file = self.folder / "image"

    def image(self) -> str:
        """Return the base image that the machine was made of, "" where it was not made."""
        return self.image_file.read_text(encoding="utf-8") if self.image_file.exists() else ""

    def make(self, image: pathlib.Path) -> None:
        """Make the machine's folder: what it writes lies over the image, or in a copy where there are no overlays."""
        for path in (self.root, self.upper, self.work):
            path.mkdir(parents=True, mode=0o755)
        self.image_file.write_text(str(image), encoding="utf-8")
        if not self._mount():
            run(["cp", "--archive", "--reflink=auto", f"{image}/.", str(self.root)])
        self.write("etc/machine-id", f"{uuid.uuid5(uuid.NAMESPACE_DNS, str(self.folder)).hex}\n")
        key = self.root / "etc/ssh/ssh_host_ed25519_key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", str(key)])

    def host_key(self) -> str:
        """Return the machine's public key as known_hosts has it."""
        text = (self.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="utf-8")
        return " ".join(text.split()[:2])

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the machine, where it differs."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            path.chmod(mode)

    def mount(self) -> None:
        """Mount the machine's files after a restart of the controller."""
        if not os.path.ismount(self.root) and not (self.root / "etc").is_dir() and not self._mount():
            raise OrchestratorError(f"The files of the machine {self.name!r} cannot be mounted on {self.root}.")

    def _mount(self) -> bool:
        layers = f"lowerdir={self.image()},upperdir={self.upper},workdir={self.work}"
        return succeeds(["mount", "-t", "overlay", self.full, "-o", layers, str(self.root)])

    def running(self) -> process.Process | None:
        """Return the nspawn that runs the machine, None where it is off."""
        wanted = f"--directory={self.root}"
        found = (one for one in process.processes() if one.argv[0] == "systemd-nspawn" and wanted in one.argv)
        return next(found, None)

    def boot(self, network: Network) -> None:
        """Switch the machine on; it is not waited for."""
        self.mount()
        self.write("etc/resolv.conf", _resolver())
        files = []
        for hierarchy in self._cgroups():
            hierarchy.mkdir(exist_ok=True)
            files.append(str(hierarchy / "cgroup.procs"))
        nspawn = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", f"--machine={self.full}"]
        nspawn += [f"--directory={self.root}", f"--network-bridge={BRIDGE}", f"--hostname={self.name}"]
        nspawn += ["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--settings=no"]
        env = {"PATH": search_path(), "CGROUP_FILES": " ".join(files), "LC_ALL": "C.UTF-8"}
        line = ["sh", "-c", ENTER, "sh", *network.inside(*nspawn)]
        with self.console.open("ab") as log:
            subprocess.Popen(  # noqa: S603
                line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True, cwd="/"
            )

    def wait(self, address: str) -> None:
        """Wait until the machine lets one in by ssh; raises OrchestratorError with the end of its console."""
        if process.wait_until(lambda: _greets(address), SSH_WITHIN, 0.1):
            return
        text = self.console.read_text(encoding="utf-8", errors="replace") if self.console.exists() else ""
        raise OrchestratorError(
            f"The machine {self.name!r} did not answer on {address} after {process.patience(SSH_WITHIN):.0f}s.",
            hint=f"Its console is in {self.console}.{process.crowded()}",
            details=text.splitlines()[-8:],
        )

    def shut_down(self) -> bool:
        """Shut the machine down in order; return whether it ran."""
        found = self.running()
        if found:
            os.kill(found.pid, signal.SIGTERM)
            if not process.wait_until(lambda: not process.is_alive(found.pid), SHUTDOWN_WITHIN):
                raise OrchestratorError(f"The machine {self.name!r} did not shut down.", hint="Use the state killed.")
            self._sweep()
        return bool(found)

    def kill(self) -> bool:
        """End the machine as a power cut does: nothing in it gets a word in; return whether it ran."""
        found = self.running()
        if found:
            # The first process in the machine takes all others with it; nspawn then removes the cable.
            for pid in _children(found.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not process.wait_until(lambda: not process.is_alive(found.pid), DEATH_WITHIN):
                process.stop([found])
            self._sweep()
        return bool(found)

    def remove(self) -> None:
        """Remove the machine and its files."""
        self.kill()
        if os.path.ismount(self.root):
            run(["umount", str(self.root)])
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _cgroups(self) -> list[pathlib.Path]:
        return [
            one / f"llm-d-{self.full}" for one in hierarchies(pathlib.Path("/proc/mounts").read_text(encoding="utf-8"))
        ]

    def _sweep(self) -> None:
        """Remove the machine's cgroups; the kernel needs a moment for those of processes that have just ended."""
        for top in self._cgroups():
            if not process.wait_until(functools.partial(_removed, top), DEATH_WITHIN):
                raise OrchestratorError(f"Processes of the machine {self.name!r} are left in {top}.")


def hierarchies(mounts: str) -> list[pathlib.Path]:
    """Return the cgroup hierarchies by which systemd knows its services, of the text of /proc/mounts."""
    rows = [line.split() for line in mounts.splitlines()]
    named = [row for row in rows if row[2] == "cgroup2" or (row[2] == "cgroup" and "name=systemd" in row[3].split(","))]
    return [pathlib.Path(row[1]) for row in named if pathlib.Path(row[1]).is_relative_to(CGROUPS)]


def _removed(top: pathlib.Path) -> bool:
    folders = [pathlib.Path(folder) for folder, _inner, _files in os.walk(top, topdown=False)]
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
    return not top.exists()


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [
            int(one) for one in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        ]
    return []


def _greets(address: str) -> bool:
    try:
        with socket.create_connection((address, SSH_PORT), timeout=1) as stream:
            return stream.recv(4) == b"SSH-"
    except OSError:
        return False


def _resolver() -> str:
    return next(pathlib.Path(one).read_text(encoding="utf-8") for one in RESOLVERS if pathlib.Path(one).exists())
