# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The rows of a status, and the states that only it judges."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._conditions import State

Object = dict[str, t.Any]


def row(
    kind: str,
    namespace: str,
    name: str,
    component: str,
    release: str,
    state: State | None,
    drift: str = "",
    detail: str = "",
) -> Object:
    """Return one row of the result; state None: it may not be read."""
    return {
        "component": component,
        "release": release,
        "kind": kind,
        "namespace": namespace,
        "name": name,
        "ready": state.ready if state else None,
        "state": (state.text or "ready") if state else "not readable",
        "drift": drift,
        "detail": detail,
    }


def pool_state(live: Object) -> State:
    """Return an InferencePool's state: a parent that does not accept it is bad, one that says nothing is not."""
    status = live.get("status") or {}
    for parent in [*(status.get("parents") or []), *(status.get("parent") or [])]:
        for found in parent.get("conditions") or []:
            if found.get("type") in ("Accepted", "ResolvedRefs") and found.get("status") == "False":
                return State(False, f"{found['type']}=False {found.get('reason') or ''}: {found.get('message') or ''}")
    return State(True)
