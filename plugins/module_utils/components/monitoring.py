# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Monitoring of a stack: alert rules, and dashboards for Grafana; monitors.py turns the charts' own monitors on.

Metrics: of the endpoint picker gateway-api-inference-extension v1.3.0, pkg/epp/metrics/metrics.go, which llm-d-router
v0.10.0 emits under the same names besides its own (docs/metrics.md); of model servers those of vLLM's V1 engine.
"""

from __future__ import annotations

import typing as t

from ..base import formats
from ..base.apis import MONITORING_API
from ..base.data import Object
from ..base.names import epp_name
from .base import OBJECTS, PREPARING, Component, NeededKind, Part
from .gaie import GaieComponent

RULES, DASHBOARDS = "llm-d-alerts", "llm-d-dashboards"


class MonitoringComponent(Component):
    """The component `monitoring`."""

    name = "monitoring"
    phase = PREPARING
    shapes = {
        "labels": formats.labels,
        "dashboard_labels": formats.labels,
        "error_rate": formats.share,
        "kv_cache": formats.share,
        "queue_size": formats.positive,
        "ttft_p95": formats.positive,
    }

    def resolve(self) -> None:
        """Nothing follows from its variables alone."""

    def make_parts(self) -> list[Part]:
        pools = [pool.release for pool in self.stack.of(GaieComponent).pools]
        objects = monitoring_objects(self.given, self.namespace, pools)
        return [Part(self.name, self.name, self.namespace, OBJECTS, {"objects": objects})] if objects else []

    def needs(self) -> list[NeededKind]:
        wanted = self.given.get("enabled") and self.given["alerts"]
        return [NeededKind(MONITORING_API, "PrometheusRule", "monitoring_alerts")] if wanted else []


def monitoring_objects(settings: Object, namespace: str, pools: t.Sequence[str]) -> list[Object]:
    """Return the alert rules and the dashboards of a namespace, as manifests; [] where nothing is asked for.

    settings: the role monitoring's; dashboard_files: {file: its JSON}; pools: the releases of the pools.
    """
    if not settings.get("enabled"):
        return []
    found = []
    if settings["alerts"]:
        groups = [{"name": "llm-d", "rules": alert_rules(settings, namespace, pools)}]
        rule = _object(MONITORING_API, "PrometheusRule", RULES, namespace, settings["labels"])
        found.append({**rule, "spec": {"groups": groups}})
    files = settings.get("dashboard_files") or {}
    if settings["dashboards"] and files:
        found.append({**_object("v1", "ConfigMap", DASHBOARDS, namespace, settings["dashboard_labels"]), "data": files})
    return found


def _object(api_version: str, kind: str, name: str, namespace: str, labels: t.Mapping[str, str]) -> Object:
    metadata: Object = {"name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


# Name, query and text of each alert with a threshold; in queries HERE stands for the namespace's matcher.
_BY = "by (namespace, model_name)"
_MODEL, _POOL = "Model {{ $labels.model_name }}", "Pool {{ $labels.name }}"
_VALUE = "{{ $value | printf `%.2f` }}"

_THRESHOLDS = {
    "error_rate": (
        "LlmdManyErrors",
        f"sum {_BY} (rate(inference_objective_request_error_total{{HERE}}[5m]))"
        f" / sum {_BY} (rate(inference_objective_request_total{{HERE}}[5m]))",
        f"{_MODEL}: the share of failed requests is {_VALUE}.",
    ),
    "queue_size": (
        "LlmdLongQueue",
        "inference_pool_average_queue_size{HERE}",
        f"{_POOL}: {_VALUE} requests are queued per pod on average.",
    ),
    "kv_cache": (
        "LlmdKvCacheNearlyFull",
        "inference_pool_average_kv_cache_utilization{HERE}",
        f"{_POOL}: KV cache usage is {_VALUE} of 1.",
    ),
    "ttft_p95": (
        "LlmdSlowFirstToken",
        "histogram_quantile(0.95, sum by (namespace, model_name, le)"
        " (rate(vllm:time_to_first_token_seconds_bucket{HERE}[5m])))",
        f"{_MODEL}: the 95th percentile of the time to first token is {_VALUE}s.",
    ),
}


def alert_rules(settings: Object, namespace: str, pools: t.Sequence[str]) -> list[Object]:
    """Return Prometheus's rules; thresholds: error_rate and kv_cache from 0 to 1, queue_size, ttft_p95 in seconds."""
    here = f'namespace="{namespace}"'
    text = f"{_POOL} has no ready pod: requests to it fail."
    empty = alert("LlmdPoolHasNoReadyPod", f"inference_pool_ready_pods{{{here}}} == 0", "2m", "critical", text)
    rows = [*(_picker_down(here, pool) for pool in pools), empty]
    for setting, (name, query, text) in _THRESHOLDS.items():
        expression = f"{query.replace('HERE', here)} > {settings[setting]}"
        rows.append(alert(name, expression, "5m", "warning", text))
    return rows


def _picker_down(here: str, pool: str) -> Object:
    picker = epp_name(pool)
    up = f'up{{{here}, service="{picker}"}}'
    return alert(
        "LlmdEndpointPickerDown",
        f"absent({up} == 1)",
        "2m",
        "critical",
        f"The endpoint picker {picker} does not answer: its pool gets no requests.",
        {"service": picker},
    )


def alert(
    name: str, query: str, duration: str, severity: str, text: str, labels: t.Mapping[str, str] | None = None
) -> Object:
    """Return one of Prometheus's rules. duration: for how long the query holds before it counts."""
    marks = {"severity": severity, **(labels or {})}
    return {"alert": name, "expr": query, "for": duration, "labels": marks, "annotations": {"summary": text}}
