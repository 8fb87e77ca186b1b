# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the module lab_binaries and shows its progress: a build takes minutes, and a module speaks only at its end."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# Seconds between two signs of life of a step that takes long.
HEARTBEAT = 20.0
display = Display()


class Ticker:
    """Shows the lines that the module appends to a file, and that the last step still goes on."""

    def __init__(self, path: str, show: t.Callable[[str], None]) -> None:
        self.path = path
        self.show = show
        self.done = threading.Event()
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Ticker:
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.done.set()
        self.thread.join()

    def _run(self) -> None:
        shown, step, since, beat = 0, "", time.monotonic(), time.monotonic()
        while True:
            last_round = self.done.wait(0.5)
            lines = self._lines()
            for line in lines[shown:]:
                self.show(f"lab, {elapsed(time.monotonic() - self.started)}: {line}")
                step, since, beat = line, time.monotonic(), time.monotonic()
            shown = len(lines)
            if last_round:
                return
            if step.startswith(("building", "downloading", "waiting")) and time.monotonic() - beat >= HEARTBEAT:
                beat = time.monotonic()
                done = f"{elapsed(beat - since)} so far{compiled(step)}"
                self.show(f"lab, {elapsed(beat - self.started)}: still {step.partition(', with')[0]} ({done})")

    def _lines(self) -> list[str]:
        with open(self.path, encoding="utf-8") as stream:
            text = stream.read()
        # A line without its end is still being written.
        return text.split("\n")[:-1]


def elapsed(seconds: float) -> str:
    """Return a time as minutes and seconds ("2:05")."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def compiled(step: str) -> str:
    """Return how many packages a build has compiled, read from the log that its step names; "" for other steps."""
    log = step.partition("; log ")[2]
    try:
        with open(log, encoding="utf-8", errors="replace") as stream:
            return f", {sum(1 for line in stream if not line.startswith('go: '))} packages compiled"
    except OSError:
        return ""


class ActionModule(ActionBase):
    """The module of the same name, with its progress shown. It runs where its files can be read: connection local."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return the module's result."""
        super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        if arguments.get("progress_file"):
            return self._execute_module(module_args=arguments, task_vars=task_vars)
        descriptor, path = tempfile.mkstemp(prefix="lab-progress-")
        os.close(descriptor)
        try:
            with Ticker(path, display.display):
                arguments["progress_file"] = path
                return self._execute_module(module_args=arguments, task_vars=task_vars)
        finally:
            os.unlink(path)
