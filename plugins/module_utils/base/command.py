# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Programs run with an end: after a time, and at an amount of memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t

try:
    import resource
except ImportError:  # pragma: no cover - not on Windows
    resource = None  # type: ignore[assignment]


# Ten times what Helm takes for the charts in use; a template that loops without an end takes all there is.
HELM_MEMORY = 1024 * 1024 * 1024


class TimeOver(Exception):
    """The program was ended, as its time was over."""


def run_bounded(
    line: t.Sequence[str], env: t.Mapping[str, str], seconds: float, *, memory: int = 0, children: bool = False
) -> subprocess.CompletedProcess[str]:
    """Return what a program came to and printed; raise TimeOver after its seconds, OSError where it cannot be run.

    memory: bytes that it may allocate, where the system can bound that (Linux), 0 for any; children: end what it has
    started too, for which it gets a process group of its own.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603
        line, env=env, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, errors="replace",
        start_new_session=children,
    ) as process:  # fmt: skip
        _bound(process.pid, memory)
        try:
            out, err = process.communicate(timeout=seconds)
        except BaseException as exc:
            _kill(process, children)
            if isinstance(exc, subprocess.TimeoutExpired):
                raise TimeOver from exc
            raise
        return subprocess.CompletedProcess(line, process.returncode, out, err)


def _bound(pid: int, memory: int) -> None:
    """Bound what a process may allocate. Not its address space: Go reserves a multiple of what it uses."""
    if memory and hasattr(resource, "prlimit"):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended, or is of another user
            resource.prlimit(pid, resource.RLIMIT_DATA, (memory, memory))


def _kill(process: subprocess.Popen[str], children: bool) -> None:
    if children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
