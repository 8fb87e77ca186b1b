# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What `kubectl logs` shows of the lab's pods: files in the form in which a container runtime keeps logs."""

from __future__ import annotations

import datetime
import pathlib

from ansible_collections.llm_d.orchestrator.plugins.module_utils._lab_state import write_private

# Faults whose containers have run, so that there is a log, and what it says unless the fault gives one.
DEFAULT_LOGS = {
    "CrashLoopBackOff": "RuntimeError: Engine core initialization failed. See root cause above.",
    "OOMKilled": "INFO Loading model weights ...",
}
NOTHING_RUNS = "This pod is simulated by the lab: no program runs in it."


def log_text(fault: dict, now: str) -> str:
    """Return a fault's log as a container runtime keeps it. now: RFC 3339 time."""
    text = fault.get("log") or DEFAULT_LOGS.get(fault["fault"], "")
    return "".join(f"{now} stderr F {line}\n" for line in text.splitlines())


def has_log(fault: dict) -> bool:
    """Say whether the fault's containers have run, so that there is a log."""
    return fault["fault"] in DEFAULT_LOGS


def write_logs(folder: pathlib.Path, faults: list[dict]) -> bool:
    """Write the logs of faults, and of pods that have none of their own; say whether one of a fault changed."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    wanted = {fault["name"]: fault for fault in faults if has_log(fault)}
    changed = [name for name, fault in wanted.items() if _write(folder / f"{name}.log", log_text(fault, now))]
    _write(folder / "default.log", log_text({"fault": "", "log": NOTHING_RUNS}, now))
    return bool(changed)


def _write(path: pathlib.Path, text: str) -> bool:
    """Write a log where it says something else than before, its times left aside."""
    if path.exists() and _without_times(path.read_text(encoding="utf-8")) == _without_times(text):
        return False
    write_private(path, text)
    return True


def _without_times(text: str) -> list[str]:
    return [line.partition(" ")[2] for line in text.splitlines()]
