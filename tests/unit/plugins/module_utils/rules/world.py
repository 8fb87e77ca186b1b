# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A correct stack as small manifests, for the consistency rules."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import (
    RenderedRelease,
    RuleFacts,
    ServedModel,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import StackModel, build_model

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: demo}
spec:
  gatewayClassName: agentgateway
  listeners:
    - {name: web, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: Same}}}
"""
POOL = """
apiVersion: inference.networking.k8s.io/v1
kind: InferencePool
metadata: {name: pool, namespace: demo}
spec:
  selector: {matchLabels: {app: chat}}
  targetPorts: [{number: 8000}]
  endpointPickerRef: {name: pool-epp, port: {number: 9002}}
---
apiVersion: v1
kind: Service
metadata: {name: pool-epp, namespace: demo}
spec: {selector: {app: epp}, ports: [{name: grpc, port: 9002, targetPort: grpc}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pool-epp, namespace: demo}
spec:
  template:
    metadata: {labels: {app: epp}}
    spec:
      containers:
        - name: epp
          image: ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0
          args: [--pool-name=pool, --pool-namespace=demo, --pool-group=inference.networking.k8s.io]
          ports: [{name: grpc, containerPort: 9002}]
"""
MODEL = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat-decode, namespace: demo}
spec:
  template:
    metadata: {labels: {app: chat, llm-d.ai/role: decode}}
    spec:
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.11.0
          args: [--model, org/chat, --port=8000]
          env: []
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: chat, namespace: demo}
spec:
  hostnames: [chat.example.com]
  parentRefs: [{name: gw}]
  rules:
    - matches: [{path: {type: PathPrefix, value: /}}]
      backendRefs: [{group: inference.networking.k8s.io, kind: InferencePool, name: pool, port: 8000}]
"""


class World:
    """Manifests by component, the route, what is expected and the facts; all may be changed before model()."""

    def __init__(self) -> None:
        texts = {"gateway": GATEWAY, "gaie": POOL, "modelservice": MODEL}
        self.manifests = {name: list(yaml.safe_load_all(text)) for name, text in texts.items()}
        self.routes = [yaml.safe_load(ROUTE)]
        self.expected = [ServedModel("chat", "org/chat", "rel-modelservice", "pool", "/")]
        self.facts = RuleFacts()

    def model(self) -> StackModel:
        parts = [RenderedRelease(name, f"rel-{name}", "demo", items) for name, items in self.manifests.items()]
        return build_model(parts, self.routes, self.expected, self.facts)

    def set(self, component: str, index: int, path: str, value: Any) -> World:
        """Set what stands under a dotted path (| for a dot within a key) of a component's manifest."""
        node: Any = self.routes[index] if component == "routes" else self.manifests[component][index]
        steps = [step.replace("|", ".") for step in path.split(".")]
        for step in steps[:-1]:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        node[int(steps[-1]) if isinstance(node, list) else steps[-1]] = value
        return self
