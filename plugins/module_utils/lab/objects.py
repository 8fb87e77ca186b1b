# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects that a lab holds before anything is deployed on it, made from the role's variables."""

from __future__ import annotations

import hashlib
import json
import pathlib
import re
import typing as t

from ..base import plain_yaml
from ..base.data import Object
from ..base.errors import OrchestratorError, require
from . import faults as faults_of
from . import stages, templates

PART_LABEL = "lab.llm-d.ai/part"
HASH_ANNOTATION = "lab.llm-d.ai/hash"
GPU = "nvidia.com/gpu"
GPU_PRODUCT = "nvidia.com/gpu.product"
STORAGE_CLASS = "standard"


def expand_nodes(nodes: list[dict]) -> list[dict]:
    """Return one entry per node: entries with a count become <prefix>-0 ...; raises for names that are used twice."""
    expanded = []
    for index, node in enumerate(nodes):
        if node.get("name"):
            names = [node["name"]]
        else:
            prefix = node.get("prefix") or f"node-{index}"
            names = [f"{prefix}-{number}" for number in range(node.get("count") or 1)]
        expanded += [{**node, "name": name} for name in names]
    names = [node["name"] for node in expanded]
    mistakes = sorted({f"{name!r} is used more than once" for name in names if names.count(name) > 1})
    mistakes += [
        f"{name!r} is not a DNS name" for name in names if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name)
    ]
    if mistakes:
        raise OrchestratorError("lab_nodes has invalid names.", details=mistakes)
    return expanded


def node_object(node: dict, index: int, kwok_port: int) -> Object:
    """Return a Node. node: an entry of lab_nodes with a name. index: 0-..., decides its addresses."""
    name = node["name"]
    gpus = int(node.get("gpus") or 0)
    resources = {
        "cpu": str(node.get("cpu") or 64),
        "memory": str(node.get("memory") or "512Gi"),
        "pods": str(node.get("pods") or 110),
        "ephemeral-storage": "2Ti",
        **({GPU: str(gpus)} if gpus else {}),
    }
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": "lab-gpu" if gpus else "lab-cpu",
        "type": "kwok",
        **(
            {GPU_PRODUCT: node.get("gpu_product") or "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.count": str(gpus)}
            if gpus
            else {}
        ),
        **{key: str(value) for key, value in (node.get("labels") or {}).items()},
    }
    taints = [
        {key: str(taint[key]) for key in ("key", "value", "effect") if taint.get(key)}
        for taint in node.get("taints") or []
    ]
    pod_cidr = f"10.{64 + index // 256}.{index % 256}.0/24"
    addresses = [
        # The API server reaches a node's kubelet by its hostname first: KWOK answers for all of them on this machine.
        {"type": "Hostname", "address": "localhost"},
        {"type": "InternalIP", "address": f"10.63.{index // 250}.{index % 250 + 1}"},
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": pod_cidr, "podCIDRs": [pod_cidr], "taints": taints},
        "status": {
            "addresses": addresses,
            "allocatable": resources,
            "capacity": resources,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kwok_port}},
            "nodeInfo": _node_info(name),
        },
    }


def _node_info(name: str) -> Object:
    seed = hashlib.sha256(name.encode()).hexdigest()
    return {
        "architecture": "amd64",
        "bootID": seed[:32],
        "containerRuntimeVersion": "kwok://lab",
        "kernelVersion": "lab",
        "kubeProxyVersion": "",
        "kubeletVersion": "v1.34.4",
        "machineID": seed[:32],
        "operatingSystem": "linux",
        "osImage": "llm-d lab",
        "systemUUID": seed[32:],
    }


def storage_class() -> Object:
    """Return the default storage class, whose claims are bound at once."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": templates.STORAGE_PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }


def gateway_class(name: str, controller: str) -> Object:
    """Return a GatewayClass."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": name},
        "spec": {"controllerName": controller},
    }


def default_logs(log_file: str) -> Object:
    """Return what `kubectl logs` shows of a pod that has no log of its own."""
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "zz-lab"},
        "spec": {"logs": [{"logsFile": log_file, "follow": False}]},
    }


def desired_objects(params: dict, crds: list[Object], kwok_port: int, log_dir: str) -> list[Object]:
    """Return all objects of a lab, marked as the lab's. params: nodes, ready_delays, faults, gateway_classes."""
    faulty = faults_of.faulty_expression(params["faults"])
    nodes = expand_nodes(params["nodes"])
    objects = [
        *crds,
        *stages.node_and_volume_stages(),
        *stages.pod_stages(params["ready_delays"], faulty),
        *faults_of.fault_objects(params["faults"], log_dir),
        *faults_of.ended_stages(faulty),
        storage_class(),
        default_logs(f"{log_dir}/default.log"),
        *(node_object(node, index, kwok_port) for index, node in enumerate(nodes)),
        *(gateway_class(name, controller) for name, controller in sorted(params["gateway_classes"].items())),
    ]
    return [mark(found) for found in objects]


def mark(found: Object) -> Object:
    """Return the object with the lab's label and the hash of what the lab wants of it."""
    digest = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]
    metadata = t.cast(dict, found["metadata"])
    marked = {
        **metadata,
        "labels": {**(metadata.get("labels") or {}), PART_LABEL: "lab"},
        "annotations": {**(metadata.get("annotations") or {}), HASH_ANNOTATION: digest},
    }
    return {**found, "metadata": marked}


BUNDLE = "crds.json"


def read_crds(folders: list[str]) -> list[dict]:
    """Return the definitions in the folders; of two with one name the first wins. Raises for unreadable files."""
    require(plain_yaml.IMPORT_ERROR)
    found: dict[str, dict] = {}
    for folder in folders:
        bundle = pathlib.Path(folder) / BUNDLE
        for crd in json.loads(bundle.read_text(encoding="utf-8")) if bundle.is_file() else read_yaml(folder):
            found.setdefault(crd["metadata"]["name"], crd)
    return list(found.values())


def read_yaml(folder: str) -> list[dict]:
    """Return the definitions in a folder's *.yaml and *.yml files, without the statuses that generators leave."""
    crds = []
    for path in sorted(pathlib.Path(folder).glob("*.y*ml")):
        try:
            with open(path, encoding="utf-8") as stream:
                documents = [document for document in plain_yaml.load_all(stream) if document]
        except (OSError, plain_yaml.YAMLError) as exc:
            raise OrchestratorError(f"{path} cannot be read: {exc}") from exc
        for document in documents:
            if document.get("kind") == "CustomResourceDefinition":
                document.pop("status", None)
                document["metadata"].pop("creationTimestamp", None)
                crds.append(document)
    return crds


def write_bundle(folder: pathlib.Path) -> None:
    """Keep a folder's definitions as JSON too, which is read many times faster."""
    (folder / BUNDLE).write_text(json.dumps(read_yaml(str(folder))), encoding="utf-8")
