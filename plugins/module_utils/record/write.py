# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A record written where it belongs. Whatever cannot be written is a problem to tell, never the deployment's end."""

from __future__ import annotations

import json
import os
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.files import prepare_directory, write_atomic
from .page import markdown, page
from .store import RecordStore


def write_files(record: Object, folder: str) -> tuple[list[str], list[str]]:
    """Write record.json, record.md and record.html; return the files, and what kept one from being written."""
    writers: dict[str, t.Callable[[], str]] = {
        "record.json": lambda: json.dumps(record, indent=2) + "\n",
        "record.md": lambda: markdown(record),
        "record.html": lambda: page(record),
    }
    try:
        prepare_directory(folder)
    except OrchestratorError as exc:
        return [], [exc.message]
    files: list[str] = []
    for name, text in writers.items():
        path = os.path.join(folder, name)
        try:
            write_atomic(path, text())
        except OrchestratorError as exc:
            # The others would meet the same.
            return files, [f"The deployment record in {folder} is incomplete: {exc.message}"]
        files.append(path)
    return files, []


def keep(record: Object, time: str, history: int, connect: t.Callable[[], t.Any]) -> tuple[str, list[str]]:
    """Keep a record in its namespace; return the Secret as namespace/name ("" for none), and what prevented it."""
    namespace = record["namespace"]
    if not history or not namespace:
        return "", []
    try:
        name = RecordStore(connect(), namespace).keep(record, time, history)
    except OrchestratorError as exc:
        return "", [f"Cannot store the record in namespace {namespace}: {exc.message}"]
    return f"{namespace}/{name}", []
