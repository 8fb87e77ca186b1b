# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines of progress while programs are fetched: a build takes minutes."""

from __future__ import annotations

import threading
import time
import typing as t

# Seconds between two signs of life of a step that takes long.
HEARTBEAT = 20.0


class LabProgress:
    """Shows steps with the time since the start, and within its block that the last one still goes on."""

    def __init__(self, show: t.Callable[[str], t.Any], every: float = HEARTBEAT) -> None:
        self.show, self.every = show, every
        self.begin = self.since = time.monotonic()
        self.step, self.lock = "", threading.Lock()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> LabProgress:
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.done.set()
        self.thread.join()

    def say(self, step: str) -> None:
        """Show a step that begins, or that is done."""
        with self.lock:
            self.step, self.since = step, time.monotonic()
            self.show(f"lab, {elapsed(self.since - self.begin)}: {step}")

    def _beat(self) -> None:
        while not self.done.wait(self.every):
            with self.lock:
                step, now = self.step, time.monotonic()
                if step.startswith(("building", "downloading", "waiting")):
                    so_far = f"{elapsed(now - self.since)} so far{compiled(step)}"
                    self.show(f"lab, {elapsed(now - self.begin)}: still {step.partition(', with')[0]} ({so_far})")


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
