# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What claims hold: a folder of the lab stands for each, in which KWOK runs what is executed in a container `upload`.

A command there has to use paths that are relative to the claim. What was put into a claim outside of the lab is told by
its annotation `lab.llm-d.ai/holds`.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable
from pathlib import Path

from ..cluster.snapshot import Object, Snapshot, is_deleted
from ..writer import Writer
from .logs import owner_of
from .needs import claims_of

UPLOAD = "upload"


class Claims:
    """The folders that stand for claims."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, claim: Object) -> Path:
        """The folder of a claim."""
        return self._folder / claim["metadata"]["uid"]

    def work(self, snapshot: Snapshot, writer: Writer) -> list[Awaitable[None]]:
        """What is to be written for the pods that upload; folders of claims that are gone go."""
        alive = {item["metadata"]["uid"] for item in snapshot.all("PersistentVolumeClaim")}
        for folder in self._folder.glob("*"):
            if folder.name not in alive:
                shutil.rmtree(folder)
        work = []
        for pod in snapshot.all("Pod"):
            named = any(item["name"] == UPLOAD for item in pod["spec"]["containers"])
            claims = claims_of(pod) if named and not is_deleted(pod) else []
            found = [snapshot.get("PersistentVolumeClaim", pod["metadata"]["namespace"], name) for name in claims]
            for claim in filter(None, found[:1]):
                self.path(claim).mkdir(mode=0o700, parents=True, exist_ok=True)
                work.append(writer.apply(exec_object(pod, self.path(claim))))
        return work


def exec_object(pod: Object, folder: Path) -> Object:
    """KWOK's Exec of a pod: commands in its container `upload` run in a folder of this machine."""
    meta = pod["metadata"]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Exec",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "ownerReferences": [owner_of(pod)]},
        "spec": {"execs": [{"containers": [UPLOAD], "local": {"workDir": str(folder)}}]},
    }
