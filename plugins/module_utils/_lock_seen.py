# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The locks of a stack's namespaces as planning sees them: what a run locks, and who has locked it now."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import Forbidden, OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._lock import Locks
from ansible_collections.llm_d.orchestrator.plugins.module_utils._lock_lease import (
    API,
    KIND,
    NAME,
    Object,
    held_text,
    holder,
    version,
)

if t.TYPE_CHECKING:
    from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster

OFF = "off"


def locked_namespaces(stack: Object) -> list[str]:
    """Return the namespaces in which a deployment makes something. stack: as planning returns it."""
    names = [stack["namespace"]]
    if stack["releases"]["gateway"]:
        names.append(stack["gateway"]["namespace"])
    return list(dict.fromkeys(filter(None, names)))


def await_locks(cluster: Cluster | None, stack: Object, params: Object, say: t.Callable[[str], t.Any]) -> bool:
    """Wait until nobody changes the stack, or raise Held: what is half made looks like mistakes.

    Returns whether it was waited, so that what was read before is old. params: lock and lock_timeout of the module;
    say: shows a line at once.
    """
    names = locked_namespaces(stack) if params["lock"] != OFF else []
    waited = False
    for name in names if cluster is not None else []:
        locks = Locks(t.cast("Cluster", cluster), "", {}, "", say)
        with contextlib.suppress(Forbidden):  # that is another rule's matter
            waited = locks.quiet(name, params["lock"], params["lock_timeout"]) or waited
    return waited


def seen_locks(cluster: Cluster | None, stack: Object, mode: str, notes: list[str]) -> Object:
    """Return {mode, namespaces, versions}; add to the notes who has locked a namespace.

    versions: by namespace what changes when somebody takes or returns its lock; none that may not be read.
    """
    names = locked_namespaces(stack) if mode != OFF else []
    versions = {}
    for name in names if cluster is not None else []:
        try:
            lease = t.cast("Cluster", cluster).get(API, KIND, NAME, name)
        except OrchestratorError:
            continue  # whether it may be read is another rule's matter
        versions[name] = version(lease)
        if lease and holder(lease):
            notes.append(f"{held_text(lease, name)} A deployment waits for it or is refused, see llm_d_lock.")
    return {"mode": mode, "namespaces": names, "versions": versions}
