# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Two runs at once, holders of the lock that are gone, and clocks that differ."""

from __future__ import annotations

import datetime
import functools
import threading
import time

from chaos_lab import Object, until
from trial import Fault, Trial

LEASES = {"api_version": "coordination.k8s.io/v1", "kind": "Lease"}
GHOST = "ann@elsewhere/lab/20261121T083000Z/7"
HOUR = datetime.timedelta(hours=1)


def concurrent(mode: str, trial: Trial) -> None:
    """A second run while the first one deploys."""
    first = trial.start()
    until(lambda: trial.lab.lease(trial.namespace).get("holderIdentity"))
    second = trial.start(llm_d_lock=mode)
    trial.ended(second, "is locked by", survives=mode == "wait")
    if first.wait():
        trial.wrong("the first run failed")
    trial.again()


def foreign_lease(trial: Trial, shift: datetime.timedelta) -> Object:
    """Make the lock of a run on another machine, whose clock is not ours; return it."""
    trial.lab.make_namespace(trial.namespace)
    body = {
        "metadata": {"name": "llm-d-orchestrator"},
        "spec": {"holderIdentity": GHOST, "leaseDurationSeconds": 30, "renewTime": shifted(shift)},
    }
    return trial.lab.dynamic.resources.get(**LEASES).create(namespace=trial.namespace, body=body).to_dict()


def shifted(shift: datetime.timedelta) -> str:
    """A time as another clock tells it."""
    return (datetime.datetime.now(datetime.timezone.utc) + shift).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def dead_elsewhere(shift: datetime.timedelta, trial: Trial) -> None:
    """A lock whose holder, on another machine, is gone: it is waited for."""
    foreign_lease(trial, shift)
    play = trial.start()
    until(lambda: trial.lab.lease(trial.namespace).get("holderIdentity") not in (None, GHOST))
    waited = time.monotonic() - play.begin
    trial.ended(play, survives=True)
    trial.row.outcome += f"; had the lock after {waited:.0f} s"
    if waited > 50:
        trial.wrong("it took too long")
    trial.again()


def alive_elsewhere(shift: datetime.timedelta, trial: Trial) -> None:
    """A lock that is renewed on another machine: it is not taken."""
    foreign_lease(trial, shift)
    leases, done = trial.lab.dynamic.resources.get(**LEASES), threading.Event()
    patch = {"namespace": trial.namespace, "content_type": "application/merge-patch+json"}

    def renew() -> None:
        while not done.wait(4):
            body = {"metadata": {"name": "llm-d-orchestrator"}, "spec": {"renewTime": shifted(shift)}}
            leases.patch(body=body, **patch)

    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    trial.ended(trial.start(), GHOST, survives=False)
    done.set()
    renewing.join()
    leases.delete(name="llm-d-orchestrator", namespace=trial.namespace)
    trial.again()


FAULTS: list[tuple[str, Fault]] = [
    ("a second run at once, llm_d_lock: refuse", functools.partial(concurrent, "refuse")),
    ("a second run at once, llm_d_lock: wait", functools.partial(concurrent, "wait")),
    ("lock of a machine that is gone, its clock 1 h ahead", functools.partial(dead_elsewhere, HOUR)),
    ("lock of a machine that is gone, its clock 1 h behind", functools.partial(dead_elsewhere, -HOUR)),
    ("lock held elsewhere, its clock 1 h ahead", functools.partial(alive_elsewhere, HOUR)),
    ("lock held elsewhere, its clock 1 h behind", functools.partial(alive_elsewhere, -HOUR)),
]
