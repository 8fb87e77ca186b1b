# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What running objects hold of a cluster: how many pods they have, and the devices of those."""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object
from ..base.quantities import MILLI, Amounts, added
from ..base.words import plural
from .nodes import ENDED, held


@dataclasses.dataclass(frozen=True)
class Holding:
    """Pods that have not ended, and the devices that they ask for, by resource."""

    pods: int = 0
    devices: Amounts = dataclasses.field(default_factory=dict)

    def plain(self) -> Object:
        """Return it as plain data: {pods, devices: {nvidia.com/gpu: 8}}."""
        return {"pods": self.pods, "devices": {name: many // MILLI for name, many in self.devices.items()}}


def held_by(owners: t.Container[tuple[str, str, str]], pods: t.Iterable[Object]) -> Holding:
    """Return what the pods of some objects hold. owners: (kind, namespace, name); pods: live ones, of any owner."""
    count, devices = 0, t.cast(Amounts, {})
    for body in pods:
        if (body.get("status") or {}).get("phase") in ENDED:
            continue
        pod = held(body)
        if (pod.owner[0], pod.namespace, pod.owner[1]) in owners or ("Pod", pod.namespace, pod.name) in owners:
            count += 1
            # Extended resources have a domain in their names.
            devices = added(devices, {name: many for name, many in pod.requests.items() if "/" in name})
    return Holding(count, devices)


def held_text(row: Object) -> str:
    """Return what Holding.plain says in words: '8 nvidia.com/gpu in 2 pods', "" where nothing runs."""
    devices = ", ".join(f"{many} {name}" for name, many in sorted((row.get("devices") or {}).items()))
    pods = plural(int(row.get("pods") or 0), "pod")
    return f"{devices} in {pods}" if devices else pods if row.get("pods") else ""
