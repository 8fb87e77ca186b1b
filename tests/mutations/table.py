# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mutations that need knowledge: one mistake between the parts of a stack a row, with the keys that may be named."""

from __future__ import annotations

from typing import Any

import values
from bases import BARE, GATEWAYS, Edit
from values import MODEL, SECRET, SERVING

OLD = "llm-d|ai/inferenceServing"
NEW = SERVING.replace(".", "|")
LABEL = MODEL.replace(".", "|")
POOL, SERVER, INFRA, VARS = "gaie-a", "ms-a", "infra", "vars"
SELECTOR, LABELS = "$selector", "modelArtifacts.labels"
BOX = "decode.containers.0"
POOLS = ("single", "split", "kgateway", "router")
ONE = ("single", "group", "openshift")
ANY = ("single", "two", "split", "shared", "simulated", "adopted", "router")
LONG = "a-model-with-a-name-that-is-much-too-long-for-a-helm-release"

# Where each chart keeps what the rows write with $.
PLACES = {
    "inferencepool": {
        "$selector": "inferencePool.modelServers.matchLabels",
        "$ports": "inferencePool.targetPorts",
        "$epp": "inferenceExtension",
        "$hub": "hub",
        "$services": "inferenceExtension.extraServicePorts",
    },
    "llm-d-router-gateway": {
        "$selector": "router.modelServers.matchLabels",
        "$ports": "router.modelServers.targetPorts",
        "$epp": "router.epp",
        "$hub": "registry",
        "$services": "router.extraServicePorts",
    },
}


def rename(old: str, new: str) -> Any:
    """Return a change of a map that renames a key."""
    return lambda tree: {new if key == old else key: value for key, value in tree.items()}


def arg(*more: str) -> Any:
    """Return a change of a list that appends words."""
    return lambda words: [*words, *more]


def swap(old: str, new: str) -> Any:
    """Return a change of a text, or of every text of a list."""

    def change(value: Any) -> Any:
        return value.replace(old, new) if isinstance(value, str) else [word.replace(old, new) for word in value]

    return change


MINE = "$epp.pluginsCustomConfig.mine|yaml"
SERVING_KEYS = ("$selector", LABELS)
PORT_KEYS = ("$ports", "routing.servicePort")
NAMES = ("llm_d_models[0].name", "llm_d_models[0].release_name", "llm_d_models[0]")
TAGS = (f"{BOX}.image".replace(".0", "[0]"),)
ARGS = "decode.containers[0].args"
Row = tuple[str, tuple[str, ...], tuple[Edit, ...], tuple[str, ...]]

SELECTORS: list[Row] = [
    ("selector: label's value", ANY, ((POOL, f"{SELECTOR}.{LABEL}", "other"),), SERVING_KEYS),
    ("selector: label's value", ANY, ((SERVER, f"{LABELS}.{LABEL}", "other"),), SERVING_KEYS),
    ("selector: label's key", POOLS, ((POOL, SELECTOR, rename(MODEL, "llm-d.ai/modell")),), SERVING_KEYS),
    ("selector: one label too many", ONE, ((POOL, f"{SELECTOR}.app", "vllm"),), SERVING_KEYS),
    (
        "selector: one role only",
        ("split", "router-split"),
        ((POOL, f"{SELECTOR}.llm-d|ai/role", "prefill"),),
        SERVING_KEYS,
    ),
    (
        "selector: inferenceServing for inference-serving",
        ANY,
        ((POOL, SELECTOR, rename(SERVING, OLD.replace("|", "."))),),
        ("inferenceServing",),
    ),
    (
        "selector: inferenceServing for inference-serving",
        ("single", "simulated", "router"),
        ((SERVER, LABELS, lambda tree: {OLD.replace("|", "."): "true", SERVING: None, MODEL: tree[MODEL]}),),
        ("inferenceServing",),
    ),
    ("selector: true without quotes", ("single", "router"), ((POOL, f"{SELECTOR}.{NEW}", True),), SERVING_KEYS),
    ("selector: true without quotes", ("single", "router"), ((SERVER, f"{LABELS}.{NEW}", True),), SERVING_KEYS),
    (
        "selector: the same for two models",
        ("two", "shared"),
        (("gaie-b", f"{SELECTOR}.{LABEL}", "a"),),
        SERVING_KEYS,
    ),
    ("selector: the same for two models", ("two", "shared"), ((POOL, f"{SELECTOR}.{LABEL}", ...),), SERVING_KEYS),
    (
        "selector: the same for two models",
        ("two", "shared"),
        (("ms-b", f"{LABELS}.{LABEL}", "a"), ("gaie-b", f"{SELECTOR}.{LABEL}", "a")),
        SERVING_KEYS,
    ),
]
PORTS: list[Row] = [
    ("port: target port", ANY, ((POOL, "$ports.0.number", 8001),), PORT_KEYS),
    ("port: service port", ANY, ((SERVER, "routing.servicePort", 8080),), PORT_KEYS),
    ("port: target port behind the sidecar", ("split", "simulated"), ((POOL, "$ports.0.number", 8200),), PORT_KEYS),
    (
        "port: sidecar's target port",
        ("split", "simulated", "router-split"),
        ((SERVER, "routing.proxy.targetPort", 8300),),
        ("routing.proxy.targetPort", "decode.containers[0].ports", "decode.containers[0].readinessProbe"),
    ),
    ("port: server's own --port", ONE, ((SERVER, f"{BOX}.args", arg("--port=9000")),), (*PORT_KEYS, ARGS)),
    (
        "port: server's own command",
        ("single", "adopted"),
        (
            (SERVER, f"{BOX}.modelCommand", "custom"),
            (SERVER, f"{BOX}.command", ["sh", "-c"]),
            (SERVER, f"{BOX}.args", ["exec vllm serve org/a --port 8123 --tensor-parallel-size 2"]),
        ),
        (*PORT_KEYS, ARGS),
    ),
    (
        "port: container's port",
        ("single", "split", "gke"),
        ((SERVER, f"{BOX}.ports.0.containerPort", 9001),),
        ("decode.containers[0].ports", "decode.containers[0].startupProbe", "decode.containers[0].readinessProbe"),
    ),
    ("port: no number", ("single", "router"), ((POOL, "$ports.0.number", "http"),), PORT_KEYS),
    ("port: out of range", ("single", "router"), ((POOL, "$ports.0.number", 80000),), PORT_KEYS),
    (
        "port: probe's name",
        ("single", "split", "simulated"),
        ((SERVER, f"{BOX}.readinessProbe.httpGet.port", "http"),),
        ("decode.containers[0].readinessProbe",),
    ),
    (
        "port: probe's number",
        ("single", "group"),
        ((SERVER, f"{BOX}.livenessProbe.httpGet.port", 8200),),
        ("decode.containers[0].livenessProbe",),
    ),
    (
        "port: prefill's port",
        ("split", "simulated"),
        ((SERVER, "prefill.containers.0.ports.0.containerPort", 8200),),
        ("prefill.containers[0].ports", "prefill.containers[0].startupProbe", "prefill.containers[0].readinessProbe"),
    ),
]
PICKERS: list[Row] = [
    ("picker: port", ("single", "kgateway"), ((POOL, "$epp.extProcPort", 9012),), ("inferenceExtension.extProcPort",)),
    (
        "picker: port's flag",
        ("single", "split"),
        ((POOL, "$epp.flags.grpc-port", 9012),),
        ("inferenceExtension.flags",),
    ),
    (
        "picker: pool's name",
        ("single", "gke"),
        ((POOL, "$epp.flags.pool-name", "gaie-b"),),
        ("inferenceExtension.flags",),
    ),
    (
        "picker: pool's namespace",
        ("single", "gke"),
        ((POOL, "$epp.flags.pool-namespace", "other"),),
        ("inferenceExtension.flags",),
    ),
    (
        "picker: pool's group",
        ("single",),
        ((POOL, "$epp.flags.pool-group", "inference.networking.x-k8s.io"),),
        ("inferenceExtension.flags",),
    ),
    (
        "picker: no such plugins file",
        ("split", "events", "router", "router-split"),
        ((POOL, "$epp.pluginsConfigFile", "mien.yaml"),),
        ("$epp.pluginsConfigFile",),
    ),
    (
        "picker: unknown plugin referred to",
        ("split", "router", "events", "router-split"),
        ((POOL, MINE, swap("pluginRef: max-score-picker", "pluginRef: max-scoer-picker")),),
        ("$epp.pluginsCustomConfig",),
    ),
    (
        "picker: plugins file is no YAML",
        ("split", "router"),
        ((POOL, MINE, "plugins: ["),),
        ("$epp.pluginsCustomConfig",),
    ),
    (
        "picker: DestinationRule's host",
        ("single", "openshift", "router"),
        ((POOL, "provider.istio", {"destinationRule": {"host": "epp.default.svc.cluster.local"}}),),
        ("provider.istio.destinationRule.host",),
    ),
    (
        "pool: old API group",
        ("single", "two"),
        ((POOL, "inferencePool.apiVersion", "inference.networking.x-k8s.io/v1alpha2"),),
        ("inferencePool.apiVersion",),
    ),
    (
        "pool: unknown API version",
        ("single", "gke"),
        ((POOL, "inferencePool.apiVersion", "inference.networking.k8s.io/v1beta1"),),
        ("inferencePool.apiVersion",),
    ),
]
ROUTES: list[Row] = [
    (
        "route: no such Gateway",
        ("single", "adopted"),
        ((VARS, "httproute.gateway_name", "infra-llmd-inference-gateway"),),
        ("httproute_gateway_name", "HTTPRoute", "spec.parentRefs"),
    ),
    (
        "route: Gateway's namespace",
        ("single", "apart", "adopted"),
        ((VARS, "httproute.gateway_namespace", "gateways"),),
        ("httproute_gateway_namespace", "spec.parentRefs"),
    ),
    (
        "route: no such listener",
        ("single", "shared", "apart"),
        ((VARS, "httproute.section_name", "https"),),
        ("httproute_section_name", "spec.parentRefs"),
    ),
    (
        "route: listener takes its own namespace only",
        ("apart",),
        ((INFRA, "gateway.listeners", [{"name": "default", "port": 80, "protocol": "HTTP"}]),),
        ("gateway.listeners",),
    ),
    (
        "route: listener takes no routes",
        ("single", "apart"),
        (
            (
                INFRA,
                "gateway.listeners",
                [{"name": "x", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "None"}}}],
            ),
        ),
        ("gateway.listeners",),
    ),
    (
        "route: listener takes another kind",
        ("single", "kgateway"),
        (
            (
                INFRA,
                "gateway.listeners",
                [{"name": "x", "port": 80, "protocol": "HTTP", "allowedRoutes": {"kinds": [{"kind": "GRPCRoute"}]}}],
            ),
        ),
        ("gateway.listeners",),
    ),
    (
        "route: listener for other hosts",
        ("single",),
        (
            (
                INFRA,
                "gateway.listeners",
                [{"name": "x", "port": 443, "protocol": "HTTPS", "tls": {"hostname": "a.example.com"}}],
            ),
            (VARS, "models.0.route.hostnames", ["b.example.com"]),
        ),
        ("gateway.listeners", "llm_d_models[0].route.hostnames"),
    ),
    (
        "route: the same prefix twice",
        ("two", "shared"),
        ((VARS, "models.1.route.path_prefix", "/a"),),
        ("llm_d_models[1].route", "llm_d_models[0].route", "path_prefix"),
    ),
    (
        "route: the same name twice",
        ("two",),
        ((VARS, "models.0.route.name", "r"), (VARS, "models.1.route.name", "r")),
        ("llm_d_models[1].route.name",),
    ),
    (
        "route: no such pool",
        ("shared",),
        ((VARS, "httproute.routes.0.pool", "gaie-c"),),
        ("httproute_routes[0].pool", "spec.rules[2].backendRefs"),
    ),
    (
        "route: not the pool's port",
        ("shared",),
        ((VARS, "httproute.routes.0.port", 9000),),
        ("httproute_routes[0].port", "spec.rules[2].backendRefs"),
    ),
    ("route: no path", ("two",), ((VARS, "models.0.route.path_prefix", "a"),), ("llm_d_models[0].route.path_prefix",)),
    ("route: bad host", ("two",), ((VARS, "models.0.route.hostnames", ["a_b"]),), ("llm_d_models[0].route.hostnames",)),
    (
        "timeouts: misspelt",
        ("two", "shared"),
        ((VARS, "models.0.route.timeouts", {"requests": "30s"}),),
        ("llm_d_models[0].route.timeouts.requests",),
    ),
    (
        "timeouts: no duration",
        ("two", "shared"),
        ((VARS, "models.0.route.timeouts", {"request": "30"}),),
        ("llm_d_models[0].route.timeouts.request",),
    ),
    (
        "timeouts: of all routes misspelt",
        ("single",),
        ((VARS, "httproute.timeouts", {"requests": "0s"}),),
        ("httproute_timeouts",),
    ),
    (
        "timeouts: of all routes no duration",
        ("two",),
        ((VARS, "httproute.timeouts", {"request": 30}),),
        ("httproute_timeouts",),
    ),
    (
        "timeouts: beside the route",
        ("two", "single"),
        ((VARS, "models.0.timeouts", {"request": "0s"}),),
        ("llm_d_models[0].timeouts",),
    ),
    ("timeouts: in a chart's values", ("single", "router"), ((POOL, "timeouts", {"request": "0s"}),), ("timeouts",)),
    (
        "timeouts: in a chart's values",
        ("single",),
        ((INFRA, "gateway.timeouts", {"request": "0s"}),),
        ("gateway.timeouts",),
    ),
]
PARTS = SELECTORS + PORTS + PICKERS + ROUTES
__all__ = ["BARE", "GATEWAYS", "PARTS", "PLACES", "SECRET", "Row", "values"]
