# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The stack that the tests of status and rollback deploy: simulated servers, and what of it is looked at."""

from __future__ import annotations

import copy
from typing import Any

IMAGE = "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1"


def model(name: str, replicas: int = 1, delay: str = "200ms", **env: str) -> dict[str, Any]:
    """A model of simulated servers. delay: how long its pods take to become ready."""
    ports = [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}]
    container: dict[str, Any] = {"name": "vllm", "image": IMAGE, "modelCommand": "imageDefault", "ports": ports}
    if env:
        container["env"] = [{"name": key, "value": value} for key, value in env.items()]
    notes = {"lab.llm-d.ai/ready-delay": delay}
    values = {
        "accelerator": {"type": "cpu"},
        "routing": {"proxy": {"enabled": False}},
        "decode": {"create": True, "replicas": replicas, "podAnnotations": notes, "containers": [container]},
        "prefill": {"create": False},
    }
    return {"name": name, "model": f"org/{name}", "values": values, "route": {"path_prefix": f"/{name}"}}


def settings(namespace: str, *models: dict[str, Any]) -> dict[str, Any]:
    """The variables of a cluster with these models."""
    return {"llm_d_namespace": namespace, "llm_d_models": copy.deepcopy(list(models))}
