# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The plan as plain data, put together from what planning has found. Its form is docs/plan.schema.json."""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._discovery_actions import (
    CREATE,
    DELETE,
    REPLACE,
    REUSE,
    UPDATE,
    Action,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._image_check import images_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_order import order
from ansible_collections.llm_d.orchestrator.plugins.module_utils._plan_state import plan_digest, states

Object = dict[str, t.Any]

FORMAT = 1
ACTIONS = (CREATE, REUSE, UPDATE, REPLACE, DELETE)
OPENSHIFT = ("config.openshift.io/v1", "security.openshift.io/v1")


@dataclasses.dataclass
class Found:
    """What a plan is made of. inputs: hashes by name; charts: of all releases; the rest as in the plan."""

    namespace: str
    made: str
    version: str | None
    actions: list[Action]
    inputs: dict[str, str]
    charts: list[Object]
    consents: list[Object]
    questions: list[Object]
    leftovers: list[Object]
    uid: str = ""
    apis: t.Container[str] = ()
    host: str = ""
    records_dir: str | None = None


def build(found: Found, findings: list[Object], notes: list[str], capacity: Object) -> Object:
    """Return the plan."""
    state = states(found.actions)
    platform = "openshift" if any(api in found.apis for api in OPENSHIFT) else "kubernetes"
    busy = {action.component for action in found.actions if action.action != REUSE}
    counts = collections.Counter(action.action for action in found.actions)
    wanted = [action.item for action in found.actions if action.action != DELETE]
    return {
        "format": FORMAT,
        "cluster": {"host": found.host, "uid": found.uid, "server_version": found.version, "platform": platform},
        "namespace": found.namespace,
        "made": found.made,
        "digest": plan_digest(found.inputs, state, found.namespace),
        "inputs": found.inputs,
        "state": state,
        "charts": found.charts,
        "actions": [action.as_dict() for action in found.actions],
        "order": order(busy, found.records_dir, found.host),
        "findings": findings,
        "notes": notes,
        "capacity": capacity,
        "images": sorted(images_of(wanted)),
        "consents": found.consents,
        "questions": found.questions,
        "leftovers": found.leftovers,
        "summary": {name: counts.get(name, 0) for name in ACTIONS},
    }
