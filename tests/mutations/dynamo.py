# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Mistakes in stacks on NVIDIA Dynamo with the LLM Router: in graphs of 0.5 and 1.x, models, values and policies."""

from __future__ import annotations

import copy
from typing import Any

import values
from bases import Base
from values import NAMESPACE

CHART = "dynamo"
RUNTIME = "nvcr.io/nvidia/ai-dynamo/vllm-runtime"
SMALL, LARGE, MIXED = "org/small-8B", "org/large-70B", "org/mixed-8x7B"
ROUTER, CLAIM = f"{NAMESPACE}-router", "router-models"
PROBE = {"httpGet": {"path": "/live", "port": "system"}, "periodSeconds": 10, "failureThreshold": 720}
TASKS = (
    *("Brainstorming", "Chatbot", "Classification", "Closed QA", "Code Generation", "Extraction", "Open QA", "Other"),
    *("Rewrite", "Summarization", "Text Generation", "Unknown"),
)
COMPLEXITIES = (
    *("Creativity", "Reasoning", "Contextual-Knowledge", "Few-Shot", "Domain-Knowledge", "No-Label-Reason"),
    "Constraint",
)


def graph(name: str, services: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a graph."""
    body = {"apiVersion": "nvidia.com/v1alpha1", "kind": "DynamoGraphDeployment", "metadata": {"name": name}}
    return {**body, "spec": {**spec, "services": services}}


def worker(version: str, model: str, space: str, gpus: int, *words: str, role: str = "") -> dict[str, Any]:
    """Return a worker as users write it in files; space: its dynamoNamespace, '' for none."""
    late = version >= "0.7"
    folder = "examples" if late else "components"
    line = ["--model", model, *(["--tensor-parallel-size", str(gpus)] if gpus > 1 else []), *words]
    main = {
        "image": f"{RUNTIME}:{version}",
        "workingDir": f"/workspace/{folder}/backends/vllm",
        "startupProbe": copy.deepcopy(PROBE),
        "command": ["python3", "-m", "dynamo.vllm"],
        "args": line,
    }
    own = {"dynamoNamespace": space} if space else {}
    sub = {"subComponentType": role} if role and late else {}
    return {
        **own,
        "componentType": "worker",
        **sub,
        "envFromSecret": values.SECRET,
        "replicas": 1,
        "resources": {"limits": {"gpu": str(gpus)}},
        "extraPodSpec": {"mainContainer": main},
    }


def files(version: str) -> dict[str, Any]:
    """Return graphs of a shared frontend and three models, one aggregated, as files."""
    late = version >= "0.7"
    where = {"globalDynamoNamespace": True} if late else {"dynamoNamespace": "dynamo"}
    main = {"image": f"{RUNTIME}:{version}"}
    found = {"front": graph("front", {"Frontend": {**where, "componentType": "frontend", "replicas": 1,
                                                   "extraPodSpec": {"mainContainer": main}}})}  # fmt: skip
    found["small"] = graph("small", {"Worker": worker(version, SMALL, "" if late else "small", 1)})
    for name, model, gpus in (("large", LARGE, 4), ("mixed", MIXED, 2)):
        prefill = ["--disaggregation-mode", "prefill"] if late else ["--is-prefill-worker"]
        decode = ["--disaggregation-mode", "decode"] if late else []
        space = "" if late else name
        found[name] = graph(
            name,
            {
                "Decode": worker(version, model, space, gpus, *decode, role="decode"),
                "Prefill": worker(version, model, space, gpus, *prefill, role="prefill"),
            },
            backendFramework="vllm",
        )
    return found


def router_values() -> dict[str, Any]:
    """Return a router's values as users write them."""
    return {
        "global": {"imageRegistry": "registry.example.com/llm/"},
        "routerController": {"replicas": 1, "image": {"tag": "1.0"}},
        "routerServer": {
            "replicas": 1,
            "image": {"tag": "1.0"},
            "modelRepository": {"path": "/model_repository/routers"},
            "volumes": {"modelRepository": {"mountPath": "/model_repository"}},
        },
        "ingress": {"enabled": False},
    }


def policies() -> dict[str, Any]:
    """Return policies as data."""
    models = (SMALL, LARGE, MIXED)
    tables = {"task_router": TASKS, "complexity_router": COMPLEXITIES}
    return {
        name: {"classes": [{"name": one, "model": models[place % 3]} for place, one in enumerate(classes)]}
        for name, classes in tables.items()
    }


def config() -> dict[str, Any]:
    """Return a controller's configuration, as a file of the user's."""
    server = f"http://llm-router-router-server.{ROUTER}.svc.cluster.local:8000/v2/models"
    llm = {"api_base": "${DYNAMO_API_BASE}", "api_key": "${DYNAMO_API_KEY}"}
    rows = [
        {
            "name": name,
            "url": f"{server}/{name}_ensemble/infer",
            "llms": [{"name": one["name"], **llm, "model": one["model"]} for one in table["classes"]],
        }
        for name, table in policies().items()
    ]
    return {"policies": rows}


def _router(**more: Any) -> dict[str, Any]:
    repository = {"existing_claim": CLAIM}
    given = {"enabled": True, "namespace": ROUTER, "values_files": ["router.yaml"], "model_repository": repository}
    return {**given, **more}


def _base(name: str, about: str, version: str, held: dict[str, Any], models: list[Any], **more: Any) -> Base:
    settings: dict[str, Any] = {
        "dynamo_platform": {"enabled": True, "version": version, "existing": "false"},
        "dynamo_frontend": {"name": "front"},
        "dynamo_models": {"models": models, "hf_token_secret": values.SECRET},
        "llm_router": _router(policies=policies()),
        **more,
    }
    options = {"namespace": NAMESPACE, "models": [], "capacity": "block", **settings}
    return Base(name, {"router": router_values(), **held}, options, CHART, about)


def bases() -> dict[str, Base]:
    """Return the correct stacks on Dynamo."""
    from_files = [{"name": name, "graph_file": f"{name}.yaml"} for name in ("small", "large", "mixed")]
    settings = [
        {"name": "small", "model": SMALL, "gpus": 1},
        {"name": "large", "model": LARGE, "mode": "disagg", "gpus": 4},
        {"name": "mixed", "model": MIXED, "mode": "disagg", "decode": {"gpus": 2}, "prefill": {"gpus": 2}},
    ]
    frontend = {"dynamo_frontend": {"graph_file": "front.yaml"}}
    own = {"llm_router": _router(config_file="config.yaml")}
    found = [
        _base("dynamo settings", "Dynamo 0.5 with three models of settings, and a router", "0.5.0", {}, settings),
        _base(
            "dynamo files", "Dynamo 0.5 with graph files, and a router", "0.5.0", files("0.5.0"), from_files, **frontend
        ),
        _base(
            "dynamo 1.x",
            "Dynamo 1.0.1 with graph files, and a router with a configuration of the user's",
            "1.0.1",
            {**files("1.0.1"), "config": config()},
            from_files,
            **frontend,
            **own,
        ),
    ]
    return {base.name: base for base in found}
