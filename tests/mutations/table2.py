# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""More mutations that need knowledge: names, providers, images, references, roles, accelerators, KV events, inputs."""

from __future__ import annotations

import values
from bases import BARE
from table import ANY, ARGS, BOX, INFRA, LONG, MINE, NAMES, ONE, POOL, SERVER, VARS, Row, arg, swap

EVENTS = "decode.containers.0.args.3"
SEEN = ("$epp.pluginsCustomConfig", ARGS, "$services")
IMAGES = ("decode.containers[0].image",)
SECRETS = ("modelArtifacts.authSecretName",)
ENV = {"name": "X", "valueFrom": {"secretKeyRef": {"name": values.SECRET, "key": "HF"}}}

NAMING: list[Row] = [
    ("name: too long", ANY, ((VARS, "models.0.name", LONG),), NAMES),
    ("name: not a DNS label", ("single", "split"), ((VARS, "models.0.name", "Qwen_3"),), NAMES),
    ("name: release too long", ("single", "two"), ((VARS, "models.0.release_name", LONG),), NAMES),
    (
        "name: workload too long",
        ("group",),
        ((SERVER, "fullnameOverride", "chat-" * 12 + "x"),),
        ("fullnameOverride", *NAMES),
    ),
    ("name: missing", ("single",), ((VARS, "models.0.name", ...),), NAMES),
    ("name: model given twice", ("two", "shared"), ((VARS, "models.1.name", "a"),), ("llm_d_models[1].name",)),
    (
        "name: release given twice",
        ("two", "shared"),
        ((VARS, "models.1.release_name", "ms-a"),),
        ("llm_d_models[1].release_name", "llm_d_models[1]"),
    ),
    (
        "name: pool's release given twice",
        ("two", "shared"),
        ((VARS, "models.1.pool.release_name", "gaie-a"),),
        ("llm_d_models[1].pool.release_name", "llm_d_models[1].pool"),
    ),
    (
        "name: pool's release is the model's",
        ("single", "two"),
        ((VARS, "models.0.pool.release_name", "ms-a"),),
        ("llm_d_models[0].pool.release_name", "llm_d_models[0].pool", "llm_d_models[0]"),
    ),
    (
        "name: two workloads of one name",
        ("two", "shared"),
        ((SERVER, "fullnameOverride", "chat"), ("ms-b", "fullnameOverride", "chat")),
        ("fullnameOverride", "llm_d_models[1]"),
    ),
    (
        "name: pickers alike after 40 characters",
        ("two",),
        (
            (VARS, "models.0.pool.release_name", "gaie-model-with-a-name-that-is-rather-long-a"),
            (VARS, "models.1.pool.release_name", "gaie-model-with-a-name-that-is-rather-long-b"),
        ),
        ("llm_d_models[1].pool.release_name", "llm_d_models[1].pool"),
    ),
    (
        "served name: entry against values",
        ANY,
        ((VARS, "models.0.model", "org/other"),),
        ("llm_d_models[0].model", "modelArtifacts.name"),
    ),
    (
        "served name: values against entry",
        ("single", "two", "events", "router"),
        ((SERVER, "modelArtifacts.name", "org/c"),),
        ("llm_d_models[0].model", "modelArtifacts.name"),
    ),
    (
        "served name: --served-model-name",
        ("single", "split", "group"),
        ((SERVER, f"{BOX}.args", arg("--served-model-name", "other")),),
        ("modelArtifacts.name", ARGS, "llm_d_models[0].model"),
    ),
    (
        "label: value with a slash",
        ("single", "simulated"),
        ((SERVER, "modelArtifacts.labels.team", "a/b"),),
        ("modelArtifacts.labels.team",),
    ),
]
PROVIDERS: list[Row] = [
    (
        "provider: of the pool",
        ("single", "openshift", "router"),
        ((POOL, "provider.name", "none"),),
        ("provider.name",),
    ),
    (
        "provider: of the pool",
        ("gke", "kgateway", "agentgateway"),
        ((POOL, "provider.name", "istio"),),
        ("provider.name",),
    ),
    (
        "provider: of the pool unknown",
        ("single", "gke", "router"),
        ((POOL, "provider.name", "istoi"),),
        ("provider.name",),
    ),
    (
        "provider: of the Gateway",
        ("single", "two", "split"),
        ((VARS, "gateway.provider", "kgateway"),),
        ("provider.name", "gateway_provider"),
    ),
    ("provider: unknown", ANY, ((VARS, "gateway.provider", "isto"),), ("gateway_provider",)),
    (
        "class: not in the cluster",
        ("single", "gke"),
        ((VARS, "gateway.class_name", "istio-x"),),
        ("gateway_class_name", "gateway_provider"),
    ),
    (
        "class: not in the cluster",
        ("single", "kgateway"),
        ((INFRA, "gateway.gatewayClassName", "istoi"),),
        ("gateway.gatewayClassName",),
    ),
    (
        "class: another provider's",
        ("single", "openshift", "router"),
        ((INFRA, "gateway.gatewayClassName", "kgateway"),),
        ("gateway.gatewayClassName", "provider.name"),
    ),
    (
        "Gateway: none of that name",
        ("adopted",),
        ((VARS, "gateway.existing_name", "adpoted"),),
        ("gateway_existing_name",),
    ),
    ("Gateway: none named", ("adopted",), ((VARS, "gateway.existing_name", ""),), ("gateway_existing_name",)),
    (
        "Gateway: in another namespace",
        ("adopted",),
        ((VARS, "gateway.namespace", BARE),),
        ("gateway_existing_name", "gateway_namespace"),
    ),
    ("namespace: no DNS label", ANY, ((VARS, "namespace", "My_Namespace"),), ("llm_d_namespace",)),
    (
        "namespace: of the Gateway no DNS label",
        ("single", "apart"),
        ((VARS, "gateway.namespace", "My_Namespace"),),
        ("gateway_namespace",),
    ),
]
IMAGE_ROWS: list[Row] = [
    (
        "image: latest",
        ("single", "split", "two"),
        ((SERVER, f"{BOX}.image", "ghcr.io/llm-d/llm-d-cuda:latest"),),
        IMAGES,
    ),
    ("image: no tag", ("single", "group"), ((SERVER, f"{BOX}.image", "ghcr.io/llm-d/llm-d-cuda"),), IMAGES),
    ("image: picker's latest", ("single", "two", "router"), ((POOL, "$epp.image.tag", "latest"),), ("$epp.image.tag",)),
    ("image: picker's tag missing", ("single", "router"), ((POOL, "$epp.image.tag", ""),), ("$epp.image.tag",)),
    (
        "image: picker's variable without tag",
        ("single", "two"),
        ((POOL, "$epp.image", ...), (VARS, "gaie.image", "ghcr.io/llm-d/x")),
        ("gaie_image",),
    ),
    (
        "image: sidecar's latest",
        ("split", "simulated", "router-split"),
        ((SERVER, "routing.proxy.image", "ghcr.io/llm-d/llm-d-routing-sidecar:latest"),),
        ("routing.proxy.image",),
    ),
    ("image: missing", ("single", "split"), ((SERVER, f"{BOX}.image", ...),), ("decode.containers[0]", *IMAGES)),
    (
        "image: pull policy",
        ("single", "router"),
        ((POOL, "$epp.image.pullPolicy", "always"),),
        ("$epp.image.pullPolicy",),
    ),
    (
        "image: pull policy",
        ("single", "two"),
        ((SERVER, f"{BOX}.imagePullPolicy", "Alwyas"),),
        ("decode.containers[0].imagePullPolicy",),
    ),
    (
        "chart: no version",
        ("single", "two"),
        ((VARS, "gaie.chart_ref", "oci://registry.example.com/charts/inferencepool"), (VARS, "gaie.chart_version", "")),
        ("gaie_chart_version",),
    ),
    (
        "chart: a range for a version",
        ("single",),
        (
            (VARS, "modelservice.chart_ref", "https://charts.example.com#llm-d-modelservice"),
            (VARS, "modelservice.chart_version", ">=0.4"),
        ),
        ("modelservice_chart_version",),
    ),
    (
        "chart: latest",
        ("single",),
        (
            (VARS, "gateway.chart_ref", "https://charts.example.com#llm-d-infra"),
            (VARS, "gateway.chart_version", "latest"),
        ),
        ("gateway_chart_version",),
    ),
    (
        "chart: another version",
        ("single", "split"),
        ((VARS, "modelservice.chart_version", "v9.9.9"),),
        ("modelservice_chart_version",),
    ),
    ("chart: not there", ("single",), ((VARS, "gaie.chart_ref", "/nowhere/inferencepool"),), ("gaie_chart_ref",)),
    (
        "chart: another component's",
        ("single",),
        ((VARS, "gaie.chart", "llm-d-router-gateway"),),
        ("gaie_chart", "gaie_chart_ref", "inferenceExtension"),
    ),
]
REFERENCES: list[Row] = [
    ("secret: missing", ANY[:4] + ("group", "gke"), ((SERVER, "modelArtifacts.authSecretName", "hf-tokn"),), SECRETS),
    ("secret: in another namespace", ("single", "two", "split"), ((VARS, "namespace", BARE),), (*SECRETS, "$epp.env")),
    (
        "secret: wrong key",
        ("single", "split"),
        ((POOL, "$epp.env.0.valueFrom.secretKeyRef.key", "token"),),
        ("$epp.env",),
    ),
    ("secret: wrong key", ("single", "group"), ((SERVER, f"{BOX}.env", arg(ENV)),), ("decode.containers[0].env",)),
    (
        "secret: the token's is missing",
        ("single",),
        ((POOL, "inferenceExtension.env", ...), (VARS, "gaie.hf_token_secret", "hf-nope")),
        ("gaie_hf_token_secret",),
    ),
    (
        "secret: the token's key is missing",
        ("single",),
        (
            (POOL, "inferenceExtension.env", ...),
            (VARS, "gaie.hf_token_secret", values.SECRET),
            (VARS, "gaie.hf_token_key", "tokn"),
        ),
        ("gaie_hf_token_key",),
    ),
    (
        "claim: missing",
        ("group", "single"),
        ((SERVER, "modelArtifacts.uri", "pvc://model/org/a"),),
        ("modelArtifacts.uri",),
    ),
    (
        "claim: missing",
        ("single", "split"),
        ((SERVER, "decode.volumes.1", {"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}),),
        ("decode.volumes",),
    ),
    (
        "config map: missing",
        ("single", "two"),
        ((SERVER, "decode.volumes.1", {"name": "w", "configMap": {"name": "templates"}}),),
        ("decode.volumes",),
    ),
    (
        "service account: missing",
        ("single", "group"),
        ((SERVER, "serviceAccountOverride", "runner"),),
        ("serviceAccountOverride",),
    ),
    (
        "priority class: missing",
        ("single", "split"),
        ((SERVER, "decode.extraConfig", {"priorityClassName": "high"}),),
        ("decode.extraConfig", "decode.extraConfig.priorityClassName"),
    ),
    (
        "storage class: missing",
        ("single", "two"),
        (
            (
                SERVER,
                "extraObjects",
                [
                    {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "metadata": {"name": "c"},
                        "spec": {
                            "storageClassName": "fast",
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "1Gi"}},
                        },
                    }
                ],
            ),
        ),
        ("extraObjects",),
    ),
    (
        "volume: mounted but not there",
        ("single", "two"),
        ((SERVER, f"{BOX}.volumeMounts.0.name", "metrics"),),
        ("decode.containers[0].volumeMounts", "decode.volumes"),
    ),
]
ROLES: list[Row] = [
    (
        "role: prefill dropped",
        ("split", "router-split"),
        ((SERVER, "prefill.create", False),),
        ("prefill", "prefill.create"),
    ),
    (
        "role: prefill without pods",
        ("split", "router-split"),
        ((SERVER, "prefill.replicas", 0),),
        ("prefill", "prefill.replicas"),
    ),
    ("role: prefill dropped", ("split", "router-split"), ((SERVER, "prefill", ...),), ("prefill",)),
    ("role: decode dropped", ANY, ((SERVER, "decode.create", False),), ("decode", "decode.create")),
    (
        "role: decode without pods",
        ("single", "split", "group"),
        ((SERVER, "decode.replicas", 0),),
        ("decode", "decode.replicas"),
    ),
    ("role: selector of decode only", ("split",), ((POOL, "$selector.llm-d|ai/role", "decode"),), ("$selector",)),
    (
        "role: no sidecar",
        ("split", "router-split"),
        ((SERVER, "routing.proxy.enabled", False),),
        ("routing.proxy", "routing.proxy.enabled"),
    ),
    ("role: no NIXL address", ("split",), ((SERVER, f"{BOX}.env", []),), ("decode.containers[0].env",)),
    (
        "accelerators: tensor",
        ("single", "two", "split"),
        ((SERVER, f"{BOX}.resources.limits.nvidia|com/gpu", "1"),),
        ("decode.parallelism", "decode.containers[0].resources"),
    ),
    (
        "accelerators: tensor's flag",
        ("single", "gke"),
        ((SERVER, f"{BOX}.args", arg("--tensor-parallel-size=4")),),
        ("decode.parallelism", ARGS),
    ),
    (
        "accelerators: group's size",
        ("group",),
        ((SERVER, "decode.parallelism.workers", 4),),
        ("decode.parallelism", "decode.parallelism.workers"),
    ),
    (
        "accelerators: group's size",
        ("group",),
        ((SERVER, "decode.parallelism.data", 32),),
        ("decode.parallelism", "decode.parallelism.data"),
    ),
    (
        "accelerators: group's tensor",
        ("group",),
        ((SERVER, f"{BOX}.args", arg("--tensor-parallel-size=2")),),
        ("decode.parallelism", ARGS),
    ),
    (
        "accelerators: unknown type",
        ("single", "group"),
        ((SERVER, "accelerator.type", "nvida"),),
        ("accelerator.type",),
    ),
    (
        "command: unknown kind",
        ("single", "split"),
        ((SERVER, f"{BOX}.modelCommand", "vllmServ"),),
        ("decode.containers[0].modelCommand",),
    ),
    (
        "command: settings no JSON",
        ("split",),
        ((SERVER, f"{BOX}.args.2", '{"kv_connector":"NixlConnector",}'),),
        (ARGS,),
    ),
    (
        "monitor: port's name",
        ("single", "split", "group"),
        ((SERVER, "decode.monitoring.podmonitor.portName", "http"),),
        ("decode.monitoring.podmonitor.portName",),
    ),
]
EVENT_ROWS: list[Row] = [
    ("KV events: port of the address", ("events",), ((SERVER, EVENTS, swap(":5557", ":5558")),), SEEN),
    ("KV events: host of the address", ("events",), ((SERVER, EVENTS, swap("gaie-a-epp", "gaie-b-epp")),), SEEN),
    ("KV events: namespace of the address", ("events",), ((SERVER, EVENTS, swap("mutations.svc", "other.svc")),), SEEN),
    ("KV events: both wait", ("events",), ((SERVER, EVENTS, values.event_settings(endpoint="tcp://*:5557")),), SEEN),
    ("KV events: picker's port", ("events",), ((POOL, MINE, values.event_plugins(zmqEndpoint="tcp://*:5559")),), SEEN),
    ("KV events: picker looks for pods", ("events",), ((POOL, MINE, values.event_plugins(discoverPods=True)),), SEEN),
    ("KV events: pods' port", ("discover",), ((SERVER, EVENTS, swap(":5557", ":5560")),), SEEN),
    ("KV events: both connect", ("discover",), ((SERVER, EVENTS, values.event_settings()),), SEEN),
    (
        "KV events: off",
        ("events", "discover"),
        ((SERVER, EVENTS, swap('"enable_kv_cache_events": true', '"enable_kv_cache_events": false')),),
        SEEN,
    ),
    ("KV events: not sent", ("events", "discover"), ((SERVER, f"{BOX}.args", ["--block-size=64"]),), SEEN),
    ("KV events: topic", ("events", "discover"), ((SERVER, EVENTS, swap("kv@", "events@")),), SEEN),
    ("KV events: topic of another model", ("events", "discover"), ((SERVER, EVENTS, swap("org/a", "org/b")),), SEEN),
    ("KV events: block size", ("events", "discover"), ((SERVER, f"{BOX}.args.1", "--block-size=16"),), SEEN),
    ("KV events: no JSON", ("events", "discover"), ((SERVER, EVENTS, swap("}", "")),), SEEN),
    ("KV events: Service's port", ("events",), ((POOL, "$services.0.targetPort", 5559),), SEEN),
]
INPUTS: list[Row] = [
    (
        "pool: forbidden key",
        ("single", "two", "gke"),
        ((POOL, "inferenceExtension.resources", {"limits": {"cpu": "1"}}),),
        ("inferenceExtension.resources",),
    ),
    (
        "pool: forbidden key",
        ("single", "split"),
        ((POOL, "inferenceExtension.service", {"type": "ClusterIP"}),),
        ("inferenceExtension.service",),
    ),
    ("pool: forbidden key", ("single", "router"), ((POOL, "routing", {"servicePort": 8000}),), ("routing",)),
    ("pool: forbidden key", ("single", "router"), ((POOL, "gateway", {"gatewayClassName": "istio"}),), ("gateway",)),
    (
        "pool: provider below the extension",
        ("single", "two"),
        ((POOL, "inferenceExtension.provider", {"name": "istio"}), (POOL, "provider", ...)),
        ("inferenceExtension.provider",),
    ),
    (
        "entry: misspelt key",
        ("single", "two"),
        ((VARS, "models.0.vales_files", ["ms-a.yaml"]),),
        ("llm_d_models[0].vales_files",),
    ),
    (
        "entry: misspelt key",
        ("single", "shared"),
        ((VARS, "models.0.pool.selctor", {"a": "b"}),),
        ("llm_d_models[0].pool.selctor",),
    ),
    (
        "entry: misspelt key",
        ("single", "two"),
        ((VARS, "models.0.route.prefix", "/a"),),
        ("llm_d_models[0].route.prefix",),
    ),
    (
        "entry: wrong type",
        ("single", "two"),
        ((VARS, "models.0.values_files", "ms-a.yaml"),),
        ("llm_d_models[0].values_files",),
    ),
    ("entry: wrong type", ("single",), ((VARS, "models", {"name": "a"}),), ("llm_d_models",)),
    ("setting: wrong type", ("single", "shared"), ((VARS, "gaie.values", ["a"]),), ("gaie_values",)),
    ("setting: unknown word", ("single", "shared"), ((VARS, "httproute.mode", "per-model"),), ("httproute_mode",)),
    ("setting: no number", ("single",), ((VARS, "gaie.wait_timeout", "soon"),), ("gaie_wait_timeout",)),
    (
        "file: not there",
        ("single", "two"),
        ((VARS, "models.0.values_files.0", "ms-x.yaml"),),
        ("llm_d_models[0].values_files[0]",),
    ),
    (
        "file: no YAML",
        ("single", "split"),
        ((SERVER, "", "modelArtifacts:\n  name: [org/a\nrouting: {}\n"),),
        ("ms-a.yaml:3",),
    ),
    (
        "file: a key twice",
        ("single",),
        ((SERVER, "", "modelArtifacts: {name: org/a}\nmodelArtifacts: {name: org/a}\n"),),
        ("ms-a.yaml:2",),
    ),
    ("file: a list", ("single",), ((POOL, "", "- a\n- b\n"),), ("gaie-a.yaml:1",)),
]
PARTS = NAMING + PROVIDERS + IMAGE_ROWS + REFERENCES + ROLES + EVENT_ROWS + INPUTS
# (kind, base, CRD, version that is not served any more, or '' for the whole CRD, what has to be named)
CLUSTER: list[tuple[str, str, str, str, tuple[str, ...]]] = [
    ("cluster: kind missing", "group", "leaderworkersets.leaderworkerset.x-k8s.io", "", ("LeaderWorkerSet",)),
    ("cluster: kind missing", "single", "podmonitors.monitoring.coreos.com", "", ("PodMonitor",)),
    ("cluster: kind missing", "two", "servicemonitors.monitoring.coreos.com", "", ("ServiceMonitor",)),
    ("cluster: kind missing", "openshift", "destinationrules.networking.istio.io", "", ("DestinationRule",)),
    ("cluster: kind missing", "gke", "gcpbackendpolicies.networking.gke.io", "", ("GCPBackendPolicy",)),
    ("cluster: kind missing", "kgateway", "gatewayparameters.gateway.kgateway.dev", "", ("GatewayParameters",)),
    ("cluster: kind missing", "split", "inferencepools.inference.networking.k8s.io", "", ("InferencePool",)),
    (
        "cluster: kind missing",
        "single",
        "inferenceobjectives.inference.networking.x-k8s.io",
        "",
        ("inferenceobjectives", "InferenceObjective"),
    ),
    ("cluster: version not served", "single", "httproutes.gateway.networking.k8s.io", "v1", ("HTTPRoute",)),
]
__all__ = ["CLUSTER", "ONE", "PARTS"]
