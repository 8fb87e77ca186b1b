# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The module stack_rollback: a recorded deployment found, planned, and its releases restored."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import Cluster
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._helm import Helm
from ansible_collections.llm_d.orchestrator.plugins.module_utils._inventory import Inventory
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record import STARTED_FORMAT
from ansible_collections.llm_d.orchestrator.plugins.module_utils._releases import Release
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rollback_plan import (
    GATEWAY_API,
    UNCHANGED,
    plan_lines,
    plan_steps,
    removed,
    route_actions,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rollback_records import (
    Records,
    choose,
    recorded_routes,
    time_of,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rollback_run import Restore

Object = dict[str, t.Any]


class RollbackFailed(OrchestratorError):
    """At least one release could not be restored. result: as the module returns it."""

    def __init__(self, details: list[str], result: Object) -> None:
        self.result = result
        super().__init__("Releases could not be restored:", details=details)


def offer(params: Object) -> str:
    """Return the time of the last good deployment, "" where there is none or where that cannot be found out."""
    try:
        records = Records(Cluster(params), params["namespace"], params["records"] or "")
        return time_of(choose(records, params["to"]))
    except OrchestratorError:
        return ""


def run(params: Object, cluster: Cluster, helm: Helm | None, *, check: bool) -> Object:
    """Return the module's result; raise OrchestratorError. helm: None where nothing is to be changed."""
    records = Records(cluster, params["namespace"], params["records"] or "")
    record = choose(records, params["to"])
    inventory = Inventory(cluster)
    current = _current(inventory, record)
    steps, extra = plan_steps(record, inventory, current), removed(record, current)
    stack = record.get("stack") or {}
    live = cluster.list(GATEWAY_API, "HTTPRoute", stack["namespace"]) if stack.get("namespace") else []
    routes = route_actions(recorded_routes(record), live)
    time = time_of(record)
    result: Object = {
        "changed": bool(extra) or any(one.action != UNCHANGED for one in steps)
        or any(row["action"] != UNCHANGED for row in routes),
        **described(record, records.rows[0]["time"]),
        "lines": plan_lines(time, steps, routes, extra),
        "releases": [step.as_dict() for step in steps],
        "routes": routes,
        "removed": [release.name for release in extra],
    }  # fmt: skip
    if check or helm is None:
        return result if check else {**result, "changed": False, "to_change": result["changed"]}
    restore = Restore(cluster, helm, inventory, params)
    try:
        if params["state"] == "removed":
            restore.remove(extra)
            return {**result, "changed": bool(extra)}
        rows = restore.run(steps)
    finally:
        restore.watches.close()
    return _ended({**result, "releases": rows, "changed": any(one.action != UNCHANGED for one in steps)})


def described(record: Object, newest: str) -> Object:
    """Return what a rollback needs of a record."""
    to = time_of(record)
    now = datetime.datetime.now(datetime.timezone.utc).strftime(STARTED_FORMAT)
    return {
        "to": to,
        "from": newest,
        "started": now,
        "stack": {**(record.get("stack") or {}), "started": now},
        "inputs": {**(record.get("inputs") or {}), "rollback_to": to, "rollback_from": newest},
        "approved_inputs": (record.get("approved") or {}).get("inputs") or {},
    }


def _current(inventory: Inventory, record: Object) -> dict[tuple[str, str], Release]:
    """Return the newest revisions in all namespaces of a record."""
    places = {record["namespace"], *(row["namespace"] for row in record.get("releases") or [])}
    return {(name, place): one for place in sorted(places) for name, one in inventory.releases(place).items()}


def _ended(result: Object) -> Object:
    errors = [f"{row['name']}: {row['error']}" for row in result["releases"] if row.get("error")]
    if errors:
        raise RollbackFailed(errors, result)
    return result
