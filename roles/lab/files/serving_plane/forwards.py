# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""KWOK PortForward objects: which ports of which pods lead to which servers of the plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .cluster.snapshot import Object, Snapshot, is_ready, labels_of
from .gateways.infrastructure import GATEWAY_NAME, STATUS_PORT, http_ports
from .gateways.view import View
from .servers.servers import servers

OWNED = {"app.kubernetes.io/managed-by": "serving-plane"}
HEALTH = ("health",)


class Route(NamedTuple):
    """A pod's port and the key of the server behind it: ("gateway", uid, port), ("pod", uid, port) or HEALTH."""

    port: int
    key: tuple[object, ...]


def pod_routes(pod: Object, view: View) -> list[Route]:
    """The ports of a pod that can be reached; none while the pod is not ready, as on a real one."""
    if not is_ready(pod):
        return []
    gateway_name = labels_of(pod).get(GATEWAY_NAME)
    gateway = view.gateways.get((pod["metadata"]["namespace"], gateway_name)) if gateway_name else None
    if gateway:
        listening = [Route(port, ("gateway", gateway.uid, port)) for port in http_ports(gateway)]
        return [Route(STATUS_PORT, HEALTH), *listening]
    found = servers(pod)
    if not any(item.kind != "other" for item in found):
        return []
    return [Route(item.port, ("pod", pod["metadata"]["uid"], item.port)) for item in found]


def all_routes(view: View) -> dict[str, tuple[Object, list[Route]]]:
    """Pod uid -> (pod, its routes), for the pods that have any."""
    found = ((pod, pod_routes(pod, view)) for pod in view.snapshot.all("Pod"))
    return {pod["metadata"]["uid"]: (pod, routes) for pod, routes in found if routes}


def port_forward(pod: Object, targets: Iterable[tuple[int, int]]) -> Object:
    """The PortForward of a pod; `targets` are (pod port, local port). It goes when the pod goes."""
    meta = pod["metadata"]
    reference = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "PortForward",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "labels": dict(OWNED),
            "ownerReferences": [reference],
        },
        "spec": {
            "forwards": [
                {"ports": [port], "target": {"port": local, "address": "127.0.0.1"}} for port, local in targets
            ]
        },
    }


def stale_forwards(snapshot: Snapshot, wanted: set[tuple[str, str]]) -> list[Object]:
    """PortForwards of the plane whose pods are gone or no longer ready; `wanted` are (namespace, name)."""
    return [
        item
        for item in snapshot.all("PortForward")
        if OWNED.items() <= labels_of(item).items()
        and (item["metadata"]["namespace"], item["metadata"]["name"]) not in wanted
    ]
