# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run that failed has left of each component: made, failed, stopped, or never begun."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cancel import CANCELLED
from ansible_collections.llm_d.orchestrator.plugins.module_utils._events import DONE, FAILED

Object = dict[str, t.Any]
_NAMES_SHOWN = 4
_ORDER = ("failed", "cancelled", "not ended", "done")
_WORDS = {"done": "deployed and ready", "not ended": "begun, not ended"}


def component_states(
    components: t.Sequence[str], settled: t.Container[str], events: t.Iterable[Object], failed: t.Container[str] = ()
) -> list[str]:
    """Return one line for each component, in order.

    settled: those that were as wanted before the run; events: the run's timed steps; failed: components that failed
    without a step of theirs.
    """
    rows: dict[str, dict[str, Object]] = {name: {} for name in components}
    for event in events:
        if event.get("component") in rows:
            rows[event["component"]][str(event.get("name") or event["component"])] = event
    return [f"{name}: {_line(rows[name], name in settled, name in failed)}" for name in components]


def _line(names: dict[str, Object], settled: bool, failed: bool) -> str:
    if not names:
        return "failed" if failed else "as wanted before, unchanged" if settled else "not started"
    groups: dict[str, list[str]] = {}
    for name, event in names.items():
        groups.setdefault(_state(event), []).append(name)
    parts = []
    for state in _ORDER:
        if state in groups:
            parts.append(f"{_WORDS.get(state, state)}: {_listed(groups[state])}")
    return "; ".join(parts)


def _state(event: Object) -> str:
    if event.get("status") == FAILED:
        return "cancelled" if CANCELLED in str(event.get("detail")) else "failed"
    ended = event.get("status") == DONE and event.get("step") != "install"
    return "done" if ended else "not ended"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
