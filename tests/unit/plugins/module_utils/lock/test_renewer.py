# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock import renewer


def test_told_to_end_it_ends_as_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what Python does at its end is done: the client's files of keys are removed."""

    def told(pid: int, start: str) -> Callable[[float], bool]:
        return lambda seconds: bool(os.kill(os.getpid(), signal.SIGTERM))

    spec = {"path": list(sys.path), "process": {"pid": "1", "start": "1"}, "at_once": False, "namespaces": ["n"]}
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(renewer, "end_of", told)
    try:
        with pytest.raises(SystemExit):
            renewer.main({**spec, "renew": 1.0})
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_program_imports_by_itself_what_it_needs() -> None:
    """It runs its source alone, outside of its package."""
    source = inspect.getsource(renewer)
    package = renewer.__name__.rpartition(".")[0]
    spec = {"code": source, "package": package, "path": sys.path, "at_once": True, "namespaces": [], "renew": 1.0}
    renewer._locks_class({"collections": []})  # as where a lock was taken
    spec["collections"] = renewer._collections()
    spec["process"] = {"pid": str(os.getpid()), "start": ""}
    command = [sys.executable, "-c", renewer.PROGRAM]
    done = subprocess.run(
        command,
        input=json.dumps(spec) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("ready\n", "", 0)
