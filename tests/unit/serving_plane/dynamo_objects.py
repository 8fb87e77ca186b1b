# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Dynamo's objects for the serving plane's tests: a platform, graphs, and the pods that its operator makes of them."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from plane_objects import obj, service
from serving_plane.cluster.snapshot import Snapshot
from serving_plane.dynamo import components, graphs
from serving_plane.dynamo.names import API, METADATA_KIND
from serving_plane.dynamo.operators import operators
from serving_plane.dynamo.serving import Serving
from serving_plane.network import Network
from serving_plane.servers.counters import Counters
from serving_plane.servers.messages import Call, Reply

Object = dict[str, Any]
RUNTIME = "nvcr.io/nvidia/ai-dynamo/vllm-runtime"
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_ages = itertools.count(10)


def operator_pod(version: str = "0.5.0", namespace: str = "demo", restricted: str = "", **fields: Any) -> Object:
    args = ["--etcdAddr=platform-etcd.demo:2379", "--natsAddr=nats://platform-nats.demo:4222"]
    args += [f"--restrictedNamespace={restricted}"] if restricted else []
    args += fields.pop("args", [])
    image = f"nvcr.io/nvidia/ai-dynamo/kubernetes-operator:{version}"
    labels = {"control-plane": "controller-manager", "app.kubernetes.io/instance": f"platform-{namespace}"}
    spec = {"containers": [{"name": "manager", "image": image, "args": args}]}
    return obj("Pod", f"operator-{namespace}", namespace, labels=labels, spec=spec, status=READY, **fields)


def platform(version: str = "0.5.0", **fields: Any) -> list[Object]:
    """An operator, etcd and NATS in the namespace demo."""
    made = [operator_pod(version, **fields)]
    for name, port in (("etcd", 2379), ("nats", 4222)):
        labels = {"app": name}
        made.append(service(f"platform-{name}", labels, port))
        spec = {"containers": [{"name": name}]}
        made.append(obj("Pod", f"platform-{name}-0", labels=labels, spec=spec, status=READY))
    return made


def worker(model: str, *args: str, version: str = "0.5.0", module: str = "vllm", **fields: Any) -> Object:
    """A service of a graph that runs a worker."""
    line = " ".join(["python3 -m", f"dynamo.{module}", "--model", model, *args])
    main = {"image": f"{RUNTIME}:{version}", "command": ["/bin/sh", "-c"], "args": [line]}
    return {"componentType": "worker", "replicas": 1, "extraPodSpec": {"mainContainer": main}, **fields}


def frontend(version: str = "0.5.0", **fields: Any) -> Object:
    """A service of a graph that is a frontend."""
    main = {"image": f"{RUNTIME}:{version}"}
    return {"componentType": "frontend", "replicas": 1, "extraPodSpec": {"mainContainer": main}, **fields}


def graph(name: str, namespace: str = "demo", annotations: dict[str, str] | None = None, **services: Object) -> Object:
    extra = {"annotations": annotations} if annotations else {}
    return obj("DynamoGraphDeployment", name, namespace, API, spec={"services": services}, **extra)


class Cluster:
    """A snapshot in which the operator has done its work, and its pods' HTTP, without sockets."""

    def __init__(self, *objects: Object) -> None:
        self.snapshot = Snapshot(objects)
        self.snapshot.served.add(METADATA_KIND)
        self.counters = Counters()
        self.network = Network(self.counters)
        self.network.snapshot = self.snapshot
        serving = Serving(self.counters)
        self.network.players |= {"dynamo-frontend": serving.frontend, "dynamo-worker": serving.worker}
        self.reconcile()

    def reconcile(self) -> None:
        """What the operator makes of graphs, and Deployments' pods, all of them Ready."""
        for item in self.snapshot.all("DynamoGraphDeployment"):
            running = next((found for found in operators(self.snapshot) if found.covers(item)), None)
            for component in graphs.plan(item, running, self.snapshot).apply if running else []:
                component["metadata"]["uid"] = f"uid-{next(_ages)}"
                self.snapshot.put(component)
                self._run(components.deployment(component, running, self.snapshot))

    def _run(self, deployment: Object) -> None:
        template, meta = deployment["spec"]["template"], deployment["metadata"]
        for number in range(deployment["spec"]["replicas"]):
            created = f"2026-01-01T00:00:{next(_ages) % 60:02d}Z"
            pod = obj("Pod", f"{meta['name']}-{number}", meta["namespace"], created=created, **template["metadata"])
            self.snapshot.put({**pod, "spec": template["spec"], "status": READY})

    def call(self, pod: str, port: int, method: str, path: str, body: Any = None, namespace: str = "demo") -> Reply:
        raw = json.dumps(body).encode() if body is not None else b""
        found = self.snapshot.need("Pod", namespace, pod)
        reply = asyncio.run(self.network.pod(found, port, Call(method, path, body=raw)))
        assert reply is not None, f"nothing listens on {pod}:{port}"
        return reply

    def models(self, pod: str = "front-frontend-0", namespace: str = "demo") -> list[str]:
        """The models that a frontend lists."""
        reply = self.call(pod, 8000, "GET", "/v1/models", namespace=namespace)
        return [item["id"] for item in json.loads(reply.body)["data"]]

    def complete(self, model: str, pod: str = "front-frontend-0", namespace: str = "demo") -> Reply:
        body = {"model": model, "prompt": "hello", "max_tokens": 2}
        return self.call(pod, 8000, "POST", "/v1/completions", body, namespace)

    def worked(self, pod: str, namespace: str = "demo") -> int:
        """How many requests a worker says that it has worked on."""
        lines = self.call(pod, 9090, "GET", "/metrics", namespace=namespace).body.decode().splitlines()
        line = next(line for line in lines if line.startswith("dynamo_component_requests_total{"))
        return int(float(line.rpartition(" ")[2]))
