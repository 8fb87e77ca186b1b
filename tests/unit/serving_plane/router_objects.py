# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""An LLM Router for the serving plane's tests: controller, Triton with its claim, and two models behind a frontend."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import yaml
from plane_objects import model_pod, obj, service
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.kubelet.claims import Claims
from serving_plane.kubelet.logs import PodLogs
from serving_plane.llm_router.classes import CLASSIFIERS
from serving_plane.llm_router.starting import Routers
from serving_plane.network import Network
from serving_plane.servers.counters import Counters
from serving_plane.servers.messages import Call, Reply
from serving_plane.servers.servers import ROUTER, TRITON

BASE = "http://frontend.models.svc.cluster.local:8000"
CLASSES = {name: list(classes) for name, (classes, _otherwise) in CLASSIFIERS.items()}


def policy(name: str = "task_router", classes: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    """A policy whose classes all go to one model, `fields` in each of them; `url` is the policy's."""
    url = fields.pop("url", f"http://router-router-server.demo:8000/v2/models/{name}_ensemble/infer")
    llm = {"api_base": "${DYNAMO_API_BASE}", "api_key": "${DYNAMO_API_KEY}", "model": "small", **fields}
    return {"name": name, "url": url, "llms": [{"name": item, **llm} for item in classes or CLASSES[name]]}


def config(*policies: dict[str, Any]) -> str:
    return yaml.safe_dump({"policies": list(policies or (policy(), policy("complexity_router")))}, sort_keys=False)


def config_map(text: str, name: str = "router-config", key: str = "config.yaml") -> dict[str, Any]:
    return obj("ConfigMap", name, data={key: text})


def secret(name: str, **data: str) -> dict[str, Any]:
    return obj("Secret", name, data={key: base64.b64encode(text.encode()).decode() for key, text in data.items()})


def key_of(name: str, key: str) -> dict[str, Any]:
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def router_pod(component: str, container: dict[str, Any], volume: dict[str, Any], **fields: Any) -> dict[str, Any]:
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    spec = {"nodeName": "gpu-0", "containers": [container], "volumes": [{"name": "files", **volume}], **fields}
    labels = {"app.kubernetes.io/name": "llm-router", "app.kubernetes.io/component": component}
    return obj("Pod", component, labels=labels, spec=spec, status=ready)


def controller_pod(mount: str = "/app", env: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    own = [
        {"name": "NVIDIA_API_KEY", **key_of("llm-api-keys", "nvidia_api_key")},
        {"name": "DYNAMO_API_BASE", "value": BASE},
        {"name": "DYNAMO_API_KEY", **key_of("dynamo-api-secret", "DYNAMO_API_KEY")},
    ]
    mounts = [{"name": "files", "mountPath": mount}]
    container = {"name": "llm-router-router-controller", "image": "r/router-controller:1", "volumeMounts": mounts}
    container |= {"env": own if env is None else env, **fields}
    return router_pod("router-controller", container, {"configMap": {"name": "router-config"}})


def triton_pod(path: str = "/model_repository/routers", mount: str = "/model_repository") -> dict[str, Any]:
    command = ["tritonserver", "--log-verbose=1", f"--model-repository={path}"]
    container = {"name": "router-server", "image": "r/router-server:1", "command": command}
    container["volumeMounts"] = [{"name": "files", "mountPath": mount}]
    return router_pod("router-server", container, {"persistentVolumeClaim": {"claimName": "models"}})


def claim(holds: str | None = "routers") -> dict[str, Any]:
    annotations = {} if holds is None else {"lab.llm-d.ai/holds": holds}
    return obj("PersistentVolumeClaim", "models", annotations=annotations, spec={"accessModes": ["ReadWriteOnce"]})


class Router:
    """The router's two pods over a snapshot, without sockets; a part given as None is left out."""

    def __init__(self, folder: Path, **replaced: Any) -> None:
        model = model_pod("small-0", "small", labels={"app": "frontend"})
        frontend = service("frontend", {"app": "frontend"}, 8000)
        for item in (model, frontend):
            item["metadata"]["namespace"] = "models"
        parts: dict[str, Any] = {
            "config": config_map(config()),
            "keys": secret("llm-api-keys", nvidia_api_key=""),
            "dynamo": secret("dynamo-api-secret", DYNAMO_API_KEY="none"),
            "controller": controller_pod(),
            "triton": triton_pod(),
            "claim": claim(),
            "service": service("router-router-server", {"app.kubernetes.io/component": "router-server"}, 8000),
            "model": model,
            "frontend": frontend,
            **replaced,
        }
        self.snapshot = Snapshot(part for part in parts.values() if part is not None)
        self.logs = PodLogs(folder / "logs")
        self.claims = Claims(folder / "claims")
        self.routers = Routers(folder / "routers.json", self.logs, self.claims)
        self.network = Network(Counters())
        self.network.snapshot = self.snapshot
        self.network.players |= {ROUTER: self.routers.controller, TRITON: self.routers.triton}

    def look(self) -> dict[str, str]:
        """The logs of the pods that end at their start, by name."""
        crashes = self.routers.look(self.snapshot)
        return {
            pod["metadata"]["name"]: crashes[pod["metadata"]["uid"]]
            for pod in self.snapshot.all("Pod")
            if pod["metadata"]["uid"] in crashes
        }

    def call(self, method: str, path: str, body: Any = None, pod: str = "router-controller", port: int = 8084) -> Reply:
        found = self.snapshot.need("Pod", "demo", pod)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        path, _unused, query = path.partition("?")
        reply = asyncio.run(self.network.pod(found, port, Call(method, path, query, {}, raw)))
        assert reply is not None, f"nothing listens on {pod}:{port}"
        return reply

    def ask(self, text: Any = "Write Python code", path: str = "/v1/chat/completions", **wish: Any) -> Reply:
        """A completion, by the classifier unless told otherwise."""
        params = {"policy": "task_router", "routing_strategy": "triton", **wish}
        messages = [{"role": "user", "content": text}]
        body = {"model": "", "messages": messages, "nim-llm-router": {k: v for k, v in params.items() if v is not None}}
        return self.call("POST", path, body)
