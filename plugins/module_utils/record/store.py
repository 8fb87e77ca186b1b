# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A record as a Secret of its namespace: packed within a Secret's size, told apart by labels, pruned by age."""

from __future__ import annotations

import base64
import gzip
import json
import re
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError
from ..base.ours import COMPONENT_LABEL, MANAGED_LABEL, RECORD_TYPE
from ..cluster.client import CONNECT_TIMEOUT, Cluster, api_error
from .parts import model_names

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]


COMPONENT = "record"
# What is ours of this type, for a list of them.
SELECTOR = f"{MANAGED_LABEL}=true,{COMPONENT_LABEL}={COMPONENT}"
FIELDS = f"type={RECORD_TYPE}"
SUMMARY = "orchestrator.llm-d.ai/record"
PREFIX = "llm-d-orchestrator-record-"
KEY = "record"
TIME = re.compile(r"\d{8}t\d{6}z")
# A Secret holds 1 MiB at most (core/v1 MaxSecretSize).
LIMIT = 900 * 1024
# An annotation is no place for hundreds of names (together 256 KiB at most).
NAMES = 200

# What is left out of a record that is too large, until it fits: the largest that others repeat goes first.
SPARED = (
    ("stack", "inputs"),
    ("inputs", ""),
    ("verification", "checks"),
    ("verification", "classes"),
    ("steps", ""),
    ("stack", "releases"),
    ("stack", "parts"),
    ("stack", "routes"),
    ("diagnosis", "evidence"),
    ("stack", ""),
    ("diagnosis", ""),
    ("releases", ""),
)


def secret_name(time: str) -> str:
    """Return the Secret's name for the start of a deployment, as 20261121T083000Z; raise OrchestratorError else."""
    if not TIME.fullmatch(time.lower()):
        raise OrchestratorError(f"{time!r} is not a record's time such as 20261121T083000Z.")
    return PREFIX + time.lower()


def time_of(name: str) -> str:
    """Return the time in a Secret's name, "" for the name of another."""
    time = name.removeprefix(PREFIX)
    return time.upper() if name.startswith(PREFIX) and TIME.fullmatch(time) else ""


def pack(record: Object, limit: int = LIMIT) -> tuple[bytes, list[str]]:
    """Return a record as gzipped JSON of at most limit bytes, and what was left out for it, which it says itself.

    Raises OrchestratorError where even the rest is larger.
    """
    left_out: list[str] = []
    packed = _gzipped(record)
    for key, part in SPARED:
        if len(packed) <= limit:
            return packed, left_out
        whole = record.get(key)
        if not whole or (part and not whole.get(part)):
            continue
        record = {**record, key: {**whole, part: type(whole[part])()} if part else type(whole)()}
        left_out.append(f"{key}.{part}" if part else key)
        record["left_out"] = left_out
        packed = _gzipped(record)
    if len(packed) > limit:
        raise OrchestratorError(f"the record has {len(packed)} bytes, but a Secret holds at most {limit}")
    return packed, left_out


def _gzipped(record: Object) -> bytes:
    # The time of packing would make equal records differ.
    return gzip.compress(json.dumps(record, separators=(",", ":"), default=str).encode(), mtime=0)


def unpack(secret: Object) -> Object:
    """Return the record in a Secret; raise OrchestratorError where it holds none that can be read."""
    try:
        record = json.loads(gzip.decompress(base64.b64decode(secret["data"][KEY])))
    except (KeyError, TypeError, ValueError, OSError, EOFError) as exc:
        name = (secret.get("metadata") or {}).get("name")
        raise OrchestratorError(f"Cannot read the record in Secret {name}: {exc}") from exc
    if not isinstance(record, dict):
        raise OrchestratorError(f"Secret {secret['metadata']['name']} contains no record.")
    return record


def summary(record: Object) -> Object:
    """Return what a list of records shows of one."""
    return {
        "outcome": record["outcome"],
        "plan_digest": record["plan_digest"],
        "models": model_names(record)[:NAMES],
        "by": record["by"],
        "started": record["started"],
        "seconds": record["seconds"],
    }


def manifest(record: Object, time: str, namespace: str, limit: int = LIMIT) -> Object:
    """Return the Secret that keeps a record; raise OrchestratorError where it cannot."""
    packed, _left_out = pack(record, limit)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": RECORD_TYPE,
        "metadata": {
            "name": secret_name(time),
            "namespace": namespace,
            "labels": {MANAGED_LABEL: "true", COMPONENT_LABEL: COMPONENT},
            "annotations": {SUMMARY: json.dumps(summary(record), separators=(",", ":"))},
        },
        "data": {KEY: base64.b64encode(packed).decode()},
    }


def listed(metadata: Object) -> Object | None:
    """Return {time, outcome, plan_digest, models, by, ...} of a record Secret's metadata, None for another Secret."""
    time = time_of(str(metadata.get("name") or ""))
    if not time:
        return None
    try:
        told = json.loads((metadata.get("annotations") or {})[SUMMARY])
    except (KeyError, ValueError):
        told = {}
    empty: Object = {"outcome": "unknown", "plan_digest": "", "models": [], "by": {}, "started": "", "seconds": None}
    return {"time": time, **empty, **(told if isinstance(told, dict) else {}), "secret": metadata["name"]}


def surplus(records: list[Object], history: int) -> list[str]:
    """Return the names of the Secrets to prune, oldest first.

    records: as listed(), newest first. The newest history of them stay; where all those failed, the newest success
    stays in place of the oldest, so that there is something to go back to.
    """
    kept = records[: max(history, 0)]
    if history > 1 and all(row["outcome"] != "succeeded" for row in kept):
        good = [row for row in records if row["outcome"] == "succeeded"][:1]
        kept = kept[: history - len(good)] + good if len(records) > history else kept
    names = {row["secret"] for row in kept}
    return [row["secret"] for row in reversed(records) if row["secret"] not in names]


# Names and annotations without the data, of which each may have 900 KiB.
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
GONE, TAKEN = 404, 409


class RecordStore:
    """The records in a namespace. Its methods raise OrchestratorError for what the cluster refuses."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster, self.namespace = cluster, namespace

    def list(self) -> list[Object]:
        """Return the records, newest first: {time, outcome, plan_digest, models, by, started, seconds, secret}."""
        query = [("labelSelector", SELECTOR), ("fieldSelector", FIELDS)]
        reply = self._request("list the records", "get", query_params=query, header_params={"Accept": METADATA})
        rows = [listed(item["metadata"]) for item in reply.get("items") or []]
        return sorted((row for row in rows if row), key=lambda row: row["time"], reverse=True)

    def load(self, time: str) -> Object:
        """Return the record of the deployment that began at a time, as 20261121T083000Z."""
        name = secret_name(time)
        try:
            found = self._request(f"read Secret {name}", "get", name, passing=(GONE,))
        except _Answered:
            found = {}
        if found.get("type") != RECORD_TYPE:
            raise OrchestratorError(f"Namespace {self.namespace} has no record of {time}.")
        return unpack(found)

    def keep(self, record: Object, time: str, history: int) -> str:
        """Write a record, prune what is beyond the newest history, and return the Secret's name."""
        body = manifest(record, time, self.namespace)
        name = body["metadata"]["name"]
        try:
            self._request(f"write Secret {name}", "post", body=body, passing=(TAKEN,))
        except _Answered:
            # The same run has recorded before; what is not of this type is another's and the API server keeps it.
            self._request(f"write Secret {name}", "put", name, body=body)
        for old in surplus(self.list(), history):
            if old != name:
                self._delete(old)
        return name

    def _delete(self, name: str) -> None:
        try:
            self._request(f"delete Secret {name}", "delete", name, passing=(GONE,))
        except _Answered:
            return  # another run pruned it

    def _request(
        self, action: str, verb: str, name: str = "", *, passing: tuple[int, ...] = (), **options: t.Any
    ) -> Object:
        path = f"/api/v1/namespaces/{self.namespace}/secrets" + (f"/{name}" if name else "")
        try:
            reply = self.cluster.client.request(
                verb, path, serialize=False, _request_timeout=CONNECT_TIMEOUT, **options
            )
        except ApiException as exc:
            if exc.status in passing:
                raise _Answered from exc
            raise api_error(exc, action) from exc
        except urllib3.exceptions.HTTPError as exc:
            raise OrchestratorError(f"No answer from the cluster to the request to {action}: {exc}") from exc
        return json.loads(reply.data)


class _Answered(Exception):
    """The API server's answer is one of those that were expected."""


def records_in_cluster(cluster: Cluster, namespace: str) -> RecordStore:
    """Return the records that a namespace keeps; nothing is read yet."""
    return RecordStore(cluster, namespace)
