# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Log lines of failing containers and the rules that name them."""

from __future__ import annotations

import json
import time

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import causes_of, diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Log
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.log_rules import matches
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.logs import last_words
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.rules_logs import LOG_RULES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.screen import WIDTH, screen
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.statements import parts

from diagnose.corpus import excerpts
from diagnose.world import crashed, evidence, pod, state

LINES = [
    ("870", "Error: Missing field 'api_key' in LLM 'Brainstorming'"),
    (
        "871",
        "[2026-11-30T14:48:09Z ERROR llm_router_gateway_api] Failed to load configuration: missing field `policies`",
    ),
    ("873", "error: creating server: Internal - failed to stat file /model_repository/routers"),
    ("874", "\"Poll failed for model directory 'routers': Invalid model name: Could not determine backend\""),
    ("875", "ensemble task_router_ensemble contains models that are not available or ambiguous: task_router"),
    (
        "876",
        "failed to load 'preprocessing_task_router' version 1: Internal: OSError: We couldn't connect to 'https://hf'",
    ),
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
    ("865", "ERROR dynamo_llm::hub: HTTP status client error (429 Too Many Requests) for url"),
    ("866", "Error: Header Content-Range is missing"),
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
    # Those of one program have their lines beside its other rules.
    assert {rule.id for rule in LOG_RULES if rule.only is None} <= tried


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


def test_what_no_rule_knows_is_shown_once_for_each_pod_template() -> None:
    text = "\n".join([f"ERROR 10-02 14:20:{n:02} [core.py:708] step {chr(97 + n)} went wrong" for n in range(25)])
    noise = "INFO 10-02 14:21:00 [core.py:58] progress\nRuntimeError: Engine core initialization failed. See above."
    bodies = [crashed(f"{text}\n{noise}", f"web-{n}") for n in range(3)]
    result = diagnose(evidence(*(body for body, _log in bodies), logs=[log for _body, log in bodies[:2]]))
    (cause,) = result["causes"]
    assert (cause["id"], cause["count"]) == ("DIAG901", 3)
    (row,) = [row for row in result["evidence"] if row.get("log")]
    assert row["object"] == "Pod web-0 and others of Deployment web, container vllm"
    assert len(row["log"]) == 20
    assert row["log"][-1].endswith("step y went wrong")
    assert "step y went wrong" in cause["evidence"][0]


def test_the_line_that_decides_is_shown_whole() -> None:
    message = (
        "ValueError: VLLM_PORT 'tcp://10.0.0.1:80' appears to be a URI. " + "It goes on and on. " * 40 + "The end."
    )
    body, log = crashed(message)
    lines = screen(diagnose(evidence(body, logs=[log])))
    assert "The end." in " ".join(line.strip() for line in lines)
    assert max(map(len, lines)) <= WIDTH


def test_a_second_container_has_a_cause_of_its_own() -> None:
    dead = {"exitCode": 1, "reason": "Error"}
    wait = {"reason": "CrashLoopBackOff"}
    states = [state(name, waiting=wait, last=dead, restarts=2) for name in ("vllm", "routing-proxy")]
    body = pod("web-1", *states, phase="Running")
    logs = [Log(body, "vllm", ("RuntimeError: No CUDA GPUs are available",)),
            Log(body, "routing-proxy", ("Error: unknown flag: --conector",))]  # fmt: skip
    assert {cause.rule.id for cause in causes_of(evidence(body, logs=logs))} == {"DIAG512", "DIAG526"}


def test_a_sidecar_that_waits_for_its_server_is_no_cause_of_its_own() -> None:
    said = '"waiting for vLLM to be ready" err="dial tcp [::1]:8200: connect: connection refused"'
    dead = state("vllm", waiting={"reason": "CrashLoopBackOff"}, last={"exitCode": 1, "reason": "Error"}, restarts=2)
    for server, found in ((dead, ["DIAG901"]), (state("vllm", running=True, ready=True), ["DIAG542"])):
        body = pod("web-1", server, state("routing-proxy", running=True), phase="Running")
        logs = [Log(body, "routing-proxy", (said,))]
        assert [cause.rule.id for cause in causes_of(evidence(body, logs=logs))] == found


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("(EngineCore_DP0 pid=1) ERROR 11-02 02:14:12 [core.py:708] x", "error", "x"),
        ("2026-03-11T17:57:10.976518836Z stderr F (W pid=2) WARNING 03-11 17:57:10 [m.py:921] x", "warning", "x"),
        ("E1130 05:17:49.814731       1 indexer.go:97] x", "error", "x"),
        ('{"level":"error","ts":"x","msg":"a","error":"b \\"c\\""}', "error", 'a: b "c"'),
        ("2025-10-02T00:00:00Z\tERROR\tsetup\trunner.go:1\tx", "error", "setup\trunner.go:1\tx"),
        ("2025-05-23T08:00:01.120411Z ERROR dynamo_runtime::worker: x", "error", "dynamo_runtime::worker: x"),
        ("2025-10-02 08:00:01,120 - vllm.engine - ERROR - x", "error", "x"),
        ("[2025-11-02 08:30:41.123][1][critical][main] [source/x.cc:1] x", "fatal", "x"),
        ("2025/11/02 08:30:41 [emerg] 1#1: x", "fatal", "x"),
        ("vllm-0:77:77 [0] bootstrap.cc:47 NCCL WARN x", "error", "NCCL WARN x"),
        ("[1761900000.1] [h:77:0]  ib_md.c:295  UCX  ERROR x", "error", "UCX  ERROR x"),
        ("[rank3]:[E1002 14:20:10.123 ProcessGroupNCCL.cpp:632] x", "error", "x"),
        ("[2025-10-03 09:12:55 TP0] x", "", "x"),
        ("ERROR:    x", "error", "x"),
        ("x", "", "x"),
    ],
)
def test_who_says_what_and_how_grave_it_is(line: str, level: str, text: str) -> None:
    assert parts(line)[2:] == (level, text)


@pytest.mark.parametrize(
    "unit", ["invalid tcp://1.1.1.1 a:80 ", "remote tp_size ", "a.b.c.D", "(x y ", "host='a' /a/b "]
)
def test_lines_that_are_made_to_take_long_do_not(unit: str) -> None:
    lines = tuple(f"{unit * 300}{number}" for number in range(40))
    begin = time.process_time()
    for ended in (True, False):
        matches(lines, LOG_RULES, ended=ended)
    assert time.process_time() - begin < 20


def test_a_long_line_of_json_is_read_whole() -> None:
    line = json.dumps({"level": "error", "msg": "x", "stacktrace": "y" * 5000, "error": "bind: address already in use"})
    body, log = crashed(line)
    (cause,) = causes_of(evidence(body, logs=[log]))
    assert (cause.rule.id, "yyy" in cause.proofs[0].text) == ("DIAG553", False)
