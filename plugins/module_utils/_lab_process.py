# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A lab's processes, found by what they run and never by a stored number alone (numbers are reused)."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time
import typing as t

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


def wait_until(condition: t.Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
    """Return whether the condition came true within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True
