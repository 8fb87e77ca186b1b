# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The metrics of the router's controller (llm-router v1, src/metrics.rs), in Prometheus's text form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Durations:
    """How often and how long something took."""

    count: int = 0
    seconds: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.count += 1
        self.seconds += seconds

    def lines(self, name: str, label: str = "") -> list[str]:
        """Its samples as a histogram's."""
        inner = f"{label}," if label else ""
        braces = f"{{{label}}}" if label else ""
        return [
            f'{name}_bucket{{{inner}le="+Inf"}} {self.count}',
            f"{name}_sum{braces} {self.seconds}",
            f"{name}_count{braces} {self.count}",
        ]


@dataclass
class ControllerMetrics:
    """What one controller has done; `models` counts classes, as the controller's requests_per_model does."""

    requests: int = 0
    success: int = 0
    policies: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    strategies: Counter[str] = field(default_factory=Counter)
    latency: Durations = field(default_factory=Durations)
    selection: Durations = field(default_factory=Durations)
    responses: dict[str, Durations] = field(default_factory=lambda: defaultdict(Durations))

    def done(self, status: int, seconds: float) -> None:
        """Count a request by its answer; 0 is none."""
        self.requests += 1
        self.latency.observe(seconds)
        if 200 <= status < 300:
            self.success += 1
        else:
            self.failures[{0: "system", 4: "4xx", 5: "5xx"}.get(status // 100, "other")] += 1

    def text(self) -> str:
        """/metrics."""
        lines = ["# TYPE num_requests counter", f"num_requests {self.requests}"]
        lines += _counted("requests_per_policy", "policy", self.policies)
        lines += _counted("requests_per_model", "model", self.models)
        lines += ["# TYPE request_latency_seconds histogram", *self.latency.lines("request_latency_seconds")]
        lines += ["# TYPE request_success_total counter", f"request_success_total {self.success}"]
        lines += _counted("request_failure_total", "error_type", self.failures)
        lines += _counted("routing_policy_usage", "routing_policy", self.strategies)
        lines += ["# TYPE model_selection_time_seconds histogram"]
        lines += self.selection.lines("model_selection_time_seconds")
        lines += ["# TYPE llm_response_time_seconds histogram"] if self.responses else []
        for name, durations in self.responses.items():
            lines += durations.lines("llm_response_time_seconds", f'llm="{name}"')
        return "\n".join(lines) + "\n"


def _counted(name: str, label: str, samples: Mapping[str, int]) -> list[str]:
    lines = [f'{name}{{{label}="{value}"}} {count}' for value, count in samples.items()]
    return [f"# TYPE {name} counter", *lines] if lines else []
