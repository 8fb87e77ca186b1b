# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Records to test with: a stack of two models behind two routes, one with prefill and decode."""

from __future__ import annotations

import datetime
import json
import pathlib

from ansible_collections.llm_d.orchestrator.plugins.module_utils.record.build import build

ROOT = pathlib.Path(__file__).parents[5]
SCHEMA = json.loads((ROOT / "roles" / "record" / "files" / "record.schema.json").read_text())
STARTED = "20261121T083000Z"
NOW = datetime.datetime(2026, 11, 21, 8, 30, 30, tzinfo=datetime.timezone.utc)


def event(second, component, name, step, status, **more):
    time = f"2026-11-21T08:30:{second:06.3f}Z"
    return {"time": time, "component": component, "name": name, "step": step, "status": status, **more}


EVENTS = [
    event(4, "modelservice", "ms-a", "install", "started"),
    event(4, "gaie", "gaie-a", "install", "started"),
    event(5, "gaie", "gaie-a", "install", "done", seconds=1.0),
    event(6, "modelservice", "ms-a", "install", "done", seconds=2.0),
    event(6, "modelservice", "ms-a", "ready", "started"),
    event(16, "modelservice", "ms-a", "ready", "failed", seconds=10.0, detail="no room"),
    event(20, "httproute", "llm-d-a", "apply", "done", seconds=0.5),
    event(21, "verify", "a", "probe", "started"),
]


def route(name, pool):
    rule = {"backendRefs": [{"kind": "InferencePool", "name": pool}]}
    metadata = {"name": name, "namespace": "llm-d"}
    spec = {"rules": [rule]}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}


def model(name, roles, **more):
    workloads = {role: f"ms-{name}-{role}" for role in roles}
    known = {"name": name, "model": f"org/{name}", "release": f"ms-{name}", "pool": f"gaie-{name}", "port": 8000}
    return {**known, "roles": roles, "workloads": workloads, "workload_kind": "Deployment",
            "path_prefix": f"/{name}", "hostnames": [], **more}  # fmt: skip


def stack(*models):
    names = [one["name"] for one in models]
    chart = {"chart_ref": "oci://registry.example/charts/x", "chart_version": "1", "values": {"replicas": 1}}
    return {
        "namespace": "llm-d",
        "gateway": {"name": "gw", "namespace": "llm-d", "provider": "istio", "class_name": "istio", "adopted": False},
        "models": list(models),
        "pools": [
            {"name": f"gaie-{name}", "model": name, "target_ports": [8000], "endpoint_picker": f"gaie-{name}-epp"}
            for name in names
        ],
        "routes": [route(f"llm-d-{name}", f"gaie-{name}") for name in names],
        "releases": {"modelservice": [{"name": f"ms-{name}", **chart} for name in names]},
        "inputs": [{"name": f"ms-{name}", **chart} for name in names],
    }


def release(name, *, ready=True, **more):
    item = {"api_version": "apps/v1", "kind": "Deployment", "namespace": "llm-d", "name": f"{name}-decode"}
    known = {"name": name, "namespace": "llm-d", "action": "created", "reason": "it does not exist"}
    known |= {"chart": "llm-d-modelservice", "chart_version": "v0.4.5", "chart_digest": "1d907c", "revision": 1}
    objects = [{**item, "ready": ready, "seconds": 1.0, "fingerprint": "0" * 32}]
    return {**known, "seconds": 3.1, "objects": objects, **more}


def checks(name, *, bad=""):
    names = ("pods", "selector", "ports", "endpoint_picker", "gateway", "route", "pool", "completion")
    return [
        {"model": name, "name": check, "ok": check != bad, "detail": f"{check} of {name}", "hint": "mend it",
         "level": "error" if check == bad else "ok", "seconds": 0.1}
        for check in names
    ]  # fmt: skip


def parameters(**more):
    models = (model("a", {"decode": 2}), model("b", {"prefill": 1, "decode": 3}))
    answers = [
        {"name": "a", "model": "org/a", "status": 200, "ok": True, "latency_ms": 12.5, "served_by": ["ms-a-1"],
         "url_path": "POST /a/v1/completions"}
    ]  # fmt: skip
    given = {
        "started": STARTED,
        "cluster": "east",
        "outcome": "succeeded",
        "by": {"user": "ops", "host": "bastion", "job": "42"},
        "stack": stack(*models),
        "inputs": {"llm_d_namespace": "llm-d"},
        "versions": {"llm_d.orchestrator": "0.1.0", "helm": "v3.19.4"},
        "plan_digest": "sha256:a1",
        "approved_inputs": {"modelservice/ms-a": "aa", "routes": "bb"},
        "releases": [release("ms-a"), release("ms-b")],
        "verification": {"checks": checks("a") + checks("b"), "models": answers, "endpoint": "http://10.0.0.1"},
    }
    return {**given, **more}


CAUSE = {
    "id": "DIAG101",
    "title": "The image does not exist",
    "severity": "error",
    "component": "modelservice",
    "objects": ["Pod llm-d/ms-a-1"],
    "evidence": ["Failed to pull image x: not found"],
    "cause": "The registry has no such tag.",
    "remedy": "Mend the tag.",
    "explains": ["Deployment ms-a-decode"],
    "seconds_since_first": 3.2,
}


def sample(events=None, **more):
    return build(parameters(**more), EVENTS if events is None else events, NOW)


def failed(**more):
    failure = {"component": "modelservice", "text": "ms-a has no ready pod"}
    diagnosis = {"causes": [CAUSE], "evidence": [], "releases": [], "namespace": "llm-d"}
    diagnosis |= {"state": ["gaie: deployed and ready: gaie-a"], "screen": ["1. DIAG101"], "changed": False}
    return sample(**{"outcome": "failed", "failure": failure, "diagnosis": diagnosis, **more})
