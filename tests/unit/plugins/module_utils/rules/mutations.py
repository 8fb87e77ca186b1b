# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes in the values, routes and facts of correct stacks, one a row, with the rule and the words that name it."""

from __future__ import annotations

import json
from typing import Any

import yaml

from rules import rendered

LABELS = "modelArtifacts.labels"
SELECTOR = "inferencePool.modelServers.matchLabels"
POOL, MODEL, ROUTE, LIVE = "values gaie-a", "values ms-a", "routes a", "objects"
EVENTS = json.dumps({"enable_kv_cache_events": True, "endpoint": "tcp://*:5557", "topic": "kv@x@org/a"})
ELSEWHERE = (LIVE, "Secret", [{"metadata": {"name": "hf", "namespace": where}} for where in ("demo", "other")])


def events(**changes: Any) -> str:
    settings = {"enable_kv_cache_events": True, "topic": "kv@$(POD_IP)@org/a"}
    settings["endpoint"] = "tcp://gaie-a-epp.demo.svc.cluster.local:5557"
    return json.dumps(settings | changes)


def plugins(**changes: Any) -> str:
    config: dict[str, Any] = json.loads(json.dumps(rendered.EVENT_PLUGINS))
    config["plugins"][0]["parameters"]["kvEventsConfig"] |= changes
    return yaml.safe_dump(config)


def transfer(connector: str, role: str = "kv_both") -> str:
    return json.dumps({"kv_connector": connector, "kv_role": role})


TRANSFER = ["--kv-transfer-config", transfer("NixlConnector")]


def parting(old: str, new: str) -> str:
    """Return the plugins file that separates prefill from decode with a change."""
    assert old in rendered.PD_PLUGINS
    return rendered.PD_PLUGINS.replace(old, new, 1)


def tokenizer(**settings: Any) -> str:
    """Return the plugins file that waits for KV events, with a tokenizer."""
    config: dict[str, Any] = json.loads(json.dumps(rendered.EVENT_PLUGINS))
    config["plugins"][0]["parameters"]["indexerConfig"] = {"tokenizersPoolConfig": settings}
    return yaml.safe_dump(config)


ALL_ARGS = "decode.containers.0.args"
ARGS = "decode.containers.0.args.2"
SIZES = {"prefill": ["--block-size", "128"], "decode": ["--block-size=64"]}
LISTENER, PLAIN = "gateway.listeners", {"name": "default", "port": 80}
EMPTY = rendered.pool_values("a", **{"mine.yaml": "plugins: [{type: queue-scorer}]\nschedulingProfiles: []\n"})
EMPTY = EMPTY["inferenceExtension"]
MONITOR = "decode.monitoring.podmonitor.portName"
MINE = "inferenceExtension.pluginsCustomConfig.mine|yaml"
KGATEWAY = ("served", "gateway|kgateway|dev/v1alpha1", ["GatewayParameters"])
BACKEND = "spec.rules.0.backendRefs.0"
PARENT = "spec.parentRefs.0"
LONG = "model-with-a-name-that-is-rather-long-and"

# (stack, [(where, path, value)], rule, what the finding must name)
MUTATIONS: list[tuple[str, list[tuple[str, str, Any]], str, str]] = [
    # labels and selectors
    ("aggregated", [(POOL, f"{SELECTOR}.llm-d|ai/model", "b")], "LLMD101", "modelArtifacts.labels"),
    ("aggregated", [(MODEL, f"{LABELS}.llm-d|ai/model", "b")], "LLMD101", SELECTOR),
    ("aggregated", [(MODEL, f"{LABELS}.llm-d|ai/model", ...)], "LLMD101", "llm-d.ai/model"),
    ("aggregated", [(POOL, f"{SELECTOR}.app", "x")], "LLMD101", "'x'"),
    ("aggregated", [(POOL, f"{SELECTOR}.llm-d|ai/role", "prefill")], "LLMD101", "llm-d.ai/role"),
    ("two", [("values ms-b", f"{LABELS}.llm-d|ai/model", "c")], "LLMD101", "gaie-b"),
    ("pd", [(MODEL, f"{LABELS}.llm-d|ai/inference-serving", "yes")], "LLMD101", "'yes'"),
    (
        "aggregated",
        [
            (POOL, f"{SELECTOR}.llm-d|ai/inference-serving", ...),
            (POOL, f"{SELECTOR}.llm-d|ai/inferenceServing", "true"),
        ],
        "LLMD102",
        "llm-d.ai/inferenceServing",
    ),
    (
        "pd",
        [
            (MODEL, f"{LABELS}.llm-d|ai/inferenceServing", "true"),
            (MODEL, f"{LABELS}.llm-d|ai/inference-serving", None),
        ],
        "LLMD102",
        "llm-d.ai/inference-serving",
    ),
    ("two", [(POOL, f"{SELECTOR}.llm-d|ai/model", ...)], "LLMD103", "ms-b"),
    ("two", [(f"values gaie-{n}", f"{SELECTOR}.llm-d|ai/model", ...) for n in "ab"], "LLMD103", "ms-b"),
    (
        "two",
        [(f"values ms-{n}", f"{LABELS}.llm-d|ai/model", "x") for n in "ab"]
        + [(f"values gaie-{n}", f"{SELECTOR}.llm-d|ai/model", "x") for n in "ab"],
        "LLMD103",
        "llm-d.ai/model=x",
    ),
    # ports
    (
        "aggregated",
        [(POOL, "inferencePool.targetPorts.0.number", 8080), (ROUTE, f"{BACKEND}.port", 8080)],
        "LLMD104",
        "8000",
    ),
    ("aggregated", [(MODEL, "routing.servicePort", 8001)], "LLMD104", "routing.servicePort"),
    ("pd", [(MODEL, "routing.servicePort", 8001)], "LLMD104", "8001"),
    (
        "pd",
        [(POOL, "inferencePool.targetPorts.0.number", 8200), (ROUTE, f"{BACKEND}.port", 8200)],
        "LLMD104",
        "sidecar",
    ),
    ("aggregated", [(MODEL, "decode.containers.0.args", ["--port", "9000"])], "LLMD104", "decode.containers[0].args"),
    (
        "aggregated",
        [
            (MODEL, "decode.containers.0.modelCommand", "custom"),
            (MODEL, "decode.containers.0.command", ["sh", "-c"]),
            (MODEL, "decode.containers.0.args", ["exec vllm serve org/a \\\n  --port 8200 --tensor-parallel-size 2"]),
        ],
        "LLMD104",
        "decode.containers[0].args",
    ),
    ("lws", [(MODEL, "routing.servicePort", 9100)], "LLMD104", "9100"),
    # namespaces
    ("aggregated", [("namespaces ms-a", "", "other"), ELSEWHERE], "LLMD105", "other"),
    # endpoint pickers
    ("aggregated", [(POOL, "inferenceExtension.extProcPort", 9012)], "LLMD112", "extProcPort"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"grpc-port": 9022})], "LLMD112", "9022"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"pool-name": "gaie-x"})], "LLMD113", "gaie-x"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"pool-namespace": "x"})], "LLMD113", "x/gaie-a"),
    (
        "aggregated",
        [(POOL, "inferenceExtension.flags", {"pool-group": "inference.networking.x-k8s.io"})],
        "LLMD113",
        "inference.networking.x-k8s.io",
    ),
    ("pd", [(POOL, "inferenceExtension.pluginsConfigFile", "mien.yaml")], "LLMD114", "mine.yaml"),
    (
        "events",
        [(POOL, MINE, plugins().replace("pluginRef: precise", "pluginRef: approximate"))],
        "LLMD115",
        "approximate",
    ),
    ("events", [(POOL, MINE, "plugins: [")], "LLMD115", "line 2"),
    # routes
    (
        "aggregated",
        [(ROUTE, f"{PARENT}.name", "infra-man-inference-gateway")],
        "LLMD201",
        "infra-main-inference-gateway",
    ),
    ("aggregated", [(ROUTE, f"{PARENT}.namespace", "gateways")], "LLMD201", "gateways"),
    ("aggregated", [("namespaces infra-main", "", "gateways")], "LLMD201", "gateways"),
    ("aggregated", [("values infra-main", "gateway.nameOverride", "gw")], "LLMD201", "infra-main-gw"),
    ("aggregated", [(ROUTE, f"{PARENT}.kind", "Gateways")], "LLMD217", "Gateways"),
    ("aggregated", [(ROUTE, f"{PARENT}.group", "networking.k8s.io")], "LLMD217", "networking.k8s.io"),
    ("two", [("routes b", "spec.rules.0.filters.0.urlRewrite.path.replacePrefixMatch", "/x")], "LLMD216", "/x"),
    ("aggregated", [(POOL, "inferencePool.targetPorts.0.number", 8001)], "LLMD104", "8001"),
    ("events", [(MODEL, "modelArtifacts.name", "org/c")], "LLMD209", "org/c"),
    ("aggregated", [(ROUTE, f"{PARENT}.sectionName", "https")], "LLMD202", "default:80"),
    ("aggregated", [(ROUTE, f"{PARENT}.port", 8080)], "LLMD202", "8080"),
    (
        "aggregated",
        [
            ("values infra-main", "gateway.listeners", [{"name": "default", "port": 80, "protocol": "HTTP"}]),
            ("namespaces infra-main", "", "gateways"),
            (ROUTE, f"{PARENT}.namespace", "gateways"),
        ],
        "LLMD203",
        "gateway.listeners",
    ),
    ("aggregated", [(ROUTE, f"{BACKEND}.name", "gaie-b")], "LLMD205", "gaie-a"),
    ("two", [("routes b", f"{BACKEND}.name", "gaie-c")], "LLMD205", "gaie-c"),
    ("aggregated", [(ROUTE, f"{BACKEND}.namespace", "other")], "LLMD205", "other/gaie-a"),
    ("aggregated", [(ROUTE, f"{BACKEND}.kind", "Service")], "LLMD206", "Service"),
    ("aggregated", [(ROUTE, f"{BACKEND}.group", "inference.networking.x-k8s.io")], "LLMD206", "x-k8s.io"),
    ("aggregated", [(ROUTE, f"{BACKEND}.port", 8001)], "LLMD207", "8001"),
    (
        "aggregated",
        [
            ("namespaces gaie-a", "", "other"),
            ("namespaces ms-a", "", "other"),
            (ROUTE, f"{BACKEND}.namespace", "other"),
            ("objects", "Secret", [{"metadata": {"name": "hf", "namespace": "other"}}]),
        ],
        "LLMD208",
        "ReferenceGrant",
    ),
    ("aggregated", [(MODEL, "modelArtifacts.name", "org/other")], "LLMD209", "org/other"),
    ("aggregated", [("expected a", "model", "org/A")], "LLMD209", "modelArtifacts.name"),
    ("aggregated", [(MODEL, "decode.containers.0.args", ["--served-model-name", "x"])], "LLMD209", "'org/a'"),
    ("aggregated", [(ROUTE, "spec.timeouts", {"request": "0s"})], "LLMD210", "spec.timeouts"),
    (
        "two",
        [("routes b", "spec.rules.0.matches.0.path.value", "/a"), ("expected b", "path_prefix", "/a")],
        "LLMD212",
        "/a",
    ),
    ("two", [(f"routes {n}", "spec.rules.0.name", "chat") for n in "ab"], "LLMD213", "'chat'"),
    ("two", [("routes", "b", ...)], "LLMD214", "gaie-b"),
    ("two", [("routes b", "spec.rules.0.matches.0.path.value", "/x")], "LLMD215", "/x"),
    ("two", [("expected b", "path_prefix", "/bb")], "LLMD215", "/bb"),
    ("two", [("routes b", "spec.rules.0.filters", ...)], "LLMD216", "/b"),
    # names
    ("two", [("releases ms-b", "", "ms-a"), ("expected b", "release", "ms-a")], "LLMD301", "ms-a"),
    (
        "two",
        [(f"releases gaie-{n}", "", f"gaie-{LONG}-{n}") for n in "ab"]
        + [(f"expected {n}", "pool", f"gaie-{LONG}-{n}") for n in "ab"]
        + [(f"routes {n}", f"{BACKEND}.name", f"gaie-{LONG}-{n}") for n in "ab"],
        "LLMD302",
        "gaie-model-with",
    ),
    (
        "two",
        [(f"values ms-{n}", "fullnameOverride", "chat") for n in "ab"],
        "LLMD303",
        "fullnameOverride",
    ),
    ("aggregated", [(MODEL, f"{LABELS}.team", "a/b")], "LLMD307", "team"),
    (
        "aggregated",
        [
            (
                "objects",
                "Service",
                [
                    {
                        "metadata": {
                            "name": "gaie-a-epp",
                            "namespace": "demo",
                            "annotations": {"meta.helm.sh/release-name": "older"},
                        }
                    }
                ],
            )
        ],
        "LLMD304",
        "older",
    ),
    # providers
    ("aggregated", [("values infra-main", "gateway.gatewayClassName", "istoi")], "LLMD401", "gateway.gatewayClassName"),
    (
        "aggregated",
        [("values infra-main", "gateway.gatewayClassName", "kgateway"), KGATEWAY],
        "LLMD402",
        "provider.name",
    ),
    ("aggregated", [(POOL, "provider.name", "none")], "LLMD402", "gateway.gatewayClassName"),
    ("aggregated", [(POOL, "provider.name", "gke")], "LLMD402", "gke"),
    ("two", [(f"values gaie-{n}", "provider.name", "none") for n in "ab"], "LLMD402", "provider.name"),
    (
        "aggregated",
        [(POOL, "provider.istio", {"destinationRule": {"host": "epp.demo.svc.cluster.local"}})],
        "LLMD403",
        "provider.istio.destinationRule.host",
    ),
    ("aggregated", [("facts", "gateway_version", "1.27.3")], "LLMD404", "1.27.3"),
    (
        "aggregated",
        [
            (POOL, "inferencePool.apiVersion", "inference.networking.x-k8s.io/v1alpha2"),
            (ROUTE, f"{BACKEND}.group", "inference.networking.x-k8s.io"),
        ],
        "LLMD404",
        "inferencePool.apiVersion",
    ),
    ("aggregated", [("facts", "inference_extension", False)], "LLMD405", "istio"),
    ("aggregated", [("facts", "gateway_api_version", "v1.1.0")], "LLMD406", "spec.infrastructure"),
    ("pd", [(POOL, MINE, "apiVersion: llm-d.ai/v1alpha1" + rendered.PD_PLUGINS)], "LLMD407", "llm-d.ai/v1alpha1"),
    # roles and accelerators
    ("pd", [(MODEL, "prefill.create", False)], "LLMD501", "prefill"),
    ("pd", [(MODEL, "prefill.replicas", 0)], "LLMD501", "prefill"),
    ("pd", [(POOL, f"{SELECTOR}.llm-d|ai/role", "decode")], "LLMD501", "llm-d.ai/role"),
    ("pd", [(MODEL, "routing.proxy.enabled", False)], "LLMD502", "routing.proxy"),
    ("pd", [(MODEL, "decode.containers.0.args", ["--port=8100", *TRANSFER])], "LLMD503", "8200"),
    ("pd", [(MODEL, "decode.create", False)], "LLMD501", "decode"),
    ("aggregated", [(MODEL, "decode.replicas", 0)], "LLMD504", "decode"),
    ("pd", [(MODEL, "decode.containers.0.env", [])], "LLMD505", "VLLM_NIXL_SIDE_CHANNEL_HOST"),
    (
        "aggregated",
        [(MODEL, "decode.containers.0.resources", {"limits": {"nvidia.com/gpu": 1}})],
        "LLMD506",
        "tensor 2",
    ),
    (
        "aggregated",
        [(MODEL, "decode.containers.0.resources", {"limits": {"nvidia.com/gpu": 4}})],
        "LLMD507",
        "parallelism",
    ),
    ("lws", [(MODEL, "decode.containers.0.resources", {"limits": {"nvidia.com/gpu": 4}})], "LLMD506", "2 pods x 4"),
    ("lws", [(MODEL, "decode.containers.0.args", ["--tensor-parallel-size=2"])], "LLMD506", "tensor 2"),
    ("aggregated", [(MODEL, "decode.containers.0.ports.0.name", "http"), (MODEL, MONITOR, "http")], "LLMD510", "http"),
    ("aggregated", [(MODEL, "decode.containers.0.ports.0.containerPort", 8001)], "LLMD510", "vllm (8001)"),
    ("pd", [(MODEL, "prefill.containers.0.readinessProbe.httpGet.port", 8200)], "LLMD510", "8200"),
    (
        "pd",
        [(MODEL, "decode.containers.0.args.1", '{"kv_connector":"NixlConnector",}')],
        "LLMD511",
        "--kv-transfer-config",
    ),
    ("events", [(MODEL, ARGS, events() + "x")], "LLMD511", "decode.containers[0].args"),
    ("aggregated", [(MODEL, MONITOR, "metrics")], "LLMD512", "decode.monitoring.podmonitor.portName"),
    # pods as written
    (
        "aggregated",
        [(MODEL, "decode.containers.0.image", "ghcr.io/llm-d/llm-d-cuda:latest")],
        "LLMD513",
        "decode.containers[0].image",
    ),
    ("pd", [(MODEL, "decode.containers.0.image", "ghcr.io/llm-d/llm-d-cuda")], "LLMD513", "no tag"),
    (
        "aggregated",
        [(MODEL, "decode.containers.0.volumeMounts", [{"name": "cache", "mountPath": "/c"}])],
        "LLMD514",
        "decode.containers[0].volumeMounts",
    ),
    ("aggregated", [(MODEL, "accelerator", {"type": "nvida"})], "LLMD515", "Did you mean nvidia?"),
    # KV events
    ("events", [(MODEL, ARGS, events(enable_kv_cache_events=False))], "LLMD520", "ms-a"),
    ("events", [(MODEL, "decode.containers.0.args", ["--block-size=64"])], "LLMD520", "pluginsCustomConfig"),
    ("events", [(MODEL, ARGS, EVENTS)], "LLMD521", "tcp://*"),
    ("events", [(MODEL, ARGS, events(endpoint="tcp://gaie-b-epp.demo.svc:5557"))], "LLMD521", "gaie-b-epp"),
    ("events", [(MODEL, ARGS, events(endpoint="tcp://gaie-a-epp:5558"))], "LLMD521", "5558"),
    ("events", [(POOL, "inferenceExtension.extraServicePorts", [])], "LLMD521", "extraServicePorts"),
    ("events", [(POOL, MINE, plugins(zmqEndpoint="tcp://*:5559"))], "LLMD521", "5559"),
    ("events", [(POOL, MINE, plugins(discoverPods=True))], "LLMD521", "connects"),
    ("events", [(MODEL, ARGS, events(topic="events"))], "LLMD522", "'kv@'"),
    ("events", [(MODEL, ARGS, events(topic="kv@$(POD_IP)@org/b"))], "LLMD522", "'org/b'"),
    ("events", [(MODEL, "decode.containers.0.args.0", "--block-size=16")], "LLMD523", "16"),
    # references and kinds
    ("aggregated", [(MODEL, "modelArtifacts.authSecretName", "hg")], "LLMD601", "modelArtifacts.authSecretName"),
    ("two", [(LIVE, "Secret", [])], "LLMD601", "gaie-b-epp"),
    ("aggregated", [("objects Secret", "0.data", {"token": ""})], "LLMD602", "HF_TOKEN"),
    ("lws", [(MODEL, "modelArtifacts.uri", "pvc://model/org/a")], "LLMD603", "modelArtifacts.uri"),
    ("aggregated", [(MODEL, "serviceAccountOverride", "sa")], "LLMD604", "serviceAccountOverride"),
    ("aggregated", [(MODEL, "decode.extraConfig", {"priorityClassName": "high"})], "LLMD606", "high"),
    (
        "aggregated",
        [(POOL, "inferenceExtension.volumes", [{"name": "c", "configMap": {"name": "c"}}])],
        "LLMD607",
        "volumes",
    ),
    (
        "aggregated",
        [
            (
                MODEL,
                "extraObjects",
                [
                    {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "metadata": {"name": "c"},
                        "spec": {"storageClassName": "fast"},
                    }
                ],
            )
        ],
        "LLMD605",
        "fast",
    ),
    ("lws", [("served", "leaderworkerset|x-k8s|io/v1", ...)], "LLMD610", "LeaderWorkerSet"),
    ("aggregated", [("served", "networking|istio|io/v1beta1", ...)], "LLMD610", "DestinationRule"),
    ("two", [("served", "monitoring|coreos|com/v1", ["PodMonitor"])], "LLMD610", "ServiceMonitor"),
    (
        "aggregated",
        [
            ("served", "inference|networking|k8s|io/v1", ...),
            ("served", "inference|networking|k8s|io/v1alpha1", ["InferencePool"]),
        ],
        "LLMD611",
        "v1alpha1",
    ),
    (
        "aggregated",
        [
            ("served", "inference|networking|x-k8s|io/v1alpha2", ["InferenceModelRewrite"]),
            (POOL, "inferenceExtension.image.tag", "v0.4.0"),
        ],
        "LLMD612",
        "inferenceobjectives",
    ),
    # prefill and decode
    (
        "pd",
        [(POOL, MINE, rendered.PD_PLUGINS.replace("pluginRef: prefill-f", "pluginRef: decode-f"))],
        "LLMD530",
        "mine",
    ),
    ("pd", [(POOL, "inferenceExtension.pluginsConfigFile", "default-plugins.yaml")], "LLMD531", "pluginsConfigFile"),
    ("pd", [(MODEL, "prefill.containers.0.args", [])], "LLMD532", "prefill.containers[0].args"),
    ("pd", [(MODEL, "prefill.containers.0.args.1", transfer("P2pNcclConnector"))], "LLMD532", "P2pNcclConnector"),
    ("pd", [(MODEL, f"{role}.containers.0.args", [*TRANSFER, *SIZES[role]]) for role in SIZES], "LLMD534", "64"),
    ("pd", [(MODEL, "prefill.parallelism", {"tensor": 4})], "LLMD535", "prefill.parallelism.tensor"),
    ("aggregated", [(POOL, "inferenceExtension", EMPTY)], "LLMD536", "schedulingProfiles"),
    # artifacts
    ("aggregated", [(MODEL, "modelArtifacts.uri", "/models/a")], "LLMD540", "hf://"),
    ("aggregated", [(MODEL, "modelArtifacts.uri", "hf:/org/a")], "LLMD540", "write hf://org/a"),
    ("aggregated", [(MODEL, "modelArtifacts.uri", "https://huggingface.co/org/a")], "LLMD540", "write hf://org/a"),
    ("aggregated", [(MODEL, "modelArtifacts.uri", "s3://bucket/a")], "LLMD540", "modelArtifacts.uri"),
    ("aggregated", [(MODEL, "modelArtifacts.uri", "hf://org/b")], "LLMD541", "modelArtifacts.uri"),
    ("events", [(POOL, MINE, tokenizer(modelName="org/b"))], "LLMD542", "org/b"),
    ("aggregated", [(MODEL, "prefill", {"create": True, "replicas": 1})], "LLMD543", "prefill"),
    ("lws", [(MODEL, "decode.parallelism.dataLocal", 4)], "LLMD544", "decode.parallelism.dataLocal"),
    # probes
    ("aggregated", [(MODEL, "decode.containers.0.readinessProbe.httpGet.path", "/healthz")], "LLMD517", "/health?"),
    # listeners
    ("aggregated", [("values infra-main", LISTENER, [PLAIN | {"protocol": "GRPC"}])], "LLMD220", "gateway.listeners"),
    # what programs are started with
    ("aggregated", [(MODEL, ALL_ARGS, ["--blocksize", "16"])], "LLMD550", "Did you mean --block-size?"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--max-model-len 8192"])], "LLMD550", "in one item"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--grpc"])], "LLMD550", "since 0.18"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"V": 2})], "LLMD550", "Did you mean v?"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"--v": 2})], "LLMD550", "Did you mean v?"),
    (
        "aggregated",
        [(MODEL, "decode.containers.0.image", "site.example/vllm:main-2"), (MODEL, ALL_ARGS, ["--blocksize", "16"])],
        "LLMD551",
        "is not in the image name",
    ),
    ("aggregated", [(MODEL, ALL_ARGS, ["--gpu-memory-utilization=95"])], "LLMD552", "at most 1"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--max-model-len", "0"])], "LLMD552", "above 0"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--max-model-len", "8192K"])], "LLMD552", "8388608"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--enforce-eager", "true"])], "LLMD552", "takes no value"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"v": "high"})], "LLMD552", "flags.v"),
    ("aggregated", [(POOL, "inferenceExtension.flags", {"enable-pprof": False})], "LLMD552", "must follow ="),
    ("aggregated", [(MODEL, ALL_ARGS, ["--enforce-eager", "enable-eplb"])], "LLMD552", "Did you mean --enable-eplb?"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--max-model-len", "8192", "16384"])], "LLMD552", "belongs to no argument"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--enable-auto-tool-choice"])], "LLMD552", "needs --tool-call-parser"),
    ("pd", [(MODEL, "routing.proxy.connector", "nixlv3")], "LLMD552", "routing.proxy.connector"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--dtype=half", "--dtype=bfloat16"])], "LLMD553", "the last one wins"),
    ("aggregated", [(MODEL, ALL_ARGS, ["--model=org/b"])], "LLMD553", "--model org/b"),
    (
        "pd",
        [(MODEL, f"{ALL_ARGS}.1", '{"kv_connector":"NixlConnector","kv_role":"both"}')],
        "LLMD554",
        "kv_both",
    ),
    (
        "pd",
        [(MODEL, f"{ALL_ARGS}.1", '{"kv_connector":"NixlConector","kv_role":"kv_both"}')],
        "LLMD554",
        "Did you mean NixlConnector?",
    ),
    ("aggregated", [(MODEL, "decode.containers.0.command", ["vllm", "serve", "org/b"])], "LLMD555", "vllmServe"),
    # what a picker reads
    ("pd", [(POOL, MINE, parting("weight: 1", "weight: high"))], "LLMD116", "is not a number"),
    ("pd", [(POOL, MINE, parting("schedulingProfiles:", "schedulingProfile:"))], "LLMD116", "schedulingProfiles?"),
    ("pd", [(POOL, MINE, parting("  - {type: always-disagg-pd-decider}\n", ""))], "LLMD116", "not declared"),
    ("pd", [(POOL, MINE, "featureGates: [flowControls]" + parting("", ""))], "LLMD116", "flowControl?"),
    ("pd", [(POOL, MINE, parting("type: queue-scorer", "type: queue-score"))], "LLMD116", "queue-scorer?"),
    (
        "pd",
        [(POOL, MINE, parting("name: decode", "name: decoding"))],
        "LLMD116",
        "runs the profile decode, which does not exist",
    ),
    ("pd", [(POOL, MINE, parting("name: prefill,", "name: prefills,"))], "LLMD116", "Did you mean prefills?"),
    ("pd", [(POOL, MINE, parting("type: pd-profile", "type: single-profile"))], "LLMD116", "allows one profile"),
    (
        "pd",
        [(POOL, MINE, parting("handler}", "handler, parameters: {primaryPort: web}}"))],
        "LLMD116",
        "primaryPort",
    ),
    (
        "pd",
        [(POOL, MINE, parting("type: queue-scorer", "type: queue-scorer\n    parameters: {shape: 1}"))],
        "LLMD117",
        "shape",
    ),
    (
        "events",
        [(POOL, MINE, tokenizer(modelName="org/a", uds={"socketFile": "/run/tokenizer/uds.socket"}))],
        "LLMD118",
        "/run/tokenizer",
    ),
]
