# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The corpus of what failing deployments say: each excerpt with its cause, and how it is played to diagnosis."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Evidence, Log

from diagnose.world import event, evidence, item, pod, state

Object = dict[str, Any]
FOLDER = pathlib.Path(__file__).parent / "corpus"
# What diagnosis says where no rule knows the cause, or only that something is not ready yet.
NO_CAUSE = {"DIAG414", "DIAG901", "DIAG998", "DIAG999"}
CONTAINERS = {"picker": "epp", "sidecar": "routing-proxy", "envoy": "istio-proxy", "nginx": "nginx"}
CRASHED = {"exitCode": 1, "reason": "Error"}


@dataclasses.dataclass(frozen=True)
class Excerpt:
    """One excerpt. file: which file of the corpus has it; row: as it stands there."""

    file: str
    row: Object

    @property
    def name(self) -> str:
        return f"{self.file}: {self.row['name']}"

    @property
    def causes(self) -> set[str]:
        """The rules that have to name it, none where nobody can know."""
        given = self.row["cause"]
        return {given} if isinstance(given, str) else set(given)

    @property
    def of_a_log(self) -> bool:
        return "log" in self.row or "running" in self.row

    def evidence(self) -> Evidence:
        """The namespace in which it was said."""
        objects, logs = self._played()
        return evidence(*objects, *self.row.get("objects", []), logs=logs)

    def result(self) -> Object:
        """What diagnosis returns of it."""
        return diagnose(self.evidence())

    def named(self) -> set[str]:
        """The causes that diagnosis names."""
        return {cause["id"] for cause in self.result()["causes"]} - NO_CAUSE

    def _played(self) -> tuple[list[Object], list[Log]]:
        row = self.row
        container = CONTAINERS.get(row["program"], "vllm")
        spec = {
            "containers": [{"name": container, "image": "reg/x:v1", "args": row.get("arguments", [])}],
            **row.get("spec", {}),
        }
        if "log" in row:
            waiting = {"reason": "CrashLoopBackOff", "message": "back-off"}
            body = pod("web-1", state(container, waiting=waiting, last=CRASHED, restarts=2), phase="Running", spec=spec)
            return [body], [Log(body, container, tuple(row["log"].rstrip("\n").split("\n")))]
        if "running" in row:
            body = pod("web-1", state(container, running=True), phase="Running", spec=spec)
            return [body], [Log(body, container, tuple(row["running"].rstrip("\n").split("\n")))]
        return self._of_objects(container, spec), []

    def _of_objects(self, container: str, spec: Object) -> list[Object]:
        row = self.row
        for key, reason in (("pull", "ImagePullBackOff"), ("unmade", "CreateContainerConfigError")):
            if key in row:
                why = {"reason": row.get("reason", reason), "message": row[key]}
                return [pod("web-1", state(container, waiting=why), spec=spec)]
        if "unplaced" in row:
            why = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": row["unplaced"]}
            return [pod("web-1", conditions=[why], spec={**spec, "nodeName": None})]
        if "refused" in row:
            why = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": row["refused"]}
            return [item("Deployment", "web", spec={"replicas": 1}, status={"conditions": [why]})]
        if "failed" in row:
            body = pod("web-1", phase="Failed", spec=spec)
            body["status"].update(row["failed"])
            return [body, event(body, row["failed"]["reason"], row["failed"]["message"])]
        if "provisioning" in row:
            claim = item(
                "PersistentVolumeClaim", "weights", spec={"storageClassName": "fast"}, status={"phase": "Pending"}
            )
            storage = item("StorageClass", "fast", volumeBindingMode="Immediate")
            del storage["metadata"]["namespace"]
            return [storage, claim, event(claim, "ProvisioningFailed", row["provisioning"])]
        body = pod("web-1", state(container, waiting={"reason": "ContainerCreating"}), spec=spec)
        return [body, event(body, row["event"]["reason"], row["event"]["message"])]


def excerpts() -> list[Excerpt]:
    """All excerpts, file by file."""
    files = sorted(FOLDER.glob("*.yml"))
    return [Excerpt(file.stem, row) for file in files for row in yaml.safe_load(file.read_text(encoding="utf-8"))]


@dataclasses.dataclass
class Score:
    """How well causes are named: rightly, wrongly, and not at all."""

    excerpts: int = 0
    unknown: int = 0
    right: int = 0
    wrong: int = 0
    missed: int = 0

    def count(self, excerpt: Excerpt, named: set[str]) -> None:
        self.excerpts += 1
        self.unknown += not excerpt.causes
        self.right += len(named & excerpt.causes)
        self.wrong += len(named - excerpt.causes)
        self.missed += len(excerpt.causes - named)

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0
