# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""How the jobs of one deployment are told to stop: by a file, as they are processes of their own.

A job that is told so begins no further install, lets the Helm commands that run come to their end, so that no release
is left pending, and no longer waits for objects.
"""

from __future__ import annotations

import os
import threading
import typing as t

from .errors import OrchestratorError
from .process import Process, runs

CANCELLED = "cancelled because another component failed"
LOOK_EVERY = 0.3


class Cancelled(OrchestratorError):
    """The job was told to stop."""

    def __init__(self) -> None:
        super().__init__(CANCELLED)


def cancel_path(events_file: str | None) -> str:
    """Return the file that tells the jobs of a run to stop, "" where the run keeps no events."""
    return f"{os.path.expanduser(events_file)}.cancel" if events_file else ""


def request(path: str) -> None:
    """Tell all jobs of a run to stop; raise OrchestratorError where the file cannot be made."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o640))
    except OSError as exc:
        raise OrchestratorError(f"Cannot stop the other components: {path}: {exc.strerror}.") from exc


def withdraw(path: str) -> None:
    """Take the request back, after all jobs have ended."""
    if path and os.path.exists(path):
        os.unlink(path)


class Cancellation:
    """Looks for the request; is_set() says whether there is one."""

    def __init__(self, path: str, tell: t.Callable[[], t.Any], owner: Process | None = None) -> None:
        """tell: called once when the request comes, from a thread; owner: the playbook, whose end is one too."""
        self._set, self._ended = threading.Event(), threading.Event()
        self.path, self.tell, self.owner = path, tell, owner or {}
        if path or owner:
            threading.Thread(target=self._look, daemon=True, name="cancellation").start()

    def _look(self) -> None:
        # A file of another process: there is nothing to wait on.
        while not self._ended.wait(LOOK_EVERY):
            if os.path.exists(self.path) or runs(self.owner) is False:
                self._set.set()
                self.tell()
                return

    def is_set(self) -> bool:
        """Return whether the job is to stop."""
        return self._set.is_set()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
