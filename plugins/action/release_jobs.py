# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for background jobs by their result files, all at once and without a process for each look."""

from __future__ import annotations

import datetime
import json
import os
import threading
import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import parse_time, read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils._progress import line_text, waiting_text

# Ansible keeps a job's result in a file and tells nobody: look at it this often (seconds).
LOOK_EVERY = 0.2
SHOW_EVERY = 5.0
display = Display()


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


def started_at(text: str | None) -> float:
    """Return seconds since the epoch for 20261121T083000Z, now for none."""
    if not text:
        return time.time()
    parsed = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


def failure_text(results: dict[str, dict], failed: list[str]) -> str:
    """Return each failed component's own error, one block each."""
    blocks = [f"{name}: {results[name].get('msg') or results[name].get('stderr') or 'no message'}" for name in failed]
    return f"{' and '.join(failed)} failed; nothing that depends on this is done.\n" + "\n".join(blocks)


class ActionModule(ActionBase):
    """Takes jobs, timeout, events_file and started; see the module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return {results, failed_components}, failed where a job failed."""
        super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(
            argument_spec={
                "jobs": {"type": "dict", "required": True},
                "timeout": {"type": "int", "default": 1800},
                "events_file": {"type": "path"},
                "started": {"type": "str"},
            }
        )
        results = self._wait(arguments, task_vars or {})
        failed = [name for name, result in results.items() if result.get("failed") or result.get("rc")]
        answer = {
            "changed": any(result.get("changed") for result in results.values()),
            "results": results,
            "failed_components": failed,
        }
        if failed:
            answer.update(failed=True, msg=failure_text(results, failed))
        return answer

    def _wait(self, arguments: dict, task_vars: dict) -> dict[str, dict]:
        folder = os.path.expanduser(self.get_shell_option("async_dir", default="~/.ansible_async"))
        paths = {name: os.path.join(folder, job) for name, job in arguments["jobs"].items()}
        begin = shown = time.monotonic()
        results: dict[str, dict] = {}
        while len(results) < len(paths):
            for name, path in paths.items():
                result = None if name in results else read_result(path)
                if result is not None:
                    results[name] = result
                    os.unlink(path)
            now = time.monotonic()
            if now - begin > arguments["timeout"]:
                text = f"it did not end within {arguments['timeout']} s"
                return {name: results.get(name, {"failed": True, "msg": text}) for name in paths}
            if now - shown >= SHOW_EVERY:
                shown = now
                self._show(arguments, task_vars)
            if len(results) < len(paths):
                threading.Event().wait(LOOK_EVERY)
        return {name: results[name] for name in paths}

    @staticmethod
    def _show(arguments: dict, task_vars: dict) -> None:
        text = waiting_text(read_events(arguments.get("events_file") or ""), time.time(), parse_time)
        if text:
            elapsed = time.time() - started_at(arguments.get("started"))
            several = len(task_vars.get("ansible_play_hosts_all") or []) > 1
            host = task_vars.get("inventory_hostname", "") if several else ""
            display.display(line_text("deploying", elapsed, host, text))
