# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal of 80 columns and 24 rows and types answers, as a person would."""

from __future__ import annotations

import io
import termios
import time

import pexpect

ROWS, COLUMNS = 24, 80
# Seconds after which a line is typed again where nothing but its echo came; what more than an echo is, in characters.
AGAIN = 0.5
ECHO = 12
# Seconds between two looks at whether a prompt listens.
LOOK = 0.05


def answer(command: list[str], folder: str, env: dict[str, str], typed: list[tuple[str, str]], timeout: float) -> str:
    """Return all that a command printed; typed: (text to wait for, line to type then).

    Raises TimeoutError with what was printed where the command does not end in time.
    """
    return told(command, folder, env, typed, timeout)[0]


def told(
    command: list[str], folder: str, env: dict[str, str], typed: list[tuple[str, str]], timeout: float
) -> tuple[str, int]:
    """Return all that a command printed, and its exit code; see answer."""
    shown = io.StringIO()
    child = pexpect.spawn(command[0], command[1:], cwd=folder, env=env, dimensions=(ROWS, COLUMNS), encoding="utf-8",
                          codec_errors="replace", timeout=timeout)  # fmt: skip
    child.logfile_read = shown
    try:
        for text, line in typed:
            if child.expect_exact([text, pexpect.EOF]) == 0:
                _type(child, line, time.monotonic() + timeout)
        child.expect(pexpect.EOF)
    except pexpect.TIMEOUT as exc:
        raise TimeoutError(shown.getvalue()) from exc
    finally:
        child.close(force=True)
    return shown.getvalue().replace("\r\n", "\n"), int(child.exitstatus if child.exitstatus is not None else -1)


def _type(child: pexpect.spawn, line: str, end: float) -> None:
    """Type a line until something comes of it: Ansible throws away what was typed before it listens."""
    typed = False
    while time.monotonic() < end:
        if _listens(child):
            before, typed = len(child.buffer), True
            child.sendline(line)
            ended = child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=AGAIN) == 1
            if ended or len(child.buffer) > before + len(line) + ECHO:
                return
        elif typed or child.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=LOOK) == 1:
            # More output may come before the prompt does; once it has taken the line it no longer listens.
            return
    raise pexpect.TIMEOUT(f"nothing came of typing {line}")


def _listens(child: pexpect.spawn) -> bool:
    """Return whether the program reads each key as it is typed, which a prompt of Ansible does."""
    return not termios.tcgetattr(child.child_fd)[3] & termios.ICANON
