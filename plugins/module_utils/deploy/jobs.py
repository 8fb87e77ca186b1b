# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The background jobs of one deployment, by the files in which Ansible keeps their results."""

from __future__ import annotations

import json
import os
import threading
import time
import typing as t

from ..base.cancel import CANCELLED, Cancelled, cancel_path, request, withdraw
from ..base.data import Object
from ..base.process import Process, runs

# A job's result is a file of another process: there is nothing to wait on (seconds).
LOOK_EVERY = 0.2


class NotStarted(Cancelled):
    """The job was to begin after another one, and a component has failed."""

    def __init__(self, component: str, names: t.Iterable[str]) -> None:
        """names: the parts that were not begun."""
        super().__init__()
        parts = [{"component": component, "name": name, "error": CANCELLED, "cancelled": True} for name in names]
        self.result = {"parts": parts}


def read_result(path: str) -> Object | None:
    """Return a job's result, None while it runs."""
    try:
        with open(path, encoding="utf-8") as stream:
            result = json.load(stream)
    except (FileNotFoundError, json.JSONDecodeError):
        return None  # not written yet
    if "started" in result and not result.get("finished"):
        return None
    return {key: value for key, value in result.items() if not key.startswith("_ansible") and key != "invocation"}


def failed_in(result: Object) -> bool:
    """Return whether a job has failed."""
    return bool(result.get("failed") or result.get("rc"))


def hold_path(events_file: str | None) -> str:
    """Return the file that tells the jobs of a run to begin nothing more, "" where the run keeps no events."""
    return f"{os.path.expanduser(events_file)}.hold" if events_file else ""


def await_jobs(paths: t.Iterable[str], events_file: str | None, owner: Process | None) -> bool:
    """Return whether all jobs have succeeded, once they have ended; False at once where a component failed.

    paths: their result files; owner: the playbook, without which nothing is begun.
    """
    stops = [path for path in (hold_path(events_file), cancel_path(events_file)) if path]
    left = list(paths)
    while left:
        if any(map(os.path.exists, stops)) or runs(owner or {}) is False:
            return False
        results = {path: read_result(path) for path in left}
        if any(result and failed_in(result) for result in results.values()):
            return False
        left = [path for path, result in results.items() if result is None]
        if left:
            threading.Event().wait(LOOK_EVERY)
    return True


class Jobs:
    """The jobs of a run that are waited for, on the host that they run on.

    jobs: by component {id, timeout}; folder: that of their result files; cancel: whether the others are stopped once
    one has failed; waited: the seconds that were waited for them before.
    """

    def __init__(
        self, jobs: t.Mapping[str, Object], folder: str, events_file: str | None, *, cancel: bool, waited: float = 0
    ) -> None:
        folder = os.path.expanduser(folder)
        self.paths = {name: os.path.join(folder, job["id"]) for name, job in jobs.items()}
        self.ends = {name: time.monotonic() - waited + float(job["timeout"]) for name, job in jobs.items()}
        self.timeouts = {name: float(job["timeout"]) for name, job in jobs.items()}
        self.stops = [hold_path(events_file), *([cancel_path(events_file)] if cancel else [])]
        self.results: dict[str, Object] = {}

    def wait(self, seconds: float) -> bool:
        """Return whether all have ended, after some seconds at most; the files of this run are gone then."""
        until = time.monotonic() + seconds
        while self._left() and time.monotonic() < until:
            threading.Event().wait(LOOK_EVERY)
        if len(self.results) < len(self.paths):
            return False
        for path in [*self.stops, *self.paths.values()]:
            withdraw(path)
        return True

    def _left(self) -> bool:
        """Return whether a job may still run."""
        for name in [name for name in self.paths if name not in self.results]:
            result = read_result(self.paths[name])
            if result is None and time.monotonic() > self.ends[name]:
                result = {"failed": True, "msg": f"timed out after {self.timeouts[name]:.0f}s"}
            if result is not None:
                self.results[name] = result
                for stop in filter(None, self.stops if failed_in(result) else []):
                    request(stop)
        return len(self.results) < len(self.paths)
