# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Failures that the lab plays on pods: images, crashes with a log, too little memory, no room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from plane_client import Lab
from plane_stack import Object, obj

# Planted in pods' logs: to be found in no output.
TOKEN = "hf_PlantedTokenOfThisTest0123456789"
LABEL = "diagnosis-fault"
TAINTED = "diagnosis-tainted"


class Case(NamedTuple):
    """rule: the id expected; text: what the evidence or the remedy says; objects: made in the namespace; labels: the
    namespace's; ahead: seconds that the diagnosis takes to have passed; fault and log: the lab's; then: done with the
    namespace once its objects are made."""

    name: str
    rule: str
    text: str
    objects: Callable[[str], list[Object]]
    labels: dict[str, str] = {}
    ahead: float = 0.0
    fault: str = ""
    log: str = ""
    then: Callable[[Lab, str], None] | None = None


def workload(namespace: str, name: str = "web", replicas: int = 1, **spec: Any) -> Object:
    """A Deployment; container: fields of its only container, labels: further labels of its pods."""
    labels = {"app": name, **spec.pop("labels", {})}
    container = {"name": "vllm", "image": "example.com/models/vllm:v1", **spec.pop("container", {})}
    template = {
        "metadata": {"labels": labels, "annotations": spec.pop("annotations", {})},
        "spec": {"containers": [container], **spec},
    }
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return obj("apps/v1", "Deployment", name, namespace, spec=body)


def held(namespace: str, message: str = "held", replicas: int = 1) -> Object:
    """A workload whose pods the lab holds in CreateContainerConfigError."""
    return workload(namespace, replicas=replicas, annotations={"lab.llm-d.ai/config-error": message})


def faulty(name: str, fault: str, rule: str, text: str, log: str = "") -> Case:
    """A workload of two pods that the lab lets fail."""
    return Case(
        name, rule, text, lambda ns: [workload(ns, replicas=2, labels={LABEL: name})], {}, 0.0, fault, log or "no log\n"
    )


def crash(name: str, rule: str, log: str) -> Case:
    """A workload that crashes with a log; its last line is the evidence."""
    return faulty(name, "CrashLoopBackOff", rule, "container vllm", f"INFO starting, token {TOKEN}\n{log}\n")


TRACE = 'Traceback (most recent call last):\n  File "/opt/vllm/launch.py", line 12, in <module>\n'
URL = "https://huggingface.co/acme/secret-7b/resolve/main/config.json"
LOGS = [
    crash(
        "gated",
        "DIAG501",
        f"{TRACE}OSError: You are trying to access a gated repo.\n403 Client Error. Cannot access gated"
        f" repo for url {URL}. Access to model acme/secret-7b is restricted.",
    ),
    crash(
        "token",
        "DIAG502",
        f"{TRACE}huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: {URL}",
    ),
    crash(
        "model",
        "DIAG503",
        f"{TRACE}huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. Repository Not Found"
        f" for url: {URL}.",
    ),
    crash("offline", "DIAG504", "OSError: We couldn't connect to 'https://huggingface.co' to load the files"),
    crash("driver", "DIAG511", "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."),
    crash("no-gpu", "DIAG512", "RuntimeError: No CUDA GPUs are available"),
    crash(
        "kv-cache",
        "DIAG521",
        "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB"
        " KV cache is needed, which is larger than the available KV cache memory (3.10 GiB).",
    ),
    crash("gpu-memory", "DIAG523", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB."),
    crash(
        "argument",
        "DIAG526",
        "usage: vllm serve [model_tag] [options]\nvllm: error: unrecognized arguments: --max-modl-len",
    ),
    crash(
        "shm",
        "DIAG531",
        "misc/shmutils.cc:129 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-x (size"
        " 33030528), error: No space left on device (28)",
    ),
    crash("nixl", "DIAG541", "RuntimeError: NIXL is not available"),
    crash(
        "sidecar",
        "DIAG542",
        'E1121 "failed to connect to vLLM decoder" err="dial tcp 127.0.0.1:8200: connect: connection refused"',
    ),
    crash(
        "picker-crd",
        "DIAG601",
        '{"level":"error","msg":"if kind is a CRD, it should be installed before calling Start",'
        '"kind":"InferenceObjective.inference.networking.x-k8s.io"}',
    ),
    crash(
        "picker-rbac",
        "DIAG602",
        "failed to list *v1.InferencePool: inferencepools is forbidden: User"
        ' "system:serviceaccount:ns:epp" cannot list resource "inferencepools"',
    ),
    crash(
        "picker-config", "DIAG603", "Failed to parse configuration: plugin type 'prefix-cach-scorer' is not registered"
    ),
    crash(
        "picker-pool",
        "DIAG604",
        'E1121 inferencepools.inference.networking.k8s.io "gaie-acme" not found',
    ),
    crash(
        "max-len",
        "DIAG522",
        "ValueError: User-specified max_model_len (131072) is greater than the derived max_model_len"
        " (max_position_embeddings=40960)",
    ),
    crash(
        "heads",
        "DIAG524",
        "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8).",
    ),
    crash("architecture", "DIAG525", "ValueError: Model architectures ['AcmeForCausalLM'] are not supported for now."),
    crash("nccl", "DIAG532", "torch.distributed.DistBackendError: NCCL error: ncclUnhandledCudaError"),
    crash("disk", "DIAG551", "OSError: [Errno 28] No space left on device: '/model-cache/acme'"),
    crash("path", "DIAG552", "PermissionError: [Errno 13] Permission denied: '/.cache'"),
    crash("bound", "DIAG553", "OSError: [Errno 98] Address already in use"),
    crash("unknown", "DIAG901", "the flux capacitor is empty"),
    crash(
        "chained",
        "DIAG514",
        f"(Worker_TP1 pid=92) {TRACE}(Worker_TP1 pid=92) ModuleNotFoundError: No module named 'lmcache'\n"
        "(EngineCore_DP0 pid=71) ERROR 10-02 14:20:12 [core.py:708] Exception: WorkerProc initialization failed due to"
        " an exception in a background process. See stack trace for root cause.\n"
        "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.",
    ),
    crash("user", "DIAG554", f"{TRACE}KeyError: 'getpwuid(): uid not found: 1000790000'"),
    crash("exec-format", "DIAG513", "exec /usr/local/bin/vllm: exec format error"),
    crash(
        "vocabulary",
        "DIAG505",
        "openai_harmony.HarmonyError: error downloading or loading vocab file: failed to download or load vocab file",
    ),
    crash("limited", "DIAG507", f"HfHubHTTPError: 429 Client Error: Too Many Requests for url: {URL}"),
    crash("damaged", "DIAG506", "safetensors_rust.SafetensorError: Error while deserializing header: header too large"),
    crash("gpu-fault", "DIAG515", "torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered"),
    crash(
        "own-code",
        "DIAG528",
        "ValueError: The repository acme/x contains custom code which must be executed to load it.",
    ),
    crash(
        "ranks",
        "DIAG533",
        "torch.distributed.DistNetworkError: The client socket has timed out after 600000ms while trying to connect to"
        " (vllm-0.vllm, 29500).",
    ),
    crash(
        "locked",
        "DIAG534",
        "[1761900000.1] [vllm-0:77:0]   ib_md.c:295  UCX  ERROR ibv_reg_mr(address=0x7f) failed: Cannot allocate memory"
        " : Please set max locked memory (ulimit -l) to 'unlimited' (current: 64 kbytes)",
    ),
    crash("nvshmem", "DIAG535", "RuntimeError: Failed: nvshmemi_transport_init failed for transport: IBGDA, error 1"),
    crash(
        "etcd",
        "DIAG543",
        "2026-06-15T10:01:42.5Z ERROR dynamo_runtime::worker: Failed to connect to etcd at http://etcd:2379:"
        " Connection refused (os error 111)",
    ),
    crash(
        "not-mounted",
        "DIAG555",
        'E1012 05:17:49.814901 1 main.go:61] "Failed to run EPP" err="open /config/p.yaml: no such file or directory"',
    ),
    crash(
        "certificate",
        "DIAG556",
        '{"level":"error","msg":"Failed to create controller manager","error":"tls: failed to verify certificate: x509:'
        ' certificate signed by unknown authority"}',
    ),
    crash("main-memory", "DIAG557", "fatal error: runtime: out of memory\n\ngoroutine 1 [running]:\nmain.main()"),
    crash("threads", "DIAG558", "RuntimeError: can't start new thread"),
    crash(
        "triton",
        "DIAG561",
        "E1102 08:30:43.480405 1 model_lifecycle.cc:654] \"failed to load 'chat' version 1: Invalid argument: unable to"
        " find backend library for backend 'vllm'\"\nerror: creating server: Internal - failed to load all models",
    ),
    crash(
        "experimental",
        "DIAG605",
        '{"level":"error","msg":"Failed to load the configuration","error":"plugin \'x\' (type: \'y\') has Alpha'
        ' stability level, but command line flag --allow-experimental-plugins is not set"}',
    ),
    crash(
        "tokenizers",
        "DIAG606",
        'E1128 05:17:49.814901 1 main.go:61] "Failed to run EPP" err="failed to create tokenizers pool: mkdir /go:'
        ' permission denied"',
    ),
    Case(
        "service-port",
        "DIAG527",
        "The Service vllm of this namespace sets VLLM_PORT",
        lambda ns: [
            workload(ns, labels={LABEL: "service-port"}),
            obj("v1", "Service", "vllm", ns, spec={"ports": [{"port": 8000}]}),
        ],
        fault="CrashLoopBackOff",
        log="ValueError: VLLM_PORT 'tcp://10.96.193.120:8000' appears to be a URI. This may be caused by a Kubernetes"
        " service discovery issue\n",
    ),
    Case(
        "no-pool",
        "DIAG607",
        "--pool-name of Pod",
        lambda ns: [workload(ns, labels={LABEL: "no-pool"}, container={"args": ["--pool-name=team-pool"]})],
        fault="CrashLoopBackOff",
        log="I0731 09:12:50.0 1 health.go:83] not serving\n",
    ),
]
FAULTS = [
    *LOGS,
    faulty("image", "ImagePullBackOff", "DIAG101", "example.com/models/vllm:v1"),
    faulty("memory", "OOMKilled", "DIAG411", "OOMKilled"),
    faulty("gpus", "Pending", "DIAG211", "lacks"),
]
