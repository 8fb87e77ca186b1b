# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Timed steps of a deployment, as JSON lines that several processes append to one file."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import time
import typing as t

from .errors import OrchestratorError

STARTED, DONE, FAILED = "started", "done", "failed"
# A line is written by one write(); longer details would only repeat what the error itself says.
DETAIL_LIMIT = 2000


def now() -> str:
    """Return the UTC time with milliseconds, for example 2026-11-21T08:30:00.123Z."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Events:
    """Appends events to a file; a path of None (or "") writes nothing.

    One O_APPEND write per line, so that processes and threads may share the file.
    """

    def __init__(self, path: str | None) -> None:
        self.path = os.path.expanduser(path) if path else None

    def emit(self, component: str, step: str, status: str, *, name: str = "", **facts: t.Any) -> dict:
        """Append one event and return it.

        component: row of the component table (gaie); name: the release or object (gaie-qwen3-32b).
        step: install, ready, apply, accepted, probe ...; status: started, done or failed.
        facts: usually seconds (float) and detail (str); None values are left out.
        A disk that is full, or was taken away, ends no deployment: the event is returned with lost, the reason, and
        the record warns of the folder. Raises OrchestratorError where the folder can never be written.
        """
        event: dict[str, t.Any] = {"time": now(), "component": component, "name": name, "step": step, "status": status}
        event.update({key: value for key, value in facts.items() if value is not None})
        if isinstance(event.get("seconds"), float):
            event["seconds"] = round(event["seconds"], 3)
        if isinstance(event.get("detail"), str):
            event["detail"] = event["detail"][:DETAIL_LIMIT]
        if self.path:
            lost = self._append(json.dumps(event, ensure_ascii=False, default=str) + "\n")
            event.update({"lost": lost} if lost else {})
        return event

    @contextlib.contextmanager
    def step(self, component: str, step: str, *, name: str = "") -> t.Iterator[None]:
        """Emit started, then done or failed (with the error's text) with the seconds that the block took."""
        self.emit(component, step, STARTED, name=name)
        begin = time.monotonic()
        try:
            yield
        except BaseException as exc:
            self.emit(component, step, FAILED, name=name, seconds=time.monotonic() - begin, detail=str(exc))
            raise
        self.emit(component, step, DONE, name=name, seconds=time.monotonic() - begin)

    def _append(self, line: str) -> str:
        """Append a line; return why it is lost, "" where it is not."""
        path = t.cast(str, self.path)
        try:
            self._make_directory(os.path.dirname(path))
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                os.write(handle, line.encode(errors="backslashreplace"))
            finally:
                os.close(handle)
        except OSError as exc:
            return exc.strerror or str(exc)
        return ""

    def _make_directory(self, directory: str) -> None:
        try:
            os.makedirs(directory or ".", mode=0o750, exist_ok=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as exc:
            raise OrchestratorError(
                f"Cannot write the timed steps to {self.path}: {exc.strerror or exc}.",
                hint="Set llm_d_records_dir to a writable folder, or fix its permissions.",
            ) from exc


def read_events(path: str | None) -> list[dict]:
    """Return the file's events in order; [] where it does not exist. A line cut short by a crash is skipped."""
    if not path or not os.path.exists(os.path.expanduser(path)):
        return []
    events = []
    with open(os.path.expanduser(path), encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                events.append(event)
    return events


def parse_time(text: str) -> float:
    """Return seconds since the epoch for an event's time; raises ValueError for another format."""
    parsed = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()
