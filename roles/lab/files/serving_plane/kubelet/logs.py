# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What `kubectl logs` shows of pods that the plane plays: a file for each, in the container runtime's form."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

from ..cluster.snapshot import Object

LONGEST = 1_000_000


class PodLogs:
    """The logs of pods, by uid."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, list[str]] = {}

    def path(self, uid: str) -> Path:
        """The file of a pod's log."""
        return self._folder / f"{uid}.log"

    def has(self, uid: str) -> bool:
        """True for a pod that has a log of its own."""
        return self.path(uid).exists()

    def write(self, uid: str, lines: list[str]) -> None:
        """Make a pod's log be these lines, once for the same lines."""
        if self._written.get(uid) != lines or not self.has(uid):
            self._written[uid] = lines
            self._put(uid, lines, "w")

    def append(self, uid: str, line: str) -> None:
        """Add a line to a pod's log, which begins anew where it has become long."""
        long = self.has(uid) and self.path(uid).stat().st_size > LONGEST
        self._put(uid, [line], "w" if long else "a")

    def _put(self, uid: str, lines: Iterable[str], mode: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        moment = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        with self.path(uid).open(mode, encoding="utf-8") as file:
            file.writelines(f"{moment} stderr F {line}\n" for line in lines)

    def forget(self, alive: set[str]) -> None:
        """Remove the logs of pods that are gone."""
        for path in self._folder.glob("*.log"):
            if path.stem not in alive:
                path.unlink(missing_ok=True)
                self._written.pop(path.stem, None)


def owner_of(pod: Object) -> Object:
    """The reference by which an object goes when a pod goes."""
    return {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}


def logs_object(pod: Object, path: Path) -> Object:
    """KWOK's Logs of a pod. It goes when the pod goes."""
    meta = pod["metadata"]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Logs",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": [owner_of(pod)]},
        "spec": {"logs": [{"logsFile": str(path), "previousLogsFile": str(path), "follow": False}]},
    }
