# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
# Apache License 2.0, which the GNU General Public License v3.0 of ansible-core permits to combine.
"""Ansible's own output, without the tasks of this collection."""

from __future__ import annotations

DOCUMENTATION = r"""
name: terse
type: stdout
short_description: Progress lines, warnings and the summary instead of every task
version_added: 0.1.0
description:
  - Leaves out plays and tasks of this collection, whose progress lines say what happens
    (P(llm_d.orchestrator.progress#callback)); what they tell with P(ansible.builtin.debug#module) is shown, and so are
    warnings, differences asked for with C(--diff), and the recap.
  - Failures are shown at the end, once and in full.
  - Plays and tasks of other files are shown as P(ansible.builtin.default#callback) does. With C(-v) all are.
author:
  - llm_d.orchestrator developers (@llm-d)
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - To be set as C(stdout_callback).
"""

from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.compiled import keep_compiled

keep_compiled()

import typing as t

from ansible.plugins.callback.default import CallbackModule as Default
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.screen import OURS, Ending, is_ours, part

DEBUG = ("debug", "ansible.builtin.debug", "ansible.legacy.debug")
# Of a task with one of these its message is not all that it has to say.
RAW = ("stdout", "stderr", "module_stdout", "module_stderr")


def told_lines(message: t.Any) -> t.Iterator[str]:
    """Yield the lines of a message: of a list its items, of a map each key above its own lines."""
    if isinstance(message, dict):
        for key, value in message.items():
            lines = list(told_lines(value))
            yield f"{key}:" + ("" if lines else " nothing")
            yield from ("  " + line for line in lines)
    elif isinstance(message, list):
        yield from (line for item in message for line in told_lines(item))
    else:
        yield from str("" if message is None else message).splitlines()


class CallbackModule(Default):
    """Passes on to the default callback what is not left out."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "llm_d.orchestrator.terse"

    def _hides(self, item: t.Any) -> bool:
        """Return whether a play or task is left out."""
        return self._display.verbosity < 1 and is_ours(item)

    def _told_later(self, result: t.Any) -> bool:
        """Return whether a failure stands at the end, so that it need not be shown now."""
        task, answer = part(result, "task"), part(result, "result")
        ours = self._display.verbosity < 1 and (is_ours(task) or str(task.action).startswith(OURS))
        return ours and Ending.expected and not any(answer.get(name) for name in RAW)

    def _warn(self, result: t.Any) -> None:
        self._handle_warnings(part(result, "result"))

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Show the play's name, unless it is ours."""
        if self._hides(play):
            self._play = play
        else:
            super().v2_playbook_on_play_start(play)

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        """Show the task's name, unless it is ours."""
        if not self._hides(task):
            super().v2_playbook_on_task_start(task, is_conditional)

    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        """Show the handler's name, unless it is ours."""
        if not self._hides(task):
            super().v2_playbook_on_handler_task_start(task)

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        """Show what is included, unless a task of ours does."""
        if not self._hides(included_file._task):
            super().v2_playbook_on_include(included_file)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Say that no host is left, unless the play is ours."""
        if self._play is None or not self._hides(self._play):
            super().v2_playbook_on_no_hosts_remaining()

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        """Show where a task starts, unless it is ours."""
        if not self._hides(task):
            super().v2_runner_on_start(host, task)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Show the result, of a task of ours its warnings and what it tells."""
        task = part(result, "task")
        if not self._hides(task):
            super().v2_runner_on_ok(result)
            return
        self._warn(result)
        if task.action in DEBUG:
            self._tell(part(result, "host").get_name(), part(result, "result").get("msg"))

    def _tell(self, host: str, message: t.Any) -> None:
        """Show a message, line by line."""
        lines = list(told_lines(message))
        if lines and Ending.several:
            lines = [f"{host}:", *lines]
        for line in lines:
            self._display.display(line)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        """Show the item's result, of a task of ours its warnings and what it tells."""
        self._unless_hidden(super().v2_runner_item_on_ok, result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """Show that it was skipped, unless the task is ours."""
        self._unless_hidden(super().v2_runner_on_skipped, result)

    def v2_runner_item_on_skipped(self, result: t.Any) -> None:
        """Show that an item was skipped, unless the task is ours."""
        self._unless_hidden(super().v2_runner_item_on_skipped, result)

    def v2_runner_retry(self, result: t.Any) -> None:
        """Show that it is tried again, unless the task is ours."""
        self._unless_hidden(super().v2_runner_retry, result)

    def v2_runner_on_async_poll(self, result: t.Any) -> None:
        """Show that a job is waited for, unless the task is ours."""
        self._unless_hidden(super().v2_runner_on_async_poll, result)

    def v2_runner_on_async_ok(self, result: t.Any) -> None:
        """Show that a job ended well, unless the task is ours."""
        self._unless_hidden(super().v2_runner_on_async_ok, result)

    def _unless_hidden(self, show: t.Callable[[t.Any], None], result: t.Any) -> None:
        if self._hides(part(result, "task")):
            self._warn(result)
        else:
            show(result)

    def v2_on_file_diff(self, result: t.Any) -> None:
        """Show the difference, of a task of ours without its name."""
        answer = part(result, "result")
        if not self._hides(part(result, "task")):
            super().v2_on_file_diff(result)
            return
        items = answer.get("results")
        for one in items if isinstance(items, list) else [answer]:
            if one.get("diff") and one.get("changed"):
                self._display.display(self._get_diff(one["diff"]))

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Show a failure in full, unless it stands at the end."""
        if self._hides(part(result, "task")) if ignore_errors else self._told_later(result):
            self._warn(result)
        else:
            super().v2_runner_on_failed(result, ignore_errors=ignore_errors)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        """Show an item's failure in full, unless it stands at the end."""
        if self._told_later(result):
            self._warn(result)
        else:
            super().v2_runner_item_on_failed(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Show that a host cannot be reached, unless that stands at the end."""
        if not self._told_later(result):
            super().v2_runner_on_unreachable(result)
