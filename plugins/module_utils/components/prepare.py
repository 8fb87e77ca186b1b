# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Manifests of what a stack needs before its releases: namespace, token secret, volume, downloads, image pulls."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..base import formats
from ..base.data import Object
from ..base.images import rewrite_object
from ..base.names import dns_label
from ..helm.image_check import registry_of
from .base import OBJECTS, PREPARING, Component, Part, Stack, named
from .gaie import GaieComponent

HF_KEY = "HF_TOKEN"
_MOUNT = "/model-cache"
_PULL = "llm-d-image-pull"


class PrepareComponent(Component):
    """The component `prepare`: namespace, token's secret, claim, downloads and image pulls, before all others."""

    name = "prepare"
    phase = PREPARING
    shapes = {
        "hf_token_secret": formats.dns_name,
        "pvc_name": formats.dns_name,
        "pvc_size": formats.quantity,
        "pvc_storage_class": formats.dns_name,
        "downloads": formats.repository,
        "download_image": formats.image,
        "images": formats.image,
        "image_node_selector": formats.labels,
        "image_tolerations": formats.toleration,
    }

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        if self.secret("hf_token"):
            # What it makes counts as there, for all that look for it.
            stack.facts.secrets.setdefault(self.given["hf_token_secret"], [HF_KEY])

    def resolve(self) -> None:
        """Note what the downloads lack."""
        if self.given.get("downloads") and not self.given.get("pvc_name"):
            fix = "set prepare_pvc_name"
            self.stack.findings.add("prepare_downloads", "needs a claim to download to", fix, rule="input-claim")

    def make_parts(self) -> list[Part]:
        stack = self.stack
        others = [component for component in stack.at_work if component is not self and component.parts()]
        spaces = dict.fromkeys([self.namespace, *(component.namespace for component in others)])
        settings = {**self.given, "namespace": self.namespace, "token": stack.of(GaieComponent).token}
        settings["image_registry"] = stack.params.get("image_registry") or ""
        made = [_namespace(name) for name in spaces] + objects(settings)
        spec: Object = {"objects": made, "keep": ["Namespace", "PersistentVolumeClaim", "Secret"]}
        if token := self.secret("hf_token"):
            made.insert(len(spaces), _secret(settings))
            spec["fill"] = {self.given["hf_token_secret"]: {HF_KEY: token}}
        return [Part(self.name, self.name, self.namespace, OBJECTS, spec)]

    def serves(self) -> list[Object]:
        found = [item for part in self.parts() for item in part.spec["objects"] if item["kind"] in ("Job", "DaemonSet")]
        return [named(item["apiVersion"], item["kind"], item["metadata"]["name"], self.namespace) for item in found]


def objects(settings: Object) -> list[Object]:
    """Return claim, download jobs and image pulls that the settings ask for, in the order in which they are applied.

    settings: namespace, token ({name, key} of a secret, or None), pvc_name, pvc_size, pvc_storage_class,
    pvc_access_modes, downloads, download_image, images, image_node_selector, image_tolerations; image_registry: the
    site's, "" or absent to leave the images as they are.
    """
    found: list[Object] = []
    if settings["pvc_name"]:
        found.append(_claim(settings))
    found += [_download(repository, settings) for repository in settings["downloads"]]
    if settings["images"]:
        found.append(_pull(settings))
    registry = registry_of(settings)
    return [rewrite_object(item, registry) for item in found] if registry else found


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _secret(settings: Object) -> Object:
    """Return the token's secret, its data to be filled in."""
    metadata = {"name": settings["hf_token_secret"], "namespace": settings["namespace"]}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {HF_KEY: ""}}


def _claim(settings: dict) -> Object:
    spec: Object = {
        "accessModes": list(settings["pvc_access_modes"]),
        "resources": {"requests": {"storage": settings["pvc_size"]}},
    }
    if settings["pvc_storage_class"]:
        spec["storageClassName"] = settings["pvc_storage_class"]
    metadata = {"name": settings["pvc_name"], "namespace": settings["namespace"]}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def _suffix(*parts: t.Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def _download(repository: str, settings: dict) -> Object:
    """Return a Job that fills the claim; its name changes with what it does, since a Job cannot be changed."""
    suffix = _suffix(repository, settings["download_image"], settings["pvc_name"])
    name = f"{dns_label('download-' + repository, 54)}-{suffix}"
    container: Object = {
        "name": "download",
        "image": settings["download_image"],
        # The folder that llm-d-modelservice's pvc:// and hf:// artifacts read as HF_HOME.
        "command": ["hf", "download", repository],
        "env": [{"name": "HF_HOME", "value": _MOUNT}],
        "volumeMounts": [{"name": "models", "mountPath": _MOUNT}],
    }
    token = settings.get("token")
    if token:
        reference = {"name": token["name"], "key": token["key"]}
        container["env"].append({"name": HF_KEY, "valueFrom": {"secretKeyRef": reference}})
    pod = {
        "restartPolicy": "OnFailure",
        "containers": [container],
        "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": settings["pvc_name"]}}],
    }
    metadata = {"name": name, "namespace": settings["namespace"]}
    spec = {"backoffLimit": 3, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _pull(settings: dict) -> Object:
    """Return a DaemonSet whose init containers pull the images and end at once; a pause keeps the pod Ready."""
    pulls = [
        {"name": f"pull-{number}", "image": image, "command": ["sh", "-c", "exit 0"], "imagePullPolicy": "IfNotPresent"}
        for number, image in enumerate(settings["images"])
    ]
    pod: Object = {
        "initContainers": pulls,
        "containers": [{"name": "pause", "image": "registry.k8s.io/pause:3.10"}],
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
    }
    if settings["image_node_selector"]:
        pod["nodeSelector"] = settings["image_node_selector"]
    if settings["image_tolerations"]:
        pod["tolerations"] = settings["image_tolerations"]
    labels = {"app.kubernetes.io/name": _PULL}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    metadata = {"name": _PULL, "namespace": settings["namespace"]}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata, "spec": spec}
