# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The records that a namespace keeps of its deployments, so that other machines find them: list, load, keep."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._cluster import CONNECT_TIMEOUT, Cluster, api_error
from ansible_collections.llm_d.orchestrator.plugins.module_utils._errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils._record_secret import (
    FIELDS,
    RECORD_TYPE,
    SELECTOR,
    listed,
    manifest,
    secret_name,
    surplus,
    unpack,
)

try:
    import urllib3
    from kubernetes.client.exceptions import ApiException
except ImportError:  # pragma: no cover - reported by Cluster
    ApiException = Exception  # type: ignore[assignment,misc]

Object = dict[str, t.Any]

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
            self._request(f"keep Secret {name}", "post", body=body, passing=(TAKEN,))
        except _Answered:
            # The same run has recorded before; what is not of this type is another's and the API server keeps it.
            self._request(f"keep Secret {name}", "put", name, body=body)
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
            raise OrchestratorError(f"The cluster did not answer when asked to {action}: {exc}") from exc
        return json.loads(reply.data)


class _Answered(Exception):
    """The API server's answer is one of those that were expected."""


def records_in_cluster(cluster: Cluster, namespace: str) -> RecordStore:
    """Return the records that a namespace keeps; nothing is read yet."""
    return RecordStore(cluster, namespace)
