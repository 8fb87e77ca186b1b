# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The checks of the rules about orchestrator.yaml: each yields what disagrees, rules.py says why that matters."""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from .keys import PORTS
from .references import PLACEHOLDERS, is_reference, referenced
from .settings import Settings
from .units import seconds, shown, size

# superuser_reserved_connections, PostgreSQL's default.
RESERVED = 3
# RFC 7518, section 3.2: HS256 takes a key of at least 256 bits.
SHORTEST = 32


class Hit(t.NamedTuple):
    """What a rule finds: a key ("" for the file, "$NAME" for an environment variable), and what to write instead."""

    path: str
    message: str
    hint: str = ""


Check = t.Callable[[Settings], t.Iterator[Hit]]


def sqlite_pool(settings: Settings) -> t.Iterator[Hit]:
    if settings.get("database.type") == "sqlite" and settings.is_given("database.pool"):
        yield Hit("database.pool", "SQLite has no pool of connections")


def database_url(settings: Settings) -> t.Iterator[Hit]:
    kind, url = settings.get("database.type"), settings.resolved("database.url")
    scheme = url.partition(":")[0].replace("postgres", "postgresql").replace("postgresqlql", "postgresql")
    if url and scheme != kind:
        yield Hit("database.url", f"is a URL of {scheme}, but database.type is {kind}", f"use a URL of {kind}")


def shared_sqlite(settings: Settings) -> t.Iterator[Hit]:
    servers = settings.servers
    if settings.get("database.type") == "sqlite" and not servers.alone:
        who = f"{servers.count} servers" if servers.count > 1 else f"a server in {servers.mode} mode"
        yield Hit("database.type", f"{who} cannot share a SQLite file")


def connections(settings: Settings) -> t.Iterator[Hit]:
    most, each, count = (
        settings.servers.database_max_connections,
        settings.get("database.pool.max_connections"),
        settings.servers.count,
    )
    if settings.get("database.type") != "postgresql" or most is None or each is None:
        return
    left = most - RESERVED
    if each * count > left:
        fits = f"use at most {left // count}" if left >= count else "raise max_connections of PostgreSQL"
        message = f"{count} x {each} connections are more than the {left} that PostgreSQL has for them"
        yield Hit("database.pool.max_connections", message, f"{fits}, or raise max_connections of PostgreSQL")


def order(low: str, high: str, measure: t.Callable[[t.Any], float | None]) -> Check:
    def check(settings: Settings) -> t.Iterator[Hit]:
        one, other = settings.get(low), settings.get(high)
        least, most = measure(one), measure(other)
        if least is not None and most is not None and least > most:
            yield Hit(low, f"{one} is more than {high}, {other}", f"use at most {other}")

    return check


def number(value: t.Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def memory_cache(settings: Settings) -> t.Iterator[Hit]:
    if settings.get("cache.type") == "memory":
        if not settings.servers.alone:
            yield Hit("cache.type", "servers that share a database cannot have a cache each", "use redis")
        for key in ("cache.url", "cache.pool_size"):
            if settings.is_given(key):
                yield Hit(key, "means nothing to a cache in memory", "remove it, or use cache.type: redis")


def threads(settings: Settings) -> t.Iterator[Hit]:
    cpus, threads = settings.servers.cpus, settings.get("execution.executor.worker_threads")
    if cpus and threads and threads > cpus:
        yield Hit(
            "execution.executor.worker_threads", f"{threads} threads share {cpus:g} CPUs", f"use {max(1, int(cpus))}"
        )


def cpu_limit(settings: Settings) -> t.Iterator[Hit]:
    cpus, limit = settings.servers.cpus, settings.get("execution.resources.cpu_limit")
    if cpus and limit and limit > cpus:
        yield Hit(
            "execution.resources.cpu_limit", f"is {limit:g}, but there are {cpus:g} CPUs", f"use at most {cpus:g}"
        )


def memory_limit(settings: Settings) -> t.Iterator[Hit]:
    memory, limit = settings.servers.memory, size(settings.get("execution.resources.memory_limit"))
    if memory and limit and limit > memory:
        given = settings.get("execution.resources.memory_limit")
        hint = f"use at most {int(memory // 1024**2)}Mi"
        yield Hit("execution.resources.memory_limit", f"is {given}, but there is {shown(memory)}", hint)


def tls(settings: Settings) -> t.Iterator[Hit]:
    files = {key: settings.get(f"server.tls.{key}") for key in ("cert_file", "key_file")}
    if settings.get("server.tls.enabled"):
        for key, file in files.items():
            if not file:
                yield Hit(f"server.tls.{key}", "is missing, but server.tls.enabled is true", "set it, or disable TLS")
        if files["cert_file"] and files["cert_file"] == files["key_file"]:
            yield Hit("server.tls.key_file", "is the certificate's file", "use the file of the private key")
    else:
        for key, file in files.items():
            if file:
                yield Hit(f"server.tls.{key}", "is set, but server.tls.enabled is false", "enable TLS, or remove it")


def ports(settings: Settings) -> t.Iterator[Hit]:
    taken: dict[int, str] = {}
    for path in PORTS:
        port = settings.get(path)
        if port in taken:
            yield Hit(path, f"{port} is the port of {taken[port]} too", "use another port")
        elif port:
            taken[port] = path


def low_ports(settings: Settings) -> t.Iterator[Hit]:
    for path in PORTS:
        port = settings.get(path)
        if port and port < 1024:
            yield Hit(path, f"{port} is a port that only root may listen on", "use a port from 1024 on")


def metrics_path(settings: Settings) -> t.Iterator[Hit]:
    path = settings.get("observability.metrics.endpoint")
    if path in ("/", "/health", "/ready"):
        yield Hit("observability.metrics.endpoint", f"{path} is not a path for metrics", "use /metrics")


def tracing(settings: Settings) -> t.Iterator[Hit]:
    enabled, endpoint = (settings.get(f"observability.tracing.{key}") for key in ("enabled", "endpoint"))
    if enabled and not endpoint:
        exporter = settings.get("observability.tracing.exporter")
        hint = "set it, for example http://jaeger:14268/api/traces, or disable tracing"
        yield Hit("observability.tracing.endpoint", f"is missing, but traces are exported to {exporter}", hint)


def storage(settings: Settings) -> t.Iterator[Hit]:
    enabled, storage = (settings.get(f"fault_tolerance.checkpoint.{key}") for key in ("enabled", "storage"))
    if not enabled:
        return
    path = "fault_tolerance.checkpoint.storage"
    if not storage:
        yield Hit(path, "is missing, but checkpoints are enabled", "set s3://BUCKET/, or disable checkpoints")
    elif storage.startswith("file:") and not settings.servers.alone:
        yield Hit(path, "is a folder of one host, but another server has to find the checkpoints", "use s3://BUCKET/")
    elif re.match(r"s3:///|s3://[^/]*[^a-z0-9./-]", storage):
        yield Hit(path, f"{storage} has no valid name of a bucket", "use s3://BUCKET/, in lower-case letters")


def jwt(settings: Settings) -> t.Iterator[Hit]:
    path = "security.authentication.jwt_secret"
    if not settings.get("security.authentication.enabled"):
        return
    if settings.get("security.authentication.provider") != "jwt":
        return
    secret = settings.resolved(path)
    if not settings.get(path):
        yield Hit(path, "is missing, but authentication is by JWT")
    elif secret and len(secret) < SHORTEST and not PLACEHOLDERS.fullmatch(secret):
        yield Hit(path, f"the secret has {len(secret)} characters, at least {SHORTEST} are needed")


def other_providers(settings: Settings) -> t.Iterator[Hit]:
    provider = settings.get("security.authentication.provider")
    if provider in ("oauth2", "api-key"):
        yield Hit("security.authentication.provider", f"the guide names no settings for {provider}")
        for key in ("jwt_secret", "jwt_expiry"):
            if settings.is_given(f"security.authentication.{key}"):
                yield Hit(f"security.authentication.{key}", f"means nothing to {provider}", "remove it, or use jwt")


def authorization(settings: Settings) -> t.Iterator[Hit]:
    if settings.get("security.authorization.enabled"):
        if not settings.get("security.authorization.policy_file"):
            yield Hit("security.authorization.policy_file", "is missing, but authorization is enabled", "set it")
        if not settings.get("security.authentication.enabled"):
            yield Hit("security.authorization.enabled", "unknown callers cannot be authorized")


def on_the_network(settings: Settings) -> t.Iterator[Hit]:
    local = str(settings.get("server.host")).startswith(("127.", "localhost", "::1"))
    if not settings.get("security.authentication.enabled") and not local:
        yield Hit("security.authentication.enabled", "is false, but the server listens on the network")


def migrations(settings: Settings) -> t.Iterator[Hit]:
    if settings.get("database.migrations.auto_run") and not settings.servers.alone:
        yield Hit("database.migrations.auto_run", "several servers would migrate the database at the same time")


def unset(settings: Settings) -> t.Iterator[Hit]:
    for path, name in referenced(settings.values):
        if name not in settings.environment:
            yield Hit(".".join(map(str, path)), f"refers to {name}, but no such environment variable is set",
                      f"set it in orchestrator_secrets: {{{name}: …}}")  # fmt: skip


def placeholders(settings: Settings) -> t.Iterator[Hit]:
    for name, value in settings.environment.items():
        if value and PLACEHOLDERS.fullmatch(str(value)):
            yield Hit(f"${name}", "is a placeholder of a guide, not a secret")


def variable_names(settings: Settings) -> t.Iterator[Hit]:
    for name in settings.environment:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(name)):
            yield Hit(
                f"${name}", f"{name!r} is not a valid name of an environment variable", "use one such as JWT_SECRET"
            )


# Environment variables of the guide that say what a key of the file says too.
_TWICE = {
    "DATABASE_URL": "database.url",
    "REDIS_URL": "cache.url",
    "TLS_CERT_FILE": "server.tls.cert_file",
    "TLS_KEY_FILE": "server.tls.key_file",
    "JAEGER_ENDPOINT": "observability.tracing.endpoint",
    "ORCHESTRATOR_MODE": "server.mode",
    "WORKER_THREADS": "execution.executor.worker_threads",
}


def twice(settings: Settings) -> t.Iterator[Hit]:
    for name, path in _TWICE.items():
        value, other = settings.environment.get(name), settings.get(path)
        said = settings.resolved(path) if is_reference(other) else str(other)
        if value and other is not None and said not in ("", str(value)):
            hint = f"remove {name} from the environment, or write ${{{name}}} into the file"
            yield Hit(path, f"the environment variable {name} says something else", hint)


def queue(settings: Settings) -> t.Iterator[Hit]:
    url = settings.environment.get("NATS_URL")
    if settings.servers.needs_queue and "NATS_URL" not in settings.environment:
        yield Hit("$NATS_URL", f"is missing, but a server in {settings.servers.mode} mode works through NATS",
                  "set it in orchestrator_secrets: {NATS_URL: nats://HOST:4222}")  # fmt: skip
    elif url and any(not re.match(r"(nats|tls|ws|wss)://[^\s/]+", one) for one in url.split(",")):
        yield Hit("$NATS_URL", "is not a URL of NATS", "use nats://HOST:4222 or tls://HOST:4222")


def local(settings: Settings) -> t.Iterator[Hit]:
    if settings.servers.count < 2:
        return
    urls = {"database.url": settings.resolved("database.url"), "cache.url": settings.resolved("cache.url")}
    for path, url in {**urls, "$NATS_URL": settings.environment.get("NATS_URL", "")}.items():
        if _host(url) in ("localhost", "127.0.0.1", "::1"):
            yield Hit(path, f"each of the {settings.servers.count} servers would look for it on its own host",
                      "use an address that all of them reach")  # fmt: skip


def _host(url: str) -> str | None:
    try:
        return urllib.parse.urlsplit(url.partition(",")[0]).hostname
    except ValueError:
        return None


def checkpoint_interval(settings: Settings) -> t.Iterator[Hit]:
    interval = seconds(settings.get("fault_tolerance.checkpoint.interval"))
    timeout = seconds(settings.get("execution.executor.task_timeout"))
    if interval and timeout and interval > timeout:
        given = settings.get("fault_tolerance.checkpoint.interval")
        yield Hit("fault_tolerance.checkpoint.interval", f"{given} is longer than any task may take, "
                  f"{settings.get('execution.executor.task_timeout')}", "use a shorter one")  # fmt: skip


def zero_times(settings: Settings) -> t.Iterator[Hit]:
    for path in ZERO:
        if seconds(settings.get(path)) == 0:
            yield Hit(path, f"{settings.get(path)} is not a time to wait", "use 1s or more")


ZERO = (
    "database.pool.connection_timeout",
    "execution.scheduler.scheduling_interval",
    "execution.executor.task_timeout",
    "fault_tolerance.checkpoint.interval",
    "fault_tolerance.circuit_breaker.timeout",
    "integrations.llm_forge.timeout",
    "integrations.llm_auto_optimizer.flush_interval",
    "security.authentication.jwt_expiry",
)


def other_mode(settings: Settings) -> t.Iterator[Hit]:
    given = settings.given.get("server", {})
    mode = given.get("mode") if isinstance(given, dict) else None
    if mode and mode != settings.get("server.mode"):
        yield Hit("server.mode", f"is {mode}, but this server's mode is {settings.get('server.mode')}")
