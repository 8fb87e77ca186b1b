# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Correct stacks of the lab's charts for the consistency rules: values, routes, expectations and facts.

A Stack is changed (values, routes, facts), rendered by the real Helm, and checked. Renderings are kept by their values.
"""

from __future__ import annotations

import copy
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any

import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.items import RenderedRelease, RuleFacts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.routes import (
    RouteRule,
    parent_ref,
    route_manifest,
    with_parent,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import check
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.layers import Layer

CHARTS = pathlib.Path(__file__).resolve().parents[5] / "roles" / "lab" / "files" / "charts"
HELM = os.environ.get("HELM") or shutil.which("helm")
NAMESPACE = "demo"
GATEWAY = "infra-main-inference-gateway"
_rendered: dict[str, list[dict]] = {}

PD_PLUGINS = """
plugins:
  - type: prefill-filter
  - type: decode-filter
  - type: queue-scorer
  - {type: always-disagg-pd-decider}
  - {type: pd-profile-handler}
schedulingProfiles:
  - {name: prefill, plugins: [{pluginRef: prefill-filter}, {pluginRef: queue-scorer, weight: 1}]}
  - {name: decode, plugins: [{pluginRef: decode-filter}, {pluginRef: queue-scorer, weight: 1}]}
"""
EVENT_PLUGINS = {
    "plugins": [
        {
            "type": "precise-prefix-cache-scorer",
            "parameters": {
                "tokenProcessorConfig": {"blockSize": 64},
                "kvEventsConfig": {"topicFilter": "kv@", "discoverPods": False, "zmqEndpoint": "tcp://*:5557"},
            },
        }
    ],
    "schedulingProfiles": [{"name": "default", "plugins": [{"pluginRef": "precise-prefix-cache-scorer"}]}],
}


def pool_values(name: str, **plugins: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "inferenceExtension": {
            "image": {"hub": "ghcr.io/llm-d", "name": "llm-d-inference-scheduler", "tag": "v0.6.0"},
            "extraContainerPorts": [{"name": "zmq", "containerPort": 5557}],
            "extraServicePorts": [{"name": "zmq", "port": 5557, "targetPort": 5557}],
            "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "HF_TOKEN"}}}],
            "monitoring": {"prometheus": {"enabled": True, "auth": {"secretName": f"{name}-metrics"}}},
        },
        "inferencePool": {
            "targetPorts": [{"number": 8000}],
            "modelServers": {"matchLabels": {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": name}},
        },
        "provider": {"name": "istio"},
    }
    if plugins:
        values["inferenceExtension"] |= {"pluginsConfigFile": "mine.yaml", "pluginsCustomConfig": plugins}
    return values


def model_values(name: str, args: list[str] | None = None, **more: Any) -> dict[str, Any]:
    container = {
        "name": "vllm",
        "image": "ghcr.io/llm-d/llm-d-cuda:v0.5.1",
        "modelCommand": "vllmServe",
        "args": args or [],
        "ports": [{"containerPort": 8000, "name": "vllm"}],
        "mountModelVolume": True,
        "readinessProbe": {"httpGet": {"path": "/v1/models", "port": "vllm"}},
    }
    monitoring = {"podmonitor": {"enabled": True, "portName": "vllm"}}
    return {
        "modelArtifacts": {
            "name": f"org/{name}",
            "uri": f"hf://org/{name}",
            "authSecretName": "hf",
            "labels": {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": name},
        },
        "routing": {"proxy": {"enabled": False}},
        "decode": {"replicas": 2, "parallelism": {"tensor": 2}, "containers": [container]} | {"monitoring": monitoring},
        "prefill": {"create": False},
        **more,
    }


class Stack:
    """values: {release: values}; routes; expected models; facts. change() follows a dotted path in one of them."""

    def __init__(self, names: tuple[str, ...], pools: dict[str, dict], models: dict[str, dict]) -> None:
        self.values = {"infra-main": {"gateway": {"gatewayClassName": "istio"}}}
        self.values |= {f"gaie-{name}": pools[name] for name in names}
        self.values |= {f"ms-{name}": models[name] for name in names}
        self.namespaces = dict.fromkeys(self.values, NAMESPACE)
        self.releases = {release: release for release in self.values}
        self.routes = {name: _route(name, len(names) == 1) for name in names}
        prefixes = {name: "/" if len(names) == 1 else f"/{name}" for name in names}
        self.expected = {
            name: {"name": name, "model": f"org/{name}", "release": f"ms-{name}", "pool": f"gaie-{name}"}
            | {"path_prefix": prefixes[name]}
            for name in names
        }
        self.objects = live_objects()
        self.facts = {"inference_extension": True, "gateway_version": "1.28.1", "gateway_api_version": "v1.4.0"}
        self.served = served()

    def change(self, where: str, path: str, value: Any) -> Stack:
        """Set what stands under a path of where's data ('values gaie-a', 'routes a', 'served', ...); ... removes it."""
        part, _space, key = where.partition(" ")
        node = getattr(self, part)
        keys: list[Any] = ([key] if key else []) + [step.replace("|", ".") for step in path.split(".") if step]
        for step in keys[:-1]:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        last = int(keys[-1]) if isinstance(node, list) else keys[-1]
        if value is ...:
            del node[last]
        else:
            node[last] = value
        return self

    def findings(self) -> list[Finding]:
        parts = []
        for release, values in self.values.items():
            kind = release.partition("-")[0]
            component = {"infra": "gateway", "gaie": "gaie", "ms": "modelservice"}[kind]
            name, namespace = self.releases[release], self.namespaces[release]
            manifests, layers = render(component, name, namespace, values), [Layer(values, f"values of {release}")]
            parts.append(RenderedRelease(component, name, namespace, manifests, layers=layers))
        facts = RuleFacts(objects=self.objects, served=self.served, **self.facts)
        return check(build_model(parts, list(self.routes.values()), list(self.expected.values()), facts))


def _route(name: str, only: bool) -> dict[str, Any]:
    rule = RouteRule("", f"gaie-{name}", 8000, "/" if only else f"/{name}")
    return with_parent(route_manifest(f"llm-d-{name}", NAMESPACE, [rule], {}), parent_ref(GATEWAY, NAMESPACE))


def live_objects() -> dict[str, list[dict]]:
    secret = {"metadata": {"name": "hf", "namespace": NAMESPACE}, "data": {"HF_TOKEN": "(hidden)"}}
    classes = {"istio": "istio.io/gateway-controller", "gke-l7-rilb": "networking.gke.io/gateway"}
    classes["kgateway"] = "kgateway.dev/kgateway"
    return {
        "Secret": [secret],
        "GatewayClass": [{"metadata": {"name": n}, "spec": {"controllerName": c}} for n, c in classes.items()],
        "PersistentVolumeClaim": [{"metadata": {"name": "models", "namespace": NAMESPACE}}],
        "Namespace": [{"metadata": {"name": NAMESPACE, "labels": {"team": "serving"}}}],
        **{kind: [] for kind in ("ServiceAccount", "ConfigMap", "StorageClass", "PriorityClass", "Gateway", "Service")},
        **{kind: [] for kind in ("HTTPRoute", "InferencePool", "ReferenceGrant")},
    }


def served() -> dict[str, list[str]]:
    return {
        "gateway.networking.k8s.io/v1": ["Gateway", "GatewayClass", "HTTPRoute"],
        "inference.networking.k8s.io/v1": ["InferencePool"],
        "inference.networking.x-k8s.io/v1alpha2": ["InferencePool", "InferenceObjective", "InferenceModelRewrite"],
        "networking.istio.io/v1beta1": ["DestinationRule"],
        "telemetry.istio.io/v1": ["Telemetry"],
        "monitoring.coreos.com/v1": ["PodMonitor", "ServiceMonitor"],
        "leaderworkerset.x-k8s.io/v1": ["LeaderWorkerSet"],
    }


def render(component: str, release: str, namespace: str, values: dict[str, Any]) -> list[dict]:
    """Return what Helm makes of one of the lab's charts; the same request is rendered once."""
    chart = {"gateway": "llm-d-infra", "gaie": "inferencepool", "modelservice": "llm-d-modelservice"}[component]
    key = json.dumps([chart, release, namespace, values], sort_keys=True)
    if key not in _rendered:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            command = [str(HELM), "template", release, str(CHARTS / chart), "--namespace", namespace]
            done = subprocess.run(
                [*command, "--kube-version", "1.34.0", "--values", file.name],
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _rendered[key] = [item for item in yaml.load_all(done.stdout, loader) if item]
    return copy.deepcopy(_rendered[key])


def aggregated() -> Stack:
    return Stack(("a",), {"a": pool_values("a")}, {"a": model_values("a")})


def two_models() -> Stack:
    names = ("a", "b")
    return Stack(names, {name: pool_values(name) for name in names}, {name: model_values(name) for name in names})


def prefill_decode() -> Stack:
    values = model_values("a")
    server = values["decode"]["containers"][0] | {"ports": [{"containerPort": 8200, "name": "vllm"}]}
    proxy = {"enabled": True, "image": "ghcr.io/llm-d/llm-d-routing-sidecar:v0.6.0", "targetPort": 8200}
    address = {"name": "VLLM_NIXL_SIDE_CHANNEL_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    server |= {
        "env": [address],
        "args": ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'],
    }
    values["routing"] = {"servicePort": 8000, "proxy": proxy}
    values["decode"]["containers"] = [server]
    values["prefill"] = {"create": True, "replicas": 1, "containers": [copy.deepcopy(server)]}
    values["prefill"]["containers"][0]["ports"][0]["containerPort"] = 8000
    return Stack(("a",), {"a": pool_values("a", **{"mine.yaml": PD_PLUGINS})}, {"a": values})


def multinode() -> Stack:
    values = model_values("a", multinode=True)
    values["modelArtifacts"]["uri"] = "pvc://models/org/a"
    values["decode"]["parallelism"] = {"tensor": 1, "data": 16, "dataLocal": 8, "workers": 2}
    return Stack(("a",), {"a": pool_values("a")}, {"a": values})


def events() -> Stack:
    settings = {"enable_kv_cache_events": True, "publisher": "zmq", "topic": "kv@$(POD_IP)@org/a"}
    settings["endpoint"] = f"tcp://gaie-a-epp.{NAMESPACE}.svc.cluster.local:5557"
    values = model_values("a", ["--block-size=64", "--kv-events-config", json.dumps(settings)])
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    values["decode"]["containers"][0].setdefault("env", []).append(address)
    return Stack(("a",), {"a": pool_values("a", **{"mine.yaml": yaml.safe_dump(EVENT_PLUGINS)})}, {"a": values})


STACKS = {
    "aggregated": aggregated,
    "two": two_models,
    "pd": prefill_decode,
    "lws": multinode,
    "events": events,
}
