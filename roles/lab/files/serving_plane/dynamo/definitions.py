# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The init container crd-apply of operators since 1.0, which brings the cluster's definitions up to date."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml

from ..cluster.snapshot import Object, Snapshot, is_deleted

NAME = "crd-apply"
# What is in the operator's image, here in the chart.
FOLDER = Path(__file__).resolve().parents[2] / "charts" / "dynamo-platform-1.x" / "crds"


@lru_cache(maxsize=1)
def definitions() -> tuple[Object, ...]:
    """The definitions of 1.0.1."""
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml")))


def due(snapshot: Snapshot, done: set[str]) -> Iterator[str]:
    """The uids of pods whose crd-apply has started and is not `done`."""
    for pod in snapshot.all("Pod"):
        names = {item["name"] for item in pod["spec"].get("initContainers") or []}
        uid, running = pod["metadata"]["uid"], (pod.get("status") or {}).get("phase") == "Running"
        if NAME in names and running and uid not in done and not is_deleted(pod):
            yield uid
