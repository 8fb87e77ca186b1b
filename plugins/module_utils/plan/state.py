# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a plan was made of, as hashes: the inputs of each part, the live state of each object, and a digest over both.

A hash cannot be read back; of a Secret, its values go into it together with the object's own identity.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..base.data import Object
from ..changes.actions import DELETE, REUSE, Action
from ..cluster.compare import content

ABSENT = "absent"
# Hex digits of a single hash: enough to tell two states apart.
LENGTH = 24


def hashed(value: t.Any) -> str:
    """Return the hash of a JSON-like value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def live_hash(live: Object | None) -> str:
    """Return the hash of a live object's labels, spec and data, 'absent' for none."""
    if live is None:
        return ABSENT
    body = content(live)
    if live.get("kind") == "Secret":
        body = {**body, "uid": (live.get("metadata") or {}).get("uid")}
    return hashed(body)[:LENGTH]


def states(actions: t.Iterable[Action]) -> dict[str, str]:
    """Return the state of every object of a plan."""
    return {action.id: live_hash(action.live) for action in sorted(actions, key=lambda action: action.id)}


# Where a chart is taken from says nothing: its digest does; what is made anew follows from the cluster.
_PLACE = ("chart_ref", "chart_version", "replace")


def inputs(parts: t.Iterable[tuple[Object, str]], site: t.Any) -> dict[str, str]:
    """Return the hash of what is wanted of each part.

    parts: each as plain data, with its chart's digest, "" where it has none; site: what concerns all of them.
    """
    found = {}
    for part, digest in parts:
        wanted = {key: value for key, value in part.items() if key not in _PLACE}
        same = part["component"] == part["name"]
        found[part["name"] if same else f"{part['component']}/{part['name']}"] = hashed([wanted, digest, site])[:LENGTH]
    return found


def plan_digest(inputs_: t.Mapping[str, str], states_: t.Mapping[str, str], namespace: str) -> str:
    """Return the digest by which a plan is approved."""
    return f"sha256:{hashed({'inputs': inputs_, 'state': states_, 'namespace': namespace})}"


def changed_inputs(planned: t.Mapping[str, str], now: t.Mapping[str, str]) -> list[str]:
    """Return what of the inputs is not as it was planned, each with what became of it."""
    rows = []
    for name in sorted({*planned, *now}):
        if name not in now:
            rows.append(f"{name} is no longer part of the stack")
        elif name not in planned:
            rows.append(f"{name} was not planned")
        elif planned[name] != now[name]:
            rows.append(f"{name} changed")
    return rows


def changed_states(plan: Object, actions: t.Sequence[Action]) -> list[str]:
    """Return the objects that are not as the plan saw them, each with what became of it.

    What the plan itself was to make may be as wanted by now: a run that was interrupted is taken up again.
    """
    planned = {_id(row): row["action"] for row in plan["actions"]}
    now, live = states(actions), {action.id: action for action in actions}
    rows = []
    for name in sorted({*plan["state"], *now}):
        before, after = plan["state"].get(name), now.get(name)
        if before == after or _made(planned.get(name, REUSE), live.get(name)):
            continue
        title = name.replace("/", " ", 1).replace(" /", " ")
        if before is None:
            rows.append(f"{title} was not planned")
        elif after is None:
            rows.append(f"{title} is no longer affected")
        elif before == ABSENT:
            rows.append(f"{title} exists now")
        else:
            rows.append(f"{title} is gone" if after == ABSENT else f"{title} changed")
    return rows


def _made(planned: str, action: Action | None) -> bool:
    """Return whether an object is what the plan was to make of it."""
    if planned == REUSE:
        return False
    if action is None:
        return planned == DELETE
    return action.action == REUSE


def _id(row: Object) -> str:
    return f"{row['kind']}/{row['namespace']}/{row['name']}"
