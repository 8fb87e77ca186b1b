# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import os
import signal
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
    monkeypatch.setattr(renewer, "_end_of", told)
    try:
        with pytest.raises(SystemExit):
            renewer.main({**spec, "renew": 1.0})
    finally:
        signal.signal(signal.SIGTERM, before)
