# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A process on another host that is there as long as the playbook runs here.

A lock and the background jobs on that host end with the playbook, which they can only tell of a process of their own
host. So one is held there by an ssh session whose input nobody writes: where the playbook ends, the session does too.
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
import typing as t

from ansible.utils.display import Display
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.process import start_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils.lock.renewer import end_of

# Seconds for the process to say its number, and between looks at a playbook that runs.
PATIENCE, LOOK = 15, 3600.0


def stand_in(action: t.Any, playbook: int) -> int:
    """Return the number of a process on an action's host that ends with the playbook; raise OrchestratorError.

    playbook: the number of its process here.
    """
    path = _told(action, "umask 077 && mktemp")
    here = f"echo $$ > {shlex.quote(path)}; exec cat > /dev/null"
    _hold(action._connection, f"/bin/sh -c {shlex.quote(here)}", playbook)
    looks = f"for _ in $(seq {PATIENCE * 10}); do test -s {shlex.quote(path)} && break; sleep 0.1; done"
    number = _told(action, f"{looks}; cat {shlex.quote(path)}; rm -f {shlex.quote(path)}")
    if not number.isdigit():
        raise OrchestratorError(f"no process stays on the host over this connection for {PATIENCE}s: {number}")
    return int(number)


def _told(action: t.Any, command: str) -> str:
    answer = action._low_level_execute_command(command, sudoable=False)
    if answer["rc"]:
        raise OrchestratorError(f"cannot run {command}: {answer['stderr'] or answer['stdout']}")
    return str(answer["stdout"]).strip()


def _hold(connection: t.Any, command: str, playbook: int) -> None:
    """Keep a command running behind Ansible's back until the playbook ends."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                _run(connection, command, playbook)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _run(connection: t.Any, command: str, playbook: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    Display()._final_q = None  # the queue to the main process, which does not wait for this one
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_end_with, args=(playbook,), daemon=True).start()
    connection.exec_command(command, sudoable=False)


def _end_with(playbook: int) -> None:
    """End this process and its session once the playbook has ended."""
    ended = end_of(playbook, start_of(playbook) or "")
    while not ended(LOOK):
        pass
    os.killpg(0, signal.SIGTERM)
