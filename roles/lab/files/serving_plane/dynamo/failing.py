# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Pods of the runtime whose process ends at once: arguments that it does not know, or nobody to register with."""

from __future__ import annotations

from ..cluster.snapshot import Snapshot, is_deleted
from .workers import Runtime, runtime


def crashes(snapshot: Snapshot) -> dict[str, str]:
    """The uids of pods that end, and the log of each."""
    found = (runtime(pod, snapshot) for pod in snapshot.all("Pod") if not is_deleted(pod))
    return {item.pod["metadata"]["uid"]: _log(item) for item in found if item and item.problem}


def _log(item: Runtime) -> str:
    if "unrecognized arguments" in item.problem:
        return f"usage: main.py [options]\n{item.problem}"
    return (
        f"INFO dynamo_runtime: starting dynamo.{item.kind}\nERROR dynamo_runtime: {item.problem}\nError: {item.problem}"
    )
