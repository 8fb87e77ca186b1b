# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs a function behind Ansible's back, and leaves its result where async_status and release_jobs look for it.

A fork of the worker has everything loaded. Ansible's own way packs the module, starts three Pythons and imports all
anew, which costs more than a second of CPU for each job.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import traceback
import typing as t

from ansible.utils.display import Display
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.files import replace_file

NULL_TO = 3


def start(work: t.Callable[[], dict], folder: str, seconds: int) -> dict:
    """Return what Ansible returns of a job that was started; work's result will be in a file of that folder.

    seconds: after so many the job is ended with all that it has started, and has failed.
    """
    folder = os.path.expanduser(folder)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    name = f"j{secrets.randbelow(10**12)}.{os.getpid()}"
    path = os.path.join(folder, name)
    told = {"started": True, "finished": False, "ansible_job_id": name}
    _write(path, told)
    child = os.fork()
    if child == 0:
        _detach(work, path, name, seconds)
    os.waitpid(child, 0)
    return {"failed": False, "changed": True, **told, "results_file": path}


def _detach(work: t.Callable[[], dict], path: str, name: str, seconds: int) -> t.NoReturn:
    """Be a daemon: in a session of its own, child of nobody, without any file of Ansible's."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(NULL_TO):
            os.dup2(null, number)
        os.closerange(NULL_TO, os.sysconf("SC_OPEN_MAX"))
        Display()._final_q = None  # the queue to the main process, which does not wait for this one
        _run(work, path, name, seconds)
    finally:
        os._exit(1)  # never back into Ansible's code


def _run(work: t.Callable[[], dict], path: str, name: str, seconds: int) -> t.NoReturn:
    """Write work's result, whatever becomes of it, and end."""

    def too_late(_number: int, _frame: t.Any) -> None:
        _write(path, {"failed": True, "msg": f"timed out after {seconds} s", **told})
        os.killpg(0, signal.SIGKILL)

    told = {"started": True, "finished": True, "ansible_job_id": name}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # a worker of Ansible passes them to its whole group
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    try:
        result = work()
    except BaseException:  # as of any module that breaks: what is known is told
        result = {"failed": True, "msg": traceback.format_exc()}
    signal.alarm(0)
    _write(path, {**result, **told})
    os._exit(0)


def _write(path: str, content: dict) -> None:
    """Write a file that only its owner reads, at once."""
    replace_file(path, json.dumps(content).encode(), 0o600)
