# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Counters of model servers and endpoint pickers, in Prometheus's text form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class ModelCounters:
    """What one pod has served under one model name."""

    success: dict[str, int] = field(default_factory=lambda: {"stop": 0, "length": 0, "abort": 0})
    prompt_tokens: int = 0
    generation_tokens: int = 0
    running: int = 0
    seconds: float = 0.0

    def done(self, finish: str, prompt: int, generated: int, seconds: float) -> None:
        """Count a finished request."""
        self.success[finish] = self.success.get(finish, 0) + 1
        self.prompt_tokens += prompt
        self.generation_tokens += generated
        self.seconds += seconds


class Counters:
    """All pods' counters, by pod uid and model name. They start at zero with the plane."""

    def __init__(self) -> None:
        self._pods: dict[str, dict[str, ModelCounters]] = defaultdict(dict)
        self._asked: dict[str, Counter[str]] = defaultdict(Counter)

    def of(self, uid: str, model: str) -> ModelCounters:
        """The counters of a pod for a model, made at first use."""
        return self._pods[uid].setdefault(model, ModelCounters())

    def ask(self, uid: str, model: str) -> None:
        """Count a request that an endpoint picker's pod was asked about."""
        self._asked[uid][model] += 1

    def asked(self, uid: str) -> Mapping[str, int]:
        """How often a picker's pod was asked, by model name."""
        return self._asked[uid]

    def forget(self, alive: set[str]) -> None:
        """Drop the counters of pods that are gone."""
        for known in (self._pods, self._asked):
            for uid in set(known) - alive:
                del known[uid]


def vllm_metrics(model: str, counters: ModelCounters) -> str:
    """/metrics of a vLLM server, the families that dashboards and endpoint pickers read."""
    label = f'engine="0",model_name="{_escape(model)}"'
    total = sum(counters.success.values())
    lines: list[str] = []
    lines += _family("vllm:num_requests_running", "gauge", [(label, counters.running)])
    lines += _family("vllm:num_requests_waiting", "gauge", [(label, 0)])
    lines += _family("vllm:kv_cache_usage_perc", "gauge", [(label, min(1.0, counters.running / 100))])
    lines += _family("vllm:prompt_tokens_total", "counter", [(label, counters.prompt_tokens)])
    lines += _family("vllm:generation_tokens_total", "counter", [(label, counters.generation_tokens)])
    finished = [(f'{label},finished_reason="{reason}"', count) for reason, count in counters.success.items()]
    lines += _family("vllm:request_success_total", "counter", finished)
    lines += ["# TYPE vllm:e2e_request_latency_seconds histogram"]
    lines += [f'vllm:e2e_request_latency_seconds_bucket{{{label},le="+Inf"}} {float(total)}']
    lines += [f"vllm:e2e_request_latency_seconds_count{{{label}}} {float(total)}"]
    lines += [f"vllm:e2e_request_latency_seconds_sum{{{label}}} {counters.seconds}"]
    config = f'block_size="16",engine="0",num_gpu_blocks="1000",model_name="{_escape(model)}"'
    lines += _family("vllm:cache_config_info", "gauge", [(config, 1)])
    return "\n".join(lines) + "\n"


def picker_metrics(pool: str, ready: int, asked: Mapping[str, int], counters: tuple[str, ...]) -> str:
    """/metrics of an endpoint picker: ready pods of its pool, and the requests it was asked about, under its names."""
    label = f'name="{_escape(pool)}"'
    lines = _family("inference_pool_ready_pods", "gauge", [(label, ready)])
    lines += _family("inference_pool_average_kv_cache_utilization", "gauge", [(label, 0)])
    lines += _family("inference_pool_average_queue_size", "gauge", [(label, 0)])
    samples = [(f'model_name="{_escape(name)}",target_model_name="{_escape(name)}"', n) for name, n in asked.items()]
    for counter in counters if samples else ():
        lines += _family(counter, "counter", samples)
    return "\n".join(lines) + "\n"


def counter_lines(name: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> str:
    """A counter in text, a line for each sample: labels and number."""
    written = [(",".join(f'{key}="{_escape(value)}"' for key, value in labels.items()), n) for labels, n in samples]
    return "\n".join(_family(name, "counter", written)) + "\n"


def _family(name: str, kind: str, samples: list[tuple[str, float]]) -> list[str]:
    return [f"# TYPE {name} {kind}"] + [f"{name}{{{labels}}} {float(value)}" for labels, value in samples]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
