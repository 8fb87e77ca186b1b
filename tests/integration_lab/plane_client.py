# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A client of a running lab for tests: objects in, conditions out, HTTP through port-forward."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from kubernetes import client, config, dynamic
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward

Object = dict[str, Any]
PATIENCE = 30.0


class Answer(NamedTuple):
    """An HTTP answer; `json()` reads its body."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def eventually(probe: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """The first true value of a probe. Fails with its last value."""
    end = time.monotonic() + patience
    while True:
        found = probe()
        if found:
            return found
        assert time.monotonic() < end, f"not so after {patience} s: {found!r}"
        time.sleep(0.05)


class Lab:
    """The lab whose kubeconfig is in LAB_KUBECONFIG."""

    def __init__(self) -> None:
        path = os.environ.get("LAB_KUBECONFIG")
        assert path, "LAB_KUBECONFIG must name the kubeconfig of a running lab"
        self._api = config.new_client_from_config(path)
        self._dynamic = dynamic.DynamicClient(self._api)
        self.core = client.CoreV1Api(self._api)

    def resource(self, api_version: str, kind: str) -> Any:
        """The dynamic client's resource of a kind."""
        return self._dynamic.resources.get(api_version=api_version, kind=kind)

    def apply(self, *objects: Object) -> None:
        """Server-side apply."""
        for obj in objects:
            resource = self.resource(obj["apiVersion"], obj["kind"])
            meta = obj["metadata"]
            resource.server_side_apply(
                body=obj,
                name=meta["name"],
                namespace=meta.get("namespace"),
                field_manager="test",
                force_conflicts=True,
            )

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> Object | None:
        """An object, or None."""
        try:
            return self.resource(api_version, kind).get(name=name, namespace=namespace).to_dict()
        except ApiException as exc:
            if exc.status == 404:
                return None
            raise

    def delete(self, obj: Object) -> None:
        """Delete an object and wait until it is gone."""
        meta = obj["metadata"]
        place = (obj["apiVersion"], obj["kind"], meta.get("namespace"), meta["name"])
        if self.get(*place):
            self.resource(*place[:2]).delete(name=meta["name"], namespace=meta.get("namespace"), body={})
            eventually(lambda: self.get(*place) is None)

    def scale(self, namespace: str, deployment: str, replicas: int) -> None:
        """Set a Deployment's replicas, as `kubectl scale` does."""
        body = {"spec": {"replicas": replicas}}
        self.resource("apps/v1", "Deployment").patch(
            name=deployment, namespace=namespace, body=body, content_type="application/merge-patch+json"
        )

    def pods(self, namespace: str, selector: str) -> list[str]:
        """The names of the Ready pods of a selector."""
        found = self.core.list_namespaced_pod(namespace, label_selector=selector).items
        return [pod.metadata.name for pod in found if _is_ready(pod)]

    def http(
        self, namespace: str, pod: str, port: int, method: str, path: str, body: Any = None, host: str = "lab"
    ) -> Answer:
        """One request to a port of a pod, through the API server."""
        forward = portforward(self.core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.sock = forward.socket(port)
        try:
            raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, raw, {"Host": host, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        finally:
            connection.close()


def _is_ready(pod: Any) -> bool:
    conditions = pod.status.conditions or []
    return not pod.metadata.deletion_timestamp and any(c.type == "Ready" and c.status == "True" for c in conditions)


def verdicts(conditions: list[Object] | None) -> dict[str, str]:
    """Condition type -> `Status/Reason`."""
    return {item["type"]: f"{item['status']}/{item['reason']}" for item in conditions or []}


def parent_verdicts(obj: Object | None) -> list[dict[str, str]]:
    """The verdicts of each of status.parents."""
    parents = ((obj or {}).get("status") or {}).get("parents") or []
    return [verdicts(parent.get("conditions")) for parent in parents]
