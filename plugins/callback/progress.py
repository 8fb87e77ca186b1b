# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Progress lines of a deployment."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: notification
short_description: Progress lines of a deployment, with elapsed time
version_added: 0.1.0
description:
  - Prints a line when a phase starts (C([PLANNING]), C([VALIDATION]), C([DEPLOYING]), C([ROUTING])), what is being
    waited for, which component failed, and at the end endpoint, models with latency, and the record's path; of a plan
    its summary.
  - With several hosts each line begins with the host's name, and a table of all of them is at the end, which is
    written to C(records/fleet/) too.
  - A phase begins with the first task that carries its tag (C(planning), C(validation), C(deploying), C(routing),
    C(complete)).
  - The collection's playbooks load it. Add it to C(callbacks_enabled) for your own playbooks.
author:
  - llm_d.orchestrator developers (@llm-d)
requirements:
  - Must be in C(callbacks_enabled), unless one of the collection's playbooks runs.
"""

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.compiled import keep_compiled

keep_compiled()

import importlib
import importlib.util
import os
import re
import time
import typing as t

from ansible import constants as C
from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.events import parse_time, read_events
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import in_job
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.ending import HostEnd, last_lines
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.progress import Progress, waiting_text
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.approval import shown_later
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.screen import (
    ROOM,
    counts_text,
    difference,
    proposal,
)
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.fleet import FleetRun
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.preload import preload, preload_lookups
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import (
    OURS,
    Ending,
    aside,
    columns,
    interactive,
    is_ours,
    part,
    running_command,
)
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.variables import used_in

COLOURS = {"plain": C.COLOR_HIGHLIGHT, "good": C.COLOR_OK, "bad": C.COLOR_ERROR, "added": C.COLOR_DIFF_ADD,
           "removed": C.COLOR_DIFF_REMOVE}  # fmt: skip
FAIL_ACTIONS = ("fail", "ansible.builtin.fail", "ansible.legacy.fail")
# Modules whose results the summary shows.
KEPT = ("serving_info", "deployment_record", "deployment_plan", "stack_info", "stack_status", "stack_teardown",
        "stack_diagnosis", "stack_rollback", "stack_bundle_info", "release_jobs")  # fmt: skip
# What Ansible says where a template names a variable that nobody has set.
UNDEFINED = re.compile(r"'(\w+)' is undefined")
EVENTS_FILE = "llm_d_events_file"


def record_place(answer: dict) -> str:
    """Return where a record was written, "" for nowhere; of a job of AWX only the Secret stays."""
    kept = f"Secret {answer['kept']}" if answer.get("kept") else ""
    path = answer["path"] if answer.get("files") else ""
    return (kept or path) if in_job(os.environ) else (path or kept)


def failure_text(answer: dict) -> str:
    """Return what was said of a failure; of failed jobs what each said, as the answer itself only sums up."""
    text = str(answer.get("msg") or answer.get("exception") or "no message")
    jobs = answer.get("results")
    failed = {name: jobs[name] for name in answer.get("failed_components") or [] if name in jobs} if jobs else {}
    texts = {name: str(job.get("msg") or job.get("stderr") or "no message") for name, job in failed.items()}
    return "\n".join(texts.values() if len(texts) == 1 else map(": ".join, texts.items())) or text


def with_outcome(answer: dict) -> dict:
    """Return a result as its module gave it: failed, where the task leaves it to the next one to fail."""
    return {**answer, "failed": True} if "failed_when_result" in answer and "msg" in answer else answer


def load_client() -> None:
    """Import the cluster's client once, so that every task's process finds it loaded; tasks say if it is missing."""
    if importlib.util.find_spec("kubernetes"):
        importlib.import_module("kubernetes.dynamic")


class CallbackModule(CallbackBase):
    """Passes Ansible's events on to Progress. Loaded twice, only the first instance prints."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = OURS + "progress"
    CALLBACK_NEEDS_ENABLED = True

    printer: t.ClassVar[t.Any] = None

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self.progress = Progress(self._print)
        self.ends: dict[str, HostEnd] = {}
        # By host what failed, where a task fail follows that shows its first line alone.
        self.reported: dict[str, dict] = {}
        self.fleet: t.Any = None
        self.play: t.Any = None
        self.events: dict[str, str] = {}

    def _print(self, text: str, kind: str) -> None:
        self._display.display(text, color=COLOURS[kind], stderr=aside())

    def applies(self, playbook: t.Any) -> bool:
        """Return whether to print for a playbook."""
        return True

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        """Claim the printing for this playbook, unless another instance already has."""
        if CallbackModule.printer is None and self.applies(playbook):
            CallbackModule.printer = self
            self.progress = Progress(self._print, columns=columns())
            self.ends = {}
            Ending.expected, Ending.began = True, time.time()
            Ending.interactive = interactive()
            self.fleet = FleetRun(playbook)
            load_client()
            preload_lookups()

    @property
    def active(self) -> bool:
        """Return whether this instance prints."""
        return CallbackModule.printer is self

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Keep the play: its variables tell where the events are."""
        self.play = play
        if self.active:
            preload(play)
            self.fleet.plays(play)
            self.progress.expect(self.fleet.fleet.hosts)
            Ending.several = self.fleet.fleet.several

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """Open a phase."""
        if self.active:
            self.progress.task(host.get_name(), task.tags)
            self.fleet.begun(host.get_name(), task)

    def v2_runner_retry(self, result: t.Any) -> None:
        """Say what is being waited for."""
        self._waiting(part(result, "host"))

    def v2_runner_on_async_poll(self, result: t.Any) -> None:
        """Say what is being waited for."""
        self._waiting(part(result, "host"))

    def _waiting(self, host: t.Any) -> None:
        name = host.get_name()
        if self.active and self.progress.is_due(name):
            if name not in self.events:
                self.events[name] = self._events_file(host)
            events = read_events(self.events[name])
            self.progress.waiting(name, waiting_text(events, time.time(), parse_time))

    def _events_file(self, host: t.Any) -> str:
        """Return where a host's events are, "" where its variables do not say."""
        manager = self.play.get_variable_manager()
        variables = manager.get_vars(play=self.play, host=host, include_hostvars=False)
        return str(Templar(manager._loader, variables).template(variables.get(EVENTS_FILE, "")) or "")

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Name the failed component and what was said."""
        if not self.active or ignore_errors:
            return
        self._keep(result)
        if not isinstance(part(result, "result").get("results"), list):  # of a loop each item has been told
            self._failed(result)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """Name the failed component of a loop."""
        if self.active:
            self._failed(result)

    def _failed(self, result: t.Any) -> None:
        host, answer, task = part(result, "host").get_name(), part(result, "result"), part(result, "task")
        if task.action in FAIL_ACTIONS and is_ours(task):
            answer = self.reported.pop(host, answer)
        # A task fail of ours after a failure only sums up.
        if task.action not in FAIL_ACTIONS or not self._end(host).failures or not is_ours(task):
            component = self._component(answer, task)
            message = failure_text(answer) + self._undefined(part(result, "host"), failure_text(answer))
            self.progress.failed(host, component, message)
            self.fleet.failed(host, task, component, message, answer)
            self._end(host).failed(message if is_ours(task) else f"{task.get_name()} ({task.get_path()}):\n{message}")

    def _undefined(self, host: t.Any, message: str) -> str:
        """Return where the user's variables name one that Ansible says is undefined, "" for another failure."""
        found = UNDEFINED.search(message)
        if not found or self.play is None:
            return ""
        manager = self.play.get_variable_manager()
        variables = manager.get_vars(play=self.play, host=host, include_hostvars=False)
        return "".join(f"\n  - {found[1]} is used in {place}" for place in used_in(variables, found[1]))

    def _end(self, host: str) -> HostEnd:
        """Return what is to be said of a host at the end."""
        return self.ends.setdefault(host, HostEnd())

    @staticmethod
    def _component(answer: t.Any, task: t.Any) -> str:
        given = answer.get("component") or (answer.get("invocation") or {}).get("module_args", {}).get("component")
        given = given or ", ".join(answer.get("failed_components") or [])
        given = given or (answer["item"] if isinstance(answer.get("item"), str) else None)
        role = getattr(task, "_role", None)
        return str(given or (role.get_name().split(".")[-1] if role else task.get_name()))

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Name the host's error."""
        if self.active:
            message = str(part(result, "result").get("msg", "unreachable"))
            self.progress.failed(part(result, "host").get_name(), "host", message)
            self.fleet.fleet.failed(part(result, "host").get_name(), "host", message, unreachable=True)
            self._end(part(result, "host").get_name()).failed(message)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Keep what the summary shows."""
        if self.active:
            self._keep(result)

    def _keep(self, result: t.Any) -> None:
        action = part(result, "task").action.removeprefix(OURS)
        if action not in KEPT:
            return  # reading a result takes its time
        host, answer = part(result, "host").get_name(), with_outcome(part(result, "result"))
        if answer.get("failed"):
            self.reported[host] = answer
        self.fleet.fleet.took(host, action, answer)
        self._end(host).took(action, answer)
        if action == "serving_info" and "models" in answer:
            self.progress.probed(host, answer)
        elif action == "deployment_record" and record_place(answer):
            self.progress.recorded(host, record_place(answer))
        elif action == "deployment_plan" and answer.get("path"):
            self.progress.planned(host, answer["summary"])
        elif action == "stack_info" and answer.get("plan"):
            self._proposed(host, answer, part(result, "task").args)

    def _proposed(self, host: str, answer: dict, arguments: dict) -> None:
        """Say what a plan comes to. What changes is said here where the whole plan is not shown later."""
        plan = answer["plan"]
        rows = [] if shown_later(answer, arguments) else proposal(plan, ROOM)
        self.progress.proposed(host, counts_text(plan), rows, difference(plan) if context.CLIARGS.get("diff") else ())

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """Print the summary, and last why what failed did, and the command that continues."""
        if not self.active:
            return
        bad = self.fleet.bad(stats)
        self.progress.finish(bad)
        command = running_command() if bad else ""
        if self.fleet.worth_telling:
            causes = {host: end.text() for host, end in self.ends.items() if host in bad}
            lines, command = self.fleet.summary(stats, causes)
            self._print_all(lines)
        self._print_all(last_lines(self.ends, bad, columns(), command, several=self.fleet.fleet.several))
        CallbackModule.printer = None
        Ending.expected = False

    def _print_all(self, lines: t.Iterable[tuple[str, str]]) -> None:
        for text, kind in lines:
            self._print(text, kind)
