# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Waits for background jobs by their result files, all at once; on this machine without a process for each look."""

from __future__ import annotations

import time

from ansible.plugins.action import ActionBase
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import parse_time, read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.jobs import failed_in
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.progress import waiting_text
from ansible_collections.llm_d.orchestrator.plugins.modules.release_jobs import DOCUMENTATION, make_jobs
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import tell_line

SHOW_EVERY = 5.0


def was_cancelled(result: dict) -> bool:
    """Return whether a job failed only because it was told to stop."""
    parts = [part for part in result.get("parts") or [] if part.get("error")]
    return failed_in(result) and bool(parts) and all(part.get("cancelled") for part in parts)


def failure_text(results: dict[str, dict], failed: list[str]) -> str:
    """Return each failed component's own error, one block each, and what became of the others."""
    others = {"Finished": finished(results), "Cancelled": [name for name in results if was_cancelled(results[name])]}
    told = [f"{title}: {', '.join(names)}." for title, names in others.items() if names]
    blocks = [f"{name}: {results[name].get('msg') or results[name].get('stderr') or 'no message'}" for name in failed]
    head = " ".join([f"{' and '.join(failed)} failed. Components that depend on it are skipped.", *told])
    return head + "\n" + "\n".join(blocks)


def finished(results: dict[str, dict]) -> list[str]:
    """Return the components whose job succeeded."""
    return [name for name, result in results.items() if not failed_in(result)]


class JobsLost(Exception):
    """The host that the jobs run on did not say how they ended."""

    def __init__(self, answer: dict) -> None:
        self.answer = answer
        super().__init__(answer.get("msg"))


class ActionModule(ActionBase):
    """Takes jobs, events_file, started and on_failure; see the module of the same name."""

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict:
        """Return {results, failed_components}, failed where a job failed."""
        super().run(tmp, task_vars)
        _valid, arguments = self.validate_argument_spec(argument_spec=argument_spec(DOCUMENTATION))
        try:
            results = self._wait(arguments, task_vars or {})
        except JobsLost as exc:
            return {**exc.answer, "failed": True}
        cancelled = [name for name, result in results.items() if was_cancelled(result)]
        failed = [name for name, result in results.items() if failed_in(result) and name not in cancelled]
        answer = {
            "changed": any(result.get("changed") for result in results.values()),
            "results": results,
            "failed_components": failed,
            "cancelled_components": cancelled,
            "finished_components": finished(results),
            "warnings": [text for result in results.values() for text in result.get("warnings") or []],
        }
        if failed or cancelled:
            answer.update(failed=True, msg=failure_text(results, failed))
        return answer

    def _wait(self, arguments: dict, task_vars: dict) -> dict[str, dict]:
        """Return the results of all jobs, once all have ended."""
        folder = self.get_shell_option("async_dir", default="~/.ansible_async")
        if self._connection.transport == "local" and not self._task.become:
            jobs = make_jobs(arguments, folder)
            while not jobs.wait(SHOW_EVERY):
                self._show(arguments, task_vars, read_events(arguments.get("events_file") or ""))
            return {name: jobs.results[name] for name in arguments["jobs"]}
        return self._wait_there({**arguments, "async_dir": folder, "at_most": SHOW_EVERY}, task_vars)

    def _wait_there(self, arguments: dict, task_vars: dict) -> dict[str, dict]:
        """Return the same from another host, which is asked again and again. Raises JobsLost with what it answered."""
        begin = time.monotonic()
        while True:
            given = {**arguments, "waited": time.monotonic() - begin}
            answer = self._execute_module(module_args=given, task_vars=task_vars)
            if "ended" not in answer:
                raise JobsLost(answer)
            if len(answer["ended"]) == len(arguments["jobs"]):
                return {name: answer["ended"][name] for name in arguments["jobs"]}
            self._show(arguments, task_vars, answer["events"])

    @staticmethod
    def _show(arguments: dict, task_vars: dict, events: list[dict]) -> None:
        text = waiting_text(events, time.time(), parse_time)
        if text:
            tell_line("deploying", arguments.get("started"), text, task_vars)
