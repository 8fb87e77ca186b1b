# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Dynamo on the tests' lab, put up by hand: its definitions, an operator of one namespace, graphs."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import yaml
from plane_client import Lab, eventually
from small_stack import helm

from playbooks import ROOT

CHARTS = ROOT / "roles" / "lab" / "files" / "charts"
GRAPH_API, GRAPH = "nvidia.com/v1alpha1", "DynamoGraphDeployment"
CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
FRONTEND = "vllm-frontend"
IMAGE = "nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0"
# Where the published chart looks for it, it is no more.
PROXY = "dynamo-operator.controllerManager.kubeRbacProxy.image.repository=registry.k8s.io/kubebuilder/kube-rbac-proxy"


def rendered(chart: str, namespace: str, *args: str, release: str = "") -> list[dict[str, Any]]:
    """Return what a chart of the lab renders to."""
    command = [helm(), "template", release or chart, str(CHARTS / chart), "-n", namespace, *args]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def packaged(chart: str, version: str, folder: pathlib.Path) -> str:
    """Return the file of a chart of the lab as one of a version."""
    command = [
        helm(),
        "package",
        str(CHARTS / chart),
        "--version",
        version,
        "--app-version",
        version,
        "-d",
        str(folder),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return str(folder / f"{chart}-{version}.tgz")


@contextlib.contextmanager
def defined(lab: Lab, definitions: list[dict[str, Any]]) -> Iterator[None]:
    """Let the lab have these definitions of graphs as they are, whichever it had; put those back in the end."""
    kind = lab.resource(*CRD)
    before = {item["metadata"]["name"]: lab.get(*CRD, "", item["metadata"]["name"]) for item in definitions}
    try:
        for item in definitions:
            if before[item["metadata"]["name"]]:
                kind.replace(body=_at(lab, item))
            else:
                kind.create(body=item)
        yield
    finally:
        for item in filter(None, before.values()):
            kind.replace(body=_at(lab, item))


def _at(lab: Lab, item: dict[str, Any]) -> dict[str, Any]:
    """Return a definition as one that replaces what is there now."""
    metadata, live = item["metadata"], lab.get(*CRD, "", item["metadata"]["name"]) or {}
    kept = {key: metadata[key] for key in ("name", "labels", "annotations") if metadata.get(key)}
    version = live["metadata"]["resourceVersion"]
    return {**item, "metadata": {**kept, "resourceVersion": version}, "status": live.get("status")}


def platform(lab: Lab, namespace: str) -> None:
    """Put up the definitions, and an operator for a namespace."""
    for item in [*rendered("dynamo-crds", namespace), *rendered("dynamo-platform", namespace, "--set", PROXY)]:
        if item["kind"] != "CustomResourceDefinition":
            item["metadata"].setdefault("namespace", namespace)
        lab.apply(item)


def remove(lab: Lab, namespace: str) -> None:
    """Take the graphs of a namespace away while their operator is there, which alone can end their finalizers."""
    resource = lab.resource(GRAPH_API, GRAPH)
    for item in resource.get(namespace=namespace).items:
        resource.delete(name=item.metadata.name, namespace=namespace, body={})
    eventually(lambda: not resource.get(namespace=namespace).items)


def service(kind: str, space: str, *args: str, gpus: int = 0) -> dict[str, Any]:
    """A service of a graph. space: its Dynamo namespace."""
    container = {"image": IMAGE, "command": ["python3", "-m", f"dynamo.{kind}"], "args": list(args)}
    found: dict[str, Any] = {
        "dynamoNamespace": space,
        "componentType": "frontend" if kind == "frontend" else "worker",
        "replicas": 1,
        "extraPodSpec": {"mainContainer": container},
    }
    return {**found, "resources": {"limits": {"gpu": str(gpus)}}} if gpus else found


def graph(namespace: str, name: str, **services: dict[str, Any]) -> dict[str, Any]:
    """A DynamoGraphDeployment."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": GRAPH_API, "kind": GRAPH, "metadata": metadata, "spec": {"services": services}}


def frontend(namespace: str, space: str = "dynamo") -> dict[str, Any]:
    """The graph of a shared frontend."""
    return graph(namespace, FRONTEND, Frontend=service("frontend", space))


def model(namespace: str, name: str, space: str, *, prefill: bool = False) -> dict[str, Any]:
    """The graph of a model."""
    workers = {"VllmDecodeWorker": service("vllm", space, "--model", f"org/{name}", gpus=1)}
    if prefill:
        args = ("--model", f"org/{name}", "--is-prefill-worker")
        workers["VllmPrefillWorker"] = service("vllm", space, *args, gpus=1)
    return graph(namespace, name, **workers)


def told(namespace: str, **models: bool) -> dict[str, Any]:
    """The frontend as a stack tells of it. models: whether each of them has prefill workers."""
    rows = [
        {"name": name, "model": f"org/{name}", "graph": name, "mode": "disagg" if prefill else "agg",
         "roles": {"decode": 1, **({"prefill": 1} if prefill else {})}}
        for name, prefill in models.items()
    ]  # fmt: skip
    place = {"name": FRONTEND, "namespace": namespace, "service": f"{FRONTEND}-frontend", "port": 8000}
    return {**place, "version": "0.5.0", "models": rows}


def claim(namespace: str) -> dict[str, Any]:
    """A claim that the lab takes for one that holds the classifier's models."""
    metadata = {"name": "router-models", "namespace": namespace, "annotations": {"lab.llm-d.ai/holds": "routers"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def triton(lab: Lab, namespace: str) -> None:
    """Put up the classifier of a router, with a claim that holds its models, and the Secret that controllers need."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "llm-api-keys", "namespace": namespace},
        "stringData": {"nvidia_api_key": "none"},
    }
    lab.apply(claim(namespace), secret)
    model_claim = "routerServer.volumes.modelRepository.storage.persistentVolumeClaim.existingClaim=router-models"
    path = "routerServer.modelRepository.path=/model_repository/routers"
    controller = ("routerController.enabled=false", "routerController.config.existingConfigMap=none")
    _router(lab, namespace, "llm-router", "routerServer.replicas=1", model_claim, path, *controller)


def controller(lab: Lab, namespace: str, release: str, policies: list[dict[str, Any]]) -> None:
    """Put up a router's controller with policies; it asks the classifier that their URLs name."""
    rows = [{**row, "llms": [{**llm, "api_key": "none"} for llm in row["llms"]]} for row in policies]
    body = {"config.yaml": yaml.safe_dump({"policies": rows})}
    name = f"{release}-policies"
    metadata = {"name": name, "namespace": namespace}
    lab.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": body})
    config = f"routerController.config.existingConfigMap={name}"
    _router(lab, namespace, release, "routerServer.enabled=false", "routerController.replicas=1", config)


def _router(lab: Lab, namespace: str, release: str, *values: str) -> None:
    registry = "global.imageRegistry=registry.example.com/llm-router/"
    settings = [part for value in (registry, *values) for part in ("--set", value)]
    for item in rendered("llm-router", namespace, *settings, release=release):
        if item["kind"] != "Ingress":
            item["metadata"].setdefault("namespace", namespace)
            lab.apply(item)
