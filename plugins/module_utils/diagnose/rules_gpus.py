# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis on what programs say in their logs of GPUs, their memory, and the ways between them."""

from __future__ import annotations

import re

from ..base.data import Object
from .log_rules import Rules, log_rule

_VLLM = "vLLM, engine arguments"


def _lacks_shm(pod: Object, container: str, found: re.Match[str]) -> bool:
    """Return whether a bus error may be for want of shared memory: where nothing is mounted at /dev/shm."""
    if not found[0].lower().startswith("bus error"):
        return True
    spec = pod.get("spec") or {}
    mounts = [
        mount.get("mountPath")
        for entry in spec.get("containers") or []
        if entry.get("name") == container
        for mount in entry.get("volumeMounts") or []
    ]
    return "/dev/shm" not in mounts


GPUS: Rules = (
    log_rule(
        515, "A GPU of the node, or its interconnect, is faulty",
        r"uncorrectable (?:ECC|NVLink) error|Error 802: system not yet initialized|CUDA_ERROR_SYSTEM_NOT_READY|"
        r"GPU (?:has fallen off the bus|is lost)|NVRM: Xid|hardware stack error",
        "The card reports a fault, or the node's fabric manager is not running (GPUs with NVSwitch need it).",
        "Cordon the node; see its kernel log (Xid), nvidia-smi -q and the service nvidia-fabricmanager.",
        "NVIDIA, XID Errors; NVIDIA, Fabric Manager",
    ),
    log_rule(
        516, "Another process uses the GPU",
        r"device(?:\(s\)|s)? (?:is/are|are|is) busy or unavailable|cudaErrorDevicesUnavailable|"
        r"(?:TPU|accelerator) is already in use by|MPS (?:server|client) (?:failed|error|is not)",
        "Another process uses the GPU exclusively (compute mode exclusive, MPS, a container that is still running), "
        "or the GPU is being reset.",
        "Find the process with nvidia-smi on the node; stop leftovers, set the compute mode to default, or share GPUs "
        "only by the device plugin.",
        "NVIDIA, CUDA error codes; NVIDIA, k8s-device-plugin",
        fatal=False,
    ),
    log_rule(
        511, "The container's CUDA does not match the node's driver",
        r"driver version is insufficient|nvidia driver on your system is too old|unsatisfied condition: cuda|"
        r"forward compatibility was attempted on non supported|no kernel image is available|"
        r"kernel image is invalid|system has unsupported display driver|cudaErrorInsufficientDriver|"
        r"the provided PTX was compiled with an unsupported|hipErrorNoBinaryForGpu",
        "The image is built for a newer CUDA, or for other GPUs, than the node's driver and cards support.",
        "Use an image for the node's CUDA version (nvidia-smi shows it), or a newer driver on the nodes, or other"
        " nodes.",
        "NVIDIA, CUDA Compatibility; F9",
    ),
    log_rule(
        512, "The container sees no GPU",
        r"no CUDA GPUs are available|failed to infer device type|no CUDA-capable device|found no nvidia driver|"
        r"cuda is not available|device_count.*\b0\b.*gpu|no HIP GPUs are available|libcuda\.so\.1: cannot open|"
        r"NVML Shared Library Not Found|cudaGetDeviceCount\(\).*Error (?:3|34|100|101|304):|0 active drivers|"
        r"no (?:XPU|TPU|HPU) devices|device acquire failed|unable to initialize backend 'tpu'|"
        r"/dev/kfd.*no such file",
        "The container requested no GPU, or the device plugin or container runtime did not provide one.",
        "Request nvidia.com/gpu in resources.limits (accelerator.type, parallelism.tensor), and check the GPU "
        "operator and runtimeClassName.",
        "PyTorch; NVIDIA/gpu-operator; F9",
    ),
    log_rule(
        521, "max-model-len is more than the KV cache can hold",
        r"max(?:imum)? ?seq(?:uence)? len(?:gth)? \(?\d+\)?.*(?:larger than|KV cache)|larger than the maximum number of"
        r" tokens that can be stored in KV cache|No available memory for the cache blocks|"
        r"KV cache is needed, which is larger|not enough memory.*mem-fraction-static",
        "After loading the weights, too little GPU memory is left for one request of that length.",
        "Lower --max-model-len (the log may give an estimate), raise --gpu-memory-utilization (SGLang:"
        " --mem-fraction-static), use more GPUs (parallelism.tensor) or --kv-cache-dtype fp8.",
        "vllm-project/vllm#2418",
    ),
    log_rule(
        522, "max-model-len is more than the model supports",
        r"is greater than the derived (?:max_model_len|context_length)|VLLM_ALLOW_LONG_MAX_MODEL_LEN",
        "--max-model-len is longer than the model's own context.",
        "Lower --max-model-len to the model's context, or configure rope scaling.",
        _VLLM,
    ),
    log_rule(
        523, "The GPU's memory is too small or in use",
        r"(?:CUDA|HIP|XPU) out of memory|torch\.(?:cuda\.)?OutOfMemoryError|CUDA error: out of memory|"
        r"CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|"
        r"Free memory on device.*less than desired|CUBLAS_STATUS_ALLOC_FAILED|OUT_OF_DEVICE_MEMORY|"
        r"error in memory profiling",
        "The weights and activations do not fit into the GPU's memory, or another process uses some of it.",
        "Use more GPUs for the model (parallelism.tensor), a smaller or quantised model, fewer --max-num-seqs, a lower"
        " --gpu-memory-utilization where the GPU is shared.",
        _VLLM,
    ),
    log_rule(
        524, "The model's parallelism does not match its GPUs or its layers",
        r"must be divisible by tensor parallel|World size \(?\d+\)? is larger than the number of available GPUs|"
        r"tensor[_ -]parallel[_ -]size.*(?:exceed|larger than|greater than|must)|not divisible by.*tp_?size|"
        r"heads % (?:self\.)?\w*tp|is not divisible by weight quantization|invalid device ordinal|"
        r"number of required GPUs exceeds",
        "--tensor-parallel-size does not divide the attention heads, or is more than the container's GPUs.",
        "Set parallelism.tensor to a divisor of the model's heads, and request as many GPUs.",
        _VLLM,
    ),
    log_rule(
        525, "This vLLM does not support the model or its format",
        r"model architectures? .*(?:not supported|failed to be inspected)|does not recognize this architecture|"
        r"unknown quantization method|Bfloat16 is only supported on GPUs|is not supported for the current GPU|"
        r"minimum capability: \d+|quantization method .*(?:not supported|does not match)|"
        r"is not supported for quantization|does not support \w+ quantization",
        "The image's vLLM or transformers is older than the model, or the GPU does not support its data type.",
        "Use a newer image, or choose --dtype half or another quantisation.",
        _VLLM,
    ),
    log_rule(
        531, "Shared memory (/dev/shm) is too small for NCCL",
        r"bus error|shared memory segment /dev/shm|/dev/shm.*no space left|failed to extend /dev/shm|"
        r"posix_fallocate failed|insufficient shared memory|out of shared memory|"
        r"unable to (?:open|allocate|resize|write to|mmap)\b.{0,20}(?:shared memory|</torch_)",
        "GPUs of one pod communicate through /dev/shm, which has 64 MiB unless a volume is mounted there.",
        "Mount an emptyDir with medium: Memory at /dev/shm with some GiB, and add it to the memory limit.",
        "F9; llm-d/llm-d#352; NVIDIA/nccl#290",
        fits=_lacks_shm,
    ),
    log_rule(
        534, "The pod may not lock the memory that RDMA needs, or use its devices",
        r"max locked memory|RLIMIT_MEMLOCK|ibv_reg_mr\S* failed|ibv_create_\w+ failed.*(?:memory|permitted)",
        "RDMA pins memory; container runtimes limit how much a container may pin, unless it has the capability"
        " IPC_LOCK.",
        "Add the capability IPC_LOCK to the container's securityContext, or lift the runtime's memlock limit on the"
        " nodes.",
        "openucx/ucx; NVIDIA, RDMA in containers",
    ),
    log_rule(
        535, "Expert parallelism (NVSHMEM, DeepEP) cannot be set up",
        r"nvshmem\S*.*(?:failed|error|abort)|deep_?ep\b.*(?:error|failed|timeout)|ibgda.*(?:failed|not supported)",
        "NVSHMEM finds no RDMA devices, no GPUDirect, or may not use them; DeepEP needs it between nodes.",
        "Check the RDMA resources and network of the pods and gdrcopy on the nodes; NVSHMEM_DEBUG=INFO says more;"
        " choose another --all2all-backend without RDMA.",
        "deepseek-ai/DeepEP; NVIDIA, NVSHMEM",
        fatal=False,
    ),
    log_rule(
        532, "GPUs cannot communicate (NCCL)",
        r"ncclSystemError|ncclUnhandledCudaError|ncclInternalError|ncclRemoteError|NCCL error|NCCL WARN|"
        r"Watchdog caught collective operation timeout",
        "NCCL cannot connect the processes: network interface, InfiniBand, peer-to-peer access, a peer that died.",
        "Look for NCCL WARN lines; set NCCL_SOCKET_IFNAME, NCCL_DEBUG=INFO; check the RDMA devices and the other"
        " ranks' logs.",
        "F9; vllm-project/vllm#6574",
        fatal=False,
        vague=True,
    ),
    log_rule(
        533, "The processes of one model do not find each other",
        r"client socket has timed out|DistStoreError|DistNetworkError|store->get\('0'\) got error|waiting for clients|"
        r"connectFullMesh failed|cannot provide a placement group|Rendezvous(?:Connection|Timeout)\w*|"
        r"(?:unable|failed) to connect to GCS|Gloo .*failed",
        "The pod of rank 0 does not exist or cannot be reached by its name, or there are fewer GPUs or nodes than the "
        "model needs.",
        "Check the pods of the group, the first that failed first. Check the headless Service, GLOO_SOCKET_IFNAME and "
        "--data-parallel-address; one group needs all its pods at once.",
        "PyTorch, distributed; LeaderWorkerSet",
        fatal=False,
        vague=True,
    ),
    log_rule(
        545, "Prefill and decode do not match",
        r"local TP size must be divisible by remote|compatibility hash mismatch|"
        r"\A(?=.*\bremote)(?=.*(?:tp|tensor.parallel|block)[_ ]?(?:size|len))(?=.*(?:mismatch|must|differ|!=))",
        "The two sides of the KV transfer have tensor sizes, block sizes, models or versions that the transfer cannot "
        "combine, for example a larger tensor size for prefill than for decode.",
        "Give prefill and decode the same image, model, --block-size and --kv-cache-dtype, and decode a tensor size"
        " that is a multiple of prefill's.",
        "vLLM, NixlConnector; llm-d/llm-d#394",
    ),
    log_rule(
        541, "KV transfer between prefill and decode is not set up",
        r"NIXL is not available|nixl.{0,120}(?:not (?:found|installed)|import ?error|failed)|NIXL_ERR_?\w+|"
        r"VLLM_NIXL_SIDE_CHANNEL|KeyError.*(?:nixl|kv_transfer|remote_(?:block|engine|host|port))|UCX\s+ERROR|"
        r"Unsupported connector type|no usable transports",
        "The connector of vLLM's --kv-transfer-config is missing in the image or cannot reach its peer.",
        "Use an image with NIXL, set VLLM_NIXL_SIDE_CHANNEL_HOST to the pod's address, and give decode and prefill the"
        " same connector.",
        "F10; llm-d/llm-d#650",
        vague=True,
    ),
)  # fmt: skip
