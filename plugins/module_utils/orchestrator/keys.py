# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The keys of orchestrator.yaml: what each may hold, what it is by default and when it matters.

From LLM-Orchestrator's deployment guide, version 1.0. No released program reads this file yet, so the guide is the only
source there is.
"""

from __future__ import annotations

import dataclasses
import typing as t

# A whole value that stands for an environment variable.
REFERENCE = r"\$\{[A-Z_][A-Z0-9_]*\}"
API, WORKER, STANDALONE, EDGE = "api", "worker", "standalone", "edge"
MODES = (API, WORKER, STANDALONE, EDGE)
STATE = "/var/lib/llm-orchestrator"


@dataclasses.dataclass(frozen=True)
class ValueKind:
    """What a value has to be: JSON schema, as people say it, and an example that fits."""

    schema: dict[str, t.Any]
    says: str
    example: str = ""


def _text(pattern: str, says: str, example: str) -> ValueKind:
    return ValueKind({"type": "string", "pattern": rf"^({pattern}|{REFERENCE})$"}, says, example)


def _number(kind: str, least: float, most: float | None = None, example: str = "1") -> ValueKind:
    limits = {"minimum": least, **({} if most is None else {"maximum": most})}
    name = "an integer" if kind == "integer" else "a number"
    span = f"of at least {least:g}" if most is None else f"from {least:g} to {most:g}"
    return ValueKind({"type": kind, **limits}, f"{name} {span}", example)


def _choice(*choices: str) -> ValueKind:
    return ValueKind({"type": "string", "enum": list(choices)}, f"one of {', '.join(choices)}", choices[0])


FLAG = ValueKind({"type": "boolean"}, "true or false", "true")
TIME = _text(r"[0-9]+(ms|s|m|h|d)", "a time with its unit", "30s")
SIZE = _text(r"[0-9]+(\.[0-9]+)?([KMGT]i?)?", "a size with its unit", "16Gi")
PORT = _number("integer", 1, 65535, "8080")
COUNT = _number("integer", 1)
FROM_ZERO = _number("integer", 0, None, "0")
SHARE = _number("number", 0, 1, "0.1")
FILE = _text(r"/[^\s\0]*", "an absolute path", "/etc/llm-orchestrator/tls/tls.crt")
URL_PATH = _text(r"/[A-Za-z0-9._~/-]*", "a path of the HTTP server", "/metrics")
ADDRESS = _text(r"[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?", "an address or host name", "0.0.0.0")
HTTP = _text(r"https?://[^\s/]+\S*", "an http or https URL", "http://llm-forge:8080")
DATABASE = _text(r"(postgres(ql)?|sqlite):\S+", "a URL of PostgreSQL or SQLite", "${DATABASE_URL}")
REDIS = _text(r"(rediss?|redis-sentinel):\S+", "a URL of Redis", "${REDIS_URL}")
STORAGE = _text(r"(s3://|file:///)\S+", "an s3:// or file:/// URL", "s3://checkpoints/")
SECRET = ValueKind({"type": "string", "minLength": 1}, "a reference to an environment variable", "${JWT_SECRET}")


@dataclasses.dataclass(frozen=True)
class Key:
    """One key.

    default: None for none; modes: other defaults by mode; when: the key and value without which it means nothing;
    secret: the environment variable that holds it, where it is secret or may hold a password.
    """

    path: str
    kind: ValueKind
    says: str
    default: t.Any = None
    modes: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    when: tuple[str, t.Any] | None = None
    secret: str = ""

    def default_in(self, mode: str) -> t.Any:
        """Return the default of a mode, None for none."""
        return self.modes.get(mode, self.default)


_ALONE = (STANDALONE, EDGE)
_POOL = ("database.type", "postgresql")
_REDIS = ("cache.type", "redis")
_CHECKPOINT = ("fault_tolerance.checkpoint.enabled", True)
_TLS = ("server.tls.enabled", True)
_JWT = ("security.authentication.provider", "jwt")
_TRACING = ("observability.tracing.enabled", True)

KEYS = (
    Key("server.mode", _choice(API, WORKER, STANDALONE), "What this server does.", None, {
        API: API, WORKER: WORKER, STANDALONE: STANDALONE, EDGE: STANDALONE}),
    Key("server.host", ADDRESS, "Address that it listens on.", "0.0.0.0"),
    Key("server.port.http", PORT, "Port of HTTP: API, `/health` and `/ready`.", 8080),
    Key("server.port.grpc", PORT, "Port of gRPC.", 50051),
    Key("server.tls.enabled", FLAG, "Whether HTTP and gRPC speak TLS.", False),
    Key("server.tls.cert_file", FILE, "Certificate with its chain.", None, when=_TLS),
    Key("server.tls.key_file", FILE, "Its private key.", None, when=_TLS),
    Key("database.type", _choice("postgresql", "sqlite"), "Kind of database.", "postgresql",
        dict.fromkeys(_ALONE, "sqlite")),
    Key("database.url", DATABASE, "Where it is; a URL with a password is moved to the environment.", "${DATABASE_URL}",
        secret="DATABASE_URL"),
    Key("database.pool.max_connections", COUNT, "Most connections of this server.", 20, when=_POOL),
    Key("database.pool.min_connections", FROM_ZERO, "Connections that stay open.", 5, when=_POOL),
    Key("database.pool.connection_timeout", TIME, "How long to wait for one.", "30s", when=_POOL),
    Key("database.migrations.auto_run", FLAG,
        "Whether a server that starts migrates the database. The roles run `db init` once instead.", False),
    Key("cache.type", _choice("redis", "memory"), "Kind of cache.", "redis", dict.fromkeys(_ALONE, "memory")),
    Key("cache.url", REDIS, "Where Redis is; a URL with a password is moved to the environment.", "${REDIS_URL}",
        when=_REDIS, secret="REDIS_URL"),
    Key("cache.pool_size", COUNT, "Most connections to Redis.", 10, when=_REDIS),
    Key("cache.ttl", TIME, "How long an entry is kept.", "3600s"),
    Key("execution.scheduler.max_parallel_workflows", COUNT, "Workflows that run at the same time.", 100),
    Key("execution.scheduler.task_queue_size", COUNT, "Tasks that may wait.", 1000),
    Key("execution.scheduler.scheduling_interval", TIME, "How often tasks are handed out.", "1s"),
    Key("execution.executor.worker_threads", COUNT, "Threads that run tasks; at most the host's CPUs by default.", 8),
    Key("execution.executor.max_blocking_threads", COUNT, "Threads for calls that block.", 100),
    Key("execution.executor.task_timeout", TIME, "Longest time of a task.", "3600s"),
    Key("execution.resources.cpu_limit", _number("number", 0.1, None, "8.0"),
        "CPUs that tasks may use; by default all of the host's, where that is known."),
    Key("execution.resources.memory_limit", SIZE,
        "Memory that tasks may use; by default all of the host's, where that is known."),
    Key("execution.resources.gpu_limit", FROM_ZERO, "GPUs that tasks may use.", 0),
    Key("fault_tolerance.checkpoint.enabled", FLAG, "Whether the state of running workflows is kept.", False,
        dict.fromkeys(_ALONE, True)),
    Key("fault_tolerance.checkpoint.interval", TIME, "How often.", "60s", when=_CHECKPOINT),
    Key("fault_tolerance.checkpoint.storage", STORAGE, "Where; several servers need one place for all.", None,
        dict.fromkeys(_ALONE, f"file://{STATE}/checkpoints"), when=_CHECKPOINT),
    Key("fault_tolerance.retry.default_max_attempts", COUNT, "How often a task is tried.", 3),
    Key("fault_tolerance.retry.default_backoff_multiplier", _number("number", 1, None, "2.0"),
        "By how much each wait is longer than the one before.", 2.0),
    Key("fault_tolerance.retry.default_initial_interval", TIME, "The first wait.", "1s"),
    Key("fault_tolerance.retry.default_max_interval", TIME, "The longest wait.", "30s"),
    Key("fault_tolerance.circuit_breaker.enabled", FLAG, "Whether calls to what keeps failing are stopped.", True),
    Key("fault_tolerance.circuit_breaker.failure_threshold", COUNT, "After how many failures.", 5,
        when=("fault_tolerance.circuit_breaker.enabled", True)),
    Key("fault_tolerance.circuit_breaker.timeout", TIME, "For how long.", "60s",
        when=("fault_tolerance.circuit_breaker.enabled", True)),
    Key("integrations.llm_forge.endpoint", HTTP, "LLM-Forge, which calls the models."),
    Key("integrations.llm_forge.api_keys.*", SECRET, "API key of a provider, by its name: `anthropic`, `openai`.",
        secret="{}_API_KEY"),
    Key("integrations.llm_forge.timeout", TIME, "Longest time of a call.", "60s"),
    Key("integrations.llm_test_bench.endpoint", HTTP, "LLM-Test-Bench."),
    Key("integrations.llm_test_bench.auto_evaluate", FLAG, "Whether every answer is evaluated.", True),
    Key("integrations.llm_auto_optimizer.endpoint", HTTP, "LLM-Auto-Optimizer."),
    Key("integrations.llm_auto_optimizer.batch_size", COUNT, "Measurements that are sent together.", 100),
    Key("integrations.llm_auto_optimizer.flush_interval", TIME, "How often they are sent.", "30s"),
    Key("integrations.llm_governance.endpoint", HTTP, "LLM-Governance."),
    Key("integrations.llm_governance.enforce_policies", FLAG, "Whether what it forbids is stopped.", True),
    Key("observability.logging.level", _choice("trace", "debug", "info", "warn", "error"), "Least level.", "info"),
    Key("observability.logging.format", _choice("json", "text"), "Form of a line.", "json"),
    Key("observability.logging.output", _choice("stdout", "stderr"), "Where lines go.", "stdout"),
    Key("observability.metrics.enabled", FLAG, "Whether there are metrics.", True),
    Key("observability.metrics.endpoint", URL_PATH, "Their path.", "/metrics",
        when=("observability.metrics.enabled", True)),
    Key("observability.metrics.port", PORT, "Their port.", 9090, when=("observability.metrics.enabled", True)),
    Key("observability.tracing.enabled", FLAG, "Whether traces are sent.", False),
    Key("observability.tracing.exporter", _choice("jaeger", "otlp"), "How.", "jaeger", when=_TRACING),
    Key("observability.tracing.endpoint", HTTP, "Where to.", None, when=_TRACING),
    Key("observability.tracing.sample_rate", SHARE, "Share of the workflows that are traced.", 0.1, when=_TRACING),
    Key("security.authentication.enabled", FLAG, "Whether callers have to say who they are.", True),
    Key("security.authentication.provider", _choice("jwt", "oauth2", "api-key"), "How.", "jwt",
        when=("security.authentication.enabled", True)),
    Key("security.authentication.jwt_secret", SECRET, "What tokens are signed with.", "${JWT_SECRET}", when=_JWT,
        secret="JWT_SECRET"),
    Key("security.authentication.jwt_expiry", TIME, "How long a token is valid.", "3600s", when=_JWT),
    Key("security.authorization.enabled", FLAG, "Whether a policy says what callers may do.", False),
    Key("security.authorization.policy_file", FILE, "The policy.", None, when=("security.authorization.enabled", True)),
    Key("security.audit.enabled", FLAG, "Whether calls are recorded.", True),
    Key("security.audit.level", _choice("minimal", "standard", "full"), "How much of them.", "standard",
        when=("security.audit.enabled", True)),
    Key("security.audit.storage", _choice("database", "stdout"), "Where.", "database",
        when=("security.audit.enabled", True)),
)  # fmt: skip
BY_PATH = {key.path: key for key in KEYS}
# Sections that are left out unless they are given.
OPTIONAL = tuple(
    dict.fromkeys(".".join(key.path.split(".")[:2]) for key in KEYS if key.path.startswith("integrations."))
)
# Ports that a server listens on.
PORTS = ("server.port.http", "server.port.grpc", "observability.metrics.port")


def steps(path: str) -> tuple[str, ...]:
    """Return a key's path as a tuple."""
    return tuple(path.split("."))


def key_at(path: t.Sequence[t.Any]) -> Key | None:
    """Return the key at a path, None for a section or for none."""
    text = ".".join(map(str, path))
    return BY_PATH.get(text) or BY_PATH.get(".".join([*map(str, path[:-1]), "*"]))
