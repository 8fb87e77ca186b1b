# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of `vllm serve`, the keys of its JSON arguments and its KV connectors, by version."""

from __future__ import annotations

from .tables import Table

VERSIONS = (
    (0, 10),
    (0, 11),
    (0, 12),
    (0, 13),
    (0, 14),
    (0, 15),
    (0, 16),
    (0, 17),
    (0, 18),
    (0, 19),
    (0, 20),
    (0, 21),
    (0, 22),
    (0, 23),
    (0, 24),
    (0, 25),
    (0, 26),
    (0, 27),
    (0, 28),
    (0, 29),
    (0, 30),
    (0, 31),
    (0, 32),
    (0, 33),
)
ARGUMENTS = Table(
    "vLLM",
    "vllm-project/vllm vVERSION, vllm/engine/arg_utils.py and vllm/entrypoints/openai/cli_args.py",
    VERSIONS,
    """
- 0.11 any multi-step-stream-outputs num-scheduler-steps override-neuron-config
0.11 - choice:1|128|16|256|32|320|512|64|8 max-lora-rank
0.11 0.18 choice:1|128|16|256|32|64|8 block-size
- 0.11 choice:1|128|16|32|64|8 block-size
0.11 0.12 choice:256|512 lora-extra-vocab-size
0.18 - choice:a2a|ag_rs dcp-comm-backend
0.33 - choice:aiter_flydsl|cutedsl|flashinfer|sycl|triton gdn-prefill-backend
0.32 0.33 choice:aiter_flydsl|cutedsl|flashinfer|triton gdn-prefill-backend
0.15 0.32 choice:align|all|none mamba-cache-mode
0.32 - choice:align|none mamba-cache-mode
0.32 - choice:allgather_reducescatter|deepep_high_throughput|deepep_low_latency|
deepep_v2|flashinfer_all2allv|flashinfer_nvlink_one_sided|
flashinfer_nvlink_two_sided|moonep|mori_high_throughput|mori_low_latency|naive|
nixl_ep|passthrough|pplx all2all-backend
0.31 0.32 choice:allgather_reducescatter|deepep_high_throughput|
deepep_low_latency|deepep_v2|flashinfer_all2allv|flashinfer_nvlink_one_sided|
flashinfer_nvlink_two_sided|moonep|mori_high_throughput|mori_low_latency|naive|
nixl_ep|pplx all2all-backend
0.24 0.31 choice:allgather_reducescatter|deepep_high_throughput|
deepep_low_latency|deepep_v2|flashinfer_all2allv|flashinfer_nvlink_one_sided|
flashinfer_nvlink_two_sided|mori_high_throughput|mori_low_latency|naive|nixl_ep|
pplx all2all-backend
0.23 0.24 choice:allgather_reducescatter|deepep_high_throughput|
deepep_low_latency|flashinfer_all2allv|flashinfer_nvlink_one_sided|
flashinfer_nvlink_two_sided|mori_high_throughput|mori_low_latency|naive|nixl_ep|
pplx all2all-backend
0.18 0.23 choice:allgather_reducescatter|deepep_high_throughput|
deepep_low_latency|flashinfer_all2allv|flashinfer_nvlink_one_sided|
flashinfer_nvlink_two_sided|mori|naive|nixl_ep|pplx all2all-backend
0.15 0.18 choice:allgather_reducescatter|deepep_high_throughput|
deepep_low_latency|flashinfer_all2allv|mori|naive|pplx all2all-backend
0.11 0.15 choice:allgather_reducescatter|deepep_high_throughput|
deepep_low_latency|flashinfer_all2allv|naive|pplx all2all-backend
- - choice:auto|bfloat16|float16 lora-dtype
0.22 - choice:auto|bfloat16|float16|float32 mamba-cache-dtype mamba-ssm-cache-dtype
0.18 0.20 choice:auto|bfloat16|float16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc kv-cache-dtype
0.30 0.32 choice:auto|bfloat16|float16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc|
fp8_per_token_head|int4_per_token_head|int8_per_token_head|nvfp4|nvfp4_4over6|
nvfp4_ds_mla|turboquant_3bit_nc|turboquant_4bit_nc|turboquant_k3v4_nc|
turboquant_k8v4 kv-cache-dtype
0.32 0.33 choice:auto|bfloat16|float16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc|
fp8_per_token_head|int4_per_token_head|int8_per_token_head|nvfp4|nvfp4_4over6|
nvfp4_ds_mla|turboquant_3bit_nc|turboquant_4bit_nc|turboquant_k3v4_nc|
turboquant_k8v4|ultraquant_4bit kv-cache-dtype
0.28 0.30 choice:auto|bfloat16|float16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc|
fp8_per_token_head|int4_per_token_head|int8_per_token_head|nvfp4|nvfp4_4over6|
turboquant_3bit_nc|turboquant_4bit_nc|turboquant_k3v4_nc|turboquant_k8v4 kv-cache-dtype
0.25 0.28 choice:auto|bfloat16|float16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc|
fp8_per_token_head|int4_per_token_head|int8_per_token_head|nvfp4|
turboquant_3bit_nc|turboquant_4bit_nc|turboquant_k3v4_nc|turboquant_k8v4 kv-cache-dtype
0.20 0.25 choice:auto|bfloat16|float16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc|
fp8_per_token_head|int8_per_token_head|nvfp4|turboquant_3bit_nc|
turboquant_4bit_nc|turboquant_k3v4_nc|turboquant_k8v4 kv-cache-dtype
- - choice:auto|bfloat16|float|float16|float32|half dtype
0.11 0.18 choice:auto|bfloat16|fp8|fp8_ds_mla|fp8_e4m3|fp8_e5m2|fp8_inc kv-cache-dtype
- 0.13 choice:auto|classify|draft|embed|embedding|generate|reward|score|
transcription task
0.14 0.16 choice:auto|classify|embed|mm_encoder_only|none|reward convert
0.16 - choice:auto|classify|embed|none convert
- 0.14 choice:auto|classify|embed|none|reward convert
- 0.12 choice:auto|custom|mistral|slow tokenizer-mode
- - choice:auto|draft|generate|pooling runner
0.30 - choice:auto|flashinfer|flashkda|fused|triton kda-prefill-backend
0.30 - choice:auto|flashinfer|native|triton kda-decode-backend
0.27 0.30 choice:auto|flashkda|triton kda-prefill-backend
0.13 0.22 choice:auto|float16|float32 mamba-cache-dtype mamba-ssm-cache-dtype
- 0.13 choice:auto|float32 mamba-cache-dtype mamba-ssm-cache-dtype
- 0.11 choice:auto|fp8|fp8_e4m3|fp8_e5m2|fp8_inc kv-cache-dtype
- 0.11 choice:auto|guidance|lm-format-enforcer|outlines|xgrammar guided-decoding-backend
0.27 - choice:auto|horizontal|simple|vertical mamba-ssu-algorithm
- - choice:auto|openai|string chat-template-content-format
0.17 - choice:auto|prefetch|uva offload-backend
0.17 - choice:balanced|interactivity|throughput performance-mode
0.27 - choice:blake3|sha256|sha512 mm-hasher-algorithm
- - choice:critical|debug|error|info|trace|warning uvicorn-log-level
0.21 - choice:custom|full|hash|none fingerprint-mode
0.22 0.32 choice:cutedsl|flashinfer|triton gdn-prefill-backend
- - choice:data|weights mm-encoder-tp-mode
0.29 - choice:detailed|none|summary per-request-spec-decode-metrics
0.19 - choice:direct_rpc|torch_shm mm-tensor-ipc
0.24 - choice:eager|lazy|prefetch|torchao safetensors-load-strategy
0.25 - choice:error|warn jit-monitor-mode
0.27 - choice:evs|vidcom2 video-pruning-method
- - choice:fcfs|priority scheduling-policy
0.18 0.22 choice:flashinfer|triton gdn-prefill-backend
0.21 - choice:fp8 mm-encoder-attn-dtype
0.11 - choice:linear|round_robin expert-placement-strategy
0.11 - choice:lmcache|native kv-offloading-backend
0.11 - choice:lru|shm mm-processor-cache-type
0.11 - choice:processed_logits|processed_logprobs|raw_logits|raw_logprobs logprobs-mode
- 0.11 choice:recompute|swap preemption-mode
- 0.13 choice:sha256|sha256_cbor prefix-caching-hash-algo
0.13 - choice:sha256|sha256_cbor|xxhash|xxhash_cbor prefix-caching-hash-algo
- 0.11 flag disable-async-output-proc enable-prompt-adapter
- 0.13 flag disable-mm-preprocessor-cache enable-multimodal-encoder-data-parallel
- - flag disable-log-stats headless
0.11 - flag aggregate-engine-logging
0.18 - flag grpc
0.22 - flag data-parallel-multi-port-external-lb,-dpm
- 0.11 float cpu-offload-gb gpu-memory-utilization mm-processor-cache-gb scheduler-delay-factor swap-space
- 0.12 float rope-theta
0.11 - float kv-offloading-size
0.22 - float dp-supervisor-probe-interval-s dp-supervisor-probe-timeout-s
0.11 0.31 float(0,1] gpu-memory-utilization
0.12 - float(0,1] kv-cache-metrics-sample
0.31 - float(0,1] device-memory-utilization,gpu-memory-utilization
0.21 - float(0.0, mm-encoder-fp8-scale-save-margin
0.11 0.18 float[0, swap-space
0.11 - float[0, cpu-offload-gb mm-processor-cache-gb
0.25 - float[0, mm-ipc-gpu-memory-gb
0.11 - float[0.0,1.0) video-pruning-rate
0.24 - float[0.0,1.0) watermark
- 0.11 int lora-extra-vocab-size max-long-partial-prefills max-lora-rank max-loras max-num-partial-prefills
- 0.11 int max-num-seqs max-seq-len-to-capture num-lookahead-slots
- 0.12 int eplb-step-interval eplb-window-size num-redundant-experts
- 0.23 int data-parallel-size,-dp decode-context-parallel-size,-dcp max-parallel-loading-workers
- 0.23 int pipeline-parallel-size,-pp tensor-parallel-size,-tp
- 0.25 int long-prefill-token-threshold max-logprobs
- - int api-server-count,-asc data-parallel-rank,-dpn data-parallel-rpc-port,-dpp data-parallel-size-local,-dpl
- - int data-parallel-start-rank,-dpr h11-max-header-count h11-max-incomplete-event-size max-cpu-loras max-log-len
- - int num-gpu-blocks-override port seed ssl-cert-reqs
0.11 0.23 int dbo-decode-token-threshold dbo-prefill-token-threshold nnodes,-n node-rank,-r
0.11 - int dcp-kv-cache-interleave-size master-port max-cudagraph-capture-size
0.12 0.23 int prefill-context-parallel-size,-pcp
0.12 - int cp-kv-cache-interleave-size
0.14 0.23 int ubatch-size
0.18 0.23 int block-size
0.18 - int distributed-timeout-seconds shutdown-timeout
0.19 - int renderer-num-workers
0.20 - int mamba-cache-philox-rounds
0.22 - int cpu-distributed-timeout-seconds data-parallel-supervisor-port dp-supervisor-probe-failure-threshold
0.29 - int sse-keep-alive-interval
0.32 - int grpc-port
0.11 - int(0, mamba-block-size
0.22 - int(0, spec-tokens
0.23 - int(0, block-size
0.26 - int(0, prefix-match-unit
0.27 - int(0, replayssm-buffer-len
0.25 - int[-1, max-logprobs
0.11 0.12 int[0, num-lookahead-slots
0.11 - int[0, mm-shm-cache-max-object-size-mb
0.17 - int[0, offload-group-size offload-prefetch-step
0.23 - int[0, dbo-decode-token-threshold dbo-prefill-token-threshold node-rank,-r ubatch-size
0.25 - int[0, long-prefill-token-threshold
0.29 - int[0, max-num-queued-reqs prefix-cache-retention-interval
0.11 0.27 int[1, max-long-partial-prefills max-num-partial-prefills
0.11 - int[1, max-loras max-num-seqs stream-interval
0.17 - int[1, offload-num-in-group
0.21 - int[1, safetensors-prefetch-num-threads
0.23 - int[1, data-parallel-size,-dp decode-context-parallel-size,-dcp max-parallel-loading-workers nnodes,-n
0.23 - int[1, pipeline-parallel-size,-pp prefill-context-parallel-size,-pcp tensor-parallel-size,-tp
0.24 - int[1, prefill-schedule-interval
0.30 - int[1, dp-sync-interval elastic-ep-max-dp-size
0.31 - int[1, max-lora-cls-labels max-num-active-seqs
- 0.12 json compilation-config,-O override-pooler-config rope-scaling
- 0.19 json speculative-config
- 0.31 json limit-mm-per-prompt
- - json allowed-headers allowed-methods allowed-origins default-mm-loras eplb-config media-io-kwargs
- - json mm-processor-kwargs override-generation-config
0.11 - json pooler-config structured-outputs-config
0.12 - json compilation-config,-cc
0.13 - json attention-config,-ac profiler-config
0.14 - json default-chat-template-kwargs
0.16 - json kernel-config weight-transfer-config
0.19 - json reasoning-config speculative-config,-sc
0.20 - json ir-op-priority
0.22 - json quantization-config
0.24 - json diffusion-config,-dc
0.25 - json model-class-overrides
0.27 - json fault-tolerance-config
0.28 - json ec-manager-config
0.30 - json engram-config watermark-config
0.31 - json aux-output-config
0.32 - json custom-histogram-buckets
0.33 - json reasoning-effort-map watchdog-config
0.11 - json:ECTransferConfig ec-transfer-config
- - json:KVEventsConfig kv-events-config
- - json:KVTransferConfig kv-transfer-config
- - list api-key collect-detailed-traces ignore-patterns logits-processors lora-modules served-model-name
0.11 - list allowed-media-domains
0.17 - list cpu-offload-params offload-params
0.19 - list kv-cache-dtype-skip-layers lora-target-modules
0.20 - list numa-bind-cpus
0.31 - list sleep-preserve-parameter-names
- 0.13 list:int cuda-graph-sizes
0.11 - list:int cudagraph-capture-sizes
0.20 - list:int numa-bind-nodes
- 0.21 optional-text hf-token
- 0.14 size max-model-len
- - size kv-cache-memory-bytes max-num-batched-tokens
0.21 - size safetensors-prefetch-block-size
0.26 - size max-num-scheduled-tokens
0.29 - size max-num-queued-tokens
0.14 - size-auto max-model-len
- 0.11 switch data-parallel-hybrid-lb guided-decoding-disable-additional-properties
- 0.11 switch guided-decoding-disable-any-whitespace guided-decoding-disable-fallback
- 0.12 switch enable-lora-bias eplb-log-balancedness
- 0.14 switch enable-expert-parallel
- 0.17 switch disable-log-requests
- 0.19 switch disable-frontend-multiprocessing
- 0.28 switch calculate-kv-scales
- - switch allow-credentials async-scheduling disable-cascade-attn disable-chunked-mm-input
- - switch disable-custom-all-reduce disable-fastapi-docs disable-hybrid-kv-cache-manager disable-sliding-window
- - switch disable-uvicorn-access-log enable-auto-tool-choice enable-chunked-prefill enable-eplb
- - switch enable-force-include-usage enable-log-outputs enable-log-requests enable-lora enable-prefix-caching
- - switch enable-prompt-embeds enable-prompt-tokens-details enable-request-id-headers enable-server-load-tracking
- - switch enable-sleep-mode enable-ssl-refresh enable-tokenizer-info-endpoint enforce-eager
- - switch exclude-tools-when-tool-choice-none fully-sharded-loras interleave-mm-strings kv-sharing-fast-prefill
- - switch log-error-stack ray-workers-use-nsight return-tokens-as-token-ids skip-mm-profiling skip-tokenizer-init
- - switch trust-remote-code use-tqdm-on-load
0.11 - switch data-parallel-external-lb,-dpe data-parallel-hybrid-lb,-dph disable-nccl-for-dp-synchronization
0.11 - switch enable-dbo enable-mm-embeds tokens-only trust-request-chat-template
0.12 - switch kv-cache-metrics
0.13 - switch cudagraph-metrics enable-layerwise-nvtx-tracing
0.14 - switch allow-deprecated-quantization enable-expert-parallel,-ep enable-log-deltas
0.14 - switch enable-logging-iteration-details enable-mfu-metrics enable-offline-docs enable-return-routed-experts
0.14 - switch enable-tower-connector-lora
0.15 - switch mm-encoder-only
0.16 - switch enable-flashinfer-autotune specialize-active-lora
0.17 0.18 switch use-gpu-for-pooling-score
0.17 - switch enable-elastic-ep fail-on-environ-validation language-model-only
0.18 - switch enable-ep-weight-filter
0.19 - switch scheduler-reserve-full-isl
0.20 - switch enable-flash-late-interaction enable-mamba-cache-stochastic-rounding numa-bind
0.21 - switch hf-token
0.22 - switch enable-cumem-allocator enable-mixed-moe-lora-format use-fp64-gumbel
0.24 - switch jit-monitor-verbose
0.25 - switch enable-per-request-metrics
0.26 0.30 switch enable-bf16x3-router-gemm
0.26 - switch enable-moe-shared-loras
0.27 - switch cohere-is-reasoning-model enable-fault-tolerance use-replayssm
0.28 - switch mm-device-do-normalize return-sampling-mask
0.29 - switch dcp-q-replicate enable-batch-sharded-sampling enable-trace-replay
0.30 0.31 switch enable-mamba-fine-grained-prefix-cache
0.30 - switch enable-nccl-comm-suspend enable-scale-out
0.31 - switch enable-mamba-shared-prefix-checkpoint long-prefill-token-threshold-adaptive swa-bounded-replay
0.31 - switch trust-request-mm-kwargs
0.32 - switch enable-hc-sp enable-shm-tensor-arena sleep-mode-offload-cudagraph
0.33 - switch monokernel
- 0.11 text logprobs-mode
- 0.17 text logits-processor-pattern
- 0.24 text safetensors-load-strategy
- 0.28 text override-attention-dtype
- - text additional-config allowed-local-media-path chat-template code-revision config config-format
- - text data-parallel-address,-dpa data-parallel-backend,-dpb distributed-executor-backend download-dir
- - text generation-config hf-config-path hf-overrides host io-processor-plugin load-format log-config-file
- - text middleware model model-impl model-loader-extra-config otlp-traces-endpoint pt-load-map-location
- - text quantization,-q reasoning-parser response-role revision root-path scheduler-cls
- - text show-hidden-metrics-for-version ssl-ca-certs ssl-certfile ssl-keyfile tokenizer tokenizer-revision
- - text tool-call-parser tool-parser-plugin tool-server uds worker-cls worker-extension-cls
0.11 - text master-addr mm-encoder-attn-backend reasoning-parser-plugin
0.12 - text optimization-level tokenizer-mode
0.13 - text attention-backend
0.15 - text ssl-ciphers
0.16 - text disable-access-log-for-endpoints
0.17 - text moe-backend
0.20 - text mamba-backend
0.21 - text fingerprint-value mm-encoder-fp8-scale-path mm-encoder-fp8-scale-save-path
0.22 - text linear-backend spec-method spec-model
0.24 - text device-ids
0.27 - text cohere-format
0.28 - text mm-processor-device
0.30 - text sparse-indexer-topk-backend
0.31 - text anthropic-disabled-thinking-effort limit-mm-per-prompt log-level logging-config tool-strict-level
0.33 - text kv-cache-dtype sleep-mode-backend
""",
)
_KV_TRANSFER = Table(
    "vLLM",
    "vllm-project/vllm vVERSION, vllm/config/kv_transfer.py",
    VERSIONS,
    """
0.11 - bool enable_permute_local_kv
0.13 - choice:fail|recompute kv_load_failure_policy
- - choice:kv_both|kv_consumer|kv_producer kv_role
- 0.32 float kv_buffer_size
- 0.32 int kv_parallel_size kv_rank
- - int kv_port
- - json kv_connector_extra_config
- 0.32 text kv_ip
- - text engine_id kv_buffer_device kv_connector kv_connector_module_path
""",
)
_KV_EVENTS = Table(
    "vLLM",
    "vllm-project/vllm vVERSION, vllm/config/kv_events.py",
    VERSIONS,
    """
- - bool enable_kv_cache_events
0.11 - choice:null|zmq publisher
- - int buffer_steps hwm max_queue_size
- 0.11 text publisher
- - text endpoint replay_endpoint topic
""",
)
_EC_TRANSFER = Table(
    "vLLM",
    "vllm-project/vllm vVERSION, vllm/config/ec_transfer.py",
    VERSIONS,
    """
0.17 - choice:ec_both|ec_consumer|ec_producer ec_role
0.11 0.17 choice:ec_consumer|ec_producer ec_role
0.11 - float ec_buffer_size
0.11 0.32 int ec_parallel_size ec_rank
0.11 - int ec_port
0.11 - json ec_connector_extra_config
0.32 - json mm_encoder_output_widths
0.11 - text ec_buffer_device ec_connector ec_connector_module_path ec_ip engine_id
""",
)
# By the names that kinds have.
KEYS = {"KVTransferConfig": _KV_TRANSFER, "KVEventsConfig": _KV_EVENTS, "ECTransferConfig": _EC_TRANSFER}
CONNECTORS = Table(
    "vLLM",
    "vllm-project/vllm vVERSION, vllm/distributed/kv_transfer/kv_connector/factory.py",
    VERSIONS,
    """
- 0.11 any LMCacheConnector MooncakeConnector MooncakeStoreConnector PyNcclConnector
- 0.13 any SharedStorageConnector
- 0.24 any P2pNcclConnector
- - any LMCacheConnectorV1 MultiConnector NixlConnector
0.11 - any DecodeBenchConnector LMCacheMPConnector OffloadingConnector
0.13 - any ExampleConnector MooncakeConnector
0.14 - any MoRIIOConnector
0.17 - any ExampleHiddenStatesConnector
0.18 - any FlexKVConnectorV1
0.19 - any SimpleCPUOffloadConnector
0.20 - any HF3FSKVConnector
0.21 - any MooncakeStoreConnector
0.24 - any NixlPullConnector NixlPushConnector
0.30 - any HiSparseConnector
""",
)
