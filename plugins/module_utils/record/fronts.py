# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The way of a request by a record where no Gateway is on it: routers, frontends, their models, the workers of each."""

from __future__ import annotations

import typing as t

from ..base.data import Object, dicts, mapping
from ..base.words import plural
from .topology import BAD, GOOD, UNKNOWN, WARN, TopologyNode

ROUTER, FRONTEND, MODEL, WORKERS = "LLM Router", "frontend", "model", "workers"
# Checks of a model that speak of its workers.
OF_WORKERS = ("pods", "served_by", "prefill")


def fronts(record: Object) -> list[TopologyNode]:
    """Return the routers, each with the frontends to which its classes lead, then the frontends without a router."""
    stack = record["stack"]
    checks = dicts(record["verification"].get("checks"))
    frontends = {_host(row): _frontend(row, checks) for row in dicts(stack.get("frontends"))}
    roots, led = [], set()
    for router in dicts(stack.get("routers")):
        classes = [llm for policy in dicts(router.get("policies")) for llm in dicts(policy.get("llms"))]
        behind = [host for host in frontends if any(host in f"{llm.get('api_base')}." for llm in classes)]
        roots.append(_router(router, [frontends[host] for host in behind], checks))
        led.update(behind)
    return roots + [node for host, node in frontends.items() if host not in led]


def _host(frontend: Object) -> str:
    """Return how the name of a frontend's Service begins in a URL."""
    return f"//{frontend.get('service')}.{frontend.get('namespace')}."


def _router(router: Object, behind: list[TopologyNode], checks: list[Object]) -> TopologyNode:
    name = str(router.get("release") or "unknown")
    lines = [
        f"{policy.get('name')}: {plural(len(dicts(policy.get('llms'))), 'class', 'classes')}"
        for policy in dicts(router.get("policies"))
    ]
    return TopologyNode(ROUTER, name, [*lines, _port(router)], _state(checks, name), behind)


def _frontend(frontend: Object, checks: list[Object]) -> TopologyNode:
    name = str(frontend.get("name") or "unknown")
    lines = [f"Dynamo {frontend.get('version') or 'of an unknown version'}", _port(frontend)]
    models = [_model(model, checks) for model in dicts(frontend.get("models"))]
    return TopologyNode(FRONTEND, name, lines, _state(checks, name), models)


def _port(row: Object) -> str:
    return f"Service {row.get('service') or 'unknown'}, port {row.get('port') or 'unknown'}"


def _model(model: Object, checks: list[Object]) -> TopologyNode:
    name = str(model.get("name") or "unknown")
    workers = [
        TopologyNode(WORKERS, f"{role} \u00d7 {count}", [], _state(checks, name, OF_WORKERS))
        for role, count in mapping(model.get("roles")).items()
        if count
    ]
    served = [row for row in checks if row.get("model") == name and row.get("name") == "served_by" and row.get("ok")]
    lines = [str(model.get("model") or name), *(str(row.get("detail")) for row in served[:1])]
    return TopologyNode(MODEL, name, lines, _state(checks, name), workers)


def _state(checks: list[Object], name: str, kinds: t.Sequence[str] = ()) -> str:
    """Return the state of what checks of a name (of the kinds, all where empty) speak of."""
    rows = [row for row in checks if row.get("model") == name and (not kinds or row.get("name") in kinds)]
    levels = {"ok" if row.get("ok") else str(row.get("level")) for row in rows}
    if levels - {"ok", "warning"}:
        return BAD
    return WARN if "warning" in levels else GOOD if levels else UNKNOWN
