# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects of small stacks, each with one thing wrong, side by side behind one Gateway."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
GATEWAY_API = "gateway.networking.k8s.io/v1"
POOL_API = "inference.networking.k8s.io/v1"
POOL_GROUP = "inference.networking.k8s.io"
GATEWAY = "gw"


def obj(api: str, kind: str, name: str, namespace: str, **fields: Any) -> Object:
    """An object; `labels` and `annotations` go to its metadata."""
    meta: Object = {"name": name, "namespace": namespace}
    for key in ("labels", "annotations"):
        if key in fields:
            meta[key] = fields.pop(key)
    return {"apiVersion": api, "kind": kind, "metadata": meta, **fields}


def gateway(
    namespace: str, name: str = GATEWAY, class_name: str = "istio", service_type: str | None = "ClusterIP"
) -> Object:
    annotations = {"networking.istio.io/service-type": service_type} if service_type else {}
    spec = {"gatewayClassName": class_name, "listeners": [{"name": "default", "port": 80, "protocol": "HTTP"}]}
    return obj(GATEWAY_API, "Gateway", name, namespace, annotations=annotations, spec=spec)


def pod(namespace: str, name: str, labels: dict[str, str], image: str, args: list[str], **spec: Any) -> Object:
    container = {"name": spec.pop("container", "main"), "image": image, "args": args, "ports": spec.pop("ports", [])}
    return obj("v1", "Pod", name, namespace, labels=labels, spec={"containers": [container], **spec})


def model(namespace: str, name: str, labels: dict[str, str], port: int = 8000, **spec: Any) -> Object:
    """A model server of model `<name>-model`."""
    args = ["--model", f"{name}-model", "--port", str(port), "--served-model-name", f"{name}-model"]
    ports = [{"name": "vllm", "containerPort": port}]
    labels = {"llm-d.ai/inference-serving": "true", **labels}
    image = "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1"
    return pod(namespace, name, labels, image, args, container="vllm", ports=ports, **spec)


def picker(namespace: str, pool: str, named: str | None = None) -> list[Object]:
    """The endpoint picker of a pool: pod, Service, and Istio's rule for its TLS."""
    labels = {"inferencepool": f"{pool}-epp"}
    args = ["--pool-name", named or pool, "--pool-namespace", namespace, "--pool-group", POOL_GROUP]
    image = "ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0"
    ports = [{"name": "grpc", "containerPort": 9002}]
    host = f"{pool}-epp.{namespace}.svc.cluster.local"
    rule = {"host": host, "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}}}
    return [
        pod(namespace, f"{pool}-epp", labels, image, args, container="epp", ports=ports),
        obj("v1", "Service", f"{pool}-epp", namespace, spec={"selector": labels, "ports": [{"port": 9002}]}),
        obj("networking.istio.io/v1", "DestinationRule", f"{pool}-epp", namespace, spec=rule),
    ]


def pool(namespace: str, name: str, labels: dict[str, str], port: int = 8000) -> Object:
    spec = {
        "selector": {"matchLabels": labels},
        "targetPorts": [{"number": port}],
        "endpointPickerRef": {"name": f"{name}-epp", "port": {"number": 9002}},
    }
    return obj(POOL_API, "InferencePool", name, namespace, spec=spec)


def route(namespace: str, name: str, pool_name: str, parent: Object | None = None, ref: Object | None = None) -> Object:
    """A route of the prefix `/<name>`, cut off before the model server."""
    rewrite = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": f"/{name}"}}],
        "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
        "backendRefs": [{"group": POOL_GROUP, "kind": "InferencePool", "name": pool_name, **(ref or {})}],
    }
    spec = {"parentRefs": [{"name": GATEWAY, **(parent or {})}], "rules": [rule]}
    return obj(GATEWAY_API, "HTTPRoute", name, namespace, spec=spec)


def sidecar(port: int, vllm_port: int, version: str = "v0.6.0") -> Object:
    """The routing sidecar of a decode pod."""
    args = [f"--port={port}", f"--vllm-port={vllm_port}", "--connector=nixlv2"]
    image = f"ghcr.io/llm-d/llm-d-routing-sidecar:{version}"
    return {"name": "routing-proxy", "image": image, "args": args, "restartPolicy": "Always"}
