# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The verification of all that a stack tells of: models, by whatever way in; routers; orchestrators."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.words import listed
from .frontends import probe_frontends
from .policies import probe_routers
from .prober import Options
from .rounds import probe
from .workflows import probe_orchestrators

Emit = t.Callable[..., t.Any]


@dataclasses.dataclass
class Targets:
    """What is to be verified. models: specs of those behind a Gateway or a standalone router; frontends, routers,
    orchestrators: as a stack tells them; token: for orchestrators."""

    models: list[Object]
    frontends: list[Object] = dataclasses.field(default_factory=list)
    routers: list[Object] = dataclasses.field(default_factory=list)
    orchestrators: list[Object] = dataclasses.field(default_factory=list)
    token: str = ""

    def __bool__(self) -> bool:
        """Return whether there is anything."""
        return bool(self.models or self.frontends or self.routers or self.orchestrators)


def verify(cluster: t.Any, options: Options, wanted: Targets, emit: Emit, lenient: bool = False) -> Object:
    """Return the checks, rows and failures of all that is wanted; raise OrchestratorError where nothing can be asked.

    lenient: note that instead. Routers come last, as their requests would move the counters of workers.
    """
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        behind_gateway = pool.submit(
            lambda: [probe(cluster, options, some, emit) for some in _by_entrance(wanted.models)]
        )
        behind_frontends = pool.submit(probe_frontends, cluster, options, wanted.frontends, emit)
    parts = [*_taken(behind_gateway.result, lenient), *_taken(behind_frontends.result, lenient)]
    parts += _taken(lambda: probe_routers(cluster, options, wanted.routers, emit), lenient)
    parts += _taken(lambda: probe_orchestrators(cluster, options, wanted.orchestrators, emit, wanted.token), lenient)
    return joined(parts)


def _by_entrance(models: t.Sequence[Object]) -> list[list[Object]]:
    """Return models that come in by a Gateway, and those that come in by Services of routers; no empty list."""
    parted = [[one for one in models if bool(one.get("service")) is alone] for alone in (False, True)]
    return [some for some in parted if some]


def _taken(get: t.Callable[[], list[Object]], lenient: bool) -> list[Object]:
    try:
        return get()
    except OrchestratorError as exc:
        if not lenient:
            raise
        return [{"notes": [f"Nothing to verify yet: {exc.message}"]}]


def joined(parts: t.Sequence[Object]) -> Object:
    """Return parts of the result as one."""
    names = ("checks", "models", "classes", "notes", "endpoints", "asks", "failures")
    found: Object = {name: [item for part in parts for item in part.get(name) or []] for name in names}
    own = {key: value for part in parts for key, value in part.items() if key not in (*names, "behind", "router")}
    return {**own, **found, "endpoint": "; ".join(found["endpoints"]), "summary": summary(parts)}


def summary(parts: t.Iterable[Object]) -> str:
    """Return how many did not pass, "" where all did."""
    texts = []
    for part in (one for one in parts if one.get("failures")):
        broken = [row for row in part["models"] if not row["ok"]]
        if part.get("router"):
            bad = sum(not row["ok"] for row in part["classes"])
            texts.append(f"{bad} of {len(part['classes'])} requests through router {part['router']}")
        else:
            texts.append(f"{len(broken)} of {len(part['models'])} models behind {part['behind']}")
    return f"{listed(texts, len(texts))} did not pass." if texts else ""
