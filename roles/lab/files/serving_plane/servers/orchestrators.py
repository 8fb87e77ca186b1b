# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Containers that run LLM-Orchestrator, known by the verbs of its deployment guide: server, and db init."""

from __future__ import annotations

from typing import NamedTuple

from ..cluster.snapshot import Object
from .commandline import flag, words

API, WORKER, MIGRATION = "orchestrator-api", "orchestrator-worker", "orchestrator-migration"
MODES = {"api": API, "standalone": API, "worker": WORKER}


class Program(NamedTuple):
    """What a container runs."""

    kind: str
    container: Object


def kind_of(container: Object) -> str:
    """What a container runs of LLM-Orchestrator, "" where it runs something else."""
    line = words(container)
    verbs = [word for word in line if not word.startswith("-")][-2:]
    if verbs == ["db", "init"]:
        return MIGRATION
    mode = flag(line, "mode") or ""
    return MODES.get(mode, "") if "server" in line and flag(line, "config") else ""


def program_of(pod: Object) -> Program | None:
    """What a pod runs of LLM-Orchestrator, None where it runs something else."""
    found = ((kind_of(item), item) for item in pod["spec"]["containers"])
    return next((Program(kind, item) for kind, item in found if kind), None)
