# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes put into a sound orchestrator.yaml, one at a time: each is named with its key, and nothing else is."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from orchestrator.world import GONE, WHOLE, texts, told, worked_out

SHARE = 0.95
ALONE = {"@mode": "standalone", "@count": 1, "@needs_queue": False}
SQLITE = {
    **ALONE,
    "database": {"type": "sqlite"},
    "cache": {"type": "memory"},
    "$DATABASE_URL": GONE,
    "$REDIS_URL": GONE,
    "$NATS_URL": GONE,
    "server.mode": "standalone",
}
URL = "postgresql://own:a-word@db.example/own"
# (what is wrong: {path: value}, the rule, the key that has to be named)
MUTATIONS: list[tuple[dict[str, t.Any], str, str]] = [
    # Unknown keys: misspelt, in the wrong place, of another program.
    ({"sever": {"host": "0.0.0.0"}}, "LLMD910", "sever"),
    ({"server.ports": {"http": 8080}}, "LLMD910", "server.ports"),
    ({"server.port.htpp": 8081}, "LLMD910", "server.port.htpp"),
    ({"server.tls.cert": "/x.crt"}, "LLMD910", "server.tls.cert"),
    ({"database.pool.max_conections": 3}, "LLMD910", "database.pool.max_conections"),
    ({"database.max_connections": 3}, "LLMD910", "database.max_connections"),
    ({"execution.worker_threads": 4}, "LLMD910", "execution.worker_threads"),
    ({"executor": {"worker_threads": 4}}, "LLMD910", "executor"),
    ({"fault_tolerance.retries": {}}, "LLMD910", "fault_tolerance.retries"),
    ({"fault_tolerance.retry.maxAttempts": 2}, "LLMD910", "fault_tolerance.retry.maxAttempts"),
    ({"observability.tracing.samplerate": 0.1}, "LLMD910", "observability.tracing.samplerate"),
    ({"integrations.llm_forge.apikeys": {}}, "LLMD910", "integrations.llm_forge.apikeys"),
    ({"integrations.llm_router": {"endpoint": "http://x"}}, "LLMD910", "integrations.llm_router"),
    ({"nats": {"url": "nats://queue"}}, "LLMD910", "nats"),
    # Types.
    ({"server.port.http": "8080"}, "LLMD911", "server.port.http"),
    ({"server.tls.enabled": "yes"}, "LLMD911", "server.tls.enabled"),
    ({"server.port": 8080}, "LLMD911", "server.port"),
    ({"cache.ttl": 3600}, "LLMD911", "cache.ttl"),
    ({"execution.resources.memory_limit": 6}, "LLMD911", "execution.resources.memory_limit"),
    ({"execution.executor.worker_threads": 2.5}, "LLMD911", "execution.executor.worker_threads"),
    ({"observability.tracing.sample_rate": "10%"}, "LLMD911", "observability.tracing.sample_rate"),
    ({"integrations.llm_forge.api_keys": ["a"]}, "LLMD911", "integrations.llm_forge.api_keys"),
    ({"database": None}, "LLMD911", "database"),
    # Choices.
    ({"server.mode": "apis"}, "LLMD912", "server.mode"),
    ({"database.type": "mysql"}, "LLMD912", "database.type"),
    ({"database.type": "postgres"}, "LLMD912", "database.type"),
    ({"cache.type": "memcached"}, "LLMD912", "cache.type"),
    ({"observability.logging.level": "warning"}, "LLMD912", "observability.logging.level"),
    ({"security.authentication.provider": "oidc"}, "LLMD912", "security.authentication.provider"),
    ({"security.audit.level": "all"}, "LLMD912", "security.audit.level"),
    # Units, paths, URLs.
    ({"cache.ttl": "3600"}, "LLMD913", "cache.ttl"),
    ({"execution.scheduler.scheduling_interval": "1 s"}, "LLMD913", "execution.scheduler.scheduling_interval"),
    ({"execution.executor.task_timeout": "1 hour"}, "LLMD913", "execution.executor.task_timeout"),
    ({"execution.resources.memory_limit": "6GB"}, "LLMD913", "execution.resources.memory_limit"),
    ({"server.tls.cert_file": "tls.crt"}, "LLMD913", "server.tls.cert_file"),
    ({"observability.metrics.endpoint": "metrics"}, "LLMD913", "observability.metrics.endpoint"),
    ({"integrations.llm_governance.endpoint": "governance:8083"}, "LLMD913", "integrations.llm_governance.endpoint"),
    ({"database.url": "mysql://db/own", "$DATABASE_URL": GONE}, "LLMD913", "database.url"),
    ({"fault_tolerance.checkpoint.storage": "own-checkpoints"}, "LLMD913", "fault_tolerance.checkpoint.storage"),
    # Limits.
    ({"server.port.grpc": 70000}, "LLMD914", "server.port.grpc"),
    ({"observability.tracing.sample_rate": 10}, "LLMD914", "observability.tracing.sample_rate"),
    ({"observability.tracing.sample_rate": -0.1}, "LLMD914", "observability.tracing.sample_rate"),
    ({"database.pool.max_connections": 0}, "LLMD914", "database.pool.max_connections"),
    (
        {"fault_tolerance.retry.default_backoff_multiplier": 0.5},
        "LLMD914",
        "fault_tolerance.retry.default_backoff_multiplier",
    ),
    # Missing.
    ({"integrations.llm_test_bench.endpoint": GONE}, "LLMD915", "integrations.llm_test_bench.endpoint"),
    # What has to agree.
    ({"server.mode": "worker"}, "LLMD916", "server.mode"),
    ({**SQLITE, "database.pool": {"max_connections": 5}}, "LLMD920", "database.pool"),
    ({"$DATABASE_URL": "sqlite:///own.db"}, "LLMD921", "database.url"),
    ({"database": {"type": "sqlite"}, "$DATABASE_URL": GONE}, "LLMD922", "database.type"),
    ({"@count": 40}, "LLMD923", "database.pool.max_connections"),
    ({"database.pool.max_connections": 25}, "LLMD923", "database.pool.max_connections"),
    ({"database.pool.min_connections": 13}, "LLMD924", "database.pool.min_connections"),
    ({"cache": {"type": "memory"}, "$REDIS_URL": GONE}, "LLMD925", "cache.type"),
    ({**SQLITE, "cache.pool_size": 5}, "LLMD925", "cache.pool_size"),
    ({"database.migrations.auto_run": True}, "LLMD926", "database.migrations.auto_run"),
    ({"execution.executor.worker_threads": 16}, "LLMD930", "execution.executor.worker_threads"),
    ({"execution.resources.cpu_limit": 8.0}, "LLMD931", "execution.resources.cpu_limit"),
    ({"execution.resources.memory_limit": "16Gi"}, "LLMD932", "execution.resources.memory_limit"),
    ({"execution.scheduler.task_queue_size": 10}, "LLMD933", "execution.scheduler.max_parallel_workflows"),
    (
        {"fault_tolerance.retry.default_initial_interval": "1m"},
        "LLMD934",
        "fault_tolerance.retry.default_initial_interval",
    ),
    ({"fault_tolerance.checkpoint.interval": "1h"}, "LLMD935", "fault_tolerance.checkpoint.interval"),
    ({"execution.scheduler.scheduling_interval": "0s"}, "LLMD936", "execution.scheduler.scheduling_interval"),
    ({"server.tls.key_file": GONE}, "LLMD940", "server.tls.key_file"),
    ({"server.tls.cert_file": GONE}, "LLMD940", "server.tls.cert_file"),
    ({"server.tls.key_file": "/etc/pki/own/server.crt"}, "LLMD940", "server.tls.key_file"),
    ({"server.port.grpc": 8080}, "LLMD941", "server.port.grpc"),
    ({"observability.metrics.port": 50051}, "LLMD941", "observability.metrics.port"),
    ({"server.port.http": 80}, "LLMD942", "server.port.http"),
    ({"observability.metrics.endpoint": "/health"}, "LLMD943", "observability.metrics.endpoint"),
    ({"observability.tracing.endpoint": GONE}, "LLMD944", "observability.tracing.endpoint"),
    ({"fault_tolerance.checkpoint.storage": GONE}, "LLMD945", "fault_tolerance.checkpoint.storage"),
    ({"fault_tolerance.checkpoint.storage": "file:///var/own"}, "LLMD945", "fault_tolerance.checkpoint.storage"),
    ({"$JWT_SECRET": "too-short"}, "LLMD950", "security.authentication.jwt_secret"),
    ({"security.authentication": {"provider": "oauth2"}}, "LLMD951", "security.authentication.provider"),
    ({"security.authorization.policy_file": GONE}, "LLMD952", "security.authorization.policy_file"),
    (
        {"security.authentication": {"enabled": False}, "server.host": "127.0.0.1"},
        "LLMD952",
        "security.authorization.enabled",
    ),
    (
        {"security.authentication": {"enabled": False}, "security.authorization": {"enabled": False}},
        "LLMD953",
        "security.authentication.enabled",
    ),
    # Secrets and references.
    (
        {"security.authentication.jwt_secret": "c2VjcmV0LXRoYXQtc3RhbmRzLWluLXRoZS1maWxl", "$JWT_SECRET": GONE},
        "LLMD960",
        "security.authentication.jwt_secret",
    ),
    ({"database.url": URL, "$DATABASE_URL": GONE}, "LLMD960", "database.url"),
    ({"database.url": URL}, "LLMD961", "database.url"),
    ({"integrations.llm_governance.endpoint": "https://me:word@x"}, "LLMD961", "integrations.llm_governance.endpoint"),
    ({"database.url": "postgresql://$(DB_USER):$(DB_PASSWORD)@db/own"}, "LLMD962", "database.url"),
    ({"security.authentication.jwt_secret": "$JWT_SECRET"}, "LLMD962", "security.authentication.jwt_secret"),
    ({"$OPENAI_API_KEY": GONE}, "LLMD963", "integrations.llm_forge.api_keys.openai"),
    ({"cache.url": "${REDIS}"}, "LLMD963", "cache.url"),
    ({"$JWT_SECRET": "your-secret-key"}, "LLMD964", "$JWT_SECRET"),
    ({"$ANTHROPIC_API_KEY": "sk-ant-..."}, "LLMD964", "$ANTHROPIC_API_KEY"),
    ({"$OWN-NAME": "x1y2z3"}, "LLMD965", "$OWN-NAME"),
    ({"$ORCHESTRATOR_MODE": "worker"}, "LLMD966", "server.mode"),
    ({"$WORKER_THREADS": "8"}, "LLMD966", "execution.executor.worker_threads"),
    ({"$NATS_URL": GONE}, "LLMD967", "$NATS_URL"),
    ({"$NATS_URL": "http://queue:4222"}, "LLMD967", "$NATS_URL"),
    ({"$REDIS_URL": "redis://localhost:6379"}, "LLMD968", "cache.url"),
]


def test_the_sound_files_get_no_finding() -> None:
    for edits in ({}, {"@mode": "worker", "server.mode": "worker"}, SQLITE, {**ALONE, "server.mode": "standalone"}):
        assert not (found := worked_out(edits).findings), texts(found)
    for mode in ("standalone", "edge"):
        alone = {"@mode": mode, "@count": 1, "@needs_queue": False, "$DATABASE_URL": GONE}
        assert not (found := worked_out(alone, whole={}).findings), texts(found)


def test_the_mistakes_are_named_with_their_keys() -> None:
    named = [(rule, key.lstrip("$")) in told(worked_out(edits)) for edits, rule, key in MUTATIONS]
    missed = [case for case, was in zip(MUTATIONS, named, strict=True) if not was]
    assert len(MUTATIONS) >= 60
    assert sum(named) / len(named) >= SHARE, missed


@pytest.mark.parametrize(("edits", "rule", "key"), MUTATIONS)
def test_a_mistake_is_one_finding_that_shows_no_secret(edits: dict[str, t.Any], rule: str, key: str) -> None:
    found = worked_out(edits)
    assert told(found) == [(rule, key.lstrip("$"))], texts(found.findings)
    assert found.findings[0].hint
    shown = texts(found.findings) + found.text
    for secret in ("a-word", "me:word", "c2VjcmV0", "too-short"):
        assert secret not in shown


def test_every_rule_has_a_mutation() -> None:
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.rules import RULES

    assert {rule.id for rule in RULES} == {rule for _edits, rule, _key in MUTATIONS}


def test_the_whole_file_has_every_key() -> None:
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import dig
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.orchestrator.keys import KEYS, steps

    assert [key.path for key in KEYS if not key.path.endswith("*") and dig(WHOLE, steps(key.path)) is None] == []


def test_the_page_of_the_file_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(pathlib.Path(__file__).resolve().parents[5]))
    import rules_page

    text = rules_page.CONFIGURATION.read_text(encoding="utf-8")
    assert text == rules_page.configuration_page(text), "run tests/rules_page.py"
