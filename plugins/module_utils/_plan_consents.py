# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a plan needs somebody's word for: deletions, replacements, others' objects, large scale."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._discovery_actions import (
    CREATE,
    DELETE,
    REPLACE,
    UPDATE,
    Action,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_items import Component
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import build_model, pod_specs

Object = dict[str, t.Any]

CONSENTS = ("delete", "replace", "scale")
DEFAULT_THRESHOLD = 32
WORKLOADS = ("Deployment", "StatefulSet", "LeaderWorkerSet")


def consents(actions: t.Sequence[Action], given: t.Container[str], adopt: bool, threshold: int) -> list[Object]:
    """Return the consents that a plan needs. given: kinds of llm_d_consent; adopt: llm_d_adopt."""
    rows = []
    for action in actions:
        if action.action in (DELETE, REPLACE):
            verb = {DELETE: "delete", REPLACE: "delete and make anew"}[action.action]
            lost = ", with the data on it" if action.item["kind"] == "PersistentVolumeClaim" else ""
            what = f"{verb} {action.title}{lost}: {action.why}"
            rows.append(_row(action.action, action.id, what, action.action in given))
        if action.adopts and not action.mistake:
            rows.append(
                _row("adopt", action.id, f"take over {action.title}, which this collection did not make", adopt)
            )
    pods = sum(added_pods(action) for action in actions)
    if pods > threshold:
        what = f"add {pods} pods of model servers or with accelerators, more than the threshold of {threshold}"
        rows.append(_row("scale", "pods", what, "scale" in given))
    return rows


def _row(kind: str, name: str, what: str, granted: bool) -> Object:
    return {"id": f"{kind}:{name}", "kind": kind, "what": what, "granted": granted}


def added_pods(action: Action) -> int:
    """Return how many pods with accelerators, or of model servers, an action adds."""
    if action.action not in (CREATE, UPDATE, REPLACE) or action.item["kind"] not in WORKLOADS:
        return 0
    model = build_model([Component(action.component, action.release, "", [action.item])])
    accelerated = any(_accelerators(spec) for item in model.planned for _path, spec in pod_specs(item))
    if not accelerated and not model.workloads:
        return 0
    return max(0, _pods(action.item) - (_pods(action.live) if action.live and action.action != REPLACE else 0))


def _pods(item: Object) -> int:
    spec = item.get("spec") or {}
    replicas = spec.get("replicas", 1)
    size = (spec.get("leaderWorkerTemplate") or {}).get("size", 1)
    return (replicas if isinstance(replicas, int) else 1) * (size if isinstance(size, int) else 1)


def _accelerators(spec: Object) -> bool:
    """Return whether a pod asks for devices: extended resources have a domain in their names."""
    containers = [entry for entry in spec.get("containers") or [] if isinstance(entry, dict)]
    wanted = [entry.get("resources") or {} for entry in containers]
    names = [name for one in wanted for part in ("requests", "limits") for name in one.get(part) or {}]
    return any("/" in name for name in names)
