# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The lab's own way to its API server: few, parallel requests, without discovery, so that a lab is up in seconds."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import pathlib
import time
import typing as t

from ..base.data import Object
from ..base.errors import OrchestratorError, require
from .objects import HASH_ANNOTATION, PART_LABEL
from .state import patience

try:
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.dynamic import DynamicClient
    from kubernetes.dynamic.exceptions import DynamicApiError
    from urllib3.exceptions import HTTPError
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None

# kind -> path of its collection. The order is that of creation: a kind's definition comes before its objects.
PATHS = {
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Stage": "/apis/kwok.x-k8s.io/v1alpha1/stages",
    "ClusterLogs": "/apis/kwok.x-k8s.io/v1alpha1/clusterlogs",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "Node": "/api/v1/nodes",
    "GatewayClass": "/apis/gateway.networking.k8s.io/v1/gatewayclasses",
    "MutatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1beta1/mutatingadmissionpolicybindings",
}

METADATA_ONLY = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
# A definition is served a moment after it is created.
SERVED_WITHIN = 20.0
WORKERS = 8


class ApiReply(t.NamedTuple):
    """An answer of the API server. body: the decoded object, or {} where there is none."""

    status: int
    body: dict


class Change(t.NamedTuple):
    """Something to be done to one object. verb: create, update or delete."""

    verb: str
    kind: str
    name: str
    want: Object | None
    have: Object | None


class LabApi:
    """A lab's API server on 127.0.0.1. pki: the folder with ca.crt, admin.crt and admin.key; timeout: seconds."""

    def __init__(self, port: int, pki: pathlib.Path, timeout: float = 30) -> None:
        require(IMPORT_ERROR)
        self.timeout = timeout
        configuration = Configuration(host=f"https://127.0.0.1:{port}")
        configuration.ssl_ca_cert = str(pki / "ca.crt")
        configuration.cert_file, configuration.key_file = str(pki / "admin.crt"), str(pki / "admin.key")
        configuration.connection_pool_maxsize, configuration.retries, configuration.proxy = WORKERS, False, None
        # Without discovery, which a lab that is being made would answer by halves.
        self._client = DynamicClient(ApiClient(configuration), discoverer=lambda *_: None)

    def request(
        self, method: str, path: str, body: t.Any = None, content: str = "application/json", accept: str = ""
    ) -> ApiReply:
        """Return the server's answer; raises urllib3's HTTPError where there is none."""
        options = {"content_type": content, "header_params": {"Accept": accept or "application/json"}}
        try:
            reply = self._client.request(
                method, path, body=body, serialize=False, _request_timeout=self.timeout, **options
            )
            status, text = reply.status, reply.data
        except DynamicApiError as exc:
            status, text = exc.status, exc.body
        with contextlib.suppress(TypeError, ValueError):
            return ApiReply(status, json.loads(text))
        return ApiReply(status, {})

    def ready(self) -> bool:
        """Say whether the server answers and calls itself ready."""
        try:
            return self.request("GET", "/readyz").status == 200
        except HTTPError:
            return False

    def serves_definitions(self) -> bool:
        """Say whether the API server serves every kind of the lab that is defined: after a start it takes a moment."""
        path = PATHS["CustomResourceDefinition"]
        defined = {item["metadata"]["name"] for item in self.request("GET", path, accept=METADATA_ONLY).body["items"]}
        for found in PATHS.values():
            group, plural = found.split("/")[2], found.rpartition("/")[2]
            if f"{plural}.{group}" in defined and self.request("GET", found, accept=METADATA_ONLY).status != 200:
                return False
        return True

    def unready_nodes(self) -> list[str]:
        """Return the names of the nodes without the condition Ready."""
        nodes: list[Object] = self.request("GET", PATHS["Node"]).body.get("items") or []
        return [
            node["metadata"]["name"]
            for node in nodes
            if not any(c["type"] == "Ready" and c["status"] == "True" for c in node["status"].get("conditions") or [])
        ]

    def changes(self, desired: list[Object], pool: concurrent.futures.Executor) -> list[Change]:
        """Return what has to be done so that the lab's own objects are as desired; others are left alone."""
        return [change for kind in pool.map(lambda kind: self._changes_of(kind, desired), PATHS) for change in kind]

    def _changes_of(self, kind: str, desired: list[Object]) -> list[Change]:
        path = f"{PATHS[kind]}?labelSelector={PART_LABEL}%3Dlab"
        reply = self.request("GET", path, accept=METADATA_ONLY)
        have = {item["metadata"]["name"]: item for item in reply.body.get("items") or []} if reply.status == 200 else {}
        want = {found["metadata"]["name"]: found for found in desired if found["kind"] == kind}
        found = [Change("delete", kind, name, None, have[name]) for name in have if name not in want]
        for name, wanted in want.items():
            if name not in have:
                found.append(Change("create", kind, name, wanted, None))
            elif _hash(have[name]) != _hash(wanted):
                found.append(Change("update", kind, name, wanted, have[name]))
        return found

    def apply(self, changes: list[Change], pool: concurrent.futures.Executor) -> None:
        """Carry the changes out, definitions first; raises OrchestratorError with the server's words."""
        first = [change for change in changes if change.kind == "CustomResourceDefinition"]
        for batch in (first, [change for change in changes if change not in first]):
            failed = [text for text in pool.map(self._carry_out, batch) if text]
            if failed:
                raise OrchestratorError("The lab's API server rejected objects of the lab.", details=failed)

    def _carry_out(self, change: Change) -> str | None:
        """Return None when the change is made, else what the server said."""
        begin = time.monotonic()
        while True:
            reply = self._try(change)
            served = reply.status != 404 or change.verb == "delete"
            if served or time.monotonic() - begin > patience(SERVED_WITHIN):
                break
            time.sleep(0.1)
        accepted = reply.status < 300 or (change.verb == "delete" and reply.status == 404)
        if accepted or (change.verb == "create" and reply.status == 409):
            return None
        return f"{change.verb} {change.kind} {change.name}: {reply.status} {reply.body.get('message', '')}"

    def _try(self, change: Change) -> ApiReply:
        path = PATHS[change.kind]
        if change.verb == "delete":
            return self.request("DELETE", f"{path}/{change.name}")
        if change.verb == "create":
            return self.request("POST", path, change.want)
        if change.kind == "Node":
            return self._update_node(change)
        have = self.request("GET", f"{path}/{change.name}").body
        version = have.get("metadata", {}).get("resourceVersion")
        want = t.cast(Object, change.want)
        body = {**want, "metadata": {**want["metadata"], "resourceVersion": version}}
        return self.request("PUT", f"{path}/{change.name}", body)

    def _update_node(self, change: Change) -> ApiReply:
        """Patch what the lab decides of a node; what controllers wrote to it stays."""
        want, have = t.cast(Object, change.want), t.cast(Object, change.have)
        path = f"{PATHS['Node']}/{change.name}"
        old = dict.fromkeys(have["metadata"].get("labels") or {})
        capacity = dict.fromkeys((self.request("GET", path).body.get("status") or {}).get("capacity") or {})
        status = {
            **want["status"],
            "capacity": {**capacity, **want["status"]["capacity"]},
            "allocatable": {**capacity, **want["status"]["allocatable"]},
        }
        merge = "application/merge-patch+json"
        reply = self.request("PATCH", path + "/status", {"status": status}, merge)
        if reply.status >= 300:
            return reply
        metadata = {"labels": {**old, **want["metadata"]["labels"]}, "annotations": want["metadata"]["annotations"]}
        return self.request("PATCH", path, {"metadata": metadata, "spec": {"taints": want["spec"]["taints"]}}, merge)


def summary(changes: list[Change]) -> list[str]:
    """Return one line per kind and verb, with the names where they are few."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        found.setdefault((change.verb, change.kind), []).append(change.name)
    past = {"create": "created", "update": "updated", "delete": "deleted"}
    return [
        f"{past[verb]} {len(names)} {kind}" + (f" ({', '.join(names)})" if len(names) <= 3 else "")
        for (verb, kind), names in found.items()
    ]


def _hash(found: Object) -> str | None:
    return (found["metadata"].get("annotations") or {}).get(HASH_ANNOTATION)
