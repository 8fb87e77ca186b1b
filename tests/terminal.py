# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal and types answers, as a person would."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import time

# Seconds after which a line is typed again where nothing but its echo came; what more than an echo is, in characters.
AGAIN = 0.5
ECHO = 12
# Seconds without output after which a prompt is complete.
QUIET = 0.05


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
    """Read until the other side closes, typing each line once its text came and all is quiet."""
    text, seen, written, before = "", 0, 0.0, 0
    while time.monotonic() < end:
        if select.select([terminal], [], [], QUIET)[0]:
            chunk = _read(terminal)
            if not chunk:
                return text
            text += chunk.decode(errors="replace").replace("\r\n", "\n")
            if written and len(text) > before + len(waiting[0][1]) + ECHO:
                waiting.pop(0)
                seen, written = before, 0.0
        elif waiting and waiting[0][0] in text[seen:] and time.monotonic() > written + AGAIN and _listens(terminal):
            # Ansible throws away what was typed before it listens, so once may not be enough.
            before = len(text)
            os.write(terminal, waiting[0][1].encode() + b"\n")
            written = time.monotonic()
    raise TimeoutError(text)


def _read(terminal: int) -> bytes:
    """Return what was printed, nothing once nobody holds the other side any more."""
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says so
        return b""


def _listens(terminal: int) -> bool:
    """Return whether the program reads each key as it is typed, which a prompt of Ansible does."""
    return not termios.tcgetattr(terminal)[3] & termios.ICANON
