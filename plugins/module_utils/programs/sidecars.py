# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The flags and connectors of the routing sidecar that stands before a model server, by version."""

from __future__ import annotations

from .tables import Table

VERSIONS = ((0, 4), (0, 5), (0, 6), (0, 7), (0, 8), (0, 9), (0, 10))
FLAGS = Table(
    "the routing sidecar",
    "llm-d/llm-d-router vVERSION, cmd/pd-sidecar and pkg/sidecar/proxy",
    VERSIONS,
    """
- 0.10 bool decoder-tls-insecure-skip-verify decoder-use-tls prefiller-tls-insecure-skip-verify prefiller-use-tls
- - bool enable-prefiller-sampling enable-ssrf-protection secure-proxy zap-devel
0.9 - bool moriio-parallel-dispatch moriio-write-mode tracing
0.10 - bool enable-p2p-pull
- - choice:console|json zap-encoder
- 0.6 choice:nixlv2|lmcache|sglang connector
0.6 0.9 choice:nixlv2|shared-storage|sglang connector
0.7 0.9 choice:nixlv2|shared-storage|sglang kv-connector
0.9 0.10 choice:nixlv2|shared-storage|sglang|mooncake connector kv-connector
0.10 - choice:nixlv2|shared-storage|sglang|mooncake|offloading kv-connector
0.9 - duration prefill-retry-backoff
0.10 - duration moriio-parallel-decode-wait-timeout
- - int data-parallel-size
0.8 - int max-idle-conns-per-host
0.9 - int decode-chunk-size mooncake-bootstrap-port moriio-decode-handshake-port moriio-decode-notify-port
0.9 - int moriio-dp-size moriio-dp-size-local moriio-prefill-handshake-port moriio-prefill-notify-port
0.9 - int moriio-tp-size prefill-max-retries
0.10 - int metrics-port p2p-connector-port
- - int[1,65535] port vllm-port
0.10 - int[1,65535] model-server-port
- 0.9 text inference-pool-name inference-pool-namespace
- - text cert-path kubeconfig zap-log-level zap-stacktrace-level zap-time-encoding
0.5 - text pool-group
0.7 - text ec-connector enable-tls inference-pool tls-insecure-skip-verify
0.9 - text configuration configuration-file moriio-decode-hosts moriio-local-pod-ip moriio-remote-hosts
""",
)
