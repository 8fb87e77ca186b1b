# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects that a gateway implementation makes for each Gateway: ServiceAccount, Deployment, Service."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import yaml

from ..cluster.resources import GATEWAY_GROUP
from ..cluster.snapshot import Object, Snapshot, is_deleted
from .classes import IMPLEMENTATIONS, ManagedGateway, managed_classes

STATUS_PORT = 15021
# What istiod leaves alone (pkg/config/constants and inject.IgnoredNamespaces).
NO_MESH = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
# ConfigMap and key, of istiod's certificate authority.
CERTIFICATES = (("istio-ca-root-cert", "root-cert.pem"), ("istio-ca-crl", "ca-crl.pem"))
GATEWAY_NAME = f"{GATEWAY_GROUP}/gateway-name"


def owner(obj: Object, *, controller: bool) -> Object:
    """An ownerReference to an object."""
    meta = obj["metadata"]
    reference = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"]}
    return {**reference, "controller": True, "blockOwnerDeletion": True} if controller else reference


def overlay(base: Any, patch: Any) -> Any:
    """Merge as a strategic merge patch would: maps by key, lists of objects by name or port, the rest replaced."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return {key: overlay(base.get(key), patch[key]) if key in patch else base[key] for key in {**base, **patch}}
    if isinstance(base, list) and isinstance(patch, list) and all(isinstance(item, dict) for item in base + patch):
        merged = list(base)
        for item in patch:
            same = next((i for i, old in enumerate(merged) if _same(old, item)), None)
            if same is None:
                merged.append(item)
            else:
                merged[same] = overlay(merged[same], item)
        return merged
    return base if patch is None else patch


def _same(old: Object, new: Object) -> bool:
    return any(key in new and old.get(key) == new[key] for key in ("name", "port"))


def parameters(gateway: ManagedGateway, snapshot: Snapshot) -> Object:
    """{"deployment": ..., "service": ...} overlays that the Gateway's parametersRef asks for."""
    ref = (gateway.obj["spec"].get("infrastructure") or {}).get("parametersRef") or {}
    found = snapshot.get(ref.get("kind", ""), gateway.namespace, ref.get("name", "")) if ref else None
    if found is None:
        return {}
    if found["kind"] == "ConfigMap":
        return {name: parse_overlay(text) or {} for name, text in (found.get("data") or {}).items()}
    if found["kind"] == "AgentgatewayParameters":
        return _agentgateway(gateway, found.get("spec") or {})
    kube = (found.get("spec") or {}).get("kube") or {}
    container = {"name": gateway.implementation.container, **_only(kube.get("envoyContainer"), "resources")}
    replicas = (kube.get("deployment") or {}).get("replicas")
    spec: Object = {"template": {"spec": {"containers": [container]}}}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"deployment": {"spec": spec}, "service": {"spec": _only(kube.get("service"), "type", "ports")}}


def _agentgateway(gateway: ManagedGateway, spec: Object) -> Object:
    """The overlays of an AgentgatewayParameters: those for whole objects, and its short forms for the container."""
    container = {"name": gateway.implementation.container, **_only(spec, "resources", "env")}
    short = {"spec": {"template": {"spec": {"containers": [container]}}}}
    asked = _only(spec.get("deployment"), "spec")
    return {"deployment": overlay(short, asked), "service": _only(spec.get("service"), "spec")}


@lru_cache(maxsize=256)
def parse_overlay(text: str) -> Object | None:
    """The map in a YAML text, not to be changed by the caller; None where the text is something else."""
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) else None


def _only(source: Object | None, *names: str) -> Object:
    return {name: source[name] for name in names if source and name in source}


def _labels(gateway: ManagedGateway) -> tuple[dict[str, str], dict[str, str]]:
    """(labels of every object and pod, the selector's)."""
    class_name = gateway.obj["spec"]["gatewayClassName"]
    name_label = {GATEWAY_NAME: gateway.name}
    common = {**name_label, f"{GATEWAY_GROUP}/gateway-class-name": class_name}
    if gateway.implementation.family == "istio":
        managed = gateway.controller.replace("/", "-").replace(".controller", "-controller")
        return {**common, "gateway.istio.io/managed": managed}, name_label
    names = {"app.kubernetes.io/name": gateway.name, "app.kubernetes.io/instance": gateway.name}
    return {**common, **names, "app.kubernetes.io/managed-by": gateway.implementation.family}, {**name_label, **names}


def _copied_labels(gateway: ManagedGateway) -> dict[str, str]:
    infrastructure = gateway.obj["spec"].get("infrastructure") or {}
    if infrastructure.get("labels"):
        return infrastructure["labels"]
    if gateway.implementation.family != "istio":
        return {}
    own = gateway.obj["metadata"].get("labels") or {}
    return {} if "infrastructure" in gateway.obj["spec"] else own


def service_type(gateway: ManagedGateway) -> str:
    """The type of the Service before any overlay."""
    annotations = gateway.obj["metadata"].get("annotations") or {}
    asked = annotations.get("networking.istio.io/service-type") if gateway.implementation.family == "istio" else None
    return asked or gateway.implementation.service_type


def listener_ports(gateway: ManagedGateway) -> list[int]:
    """The distinct ports of the listeners, in order."""
    return list(dict.fromkeys(item["port"] for item in gateway.listeners))


def http_ports(gateway: ManagedGateway) -> list[int]:
    """The distinct ports of the listeners that the data plane serves: HTTP, not HTTPS."""
    return list(dict.fromkeys(item["port"] for item in gateway.listeners if item["protocol"] == "HTTP"))


def _meta(gateway: ManagedGateway, labels: dict[str, str]) -> Object:
    infrastructure = gateway.obj["spec"].get("infrastructure") or {}
    return {
        "name": gateway.workload,
        "namespace": gateway.namespace,
        "labels": {**_copied_labels(gateway), **labels},
        "annotations": infrastructure.get("annotations") or {},
        "ownerReferences": [owner(gateway.obj, controller=False)],
    }


def service(gateway: ManagedGateway, snapshot: Snapshot) -> Object:
    """The Service: the status port and the listeners' ports."""
    labels, selector = _labels(gateway)
    ports: list[Object] = []
    if gateway.implementation.family == "istio":
        ports.append({"name": "status-port", "port": STATUS_PORT, "protocol": "TCP", "appProtocol": "tcp"})
    seen: set[int] = set()
    for item in gateway.listeners:
        if item["port"] not in seen:
            seen.add(item["port"])
            protocol = item["protocol"].lower()
            ports.append({"name": item["name"], "port": item["port"], "protocol": "TCP", "appProtocol": protocol})
    spec = {"type": service_type(gateway), "ports": ports, "selector": selector}
    made = {"apiVersion": "v1", "kind": "Service", "metadata": _meta(gateway, labels), "spec": spec}
    return overlay(made, parameters(gateway, snapshot).get("service"))


def deployment(gateway: ManagedGateway, snapshot: Snapshot) -> Object:
    """The Deployment of the proxy."""
    labels, selector = _labels(gateway)
    ports = [{"name": "status-port", "containerPort": STATUS_PORT, "protocol": "TCP"}]
    ports += [{"name": f"listener-{p}", "containerPort": p, "protocol": "TCP"} for p in listener_ports(gateway)]
    container = {
        "name": gateway.implementation.container,
        "image": gateway.implementation.image,
        "ports": ports,
        "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": STATUS_PORT}, "periodSeconds": 15},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
    }
    pod_spec = {"serviceAccountName": gateway.workload, "containers": [container]}
    pod_labels = {**_copied_labels(gateway), **labels, "sidecar.istio.io/inject": "false"}
    template = {"metadata": {"labels": pod_labels}, "spec": pod_spec}
    spec = {"replicas": 1, "selector": {"matchLabels": selector}, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(gateway, labels), "spec": spec}
    return overlay(made, parameters(gateway, snapshot).get("deployment"))


def service_account(gateway: ManagedGateway) -> Object:
    """The ServiceAccount of the proxy."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta(gateway, _labels(gateway)[0])}


def gateway_objects(gateway: ManagedGateway, snapshot: Snapshot) -> list[Object]:
    """All that an implementation makes for one Gateway."""
    return [service_account(gateway), service(gateway, snapshot), deployment(gateway, snapshot)]


def certificates(snapshot: Snapshot) -> list[Object]:
    """The ConfigMaps that istiod puts into every namespace; none where no class of Istio's is there."""
    controllers = managed_classes(snapshot).values()
    if not any(IMPLEMENTATIONS[name].family == "istio" for name in controllers):
        return []
    namespaces = [item["metadata"]["name"] for item in snapshot.all("Namespace") if not is_deleted(item)]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace, "labels": {"istio.io/config": "true"}},
            "data": {key: ""},
        }
        for namespace in namespaces
        if namespace not in NO_MESH
        for name, key in CERTIFICATES
    ]


def pool_service(pool: Object) -> Object:
    """The headless Service that Istio makes for an InferencePool that a route refers to."""
    meta = pool["metadata"]
    digest = hashlib.sha256(meta["name"].encode()).hexdigest()[:8]
    port = pool["spec"]["targetPorts"][0]["number"]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": f"{meta['name'][: 63 - 12]}-ip-{digest}",
            "namespace": meta["namespace"],
            "labels": {"istio.io/inferencepool-name": meta["name"][:63]},
            "ownerReferences": [owner(pool, controller=True)],
        },
        "spec": {
            "clusterIP": "None",
            "selector": pool["spec"]["selector"]["matchLabels"],
            "ports": [{"name": "http-54321", "port": 54321, "protocol": "TCP", "targetPort": port}],
        },
    }
