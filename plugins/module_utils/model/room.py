# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a cluster says about room: nodes, the pods that hold resources, quotas and limits of the plan's namespaces."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object

# Kind, API group or name, and namespace of objects.
Place = tuple[str, str, str]


@dataclasses.dataclass(frozen=True)
class Capacity:
    """nodes, pods: trimmed objects, None where they may not be listed; pods: of all namespaces, not ended.

    own_pods: those of the plan's namespaces, with all of their containers; workloads: live ones there, to know
    what goes with an update; present: names of live objects of the kinds that a quota counts; unread: what may not be
    read; unwanted: kind, name and namespace of workloads that go with the deployment, since no part has them any more.
    """

    nodes: t.Sequence[Object] | None = None
    pods: t.Sequence[Object] | None = None
    own_pods: t.Sequence[Object] = ()
    quotas: t.Sequence[Object] = ()
    limits: t.Sequence[Object] = ()
    workloads: t.Sequence[Object] = ()
    runtimes: t.Sequence[Object] = ()
    present: t.Mapping[Place, frozenset[str]] = dataclasses.field(default_factory=dict)
    unread: tuple[str, ...] = ()
    unwanted: frozenset[Place] = frozenset()
