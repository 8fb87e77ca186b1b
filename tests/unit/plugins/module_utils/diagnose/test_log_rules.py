# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Log lines of failing containers and the rules that name them."""

from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import causes_of, diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.crash_logs import last_words
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.rules_logs import LOG_RULES

from diagnose.corpus import excerpts
from diagnose.world import crashed, evidence

LINES = [
    ("501", "OSError: You are trying to access a gated repo."),
    ("501", "huggingface_hub.errors.GatedRepoError: 401 Client Error."),
    ("501", "403 Client Error: Forbidden for url: https://huggingface.co/m/x/resolve/main/config.json"),
    (
        "502",
        "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/models/x",
    ),
    ("502", "Invalid user token. The token from HF_TOKEN environment variable is invalid."),
    ("503", "RepositoryNotFoundError: 404 Client Error. (Request ID: Root=1)"),
    (
        "503",
        "RepositoryNotFoundError: 401 Client Error. Repository Not Found for url: https://huggingface.co/api/models/acme/x."
        " If you are trying to access a private or gated repo, make sure you are authenticated.",
    ),
    ("503", "OSError: acme/x is not a local folder and is not a valid model identifier listed on the hub"),
    ("503", "OSError: /models/x does not appear to have a file named config.json"),
    ("504", "OSError: We couldn't connect to 'https://huggingface.co' to load the files"),
    ("504", "MaxRetryError: Max retries exceeded with url: /x (Caused by NameResolutionError(host='huggingface.co'))"),
    ("511", "RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version"),
    ("511", "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8"),
    ("511", "torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device"),
    ("512", "RuntimeError: No CUDA GPUs are available"),
    ("512", "RuntimeError: Failed to infer device type, please set VLLM_LOGGING_LEVEL=DEBUG"),
    (
        "521",
        "ValueError: The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in"
        " KV cache (7344).",
    ),
    ("521", "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`."),
    (
        "522",
        "User-specified max_model_len (65536) is greater than the derived max_model_len"
        " (max_position_embeddings=40960)",
    ),
    ("523", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB."),
    (
        "523",
        "ValueError: Free memory on device (3.1/79.2 GiB) on startup is less than desired GPU memory utilization (0.9)",
    ),
    ("524", "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8)."),
    ("525", "ValueError: Model architectures ['FooForCausalLM'] are not supported for now."),
    ("525", "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0."),
    ("526", "vllm: error: unrecognized arguments: --max-modl-len 100"),
    ("526", "api_server.py: error: argument --dtype: invalid choice: 'b16'"),
    ("526", "unknown flag: --pol-name"),
    ("526", "flag provided but not defined: -poolname"),
    (
        "531",
        "NCCL WARN Error: failed to extend /dev/shm/nccl-YrFC5V to 33030532 bytes, error: No space left on device (28)",
    ),
    ("532", "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp, ncclUnhandledCudaError"),
    ("541", "RuntimeError: NIXL is not available"),
    ("541", "nixl_cu12._bindings.nixlBackendError: NIXL_ERR_BACKEND"),
    ("542", '"failed to connect to vLLM decoder" err="dial tcp 127.0.0.1:8200: connect: connection refused"'),
    ("551", "OSError: [Errno 28] No space left on device: '/model-cache/blob'"),
    ("552", "PermissionError: [Errno 13] Permission denied: '/.cache'"),
    ("553", "OSError: [Errno 98] Address already in use"),
    ("601", '"msg":"if kind is a CRD, it should be installed before calling Start","kind":"InferenceObjective"'),
    ("601", 'no matches for kind "InferenceModelRewrite" in version "inference.networking.x-k8s.io/v1alpha2"'),
    ("602", 'pods is forbidden: User "system:serviceaccount:demo:epp" cannot list resource "pods" in API group ""'),
    ("602", r'{"error":"inferencepools is forbidden: User \"system:serviceaccount:demo:epp\" cannot watch"}'),
    ("603", "Failed to parse configuration \"plugin type 'x' is not registered\""),
    ("603", "failed to load the configuration - plugin instantiation failed: unknown"),
    ("603", "configuration validation failed: schedulingProfiles[default] references undefined plugin 'x'"),
    ("604", 'inferencepools.inference.networking.k8s.io "gaie-x" not found'),
]


@pytest.mark.parametrize(("number", "line"), LINES, ids=[f"{n}-{text[:30]}" for n, text in LINES])
def test_a_line_is_named(number: str, line: str) -> None:
    body, log = crashed(f"INFO begin\n{line}")
    found = causes_of(evidence(body, logs=[log]))
    assert [cause.rule.id for cause in found] == [f"DIAG{number}"]
    assert line[:40] in found[0].proofs[0].text


def test_every_log_rule_has_a_line() -> None:
    tried = {f"DIAG{number}" for number, _line in LINES}.union(*(excerpt.causes for excerpt in excerpts()))
    assert {rule.id for rule in LOG_RULES} <= tried


@pytest.mark.parametrize(
    "line",
    [
        "INFO 11-21 Loading safetensors checkpoint shards: 50% Completed",
        "INFO: Application startup complete.",
        "INFO token usage 401 tokens, 403 in the queue",
        "Using max model len 32768",
        "",
    ],
)
def test_a_line_that_says_nothing_is_no_known_cause(line: str) -> None:
    body, log = crashed(line)
    (cause,) = causes_of(evidence(body, logs=[log]))
    assert cause.rule.id == "DIAG901"
    assert ("no log" in cause.proofs[0].text) == (not line)


def test_pods_that_fail_the_same_way_are_one_cause_though_one_log_was_read() -> None:
    bodies = [crashed("RuntimeError: No CUDA GPUs are available", f"web-{n}") for n in range(5)]
    result = diagnose(evidence(*(body for body, _log in bodies), logs=[bodies[0][1]]))
    (cause,) = result["causes"]
    assert (cause["id"], cause["count"]) == ("DIAG512", 5)


CRASHED = (crashed("")[0], "vllm")


def test_last_words_name_the_cause_and_hide_secrets() -> None:
    words = last_words(
        ["x", "vllm: error: unrecognized arguments: --api-key hunter22 --x hf_abcdefgh12345"], {"hunter22"}, *CRASHED
    )
    assert words is not None
    assert words.fatal
    assert words.cause.startswith("DIAG526")
    assert "hunter22" not in words.line
    assert "hf_abc" not in words.line
    assert last_words(["", "  ^^^^  "], (), *CRASHED) is None
    plain = last_words(["it is over"], (), *CRASHED)
    assert plain is not None
    assert (plain.line, plain.fatal) == ("it is over", False)
