# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""LLM-Orchestrator and its database by every playbook: up, again, scaled, with a wrong address, back, and gone."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab

from playbooks import Run, play

PASSWORD = "in-the-lab-alone"  # noqa: S105 - of a lab
KINDS = (
    *(("apps/v1", "Deployment"), ("batch/v1", "Job"), ("v1", "Service"), ("v1", "Secret"), ("v1", "ConfigMap")),
    *(("networking.k8s.io/v1", "NetworkPolicy"), ("policy/v1", "PodDisruptionBudget")),
)
CHART = {"apiVersion": "v2", "name": "postgres", "version": "1.0.0"}
# A database for the lab, as a chart of the user's.
TEMPLATE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: postgres}
spec:
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec:
      containers:
        - name: postgres
          image: docker.io/library/postgres:16.4
          env: [{name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: {{ .Values.auth }}, key: password}}}]
          ports: [{containerPort: 5432}]
---
apiVersion: v1
kind: Service
metadata: {name: postgres}
spec: {selector: {app: postgres}, ports: [{port: 5432}]}
"""


def chart(folder: pathlib.Path) -> pathlib.Path:
    """Write the database's chart, and return its folder."""
    place = folder / "postgres"
    (place / "templates").mkdir(parents=True)
    (place / "Chart.yaml").write_text(json.dumps(CHART), encoding="utf-8")
    (place / "values.yaml").write_text("auth: database-login\n", encoding="utf-8")
    (place / "templates" / "all.yaml").write_text(TEMPLATE, encoding="utf-8")
    return place


class Stack:
    """The stack's variables, and playbooks with them."""

    def __init__(self, lab: Lab, folder: pathlib.Path, namespace: str) -> None:
        self.lab, self.folder, self.namespace = lab, folder, namespace
        self.variables = {
            "llm_d_namespace": namespace,
            "llm_d_models": [],
            "llm_d_wait_timeout": 120,
            "llm_d_records_dir": str(folder / "records"),
            "llm_orchestrator_image": "registry.example.com/llm-orchestrator:1.0.0",
            "llm_orchestrator_database_url": self.database("postgres"),
            "orchestrator_stores_secrets": {"database-login": {"password": PASSWORD}},
            "orchestrator_stores_postgres": {"chart": str(chart(folder)), "values": {"auth": "database-login"}},
            "llm_orchestrator_redis_url": f"redis://:{PASSWORD}@redis.example.com:6379/0",
            "llm_orchestrator_nats_url": f"nats://orchestrator:{PASSWORD}@nats.example.com:4222",
            "llm_orchestrator_secrets": {"JWT_SECRET": f"{PASSWORD}-" * 3},
            "llm_orchestrator_worker_replicas": 2,
        }

    @staticmethod
    def database(host: str) -> str:
        return f"postgresql://orchestrator:{PASSWORD}@{host}:5432/orchestrator"

    def play(self, name: str, **more: Any) -> Run:
        """Run a playbook; `more` are variables besides the stack's."""
        run = play(self.folder, name, timeout=400, **{**self.variables, **more})
        assert PASSWORD not in run.text
        return run

    def record(self) -> dict[str, Any]:
        """The newest record."""
        newest = sorted((self.folder / "records").glob("*/2*/record.json"))[-1]
        text = newest.read_text(encoding="utf-8")
        assert PASSWORD not in text
        return json.loads(text)

    def workers(self) -> int:
        """How many workers are ready."""
        found = self.lab.resource("apps/v1", "Deployment").get(name="llm-orchestrator-worker", namespace=self.namespace)
        return found.status.readyReplicas or 0

    def left(self) -> list[str]:
        """What of ours is in the namespace."""
        selector = "orchestrator.llm-d.ai/managed=true"
        return [
            f"{kind} {item.metadata.name}"
            for api, kind in KINDS
            for item in self.lab.resource(api, kind).get(namespace=self.namespace, label_selector=selector).items
        ]


@pytest.fixture(scope="module")
def stack(lab: Lab, new_namespace: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Three API servers and two workers, with a database in the cluster; cache and queue are outside."""
    return Stack(lab, tmp_path_factory.mktemp("orchestrator"), new_namespace())


def test_it_goes_up_and_a_worker_runs_a_workflow(stack: Stack) -> None:
    run = stack.play("site")
    assert run.code == 0, run.text
    (row,) = stack.record()["verification"]["models"]
    assert row["ok"]
    assert row["served_by"][0].startswith("llm-orchestrator-worker-")


def test_a_second_run_changes_nothing(stack: Stack) -> None:
    run = stack.play("site")
    assert (run.code, run.changed) == (0, 0), run.text


def test_more_workers(stack: Stack) -> None:
    run = stack.play("site", llm_orchestrator_worker_replicas=3)
    assert run.code == 0, run.text
    assert stack.workers() == 3


def test_a_database_that_is_not_there_is_named_before_a_server_changes(stack: Stack) -> None:
    wrong = stack.database("postgres.invalid")
    run = stack.play("site", llm_orchestrator_worker_replicas=4, llm_orchestrator_database_url=wrong)
    assert run.code != 0
    assert "DIAG892" in run.text, run.text
    assert [cause["id"] for cause in stack.record()["diagnosis"]["causes"]] == ["DIAG892"]
    assert stack.workers() == 3


def test_the_last_good_deployment_comes_back(stack: Stack) -> None:
    run = stack.play("rollback", rollback_confirm=True)
    assert run.code == 0, run.text
    assert stack.workers() == 3


def test_the_right_database_again(stack: Stack) -> None:
    run = stack.play("site")
    assert run.code == 0, run.text
    assert stack.workers() == 2


def test_nothing_is_left(stack: Stack) -> None:
    run = stack.play("teardown", teardown_confirm=True)
    assert run.code == 0, run.text
    assert stack.left() == []
