# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What the keys of orchestrator.yaml have to agree in, with each other, with the hosts and with the environment."""

from __future__ import annotations

import dataclasses

from ..base.findings import ERROR, WARNING
from . import checks
from .checks import Check
from .units import seconds

_RETRY = "fault_tolerance.retry.default"
_SCHEDULER = "execution.scheduler"
GUIDE = "LLM-Orchestrator, deployment guide 1.0"


@dataclasses.dataclass(frozen=True)
class ConfigRule:
    """A rule as the page of rules has it; check: None for what is found before rules are asked."""

    id: str
    title: str
    check: Check | None
    meaning: str
    failure: str
    remedy: str
    source: str = GUIDE
    severity: str = ERROR


RULES = (
    ConfigRule(
        "LLMD910",
        "Keys of orchestrator.yaml are known",
        None,
        "Every key is one that the guide's file has.",
        "It is ignored, and what it was meant to set keeps its default.",
        "write the key that was meant, or remove it",
    ),
    ConfigRule(
        "LLMD911",
        "Values of orchestrator.yaml have their type",
        None,
        "Texts, numbers, flags and maps are where the guide's file has them.",
        "The server does not start.",
        "write a value of that type",
    ),
    ConfigRule(
        "LLMD912",
        "Choices of orchestrator.yaml are known",
        None,
        "A value of a key with choices is one of them.",
        "The server does not start.",
        "use one of the choices",
    ),
    ConfigRule(
        "LLMD913",
        "Times, sizes, paths and URLs are written as such",
        None,
        "Times and sizes have a unit, paths are absolute, URLs have the scheme of what they lead to.",
        "The server does not start, or takes seconds for minutes.",
        "write it as the example that is named",
    ),
    ConfigRule(
        "LLMD914",
        "Numbers of orchestrator.yaml are in their limits",
        None,
        "Ports are 1 to 65535, shares 0 to 1, counts at least 1.",
        "The server does not start.",
        "use a number in these limits",
    ),
    ConfigRule(
        "LLMD915",
        "Keys that a section needs are there",
        None,
        "An integration has an endpoint.",
        "It is not called.",
        "add the key",
    ),
    ConfigRule(
        "LLMD916",
        "The mode is that of the host",
        checks.other_mode,
        "server.mode is set by the role and the host's group; one in the file says the same.",
        "The role's mode is used.",
        "remove server.mode",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD920",
        "SQLite has no pool",
        checks.sqlite_pool,
        "database.pool is for PostgreSQL.",
        "The pool is ignored, or the server does not start.",
        "remove database.pool, or use database.type: postgresql",
    ),
    ConfigRule(
        "LLMD921",
        "The database's URL is of its type",
        checks.database_url,
        "database.url, or DATABASE_URL, has the scheme of database.type.",
        "The server does not start.",
        "use a URL of that database",
    ),
    ConfigRule(
        "LLMD922",
        "A database of several servers is PostgreSQL",
        checks.shared_sqlite,
        "SQLite is used by one standalone server.",
        "Servers do not see each other's workflows.",
        "use database.type: postgresql, or one standalone server",
    ),
    ConfigRule(
        "LLMD923",
        "PostgreSQL has connections for all servers",
        checks.connections,
        "Pool sizes of all servers together fit into max_connections, less three that are reserved.",
        "Servers wait for connections and fail once all are taken.",
        "use smaller pools, or raise max_connections",
        "PostgreSQL, max_connections and superuser_reserved_connections",
    ),
    ConfigRule(
        "LLMD924",
        "A pool's minimum is at most its maximum",
        checks.order("database.pool.min_connections", "database.pool.max_connections", checks.number),
        "min_connections is not above max_connections.",
        "The server does not start.",
        "use a smaller minimum",
    ),
    ConfigRule(
        "LLMD925",
        "Servers share their cache",
        checks.memory_cache,
        "Servers that share a database share a Redis; a cache in memory has neither URL nor pool.",
        "Each server has a cache of its own, which the others do not clear.",
        "use cache.type: redis",
    ),
    ConfigRule(
        "LLMD926",
        "The database is migrated once",
        checks.migrations,
        "migrations.auto_run is false where there are several servers.",
        "Servers that start together change the tables at the same time.",
        "set it to false: the roles run db init once",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD930",
        "Threads have a CPU each",
        checks.threads,
        "worker_threads is at most the number of CPUs.",
        "Tasks take turns, and each takes longer.",
        "use as many as there are CPUs",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD931",
        "The CPU limit is at most what there is",
        checks.cpu_limit,
        "cpu_limit is at most the number of CPUs.",
        "The limit never applies.",
        "use a smaller one",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD932",
        "The memory limit is at most what there is",
        checks.memory_limit,
        "memory_limit is at most the host's or container's memory.",
        "The kernel kills the server under load.",
        "use a smaller one",
    ),
    ConfigRule(
        "LLMD933",
        "The queue holds what runs",
        checks.order(f"{_SCHEDULER}.max_parallel_workflows", f"{_SCHEDULER}.task_queue_size", checks.number),
        "task_queue_size is at least max_parallel_workflows.",
        "Workflows that may run find no place for a task.",
        "use a longer queue",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD934",
        "The first wait is at most the longest",
        checks.order(f"{_RETRY}_initial_interval", f"{_RETRY}_max_interval", seconds),
        "default_initial_interval is at most default_max_interval.",
        "Every retry waits for the longest time.",
        "use a shorter first wait",
    ),
    ConfigRule(
        "LLMD935",
        "Checkpoints are made while a task runs",
        checks.checkpoint_interval,
        "checkpoint.interval is shorter than task_timeout.",
        "A task that is interrupted starts from the beginning.",
        "use a shorter interval",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD936",
        "Times are above zero",
        checks.zero_times,
        "A time to wait is not 0.",
        "Calls fail at once, or a loop takes a whole CPU.",
        "use a longer time",
    ),
    ConfigRule(
        "LLMD940",
        "TLS has both files",
        checks.tls,
        "With TLS there are a certificate and a key, in two files; without there is none.",
        "The server does not start, or speaks plain HTTP although there is a certificate.",
        "set both files",
    ),
    ConfigRule(
        "LLMD941",
        "Ports are distinct",
        checks.ports,
        "HTTP, gRPC and metrics have a port each.",
        "The server does not start.",
        "use another port",
    ),
    ConfigRule(
        "LLMD942",
        "Ports are open to the server's user",
        checks.low_ports,
        "Ports are 1024 or above.",
        "The server runs as its own user, who may not listen there.",
        "put the proxy on that port",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD943",
        "Metrics have a path of their own",
        checks.metrics_path,
        "metrics.endpoint is neither /, /health nor /ready.",
        "A health check is answered with metrics.",
        "use /metrics",
    ),
    ConfigRule(
        "LLMD944",
        "Traces have an address",
        checks.tracing,
        "With tracing there is an endpoint.",
        "No trace arrives.",
        "set observability.tracing.endpoint",
    ),
    ConfigRule(
        "LLMD945",
        "Checkpoints have a place that all servers see",
        checks.storage,
        "With checkpoints there is a storage: a folder for one server, a bucket for several.",
        "A workflow whose server is lost starts from the beginning.",
        "set fault_tolerance.checkpoint.storage",
    ),
    ConfigRule(
        "LLMD950",
        "JWT has a secret",
        checks.jwt,
        "jwt_secret refers to a secret of at least 32 characters.",
        "The server does not start, or tokens can be forged.",
        "write ${JWT_SECRET}, and set JWT_SECRET in orchestrator_secrets to 32 characters or more",
        "RFC 7518, section 3.2",
    ),
    ConfigRule(
        "LLMD951",
        "Authentication is by JWT",
        checks.other_providers,
        "The guide names providers besides jwt, but no settings for them.",
        "The server may need settings that are unknown.",
        "use jwt, or accept this rule",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD952",
        "Authorization has a policy, and callers that are known",
        checks.authorization,
        "With authorization there are a policy_file and authentication.",
        "Every call is refused, or none is.",
        "enable authentication, and set policy_file",
    ),
    ConfigRule(
        "LLMD953",
        "A server on the network asks who calls",
        checks.on_the_network,
        "authentication.enabled is true unless the server listens on its own host only.",
        "Whoever reaches the port runs workflows.",
        "enable authentication, or listen on 127.0.0.1",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD960",
        "No secret stands in the file",
        None,
        "Secrets are references: ${NAME}. One that stands in the configuration is moved to the environment file.",
        "Everybody who may read the file, or its config map, has the secret.",
        "write ${NAME}, and put the secret into orchestrator_secrets",
        severity=WARNING,
    ),
    ConfigRule(
        "LLMD961",
        "Secrets stand where they can be moved",
        None,
        "A URL or text with a password is one of a key that an environment variable stands for.",
        "Everybody who may read the file, or its config map, has the secret.",
        "write ${NAME}, and put the value into orchestrator_secrets: {NAME: …}",
    ),
    ConfigRule(
        "LLMD962",
        "References are written ${NAME}",
        None,
        "$(NAME), $NAME and %NAME% are not filled in: Kubernetes expands $(NAME) in a container's command and "
        "environment only, never in a config map.",
        "The text itself is taken for a user or a password.",
        "write ${NAME}",
        "Kubernetes, core/v1 Container.args and EnvVar.value",
    ),
    ConfigRule(
        "LLMD963",
        "References lead to a variable",
        checks.unset,
        "Every ${NAME} is set in the server's environment.",
        "The server starts with an empty secret, or not at all.",
        "set it in orchestrator_secrets",
    ),
    ConfigRule(
        "LLMD964",
        "Secrets are not those of a guide",
        checks.placeholders,
        "No secret is changeme, password, your-secret-key or sk-...",
        "Anybody can guess it.",
        "set a secret of your own in orchestrator_secrets",
    ),
    ConfigRule(
        "LLMD965",
        "Environment variables have valid names",
        checks.variable_names,
        "A name has letters, digits and _ only.",
        "systemd ignores the line.",
        "use a name such as JWT_SECRET",
        "systemd.exec(5), EnvironmentFile",
    ),
    ConfigRule(
        "LLMD966",
        "File and environment say the same",
        checks.twice,
        "What both can say, as DATABASE_URL and database.url, is said once.",
        "It depends on the program which of the two it takes.",
        "say it in one place",
    ),
    ConfigRule(
        "LLMD967",
        "Servers have a queue",
        checks.queue,
        "NATS_URL is set for API servers and workers, with a scheme of NATS.",
        "Workflows are accepted, but no worker gets them.",
        "set NATS_URL",
    ),
    ConfigRule(
        "LLMD968",
        "Several servers do not look for each other on localhost",
        checks.local,
        "URLs of servers on several hosts have an address that all of them reach.",
        "Each server has its own database, cache or queue, or none.",
        "use another address",
        severity=WARNING,
    ),
)
BY_ID = {rule.id: rule for rule in RULES}
