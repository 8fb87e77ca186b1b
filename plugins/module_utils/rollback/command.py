# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The module stack_rollback: a recorded deployment found, planned, and its releases restored."""

from __future__ import annotations

import datetime
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..changes.actions import REUSE
from ..cluster.client import Cluster
from ..deploy import kinds
from ..deploy.base import PartsFailed, Work
from ..helm.command import Helm
from ..helm.deployed import HelmRecords
from ..helm.image_check import registry_of
from ..helm.records import Release
from ..record.build import STARTED_FORMAT
from ..record.history import Records, choose, time_of
from ..record.parts import RELEASE, recorded_parts
from .chart import RecordedCharts
from .plan import Return, applied_actions, approval, object_actions, removed
from .restore import Restore
from .steps import UNCHANGED, plan_steps


class RollbackFailed(OrchestratorError):
    """At least one release could not be restored. result: as the module returns it."""

    def __init__(self, details: list[str], result: Object) -> None:
        self.result = result
        super().__init__("Parts could not be restored:", details=details)


def offer(params: Object) -> str:
    """Return the time of the last good deployment, "" where there is none or where that cannot be found out."""
    try:
        records = Records(Cluster(params), params["namespace"], params["records"] or "")
        return time_of(choose(records, params["to"]))
    except OrchestratorError:
        return ""


def run(params: Object, cluster: Cluster, make_helm: t.Callable[[str], Helm], *, check: bool, diff: bool) -> Object:
    """Return the module's result; raise OrchestratorError.

    make_helm: of the registry that images come from; diff: whether the result is to have Ansible's diff.
    """
    records = Records(cluster, params["namespace"], params["records"] or "")
    record = choose(records, params["to"])
    with Work(cluster, params, lambda: make_helm(registry(record))) as work:
        charts = RecordedCharts(work)
        found = planned(record, params["namespace"], cluster, work.inventory, charts)
        result = {**described(record, records.rows[0]["time"]), **shown(found, params)}
        if diff:
            result["diff"] = found.diffs()
        if check or params["state"] == "planned":
            return {**result, "changed": check and found.changes, "to_change": found.changes}
        return _carried_out(record, found, result, Restore(work, charts), params)


def planned(record: Object, namespace: str, cluster: Cluster, inventory: HelmRecords, charts: RecordedCharts) -> Return:
    """Return what a return to a record comes to; raise OrchestratorError for what cannot be restored."""
    current = _current(inventory, record)
    steps = plan_steps(record, inventory, current, charts)
    actions = object_actions(steps, inventory)
    return Return(time_of(record), namespace, steps, actions, applied(record, cluster), removed(record, current))


def applied(record: Object, cluster: Cluster) -> list[Object]:
    """Return what becomes of the objects of a record that belong to no release, and of those that it had not."""
    with Work(cluster, {}, check=True) as work:
        rows = []
        for one in kinds.returning(work, recorded_parts(record)):
            work.inventory.live.preload(one.wanted)
            live = [item for wanted in one.wanted if (item := work.inventory.live.find(wanted)) is not None]
            rows += applied_actions(one.wanted, [*live, *one.stale()])
        return rows


def shown(found: Return, params: Object) -> Object:
    """Return what the module's result has of a return."""
    return {
        **approval(found, params),
        "lines": found.lines(),
        "changing": found.changing(),
        "releases": [step.as_dict() for step in found.steps],
        "objects": [one.as_dict() for one in found.actions if one.action != REUSE],
        "applied": [{key: row[key] for key in ("kind", "namespace", "name", "action")} for row in found.applied],
        "removed": [release.name for release in found.extra],
    }


def registry(record: Object) -> str:
    """Return where the images of a recorded deployment came from, "" for anywhere."""
    return registry_of({"image_registry": (record.get("inputs") or {}).get("llm_d_image_registry")})


def _carried_out(record: Object, found: Return, result: Object, restore: Restore, params: Object) -> Object:
    if params["state"] == "removed":
        restore.remove(found.extra)
        return {**result, "changed": bool(found.extra)}
    more = set(result["changing"]).difference(params["changing"] or result["changing"])
    if more:
        # Less may be left to do than was shown: a run that was killed may have got that far meanwhile.
        raise OrchestratorError("The changes are no longer those that were shown. Nothing was changed.",
                                hint="Run again.", details=sorted(more))  # fmt: skip
    rows = restore.run(found.steps, found.actions)
    result = _ended({**result, "releases": rows, "changed": any(one.action != UNCHANGED for one in found.steps)})
    try:
        others = [part for part in recorded_parts(record) if part["kind"] != RELEASE]
        outcome = kinds.restored(restore.work, others)
    except PartsFailed as exc:
        raise RollbackFailed(exc.details or [exc.message], result) from exc
    return {**result, "changed": result["changed"] or outcome.changed}


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


def _current(inventory: HelmRecords, record: Object) -> dict[tuple[str, str], Release]:
    """Return the newest revisions in all namespaces of a record."""
    places = {record["namespace"], *(row["namespace"] for row in record.get("releases") or [])}
    return {(name, place): one for place in sorted(places) for name, one in inventory.releases(place).items()}


def _ended(result: Object) -> Object:
    errors = [f"{row['name']}: {row['error']}" for row in result["releases"] if row.get("error")]
    if errors:
        raise RollbackFailed(errors, result)
    return result
