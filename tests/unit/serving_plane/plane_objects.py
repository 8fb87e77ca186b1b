# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Objects for the serving plane's tests: a small stack that serves, to be bent by each test."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from serving_plane.cluster.snapshot import Snapshot
from serving_plane.gateways.view import View
from serving_plane.proxy import Proxy
from serving_plane.servers.counters import Counters
from serving_plane.servers.messages import Call, Reply

GATEWAY_API = "gateway.networking.k8s.io/v1"
POOL_GROUP = "inference.networking.k8s.io"
_uids = itertools.count(1)


def obj(kind: str, name: str, namespace: str = "demo", api: str = "v1", **fields: Any) -> dict[str, Any]:
    """An object with a uid of its own; `labels`, `annotations` and `created` go to its metadata."""
    meta: dict[str, Any] = {"name": name, "uid": f"uid-{next(_uids)}", "generation": 1}
    meta["creationTimestamp"] = fields.pop("created", "2026-01-01T00:00:00Z")
    if namespace:
        meta["namespace"] = namespace
    for key in ("labels", "annotations"):
        if key in fields:
            meta[key] = fields.pop(key)
    return {"apiVersion": api, "kind": kind, "metadata": meta, **fields}


def gateway_class(name: str = "istio", controller: str = "istio.io/gateway-controller") -> dict[str, Any]:
    return obj("GatewayClass", name, "", GATEWAY_API, spec={"controllerName": controller})


def listener(name: str = "default", port: int = 80, protocol: str = "HTTP", **fields: Any) -> dict[str, Any]:
    return {"name": name, "port": port, "protocol": protocol, **fields}


def gateway(
    name: str = "gw", class_name: str = "istio", listeners: list[Any] | None = None, **fields: Any
) -> dict[str, Any]:
    spec = {"gatewayClassName": class_name, "listeners": listeners or [listener()], **fields.pop("spec", {})}
    return obj("Gateway", name, api=GATEWAY_API, spec=spec, **fields)


def pool_ref(name: str = "pool", **fields: Any) -> dict[str, Any]:
    return {"group": POOL_GROUP, "kind": "InferencePool", "name": name, **fields}


def rule(*refs: dict[str, Any], path: str = "/", **fields: Any) -> dict[str, Any]:
    return {"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": list(refs), **fields}


def route(name: str = "route", rules: list[Any] | None = None, parent: Any = None, **fields: Any) -> dict[str, Any]:
    spec = {"parentRefs": [parent or {"name": "gw"}], "rules": rules or [rule(pool_ref())], **fields.pop("spec", {})}
    return obj("HTTPRoute", name, fields.pop("namespace", "demo"), GATEWAY_API, spec=spec, **fields)


def pool(name: str = "pool", selector: dict[str, str] | None = None, port: int = 8000, **picker: Any) -> dict[str, Any]:
    spec = {
        "selector": {"matchLabels": selector or {"app": "model"}},
        "targetPorts": [{"number": port}],
        "endpointPickerRef": {"name": f"{name}-epp", "kind": "Service", "port": {"number": 9002}, **picker},
    }
    return obj("InferencePool", name, api=f"{POOL_GROUP}/v1", spec=spec)


def service(name: str, selector: dict[str, str], port: int, **fields: Any) -> dict[str, Any]:
    return obj("Service", name, spec={"selector": selector, "ports": [{"port": port, **fields}]})


def pod(
    name: str, labels: dict[str, str], *args: str, ready: bool = True, image: str = "x/vllm:1", **fields: Any
) -> dict[str, Any]:
    container = {"name": "main", "image": image, "args": list(args), **fields.pop("container", {})}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return obj("Pod", name, labels=labels, spec={"containers": [container], **fields}, status=status)


def model_pod(name: str = "model-0", model: str = "m", port: int = 8000, **fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", {"app": "model"})
    return pod(name, labels, "--model", model, "--port", str(port), "--served-model-name", model, **fields)


def sidecar(port: int = 8000, vllm_port: int = 8200, version: str = "v0.6.0") -> dict[str, Any]:
    args = [f"--port={port}", f"--vllm-port={vllm_port}", "--connector=nixlv2"]
    image = f"ghcr.io/llm-d/llm-d-routing-sidecar:{version}"
    return {"name": "routing-proxy", "image": image, "args": args, "restartPolicy": "Always"}


def picker_pod(pool_name: str = "pool", namespace: str = "demo", **fields: Any) -> dict[str, Any]:
    args = [
        "--pool-name",
        pool_name,
        "--pool-namespace",
        namespace,
        "--pool-group",
        POOL_GROUP,
        *fields.pop("args", ()),
    ]
    labels, image = {"epp": fields.pop("labelled", pool_name)}, fields.pop("image", "x/epp:1")
    return pod(f"{pool_name}-epp-0", labels, *args, image=image, **fields)


def stack(**replaced: Any) -> dict[str, Any]:
    """The parts of a stack that serves, by name; a part given as None is left out."""
    parts: dict[str, Any] = {
        "namespace": obj("Namespace", "demo", ""),
        "gateway_class": gateway_class(),
        "gateway": gateway(),
        "route": route(),
        "pool": pool(),
        "picker_service": service("pool-epp", {"epp": "pool"}, 9002),
        "picker_pod": picker_pod(),
        "model_pod": model_pod(),
        **replaced,
    }
    return {name: part for name, part in parts.items() if part is not None}


def snapshot_of(**replaced: Any) -> Snapshot:
    return Snapshot(stack(**replaced).values())


class Lab:
    """A data plane over a snapshot, without sockets."""

    def __init__(self, **replaced: Any) -> None:
        self.snapshot = snapshot_of(**replaced)
        self.counters = Counters()
        self.proxy = Proxy(self.counters)
        self.proxy.view = View(self.snapshot)

    def call(
        self, method: str, path: str, body: Any = None, gateway_name: str = "gw", port: int = 80, **headers: str
    ) -> Reply:
        found = self.snapshot.need("Gateway", "demo", gateway_name)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"host": "localhost:8080", **{key.replace("_", "-"): value for key, value in headers.items()}}
        path, _unused, query = path.partition("?")
        return asyncio.run(self.proxy.handle(found["metadata"]["uid"], port, Call(method, path, query, named, raw)))

    def complete(self, model: str = "m", path: str = "/v1/completions", **fields: Any) -> Reply:
        return self.call("POST", path, {"model": model, "prompt": "hello there", "max_tokens": 4, **fields})

    def asked(self, pool_name: str) -> int:
        """How many requests a pool's picker was asked about."""
        uid = self.snapshot.need("Pod", "demo", f"{pool_name}-epp-0")["metadata"]["uid"]
        return sum(self.counters.asked(uid).values())

    def served(self, pod_name: str) -> int:
        """How many requests a pod has finished, under any model name."""
        uid = self.snapshot.need("Pod", "demo", pod_name)["metadata"]["uid"]
        return sum(sum(item.success.values()) for item in self.counters._pods.get(uid, {}).values())
