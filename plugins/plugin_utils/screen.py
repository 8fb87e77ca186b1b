# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What is shown while Ansible runs, by its main process and by workers: where, how wide, and what waits for the end."""

from __future__ import annotations

import datetime
import functools
import os
import shlex
import shutil
import sys
import time
import typing as t

from ansible import constants as C
from ansible.utils.display import Display
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import advice, in_job
from ansible_collections.llm_d.orchestrator.plugins.module_utils.fleet.progress import line_text, name_text, row_text

display = Display()
OURS = "llm_d.orchestrator."
COLLECTION = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Standard output of these callbacks is for programs.
MACHINE_READABLE = ("json", "jsonl")
WIDTH, NARROWEST, WIDEST = 80, 40, 120


def part(result: t.Any, name: str) -> t.Any:
    """Return host, task or result of a callback's result, under its name in this ansible-core."""
    return (
        getattr(result, name) if hasattr(type(result), name) or hasattr(result, name) else getattr(result, f"_{name}")
    )


@functools.cache
def _inside(path: str) -> bool:
    return os.path.realpath(path).startswith(COLLECTION + os.sep)


def is_ours(item: t.Any) -> bool:
    """Return whether a play or task stands in a file of this collection."""
    path = str(item.get_path() or "").rpartition(":")[0]
    return bool(path) and _inside(path)


class Ending:
    """Whether a callback shows causes once all is over; workers are forked from the process that knows."""

    expected: t.ClassVar[bool] = False
    # Seconds since the epoch at which the callback began, 0 where there is none.
    began: t.ClassVar[float] = 0
    # Whether there are several hosts, so that each is named.
    several: t.ClassVar[bool] = False
    # Whether what is typed reaches Ansible, which a worker cannot tell.
    interactive: t.ClassVar[bool] = True


def interactive() -> bool:
    """Return whether somebody can type an answer: of this process, the main one, as Ansible's own pause tells it."""
    try:
        descriptor = sys.stdin.fileno()
        return os.isatty(descriptor) and os.getpgrp() == os.tcgetpgrp(descriptor)
    except (AttributeError, OSError, ValueError):
        return False


def told_at_the_end() -> bool:
    """Return whether a failure stands after the recap in full, so that its task need not show all of it."""
    return Ending.expected and display.verbosity < 1 and not aside()


@functools.cache
def columns() -> int:
    """Return the terminal's width, at most what is easily read unless COLUMNS asks for more.

    Workers have no terminal: the callback asks before they are forked.
    """
    widest = sys.maxsize if os.environ.get("COLUMNS") else WIDEST
    return max(NARROWEST, min(shutil.get_terminal_size((WIDTH, 24)).columns, widest))


@functools.cache
def aside() -> bool:
    """Return whether standard output is for a program, so that what people read goes to standard error."""
    return str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2] in MACHINE_READABLE


def tell(text: str) -> None:
    """Show a line at once.

    Some versions of ansible-runner mark what Display shows on standard output: in a worker behind Ansible's back, of
    which ansible-core warns. By the workers' queue the text gets to the main process, which shows it as its own.
    """
    queue = getattr(display, "_final_q", None)
    if queue is None:
        display.display(text, stderr=aside())
    else:
        queue.send_display("display", text, stderr=aside())


def tell_line(phase: str, started: str | None, text: str, task_vars: t.Mapping[str, t.Any], rows: t.Any = ()) -> None:
    """Show a worker's progress line at once. started: as 20261121T083000Z; rows: what stands below its text."""
    name = name_text(task_vars.get("inventory_hostname", ""), task_vars.get("ansible_play_hosts_all") or [])
    tell(line_text(phase, time.time() - (Ending.began or started_at(started)), name, text, columns()))
    for row in rows:
        tell(row_text(name, row))


def started_at(text: str | None) -> float:
    """Return seconds since the epoch for 20261121T083000Z, now for none."""
    if not text:
        return time.time()
    parsed = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


def running_command(arguments: t.Sequence[str] = ()) -> str:
    """Return the command that is running, with all its options and secrets masked; in a job of AWX what to do there.

    arguments: those of this process by default. "" where it is no ansible-playbook.
    """
    given = list(arguments or sys.argv)
    program = os.path.basename(given[0])
    if in_job(os.environ):
        return advice("deploy" if deploys(given) else "again")
    return shlex.join([program, *masked_arguments(given[1:])]) if program.startswith("ansible-playbook") else ""


def deploys(arguments: t.Sequence[str]) -> bool:
    """Return whether a command runs the playbook site."""
    return any(word.endswith(("site.yml", "orchestrator.site")) for word in arguments[1:])
