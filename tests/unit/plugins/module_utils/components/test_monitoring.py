# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import dig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts, Stack
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.monitoring import (
    alert_rules,
    monitoring_objects,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.monitors import picker_values, server_values
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.checks import check_kinds, needed_kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings
from stack.test_resolve import CLASSES, model, params

ROLE = pathlib.Path(__file__).parents[5] / "roles/monitoring"
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
SETTINGS: dict[str, Any] = {name.removeprefix("monitoring_"): value for name, value in DEFAULTS.items()}
SETTINGS |= {"enabled": True, "dashboard_files": {"llm-d.json": "{}"}}
LABELS = {"release": "kps"}
ENABLED = ("inferenceExtension", "monitoring", "prometheus", "enabled")
# gateway-api-inference-extension v1.3.0, pkg/epp/metrics/metrics.go; vLLM, vllm/v1/metrics/loggers.py.
METRICS = {
    "inference_objective_request_duration_seconds_bucket",
    "inference_objective_request_error_total",
    "inference_objective_request_total",
    "inference_pool_average_kv_cache_utilization",
    "inference_pool_average_queue_size",
    "inference_pool_ready_pods",
    "vllm:generation_tokens_total",
    "vllm:inter_token_latency_seconds_bucket",
    "vllm:kv_cache_usage_perc",
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:time_to_first_token_seconds_bucket",
}
NAME = re.compile(r"(?:inference_[a-z]+_|vllm:)[a-z_]+")


def ports(*names: str | None) -> dict[str, Any]:
    found = [{"containerPort": 8000 + index, **({"name": name} if name else {})} for index, name in enumerate(names)]
    return {"containers": [{"name": "vllm", "ports": found}]}


@pytest.mark.parametrize(
    ("own", "labels", "expected"),
    [
        ({}, {}, {"enabled": True, "auth": {"secretName": "gaie-a-epp-metrics"}}),
        (
            {"inferenceExtension": {"monitoring": {"prometheus": {"enabled": False, "auth": {"enabled": True}}}}},
            LABELS,
            {"enabled": True, "auth": {"secretName": "gaie-a-epp-metrics"}, "extraLabels": LABELS},
        ),
        ({"inferenceExtension": {"monitoring": {"prometheus": {"enabled": False}}}}, {}, {"enabled": True}),
    ],
    ids=["unknown chart", "labels", "chart without authentication"],
)
def test_pickers_have_a_secret_each(own: dict, labels: dict, expected: dict) -> None:
    found = picker_values({**SETTINGS, "labels": labels}, ENABLED, "gaie-a", own)
    assert found == {"inferenceExtension": {"monitoring": {"prometheus": expected}}}


@pytest.mark.parametrize(
    ("user", "asked", "nameless"),
    [
        ({"decode": ports("vllm")}, {"decode": "vllm"}, []),
        ({"decode": ports("vllm", "metrics")}, {"decode": "metrics"}, []),
        ({"decode": ports(None), "prefill": ports("http")}, {"prefill": "http"}, ["decode"]),
        ({"decode": ports("a"), "prefill": {**ports("a"), "create": False}}, {"decode": "a"}, []),
        ({"decode": ports("a"), "prefill": {**ports("a"), "replicas": 0}}, {"decode": "a"}, []),
        ({}, {}, []),
    ],
)
def test_servers_are_asked_at_a_port_with_a_name(user: dict, asked: dict, nameless: list) -> None:
    values, found = server_values({**SETTINGS, "labels": LABELS}, user)
    monitors = {role: spec["monitoring"]["podmonitor"] for role, spec in values.items()}
    assert {role: monitor["portName"] for role, monitor in monitors.items()} == asked
    assert all(monitor["enabled"] and monitor["labels"] == LABELS for monitor in monitors.values())
    assert found == nameless


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, ["PrometheusRule", "ConfigMap"]),
        ({"alerts": False}, ["ConfigMap"]),
        ({"dashboards": False}, ["PrometheusRule"]),
        ({"enabled": False}, []),
    ],
)
def test_what_is_asked_for_is_made(settings: dict, kinds: list[str]) -> None:
    found = monitoring_objects({**SETTINGS, **settings}, "demo", ["gaie-a"])
    assert [item["kind"] for item in found] == kinds
    assert all(item["metadata"]["namespace"] == "demo" for item in found)


def resolved(*models: dict, **settings: Any) -> Stack:
    given = params(models, monitoring={**SETTINGS, **settings})
    return resolve(checked_settings(given, Findings()), Facts(classes=CLASSES))


def test_charts_make_the_monitors_unless_the_users_values_say_otherwise() -> None:
    no = {"inferenceExtension": {"monitoring": {"prometheus": {"enabled": False}}}}
    stack = resolved(model("a", values={"decode": ports("vllm")}), model("b", pool={"values": no}))
    assert [dig(pool.values, ENABLED) for pool in stack.components["gaie"].pools] == [True, False]
    assert (
        dig(stack.components["modelservice"].models[0].values, ("decode", "monitoring", "podmonitor", "enabled"))
        is True
    )
    assert stack.notes == []
    nameless = resolved(model(values={"decode": ports(None)}))
    assert "Metrics of a's decode pods are not collected" in nameless.notes[0]
    off = resolved(model(values={"decode": ports("vllm")}), enabled=False)
    assert dig(off.components["gaie"].pools[0].values, ENABLED) is False
    assert dig(off.components["modelservice"].models[0].values, ("decode", "monitoring")) is None


def test_what_the_cluster_lacks_is_named() -> None:
    needed = needed_kinds(resolved(model(values={"decode": ports("vllm")})))
    findings = Findings()
    check_kinds(needed, lambda api, _kind: api != "monitoring.coreos.com/v1", findings)
    text = "\n".join(findings.texts)
    assert all(kind in text for kind in ("ServiceMonitor", "PodMonitor", "PrometheusRule")), text
    assert "install the Prometheus operator" in text


def test_monitoring_is_off_unless_asked_for() -> None:
    assert DEFAULTS["monitoring_enabled"] is False
    assert monitoring_objects({}, "demo", ["gaie-a"]) == []


def test_alerts_ask_for_metrics_that_there_are() -> None:
    rules = alert_rules(SETTINGS, "demo", ["gaie-a", "gaie-b"])
    queries = [rule["expr"] for rule in rules]
    assert {name for query in queries for name in NAME.findall(query)} <= METRICS
    assert all('namespace="demo"' in query and "HERE" not in query for query in queries)
    assert [rule["labels"].get("service") for rule in rules[:3]] == ["gaie-a-epp", "gaie-b-epp", None]
    limits = {rule["alert"]: rule["expr"].rpartition(" > ")[2] for rule in rules[3:]}
    assert limits == {
        "LlmdManyErrors": "0.05",
        "LlmdLongQueue": "10",
        "LlmdKvCacheNearlyFull": "0.9",
        "LlmdSlowFirstToken": "5",
    }


def test_dashboards_ask_for_metrics_that_there_are() -> None:
    dashboard = json.loads((ROLE / "files/llm-d.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert {name for query in queries for name in NAME.findall(query)} == METRICS
    assert all('namespace="$namespace"' in query for query in queries)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
