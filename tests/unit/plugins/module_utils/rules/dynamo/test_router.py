# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules about the LLM Router: a release as its chart renders it, with one mistake each."""

from __future__ import annotations

import base64
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.policies import CLASSES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.dynamo.router import CHART

from rules.dynamo.graph_world import AGG, FRONTEND, GraphWorld, document

OBJECTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm-router-router-controller, labels: {app.kubernetes.io/component: router-controller}}
spec:
  template:
    spec:
      containers:
        - name: llm-router-router-controller
          image: registry.example/llm/router-controller:1.0
          env:
            - {name: DYNAMO_API_BASE, value: "http://front-frontend.demo.svc.cluster.local:8000"}
            - {name: DYNAMO_API_KEY, valueFrom: {secretKeyRef: {name: dynamo-api-secret, key: DYNAMO_API_KEY}}}
          volumeMounts: [{name: config-volume, mountPath: /app}]
      volumes: [{name: config-volume, configMap: {name: router-config}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm-router-router-server, labels: {app.kubernetes.io/component: router-server}}
spec:
  replicas: 1
  strategy: {type: Recreate}
  template:
    spec:
      containers:
        - name: router-server
          image: registry.example/llm/router-server:1.0
          command: [tritonserver, --model-repository=/model_repository/routers]
          volumeMounts: [{name: model-repository, mountPath: /model_repository}]
      volumes: [{name: model-repository, persistentVolumeClaim: {claimName: router-models}}]
---
apiVersion: v1
kind: Service
metadata: {name: llm-router-router-server}
spec: {ports: [{name: http, port: 8000}]}
---
apiVersion: v1
kind: Service
metadata: {name: llm-router-router-controller}
spec: {ports: [{name: http, port: 8084}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: router-models}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
---
apiVersion: v1
kind: Secret
metadata: {name: dynamo-api-secret}
data: {DYNAMO_API_KEY: KEY}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: router-config}
data: {}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: llm-router, annotations: {}}
spec:
  rules:
    - host: router.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {service: {name: llm-router-router-controller, port: {number: 8084}}}
"""
URL = "http://llm-router-router-server.router:8000/v2/models/task_router_ensemble/infer"


class RouterWorld(GraphWorld):
    """A frontend with a model, and a router before it whose objects and policies may be changed."""

    def __init__(self) -> None:
        super().__init__(front=FRONTEND, small=AGG)
        self.bodies: list[dict[str, t.Any]] = list(yaml.safe_load_all(OBJECTS))
        self.key = "none"
        llm = {"api_base": "${DYNAMO_API_BASE}", "api_key": "${DYNAMO_API_KEY}", "model": "org/small-8B"}
        self.llms = [{"name": name, **llm} for name in CLASSES["task_router"]]
        self.policy: dict[str, t.Any] = {"name": "task_router", "url": URL, "llms": self.llms}
        self.file = "config.yaml"
        self.objects |= {
            "Service": [],
            "Namespace": [{"metadata": {"name": name}} for name in ("demo", "router")],
            "StorageClass": [
                {"metadata": {"name": "x", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}}
            ],
        }

    def of(self, kind: str, name: str = "") -> dict[str, t.Any]:
        """Return an object of the release."""
        return next(one for one in self.bodies if one["kind"] == kind and name in one["metadata"]["name"])

    def found(self) -> list[Finding]:
        text = yaml.safe_dump({"policies": [self.policy]}, sort_keys=False)
        self.of("ConfigMap")["data"] = {self.file: text}
        self.of("Secret")["data"] = {"DYNAMO_API_KEY": base64.b64encode(self.key.encode()).decode()}
        _body, layer = document(yaml.safe_dump({"routerController": {"config": {"customConfig": text}}}), "router.yaml")
        self.parts = [RenderedRelease("llm_router", "llm-router", "router", self.bodies, CHART, "0.1.0", [layer])]
        return self.findings()

    def rules(self) -> list[str]:
        return [one.rule for one in self.found()]


def test_a_correct_router() -> None:
    assert [one.text() for one in RouterWorld().found()] == []


def _set(path: str, value: t.Any) -> t.Callable[[RouterWorld], None]:
    kind, name, *steps = path.split("|")

    def change(world: RouterWorld) -> None:
        node: t.Any = world.of(kind, name)
        keys = [int(step) if step.isdigit() else step for step in steps]
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value

    return change


POD = "spec|template|spec"
MOUNT = f"Deployment|controller|{POD}|containers|0|volumeMounts|0|mountPath"
COMMAND = f"Deployment|server|{POD}|containers|0|command"
PATH = "Ingress||spec|rules|0|http|paths|0|backend"


def _app(world: RouterWorld) -> None:
    pod = {"containers": [{"name": "app", "image": "registry.example/llm-router-app:1.0"}]}
    metadata = {"name": "llm-router-app", "labels": {"app.kubernetes.io/component": "app"}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": pod}}}
    world.bodies.append(body)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_set(MOUNT, "/config"), "LLMD884"),
        (lambda world: setattr(world, "file", "router-config.yaml"), "LLMD885"),
        (_set("Deployment|server|spec|strategy", {"type": "RollingUpdate"}), "LLMD886"),
        (_set("Deployment|server|spec|replicas", 2), "LLMD886"),
        (_set(COMMAND, ["tritonserver", "--model-repository=/models/routers"]), "LLMD887"),
        (_set(COMMAND, ["tritonserver", "--model-repository=/model_repository"]), "LLMD888"),
        (_app, "LLMD889"),
        (_set(PATH, {"service": {"name": "llm-router-", "port": None}}), "LLMD890"),
        (_set(PATH, {"service": {"name": "llm-router-controller", "port": {"number": 8084}}}), "LLMD890"),
        (
            _set("Ingress||metadata|annotations", {"nginx.ingress.kubernetes.io/configuration-snippet": "x;"}),
            "LLMD891",
        ),
        (lambda world: world.policy.pop("url"), "LLMD892"),
        (lambda world: world.llms[2].pop("model"), "LLMD892"),
        (lambda world: world.llms[2].update(model="${MODEL}"), "LLMD892"),
        (lambda world: world.llms.pop(3), "LLMD893"),
        (lambda world: world.llms.reverse(), "LLMD893"),
        (lambda world: world.llms[1].update(name="Chat bot"), "LLMD893"),
        (lambda world: world.llms[1].update(model="org/smal-8B"), "LLMD894"),
        (lambda world: world.llms[1].update(api_base="http://front-frontend.demo:8000/v1"), "LLMD895"),
        (lambda world: setattr(world, "key", ""), "LLMD896"),
        (lambda world: world.llms[0].update(api_key=""), "LLMD896"),
        (lambda world: world.policy.update(url=URL.replace(".router:", ".llm-router:")), "LLMD897"),
        (lambda world: world.policy.update(url=URL.replace("router-server", "router-sever")), "LLMD897"),
        (lambda world: world.llms[0].update(api_base="http://front-frontend.dynamo-kubernetes:8000"), "LLMD897"),
        (lambda world: world.llms[0].update(api_base="http://front-frontend.demo:8084"), "LLMD897"),
    ],
)
def test_mistakes(change: t.Callable[[RouterWorld], t.Any], rule: str) -> None:
    world = RouterWorld()
    change(world)
    assert rule in world.rules()


def test_the_line_of_a_policy() -> None:
    world = RouterWorld()
    world.llms[1].update(model="org/smal-8B")
    found = next(one for one in world.found() if one.rule == "LLMD894")
    text = world.of("ConfigMap")["data"]["config.yaml"].split("\n")
    lines = yaml.safe_dump({"routerController": {"config": {"customConfig": "\n".join(text)}}}).split("\n")
    assert found.mark.file == "router.yaml"
    assert (
        found.mark.line - next(i for i, line in enumerate(lines, 1) if "customConfig" in line)
        == text.index("    model: org/smal-8B") + 1
    )


def test_values_that_are_gone() -> None:
    world = GraphWorld("1.0.1")
    body, layer = document("etcd: {enabled: true}\n", "platform.yaml")
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert body
    world.files = {}
    world.parts = [RenderedRelease("p", "dynamo-platform", "demo", [thing], "dynamo-platform", "1.0.1", [layer])]
    assert world.places() == [("LLMD883", "platform.yaml", 1, "etcd.enabled")]
