# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes of the kinds that users of the published charts made, in stacks with the structure of llm-d's guides.

The other tables break what this collection's rules are about; these break what only the API server, the programs in the
containers, or the inventory's own variables know.
"""

from __future__ import annotations

import copy
from typing import Any

import values
from bases import Base, stack
from table import ARGS, BOX, INFRA, MINE, POOL, SERVER, VARS, Row, arg, swap

CACHE = {"name": "torch-compile-cache", "mountPath": "/.cache"}
SCRIPT = """
START_RANK=$((${LWS_WORKER_INDEX:-0} * DP_SIZE_LOCAL))
exec vllm serve org/a --port 8000 --enable-expert-parallel --tensor-parallel-size $TP_SIZE \\
  --data-parallel-size $((LWS_GROUP_SIZE * DP_SIZE_LOCAL)) --data-parallel-size-local $DP_SIZE_LOCAL \\
  --data-parallel-address ${LWS_LEADER_ADDRESS} --data-parallel-rpc-port 5555 --data-parallel-start-rank $START_RANK \\
  --served-model-name org/a --trust-remote-code
"""
TLS_LISTENERS = [
    {"name": "plain", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}},
    {
        "name": "secure",
        "port": 443,
        "protocol": "HTTPS",
        "tls": {"hostname": "*.example.com", "mode": "Terminate", "certificateRefs": [{"name": "front-door"}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    },
]
OBJECTIVE = {
    "apiVersion": "inference.networking.x-k8s.io/v1alpha2",
    "kind": "InferenceObjective",
    "metadata": {"name": "urgent"},
    "spec": {"priority": 5, "poolRef": {"group": "inference.networking.x-k8s.io", "name": "gaie-a"}},
}
NIXL = '{"kv_connector":"NixlConnector","kv_role":"kv_both"}'


def guide_model(name: str = "a") -> dict[str, Any]:
    """Return values of one model as the guides have them: caches, shared memory, probes, settings of the engine."""
    made = values.model(
        name, ["--gpu-memory-utilization=0.95", "--block-size=128", "--max-model-len", "32000", "--max-num-seqs", "256"]
    )
    _cached(made["decode"])
    made["decode"]["containers"][0]["env"] += [
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
        {"name": "TRITON_CACHE_DIR", "value": "/.cache/triton"},
    ]
    made["decode"]["extraConfig"] = {
        "terminationGracePeriodSeconds": 130,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {values.MODEL: name}},
            }
        ],
    }
    return made


def _cached(role: dict[str, Any]) -> None:
    role["volumes"] += [
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "20Gi"}},
        {"name": "torch-compile-cache", "emptyDir": {}},
    ]
    role["containers"][0]["volumeMounts"] += [{"name": "shm", "mountPath": "/dev/shm"}, dict(CACHE)]  # noqa: S108


def guide_split() -> dict[str, Any]:
    """Return values of a model with prefill and decode parted, each with the engine's settings."""
    made = values.split_model("a")
    for role in ("decode", "prefill"):
        made[role]["containers"][0]["args"] += ["--block-size=128", "--max-model-len", "32000"]
        _cached(made[role])
    made["decode"]["parallelism"] = {"tensor": 4, "data": 1}
    made["prefill"]["parallelism"] = {"tensor": 1, "data": 1}
    made["prefill"]["replicas"] = 2
    return made


def guide_wide() -> dict[str, Any]:
    """Return values of a model on groups of pods that a script starts, with ranks worked out in the shell."""
    made = values.group_model("a")
    container = made["decode"]["containers"][0]
    container |= {"modelCommand": "custom", "command": ["/bin/bash", "-c"], "args": [SCRIPT]}
    _cached(made["decode"])
    return made


def bases() -> dict[str, Base]:
    """Return the stacks in the guides' structure, by name."""
    pool = values.pool("a", plugins=values.PREFIX_PLUGINS)
    secure = copy.deepcopy(TLS_LISTENERS)
    rows = [
        stack("guide", "a guide's structure: caches, shared memory, engine's settings, spread", {"a": guide_model()},
              {"a": pool}, prepare={"pvc_name": "", "downloads": [], "images": []}),
        stack("guide-split", "a guide's structure: prefill and decode parted", {"a": guide_split()},
              {"a": values.pool("a", plugins=values.PD_PLUGINS)}),
        stack("guide-wide", "a guide's structure: groups of pods that a script starts", {"a": guide_wide()}),
        stack("guide-tls", "a guide's structure: a Gateway with a TLS listener", {"a": guide_model()}, {"a": pool}),
    ]  # fmt: skip
    found = {base.name: base for base in rows}
    found["guide-tls"].files["infra"]["gateway"]["listeners"] = secure
    return found


ONE, PD, WIDE, TLS = ("guide",), ("guide-split",), ("guide-wide",), ("guide-tls",)
IMAGE = ("decode.containers[0].image",)
MOUNTS = ("decode.containers[0].volumeMounts", "decode.volumes")
SPREAD = "decode.extraConfig.topologySpreadConstraints.0"
LISTENER = "gateway.listeners.1"
ENV = f"{BOX}.env"
PLUGINS, LISTENERS = "inferenceExtension.pluginsCustomConfig", "gateway.listeners"
MATCH = "inferencePool.modelServers.matchLabels"
CONTAINER_ENV, RESOURCES = "decode.containers[0].env", "decode.containers[0].resources"


def field(kind: str, names: tuple[str, ...], where: str, path: str, value: Any, *named: str) -> Row:
    """Return a row of one edit; without names the message has to have the key itself."""
    key = path.replace("decode.containers.0", "decode.containers[0]").replace("|", ".")
    return kind, names, ((where, path, value),), named or (key,)


SERVER_ROWS: list[Row] = [
    field("API: quantity", ONE, SERVER, f"{BOX}.resources.limits.memory", "100G1", RESOURCES),
    field("API: quantity", ONE, SERVER, f"{BOX}.resources.requests.cpu", "32 cores", RESOURCES),
    field("API: quantity", ONE, SERVER, "modelArtifacts.size", "80 Gi"),
    field("API: quantity", PD, SERVER, "decode.volumes.1.emptyDir.sizeLimit", "20gb", "decode.volumes"),
    field("API: request above limit", ONE, SERVER, f"{BOX}.resources.limits.memory", "1Gi",
          RESOURCES),
    field("API: enum", ONE, SERVER, f"{SPREAD}.whenUnsatisfiable", "Never", "decode.extraConfig"),
    field("API: enum", ONE, SERVER, f"{BOX}.ports.0.protocol", "HTTP", "decode.containers[0].ports"),
    field("API: range", ONE, SERVER, f"{SPREAD}.maxSkew", 0, "decode.extraConfig"),
    field("API: range", PD, SERVER, f"{BOX}.readinessProbe.periodSeconds", -5, "decode.containers[0].readinessProbe"),
    field("API: required field", ONE, SERVER, f"{BOX}.volumeMounts.1.mountPath", ..., *MOUNTS),
    field("API: required field", ONE, SERVER, f"{BOX}.livenessProbe.httpGet.port", ...,
          "decode.containers[0].livenessProbe"),
    field("API: required field", PD, SERVER, "prefill.containers.0.readinessProbe.httpGet.port", ...,
          "prefill.containers[0].readinessProbe"),
    field("API: required field", PD, SERVER, f"{BOX}.startupProbe.httpGet.port", ...,
          "decode.containers[0].startupProbe"),
    field("API: a warning", ONE, SERVER, "decode.extraConfig.terminationGracePeriodSeconds", -1, "decode.extraConfig"),
    field("API: a warning", ONE, SERVER, f"{ENV}.2.name", "POD_IP", CONTAINER_ENV),
    field("API: medium of a volume", PD, SERVER, "decode.volumes.1.emptyDir.medium", "memory", "decode.volumes"),
    field("API: a misspelt kind", ONE, SERVER, "extraObjects",
          [{"apiVersion": "v1", "kind": "Configmap", "metadata": {"name": "more"}}], "extraObjects"),
    field("API: an objective's pool", ONE, SERVER, "extraObjects", [OBJECTIVE], "extraObjects"),
    field("API: duplicate", ONE, SERVER, f"{BOX}.volumeMounts.2.mountPath", "/.config", *MOUNTS),
    field("API: duplicate", PD, SERVER, "decode.volumes.2.name", "shm", *MOUNTS),
    field("API: field of pods misspelt", ONE, SERVER, f"{ENV}.1.valueFrom.fieldRef.fieldpath", "status.podIP",
          CONTAINER_ENV),
    field("API: field of pods misplaced", ONE, SERVER, f"{BOX}.readinessProbe.startupProbe", {"periodSeconds": 5},
          "decode.containers[0].readinessProbe"),
    field("API: field of pods misplaced", ONE, SERVER, f"{BOX}.tolerations", [{"operator": "Exists"}],
          "decode.containers[0].tolerations", "decode.containers[0]"),
    field("API: reference to a field", ONE, SERVER, f"{ENV}.1.valueFrom.fieldRef.fieldPath", "status.podIp",
          CONTAINER_ENV),
    field("API: variable's name", ONE, SERVER, f"{ENV}.2.name", "TRITON CACHE DIR", CONTAINER_ENV),
    field("API: relative path", ONE, SERVER, f"{BOX}.volumeMounts.1.mountPath", "dev/shm", *MOUNTS),
    field("image: an address of the web", ONE, SERVER, f"{BOX}.image", "https://ghcr.io/llm-d/cuda:v0.5.1", *IMAGE),
    field("image: a space", PD, SERVER, f"{BOX}.image", "ghcr.io/llm-d/llm-d-cuda: v0.5.1", *IMAGE),
    field("image: a floating tag", ONE, SERVER, f"{BOX}.image", "ghcr.io/llm-d/llm-d-cuda:main", *IMAGE),
    field("shape: labels as a list", ONE, SERVER, "modelArtifacts.labels", ["llm-d.ai/inference-serving=true"]),
    field("shape: env as a map", ONE, SERVER, ENV, {"VLLM_LOGGING_LEVEL": "DEBUG"}, CONTAINER_ENV),
    field("shape: ports as a number", ONE, SERVER, f"{BOX}.ports", 8000, "decode.containers[0].ports"),
    field("shape: an object without a name", ONE, SERVER, "extraObjects",
          [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}], "extraObjects"),
    field("shape: a container's list as a map", ONE, SERVER, "decode.containers", {"name": "vllm"},
          "decode.containers"),
    field("names: address of the weights", ONE, SERVER, "modelArtifacts.uri", "hf://org/b", "modelArtifacts.uri",
          "modelArtifacts.name"),
    field("names: address without its kind", ONE, SERVER, "modelArtifacts.uri", "/models/org/a"),
    field("names: address of the web", ONE, SERVER, "modelArtifacts.uri", "https://huggingface.co/org/a"),
    field("probe: no such path", ONE, SERVER, f"{BOX}.livenessProbe.httpGet.path", "/healthz",
          "decode.containers[0].livenessProbe"),
    field("server: unknown argument", ONE, SERVER, f"{BOX}.args", swap("--block-size", "--blocksize"), ARGS),
    field("server: unknown argument", PD, SERVER, f"{BOX}.args", swap("--kv-transfer-config", "--kv-transfer-cfg"),
          ARGS),
    field("server: an argument's value", ONE, SERVER, f"{BOX}.args", swap("=0.95", "=95"), ARGS),
    field("server: an argument's value", ONE, SERVER, f"{BOX}.args", swap("32000", "32 k"), ARGS),
    field("server: argument and value in one", ONE, SERVER, f"{BOX}.args", swap("utilization=", "utilization "), ARGS),
    field("server: a word of no argument", PD, SERVER, f"{BOX}.args", arg("--enforce-eager", "enable-eplb"), ARGS),
    field("server: an argument that needs another", PD, SERVER, f"{BOX}.args", arg("--enable-auto-tool-choice"), ARGS),
    field("server: a second model", ONE, SERVER, f"{BOX}.args", arg("--model=org/b"), ARGS),
    field("server: the same setting twice", ONE, SERVER, f"{BOX}.args", arg("--tensor-parallel-size", "4"), ARGS,
          "decode.parallelism.tensor"),
    field("server: connector", PD, SERVER, f"{BOX}.args", swap("NixlConnector", "NixlConector"), ARGS),
    field("server: role of the connector", PD, SERVER, f"{BOX}.args", swap("kv_both", "both"), ARGS),
    field("server: key of the connector", PD, SERVER, f"{BOX}.args", swap('"kv_role"', '"role"'), ARGS),
    field("P/D: block sizes", PD, SERVER, "prefill.containers.0.args", swap("=128", "=64"), "block-size",
          "prefill.containers[0].args"),
    field("P/D: sizes of tensors", PD, SERVER, "prefill.parallelism.tensor", 8),
    field("P/D: sidecar's connector", PD, SERVER, "routing.proxy.connector", "nixlv3"),
    field("P/D: a role without containers", ONE, SERVER, "prefill", {"create": True, "replicas": 1},
          "prefill.containers",
          "prefill.create", "prefill"),
    field("P/D: the sidecar's own image", ONE, SERVER, "routing.proxy", {"enabled": True}, "routing.proxy.image",
          "routing.proxy.enabled", "routing.proxy"),
    field("groups: local size", WIDE, SERVER, "decode.parallelism.dataLocal", 4, "decode.parallelism"),
    field("groups: tensor", WIDE, SERVER, "decode.parallelism.tensor", 2, "decode.parallelism"),
    field("groups: size in the script", WIDE, SERVER, f"{BOX}.args", swap("$((LWS_GROUP_SIZE * DP_SIZE_LOCAL))", "32"),
          ARGS, "decode.parallelism"),
    field("monitor: duration", ONE, SERVER, "decode.monitoring.podmonitor.interval", "30 seconds"),
]  # fmt: skip
FLAGS = "$epp.flags"
POOL_ROWS: list[Row] = [
    field("API: range", ONE, POOL, "$epp.replicas", -1),
    field("API: quantity", TLS, INFRA, "gateway.gatewayParameters.resources.limits.memory", "16GB",
          "gateway.gatewayParameters"),
    field("API: field of a Service misspelt", ONE, POOL, "$services.0",
          {"name": "zmq", "port": 5557, "targetport": 5557, "protocol": "TCP"}, "inferenceExtension.extraServicePorts"),
    field("API: field of pods misspelt", ONE, POOL, "$epp.env.0.valueFrom", {"secretRef": {"name": "x", "key": "y"}},
          "inferenceExtension.env"),
    field("shape: ports as a number", ONE, POOL, "$ports", 8000, "inferencePool.targetPorts"),
    field("shape: selector as text", ONE, POOL, "$selector", "llm-d.ai/model=a", MATCH),
    field("shape: plugins file as a map", ONE, POOL, MINE, {"kind": "EndpointPickerConfig"},
          PLUGINS),
    field("picker: plugin's type", ONE, POOL, MINE, swap("type: queue-scorer", "type: queue-scorre"),
          PLUGINS),
    field("picker: key of the file", ONE, POOL, MINE, swap("schedulingProfiles", "schedulingProfile"),
          PLUGINS),
    field("picker: a profile's name", PD, POOL, MINE, swap("name: decode", "name: decoding"), PLUGINS),
    field("picker: weight", ONE, POOL, MINE, swap("weight: 2", "weight: high"), PLUGINS),
    field("picker: plugin's parameter", PD, POOL, MINE, swap("nonCachedTokens", "nonCachedToken"),
          PLUGINS),
    field("picker: filter of the other role", PD, POOL, MINE, swap("pluginRef: prefill-filter",
          "pluginRef: decode-filter"),
          PLUGINS),
    field("picker: plugins without parting", PD, POOL, "$epp.pluginsConfigFile", "default-plugins.yaml",
          "inferenceExtension.pluginsConfigFile"),
    field("picker: flag", ONE, POOL, FLAGS, {"kvCacheUsagePercentageMetric": "x"}, "inferenceExtension.flags"),
    field("picker: flag", ONE, POOL, FLAGS, {"--v": 4}, "inferenceExtension.flags"),
    field("image: an address of the web", ONE, POOL, "$epp.image.hub", "https://ghcr.io/llm-d",
          "inferenceExtension.image", "inferenceExtension.image.hub"),
    field("image: a floating tag", ONE, POOL, "$epp.image.tag", "main", "inferenceExtension.image.tag"),
    field("listener: no such Secret", TLS, INFRA, f"{LISTENER}.tls.certificateRefs.0.name", "back-door", LISTENERS),
    field("listener: no certificate", TLS, INFRA, f"{LISTENER}.tls", ..., LISTENERS),
    field("listener: protocol", TLS, INFRA, f"{LISTENER}.protocol", "GRPC", LISTENERS),
    field("listener: two protocols on a port", TLS, INFRA, f"{LISTENER}.port", 80, LISTENERS),
    field("listener: who may attach", TLS, INFRA, f"{LISTENER}.allowedRoutes.namespaces.from", "all", LISTENERS),
    field("shape: an object without a name", TLS, INFRA, "extraDeploy",
          [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}], "extraDeploy"),
]  # fmt: skip
VARIABLE_ROWS: list[Row] = [
    field("variables: a size", ONE, VARS, "prepare", {"pvc_name": "m", "pvc_size": "200GB"}, "prepare_pvc_size"),
    field("variables: a class of storage", ONE, VARS, "prepare", {"pvc_name": "m", "pvc_storage_class": "fast"},
          "prepare_pvc_storage_class"),
    field("variables: an access mode", ONE, VARS, "prepare", {"pvc_name": "m", "pvc_access_modes": ["All"]},
          "prepare_pvc_access_modes"),
    field("variables: text for a list", ONE, VARS, "prepare.downloads", "org/a", "prepare_downloads"),
    field("variables: an image", ONE, VARS, "prepare.images", ["https://ghcr.io/a"], "prepare_images"),
    field("variables: unknown", ONE, VARS, "user", {"llm_d_enviroment": "production"}, "llm_d_enviroment"),
    field("variables: unknown", ONE, VARS, "user", {"gateway_value_files": ["a.yaml"]}, "gateway_value_files"),
    field("variables: unknown", ONE, VARS, "user", {"monitoring_enable": True}, "monitoring_enable"),
    field("variables: unknown word", ONE, VARS, "user", {"llm_d_environment": "prod"}, "llm_d_environment"),
    field("variables: unknown word", ONE, VARS, "user", {"llm_d_capacity": "ignore"}, "llm_d_capacity"),
    field("variables: type", ONE, VARS, "user", {"llm_d_record_history": "ten"}, "llm_d_record_history"),
    field("variables: type", ONE, VARS, "user", {"llm_d_namespace": ["llm-d"]}, "llm_d_namespace"),
    field("variables: type", ONE, VARS, "user", {"llm_d_decisions": ["reuse"]}, "llm_d_decisions"),
    field("routes: a wildcard", ONE, VARS, "models.0.route.path_prefix", "/v1/*", "llm_d_models[0].route.path_prefix"),
    field("routes: a backend's time above the whole", ONE, VARS, "models.0.route.timeouts",
          {"request": "10s", "backendRequest": "300s"}, "llm_d_models[0].route.timeouts"),
]  # fmt: skip
PARTS = SERVER_ROWS + POOL_ROWS + VARIABLE_ROWS
