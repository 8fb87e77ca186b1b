# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A stack with its monitoring, deployed as the ServiceAccount that the playbook service_account makes for it."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from accounts import kubeconfig
from plane_client import Lab

from playbooks import Run, play

OPERATOR = "monitoring.coreos.com/v1"
MODELS = [{"name": "qwen3-0-6b", "model": "Qwen/Qwen3-0.6B", "values": "{{ simulated_server }}"}]
LABELS = {"release": "kps"}


@pytest.fixture
def namespace(new_namespace: Callable[[], str]) -> str:
    return new_namespace()


def test_what_watches_a_stack_comes_and_goes_with_it(lab: Lab, namespace: str, tmp_path: pathlib.Path) -> None:
    variables: dict[str, Any] = {"llm_d_namespace": namespace, "llm_d_models": MODELS, "monitoring_enabled": True}
    variables |= {"monitoring_labels": LABELS, "monitoring_queue_size": 3}
    assert play(tmp_path, "service_account", timeout=240, **variables).code == 0
    (tmp_path / "kubeconfig").write_text(kubeconfig(lab, namespace, "llm-d-orchestrator"))
    variables["llm_d_kubeconfig"] = str(tmp_path / "kubeconfig")

    def run(name: str, *args: str, **more: Any) -> Run:
        done = play(tmp_path, name, *args, timeout=240, **variables, **more)
        assert done.code == 0, done.text
        return done

    assert "PrometheusRule" in run("plan").text
    run("site")
    picker, server = "gaie-qwen3-0-6b-epp", "ms-qwen3-0-6b-llm-d-modelservice-decode"
    monitors = [
        lab.get(OPERATOR, "ServiceMonitor", namespace, f"{picker}-monitor"),
        lab.get(OPERATOR, "PodMonitor", namespace, f"{server}-podmonitor"),
    ]
    for item in monitors:
        assert item
        assert item["metadata"]["labels"]["release"] == "kps"
    assert lab.get("v1", "Secret", namespace, f"{picker}-metrics")
    rule = lab.get(OPERATOR, "PrometheusRule", namespace, "llm-d-alerts")
    assert rule
    queries = [item["expr"] for item in rule["spec"]["groups"][0]["rules"]]
    assert f'inference_pool_average_queue_size{{namespace="{namespace}"}} > 3' in queries
    # What is Prometheus's own template came through as it is.
    assert "{{ $labels.name }}" in json.dumps(rule)
    shown = lab.get("v1", "ConfigMap", namespace, "llm-d-dashboards")
    assert shown
    assert shown["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(shown["data"]["llm-d.json"])["panels"]
    assert run("site").changed == 0
    run("teardown", teardown_confirm=True)
    assert not lab.get(OPERATOR, "PrometheusRule", namespace, "llm-d-alerts")
    assert not lab.get("v1", "ConfigMap", namespace, "llm-d-dashboards")
    assert not lab.get(OPERATOR, "ServiceMonitor", namespace, f"{picker}-monitor")
