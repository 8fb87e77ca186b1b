# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis on what programs say in their logs: models, arguments, files, networks, the endpoint picker."""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object, dicts, mapping
from ..objects.pods import condition, container_states
from ..objects.servers import flag, words
from .base import Diagnosis, Proof
from .dynamo.graphs import LOGS as DYNAMO
from .dynamo.router import ROUTER
from .evidence import Evidence, Log, clean, ref
from .log_rules import Rules, log_rule
from .orchestrator import ORCHESTRATOR
from .rules_gpus import GPUS

_HUB = "F9; vllm-project/aibrix#772; huggingface_hub errors"
_VLLM = "vLLM, engine arguments"
_AT_HUB = r"(?:huggingface\.co|hf-mirror|hf\.co|huggingface_hub)"
_UNREACHED = (
    r"(?:connection (?:refused|reset|timed out)|no such host|i/o timeout|no route to host|network is unreachable|"
    r"timed out|name resolution|name or service not known|failed to (?:lookup address|resolve)|dns error|"
    r"could ?n[o']t (?:resolve host|connect to)|host not found in upstream|max retries exceeded|server misbehaving)"
)
_ADDRESS = r"(?:\w+://[\w.\[\]:-]+|(?!\S+\.(?:py|go|cc|cpp|c|rs|h):)\b[\w.-]+:\d{2,5}\b|host='[^']+'|lookup [\w.-]+)"

MODELS = (
    log_rule(
        501, "Hugging Face gates the model, and the token has no access to it",
        r"(?<!private or )gated ?repo|access to model \S+ is restricted|not in the authorized list|awaiting a review|"
        r"403 (?:client error|forbidden).*huggingface|must (?:have access|be authenticated) to (?:it|access it)",
        "The token's account must accept the model's licence on Hugging Face, or the token lacks the scope to read "
        "gated repositories.",
        "Accept the licence on the model's page with the token's account; give the token read access to gated"
        " repositories; set it by prepare_hf_token or in the Secret.",
        _HUB,
    ),
    log_rule(
        503, "The model does not exist under that name",
        r"repository ?not ?found|404 client error.*huggingface|is not a local folder and is not a valid model"
        r" identifier|revision ?not ?found|repo id must (?:be in the form|use)|does not appear to have a file named|"
        r"is not a valid git identifier|invalid repository ID or local directory|"
        r"not the path to a directory containing|unrecognized model in|"
        r"can't load (?:the configuration|tokenizer|the model) (?:of|for)",
        (
            "Hugging Face has no such repository or revision, the token may not see it, or the local path contains no "
            "model."
        ),
        "Correct the model's name (modelArtifacts.uri, --model, --revision) or the path on the volume.",
        _HUB,
    ),
    log_rule(
        502, "Hugging Face does not accept the token",
        r"401 client error(?!.*url: https?://(?!\S*(?:huggingface|hf)))|invalid user token|"
        r"user access token.*(?:invalid|expired)|invalid credentials in authorization|token seems to be invalid|"
        r"HTTP 401.*huggingface|huggingface.*401 unauthorized",
        "The token is missing, wrong, revoked or expired. Hugging Face answers 401 for a private or misspelt "
        "repository too.",
        "Set a valid token (prepare_hf_token, or the Secret named by modelArtifacts.authSecretName), and check the"
        " model's name.",
        _HUB,
    ),
    log_rule(
        507, "Hugging Face limits the number of requests",
        rf"\A(?=.*{_AT_HUB})(?=.*(?:429 client error|429 too many|too many requests|rate limit))",
        "Too many downloads came from this address or with this token in a short time; without a token the limit is"
        " low.",
        "Give the pods a token, download once to a claim (prepare_downloads, pvc://), or wait some minutes.",
        "Hugging Face Hub, rate limits",
        fatal=False,
    ),
    log_rule(
        505, "A vocabulary that the server downloads cannot be fetched",
        r"(?:loading|load) vocab file|openaipublic\.blob|encodings/\w+\.tiktoken|"
        r"tiktoken.*(?:download|resolve|connect)",
        "gpt-oss and other models with tiktoken download their vocabulary from a server of OpenAI at start, even if "
        "the weights are already there. The pods cannot reach it.",
        "Put o200k_base.tiktoken and cl100k_base.tiktoken on a volume and set TIKTOKEN_ENCODINGS_BASE and "
        "TIKTOKEN_RS_CACHE_DIR to its folder, or give the pods access to openaipublic.blob.core.windows.net.",
        "vllm-project/vllm#22525; openai/harmony#46, #95",
    ),
    log_rule(
        506, "The model's files are damaged or incomplete",
        r"SafetensorError|deserializing header|MetadataIncompleteBuffer|(?:cannot find any|no) model weights|"
        r"weights were not initialized from checkpoint|no such file.*\.(?:safetensors|bin|gguf|pth?)\b|"
        r"PytorchStreamReader failed|consistency check failed: file should be|"
        r"checkpoint shards?.*(?:missing|not found)|is not a valid (?:safetensors|gguf) file",
        "A download was interrupted, a shard is missing, or a Git LFS pointer is in place of the weights.",
        "Remove the model's folder from the volume and download it again; compare sizes with the model's page.",
        "safetensors, format; vLLM, loading models",
    ),
    log_rule(
        528, "The model has its own code, which the server does not run",
        r"requires you to execute the configuration file|contains custom code which must be executed|"
        r"trust[-_]remote[-_]code=True",
        "The repository contains Python code; servers run it only with --trust-remote-code.",
        "Add --trust-remote-code if you trust the model's code, or use a version of the image that supports the model.",
        _VLLM,
    ),
)  # fmt: skip


def _service(evidence: Evidence, _log: Log, found: re.Match[str]) -> str:
    """Return the remedy with the Service that sets a variable to an address; "" where there is none."""
    address, port = found["address"], found["port"]
    for service in evidence.of("Service"):
        spec, name = service.get("spec") or {}, service["metadata"]["name"]
        ports = [str(entry.get("port")) for entry in spec.get("ports") or []]
        variable = f"{name.upper().replace('-', '_')}_PORT"
        if (spec.get("clusterIP") == address and port in ports) or re.search(rf"\b{variable}\b", found.string):
            return (
                f"The Service {name} of this namespace sets {variable} in every pod: rename the Service, or set"
                " enableServiceLinks: false in the pods (for a role of the model: extraConfig.enableServiceLinks)."
            )
    return ""


def _denied(_evidence: Evidence, log: Log, _found: re.Match[str]) -> str:
    """Return the remedy with the account and all that it may not do."""
    wanted: dict[str, set[str]] = {}
    account = ""
    for line in log.lines:
        for found in _FORBIDDEN.finditer(line):
            account = found["account"]
            kind = f"{found['kind']}.{found['group']}" if found["group"] else found["kind"]
            wanted.setdefault(clean(kind, 80), set()).add(found["verb"].lower())
    if not account:
        return ""
    rights = "; ".join(f"{', '.join(sorted(verbs))} {kind}" for kind, verbs in sorted(wanted.items()))
    return (
        f"Let the ServiceAccount {clean(account, 120).replace(':', '/')} do what it requests ({rights}): it needs "
        "get, list and watch on pods, inferencepools (the group in use) and inferenceobjectives. The chart creates "
        "its Role and RoleBinding by default."
    )


def _server_runs(pod: Object, container: str, _found: re.Match[str]) -> bool:
    """Return whether the other containers of a pod are well, so that nobody else tells why one does not answer."""
    return all(state.get("ready") for state in container_states(pod) if state.get("name") != container)


_FORBIDDEN = re.compile(
    r'is forbidden: User \\*"system:serviceaccount:(?P<account>[^"\\]+)\\*" cannot (?P<verb>\w+)'
    r' resource \\*"(?P<kind>[^"\\]+)\\*" in API group \\*"(?P<group>[^"\\]*)',
    re.IGNORECASE,
)

PROGRAMS = (
    log_rule(
        527, "A Service sets a variable that the program reads as its own",
        r"(?:_PORT|invalid|pars(?:e|ing)|cannot be converted|not a valid|integer).*?"
        r"(?:tcp|udp)://(?P<address>[\d.]+|\[[\da-f:]+\]):(?P<port>\d+)",
        "Kubernetes gives every pod of a namespace variables for its Services: a Service named vllm sets VLLM_PORT to "
        "tcp://..., which vLLM reads as a port number.",
        "Rename the Service, or set enableServiceLinks: false in the pods (extraConfig.enableServiceLinks of the"
        " role).",
        "vLLM, Environment Variables; Kubernetes, Accessing Services",
        advise=_service,
    ),
    log_rule(
        554, "The container's user has no name in the image",
        r"getpwuid\(\)|uid not found|no user exists for uid|unknown userid|unable to find user",
        "The container runs as a user id that is not in the image's /etc/passwd (OpenShift gives each namespace its "
        "own), and a library looks up the user's name.",
        "Set USER and LOGNAME (any name), and HOME, TORCHINDUCTOR_CACHE_DIR and other caches to a writable path, in "
        "the container's env; or run it as a fixed user (runAsUser, an SCC that permits it).",
        "vllm-project/vllm#44548; OpenShift, Creating images: support arbitrary user ids",
    ),
    log_rule(
        513, "The program is built for another processor",
        r"exec format error|illegal instruction|CPU does not support x86-64|SIGILL",
        "The image is for another architecture than the node's, or uses instructions that its processor does not have"
        " (AVX-512 for vLLM on CPU).",
        "Use an image of the node's architecture, or nodes that fit (nodeSelector kubernetes.io/arch).",
        "Kubernetes, Assigning Pods to Nodes; vLLM, installation on CPU",
    ),
    log_rule(
        514, "The image lacks something that the program needs",
        r"no module named \S+|ImportError: (?:lib\S+|cannot import name|please install|.*undefined symbol)|"
        r"cannot open shared object file|error while loading shared libraries|please install \w+|"
        r"GLIBC\w*_[\d.]+' not found|undefined symbol: |(?:command|executable file) not found|"
        r"exec: \S+: not found|can't open file '|not compiled with CUDA",
        "A module, library or command is not in the image, or in a version that does not match the others.",
        "Use an image that contains it (llm-d's images contain NIXL and LMCache), or remove what needs it.",
        "llm-d/llm-d#661; vLLM, installation",
    ),
    log_rule(
        526, "The program rejects an argument",
        r"error: (?:unrecognized arguments?|argument \S+: |the following arguments are required|ambiguous option).*|"
        r"unknown (?:shorthand )?flag: \S+|flag provided but not defined: \S+|invalid (?:value|argument) .*--\S+|"
        r"unexpected argument '--\S+|no such option: -\S+|validation errors? for \w*(?:Config|Args)\b.*|"
        r"--[\w-]+ (?:must be|is required|requires|flag or|cannot be)|either \S+ or \S+ must be set$|"
        r"are mutually exclusive|please (?:provide|set) --\w|"
        r"cannot be set at the same time|flag \"\S+\" (?:is deprecated|should have)|\(cho+se from",
        "A flag is misspelt, has a wrong value, or belongs to another version of the server.",
        "Correct the flag in the values (args), or use the image's version that has it: `vllm serve --help=all` lists"
        " them.",
        _VLLM,
        late=1,
    ),
    log_rule(
        529, "A LoRA adapter cannot be loaded",
        r"LoRA rank \d+ is greater than max_lora_rank|no adapter found for|loading lora \S+ failed|"
        r"lora\S* .{0,80}(?:not supported|is not a supported)",
        (
            "The adapter's rank is above --max-lora-rank, its folder does not exist, or the model does not support "
            "adapters."
        ),
        "Raise --max-lora-rank, or correct the path in --lora-modules.",
        "vLLM, LoRA adapters",
    ),
    log_rule(
        542, "The routing sidecar cannot reach vLLM",
        r"failed to connect to vLLM decoder|waiting for vLLM to be ready|"
        r"(?:127\.0\.0\.1|localhost|\[::1\]):\d+.*connection refused|"
        r"connection refused.*(?:127\.0\.0\.1|localhost|\[::1\]):\d+",
        (
            "The sidecar uses a port on which vLLM does not listen: another --port, or vLLM is still loading or has "
            "exited."
        ),
        "Make the sidecar's target port (routing.proxy.targetPort, --vllm-port) and vLLM's --port agree; see vLLM's"
        " own log.",
        "F10; llm-d/llm-d#1189",
        fatal=False,
        fits=_server_runs,
    ),
    log_rule(
        551, "The container's disk is full",
        r"no space left on device|disk quota exceeded|not enough free disk space|\(os error 28\)|\bENOSPC\b",
        "The model does not fit into the volume or the node's ephemeral storage.",
        "Put the model on a claim that is large enough (pvc://), or raise modelArtifacts.size and the node's disk.",
        "F8, F9",
    ),
    log_rule(
        552, "The container may not write or read a path",
        r"(?:^|[\s'\"(=:])/[\w.][^\s'\":]*.{0,80}permission denied|permission denied[^\w]{0,4}/[\w.]|"
        r"bind.*permission denied|\(os error 13\)|\[Errno 13\]|\bEACCES\b|read-only file system|\[Errno 30\]|"
        r"trying to write in your cache folder",
        "The container's user is not the one that the volume or the image expects (OpenShift gives each namespace its"
        " own), or the volume is mounted read-only.",
        "Set HF_HOME and caches to a writable volume, set fsGroup or runAsUser, or use an image that allows any user.",
        "OpenShift, Creating images: support arbitrary user ids; F9",
    ),
    log_rule(
        553, "A port is already in use in the pod", r"address already in use|\(os error 98\)|EADDRINUSE",
        "Two containers of the pod, or two ranks, listen on one port.",
        "Give each its own port; behind a sidecar, vLLM's --port differs from the sidecar's.",
        "F10; llm-d/llm-d-benchmark#878",
    ),
    log_rule(
        556, "A certificate is not trusted",
        r"x509: |certificate_?\s?verify_?\s?failed|tls: (?:failed to verify|unknown certificate|bad certificate)|"
        r"unable to get local issuer|self[- ]signed certificate in",
        "The server's certificate is signed by an authority that the image does not know (a company's proxy, a "
        "private registry or mirror), is for another name, or has expired.",
        "Mount the authority's certificate and set SSL_CERT_FILE or REQUESTS_CA_BUNDLE to it, or use the name in the "
        "server's certificate.",
        "Python, ssl; Go, crypto/x509",
    ),
    log_rule(
        546, "One side speaks TLS and the other does not",
        r"first record does not look like a TLS handshake|wrong version number|gave HTTP response to HTTPS client|"
        r"malformed HTTP response|error reading (?:server )?preface.*(?:http2|frame|EOF)|http2: frame too large",
        "A client uses TLS with a server that does not, or the reverse: flags of the picker and of the sidecar, a "
        "DestinationRule, or the scheme of a URL.",
        "Make both sides agree: secure serving of the picker with a DestinationRule (TLS, insecureSkipVerify),"
        " --secure-* flags of the sidecar, http:// or https://.",
        "F10; istio/istio#57855",
    ),
    log_rule(
        504, "Hugging Face cannot be reached",
        rf"\A(?=.*{_AT_HUB})(?=.*{_UNREACHED})|LocalEntryNotFoundError|"
        r"outgoing traffic has been disabled|offline mode is enabled|OfflineModeIsEnabled|HF_HUB_OFFLINE",
        "The pods cannot reach huggingface.co, and the model is not in their cache.",
        (
            "Give them access (HTTPS_PROXY, egress policy), set HF_ENDPOINT to a mirror, or put the model on a claim "
            "(pvc://)."
        ),
        _HUB,
        fatal=False,
    ),
    log_rule(
        543, "A server that the program needs does not answer",
        rf"\A(?=.*{_UNREACHED})(?=.*{_ADDRESS})|dial unix \S+: connect: ",
        "Its name does not resolve, nothing listens there, or a NetworkPolicy or firewall blocks it.",
        "Check the Service and the pods behind the address in the line, and the NetworkPolicies of both namespaces.",
        "Kubernetes, Debug Services",
        fatal=False,
        late=2,
    ),
    log_rule(
        555, "A file that the program must read does not exist",
        r"(?:open|stat|lstat|read|load) \S+: no such file or directory|FileNotFoundError: .*\S/\S|"
        r"(?:can(?:'t|not)|failed to|unable to) (?:open|read|load|find) (?:\w+ )?file|no such file.*\(os error 2\)",
        "A volume, ConfigMap or Secret is not mounted where the program looks, or the file has another name there.",
        "Compare the path with volumeMounts and with the keys of the ConfigMap or Secret.",
        "Kubernetes, Configure a Pod to Use a ConfigMap",
        late=1,
    ),
    log_rule(
        557, "The node's memory, or the container's limit of it, is exhausted",
        r"(?:can't|cannot|could not) allocate memory|std::bad_alloc|\bMemoryError\b|runtime: out of memory|"
        r"memory allocation of \d+ bytes failed|\(os error 12\)",
        "Main memory, not the GPU's: weights, the swap space of the KV cache and /dev/shm count.",
        "Raise resources.limits.memory, lower --swap-space or --cpu-offload-gb, or use other nodes.",
        "F9; vLLM, conserving memory",
        late=1,
    ),
    log_rule(
        558, "A limit of processes, threads or open files is reached",
        r"can't start new thread|pthread_create failed|too many open files|RLIMIT_NPROC|newosproc|"
        r"fork\S*.*resource temporarily unavailable",
        "The node or the container runtime limits process ids or open files below what the program needs.",
        "Raise podPidsLimit of the kubelet or the runtime's limits; lower OMP_NUM_THREADS and the number of workers.",
        "Kubernetes, Process ID Limits And Reservations",
    ),
    log_rule(
        559, "A volume fails while it is read or written",
        r"stale file handle|input/output error|transport endpoint is not connected|no locks available|"
        r"\[Errno (?:5|37|107|116|524)\]",
        (
            "The server behind the volume (NFS, a bucket mounted by FUSE) is gone, was restarted, or does not support "
            "locks."
        ),
        "Check the storage's pods and the node's mounts; restart the pod once the storage answers. If it does not "
        "support locks, put HF_HOME on another volume.",
        "Linux, errno; huggingface_hub, cache",
    ),
    log_rule(
        561, "A model of the repository, or an engine, cannot be loaded",
        r"unable to find backend library|poll failed for model|failed to load '[^']+' version|failed to stat file|"
        r"version tag does not match|deserializeCudaEngine|error opening engine file",
        "Triton's repository lacks a folder, config.pbtxt or backend, or TensorRT's engine was built by another version"
        " or for another GPU.",
        "Find the model in the line; check --model-repository, the backends in the image, and build engines with the "
        "image's own version.",
        "triton-inference-server, model repository",
    ),
)  # fmt: skip

_LOADER = "llm-d/llm-d-router, pkg/epp/config/loader"

PICKER = (
    log_rule(
        601, "A CRD that the endpoint picker watches is not installed",
        r"if kind is a CRD, it should be installed|no matches for kind \"?\w+|no kind is registered for the type|"
        r"the server could not find the requested resource.*(?:inference|llm-d)",
        "The cluster lacks a CRD, or serves it in another version than the picker was built for.",
        "Install the CRDs of the picker's own release (InferencePool, InferenceObjective, ...).",
        "F3; kubernetes-sigs/gateway-api-inference-extension#1737, #407, #1933",
    ),
    log_rule(
        602, "A program is not permitted to read what it needs (RBAC)",
        r"is forbidden: User \"system:serviceaccount:[^\"]+\" cannot|check RBAC permissions",
        "The ServiceAccount of the picker (or of the sidecar) lacks get, list or watch on pods, pools or objectives.",
        "Let the chart create its Role and RoleBinding, or grant get, list and watch on pods, inferencepools (the "
        "group in use) and inferenceobjectives.",
        "F4; istio/istio.io#17528; llm-d-incubation/llm-d-modelservice#129",
        advise=_denied,
    ),
    log_rule(
        608, "A program that uses the API server has no token for it",
        r"serviceaccount/token: no such file|unable to load in-cluster configuration|"
        r"asked for the client to provide credentials|: Unauthorized$",
        "The pod mounts no token of its ServiceAccount (automountServiceAccountToken: false), or the token is no "
        "longer valid.",
        "Set automountServiceAccountToken: true on the pod or its ServiceAccount; recreate pods that are older than a "
        "recreated ServiceAccount.",
        "Kubernetes, Configure Service Accounts for Pods",
    ),
    log_rule(
        605, "A plugin or feature of the endpoint picker is not enabled, or unknown to this version",
        r"has alpha stability level|--allow-experimental-plugins is not set|feature gate '?[^' ]*'? is unknown|"
        r"(?:requires|enable) the \S+ feature gate|not a valid value for the feature gate",
        "Experimental plugins need the flag --allow-experimental-plugins, and features their gate; gates come and go"
        " with versions.",
        "Set the flag (inferenceExtension.flags) or the gate (featureGates of the plugins' file) in the line, or "
        "remove the plugin or gate; the picker's version decides which exist.",
        _LOADER,
    ),
    log_rule(
        606, "The endpoint picker cannot write to its folder of tokenizers",
        r"tokenizers?\b.*(?:permission denied|read-only file system)|mkdir /go\b.*permission denied",
        "The plugins that count tokens keep tokenizers in a folder that the container's user cannot write to.",
        "Set tokenizersCacheDir in the plugin's parameters (pluginsCustomConfig) to a writable folder, or mount a "
        "volume there.",
        "llm-d/llm-d-router, precise-prefix-cache-scorer",
    ),
    log_rule(
        603, "The endpoint picker's configuration has an error",
        r"failed to (?:load (?:the configuration|raw config)|parse (?:the )?config(?:uration)?|load config from a file|"
        r"decode configuration|(?:instantiate|create|add) (?:the )?(?:default )?plugin|parse the parameters|"
        r"find dependency)|plugin type '?[^']*'? (?:is )?not (?:registered|found)|references undefined plugin|"
        r"plugin instantiation failed|configuration validation failed|duplicate plugin name|multiple profile handlers|"
        r"scheduler config build failed|is missing a '?(?:pluginRef|type)|no profile handler configured|"
        r"yaml: (?:line \d|unmarshal)",
        "The plugins file uses a plugin that this picker does not have, refers to one that it does not define, or is "
        "not an EndpointPickerConfig.",
        "Correct pluginsCustomConfig or pluginsConfigFile in the values; the picker's version decides which plugins"
        " exist.",
        _LOADER,
        late=3,
    ),
    log_rule(
        604, "The endpoint picker does not find its pool",
        r"inferencepool\S* \"?[\w.-]+\"? not found|InferencePool is not (?:initialized|available)|"
        r"pool \S+ not found|failed to sync InferencePool cache",
        "The picker's --pool-name, --pool-namespace or --pool-group does not match an existing pool.",
        "Make the flags and the InferencePool agree in name, namespace and API group.",
        "F1; kubernetes-sigs/gateway-api-inference-extension#1530",
        fatal=False,
    ),
)  # fmt: skip

SERVER: Rules = (*MODELS, *GPUS, *PROGRAMS)
# In the order in which they are asked of a statement: those that hold of much come late.
LOG_RULES: Rules = tuple(sorted((*PICKER, *ROUTER, *ORCHESTRATOR, *DYNAMO, *SERVER), key=lambda rule: rule.late))


def _absent_pool(evidence: Evidence) -> t.Iterator[Proof]:
    if not evidence.seen("InferencePool"):
        return
    pools = {pool["metadata"]["name"]: str(pool.get("apiVersion")) for pool in evidence.of("InferencePool")}
    for pod in evidence.pods:
        for container in dicts(mapping(pod.get("spec")).get("containers")):
            line = words(container, evidence.namespace)
            name, group = flag(line, "pool-name"), flag(line, "pool-group")
            elsewhere = flag(line, "pool-namespace") not in (None, evidence.namespace)
            if not name or "$(" in name or elsewhere or condition(pod, "Ready").get("status") == "True":
                continue
            told = f"--pool-name of Pod {pod['metadata']['name']} is {name}"
            if name not in pools:
                text = f"{told}, but the namespace has {', '.join(sorted(pools)) or 'no InferencePool'}"
            elif group and not pools[name].startswith(f"{group}/"):
                text = f"{told}, its --pool-group {group}; InferencePool {name} is {pools[name]}"
            else:
                continue
            yield Proof((("InferencePool", evidence.namespace, name), ref(pod)), text, name, evidence.since(pod))


ABSENT_POOL = Diagnosis(
    "DIAG607", "The endpoint picker's pool does not exist", _absent_pool,
    "a picker that is not ready, whose --pool-name or --pool-group matches no InferencePool of the namespace",
    "The InferencePool was not created, was deleted, or has another name or API group than the picker's flags.",
    "Create the InferencePool (the chart of the picker creates both), or correct --pool-name and --pool-group.",
    "F1; kubernetes-sigs/gateway-api-inference-extension#1530",
)  # fmt: skip
