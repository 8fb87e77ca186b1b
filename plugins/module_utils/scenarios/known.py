# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Facts about llm-d-benchmark's variables: what those that a scenario leaves alone are, and which do not matter here.

Source: llm-d/llm-d-benchmark v0.5.2, setup/env.sh and setup/steps/0[4-9]_*.py; older names from v0.2.0 to v0.4.9.
Names here lack the prefix LLMDBENCH_.
"""

from __future__ import annotations

import re
import typing as t

PREFIX = "LLMDBENCH_"
# Folder inside a container, where servers keep what may be lost.
SCRATCH = "/tmp"
COMMON = "VLLM_COMMON_"
ROLES = {"decode": "VLLM_MODELSERVICE_DECODE_", "prefill": "VLLM_MODELSERVICE_PREFILL_"}
SERVER = "VLLM_MODELSERVICE_"

# Set before a scenario is read, so that it may use them.
EARLY = {
    "VLLM_COMMON_NAMESPACE": "llmdbench",
    "DEPLOY_METHODS": "modelservice",
    "DEPLOY_MODEL_LIST": "facebook/opt-125m",
    "IMAGE_REGISTRY": "ghcr.io",
    "IMAGE_REPO": "llm-d",
    "IMAGE_NAME": "llm-d-benchmark",
    "IMAGE_TAG": "auto",
    **{
        f"LLMD_{name}IMAGE_REGISTRY": "ghcr.io"
        for name in ("", "INFERENCESCHEDULER_", "ROUTINGSIDECAR_", "UDS_TOKENIZER_")
    },
    **{f"LLMD_{name}IMAGE_REPO": "llm-d" for name in ("", "INFERENCESCHEDULER_", "ROUTINGSIDECAR_", "UDS_TOKENIZER_")},
    **{f"LLMD_{name}IMAGE_TAG": "auto" for name in ("", "INFERENCESCHEDULER_", "ROUTINGSIDECAR_", "UDS_TOKENIZER_")},
    "LLMD_IMAGE_NAME": "llm-d-cuda",
    "LLMD_INFERENCESCHEDULER_IMAGE_NAME": "llm-d-inference-scheduler",
    "LLMD_ROUTINGSIDECAR_IMAGE_NAME": "llm-d-routing-sidecar",
    "LLMD_UDS_TOKENIZER_IMAGE_NAME": "llm-d-uds-tokenizer",
    "LLMD_ROUTINGSIDECAR_ENABLED": "true",
    "LLMD_ROUTINGSIDECAR_CONNECTOR": "nixlv2",
    "LLMD_ROUTINGSIDECAR_DEBUG_LEVEL": "3",
    "VLLM_COMMON_CONTEXT_SECRET_NAME": "llmdbench-context",
    "VLLM_COMMON_ACCELERATOR_RESOURCE": "auto",
    "VLLM_COMMON_AFFINITY": "auto",
    "VLLM_COMMON_REPLICAS": "1",
    "VLLM_COMMON_ACCELERATOR_NR": "auto",
    "VLLM_COMMON_TENSOR_PARALLELISM": "1",
    "VLLM_COMMON_DATA_PARALLELISM": "1",
    "VLLM_COMMON_DATA_LOCAL_PARALLELISM": "1",
    "VLLM_COMMON_NUM_WORKERS_PARALLELISM": "1",
    "VLLM_COMMON_ACCELERATOR_MEM_UTIL": "0.95",
    "VLLM_COMMON_CPU_NR": "4",
    "VLLM_COMMON_CPU_MEM": "40Gi",
    "VLLM_COMMON_SHM_MEM": "16Gi",
    "VLLM_COMMON_MAX_MODEL_LEN": "16384",
    "VLLM_COMMON_BLOCK_SIZE": "64",
    "VLLM_COMMON_NUM_CPU_BLOCKS": "5000",
    "VLLM_COMMON_CPU_BYTES_TO_USE": "1000000000",
    "VLLM_COMMON_MAX_NUM_SEQ": "1024",
    "VLLM_COMMON_MAX_NUM_BATCHED_TOKENS": "4096",
    "VLLM_COMMON_PVC_NAME": "model-pvc",
    "VLLM_COMMON_PVC_MODEL_CACHE_SIZE": "300Gi",
    "VLLM_COMMON_EXTRA_PVC_SIZE": "10Gi",
    "VLLM_COMMON_PVC_STORAGE_CLASS": "default",
    "VLLM_COMMON_PVC_DOWNLOAD_TIMEOUT": "2400",
    "VLLM_COMMON_PVC_ACCESS_MODE": "ReadWriteMany",
    "VLLM_COMMON_HF_TOKEN_KEY": "HF_TOKEN",
    "VLLM_COMMON_HF_TOKEN_NAME": "llm-d-hf-token",
    "VLLM_COMMON_FQDN": ".svc.cluster.local",
    "VLLM_COMMON_INFERENCE_PORT": "8000",
    "VLLM_COMMON_METRICS_PORT": "8200",
    "VLLM_COMMON_NIXL_SIDE_CHANNEL_PORT": "5557",
    "VLLM_COMMON_UCX_TLS": "sm,cuda_ipc,cuda_copy,tcp",
    "VLLM_COMMON_UCX_SOCKADDR_TLS_PRIORITY": "tcp",
    "VLLM_COMMON_EPHEMERAL_STORAGE_RESOURCE": "ephemeral-storage",
    "VLLM_COMMON_STARTUP_PROBE_INITIAL_DELAY": "30",
    "VLLM_COMMON_STARTUP_PROBE_FAILURE_THRESHOLD": "60",
    "VLLM_COMMON_STARTUP_PROBE_PATH": "/health",
    "VLLM_COMMON_READINESS_PROBE_PATH": "/health",
    "VLLM_COMMON_VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1",
    "VLLM_COMMON_VLLM_SERVER_DEV_MODE": "1",
    "VLLM_COMMON_VLLM_LOAD_FORMAT": "auto",
    "VLLM_COMMON_VLLM_LOGGING_LEVEL": "INFO",
    "VLLM_COMMON_VLLM_CACHE_ROOT": f"{SCRATCH}/vllm",
    "VLLM_COMMON_VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_COMMON_POD_SCHEDULER": "default-scheduler",
    "VLLM_COMMON_PREPROCESS": "/bin/true",
    "VLLM_MODELSERVICE_RELEASE": "llmdbench",
    "VLLM_MODELSERVICE_URI_PROTOCOL": "pvc",
    "VLLM_MODELSERVICE_GATEWAY_CLASS_NAME": "istio",
    "VLLM_MODELSERVICE_GAIE_PLUGINS_CONFIGFILE": "default-plugins.yaml",
    "VLLM_MODELSERVICE_GAIE_SIDECAR_ENABLED": "False",
    "VLLM_MODELSERVICE_MULTINODE": "false",
    **dict.fromkeys(("VLLM_MODELSERVICE_CHART_VERSION", "VLLM_INFRA_CHART_VERSION", "VLLM_GAIE_CHART_VERSION"), "auto"),
}

# Of a role, filled in after a scenario: a text, or the variable (after =) whose value it takes.
LATE = {
    "REPLICAS": "=VLLM_COMMON_REPLICAS",
    "DATA_PARALLELISM": "1",
    "DATA_LOCAL_PARALLELISM": "1",
    "TENSOR_PARALLELISM": "1",
    "NUM_WORKERS_PARALLELISM": "1",
    "ACCELERATOR_NR": "=VLLM_COMMON_ACCELERATOR_NR",
    "ACCELERATOR_RESOURCE": "=VLLM_COMMON_ACCELERATOR_RESOURCE",
    "MODEL_COMMAND": "vllmServe",
    "INIT_CONTAINER_CONFIG": "=VLLM_COMMON_EXTRA_INIT_CONTAINER_CONFIG",
    "PODANNOTATIONS": "=VLLM_COMMON_PODANNOTATIONS",
    **{
        name: f"=VLLM_COMMON_{name}"
        for name in (
            *("ACCELERATOR_MEM_UTIL", "NETWORK_RESOURCE", "NETWORK_NR", "CPU_NR", "CPU_MEM", "SHM_MEM"),
            *("EPHEMERAL_STORAGE", "PREPROCESS", "ENVVARS_TO_YAML", "INFERENCE_PORT", "EXTRA_POD_CONFIG"),
            *("EXTRA_CONTAINER_CONFIG", "EXTRA_VOLUME_MOUNTS", "EXTRA_VOLUMES", "STARTUP_PROBE_INITIAL_DELAY"),
            *("STARTUP_PROBE_FAILURE_THRESHOLD", "STARTUP_PROBE_PATH", "READINESS_PROBE_PATH", "POD_LABELS"),
        )
    },
}

# Names that roles shared in v0.2 and v0.3.
SHARED = ("EXTRA_CONTAINER_CONFIG", "EXTRA_VOLUME_MOUNTS", "EXTRA_VOLUMES", "EXTRA_POD_CONFIG")

# Environment of every model server, as the benchmark's entry points expect it: name by variable.
ENVIRONMENT = {
    **{
        name: "VLLM_" + name.removeprefix(COMMON)
        for name in (
            *("VLLM_COMMON_BLOCK_SIZE", "VLLM_COMMON_MAX_MODEL_LEN", "VLLM_COMMON_ACCELERATOR_MEM_UTIL"),
            *("VLLM_COMMON_MAX_NUM_SEQ", "VLLM_COMMON_TENSOR_PARALLELISM", "VLLM_COMMON_MAX_NUM_BATCHED_TOKENS"),
            *("VLLM_COMMON_INFERENCE_PORT", "VLLM_COMMON_METRICS_PORT", "VLLM_COMMON_NIXL_SIDE_CHANNEL_PORT"),
        )
    },
    **{
        f"VLLM_COMMON_{name}": name
        for name in (
            *("VLLM_LOAD_FORMAT", "VLLM_WORKER_MULTIPROC_METHOD", "VLLM_SERVER_DEV_MODE", "VLLM_LOGGING_LEVEL"),
            *("VLLM_CACHE_ROOT", "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "UCX_TLS", "UCX_SOCKADDR_TLS_PRIORITY"),
        )
    },
}

# Tags for images whose tag is left to the newest (auto) or is latest: versions that are known to work together.
PINNED = {
    "llm-d-cuda": "v0.5.1",
    "llm-d-cpu": "v0.5.1",
    "llm-d-xpu": "v0.5.1",
    "llm-d-hpu": "v0.5.1",
    "llm-d-inference-scheduler": "v0.6.0",
    "llm-d-routing-sidecar": "v0.6.0",
    "llm-d-uds-tokenizer": "v0.6.0",
    "llm-d-inference-sim": "v0.7.1",
    "llm-d-benchmark": "v0.5.2",
}

# Accelerator types of llm-d-modelservice by the resource that they ask for (values.yaml, accelerator.resources).
ACCELERATORS = {
    "nvidia.com/gpu": "nvidia",
    "gpu.intel.com/i915": "intel-i915",
    "gpu.intel.com/xe": "intel-xe",
    "habana.ai/gaudi": "intel-gaudi",
    "amd.com/gpu": "amd",
    "google.com/tpu": "google",
}

# Gateway provider by class; a class that a provider does not find by itself is passed on.
GATEWAYS = {
    "istio": "istio",
    "kgateway": "kgateway",
    "kgateway-openshift": "kgateway",
    "agentgateway": "agentgateway",
    "agentgateway-v2": "agentgateway",
    "gke": "gke",
    "gke-l7-regional-external-managed": "gke",
    "gke-l7-rilb": "gke",
    "data-science-gateway-class": "openshift",
    "openshift-default": "openshift",
}

# Which variables are not for a stack, and why. The first that matches counts.
IGNORED: tuple[tuple[str, str], ...] = (
    ("HARNESS_|RUN_|EXPERIMENT_|WORKSPACE_DIR", "it is the load generator's; deploying needs none"),
    ("CONTROL_(?!WAIT_TIMEOUT$)", "it says how the benchmark's own scripts run"),
    ("CLUSTER_|USER_", "the cluster is reached by llm_d_kubeconfig and llm_d_context"),
    ("VLLM_STANDALONE_", "it is for the method standalone, which is not translated"),
    ("VLLM_DEPLOYER_|EPP_", "it is for llm-d-deployer, which llm-d no longer has"),
    ("WVA_|HPA_|VARIANT_|OPENSHIFT_USER_WORKLOAD", "the workload variant autoscaler is not deployed"),
    ("IMAGE_(REGISTRY|REPO|NAME|TAG)$", "it is the benchmark's own image"),
    ("GATEWAY_(PROVIDER|API)_|LWS_", "gateway implementations and CRDs are the cluster's, see the rules"),
    ("IGNORE_FAILED_VALIDATION|VLLM_COMMON_ACCELERATOR_MEMORY", "it is for the benchmark's own capacity check"),
    ("VLLM_MODELSERVICE_(INFERENCE_MODEL|INFERENCE_POOL|EPP)$", "a pool and its endpoint picker are always created"),
    ("VLLM_MODELSERVICE_(VALUES_FILE|ADDITIONAL_SETS|ROUTE)$", "only the benchmark's own charts and routes use it"),
    ("VLLM_(INFRA|MODELSERVICE)_(CHART_NAME|HELM_REPOSITORY|HELM_REPOSITORY_URL)$", "the roles set the charts"),
    (".*POD_LABELS$", "llm-d-modelservice puts modelArtifacts.labels on pods, no others"),
    ("VLLM_COMMON_METRICS_SCRAPE_ENABLED", "the PodMonitor finds pods without it"),
    ("LLMD_ROUTINGSIDECAR_DEBUG_LEVEL", "the chart reads no routing.proxy.debugLevel"),
    ("VLLM_COMMON_(FQDN|TIMEOUT|MODEL_LOADER_EXTRA_CONFIG|ENABLE_SLEEP_MODE)$", "only the method standalone reads it"),
    ("VLLM_COMMON_CONTEXT_SECRET_NAME", "the benchmark's own secret is not created"),
)

_IGNORED = tuple((re.compile(pattern), why) for pattern, why in IGNORED)

KNOWN = {
    *EARLY,
    *(prefix + name for prefix in ROLES.values() for name in (*LATE, "EXTRA_ARGS", "IMAGE")),
    *(f"VLLM_COMMON_{name[len('=VLLM_COMMON_') :]}" for name in LATE.values() if name.startswith("=")),
    *(SERVER + name for name in SHARED),
    *(SERVER + "GAIE_" + name for name in ("CUSTOM_PLUGINS", "FLAGS", "PRESETS", "EPP_VERBOSITY")),
    *(SERVER + "GAIE_SIDECAR_" + name for name in ("IMAGE", "NAME", "ENV", "VOLUME_MOUNTS")),
    *(SERVER + "GAIE_EXTRA_" + name for name in ("CONTAINER_PORTS", "SERVICE_PORTS", "VOLUMES", "VOLUME_MOUNTS")),
    *(SERVER + "GAIE_MONITORING_" + name for name in ("ENABLED", "PROMETHEUS_ENABLED")),
    *(SERVER + name for name in ("INFERENCE_POOL_PROVIDER_CONFIG", "INFERENCEPOOL_API", "GATEWAY_SERVICE_TYPE")),
    SERVER + "MOUNT_MODEL_VOLUME_OVERRIDE",
    *(f"VLLM_INFRA_GATEWAY_{what}_{end}" for what in ("CPU", "MEMORY") for end in ("REQUEST", "LIMIT")),
    *(f"VLLM_MONITORING_{name}" for name in ("PODMONITOR_ENABLED", "SCRAPE_INTERVAL", "METRICS_PATH")),
    *(COMMON + name for name in ("SERVICE_ACCOUNT", "PRIORITY_CLASS_NAME", "PULL_SECRET", "ANNOTATIONS")),
    *(COMMON + name for name in ("EXTRA_PVC_NAME", "SHM", "ACCELERATOR_NAME", "ACCELERATOR_USE_DRA")),
    "CONTROL_WAIT_TIMEOUT",
    "HF_TOKEN",
}


def ignored(name: str) -> str:
    """Return why a variable (without its prefix) is no part of a stack, "" where it may be."""
    return next((why for pattern, why in _IGNORED if pattern.match(name)), "")


def early() -> dict[str, str]:
    """Return the variables, with their prefix, as they stand when a scenario begins."""
    return {PREFIX + name: value for name, value in EARLY.items()}


def late(lookup: t.Callable[[str], t.Any], role: str, name: str) -> t.Any:
    """Return what a role's variable stands for where it is not set; lookup finds other variables by name."""
    default = LATE.get(name, "")
    return lookup(default[1:]) if default.startswith("=") else default
