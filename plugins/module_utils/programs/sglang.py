# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of `python3 -m sglang.launch_server`, by version."""

from __future__ import annotations

from .tables import Table

VERSIONS = (
    (0, 4, 10),
    (0, 5, 2),
    (0, 5, 3),
    (0, 5, 4),
    (0, 5, 5),
    (0, 5, 6),
    (0, 5, 7),
    (0, 5, 8),
    (0, 5, 9),
    (0, 5, 10),
    (0, 5, 11),
    (0, 5, 12),
    (0, 5, 13),
    (0, 5, 14),
    (0, 5, 15),
    (0, 5, 16),
    (0, 5, 17),
    (0, 5, 18),
    (0, 5, 19),
    (0, 5, 20),
    (0, 5, 21),
    (0, 5, 22),
    (0, 5, 23),
)
ARGUMENTS = Table(
    "SGLang",
    "sgl-project/sglang vVERSION, python/sglang/srt/server_args.py",
    VERSIONS,
    """
0.5.3 0.5.4 any enable-deepep-moe enable-ep-moe enable-flashinfer-cutedsl-moe enable-flashinfer-cutlass-moe
0.5.3 0.5.4 any enable-flashinfer-mxfp4-moe enable-flashinfer-trtllm-moe enable-triton-kernel-moe
0.5.8 0.5.14 any hybrid-kvcache-ratio
0.5.8 0.5.20 any prefill-round-robin-balance
0.5.10 0.5.14 any enable-piecewise-cuda-graph
0.5.11 0.5.20 any collect-tokens-histogram
0.5.14 0.5.20 any disable-piecewise-cuda-graph enable-breakable-cuda-graph enforce-piecewise-cuda-graph
0.5.14 - any lora-paths
0.5.18 0.5.20 any enable-expert-distribution-metrics
- - choice:0|1|2|3 log-requests-level
0.5.22 - choice:0|2|4 dsa-triton-union
0.5.3 - choice:128|16|32|64 max-lora-chunk-size
0.5.16 - choice:1|2 fuseep-mode
0.5.3 - choice:BFS|PROB speculative-ngram-match-type
0.5.11 0.5.12 choice:DFLASH|EAGLE|EAGLE3|NEXTN|NGRAM|STANDALONE speculative-algorithm
- 0.5.2 choice:EAGLE|EAGLE3|NEXTN speculative-algorithm
0.5.3 0.5.11 choice:EAGLE|EAGLE3|NEXTN|NGRAM|STANDALONE speculative-algorithm
0.5.2 0.5.3 choice:EAGLE|EAGLE3|NEXTN|STANDALONE speculative-algorithm
0.5.14 - choice:None|mooncake|nixl elastic-ep-backend
0.5.17 - choice:a2a|ag_rs|fi_a2a dcp-comm-backend
0.5.22 - choice:aibrix|dynamic|eic|file|hf3fs|mooncake|mori|nixl|npu_memcache|
seaweedfs|shm|sim|simm|tensorcast hicache-storage-backend
0.5.20 0.5.21 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|mori|nixl|
npu_memcache|shm|sim|simm hicache-storage-backend
0.5.21 0.5.22 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|mori|nixl|
npu_memcache|shm|sim|simm|tensorcast hicache-storage-backend
0.5.17 0.5.19 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|mori|nixl|shm|simm hicache-storage-backend
0.5.19 0.5.20 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|mori|nixl|shm|sim|
simm hicache-storage-backend
0.5.15 0.5.17 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|mori|nixl|simm hicache-storage-backend
0.5.3 0.5.11 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|nixl hicache-storage-backend
0.5.11 0.5.15 choice:aibrix|dynamic|eic|file|hf3fs|mooncake|nixl|simm hicache-storage-backend
0.5.13 - choice:aiter_attn|amx_attn|ascend_attn|fa3|fa4|flashinfer_cudnn|sdpa|
triton_attn|xpu_attn mm-attention-backend
0.5.10 0.5.13 choice:aiter_attn|ascend_attn|fa3|fa4|flashinfer_cudnn|sdpa|
triton_attn mm-attention-backend
0.5.9 0.5.10 choice:aiter_attn|ascend_attn|fa3|fa4|sdpa|triton_attn mm-attention-backend
0.5.5 0.5.9 choice:aiter_attn|ascend_attn|fa3|sdpa|triton_attn mm-attention-backend
0.5.12 0.5.13 choice:aiter|ascend|compressed|cutlass_mla|dsv4|
dual_chunk_flash_attn|fa3|fa4|flashinfer|flashmla|flex_attention|intel_amx|
intel_xpu|nsa|tokenspeed_mla|torch_native|triton|trtllm_mha|trtllm_mla|wave attention-backend
0.5.12 0.5.13 choice:aiter|ascend|compressed|cutlass_mla|dsv4|
dual_chunk_flash_attn|fa3|fa4|flashinfer|flashmla|flex_attention|intel_amx|
intel_xpu|nsa|tokenspeed_mla|torch_native|triton|trtllm_mha|trtllm_mla|wave decode-attention-backend
0.5.12 0.5.13 choice:aiter|ascend|compressed|cutlass_mla|dsv4|
dual_chunk_flash_attn|fa3|fa4|flashinfer|flashmla|flex_attention|intel_amx|
intel_xpu|nsa|tokenspeed_mla|torch_native|triton|trtllm_mha|trtllm_mla|wave prefill-attention-backend
0.5.4 0.5.12 choice:aiter|ascend|cutlass_mla|dual_chunk_flash_attn|fa3|fa4|
flashinfer|flashmla|flex_attention|intel_amx|intel_xpu|nsa|torch_native|triton|
trtllm_mha|trtllm_mla|wave attention-backend decode-attention-backend prefill-attention-backend
0.5.3 0.5.4 choice:aiter|ascend|cutlass_mla|dual_chunk_flash_attn|fa3|fa4|
flashinfer|flashmla|flex_attention|intel_amx|nsa|torch_native|triton|trtllm_mha|
trtllm_mla|wave attention-backend decode-attention-backend prefill-attention-backend
0.5.2 0.5.3 choice:aiter|ascend|cutlass_mla|dual_chunk_flash_attn|fa3|flashinfer|
flashmla|hybrid_linear_attn|intel_amx|torch_native|triton|trtllm_mha|trtllm_mla|
wave attention-backend decode-attention-backend prefill-attention-backend
- 0.5.2 choice:aiter|ascend|cutlass_mla|fa3|flashinfer|flashmla|intel_amx|
torch_native|triton|trtllm_mla attention-backend
0.5.15 - choice:aiter|auto|cutedsl|deepgemm dsa-paged-mqa-logits-backend
0.5.20 0.5.23 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_marlin|
experimental_sgl_trtllm|flashinfer_cutedsl|flashinfer_cutlass|flashinfer_megamoe|
flashinfer_mxfp4|flashinfer_trtllm|flashinfer_trtllm_routed|hpc_ops|humming|
intel_xpu|marlin|megamoe|triton|triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.19 0.5.20 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_marlin|
experimental_sgl_trtllm|flashinfer_cutedsl|flashinfer_cutlass|flashinfer_mxfp4|
flashinfer_trtllm|flashinfer_trtllm_routed|hpc_ops|humming|intel_xpu|marlin|
megamoe|triton|triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.18 0.5.19 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_marlin|
experimental_sgl_trtllm|flashinfer_cutedsl|flashinfer_cutlass|flashinfer_mxfp4|
flashinfer_trtllm|flashinfer_trtllm_routed|hpc_ops|humming|marlin|megamoe|triton|
triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.17 0.5.18 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_marlin|
experimental_sgl_trtllm|flashinfer_cutedsl|flashinfer_cutlass|flashinfer_mxfp4|
flashinfer_trtllm|flashinfer_trtllm_routed|hpc_ops|humming|marlin|triton|
triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.16 0.5.17 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_marlin|
experimental_sgl_trtllm|flashinfer_cutedsl|flashinfer_cutlass|flashinfer_mxfp4|
flashinfer_trtllm|flashinfer_trtllm_routed|humming|marlin|triton|triton_kernel moe-runner-backend
0.5.16 0.5.17 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_marlin|
experimental_sgl_trtllm|flashinfer_cutedsl|flashinfer_cutlass|flashinfer_mxfp4|
flashinfer_trtllm|flashinfer_trtllm_routed|humming|marlin|triton|triton_kernel speculative-moe-runner-backend
0.5.13 0.5.16 choice:aiter|auto|cutlass|deep_gemm|experimental_sgl_trtllm|
flashinfer_cutedsl|flashinfer_cutlass|flashinfer_mxfp4|flashinfer_trtllm|
flashinfer_trtllm_routed|marlin|triton|triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.18 - choice:aiter|auto|cutlass|deep_gemm|flashinfer_cutedsl|
flashinfer_cutlass|flashinfer_deepgemm|flashinfer_trtllm|triton fp8-gemm-backend
0.5.12 0.5.13 choice:aiter|auto|cutlass|deep_gemm|flashinfer_cutedsl|
flashinfer_cutlass|flashinfer_mxfp4|flashinfer_trtllm|flashinfer_trtllm_routed|
marlin|triton|triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.11 0.5.12 choice:aiter|auto|cutlass|deep_gemm|flashinfer_cutedsl|
flashinfer_cutlass|flashinfer_mxfp4|flashinfer_trtllm|flashinfer_trtllm_routed|
triton|triton_kernel moe-runner-backend speculative-moe-runner-backend
0.5.10 0.5.18 choice:aiter|auto|cutlass|deep_gemm|flashinfer_cutlass|
flashinfer_deepgemm|flashinfer_trtllm|triton fp8-gemm-backend
0.5.9 0.5.10 choice:aiter|auto|cutlass|deep_gemm|flashinfer_deepgemm|
flashinfer_trtllm|triton fp8-gemm-backend
0.5.6 0.5.9 choice:aiter|auto|cutlass|deep_gemm|flashinfer_trtllm|triton fp8-gemm-backend
0.5.22 - choice:aiter|fa3|flashinfer_sparse_mla|flashmla_auto|flashmla_kv|
flashmla_sparse|flashmla_sparse_q8|intel_xpu|tilelang|triton|triton_sparse_mla|
trtllm dsa-prefill-backend
0.5.22 - choice:aiter|fa3|flashinfer_sparse_mla|flashmla_auto|flashmla_kv|
flashmla_sparse|flashmla_sparse_q8|intel_xpu|tilelang|triton|trtllm dsa-decode-backend
0.5.20 0.5.22 choice:aiter|fa3|flashinfer_sparse_mla|flashmla_auto|flashmla_kv|
flashmla_sparse|flashmla_sparse_q8|tilelang|triton|trtllm dsa-decode-backend dsa-prefill-backend
0.5.17 0.5.20 choice:aiter|fa3|flashinfer_sparse_mla|flashmla_auto|flashmla_kv|
flashmla_sparse|flashmla_sparse_q8|tilelang|trtllm dsa-decode-backend dsa-prefill-backend nsa-decode-backend
0.5.17 0.5.20 choice:aiter|fa3|flashinfer_sparse_mla|flashmla_auto|flashmla_kv|
flashmla_sparse|flashmla_sparse_q8|tilelang|trtllm nsa-prefill-backend
0.5.16 0.5.17 choice:aiter|fa3|flashmla_auto|flashmla_kv|flashmla_sparse|
flashmla_sparse_q8|tilelang|trtllm dsa-decode-backend dsa-prefill-backend nsa-decode-backend nsa-prefill-backend
0.5.4 0.5.9 choice:aiter|fa3|flashmla_auto|flashmla_kv|flashmla_sparse|tilelang nsa-decode-backend
0.5.4 0.5.9 choice:aiter|fa3|flashmla_auto|flashmla_kv|flashmla_sparse|tilelang nsa-prefill-backend
0.5.9 0.5.16 choice:aiter|fa3|flashmla_auto|flashmla_kv|flashmla_sparse|tilelang|
trtllm nsa-decode-backend nsa-prefill-backend
0.5.13 0.5.16 choice:aiter|fa3|flashmla_auto|flashmla_kv|flashmla_sparse|tilelang|
trtllm dsa-decode-backend dsa-prefill-backend
0.5.3 0.5.4 choice:aiter|fa3|flashmla_decode|flashmla_prefill|tilelang nsa-decode nsa-prefill
0.5.21 - choice:ar|auto|rs|rs+rsv|rsv boundary-reduction
0.5.3 0.5.5 choice:ascend_attn|fa3|sdpa|triton_attn mm-attention-backend
0.5.20 - choice:ascend_fuseep|ascend_tp|deepep|deepep_v2|flashinfer|
flashinfer_megamoe|megamoe|mooncake|mori|nixl|none|pplx moe-a2a-backend
0.5.19 0.5.20 choice:ascend_fuseep|ascend_tp|deepep|deepep_v2|flashinfer|megamoe|
mooncake|mori|nixl|none|pplx moe-a2a-backend
0.5.19 - choice:ascend_fuseep|ascend_tp|deepep|deepep_v2|flashinfer|megamoe|
mooncake|mori|nixl|none|pplx speculative-moe-a2a-backend
0.5.16 0.5.17 choice:ascend_fuseep|ascend_tp|deepep|flashinfer|megamoe|mooncake|
mori|nixl|none moe-a2a-backend speculative-moe-a2a-backend
0.5.17 0.5.19 choice:ascend_fuseep|ascend_tp|deepep|flashinfer|megamoe|mooncake|
mori|nixl|none|pplx speculative-moe-a2a-backend
0.5.12 0.5.16 choice:ascend_fuseep|deepep|flashinfer|megamoe|mooncake|mori|nixl|
none moe-a2a-backend speculative-moe-a2a-backend
0.5.17 0.5.19 choice:ascend_fuseep|deepep|flashinfer|megamoe|mooncake|mori|nixl|
none|pplx moe-a2a-backend
0.5.10 0.5.12 choice:ascend_fuseep|deepep|flashinfer|mooncake|mori|nixl|none moe-a2a-backend
0.5.10 0.5.12 choice:ascend_fuseep|deepep|flashinfer|mooncake|mori|nixl|none speculative-moe-a2a-backend
0.5.9 0.5.10 choice:ascend_fuseep|deepep|flashinfer|mooncake|mori|none moe-a2a-backend speculative-moe-a2a-backend
0.5.6 0.5.9 choice:ascend_fuseep|deepep|mooncake|none moe-a2a-backend speculative-moe-a2a-backend
0.5.6 0.5.23 choice:ascend|csgmv|torch_native|triton lora-backend
0.5.23 - choice:ascend|csgmv|torch_native|triton|triton_v2 lora-backend
0.5.5 0.5.6 choice:ascend|csgmv|triton lora-backend
0.5.13 - choice:ascend|fake|mooncake|mooncake_tcp|mori|nixl disaggregation-transfer-backend
0.5.9 0.5.13 choice:ascend|fake|mooncake|mori|nixl disaggregation-transfer-backend
0.5.2 0.5.9 choice:ascend|fake|mooncake|nixl disaggregation-transfer-backend
0.5.5 0.5.19 choice:ascend|flashinfer|pytorch sampling-backend
- 0.5.2 choice:ascend|mooncake|nixl disaggregation-transfer-backend
0.5.4 0.5.6 choice:auto-round|awq|awq_marlin|bitsandbytes|compressed-tensors|fp8|
gguf|gptq|gptq_marlin|marlin|modelopt|modelopt_fp4|modelopt_fp8|moe_wna16|mxfp4|
petit_nvfp4|qoq|w4afp8|w8a8_fp8|w8a8_int8 quantization
0.5.16 0.5.21 choice:auto|bf16|bfloat16|fp4_e2m1|fp4_mx_block16|fp8_e4m3|fp8_e5m2|
mxfp8|nvfp4 kv-cache-dtype
0.5.4 0.5.16 choice:auto|bf16|bfloat16|fp4_e2m1|fp8_e4m3|fp8_e5m2 kv-cache-dtype
0.5.21 - choice:auto|bf16|bfloat16|fp4_mx_block16|fp8_e4m3|fp8_e5m2|mxfp8|nvfp4 kv-cache-dtype
0.5.18 - choice:auto|bf16|bfloat16|fp8_e4m3|fp8_e5m2 speculative-draft-kv-cache-dtype
0.5.13 - choice:auto|bf16|fp8|int8|nvfp4 deepep-dispatcher-output-dtype
0.5.20 - choice:auto|bf16|mxfp8|nvfp4 flashinfer-a2a-dispatch-type
- - choice:auto|bfloat16|float|float16|float32|half dtype
0.5.22 - choice:auto|bfloat16|fp8_e4m3 qsa-indexer-dtype
0.5.22 - choice:auto|bitsandbytes|dummy|expert_pack|fastsafetensors|flash_rl|gguf|
instanttensor|layered|mistral|npcache|presharded|private|pt|remote|
remote_instance|runai_streamer|safetensors|sharded_state load-format speculative-draft-load-format
0.5.19 0.5.22 choice:auto|bitsandbytes|dummy|expert_pack|fastsafetensors|flash_rl|
gguf|layered|mistral|npcache|presharded|private|pt|remote|remote_instance|
runai_streamer|safetensors|sharded_state load-format speculative-draft-load-format
0.5.17 0.5.19 choice:auto|bitsandbytes|dummy|fastsafetensors|flash_rl|gguf|
layered|mistral|npcache|presharded|private|pt|remote|remote_instance|
runai_streamer|safetensors|sharded_state load-format speculative-draft-load-format
0.5.10 0.5.17 choice:auto|bitsandbytes|dummy|fastsafetensors|flash_rl|gguf|
layered|mistral|npcache|private|pt|remote|remote_instance|runai_streamer|
safetensors|sharded_state load-format speculative-draft-load-format
0.5.7 0.5.10 choice:auto|bitsandbytes|dummy|fastsafetensors|flash_rl|gguf|layered|
npcache|private|pt|remote|remote_instance|safetensors|sharded_state load-format speculative-draft-load-format
0.5.6 0.5.7 choice:auto|bitsandbytes|dummy|flash_rl|gguf|layered|npcache|private|
pt|remote|remote_instance|safetensors|sharded_state load-format speculative-draft-load-format
0.5.3 0.5.6 choice:auto|bitsandbytes|dummy|gguf|layered|npcache|pt|remote|
remote_instance|safetensors|sharded_state load-format speculative-draft-load-format
- 0.5.3 choice:auto|bitsandbytes|dummy|gguf|layered|npcache|pt|remote|safetensors|
sharded_state load-format
0.5.15 0.5.17 choice:auto|cutedsl bf16-gemm-backend
0.5.19 0.5.20 choice:auto|cutedsl|flashinfer_pr4266|gemv|torch bf16-gemm-backend
0.5.20 - choice:auto|cutedsl|gemv|torch bf16-gemm-backend
0.5.21 - choice:auto|cutedsl|mnnvl|trtllm flashinfer-allreduce-fusion-backend
0.5.17 0.5.19 choice:auto|cutedsl|torch bf16-gemm-backend
0.5.10 0.5.11 choice:auto|cutlass|deep_gemm|flashinfer_cutedsl|flashinfer_cutlass|
flashinfer_mxfp4|flashinfer_trtllm|flashinfer_trtllm_routed|triton|triton_kernel moe-runner-backend
0.5.10 0.5.11 choice:auto|cutlass|deep_gemm|flashinfer_cutedsl|flashinfer_cutlass|
flashinfer_mxfp4|flashinfer_trtllm|flashinfer_trtllm_routed|triton|triton_kernel speculative-moe-runner-backend
0.5.3 0.5.10 choice:auto|cutlass|deep_gemm|flashinfer_cutedsl|flashinfer_cutlass|
flashinfer_mxfp4|flashinfer_trtllm|triton|triton_kernel moe-runner-backend
0.5.4 0.5.10 choice:auto|cutlass|deep_gemm|flashinfer_cutedsl|flashinfer_cutlass|
flashinfer_mxfp4|flashinfer_trtllm|triton|triton_kernel speculative-moe-runner-backend
0.5.12 0.5.13 choice:auto|cutlass|flashinfer_cudnn|flashinfer_cutedsl|
flashinfer_cutlass|flashinfer_trtllm fp4-gemm-backend
0.5.13 0.5.16 choice:auto|cutlass|flashinfer_cudnn|flashinfer_cutedsl|
flashinfer_cutlass|flashinfer_trtllm|marlin fp4-gemm-backend
0.5.10 0.5.12 choice:auto|cutlass|flashinfer_cudnn|flashinfer_cutlass|
flashinfer_trtllm fp4-gemm-backend
0.5.13 0.5.14 choice:auto|extra_buffer|extra_buffer_lazy|no_buffer mamba-scheduler-strategy
0.5.14 - choice:auto|extra_buffer|extra_buffer_lazy|no_buffer mamba-radix-cache-strategy
0.5.7 0.5.13 choice:auto|extra_buffer|no_buffer mamba-scheduler-strategy
0.5.16 - choice:auto|flashinfer_cudnn|flashinfer_cutedsl|flashinfer_cutlass|
flashinfer_trtllm|marlin fp4-gemm-backend
0.5.8 0.5.10 choice:auto|flashinfer_cudnn|flashinfer_cutlass|flashinfer_trtllm fp4-gemm-backend
0.5.2 0.5.3 choice:auto|flashinfer_cutlass|flashinfer_mxfp4|flashinfer_trtllm|
triton|triton_kernel moe-runner-backend
0.5.19 - choice:auto|flashmla_sparse|flashmla_sparse_q8 dsv4-prefill-backend
0.5.23 - choice:auto|flashmla|flashmla_mega|trtllm dsv4-attn-backend
0.5.20 0.5.23 choice:auto|flashmla|trtllm dsv4-attn-backend
0.5.8 - choice:auto|follow_bootstrap_room|round_robin|total_requests|total_tokens load-balance-method
- 0.5.4 choice:auto|fp8_e4m3|fp8_e5m2 kv-cache-dtype
0.5.21 - choice:auto|fp8_e4m3|nvfp4 prefill-kv-cache-dequant-dtype
- - choice:auto|low_latency|normal deepep-mode
0.5.14 0.5.21 choice:auto|mnnvl|trtllm flashinfer-allreduce-fusion-backend
0.5.17 - choice:auto|mooncake|zmq_to_scheduler|zmq_to_tokenizer encoder-transfer-backend
0.5.18 - choice:auto|pil|torchvision image-processor-backend
- - choice:auto|slow tokenizer-mode
0.5.2 0.5.4 choice:awq|awq_marlin|bitsandbytes|fp8|gguf|gptq|gptq_marlin|marlin|
modelopt|modelopt_fp4|moe_wna16|mxfp4|petit_nvfp4|qoq|w4afp8|w8a8_fp8|w8a8_int8 quantization
- 0.5.2 choice:awq|awq_marlin|bitsandbytes|fp8|gguf|gptq|gptq_marlin|marlin|
modelopt|modelopt_fp4|moe_wna16|petit_nvfp4|qoq|w4afp8|w8a8_fp8|w8a8_int8 quantization
0.5.2 - choice:best_effort|timeout|wait_complete hicache-storage-prefetch-policy
0.5.2 0.5.19 choice:bf16|default flashinfer-mxfp4-moe-precision
0.5.19 - choice:bf16|default|fp8 flashinfer-mxfp4-moe-precision
0.5.9 - choice:bfloat16|float16|float32 mamba-ssm-dtype
0.5.2 0.5.9 choice:bfloat16|float32 mamba-ssm-dtype
0.5.18 - choice:both|off|prometheus|server_log expert-balancedness-report-mode
0.5.22 - choice:breakable|disabled|full cuda-graph-backend-decode cuda-graph-backend-prefill
0.5.14 0.5.22 choice:breakable|disabled|full|tc_piecewise cuda-graph-backend-decode
0.5.15 0.5.22 choice:breakable|disabled|full|tc_piecewise cuda-graph-backend-prefill
0.5.14 0.5.15 choice:breakable|disabled|tc_piecewise cuda-graph-backend-prefill
0.5.19 - choice:buffer_only|cache hicache-host-memory-mode
0.5.17 - choice:client|daemon|off weight-cache-mode
0.5.18 0.5.21 choice:cpu_tensor|host_pool disaggregation-decode-retraction-backup
0.5.21 - choice:cpu_tensor|host_pool|none disaggregation-decode-retraction-backup
0.5.16 0.5.18 choice:cpu|cuda_ipc mm-feature-transport
0.5.18 - choice:cpu|cuda_ipc|cuda_vmm mm-feature-transport
0.5.3 0.5.5 choice:csgmv|triton lora-backend
0.5.19 - choice:cutedsl|flashinfer|flashkda|helion|intel_xpu|nvidia_kda|ptx_kda|
triton linear-attn-backend linear-attn-decode-backend linear-attn-prefill-backend
0.5.18 0.5.19 choice:cutedsl|flashinfer|flashkda|helion|nvidia_kda|ptx_kda|triton linear-attn-backend
0.5.18 0.5.19 choice:cutedsl|flashinfer|flashkda|helion|nvidia_kda|ptx_kda|triton linear-attn-decode-backend
0.5.18 0.5.19 choice:cutedsl|flashinfer|flashkda|helion|nvidia_kda|ptx_kda|triton linear-attn-prefill-backend
0.5.17 0.5.18 choice:cutedsl|flashinfer|flashkda|nvidia_kda|ptx_kda|triton linear-attn-backend
0.5.17 0.5.18 choice:cutedsl|flashinfer|flashkda|nvidia_kda|ptx_kda|triton linear-attn-decode-backend
0.5.17 0.5.18 choice:cutedsl|flashinfer|flashkda|nvidia_kda|ptx_kda|triton linear-attn-prefill-backend
0.5.15 0.5.17 choice:cutedsl|flashinfer|flashkda|triton linear-attn-backend linear-attn-decode-backend
0.5.15 0.5.17 choice:cutedsl|flashinfer|flashkda|triton linear-attn-prefill-backend
0.5.10 0.5.15 choice:cutedsl|flashinfer|triton linear-attn-backend linear-attn-decode-backend
0.5.10 0.5.15 choice:cutedsl|flashinfer|triton linear-attn-prefill-backend
- 0.5.2 choice:cutlass_mla|fa3|flashinfer|flashmla|torch_native|triton decode-attention-backend
- 0.5.2 choice:cutlass_mla|fa3|flashinfer|flashmla|torch_native|triton prefill-attention-backend
0.5.7 0.5.8 choice:decode_round_robin|minimum_tokens|round_robin|shortest_queue load-balance-method
- - choice:decode|null|prefill disaggregation-mode
0.5.2 - choice:decode|prefill speculative-attention-mode
- 0.5.2 choice:deepep moe-a2a-backend
0.5.3 0.5.6 choice:deepep|mooncake|none moe-a2a-backend
0.5.2 0.5.3 choice:deepep|none moe-a2a-backend
- 0.5.2 choice:deepseekv3|glm45|kimi_k2|llama3|mistral|pythonic|qwen25|
qwen3_coder|step3 tool-call-parser
0.5.20 0.5.21 choice:dfs-weight|fcfs|hrrn|lof|lpm|priority|random|routing-key schedule-policy
0.5.21 - choice:dfs-weight|fcfs|hrrn|lof|lpm|priority|random|routing-key|
shortest-prefill-first schedule-policy
0.5.3 0.5.8 choice:dfs-weight|fcfs|lof|lpm|priority|random schedule-policy
0.5.8 0.5.20 choice:dfs-weight|fcfs|lof|lpm|priority|random|routing-key schedule-policy
0.5.2 0.5.3 choice:dfs-weight|fcfs|lof|lpm|random schedule-policy
- 0.5.2 choice:dfs-weight|fcfs|lpm|random schedule-policy
0.5.19 - choice:direct|hybrid deepep-v2-mode
- 0.5.5 choice:direct|kernel hicache-io-backend
0.5.5 - choice:direct|kernel|kernel_ascend hicache-io-backend
0.5.15 - choice:drafter|null|verifier decoupled-spec-role
0.5.14 - choice:dynamic|fake|lp|static ep-dispatch-algorithm
0.5.23 - choice:dynamic|mooncake|mori unified-cache-external-linker-backend
0.5.4 0.5.20 choice:eager|inductor piecewise-cuda-graph-compiler
0.5.14 0.5.22 choice:eager|inductor cuda-graph-tc-compiler
0.5.22 - choice:early|prefill_complete disaggregation-decode-allocation-policy
- 0.5.3 choice:fa3|sdpa|triton_attn mm-attention-backend
0.5.11 - choice:fastokens|huggingface tokenizer-backend
0.5.3 - choice:fifo|lru lora-eviction-policy
- 0.5.3 choice:file|hf3fs|mooncake|nixl hicache-storage-backend
0.5.20 - choice:file|pinned ple-offload-backend
- 0.5.5 choice:flashinfer|pytorch sampling-backend
0.5.13 - choice:flashinfer|sgl-kernel|torch dsa-topk-backend
0.5.19 - choice:flashinfer|sgl-kernel|torch speculative-dsa-topk-backend
0.5.9 - choice:flashinfer|triton mamba-backend
0.5.4 - choice:fsdp rl-on-policy-target
0.5.17 - choice:full|last return-hidden-states-mode
0.5.10 0.5.20 choice:in-seq-split prefill-cp-mode
0.5.8 0.5.20 choice:in-seq-split|round-robin-split nsa-prefill-cp-mode
0.5.13 0.5.20 choice:in-seq-split|round-robin-split dsa-prefill-cp-mode
0.5.14 - choice:interleave|zigzag cp-strategy
0.5.7 - choice:json|text log-requests-format
- 0.5.3 choice:layer_first|page_first hicache-mem-layout
0.5.3 0.5.5 choice:layer_first|page_first|page_first_direct hicache-mem-layout
0.5.5 0.5.6 choice:layer_first|page_first|page_first_direct|page_first_kv_split hicache-mem-layout
0.5.6 - choice:layer_first|page_first|page_first_direct|page_first_kv_split|
page_head hicache-mem-layout
0.5.16 - choice:length|priority retraction-policy
0.5.3 0.5.10 choice:lfu|lru radix-eviction-policy
0.5.11 0.5.21 choice:lfu|lru|priority|slru radix-eviction-policy
0.5.21 - choice:lfu|lru|priority|slru|tlru radix-eviction-policy
0.5.10 0.5.11 choice:lfu|lru|slru radix-eviction-policy
- - choice:llguidance|none|outlines|xgrammar grammar-backend
0.5.13 - choice:log|none|raise kv-canary
- 0.5.7 choice:minimum_tokens|round_robin|shortest_queue load-balance-method
0.5.10 - choice:modelexpress|nccl|transfer_engine remote-instance-weight-loader-backend
0.5.3 - choice:model|openai sampling-defaults
0.5.18 - choice:mooncake mm-global-cache-backend
0.5.20 0.5.23 choice:mooncake|mori unified-cache-external-linker-backend
0.5.10 0.5.14 choice:mooncake|nixl|none elastic-ep-backend
0.5.3 0.5.10 choice:mooncake|none elastic-ep-backend
0.5.7 0.5.17 choice:mooncake|zmq_to_scheduler|zmq_to_tokenizer encoder-transfer-backend
0.5.7 0.5.10 choice:nccl|transfer_engine remote-instance-weight-loader-backend
0.5.18 - choice:overlap|serial startup-weight-load-mode
0.5.14 - choice:per_pass|per_token|stat|stat_approx expert-distribution-recorder-mode
0.5.16 - choice:recover|scale elastic-ep-join-mode
- - choice:write_back|write_through|write_through_selective hicache-write-policy
- 0.5.3 flag debug-tensor-dump-prefill-only enable-deepep-moe enable-ep-moe enable-flashinfer-cutlass-moe
- 0.5.3 flag enable-flashinfer-trtllm-moe enable-triton-kernel-moe
- 0.5.11 flag collect-tokens-histogram enable-double-sparsity
- 0.5.13 flag enable-nan-detection
- 0.5.18 flag enable-expert-distribution-metrics
- 0.5.20 flag stream-output
- 0.5.23 flag enable-hierarchical-cache
- - flag allow-auto-truncate delete-ckpt-after-loading disable-chunked-prefix-cache disable-cuda-graph
- - flag disable-cuda-graph-padding disable-custom-all-reduce disable-fast-image-processor disable-hybrid-swa-memory
- - flag disable-outlines-disk-cache disable-overlap-schedule disable-radix-cache disable-shared-experts-fusion
- - flag enable-cache-report enable-cudagraph-gc enable-custom-logit-processor enable-dp-attention enable-dp-lm-head
- - flag enable-eplb enable-flashinfer-allreduce-fusion enable-lora enable-memory-saver enable-metrics
- - flag enable-metrics-for-all-schedulers enable-mixed-chunk enable-mscclpp enable-multimodal enable-nccl-nvls
- - flag enable-p2p-check enable-pdmux enable-profile-cuda-graph enable-request-time-stats-logging
- - flag enable-return-hidden-states enable-symm-mem enable-tokenizer-batch-encode enable-torch-compile
- - flag enable-two-batch-overlap flashinfer-mla-disable-ragged is-embedding log-requests show-time-cost
- - flag skip-server-warmup skip-tokenizer-init sleep-on-idle triton-attention-reduce-in-fp32 trust-remote-code
- - flag weight-loader-disable-mmap
0.5.2 0.5.3 flag enable-flashinfer-mxfp4-moe
0.5.2 0.5.8 flag prefill-round-robin-balance
0.5.2 - flag disable-flashinfer-cutlass-moe-fp4-allgather enable-lmcache
0.5.3 0.5.4 flag enable-beta-spec
0.5.3 0.5.10 flag enable-piecewise-cuda-graph
0.5.3 0.5.21 flag keep-mm-feature-on-device
0.5.3 - flag constrained-json-disable-any-whitespace disaggregation-decode-enable-offload-kvcache
0.5.3 - flag enable-deterministic-inference enable-dynamic-batch-tokenizer enable-fp32-lm-head
0.5.3 - flag enable-priority-scheduling enable-single-batch-overlap enable-torch-symm-mem enable-trace
0.5.3 - flag enable-weights-cpu-backup grpc-mode schedule-low-priority-values-first
0.5.4 - flag abort-on-priority-when-disabled checkpoint-engine-wait-weights-before-ready
0.5.4 - flag disable-tokenizer-batch-decode quantize-and-serve
0.5.5 - flag enable-attn-tp-input-scattered enable-broadcast-mm-inputs-process enable-draft-weights-cpu-backup
0.5.5 - flag enable-layerwise-nvtx-marker export-metrics-to-file
0.5.6 0.5.7 flag enable-flashinfer-autotune
0.5.6 0.5.20 flag enable-nsa-prefill-context-parallel
0.5.6 0.5.23 flag enable-fused-qk-norm-rope mm-enable-dp-encoder
0.5.6 - flag enable-torch-compile-debug-mode
0.5.7 0.5.9 flag disaggregation-decode-enable-fake-auto
0.5.7 - flag disable-flashinfer-autotune enable-dynamic-chunking enable-multi-layer-eagle
0.5.7 - flag enable-precise-embedding-interpolation enable-prefix-mm-cache enable-return-routed-experts encoder-only
0.5.7 - flag language-only remote-instance-weight-loader-start-seed-via-transfer-engine
0.5.8 0.5.10 flag disable-hicache-numa-detect
0.5.8 - flag enable-lora-overlap-loading enable-prefill-delayer
0.5.10 0.5.14 flag disable-piecewise-cuda-graph enforce-piecewise-cuda-graph
0.5.10 0.5.20 flag enable-prefill-context-parallel
0.5.10 - flag disable-priority-preemption enable-adaptive-dispatch-to-encoder enable-aiter-allreduce-fusion
0.5.10 - flag enable-elastic-expert-backup enable-fused-moe-sum-all-reduce enable-hisparse enable-mfu-metrics
0.5.10 - flag enable-mm-global-cache enable-ssl-refresh enable-streaming-session
0.5.10 - flag enforce-disable-flashinfer-allreduce-fusion incremental-streaming-output pre-warm-nccl
0.5.10 - flag stream-response-default-include-usage use-ray
0.5.11 0.5.14 flag enable-breakable-cuda-graph
0.5.11 0.5.21 flag elastic-ep-rejoin
0.5.11 0.5.23 flag speculative-skip-dp-mlp-sync
0.5.11 - flag debug-cuda-graph disaggregation-decode-enable-radix-cache enable-dp-attention-local-control-broadcast
0.5.11 - flag enable-http2 enable-mis enable-quant-communications enforce-shared-experts-fusion
0.5.11 - flag lora-use-virtual-experts speculative-adaptive strip-thinking-cache weight-loader-prefetch-checkpoints
0.5.12 0.5.16 flag enable-deepep-waterfill
0.5.12 - flag enable-forward-pass-metrics enable-return-indexer-topk enable-strict-thinking
0.5.12 - flag prefill-only-disable-kv-cache weight-loader-drop-cache-after-load
0.5.13 0.5.20 flag enable-dsa-prefill-context-parallel
0.5.13 - flag disable-attn-tp-gather enable-deepseek-v4-fp4-indexer
0.5.14 - flag disable-decode-cuda-graph disable-prefill-cuda-graph enable-int8-mamba-checkpoint enable-prefill-cp
0.5.14 - flag speculative-use-rejection-sampling
0.5.15 0.5.23 flag enable-tf32-matmul
0.5.15 - flag enable-linear-replayssm enable-mamba-cache-stochastic-rounding enable-page-major-kv-layout
0.5.15 - flag enable-session-radix-cache enable-unified-memory
0.5.16 0.5.20 flag enable-gdn-replayssm-spec
0.5.16 - flag enable-dsa-cache-layer-split enable-flexkv enable-scattered-sconv enable-waterfill smg-grpc-mode
0.5.16 - flag speculative-dspark-align-verify-tokens-to-graph-tier
0.5.17 - flag enable-cp-decode-attn-tp enable-linear-replayssm-spec
0.5.18 - flag language-model-only mlx-enable-sampling trust-mm-content-hashes
0.5.19 - flag enable-dense-mlp-attn-tp enable-layernorm-sp enable-lean-attention enable-shared-experts-attn-tp
0.5.19 - flag enable-w4a4-mxfp4-megamoe
0.5.20 - flag enable-response-store enable-unified-cache-external-linker return-input-ids return-output-ids
0.5.21 0.5.23 flag enable-decoder-swa-bounded-replay
0.5.21 - flag disable-aiter-allreduce-fusion-in-decode disable-aiter-allreduce-fusion-in-prefill
0.5.21 - flag disaggregation-enable-kv-checksum enable-encoder-swa-bounded-replay enable-linker-mla-dedup
0.5.21 - flag enable-pd-role-switch trust-request-chat-template
0.5.22 - flag enable-kv-cache-sharding enable-watermark speculative-use-block-verification
0.5.23 - flag enable-amd-monokernel enable-hierarchical-cache,enable-hicache enable-http-worker-reuseport
0.5.23 - flag enable-megamoe-for-layernorm-sp enable-nvidia-megakernel enable-paged-experts
0.5.23 - flag enable-return-aux-hidden-states
- - float hicache-ratio mem-fraction-static schedule-conservativeness speculative-accept-threshold-acc
- - float speculative-accept-threshold-single swa-full-tokens-ratio watchdog-timeout
0.5.2 - float eplb-min-rebalancing-utilization-threshold gc-warning-threshold-secs tbo-token-distribution-threshold
0.5.3 0.5.7 float load-watch-interval
0.5.3 - float dynamic-batch-tokenizer-batch-timeout mamba-full-memory-ratio
0.5.7 - float soft-watchdog-timeout
0.5.8 - float prefill-delayer-token-usage-low-watermark
0.5.12 - float lora-drain-wait-threshold prefill-delayer-max-delay-ms prefill-delayer-queue-min-ratio
0.5.16 - float elastic-ep-scale-timeout
0.5.21 - float disaggregation-decode-host-receive-threshold hicache-host-memory-fraction
- 0.5.3 int max-micro-batch-size
- 0.5.10 int context-length disaggregation-decode-dp disaggregation-decode-tp disaggregation-prefill-pp
- 0.5.10 int max-prefill-tokens max-total-tokens
- 0.5.11 int ds-heavy-channel-num ds-heavy-token-num ds-sparse-decode-threshold
- 0.5.20 int cuda-graph-max-bs
- - int base-gpu-id chunked-prefill-size cpu-offload-gb data-parallel-size,dp-size decode-log-interval
- - int disaggregation-bootstrap-port dist-timeout ep-num-redundant-experts eplb-rebalance-layers-per-chunk
- - int eplb-rebalance-num-iterations expert-distribution-recorder-buffer-size expert-parallel-size,ep-size,ep
- - int gpu-id-step hicache-size max-loaded-loras max-lora-rank max-loras-per-batch max-queued-requests
- - int max-running-requests moe-dense-tp-size nccl-port nnodes node-rank num-continuous-decode-steps
- - int num-reserved-decode-tokens page-size pipeline-parallel-size,pp-size port random-seed sm-group-num
- - int speculative-eagle-topk speculative-num-draft-tokens speculative-num-steps stream-interval
- - int tensor-parallel-size,tp-size torch-compile-max-bs triton-attention-num-kv-splits
0.5.2 - int max-mamba-cache-size offload-group-size offload-num-in-group offload-prefetch-step
0.5.2 - int scheduler-recv-interval tokenizer-worker-num
0.5.3 0.5.10 int speculative-ngram-branch-length speculative-ngram-max-match-window-size
0.5.3 0.5.10 int speculative-ngram-min-match-window-size
0.5.3 0.5.11 int multi-item-scoring-delimiter
0.5.3 0.5.20 int piecewise-cuda-graph-max-tokens
0.5.3 - int disaggregation-decode-polling-interval dynamic-batch-tokenizer-batch-size pp-max-micro-batch-size
0.5.3 - int priority-scheduling-preemption-threshold remote-instance-weight-loader-seed-instance-service-port
0.5.3 - int speculative-ngram-capacity speculative-ngram-max-bfs-breadth speculative-ngram-min-bfs-breadth
0.5.3 - int triton-attention-split-tile-size
0.5.4 0.5.5 int debug-tensor-dump-layers
0.5.4 0.5.10 int mm-max-concurrent-calls mm-per-request-timeout
0.5.4 - int kt-cpuinfer kt-num-gpu-experts kt-threadpool-count
0.5.5 - int kt-max-deferred-experts-per-token
0.5.7 - int mamba-track-interval pp-async-batch-depth prefill-max-requests
0.5.8 - int prefill-delayer-max-delay-passes
0.5.9 - int attention-context-parallel-size,attn-cp-size moe-data-parallel-size,moe-dp-size
0.5.10 - int default-priority-value engine-info-bootstrap-port speculative-ngram-max-trie-depth
0.5.11 0.5.12 int speculative-dflash-draft-window-size
0.5.11 0.5.16 int grpc-http-sidecar-port
0.5.11 - int batch-notify-size speculative-dflash-block-size speculative-ngram-external-corpus-max-tokens
0.5.11 - int speculative-ngram-external-sam-budget weight-loader-prefetch-num-threads
0.5.12 0.5.13 int speculative-dflash-draft-window-size,speculative-draft-window-size
0.5.12 - int detokenizer-worker-num
0.5.13 0.5.16 int optimistic-prefill-retries
0.5.13 0.5.20 int speculative-dflash-draft-window-size
0.5.13 - int asr-max-buffer-seconds asr-max-concurrent-sessions encoder-bootstrap-port kv-canary-sweep-interval
0.5.13 - int load-snapshot-publish-interval speculative-draft-window-size
0.5.14 - int cuda-graph-max-bs-decode cuda-graph-max-bs-prefill disaggregation-decode-extra-slots
0.5.14 - int int8-mamba-ckpt-size
0.5.15 - int decode-context-parallel-size,dcp-size decoupled-spec-rank linear-replayssm-cache-len
0.5.15 - int mamba-cache-philox-rounds min-free-slots-delay
0.5.16 - int elastic-ep-initial-size elastic-ep-join-rank-offset grpc-http-sidecar-port,smg-http-sidecar-port
0.5.16 - int grpc-port max-ep-size optimistic-prefill-attempts speculative-dspark-block-size
0.5.17 - int dwdp-size mamba-max-states-per-path mm-io-worker-num mm-processor-worker-num weight-cache-timeout
0.5.18 - int c128-page-size http2-max-concurrent-streams media-url-max-file-size-mb mm-preprocess-cache-size-mb
0.5.19 - int gated-launch-port hicache-storage-prefetch-retry-max-attempts
0.5.19 - int hicache-storage-prefetch-retry-poll-interval http2-initial-connection-window-size
0.5.19 - int prefill-decode-interval
0.5.20 - int sampling-mask-max-tokens speculative-domino-candidate-pool-size
0.5.21 - int constrained-json-max-whitespace-cnt cuda-graph-max-seq-len-prefill grpc-response-timeout-secs
0.5.21 - int shared-experts-tp-size speculative-draft-sink-size swa-prefix-tails
0.5.22 - int attention-data-parallel-size,attn-dp-size
0.5.23 - int paged-experts-num-resident prefill-decode-interval-min-bs
0.5.6 - json mm-process-config
0.5.7 - json limit-mm-data-per-request preferred-sampling-params
0.5.9 - json extra-metric-labels
0.5.16 - json default-chat-template-kwargs
0.5.20 - json radix-eviction-policy-config
0.5.23 - json unified-cache-external-linker-config
- 0.5.14 list lora-paths
- 0.5.20 list cuda-graph-bs
- - list bucket-e2e-request-latency bucket-inter-token-latency bucket-time-to-first-token custom-weight-loader
- - list lora-target-modules
0.5.2 - list generation-tokens-buckets numa-node prompt-tokens-buckets
0.5.3 - list tokenizer-metrics-allowed-custom-labels
0.5.5 - list debug-tensor-dump-layers
0.5.7 - list encoder-urls
0.5.8 0.5.20 list piecewise-cuda-graph-tokens
0.5.8 - list log-requests-target prefill-delayer-forward-passes-buckets prefill-delayer-wait-seconds-buckets
0.5.8 - list uvicorn-access-log-exclude-prefixes
0.5.10 - list gc-threshold
0.5.13 - list encoder-register-urls
0.5.14 - list cuda-graph-bs-decode cuda-graph-bs-prefill
0.5.17 - list flashinfer-autotune-skip-ops
0.5.18 - list allowed-media-domains
0.5.23 - list return-aux-hidden-state-layer-ids
- 0.5.8 optional-text hybrid-kvcache-ratio
0.5.8 - optional-text model-checksum
0.5.23 - optional-text monokernel-backend
0.5.10 - size context-length max-prefill-tokens max-total-tokens
0.5.21 - size cuda-graph-prefill-max-context,context-bucket
0.5.10 - switch experts-shared-outer-loras
0.5.11 0.5.13 switch record-nolora-graph
0.5.11 - switch lora-strict-loading
0.5.16 - switch dllm-fdfo
0.5.17 - switch dcp-replicate-q-proj
0.5.18 - switch enable-tp-lm-head-all-to-all
0.5.20 - switch ple-offload-embedding
0.5.22 - switch enable-dsa-fused-indexer speculative-enable-w4a4-mxfp4-megamoe
0.5.23 - switch enable-decoder-swa-bounded-replay enable-fused-qk-norm-rope enable-tf32-matmul mm-enable-dp-encoder
- 0.5.2 text pdlb-url speculative-draft-model-path
- 0.5.3 text lora-backend
- 0.5.7 text preferred-sampling-params
- 0.5.11 text ds-channel-config-path ds-heavy-channel-type
- 0.5.14 text debug-tensor-dump-inject ep-dispatch-algorithm expert-distribution-recorder-mode
- 0.5.18 text torchao-config
- - text api-key chat-template completion-template constrained-json-whitespace-pattern crash-dump-folder
- - text debug-tensor-dump-input-file debug-tensor-dump-output-folder deepep-config device disaggregation-ib-device
- - text dist-init-addr,nccl-init-addr download-dir eplb-algorithm file-storage-path host init-expert-location
- - text json-model-override-args kv-events-config log-level log-level-http model-impl model-loader-extra-config
- - text model-path,model quantization-param-path reasoning-parser revision served-model-name speculative-token-map
- - text tokenizer-path warmups
0.5.2 - text hicache-storage-backend-extra-config offload-mode speculative-draft-model-path,speculative-draft-model
0.5.2 - text speculative-draft-model-revision tool-call-parser tool-server weight-version
0.5.3 0.5.4 text crash-on-nan oltp-traces-endpoint
0.5.3 0.5.8 text piecewise-cuda-graph-tokens
0.5.3 - text config modelopt-checkpoint-restore-path modelopt-checkpoint-save-path modelopt-quant mooncake-ib-device
0.5.3 - text pdmux-config-path remote-instance-weight-loader-seed-instance-ip
0.5.3 - text remote-instance-weight-loader-send-weights-group-ports tokenizer-metrics-custom-labels-header
0.5.4 0.5.5 text kt-amx-method kt-amx-weight-path
0.5.4 - text decrypted-config-file decrypted-draft-config-file modelopt-export-path otlp-traces-endpoint
0.5.5 - text export-metrics-to-file-dir kt-method kt-weight-path
0.5.6 - text dllm-algorithm dllm-algorithm-config fastapi-root-path forward-hooks quantization rl-quant-profile
0.5.7 0.5.14 text custom-sigquit-handler
0.5.7 - text speculative-draft-attention-backend speculative-draft-model-quantization
0.5.8 0.5.10 text hierarchical-sparse-attention-extra-config
0.5.8 - text admin-api-key hf-chat-template-name
0.5.10 0.5.12 text hisparse-config
0.5.10 - text modelexpress-config ssl-ca-certs ssl-certfile ssl-keyfile ssl-keyfile-password
0.5.11 - text msprobe-dump-config speculative-adaptive-config speculative-ngram-external-corpus-path
0.5.12 - text forward-pass-metrics-ipc-name forward-pass-metrics-worker-id
0.5.12 - text hierarchical-sparse-attention-extra-config,hisparse-config model-config-parser speculative-algorithm
0.5.13 - text attention-backend decode-attention-backend kv-canary-real-data lmcache-config-file
0.5.13 - text prefill-attention-backend radix-cache-backend trace-modules
0.5.14 0.5.20 text mamba-scheduler-strategy
0.5.14 - text cuda-graph-config
0.5.15 - text decoupled-spec-bind-endpoint decoupled-spec-connect-endpoints spec-trace-dir
0.5.16 - text flexkv-config-file sidecar sidecar-args speculative-dspark-confidence-sts-path
0.5.16 - text speculative-dspark-sps-table-path
0.5.17 0.5.20 text custom-sigquit-handler stat-loggers
0.5.17 - text linear-attn-verify-backend weight-cache-socket
0.5.19 - text load-publish-endpoint sampling-backend
0.5.20 - text ple-offload-dir uno-lora-path
0.5.21 - text otlp-service-name
0.5.22 - text watermark-config
0.5.23 - text moe-runner-backend speculative-moe-runner-backend
""",
)
