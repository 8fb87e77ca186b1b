# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for background jobs by their result files, all at once and without a process for each look."""

from __future__ import annotations

import datetime
import json
import os
import threading
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.cancel import cancel_path, request, withdraw
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import parse_time, read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.progress import (
    line_text,
    name_text,
    waiting_text,
)
from ansible_collections.llm_d.orchestrator.plugins.modules import release_jobs
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import tell

# Ansible keeps a job's result in a file and tells nobody: look at it this often (seconds).
LOOK_EVERY = 0.2
SHOW_EVERY = 5.0


def read_result(path: str) -> dict | None:
    """Return a job's result, None while it runs."""
    try:
        with open(path, encoding="utf-8") as stream:
            result = json.load(stream)
    except (FileNotFoundError, json.JSONDecodeError):
        return None  # not written yet
    if "started" in result and not result.get("finished"):
        return None
    return {key: value for key, value in result.items() if not key.startswith("_ansible") and key != "invocation"}


def ended(path: str, waited: float, timeout: float) -> dict | None:
    """Return a job's result, or that it took too long; None while it may run. waited, timeout: seconds."""
    result = read_result(path)
    if result is not None:
        os.unlink(path)
    elif waited > timeout:
        result = {"failed": True, "msg": f"it did not end within {timeout:.0f} s"}
    return result


def started_at(text: str | None) -> float:
    """Return seconds since the epoch for 20261121T083000Z, now for none."""
    if not text:
        return time.time()
    parsed = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


def failed_in(result: dict) -> bool:
    """Return whether a job has failed."""
    return bool(result.get("failed") or result.get("rc"))


def was_cancelled(result: dict) -> bool:
    """Return whether a job failed only because it was told to stop."""
    parts = [part for part in result.get("parts") or [] if part.get("error")]
    return failed_in(result) and bool(parts) and all(part.get("cancelled") for part in parts)


def failure_text(results: dict[str, dict], failed: list[str]) -> str:
    """Return each failed component's own error, one block each, and what became of the others."""
    others = {"Finished": finished(results), "Cancelled": [name for name in results if was_cancelled(results[name])]}
    told = [f"{title}: {', '.join(names)}." for title, names in others.items() if names]
    blocks = [f"{name}: {results[name].get('msg') or results[name].get('stderr') or 'no message'}" for name in failed]
    head = " ".join([f"{' and '.join(failed)} failed; nothing that depends on this is done.", *told])
    return head + "\n" + "\n".join(blocks)


def left(jobs: t.Iterable[str], awaited: set[str], results: dict[str, dict]) -> set[str]:
    """Return the components that are still waited for: after a failure all, so that none works on behind its report."""
    return (set(jobs) if any(map(failed_in, results.values())) else awaited) - set(results)


def finished(results: dict[str, dict]) -> list[str]:
    """Return the components whose job succeeded."""
    return [name for name, result in results.items() if not failed_in(result)]


class ActionModule(ActionBase):
    """Takes jobs, events_file, started and on_failure; see the module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return {results, failed_components}, failed where a job failed."""
        super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(argument_spec=argument_spec(release_jobs.DOCUMENTATION))
        results = self._wait(arguments, task_vars or {})
        cancelled = [name for name, result in results.items() if was_cancelled(result)]
        failed = [name for name, result in results.items() if failed_in(result) and name not in cancelled]
        answer = {
            "changed": any(result.get("changed") for result in results.values()),
            "results": results,
            "failed_components": failed,
            "cancelled_components": cancelled,
            "finished_components": finished(results),
        }
        if failed or cancelled:
            answer.update(failed=True, msg=failure_text(results, failed))
        return answer

    def _wait(self, arguments: dict, task_vars: dict) -> dict[str, dict]:
        folder = os.path.expanduser(self.get_shell_option("async_dir", default="~/.ansible_async"))
        jobs = arguments["jobs"]
        stop = cancel_path(arguments.get("events_file")) if arguments["on_failure"] == "cancel" else ""
        begin = shown = time.monotonic()
        results: dict[str, dict] = {name: row for name, row in arguments["collected"].items() if name in jobs}
        awaited = set(jobs if arguments["awaited"] is None else arguments["awaited"]) & set(jobs)
        while left(jobs, awaited, results):
            now = time.monotonic()
            for name in [name for name in jobs if name not in results]:
                result = ended(os.path.join(folder, jobs[name]["id"]), now - begin, float(jobs[name]["timeout"]))
                if result is not None:
                    results[name] = result
                    if stop and failed_in(result):
                        request(stop)
            if now - shown >= SHOW_EVERY:
                shown = now
                self._show(arguments, task_vars)
            if left(jobs, awaited, results):
                threading.Event().wait(LOOK_EVERY)
        withdraw(stop)
        return {name: results[name] for name in jobs if name in results}

    @staticmethod
    def _show(arguments: dict, task_vars: dict) -> None:
        text = waiting_text(read_events(arguments.get("events_file") or ""), time.time(), parse_time)
        if text:
            elapsed = time.time() - started_at(arguments.get("started"))
            hosts = task_vars.get("ansible_play_hosts_all") or []
            name = name_text(task_vars.get("inventory_hostname", ""), hosts)
            tell(line_text("deploying", elapsed, name, text))
