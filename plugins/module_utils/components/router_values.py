# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of the LLM Router's release: what this collection lays below the user's own, and what it joins to them.

The facts about the chart are those of NVIDIA-AI-Blueprints/llm-router, deploy/helm/llm-router 0.1.0 (main d5111772).
"""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
import typing as t

from ..base.data import Object, Values, dicts, dig, mapping, nest
from ..base.names import LABEL_LIMIT
from ..values.layers import merge, merge_all

NAME = "llm-router"
CONTROLLER, SERVER, CONFIG = ("routerController",), ("routerServer",), ("routerController", "config")
VOLUME = (*SERVER, "volumes", "modelRepository")
CLAIM = (*VOLUME, "storage", "persistentVolumeClaim")
REPOSITORY = (*SERVER, "modelRepository", "path")
REGISTRY = ("global", "imageRegistry")
CONTROLLER_PORT, SERVER_PORT = 8084, 8000
MOUNT = "/model_repository"
GPU = "nvidia.com/gpu"
# What the controller's environment has of us; the last makes a change of the configuration a change of its pods.
BASE, KEY, NVIDIA_KEY, DIGEST = "DYNAMO_API_BASE", "DYNAMO_API_KEY", "NVIDIA_API_KEY", "LLM_ROUTER_CONFIG_DIGEST"
MODELS_DIGEST = "LLM_ROUTER_MODELS_DIGEST"
# A pod without a home of its own keeps the tokenizer's files, which Triton's models load, where it may write.
CACHE = {"name": "HF_HOME", "value": posixpath.join("/tmp", "huggingface")}  # noqa: S108 - inside the container


@dataclasses.dataclass(frozen=True)
class RouterSettings:
    """What the role's variables ask of the chart. claim: of the model repository, "" for the values' own; path: in the
    claim, or where the models are else; models: digest of what is uploaded; own: the chart's own values."""

    registry: str
    tag: str
    pull_secret: str
    api_base: str
    api_key_secret: str
    llm_api_key_secret: str
    claim: str
    path: str
    models: str
    gpu_resource: str
    gpus: int
    ingress: Object
    own: Values


def fullname(release: str, values: Values) -> str:
    """Return what the chart's objects are named after."""
    if values.get("fullnameOverride"):
        return _cut(str(values["fullnameOverride"]))
    name = str(values.get("nameOverride") or NAME)
    return _cut(release if name in release else f"{release}-{name}")


def _cut(text: str) -> str:
    return text[:LABEL_LIMIT].removesuffix("-")


def base_values(wanted: RouterSettings) -> Values:
    """Return what lies below the user's values."""
    layers = [
        nest(REGISTRY, wanted.registry) if wanted.registry else {},
        nest(("global", "imagePullSecrets"), [{"name": wanted.pull_secret}]) if wanted.pull_secret else {},
        *(nest((*part, "image", "tag"), wanted.tag) for part in (CONTROLLER, SERVER) if wanted.tag),
        nest((*CONFIG, "apiKeySecret"), wanted.llm_api_key_secret),
        # One GPU and a claim for one node: a new pod can start only when the old one has gone.
        nest(SERVER, {"replicas": 1, "strategy": {"type": "Recreate", "rollingUpdate": None}}),
        _gpus(wanted),
        _repository(wanted),
        {"app": {"enabled": False}},
        _ingress(wanted),
    ]
    return merge_all(layers)


def _gpus(wanted: RouterSettings) -> Values:
    gpus: Values = {} if wanted.gpu_resource == GPU else {GPU: None}
    gpus[wanted.gpu_resource] = wanted.gpus or None
    return nest((*SERVER, "resources"), {"limits": gpus, "requests": gpus})


def _repository(wanted: RouterSettings) -> Values:
    if "://" in wanted.path:
        return merge(nest(REPOSITORY, wanted.path), nest((*VOLUME, "enabled"), False))
    if not wanted.claim:
        return {}
    place = posixpath.join(MOUNT, wanted.path)
    volume = nest(CLAIM, {"enabled": True, "existingClaim": wanted.claim})
    return merge_all([nest(REPOSITORY, place), nest(VOLUME, {"enabled": True, "mountPath": MOUNT}), volume])


def _ingress(wanted: RouterSettings) -> Values:
    given = wanted.ingress
    if not given:
        return {}
    # The chart's own annotations rewrite the path, and hold a snippet that controllers refuse by default.
    unwanted = dict.fromkeys(mapping(dig(wanted.own, ("ingress", "annotations"))))
    path = {"path": given.get("path") or "/", "pathType": "Prefix", "service": "router-controller"}
    secret = given.get("tls") or ""
    found = {
        "enabled": True,
        "className": given.get("class") or "",
        "annotations": {**unwanted, **(given.get("annotations") or {})},
        "hosts": [{"host": given["host"], "paths": [path]}],
        "tls": [{"secretName": secret, "hosts": [given["host"]]}] if secret else [],
    }
    return {"ingress": found}


def with_config(values: Values, text: str) -> Values:
    """Return values by which the chart makes the controller's file of a text.

    The chart prefers a config map that exists to a text, and none of its pods restarts for another content.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    values = merge(values, nest(CONFIG, {"existingConfigMap": "", "customConfig": text}))
    return with_environment(values, CONTROLLER, [{"name": DIGEST, "value": digest}])


def with_environment(values: Values, part: t.Sequence[str], ours: t.Iterable[Object]) -> Values:
    """Return values with variables of ours in a container's environment: Helm replaces lists, so they are joined."""
    theirs = dig(values, (*part, "env")) or []
    if not isinstance(theirs, list):
        return values  # the chart's own check names the type
    names = {entry.get("name") for entry in dicts(theirs)}
    return merge(values, nest((*part, "env"), [*theirs, *(one for one in ours if one["name"] not in names)]))


def controller_environment(wanted: RouterSettings) -> list[Object]:
    """Return what the controller's file may refer to."""
    reference = {"secretKeyRef": {"name": wanted.api_key_secret, "key": KEY}}
    return [{"name": BASE, "value": wanted.api_base}, {"name": KEY, "valueFrom": reference}]


def server_environment(wanted: RouterSettings) -> list[Object]:
    """Return what Triton's pods need; other models make other pods, since models are read once."""
    return [CACHE, *([{"name": MODELS_DIGEST, "value": wanted.models[:16]}] if wanted.models else [])]


def known_environment(values: Values) -> dict[str, str | None]:
    """Return the controller's environment as values give it, None for what comes from elsewhere."""
    entries = dicts(dig(values, (*CONTROLLER, "env")))
    found = {str(one.get("name")): None if "valueFrom" in one else str(one.get("value") or "") for one in entries}
    return {NVIDIA_KEY: None, **found}


def server_address(name: str, namespace: str) -> str:
    """Return where Triton answers. name: what the chart's objects are named after."""
    return f"http://{name}-router-server.{namespace}.svc.cluster.local:{SERVER_PORT}"
