# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""site.yml killed at sixteen points: at tasks, and while Helm or the cluster is in the middle of something."""

from __future__ import annotations

import functools
from typing import Any

from chaos_lab import Object, watch
from trial import GATEWAY, Fault, Trial

# Between tasks: (what the table says, place, whether everything that was started is killed too).
TASKS = (
    ("as planning begins", "start of Resolve the stack and check it", True),
    ("as planning has ended", "end of Resolve the stack and check it", False),
    ("as the lock is taken", "end of Acquire the lock", False),
    ("as the lock is taken, its renewal too", "end of Acquire the lock", True),
    ("before namespace and secret are made", "start of Create what the releases need", False),
    ("after namespace and secret are made", "end of Create what the releases need", True),
    ("as the first component is started", "end of Apply the component's parts", True),
    ("as it begins to wait", "start of Wait for the components that were started", False),
    ("as verification begins", "start of Verify that every model is served", True),
    ("as the record is written", "start of Write the record", True),
)


def at_task(place: str, everything: bool, trial: Trial) -> None:
    """Killed as it comes to a task; the playbook kills itself there, which nothing can be quicker than."""
    play = trial.start(trial.lab.stop_at(place), prepare_hf_token="hf_chaos")
    if play.wait() != -9:
        trial.wrong(f"it was not killed at the {place}")
    trial.killed(play, everything)
    trial.again(prepare_hf_token="hf_chaos")


def is_record(item: Object, release: str, status: str) -> bool:
    """Whether an object is Helm's record of a release with a status."""
    labels = item["metadata"].get("labels") or {}
    return (labels.get("owner"), labels.get("name"), labels.get("status")) == ("helm", release, status)


def at_record(release: str, status: str, everything: bool, trial: Trial) -> None:
    """Killed as a release comes to a status."""
    kill_at(trial, "Secret", "v1", lambda item: is_record(item, release, status), everything)
    trial.again()


def kill_at(trial: Trial, kind: str, version: str, is_it: Any, everything: bool, **variables: Any) -> None:
    """Kill site.yml as soon as an object is seen."""
    if not trial.plays:
        trial.lab.make_namespace(trial.namespace)
    play = trial.start(**variables)
    for item in watch(trial.lab, trial.namespace, kind, version):
        if is_it(item):
            trial.killed(play, everything)
            return
    trial.wrong("what it was to be killed at did not come")
    play.wait()


def in_upgrade(trial: Trial) -> None:
    """Killed during an upgrade of a release."""
    trial.deploy()
    kill_at(
        trial,
        "Secret",
        "v1",
        lambda item: is_record(item, "gaie-qwen3-0-6b", "pending-upgrade"),
        True,
        gaie_values={"inferenceExtension": {"replicas": 2}},
    )
    # Two replicas elect a leader, one does not: the Role for that goes again.
    trial.again(llm_d_consent=["delete"])


def in_routes(trial: Trial) -> None:
    """Killed as the first route is there."""
    kill_at(trial, "HTTPRoute", GATEWAY, lambda item: True, False)
    trial.again()


FAULTS: list[tuple[str, Fault]] = [
    *((f"killed {title}", functools.partial(at_task, place, every)) for title, place, every in TASKS),
    ("killed with a model pending-install", functools.partial(at_record, "ms-qwen3-0-6b", "pending-install", True)),
    ("killed with a pool pending-install", functools.partial(at_record, "gaie-qwen3-0-6b", "pending-install", True)),
    ("killed with the gateway pending-install", functools.partial(at_record, "infra-llm-d", "pending-install", True)),
    ("killed alone, with a model pending-install",
     functools.partial(at_record, "ms-llama-3-2-1b", "pending-install", False)),
    ("killed with a pool pending-upgrade", in_upgrade),
    ("killed after Helm, before the pods are ready",
     functools.partial(at_record, "ms-qwen3-0-6b", "deployed", True)),
    ("killed as routes are applied", in_routes),
]  # fmt: skip
