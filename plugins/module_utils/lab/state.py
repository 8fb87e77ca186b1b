# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a lab keeps its files, its lock, its record (lab.json) and its ports."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import time
import typing as t
import zlib

from ..base.errors import OrchestratorError
from ..base.files import write_atomic

PORT_NAMES = ("apiserver", "etcd", "etcd_peer", "controller_manager", "scheduler", "kwok")
# Below the ephemeral ranges of Linux (32768 up), so that no outgoing connection takes one between runs.
PORT_RANGE = range(21000, 31000)
_PORTS_LOCK = 1 << 33
# A busy machine may take so many seconds for a step, and no longer; it is busy with twice the work that it can do.
LONGEST_WAIT, BUSY = 900.0, 2.0


def xdg_dir(variable: str, default: str, env: t.Mapping[str, str]) -> pathlib.Path:
    """Return this collection's folder under an XDG base directory; a relative or empty value is ignored."""
    base = env.get(variable, "")
    root = pathlib.Path(base) if base.startswith("/") else pathlib.Path(env.get("HOME") or "~").expanduser() / default
    return root / "llm-d-orchestrator"


class LabState:
    """One lab's folder. name: 1-40 lower-case letters, digits and hyphens; raises OrchestratorError otherwise."""

    def __init__(self, name: str, env: t.Mapping[str, str] | None = None, root: str | None = None) -> None:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
            raise OrchestratorError(
                f"lab_name {name!r} is not a valid name.",
                hint="Use 1 to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
            )
        env = os.environ if env is None else env
        self.name = name
        labs = pathlib.Path(root) if root else xdg_dir("XDG_STATE_HOME", ".local/state", env) / "labs"
        # Processes are known by paths on their command lines: one spelling for all runs.
        self.labs = labs.expanduser().resolve()
        if re.search(r"\s", str(self.labs)):
            raise OrchestratorError(
                f"The labs' folder {self.labs} has a space in its path, which KWOK does not support.",
                hint="Set XDG_STATE_HOME to a folder without one.",
            )
        self.dir = self.labs / name
        self.kubeconfig = self.dir / "kubeconfig"
        self.record_file = self.dir / "lab.json"
        self.workdir = self.dir / "kwok"
        self.cluster_dir = self.workdir / "clusters" / name
        self.plane_log = self.dir / "serving_plane.log"
        self.plane_ready = self.dir / "serving_plane.ready"
        self.fault_logs = self.dir / "fault_logs"

    def record(self) -> dict:
        """Return lab.json, {} where it is missing or half written."""
        try:
            found = json.loads(self.record_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_record(self, record: dict) -> None:
        """Replace lab.json in one step."""
        write_atomic(str(self.record_file), json.dumps(record, indent=2, sort_keys=True) + "\n", 0o600)

    def remove(self) -> None:
        """Delete the lab's folder; a missing one is fine."""
        if self.dir.exists():
            shutil.rmtree(self.dir)

    @contextlib.contextmanager
    def lock(self) -> t.Iterator[None]:
        """Hold this lab's lock: a second lab_up or lab_down of the same lab waits."""
        with _range_lock(self.labs, zlib.crc32(self.name.encode())):
            yield

    def choose_ports(self) -> dict[str, int]:
        """Return free ports that no other lab's record claims; the caller writes them to lab.json at once."""
        with _range_lock(self.labs, _PORTS_LOCK):
            ports = free_ports(len(PORT_NAMES), self._claimed(), seed=zlib.crc32(self.name.encode()))
            chosen = dict(zip(PORT_NAMES, ports, strict=True))
            self.write_record({**self.record(), "ports": chosen})
        return chosen

    def _claimed(self) -> set[int]:
        claimed: set[int] = set()
        for record in self.labs.glob("*/lab.json"):
            if record != self.record_file:
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    claimed.update(json.loads(record.read_text(encoding="utf-8")).get("ports", {}).values())
        return claimed


def free_ports(count: int, claimed: t.Collection[int], seed: int = 0, ports: range = PORT_RANGE) -> list[int]:
    """Return `count` ports on 127.0.0.1 that nothing listens on; the search starts at a place that `seed` decides."""
    start = seed % len(ports)
    found: list[int] = []
    for port in [*ports[start:], *ports[:start]]:
        if port not in claimed and port_is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OrchestratorError(f"No {count} free ports on 127.0.0.1 between {ports.start} and {ports.stop - 1}.")


def port_is_free(port: int) -> bool:
    """Say whether nothing listens on the port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def _range_lock(labs: pathlib.Path, offset: int) -> t.Iterator[None]:
    """Lock one byte of labs/.lock: one file serves all labs, so that lab_down need not leave one behind."""
    labs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(labs / ".lock", "a+b") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX, 1, offset)
        try:
            yield
        finally:
            fcntl.lockf(stream, fcntl.LOCK_UN, 1, offset)


PROC = pathlib.Path("/proc")


class Process(t.NamedTuple):
    """A live process. argv: its command line; rss: resident memory in bytes."""

    pid: int
    argv: list[str]
    rss: int


def processes(proc: pathlib.Path = PROC) -> list[Process]:
    """Return the processes whose command lines can be read; dead ones that nobody has waited for have none."""
    found = []
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end while it is looked at.
        with contextlib.suppress(OSError, ValueError, IndexError):
            argv = (entry / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
            pages = int((entry / "statm").read_text().split()[1])
            if argv != [""]:
                found.append(Process(int(entry.name), argv, pages * os.sysconf("SC_PAGE_SIZE")))
    return found


def components_of(cluster_dir: pathlib.Path, running: list[Process]) -> dict[str, Process]:
    """Return a lab's control plane by component name (etcd, kube-apiserver, kwok-controller ...)."""
    prefix = str(cluster_dir / "bin") + "/"
    return {found.argv[0][len(prefix) :]: found for found in running if found.argv[0].startswith(prefix)}


def planes_of(state_dir: pathlib.Path, running: list[Process]) -> list[Process]:
    """Return the serving planes that were started for a state folder."""
    return [
        found
        for found in running
        if "serving_plane" in found.argv and _option(found.argv, "--state-dir") == str(state_dir)
    ]


def _option(argv: list[str], name: str) -> str | None:
    return argv[argv.index(name) + 1] if name in argv[:-1] else None


def stop(victims: t.Iterable[Process], grace: float = 5.0) -> list[int]:
    """End processes, politely for `grace` seconds and then by force; return the numbers that it ended."""
    pids = [victim.pid for victim in victims]
    for number, wait in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + wait
        while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not any(is_alive(pid) for pid in pids):
            break
    return pids


def is_alive(pid: int, proc: pathlib.Path = PROC) -> bool:
    """Say whether a process runs; one that only waits to be collected by its parent does not."""
    try:
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in ("Z", "X")


def crowding() -> float:
    """Return how many times longer everything takes on this machine now: processes that want to run, per processor."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def patience(seconds: float) -> float:
    """Return how long to wait now for what takes so many seconds on a machine that has nothing else to do."""
    return min(seconds * crowding(), max(seconds, LONGEST_WAIT))


def crowded() -> str:
    """Return what to do about a machine that has too much to do, "" for one that has not."""
    if crowding() < BUSY:
        return ""
    load, count = os.getloadavg()[0], os.cpu_count() or 1
    return (
        f" The machine is busy (load {load:.0f} on {count} processors): stop other programs, and start the lab again, "
        "which continues from here."
    )


def wait_until(condition: t.Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
    """Return whether the condition came true within the time, which is longer on a machine that has much to do."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > patience(seconds):
            return False
        time.sleep(step)
    return True
