# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines of progress while programs are fetched: a build takes minutes."""

from __future__ import annotations

import threading
import time
import typing as t

# Seconds between two signs of life of a step that takes long.
HEARTBEAT = 20.0
# The part of a whole from which on its pace tells how long the rest takes.
ENOUGH = 0.05


class LabProgress:
    """Shows steps with the time since the start, and within its block that the last one still goes on."""

    def __init__(self, show: t.Callable[[str], t.Any], every: float = HEARTBEAT) -> None:
        self.show, self.every = show, every
        self.begin = self.since = time.monotonic()
        self.step, self.lock = "", threading.Lock()
        self.share: Share | None = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> LabProgress:
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.done.set()
        self.thread.join()

    def say(self, step: str, share: Share | None = None) -> None:
        """Show a step that begins, or that is done. share: how much of a long one is done."""
        with self.lock:
            self.step, self.share, self.since = step, share, time.monotonic()
            self.show(f"lab, {elapsed(self.since - self.begin)}: {step}")

    def _beat(self) -> None:
        while not self.done.wait(self.every):
            with self.lock:
                step, now = self.step, time.monotonic()
                if step.startswith(("building", "downloading", "waiting")):
                    so_far = f"{elapsed(now - self.since)} so far{self.share.text() if self.share else ''}"
                    self.show(f"lab, {elapsed(now - self.begin)}: still {step.partition(', with')[0]} ({so_far})")


def elapsed(seconds: float) -> str:
    """Return a time as minutes and seconds ("2:05")."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Share:
    """How much of a known whole is done. unit: of its numbers."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.total = self.started = 0.0
        self.count: t.Callable[[], float] = float

    def begin(self, total: float, count: t.Callable[[], float]) -> None:
        """Take the whole, and what counts how much of it is done."""
        self.total, self.count, self.started = total, count, time.monotonic()

    def text(self) -> str:
        """Return the share, and how long the rest takes at this pace; "" where the whole is not known."""
        if not self.total:
            return ""
        done = min(self.count(), self.total)
        part = done / self.total
        left = (time.monotonic() - self.started) * (1 - part) / part if part >= ENOUGH else 0
        rest = f", about {elapsed(left)} left at this pace" if left >= 1 else ""
        return f", {done:.0f} of {self.total:.0f} {self.unit} ({part:.0%}){rest}"
