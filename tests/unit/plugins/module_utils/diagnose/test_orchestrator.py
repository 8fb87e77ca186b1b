# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Why LLM-Orchestrator does not serve: its stores, its image, NetworkPolicies, workers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Log
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.orchestrator import ORCHESTRATOR

from diagnose.world import Object, crashed, evidence, item, pod, state

LABELS = {"app.kubernetes.io/name": "llm-orchestrator", "app.kubernetes.io/component": "api"}
LOGS: list[tuple[str, str]] = [
    ("DIAG890", "error: unrecognized subcommand 'server'\n\nUsage: llm-orchestrator <COMMAND>"),
    ("DIAG890", "llm-orchestrator: error: argument COMMAND: invalid choice: 'db' (choose from 'validate', 'run')"),
    ("DIAG891", 'Error: database: password authentication failed for user "orchestrator"'),
    ("DIAG891", 'FATAL:  database "orchestrator" does not exist'),
    ("DIAG892", "Error: failed to connect to database: postgres:5432: failed to lookup address information"),
    ("DIAG892", 'psycopg2.OperationalError: could not translate host name "pg" to address: Name or service not known'),
    ("DIAG893", "Error: failed to connect to database: postgres:5432: Connection refused (os error 111)"),
    ("DIAG893", 'connection to server at "10.0.0.1", port 5432 failed: Connection refused'),
    ("DIAG893", "Error: database: pool timed out while waiting for an open connection"),
    ("DIAG894", 'ERROR error returned from database: relation "workflows" does not exist'),
    ("DIAG895", "Error: failed to connect to cache: redis:6379: Connection refused (os error 111)"),
    ("DIAG895", "ERROR redis: NOAUTH Authentication required."),
    ("DIAG896", "Error: failed to connect to queue: nats:4222: failed to lookup address information"),
    ("DIAG896", "ERROR nats: authorization violation"),
]
TIMED_OUT = "ERROR failed to connect to database: postgres.data:5433: Connection timed out (os error 110)"


def failing(line: str, **labels: str) -> tuple[Object, Log]:
    """A pod of an API server that has ended with a line in its log."""
    body, log = crashed(line)
    body["metadata"]["labels"] |= LABELS | labels
    return body, log


def causes(*objects: Object, **fields: Any) -> list[str]:
    return [cause["id"] for cause in diagnose(evidence(*objects, **fields))["causes"]]


@pytest.mark.parametrize(("rule", "line"), LOGS)
def test_logs(rule: str, line: str) -> None:
    body, log = failing(line)
    assert causes(body, logs=[log]) == [rule]


def test_every_log_rule_has_a_line() -> None:
    assert {rule.id for rule in ORCHESTRATOR} == {rule for rule, _line in LOGS}


def test_what_others_say_is_none_of_its_own() -> None:
    body, log = crashed("ERROR nats: authorization violation")
    assert "DIAG896" not in causes(body, logs=[log])


def policy(*ports: int, kind: str = "Egress", **labels: str) -> Object:
    rules = [{"ports": [{"port": port, "protocol": "TCP"}]} for port in ports]
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": [kind], kind.lower(): rules}
    return item("NetworkPolicy", "strict", spec=spec)


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        ([policy(53, 6379)], "DIAG897"),
        ([policy(53, **LABELS)], "DIAG897"),
        ([policy(53), policy(5433)], "DIAG893"),
        ([policy(53, app="other")], "DIAG893"),
        ([policy(53, kind="Ingress")], "DIAG893"),
        ([], "DIAG893"),
    ],
)
def test_a_policy_without_a_rule_for_the_port(others: list[Object], rule: str) -> None:
    body, log = failing(TIMED_OUT)
    assert causes(body, *others, logs=[log]) == [rule]


def test_servers_without_workers() -> None:
    running = state("api", running=True, ready=True)
    ready = [{"type": "Ready", "status": "True"}]
    server = pod("api-1", running, phase="Running", conditions=ready, labels=LABELS, owner="api")
    labels = {**LABELS, "app.kubernetes.io/component": "worker"}
    workers = item("Deployment", "worker", labels=labels, spec={"replicas": 0}, status={})
    assert causes(server, workers) == ["DIAG898"]
    workers["status"] = {"readyReplicas": 1}
    assert causes(server, workers) == []
