# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a command and all the processes that it starts use: wall time, CPU and memory."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

# Seconds between two looks at the memory. Each costs the kernel a walk through every page table.
PAUSE = 3.0
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.M)
PROC = pathlib.Path("/proc")
# Of <linux/prctl.h>.
SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass(frozen=True)
class Usage:
    """seconds: wall time; cpu: seconds of all processes; memory: the highest sum of their shares (PSS), in MiB.

    processes: the most that ran at once; output: what it printed; code: how it ended.
    """

    seconds: float
    cpu: float
    memory: float
    processes: int
    output: str
    code: int


def run(command: list[str], folder: pathlib.Path, environment: dict[str, str]) -> Usage:
    """Run a command in a folder and return what it used, its background jobs included."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
        done = subprocess.run(
            [sys.executable, __file__, answer.name, *command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        found = json.loads(answer.read() or "{}")
    if not found:
        sys.exit(f"{command[0]} was not measured:\n{done.stdout[-8000:]}")
    return Usage(**found, output=done.stdout, code=done.returncode)


def main() -> int:
    """Run a command as the one to whom its orphans fall: background jobs are waited for, so that their CPU counts."""
    answer, command = sys.argv[1], sys.argv[2:]
    ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    start, peak, ended = time.monotonic(), [(0.0, 0)], threading.Event()
    child = subprocess.Popen(command)
    sampler = threading.Thread(target=_sample, args=(os.getpid(), peak, ended), daemon=True)
    sampler.start()
    code = child.wait()
    seconds = time.monotonic() - start
    ended.set()
    sampler.join()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    used = os.times()
    found = {"seconds": seconds, "cpu": used.children_user + used.children_system}
    found |= {"memory": max(one for one, _count in peak), "processes": max(count for _one, count in peak)}
    pathlib.Path(answer).write_text(json.dumps(found), encoding="utf-8")
    return code


def _sample(root: int, peak: list[tuple[float, int]], ended: threading.Event) -> None:
    while not ended.wait(PAUSE):
        peak.append(tree_memory(root))


def tree_memory(root: int) -> tuple[float, int]:
    """Return the MiB that a process's descendants share out among them, and how many these are.

    A page that forks share counts once: PSS divides it among them; RSS would count it for each.
    """
    sizes = [_pss(pid) for pid in descendants(root, parents())[1:]]
    return sum(sizes) / 1024, len(sizes)


def parents() -> dict[int, int]:
    """Return each process's parent."""
    found = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):  # it ended meanwhile
            # After the name in parentheses: state, parent.
            found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def descendants(root: int, parent: dict[int, int]) -> list[int]:
    """Return a process and all that it has started, directly or not. parent: by process."""
    children: dict[int, list[int]] = {}
    for pid, above in parent.items():
        children.setdefault(above, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _pss(pid: int) -> int:
    """Return a process's share of memory in KiB, 0 where it has ended."""
    try:
        found = PSS.search((PROC / str(pid) / "smaps_rollup").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def cpu_of(text: str) -> float:
    """Return the CPU seconds so far of all processes whose command line has a text."""
    total = 0
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            if text in (folder / "cmdline").read_text():
                user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
                total += int(user) + int(system)
    return total / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
