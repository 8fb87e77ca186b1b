# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal and types answers, as a person would."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import time


def answer(command: list[str], folder: str, env: dict[str, str], typed: list[tuple[str, str]], timeout: float) -> str:
    """Return all that a command printed; typed: (text to wait for, line to type then).

    Raises TimeoutError with what was printed where the command does not end in time.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(command[0], command, env)
    try:
        return _talk(terminal, list(typed), time.monotonic() + timeout)
    finally:
        os.close(terminal)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 15)
        os.waitpid(pid, 0)


def _talk(terminal: int, waiting: list[tuple[str, str]], end: float) -> str:
    """Read until the other side closes, typing each line once its text came."""
    text, seen = "", 0
    while True:
        ready, _writable, _failed = select.select([terminal], [], [], max(end - time.monotonic(), 0))
        if not ready:
            raise TimeoutError(text)
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that nobody holds the other side any more
            return text
        if not chunk:
            return text
        text += chunk.decode(errors="replace").replace("\r\n", "\n")
        if waiting and waiting[0][0] in text[seen:]:
            seen = len(text)
            os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
