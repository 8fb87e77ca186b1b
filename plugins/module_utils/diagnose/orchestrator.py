# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules of diagnosis: LLM-Orchestrator's API servers, workers and migrations, and what they reach.

No server of it is published, so that patterns are of what its stores' clients say: sqlx and libpq of PostgreSQL,
redis-rs and redis-py, async-nats; and of clap, by which its released program reads its command line.
"""

from __future__ import annotations

import re
import typing as t

from ..base.data import Object, dicts, mapping
from ..objects.pools import is_ready, labels_of, matches
from .base import ERROR, SYMPTOM, Diagnosis, Proof
from .evidence import Evidence, Log, clean, ref
from .log_rules import LogRule, Rules, log_rule

NAME, PROGRAM = "app.kubernetes.io/name", "llm-orchestrator"
COMPONENT, API, WORKER = "app.kubernetes.io/component", "api", "worker"
LOST = r"lookup address|Name or service not known|translate host name|no such host|name resolution"
DOWN = r"connection refused|connection reset|timed out|timeout expired|no route to host|unreachable"
DATABASE = r"database|postgres|server at \S+"
STORES = {"database": 5432, "postgres": 5432, "cache": 6379, "redis": 6379, "queue": 4222, "nats": 4222}
BLOCKED = re.compile(
    r"(?P<store>database|postgres|cache|redis|queue|nats)\b.*?(?:[\w.-]+:(?P<port>\d{2,5})\b.*?)?(?:timed out|timeout)",
    re.IGNORECASE,
)


def ours(pod: Object) -> bool:
    """Return whether a pod is LLM-Orchestrator's."""
    return labels_of(pod).get(NAME) == PROGRAM


def _rule(number: int, title: str, pattern: str, *texts: str, **more: t.Any) -> LogRule:
    return log_rule(number, title, pattern, *texts, only=ours, late=-1, **more)


ORCHESTRATOR: Rules = (
    _rule(
        890, "The image of LLM-Orchestrator lacks a verb",
        r"(?:unrecognized subcommand|invalid choice:|the subcommand) '(server|db)'",
        "The image holds the released program, which validates and runs workflows, or another build without servers.",
        "Set llm_orchestrator_image to a build with the verbs server and db init.",
        "llm-orchestrator-cli 0.1: validate, run",
        key=1,
    ),
    _rule(
        891, "PostgreSQL rejects LLM-Orchestrator's login",
        r'(?:password|\w+) authentication failed for user "([^"]*)"|role "([^"]+)" does not exist'
        r'|database "[^"]+" does not exist',
        "User, password or database of DATABASE_URL are not PostgreSQL's. Characters such as @ and / must be encoded "
        "in a URL (%40, %2F).",
        "Correct llm_orchestrator_database_url, or the Secret of llm_orchestrator_secret_name, and restart the pods.",
        "PostgreSQL, error codes 28P01, 28000 and 3D000",
    ),
    _rule(
        892, "LLM-Orchestrator's database has a name that does not resolve",
        rf"(?:{DATABASE}).*(?:{LOST})|could not translate host name",
        "The host of DATABASE_URL does not exist. The name of a Service in another namespace needs that namespace.",
        "Correct the host: SERVICE.NAMESPACE.svc for a database inside of the cluster.",
        "Kubernetes, DNS for Services",
        fatal=False,
    ),
    _rule(
        894, "LLM-Orchestrator's database has no tables",
        r'relation "?([\w.]+)"? does not exist|no such table: (\w+)|pending migrations',
        "The migrations have not been run on this database: it is another one than before, or was restored empty.",
        "Set llm_orchestrator_migrate: true and deploy again: a Job runs db init.",
        "PostgreSQL, error code 42P01",
    ),
    _rule(
        893, "LLM-Orchestrator cannot reach its database",
        rf"(?:{DATABASE}).*(?:{DOWN})",
        "Nothing answers at the host and port of DATABASE_URL: PostgreSQL does not run, or listens elsewhere.",
        "Check PostgreSQL's pods and the port, then the firewalls and NetworkPolicies in between.",
        "LLM-Orchestrator's deployment guide, Database connection errors",
        fatal=False,
    ),
    _rule(
        895, "LLM-Orchestrator cannot use its cache",
        rf"(?:redis|cache)\b.*(?:{LOST}|{DOWN}|NOAUTH|WRONGPASS|invalid username-password|authentication required)",
        "Redis does not answer at the host and port of REDIS_URL, or rejects its password.",
        "Check Redis's pods, and the host, port and password of llm_orchestrator_redis_url.",
        "Redis, AUTH; redis-rs",
        fatal=False,
    ),
    _rule(
        896, "LLM-Orchestrator cannot use its queue",
        rf"(?:nats|queue)\b.*(?:{LOST}|{DOWN}|authorization violation|no responders|jetstream not enabled)",
        "NATS does not answer at the host and port of NATS_URL, rejects its login, or runs without JetStream.",
        "Check NATS's pods, its JetStream (config.jetstream.enabled of its chart), and llm_orchestrator_nats_url.",
        "NATS, JetStream; async-nats",
        fatal=False,
    ),
)  # fmt: skip


def _blocked(evidence: Evidence) -> t.Iterator[Proof]:
    """Pods that wait for an answer on a port that no NetworkPolicy lets them send to."""
    for log in evidence.logs:
        if not log.failing or not ours(log.pod):
            continue
        policies = [item for item in evidence.of("NetworkPolicy") if _limits(item, log.pod)]
        for found in _timeouts(log) if policies else ():
            store, port = found["store"].lower(), int(found["port"] or STORES[found["store"].lower()])
            if not any(_opens(rule, port) for item in policies for rule in dicts(item["spec"].get("egress"))):
                names = ", ".join(sorted(item["metadata"]["name"] for item in policies))
                text = f"{clean(found[0])}; NetworkPolicy {names} allows nothing to port {port}"
                yield Proof((ref(log.pod),), text, key=f"{store} {port}", since=evidence.since(log.pod))


def _timeouts(log: Log) -> list[re.Match[str]]:
    return [found for line in reversed(log.lines) if (found := BLOCKED.search(line))][:1]


def _limits(policy: Object, pod: Object) -> bool:
    """Return whether a policy limits where a pod sends to."""
    spec = mapping(policy.get("spec"))
    selector = mapping(mapping(spec.get("podSelector")).get("matchLabels"))
    return "Egress" in (spec.get("policyTypes") or []) and (not selector or matches(labels_of(pod), selector))


def _opens(rule: Object, port: int) -> bool:
    """Return whether a rule lets through TCP to a port; whereto is not looked at."""
    rows = dicts(rule.get("ports"))
    inside = (
        one.get("port") in (None, port) or int(one["port"]) <= port <= int(one.get("endPort") or one["port"])
        for one in rows
        if one.get("protocol", "TCP") == "TCP" and str(one.get("port") or 0).isdigit()
    )
    return not rows or any(inside)


def _no_worker(evidence: Evidence) -> t.Iterator[Proof]:
    """Ready API servers that take workflows which no worker runs."""
    servers = [pod for pod in evidence.pods if ours(pod) and labels_of(pod).get(COMPONENT) == API and is_ready(pod)]
    for item in evidence.of("Deployment") if servers else ():
        if labels_of(item).get(NAME) != PROGRAM or labels_of(item).get(COMPONENT) != WORKER:
            continue
        if not mapping(item.get("status")).get("readyReplicas"):
            pods = [ref(pod) for pod in evidence.pods if ours(pod) and labels_of(pod).get(COMPONENT) == WORKER]
            wanted = mapping(item.get("spec")).get("replicas", 1)
            text = f"0 of {wanted} workers are ready, but {len(servers)} API servers take workflows"
            yield Proof((ref(item),), text, key=ref(item)[2], because=tuple(pods))


POLICIES = (
    Diagnosis(
        "DIAG897", "A NetworkPolicy keeps LLM-Orchestrator from a store", _blocked,
        "a log with a time-out, of a pod that a NetworkPolicy limits without a rule for that port",
        "A pod that any policy of the type Egress selects sends only where one of them says so; name servers and each "
        "store need a rule.",
        "Add the port to the policy: llm_orchestrator_network.egress, or the policy that the proof names.",
        "Kubernetes, NetworkPolicy spec.egress",
    ),
)  # fmt: skip
WORKERS = (
    Diagnosis(
        "DIAG898", "No worker takes LLM-Orchestrator's workflows", _no_worker,
        "API servers are ready, and no pod of the workers is",
        "Workflows are accepted and stay queued: there is no worker, or none becomes ready.",
        "Find out why the workers are not ready, or set llm_orchestrator_worker_replicas above 0.",
        "LLM-Orchestrator's deployment guide, Worker tasks stuck",
        ERROR, SYMPTOM,
    ),
)  # fmt: skip
