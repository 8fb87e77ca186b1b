# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis on the log of model servers and their sidecars."""

from __future__ import annotations

from .log_rules import log_rule

_HUB = "F9; vllm-project/aibrix#772; huggingface_hub errors"
_VLLM = "vLLM, engine arguments"

SERVER = (
    log_rule(
        501, "Hugging Face gates the model, and the token has no access to it",
        r"(?<!private or )gated ?repo|access to model \S+ is restricted|not in the authorized list|awaiting a review|"
        r"403 client error.*huggingface|must (have access|be authenticated) to (it|access it)",
        "The model's licence has to be accepted on Hugging Face by the token's account, or the token lacks the scope to"
        " read gated repositories.",
        "Accept the licence on the model's page with the token's account; give the token read access to gated"
        " repositories; set it by prepare_hf_token or in the Secret.",
        _HUB,
    ),
    log_rule(
        503, "The model does not exist under that name",
        r"repository ?not ?found|404 client error.*huggingface|is not a local folder and is not a valid model"
        r" identifier|"
        r"revision ?not ?found|repo id must (be in the form|use)|does not appear to have a file named",
        "Hugging Face has no such repository or revision, the token may not see it, or the local path holds no model.",
        "Correct the model's name (modelArtifacts.uri, --model, --revision) or the path on the volume.",
        _HUB,
    ),
    log_rule(
        502, "Hugging Face does not accept the token",
        r"401 client error|invalid user token|user access token.*(invalid|expired)|"
        r"invalid credentials in authorization|token seems to be invalid|HTTP 401.*huggingface",
        "The token is missing, wrong, revoked or expired. For a private or misspelt repository Hugging Face says 401"
        " too.",
        "Set a valid token (prepare_hf_token, or the Secret named by modelArtifacts.authSecretName), and check the"
        " model's name.",
        _HUB,
    ),
    log_rule(
        504, "Hugging Face cannot be reached",
        r"(couldn't connect to|max retries exceeded|failed to (connect|resolve)|name resolution).*(huggingface|"
        r"hf-mirror|hf\.co)|(huggingface|hf\.co)\S*.*(name resolution|connection (refused|reset|timed out)|timed out)|"
        r"LocalEntryNotFoundError|outgoing traffic has been disabled|HF_HUB_OFFLINE",
        "The pods have no way to huggingface.co, and the model is not in their cache.",
        "Open the way (HTTPS_PROXY, egress policy), set HF_ENDPOINT to a mirror, or put the model on a claim (pvc://).",
        _HUB,
        fatal=False,
    ),
    log_rule(
        511, "The container's CUDA does not fit the node's driver",
        r"driver version is insufficient|nvidia driver on your system is too old|unsatisfied condition: cuda|"
        r"forward compatibility was attempted on non supported|no kernel image is available|"
        r"system has unsupported display driver|libcuda\.so\.1: cannot open|cudaErrorInsufficientDriver|"
        r"the provided PTX was compiled with an unsupported",
        "The image is built for a newer CUDA, or for other GPUs, than the node's driver and cards support.",
        "Use an image for the node's CUDA version (nvidia-smi shows it), or a newer driver on the nodes, or other"
        " nodes.",
        "NVIDIA, CUDA Compatibility; F9",
    ),
    log_rule(
        512, "The container sees no GPU",
        r"no CUDA GPUs are available|failed to infer device type|no CUDA-capable device|found no nvidia driver|"
        r"cuda is not available|device_count.*\b0\b.*gpu|no HIP GPUs are available",
        "The container asked for no GPU, or the device plugin or container runtime did not give it one.",
        "Ask for nvidia.com/gpu in resources.limits (accelerator.type, parallelism.tensor), and check the GPU operator"
        " and runtimeClassName.",
        "PyTorch; NVIDIA/gpu-operator; F9",
    ),
    log_rule(
        521, "max-model-len is more than the KV cache can hold",
        r"max(imum)? ?seq(uence)? len(gth)? \(?\d+\)?.*(larger than|KV cache)|larger than the maximum number of"
        r" tokens that"
        r" can be stored in KV cache|No available memory for the cache blocks|KV cache is needed, which is larger",
        "After the weights there is too little GPU memory left for one request of that length.",
        "Lower --max-model-len (the log may give an estimate), raise --gpu-memory-utilization, use more GPUs"
        " (parallelism.tensor) or --kv-cache-dtype fp8.",
        "vllm-project/vllm#2418",
    ),
    log_rule(
        522, "max-model-len is more than the model supports",
        r"max_model_len \(?\d+\)? is greater than the derived max_model_len|VLLM_ALLOW_LONG_MAX_MODEL_LEN",
        "--max-model-len is longer than the model's own context.",
        "Lower --max-model-len to the model's context, or set up rope scaling on purpose.",
        _VLLM,
    ),
    log_rule(
        523, "The GPU's memory is too small or taken",
        r"CUDA out of memory|torch\.(cuda\.)?OutOfMemoryError|HIP out of memory|"
        r"Free memory on device.*less than desired|CUBLAS_STATUS_ALLOC_FAILED",
        "The weights and activations do not fit into the GPU's memory, or another process holds some of it.",
        "Use more GPUs for the model (parallelism.tensor), a smaller or quantised model, fewer --max-num-seqs, a lower"
        " --gpu-memory-utilization where the GPU is shared.",
        _VLLM,
    ),
    log_rule(
        524, "The model's parallelism does not fit its GPUs or its layers",
        r"must be divisible by tensor parallel|World size \(?\d+\)? is larger than the number of available GPUs|"
        r"tensor[_ -]parallel[_ -]size.*(exceed|larger than|greater than|must)|not divisible by.*tp_?size",
        "--tensor-parallel-size does not divide the attention heads, or is more than the container's GPUs.",
        "Set parallelism.tensor to a divisor of the model's heads, and ask for as many GPUs.",
        _VLLM,
    ),
    log_rule(
        525, "This vLLM does not support the model or its format",
        r"model architectures? .*(not supported|failed to be inspected)|does not recognize this architecture|"
        r"unknown quantization method|Bfloat16 is only supported on GPUs|is not supported for the current GPU|"
        r"requires you to execute the configuration file|trust_remote_code=True",
        "The image's vLLM or transformers is older than the model, or the GPU cannot do its data type.",
        "Use a newer image, add --trust-remote-code where you trust the model's code, or choose --dtype half or another"
        " quantisation.",
        _VLLM,
    ),
    log_rule(
        526, "The model server does not know an argument",
        r"error: (unrecognized arguments?|argument \S+: (invalid|expected)|the following arguments are required)[^\n]*|"
        r"error: ambiguous option|unknown flag: \S+|flag provided but not defined: \S+|invalid value for .*--\S+",
        "A flag is misspelt, has a wrong value, or belongs to another version of the server.",
        "Correct the flag in the values (args), or use the image's version that has it: `vllm serve --help=all` lists"
        " them.",
        _VLLM,
        key=0,
    ),
    log_rule(
        531, "Shared memory (/dev/shm) is too small for NCCL",
        r"shared memory segment /dev/shm|/dev/shm.*no space left|failed to extend /dev/shm|posix_fallocate failed|"
        r"insufficient shared memory|Bus error.*shm",
        "GPUs of one pod talk through /dev/shm, which has 64 MiB unless a volume is mounted there.",
        "Mount an emptyDir with medium: Memory at /dev/shm with some GiB, and count it into the memory limit.",
        "F9; llm-d/llm-d#352; NVIDIA/nccl#290",
    ),
    log_rule(
        532, "GPUs cannot talk to each other (NCCL)",
        r"ncclSystemError|ncclUnhandledCudaError|ncclInternalError|ncclRemoteError|NCCL error|"
        r"NCCL WARN.*(no socket interface|failed)|Watchdog caught collective operation timeout",
        "NCCL found no way between the processes: network interface, InfiniBand, peer-to-peer access, a peer that"
        " died.",
        "Look for NCCL WARN lines; set NCCL_SOCKET_IFNAME, NCCL_DEBUG=INFO; check the RDMA devices and the other"
        " ranks' logs.",
        "F9; vllm-project/vllm#6574",
        fatal=False,
    ),
    log_rule(
        541, "KV transfer between prefill and decode is not set up",
        r"NIXL is not available|nixl.*(not (found|installed)|import ?error|failed|NIXL_ERR\w+)|VLLM_NIXL_SIDE_CHANNEL|"
        r"KeyError.*(nixl|kv_transfer|remote_(block|engine|host|port))|UCX\s+ERROR|Unsupported connector type",
        "The connector of vLLM's --kv-transfer-config is missing in the image or cannot reach its peer.",
        "Use an image with NIXL, set VLLM_NIXL_SIDE_CHANNEL_HOST to the pod's address, and give decode and prefill the"
        " same connector.",
        "F10; llm-d/llm-d#650",
    ),
    log_rule(
        542, "The routing sidecar cannot reach vLLM",
        r"failed to connect to vLLM decoder|(127\.0\.0\.1|localhost|\[::1\]):\d+.*connection refused",
        "The sidecar asks a port on which vLLM does not listen: another --port, or vLLM has ended.",
        "Make the sidecar's target port (routing.proxy.targetPort, --vllm-port) and vLLM's --port agree; see vLLM's"
        " own log.",
        "F10; llm-d/llm-d#1189",
        fatal=False,
    ),
    log_rule(
        551, "The container's disk is full", r"no space left on device|disk quota exceeded|not enough free disk space",
        "The model does not fit into the volume or the node's ephemeral storage.",
        "Put the model on a claim that is large enough (pvc://), or raise modelArtifacts.size and the node's disk.",
        "F8, F9",
    ),
    log_rule(
        552, "The container may not write or read a path",
        r"permission denied: ?['\"]?/|read-only file system|\[Errno 13\]",
        "The container's user is not the one that the volume or the image expects (OpenShift gives each namespace its"
        " own).",
        "Set HF_HOME and caches to a writable volume, set fsGroup or runAsUser, or use an image that allows any user.",
        "OpenShift, Creating images: support arbitrary user ids; F9",
    ),
    log_rule(
        553, "A port is already in use in the pod", r"address already in use",
        "Two containers of the pod, or two ranks, listen on one port.",
        "Give each its own port; behind a sidecar vLLM's --port is another than the sidecar's.",
        "F10; llm-d/llm-d-benchmark#878",
    ),
)  # fmt: skip

_LOADER = "llm-d/llm-d-router, pkg/epp/config/loader"

PICKER = (
    log_rule(
        601, "A definition (CRD) that the endpoint picker watches is not installed",
        r"if kind is a CRD, it should be installed|no matches for kind \\?\"?\w+|no kind is registered for the type|"
        r"the server could not find the requested resource.*(inference|llm-d)",
        "The cluster lacks a definition, or serves it in another version than the picker was built for.",
        "Install the definitions of the picker's own release (InferencePool, InferenceObjective, ...).",
        "F3; kubernetes-sigs/gateway-api-inference-extension#1737, #407, #1933",
    ),
    log_rule(
        602, "The endpoint picker may not read what it needs (RBAC)",
        r"is forbidden: User \\?\"system:serviceaccount:[^\"\\]+\\?\" cannot|check RBAC permissions",
        "The picker's ServiceAccount lacks get, list or watch on pods, pools or objectives.",
        "Let the chart make its Role and RoleBinding, or grant get, list and watch on pods, inferencepools (the group"
        " in use) and inferenceobjectives.",
        "F4; istio/istio.io#17528; llm-d-incubation/llm-d-modelservice#129",
    ),
    log_rule(
        603, "The endpoint picker's configuration has an error",
        r"failed to (load the configuration|parse (the )?config(uration)?|load config from a file|"
        r"decode configuration|instantiate (the )?(default )?plugin)|plugin type '?[^']*'? (is )?not (registered|"
        r"found)|references undefined plugin|plugin instantiation failed|configuration validation failed|"
        r"feature gate '[^']*' is unknown|duplicate plugin name|multiple profile handlers|"
        r"scheduler config build failed|is missing a 'pluginRef'",
        "The file of plugins names a plugin that this picker does not have, refers to one that it does not define, or"
        " is no EndpointPickerConfig.",
        "Correct pluginsCustomConfig or pluginsConfigFile in the values; the picker's version decides which plugins"
        " exist.",
        _LOADER,
    ),
    log_rule(
        604, "The endpoint picker does not find its pool",
        r"inferencepool\S* \\?\"?[\w.-]+\\?\"? not found|InferencePool is not (initialized|available)|"
        r"pool \S+ not found|failed to sync InferencePool cache",
        "The picker's --pool-name, --pool-namespace or --pool-group names no pool that exists.",
        "Make the flags and the InferencePool agree in name, namespace and API group.",
        "F1; kubernetes-sigs/gateway-api-inference-extension#1530",
        fatal=False,
    ),
)  # fmt: skip
