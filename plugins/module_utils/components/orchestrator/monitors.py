# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Monitoring of LLM-Orchestrator: its ServiceMonitor, alerts and dashboard.

Metrics: those of the LLM-Orchestrator Deployment Guide 1.0, "Grafana Dashboards".
"""

from __future__ import annotations

import json
import typing as t

from ...base.apis import MONITORING_API
from ...base.data import Object, Values, dig
from ..monitoring import alert
from .objects import API, WORKER, OrchestratorSettings

_VALUE = "{{ $value | printf `%.2f` }}"
# Of each alert: its setting, name, query over HERE, text.
ALERTS = (
    (
        "failure_rate",
        "OrchestratorManyFailures",
        "avg by (namespace) (task_failure_rate{HERE})",
        f"The share of failed tasks is {_VALUE}.",
    ),
    ("queue_depth", "OrchestratorLongQueue", "max by (namespace) (queue_depth{HERE})", f"{_VALUE} tasks are queued."),
    (
        "utilization",
        "OrchestratorWorkersBusy",
        "avg by (namespace) (worker_utilization{HERE})",
        f"Workers are busy to {_VALUE} of 1.",
    ),
    (
        "workflow_p95",
        "OrchestratorSlowWorkflows",
        "histogram_quantile(0.95, sum by (namespace, le) (rate(workflow_duration_seconds_bucket{HERE}[5m])))",
        f"The 95th percentile of a workflow's duration is {_VALUE}s.",
    ),
)
# Panels of the dashboard: title, unit, query over HERE, legend.
PANELS = (
    ("Workflows a second", "ops", "sum(rate(workflow_executions_total{HERE}[$__rate_interval]))", "workflows"),
    (
        "Workflow duration, 95th percentile",
        "s",
        "histogram_quantile(0.95, sum by (le) (rate(workflow_duration_seconds_bucket{HERE}[$__rate_interval])))",
        "p95",
    ),
    ("Share of workflows that succeed", "percentunit", "avg(workflow_success_rate{HERE})", "succeeded"),
    ("Active workflows", "short", "sum(workflow_active_count{HERE})", "active"),
    ("Tasks a second", "ops", "sum(rate(task_executions_total{HERE}[$__rate_interval]))", "tasks"),
    (
        "Task duration, 95th percentile",
        "s",
        "histogram_quantile(0.95, sum by (le) (rate(task_duration_seconds_bucket{HERE}[$__rate_interval])))",
        "p95",
    ),
    ("Retries a second", "ops", "sum(rate(task_retry_count{HERE}[$__rate_interval]))", "retries"),
    ("Share of tasks that fail", "percentunit", "avg(task_failure_rate{HERE})", "failed"),
    ("Queued tasks", "short", "max(queue_depth{HERE})", "queued"),
    ("Worker utilization", "percentunit", "avg by (pod) (worker_utilization{HERE})", "{{pod}}"),
    ("CPU", "percent", "avg by (pod) (cpu_usage_percent{HERE})", "{{pod}}"),
    ("Memory", "bytes", "sum by (pod) (memory_usage_bytes{HERE})", "{{pod}}"),
    ("LLM calls a second", "ops", "sum(rate(llm_api_calls_total{HERE}[$__rate_interval]))", "calls"),
    (
        "LLM latency, 95th percentile",
        "s",
        "histogram_quantile(0.95, sum by (le) (rate(llm_api_latency_seconds_bucket{HERE}[$__rate_interval])))",
        "p95",
    ),
    ("Tokens a second", "short", "sum(rate(llm_token_usage_total{HERE}[$__rate_interval]))", "tokens"),
    ("Cost an hour", "currencyUSD", "sum(rate(llm_cost_usd_total{HERE}[1h])) * 3600", "USD"),
)  # fmt: skip
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def monitors(wanted: OrchestratorSettings, monitoring: Values) -> list[Object]:
    """Return ServiceMonitor, alerts and dashboard. monitoring: the settings of the stack's monitoring."""
    if not monitoring.get("enabled") or "metrics" not in wanted.ports:
        return []
    path = str(dig(wanted.config, ("observability", "metrics", "endpoint")) or "/metrics")
    endpoint = {"port": "metrics", "path": path, "interval": "30s"}
    spec = {"selector": {"matchLabels": wanted.labels()}, "endpoints": [endpoint]}
    found = [_labelled(wanted.of(MONITORING_API, "ServiceMonitor", spec=spec), monitoring["labels"])]
    if monitoring["alerts"]:
        groups = [{"name": wanted.name, "rules": alerts(wanted)}]
        rules = wanted.of(MONITORING_API, "PrometheusRule", spec={"groups": groups})
        found.append(_labelled(rules, monitoring["labels"]))
    if monitoring["dashboards"]:
        data = {f"{wanted.name}.json": json.dumps(dashboard(wanted), indent=1)}
        found.append(
            _labelled(wanted.of("v1", "ConfigMap", "dashboard", data=data), monitoring.get("dashboard_labels") or {})
        )
    return found


def _labelled(body: Object, labels: t.Mapping[str, str]) -> Object:
    body["metadata"]["labels"] = {**body["metadata"]["labels"], **labels}
    return body


def alerts(wanted: OrchestratorSettings) -> list[Object]:
    """Return Prometheus's rules: no server, no worker, and what is above its threshold."""
    space = f'namespace="{wanted.namespace}"'
    names = {API: wanted.name, WORKER: f"{wanted.name}-{WORKER}"}
    found = []
    for part, name in names.items():
        absent = f'absent(up{{{space}, service="{name}"}} == 1)'
        gone = f"No {'API server' if part == API else 'worker'} of {wanted.name} can be reached."
        found.append(alert(f"OrchestratorNo{part.capitalize()}", absent, "2m", "critical", gone))
    for setting, name, query, text in ALERTS:
        threshold = wanted.given["alert_thresholds"].get(setting)
        if threshold is not None:
            found.append(alert(name, f"{query.replace('HERE', space)} > {threshold}", "5m", "warning", text))
    return found


def dashboard(wanted: OrchestratorSettings) -> Object:
    """Return Grafana's dashboard."""
    panels = [_panel(index, *row) for index, row in enumerate(PANELS)]
    names = {"name": "namespace", "label": "Namespace", "type": "query", "datasource": _SOURCE, "refresh": 2, "sort": 1}
    current = {"text": wanted.namespace, "value": wanted.namespace}
    query = "label_values(workflow_executions_total, namespace)"
    variables = [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {**names, "query": query, "current": current},
    ]
    return {
        "uid": f"orchestrator-{wanted.namespace}"[:40],
        "title": f"LLM-Orchestrator: {wanted.name}",
        "tags": ["llm-orchestrator"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": variables},
        "panels": panels,
    }


def _panel(index: int, title: str, unit: str, query: str, legend: str) -> Object:
    expression = query.replace("HERE", 'namespace="$namespace"')
    target = {"expr": expression, "legendFormat": legend, "refId": "A", "datasource": _SOURCE}
    place = {"h": 8, "w": 8, "x": 8 * (index % 3), "y": 8 * (index // 3)}
    shown = {"defaults": {"unit": unit, "min": 0}, "overrides": []}
    return {"id": index + 1, "type": "timeseries", "title": title, "datasource": _SOURCE, "gridPos": place,
            "fieldConfig": shown, "targets": [target]}  # fmt: skip
