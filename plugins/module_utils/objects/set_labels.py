# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Labels that controllers put on the pods of a workload: they stand in no template, and a selector may ask for them.

Known from LeaderWorkerSet's api/leaderworkerset/v1 (v0.10) and from Kubernetes' well-known labels.
"""

from __future__ import annotations

import typing as t

from ..base.data import number

_GROUP = "leaderworkerset.sigs.k8s.io/"
_SET = ("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index", "controller-revision-hash")
_JOB = ("batch.kubernetes.io/job-name", "job-name", "batch.kubernetes.io/controller-uid", "controller-uid")
_GROUPS = ("group-index", "group-key", "template-revision-hash", "subgroup-index", "subgroup-key")
# By kind those of whose values nothing is known before the pods are there.
_OF_ANY_VALUE: dict[str, tuple[str, ...]] = {
    "DaemonSet": ("controller-revision-hash", "pod-template-generation"),
    "Deployment": ("pod-template-hash",),
    "Job": (*_JOB, "batch.kubernetes.io/job-completion-index"),
    "LeaderWorkerSet": (*_SET, *(_GROUP + name for name in _GROUPS)),
    "ReplicaSet": ("pod-template-hash",),
    "StatefulSet": _SET,
}


def labels_met(
    labels: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any], kind: str, name: str = "", size: int = 1
) -> dict[str, t.Any]:
    """Return a template's labels with those of a selector that the controller of its kind adds to some of its pods.

    wanted: the selector's labels; name, size: of the workload, '' and pods of a group where it is one.
    """
    added = {key: value for key, value in wanted.items() if key not in labels and _adds(key, value, kind, name, size)}
    return {**labels, **added}


def _adds(key: str, value: t.Any, kind: str, name: str, size: int) -> bool:
    if key in _OF_ANY_VALUE.get(kind, ()):
        return True
    if kind != "LeaderWorkerSet" or not key.startswith(_GROUP):
        return False
    index = number(value)
    return (key == f"{_GROUP}name" and name in ("", value)) or (
        key == f"{_GROUP}worker-index" and index is not None and 0 <= index < size
    )
