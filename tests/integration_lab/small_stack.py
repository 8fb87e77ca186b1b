# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a small stack on the tests' lab is made of: its charts, the lab's Helm, a simulated server."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from typing import Any

CHARTS = {"gateway": "llm-d-infra", "gaie": "inferencepool", "modelservice": "llm-d-modelservice"}


def helm() -> str:
    """The Helm of the lab, else the one on PATH."""
    record = pathlib.Path(os.environ["LAB_KUBECONFIG"]).with_name("lab.json")
    found = json.loads(record.read_text())["helm"] if record.is_file() else shutil.which("helm")
    assert found, "no Helm"
    return found


def helm_there() -> list[str]:
    """The lab's Helm, with the lab as its cluster."""
    return [helm(), "--kubeconfig", os.environ["LAB_KUBECONFIG"]]


def server(port: int) -> dict[str, Any]:
    """A role of llm-d-modelservice with a simulated server on a port."""
    ports = [{"containerPort": port, "name": "vllm", "protocol": "TCP"}]
    container = {"name": "vllm", "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1", "modelCommand": "imageDefault"}
    return {"create": True, "replicas": 1, "containers": [{**container, "ports": ports}]}
