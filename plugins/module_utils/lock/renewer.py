# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Keeps locks while a playbook runs: a process of its own, which ends with the playbook, or when the locks are lost.

Its program and credentials reach it on its standard input, so that neither is seen in the list of processes or in a
file. Until the first renewal is due it has imported nothing but Python's own modules: most runs of a playbook are over
by then, and cost nothing more. Modules of the collection are therefore imported inside functions here.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import os
import select
import signal
import subprocess
import sys
import time
import typing as t

if t.TYPE_CHECKING:
    from ..base.data import Object

# What the process begins with; its other arguments are its name in the list of processes, and the namespaces.
PROGRAM = (
    "import json, sys; spec = json.loads(sys.stdin.readline());"
    " space = {'__name__': 'llm_d_lock', '__package__': spec['package']};"
    " exec(compile(spec['code'], 'llm_d_lock', 'exec'), space); space['main'](spec)"
)
TITLE = "llm-d-orchestrator: keeps the lock"
# Seconds between looks at a playbook where the system cannot tell when it ends, and between tries after an error.
LOOK, AGAIN = 2.0, 2.0
# So long the cluster is tried to be reached for giving the locks back.
LAST_TRIES = 6.0


def start(auth: Object, namespaces: list[str], identity: str, process: dict[str, str], renew: float) -> int:
    """Start a renewer for locks that were just taken; return its process number.

    auth: what Cluster takes; process: the playbook's; renew: seconds between renewals.
    """
    in_archive = not os.path.isfile(__file__)
    auth = {**auth}
    kubeconfig = auth.get("kubeconfig")
    # Of a kubeconfig's text there is no file.
    if isinstance(kubeconfig, str) and os.path.exists(os.path.expanduser(kubeconfig)):
        auth["kubeconfig"] = os.path.abspath(os.path.expanduser(kubeconfig))
    spec = {
        "code": inspect.getsource(sys.modules[__name__]),
        "package": __name__.rpartition(".")[0],
        "path": sys.path,
        "collections": [] if in_archive else _collections(),
        # A module's archive is gone as soon as the module has ended.
        "at_once": in_archive,
        "auth": auth,
        "namespaces": namespaces,
        "identity": identity,
        "process": process,
        "renew": renew,
    }
    # It goes on when this process has ended, which is its parent only for that moment.
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", PROGRAM, TITLE, *namespaces],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if in_archive else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with contextlib.suppress(BrokenPipeError), t.cast(t.IO[bytes], child.stdin) as stream:
        stream.write(json.dumps(spec).encode() + b"\n")
    if child.stdout:
        with child.stdout as stream:
            stream.readline()
    # Nobody waits for it here, which is meant.
    child.returncode = 0
    return child.pid


def _collections() -> list[str]:
    """Return the folders in which this collection and kubernetes.core are found."""
    found = []
    for name in ("ansible_collections.llm_d.orchestrator", "ansible_collections.kubernetes.core"):
        paths = getattr(sys.modules.get(name), "__path__", [])
        found += [os.path.dirname(os.path.dirname(os.path.dirname(path))) for path in paths]
    return list(dict.fromkeys(found))


def main(spec: Object) -> None:
    """Renew until the playbook has ended or no lock is left, then give the locks back."""
    signal.signal(signal.SIGTERM, _end)
    sys.path[:] = spec["path"]
    ended = end_of(int(spec["process"]["pid"]), spec["process"]["start"])
    if spec["at_once"]:
        _locks_class(spec)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
    locks, left, pause = None, list(spec["namespaces"]), spec["renew"]
    while left and not ended(pause):
        try:
            locks = locks or _locks(spec)
            left = [name for name in left if _renewed(locks, name)]
            pause = spec["renew"]
        except Exception:  # whatever it is, the lock expires unless the next try succeeds
            locks, pause = None, AGAIN
    _give_back(spec, locks, left)


def _end(number: int, frame: t.Any) -> t.NoReturn:
    """End as Python does: the client's files of keys go."""
    raise SystemExit


def end_of(pid: int, start: str) -> t.Callable[[float], bool]:
    """Return a function that waits some seconds at most, and tells whether a process has ended."""
    handle = None
    with contextlib.suppress(OSError, AttributeError):
        handle = os.pidfd_open(pid)  # type: ignore[attr-defined,unused-ignore]

    def ended(seconds: float) -> bool:
        if handle is not None and _start(pid) == start:
            return bool(select.select([handle], [], [], seconds)[0])
        until = time.monotonic() + seconds
        while _start(pid) == start and time.monotonic() < until:
            time.sleep(min(LOOK, seconds))
        return _start(pid) != start

    return ended


def _start(pid: int) -> str | None:
    """Return what _lock_process.start_of returns, which cannot be imported that early."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:
            fields = stream.read().rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else fields[19]
    except OSError:
        if os.path.exists("/proc/self"):
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""


def _locks_class(spec: Object) -> t.Any:
    """Return the classes of the client and of the locks, imported now."""
    if spec["collections"] and "ansible_collections" not in sys.modules:
        finder = importlib.import_module("ansible.utils.collection_loader._collection_finder")
        finder._AnsibleCollectionFinder(paths=spec["collections"], scan_sys_paths=False)._install()
    from ..cluster import client as _cluster
    from . import locks as _lock

    return _cluster.Cluster, _lock.Locks


def _locks(spec: Object) -> t.Any:
    """Return a connection to the locks, with credentials that are fresh."""
    cluster, locks = _locks_class(spec)
    return locks(cluster(spec["auth"]), spec["identity"], spec["process"], "", str)


def _renewed(locks: t.Any, namespace: str) -> bool:
    from .lease import micro_time

    return bool(locks.renew(namespace, micro_time()))


def _give_back(spec: Object, locks: t.Any, namespaces: list[str]) -> None:
    """Give back what a playbook that was killed has left locked; one that ended has done so itself."""
    until = time.monotonic() + LAST_TRIES
    while namespaces and time.monotonic() < until:
        try:
            locks = locks or _locks(spec)
            for namespace in list(namespaces):
                locks.release(namespace)
                namespaces.remove(namespace)
        except Exception:  # else the locks expire
            locks = None
            time.sleep(AGAIN)
