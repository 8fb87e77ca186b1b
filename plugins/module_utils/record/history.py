# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The records of a stack's deployments, from its namespace or else from files: listed, chosen, read."""

from __future__ import annotations

import glob
import json
import os
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..changes.fingerprints import fingerprint
from ..cluster.client import Cluster
from .parts import RELEASE, model_names, recorded_parts
from .store import records_in_cluster

SUCCEEDED = "succeeded"


class Records:
    """The records of one namespace. rows: newest first, each {time, outcome, models, by, place}."""

    def __init__(self, cluster: Cluster, namespace: str, folder: str) -> None:
        """folder: RECORDS/CLUSTER, where the files of this machine's runs are; "" where there are none."""
        self.store = records_in_cluster(cluster, namespace)
        self.namespace, self.folder = namespace, folder
        self.unseen: list[str] = []
        self._read: dict[str, Object] = {}
        self.rows = self._rows()

    def _rows(self) -> list[Object]:
        found: dict[str, Object] = {row["time"]: row for row in self._files()}
        try:
            kept = self.store.list()
        except OrchestratorError as exc:
            self.unseen.append(f"records in the cluster: {exc.message}")
            kept = []
        found.update({row["time"]: {**row, "place": "cluster"} for row in kept})
        return sorted(found.values(), key=lambda row: str(row["time"]), reverse=True)

    def _files(self) -> t.Iterator[Object]:
        pattern = os.path.join(glob.escape(self.folder), "*", "record.json")
        for path in glob.glob(pattern) if self.folder else ():
            try:
                with open(path, encoding="utf-8") as stream:
                    record = json.load(stream)
            except (OSError, ValueError):
                self.unseen.append(f"{path}: cannot be read")
                continue
            if record.get("namespace") == self.namespace:
                time = os.path.basename(os.path.dirname(path))
                self._read[time] = record
                keys = ("outcome", "by", "plan_digest")
                yield {
                    "time": time,
                    **{key: record.get(key) for key in keys},
                    "models": model_names(record),
                    "place": path,
                }

    def load(self, time: str) -> Object:
        """Return a record; raise OrchestratorError where it cannot be read."""
        row: Object = next((row for row in self.rows if row["time"] == time), {})
        if row.get("place") == "cluster":
            record = self.store.load(time)
            # The cluster's copy may lack what a Secret could not hold.
            return self._read.get(time, record) if record.get("left_out") else record
        if time not in self._read:
            raise OrchestratorError(f"Namespace {self.namespace} has no record of {time}.", hint=choices(self.rows))
        return self._read[time]

    def newest_good(self) -> Object | None:
        """Return the newest record of a deployment that succeeded, None where there is none."""
        return next((self.load(row["time"]) for row in self.rows if row["outcome"] == SUCCEEDED), None)


def choices(rows: t.Iterable[Object]) -> str:
    """Return what deployments there are to return to, in words."""
    good = [f"{row['time']} ({', '.join(map(str, row.get('models') or [])) or 'no models'})" for row in rows
            if row["outcome"] == SUCCEEDED]  # fmt: skip
    return "Recorded deployments that succeeded: " + (", ".join(good) or "none") + "."


def state_of(record: Object) -> tuple:
    """Return what tells the states of two deployments apart: releases by their inputs, and other objects."""
    releases = sorted(
        (row.get("namespace") or "", row["name"], row.get("inputs_digest") or row.get("revision") or 0)
        for row in record.get("releases") or []
    )
    routes = sorted((row.get("name"), row.get("fingerprint")) for row in record.get("routes") or [])
    others = [item for part in recorded_parts(record) if part["kind"] != RELEASE for item in part["manifests"]]
    return tuple(releases), tuple(routes), tuple(sorted(map(fingerprint, others)))


def time_of(record: Object) -> str:
    """Return a record's time as it is named by: 20261121T083000Z."""
    return str(record["started"]).replace("-", "").replace(":", "")


def choose(records: Records, wanted: str) -> Object:
    """Return the record to return to. wanted: a time, previous (the deployment before the newest), or last_good.

    last_good is the newest that succeeded, or where the newest deployment did, the newest one before it that made
    another state. Raises OrchestratorError, with what there is, where there is none.
    """
    rows = records.rows
    if wanted not in ("last_good", "previous"):
        return _good(records, wanted)
    if wanted == "previous":
        if len(rows) > 1:
            return _good(records, rows[1]["time"])
    elif rows and rows[0]["outcome"] != SUCCEEDED:
        aim = str((records.load(rows[0]["time"]).get("inputs") or {}).get("rollback_to"))
        # A rollback that failed is taken up again.
        found = _good(records, aim) if any(row["time"] == aim for row in rows) else records.newest_good()
        if found is not None:
            return found
    elif rows:
        present = state_of(records.load(rows[0]["time"]))
        for row in rows[1:]:
            if row["outcome"] == SUCCEEDED and state_of(record := records.load(row["time"])) != present:
                return record
    raise OrchestratorError(
        f"Namespace {records.namespace} has no deployment to roll back to (rollback_to: {wanted}).", hint=choices(rows)
    )


def _good(records: Records, time: str) -> Object:
    record = records.load(time)
    if record.get("outcome") != SUCCEEDED:
        raise OrchestratorError(f"The deployment of {time} failed: there is no state to roll back to.",
                                hint=choices(records.rows))  # fmt: skip
    return record
