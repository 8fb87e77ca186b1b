# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole orchestrator.yaml in the structure of LLM-Orchestrator's guide, without its mistakes, and its hosts."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import plain_yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.configuration import (
    ConfigInput,
    Configuration,
    work_out,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.settings import Servers

WHOLE: dict[str, t.Any] = plain_yaml.load("""
server:
  mode: api
  host: 0.0.0.0
  port: {http: 8080, grpc: 50051}
  tls: {enabled: true, cert_file: /etc/pki/own/server.crt, key_file: /etc/pki/own/server.key}
database:
  type: postgresql
  url: "${DATABASE_URL}"
  pool: {max_connections: 12, min_connections: 2, connection_timeout: 20s}
  migrations: {auto_run: false}
cache: {type: redis, url: "${REDIS_URL}", pool_size: 8, ttl: 1800s}
execution:
  scheduler: {max_parallel_workflows: 50, task_queue_size: 500, scheduling_interval: 2s}
  executor: {worker_threads: 4, max_blocking_threads: 60, task_timeout: 900s}
  resources: {cpu_limit: 4.0, memory_limit: 6Gi, gpu_limit: 0}
fault_tolerance:
  checkpoint: {enabled: true, interval: 45s, storage: "s3://own-checkpoints/"}
  retry:
    {default_max_attempts: 4, default_backoff_multiplier: 1.5, default_initial_interval: 2s, default_max_interval: 20s}
  circuit_breaker: {enabled: true, failure_threshold: 6, timeout: 90s}
integrations:
  llm_forge:
    endpoint: http://forge.example:8080
    api_keys: {anthropic: "${ANTHROPIC_API_KEY}", openai: "${OPENAI_API_KEY}"}
    timeout: 40s
  llm_test_bench: {endpoint: "http://bench.example:8081", auto_evaluate: true}
  llm_auto_optimizer: {endpoint: "http://optimizer.example:8082", batch_size: 50, flush_interval: 20s}
  llm_governance: {endpoint: "https://governance.example", enforce_policies: true}
observability:
  logging: {level: info, format: json, output: stdout}
  metrics: {enabled: true, endpoint: /metrics, port: 9090}
  tracing: {enabled: true, exporter: jaeger, endpoint: "http://jaeger.example:14268/api/traces", sample_rate: 0.2}
security:
  authentication: {enabled: true, provider: jwt, jwt_secret: "${JWT_SECRET}", jwt_expiry: 1800s}
  authorization: {enabled: true, policy_file: /etc/llm-orchestrator/policies.yaml}
  audit: {enabled: true, level: full, storage: database}
""")
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://own:one%20word@db1.example,db2.example/own",
    "REDIS_URL": "rediss://:other-word@cache.example:6380/0",
    "NATS_URL": "tls://queue1.example:4222,tls://queue2.example:4222",
    "JWT_SECRET": "Zm9ydHktdHdvIGNoYXJhY3RlcnMgb2YgZW50cm9weQ",
    "ANTHROPIC_API_KEY": "one-provider-key",
    "OPENAI_API_KEY": "other-provider-key",
}
SERVERS = {"mode": "api", "count": 5, "database_max_connections": 100, "cpus": 4.0, "memory": 8.0 * 1024**3}
# Stands for a key that is removed.
GONE = object()


def worked_out(edits: t.Mapping[str, t.Any] | None = None, whole: t.Any = WHOLE, **more: t.Any) -> Configuration:
    """Return the configuration with edits: values by key; $NAME is an environment variable, @name one of SERVERS."""
    config, environment, servers = copy.deepcopy(whole), dict(ENVIRONMENT), dict(SERVERS)
    for path, value in (edits or {}).items():
        if path[0] in "$@":
            place: t.Any = environment if path[0] == "$" else servers
            last = path[1:]
        else:
            *above, last = path.split(".")
            place = config
            for name in above:
                place = place.setdefault(name, {})
        if value is GONE:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return work_out(ConfigInput(Servers(**servers), config, environment=environment, **more))


def told(found: Configuration) -> list[tuple[str, str]]:
    """Return the rule and the key of each finding."""
    return [(finding.rule, finding.path) for finding in found.findings]


def texts(findings: t.Iterable[Finding]) -> str:
    """Return findings for a reader of a failed test."""
    return "\n".join(finding.text() for finding in findings)
