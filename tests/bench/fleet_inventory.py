# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Inventories of simulated clusters: many hosts whose API is one lab's, each with a namespace of its own."""

from __future__ import annotations

import typing as t

Object = dict[str, t.Any]

MODELS = (("qwen3-0-6b", "Qwen/Qwen3-0.6B"), ("llama-3-2-1b", "meta-llama/Llama-3.2-1B-Instruct"))
CONTAINER = {
    "name": "vllm",
    "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1",
    "modelCommand": "imageDefault",
    "ports": [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}],
    "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
    "readinessProbe": {"httpGet": {"path": "/v1/models", "port": "vllm"}, "periodSeconds": 5},
}


def values(replicas: int) -> Object:
    """Return a small model server's values."""
    return {
        "accelerator": {"type": "cpu"},
        "routing": {"proxy": {"enabled": False}},
        "decode": {"create": True, "replicas": replicas, "containers": [CONTAINER]},
        "prefill": {"create": False},
    }


def models(replicas: int) -> list[Object]:
    """Return two models, as the lab's own inventory has them."""
    return [{"name": name, "model": model, "values": values(replicas)} for name, model in MODELS]


def common(lab: Object) -> Object:
    """Return the variables of all hosts. lab: the lab's record (lab.json)."""
    charts = lab["charts"]
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "llm_d_helm_binary": lab["helm"],
        "gateway_provider": "istio",
        "gateway_chart_ref": f"{charts}/llm-d-infra",
        "gateway_chart_version": "",
        "gaie_chart_ref": f"{charts}/inferencepool",
        "modelservice_chart_ref": f"{charts}/llm-d-modelservice",
        "modelservice_chart_version": "",
        "llm_d_models": models(1),
    }


def simulated(count: int, lab: Object, *, alike: bool = False) -> Object:
    """Return an inventory of count hosts with one lab's API, namespaces llm-d-0001 and so on.

    alike: whether all have the same models' values; else each has its own copy, with one to three replicas.
    """
    hosts: Object = {}
    for number in range(1, count + 1):
        own = {} if alike else {"llm_d_models": models(1 + number % 3)}
        hosts[f"cluster-{number:04}"] = {"llm_d_namespace": f"llm-d-{number:04}", **own}
    return {"all": {"hosts": hosts, "vars": {**common(lab), "llm_d_kubeconfig": lab["kubeconfig"]}}}


def labs(records: t.Mapping[str, Object]) -> Object:
    """Return an inventory of labs. records: each lab's record by its name."""
    hosts = {name: {"llm_d_kubeconfig": lab["kubeconfig"]} for name, lab in records.items()}
    return {"all": {"hosts": hosts, "vars": common(next(iter(records.values())))}}
