# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Which process holds a lock, and whether it still runs: told for certain on its own machine, unknown elsewhere.

A process is known by {boot, space, pid, start}: the machine's boot, its PID namespace (containers have their own),
its number there, and when it began, since numbers are used again.
"""

from __future__ import annotations

import os
import pathlib

BOOT = "sys/kernel/random/boot_id"
PROC = pathlib.Path("/proc")
Process = dict[str, str]


def start_of(pid: int, proc: pathlib.Path = PROC) -> str | None:
    """Return when a process began (clock ticks since boot), None where it has ended; "" where /proc is missing.

    A process that only waits to be collected by its parent has ended.
    """
    if not (proc / "self").exists():
        return "" if _answers(pid) else None
    try:
        fields = (proc / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def describe(pid: int, proc: pathlib.Path = PROC) -> Process:
    """Return how a process of this machine is known."""
    return {**_here(proc), "pid": str(pid), "start": start_of(pid, proc) or ""}


def _here(proc: pathlib.Path) -> Process:
    try:
        boot = (proc / BOOT).read_text(encoding="utf-8").strip()
        space = os.readlink(proc / "self" / "ns" / "pid")
    except OSError:
        return {"boot": "", "space": ""}
    return {"boot": boot, "space": space}


def runs(process: Process, proc: pathlib.Path = PROC) -> bool | None:
    """Return whether a process that describe() told of runs, None where that cannot be told from here."""
    here = _here(proc)
    if not here["boot"] or any(process.get(key) != value for key, value in here.items()):
        return None
    number = process.get("pid") or ""
    return start_of(int(number), proc) == process.get("start") if number.isdigit() else None
