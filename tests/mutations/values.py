# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of correct pools and model servers, by chart: the parts that the bases are made of."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml

Values = dict[str, Any]

NAMESPACE = "mutations"
SECRET = "llm-d-hf-token"
SERVING = "llm-d.ai/inference-serving"
MODEL = "llm-d.ai/model"
PREFIX_PLUGINS = """
apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins:
  - type: queue-scorer
  - type: prefix-cache-scorer
  - type: max-score-picker
schedulingProfiles:
  - name: default
    plugins:
      - {pluginRef: queue-scorer, weight: 2}
      - {pluginRef: prefix-cache-scorer, weight: 3}
      - {pluginRef: max-score-picker}
"""
PD_PLUGINS = """
apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins:
  - type: prefill-header-handler
  - type: prefill-filter
  - type: decode-filter
  - type: queue-scorer
  - type: max-score-picker
  - {type: prefix-based-pd-decider, parameters: {nonCachedTokens: 16}}
  - {type: pd-profile-handler, parameters: {deciderPluginName: prefix-based-pd-decider}}
schedulingProfiles:
  - name: prefill
    plugins: [{pluginRef: prefill-filter}, {pluginRef: queue-scorer, weight: 1}, {pluginRef: max-score-picker}]
  - name: decode
    plugins: [{pluginRef: decode-filter}, {pluginRef: queue-scorer, weight: 1}, {pluginRef: max-score-picker}]
"""


def event_plugins(**changes: Any) -> str:
    """Return a plugins file that scores by KV events; changes go into kvEventsConfig."""
    events = {"topicFilter": "kv@", "concurrency": 4, "discoverPods": False, "zmqEndpoint": "tcp://*:5557"} | changes
    scorer = {
        "type": "precise-prefix-cache-scorer",
        "parameters": {"tokenProcessorConfig": {"blockSize": 64}, "kvEventsConfig": events},
    }
    config = {
        "apiVersion": "inference.networking.x-k8s.io/v1alpha1",
        "kind": "EndpointPickerConfig",
        "plugins": [{"type": "single-profile-handler"}, scorer, {"type": "max-score-picker"}],
        "schedulingProfiles": [
            {
                "name": "default",
                "plugins": [
                    {"pluginRef": "precise-prefix-cache-scorer", "weight": 3.0},
                    {"pluginRef": "max-score-picker"},
                ],
            }
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)


POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


def event_settings(**changes: Any) -> str:
    """Return the JSON of a server's --kv-events-config that fits event_plugins()."""
    settings = {"enable_kv_cache_events": True, "publisher": "zmq", "topic": "kv@$(POD_IP)@org/a"}
    settings["endpoint"] = f"tcp://gaie-a-epp.{NAMESPACE}.svc.cluster.local:5557"
    return json.dumps(settings | changes)


def pool(name: str, provider: str = "istio", plugins: str = "") -> Values:
    """Return values of the chart inferencepool, in the shape of the guides."""
    extension: Values = {
        "replicas": 1,
        "flags": {"kv-cache-usage-percentage-metric": "vllm:kv_cache_usage_perc"},
        "image": {"name": "llm-d-inference-scheduler", "hub": "ghcr.io/llm-d", "tag": "v0.6.0", "pullPolicy": "Always"},
        "extProcPort": 9002,
        "pluginsConfigFile": "mine.yaml" if plugins else "default-plugins.yaml",
        "tracing": {"enabled": False},
        "monitoring": {
            "interval": "10s",
            "prometheus": {"enabled": True, "auth": {"secretName": f"{name}-metrics-reader"}},
        },
        "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": SECRET, "key": "HF_TOKEN"}}}],
        "extraContainerPorts": [{"name": "zmq", "containerPort": 5557, "protocol": "TCP"}],
        "extraServicePorts": [{"name": "zmq", "port": 5557, "targetPort": 5557, "protocol": "TCP"}],
    }
    if plugins:
        extension["pluginsCustomConfig"] = {"mine.yaml": plugins}
    labels = {SERVING: "true", MODEL: name}
    return {
        "inferenceExtension": extension,
        "inferencePool": {
            "targetPorts": [{"number": 8000}],
            "modelServerType": "vllm",
            "modelServers": {"matchLabels": labels},
        },
        "provider": {"name": provider},
    }


def router(name: str, provider: str = "istio", plugins: str = "") -> Values:
    """Return values of the chart llm-d-router-gateway."""
    old = pool(name, provider, plugins)["inferenceExtension"]
    image = {"registry": "ghcr.io/llm-d", "repository": "llm-d-router-endpoint-picker", "tag": "v0.10.0"}
    resources = {"requests": {"cpu": "1", "memory": "1Gi"}}
    kept = ("replicas", "extProcPort", "pluginsConfigFile", "pluginsCustomConfig", "env", "extraContainerPorts")
    epp = {"image": image, "resources": resources} | {key: old[key] for key in kept if key in old}
    return {
        "router": {
            "epp": epp,
            "extraServicePorts": old["extraServicePorts"],
            "monitoring": {"prometheus": {"enabled": False}},
            "modelServers": {
                "type": "vllm",
                "targetPorts": [{"number": 8000}],
                "matchLabels": {SERVING: "true", MODEL: name},
            },
        },
        "provider": {"name": provider},
    }


def server(args: list[str] | None = None, port: int = 8000) -> Values:
    """Return a container that serves a model with vLLM on a port."""
    probe = {"httpGet": {"path": "/v1/models", "port": "vllm"}}
    return {
        "name": "vllm",
        "image": "ghcr.io/llm-d/llm-d-cuda:v0.5.1",
        "modelCommand": "vllmServe",
        "args": ["--disable-uvicorn-access-log", *(args or [])],
        "env": [{"name": "VLLM_LOGGING_LEVEL", "value": "INFO"}],
        "ports": [{"containerPort": port, "name": "vllm", "protocol": "TCP"}],
        "resources": {"limits": {"cpu": "2", "memory": "4Gi"}, "requests": {"cpu": "2", "memory": "4Gi"}},
        "mountModelVolume": True,
        "volumeMounts": [{"name": "metrics-volume", "mountPath": "/.config"}],
        "startupProbe": {**probe, "initialDelaySeconds": 15, "periodSeconds": 30, "failureThreshold": 120},
        "livenessProbe": {"httpGet": {"path": "/health", "port": "vllm"}, "periodSeconds": 10},
        "readinessProbe": {**probe, "periodSeconds": 5, "timeoutSeconds": 2},
    }


def model(name: str, args: list[str] | None = None, **more: Any) -> Values:
    """Return values of llm-d-modelservice for one model without a sidecar."""
    return {
        "multinode": False,
        "modelArtifacts": {
            "name": f"org/{name}",
            "uri": f"hf://org/{name}",
            "size": "80Gi",
            "authSecretName": SECRET,
            "labels": {SERVING: "true", MODEL: name},
        },
        "routing": {"servicePort": 8000, "proxy": {"enabled": False, "targetPort": 8000}},
        "accelerator": {"type": "nvidia"},
        "decode": {
            "create": True,
            "replicas": 1,
            "parallelism": {"tensor": 2, "data": 1},
            "monitoring": {
                "podmonitor": {"enabled": True, "portName": "vllm", "path": "/metrics", "interval": "30s"},
            },
            "containers": [server(args)],
            "volumes": [{"name": "metrics-volume", "emptyDir": {}}],
        },
        "prefill": {"create": False},
        **more,
    }


def split_model(name: str) -> Values:
    """Return values of a model whose prefill and decode are parted, with the routing sidecar."""
    values = model(name)
    address = {"name": "VLLM_NIXL_SIDE_CHANNEL_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    nixl = ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both"}']
    decode = server(nixl, 8200)
    decode["env"].append(address)
    prefill = copy.deepcopy(decode) | {"ports": [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}]}
    image = "ghcr.io/llm-d/llm-d-routing-sidecar:v0.6.0"
    values["routing"]["proxy"] = {"enabled": True, "image": image, "connector": "nixlv2", "targetPort": 8200}
    values["decode"]["containers"] = [decode]
    shared = {key: copy.deepcopy(values["decode"][key]) for key in ("parallelism", "monitoring", "volumes")}
    values["prefill"] = {"create": True, "replicas": 1, **shared, "containers": [prefill]}
    return values


def group_model(name: str) -> Values:
    """Return values of a model that runs on groups of two pods."""
    values = model(name)
    values["multinode"] = True
    values["modelArtifacts"]["uri"] = f"pvc://models/org/{name}"
    values["decode"]["parallelism"] = {"tensor": 1, "data": 16, "dataLocal": 8, "workers": 2}
    return values


def simulated_model(name: str) -> Values:
    """Return values of a simulated model with sidecar and both roles, in the shape of the guide."""
    values = split_model(name)
    values["accelerator"] = {"type": "cpu"}
    del values["modelArtifacts"]["authSecretName"]
    for role in ("decode", "prefill"):
        del values[role]["parallelism"]
        container = values[role]["containers"][0]
        container |= {"image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1", "modelCommand": "imageDefault"}
        del container["args"], container["env"]
    return values
