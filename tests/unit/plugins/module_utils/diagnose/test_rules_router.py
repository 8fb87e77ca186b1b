# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a router does not route: its logs, its pods and the config that is live."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.policies import CLASSES

from diagnose.world import Object, crashed, event, evidence, item, pod, state

CONTROLLER, SERVER = "router-controller", "router-server"
FAILED = "[2026-11-30T14:48:09Z ERROR llm_router_gateway_api] Failed to load configuration: "
NOT_LOADED = "error: creating server: Internal - failed to load all models"
LOGS: list[tuple[str, str]] = [
    ("DIAG870", f"{FAILED}Missing field 'api_key' in LLM 'Other'\nError: Missing field 'api_key' in LLM 'Other'"),
    (
        "DIAG871",
        f"{FAILED}policies[0].llms[0]: missing field `api_key` at line 5 column 9\n"
        "Error: policies[0].llms[0]: missing field `api_key` at line 5 column 9",
    ),
    ("DIAG871", f"{FAILED}did not find expected key at line 3 column 1\nError: did not find expected key"),
    ("DIAG872", f"{FAILED}No such file or directory (os error 2)\nError: No such file or directory (os error 2)"),
    ("DIAG873", "error: creating server: Internal - failed to stat file /model_repository/routers"),
    (
        "DIAG874",
        "E1130 14:48:09.1 1 model_repository_manager.cc:1460] \"Poll failed for model directory 'routers': Invalid\n"
        f" model name: Could not determine backend for model 'routers'\"\n{NOT_LOADED}",
    ),
    (
        "DIAG875",
        "failed to load 'task_router_ensemble': Invalid argument: ensemble task_router_ensemble contains models that"
        f" are not available or ambiguous: task_router\n{NOT_LOADED}",
    ),
    (
        "DIAG876",
        "E1130 14:48:09.1 1 model_lifecycle.cc:642] \"failed to load 'preprocessing_task_router' version 1: Internal:"
        f" OSError: We couldn't connect to 'https://huggingface.co' to load the files\"\n{NOT_LOADED}",
    ),
]


def routers(component: str, *states: Object, name: str = "web-1", **fields: Any) -> Object:
    return pod(name, *states, labels={"app.kubernetes.io/component": component}, **fields)


@pytest.mark.parametrize(("rule", "text"), LOGS)
def test_logs(rule: str, text: str) -> None:
    failing, log = crashed(text)
    assert [cause["id"] for cause in diagnose(evidence(failing, logs=[log]))["causes"]] == [rule]


def config(classes: list[str] | None = None, base: str = "http://front:8000", key: str = "${KEY}") -> str:
    """A config of one policy."""
    names = classes or list(CLASSES["task_router"])
    llms = [{"name": name, "api_base": base, "api_key": key, "model": "m"} for name in names]
    url = "http://server:8000/v2/models/task_router_ensemble/infer"
    return yaml.safe_dump({"policies": [{"name": "task_router", "url": url, "llms": llms}]})


def controller(text: str | None = None, path: str = "/app", changed: str = "2026-11-21T09:00:00Z") -> list[Object]:
    """A controller that runs, with its Deployment and the ConfigMap that it mounts."""
    labels = {"app.kubernetes.io/component": CONTROLLER}
    env = [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    container = {"name": f"llm-{CONTROLLER}", "env": env, "volumeMounts": [{"name": "config", "mountPath": path}]}
    spec = {"containers": [container], "volumes": [{"name": "config", "configMap": {"name": "config"}}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    deployment = item("Deployment", "web", spec={"replicas": 1, "template": template})
    deployment["status"] = {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1}
    found = item("ConfigMap", "config", data={"config.yaml": text or config()})
    found["metadata"]["managedFields"] = [{"time": changed, "fieldsV1": {"f:data": {}}}]
    running = state(CONTROLLER, running=True, ready=True)
    running["state"] = {"running": {"startedAt": "2026-11-21T09:20:00Z"}}
    ready = [{"type": "Ready", "status": "True"}]
    owner = item("ReplicaSet", "web-h", ownerReferences=[{"kind": "Deployment", "name": "web", "controller": True}])
    return [deployment, owner, found, routers(CONTROLLER, running, phase="Running", conditions=ready)]


def silent_server(ready: bool = False) -> list[Object]:
    service = item("Service", "server", labels={"app.kubernetes.io/component": SERVER})
    slices = item("EndpointSlice", "server-x", labels={"kubernetes.io/service-name": "server"})
    return [service, {**slices, "endpoints": [{"conditions": {"ready": ready}}]}]


def waits(component: str, reason: str, message: str = "", **fields: Any) -> Object:
    return routers(component, state("vllm", waiting={"reason": reason, "message": message}), **fields)


def two_nodes() -> list[Object]:
    held = routers(SERVER, phase="Pending")
    text = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0'
    return [held, event(held, "FailedAttachVolume", text)]


def surge() -> list[Object]:
    """A new pod beside one of the former template."""
    text = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
    unplaced = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": text}]
    new = routers(SERVER, conditions=unplaced, name="web-2", spec={"nodeName": None})
    new["metadata"]["labels"]["pod-template-hash"] = "n"
    new["metadata"]["ownerReferences"][0]["name"] = "web-n"
    ready = [{"type": "Ready", "status": "True"}]
    old = routers(SERVER, state(running=True, ready=True), phase="Running", conditions=ready)
    owners = [{"kind": "Deployment", "name": "web", "controller": True}]
    sets = [item("ReplicaSet", f"web-{name}", ownerReferences=owners) for name in ("h", "n")]
    return [new, old, *sets]


CASES: list[tuple[str, str, list[Object], str]] = [
    (
        "placeholder",
        "DIAG877",
        [
            waits(
                CONTROLLER,
                "InvalidImageName",
                spec={"containers": [{"name": "vllm", "image": "YOUR_REGISTRY_HERE/x:1"}]},
            )
        ],
        "YOUR_REGISTRY_HERE",
    ),
    ("Secret", "DIAG878", [waits(CONTROLLER, "CreateContainerConfigError", 'secret "llm-api-keys" not found')], "keys"),
    (
        "key",
        "DIAG878",
        [waits(CONTROLLER, "CreateContainerConfigError", "couldn't find key k in Secret demo/llm-api-keys")],
        "key k",
    ),
    ("claim on two nodes", "DIAG881", two_nodes(), "Multi-Attach"),
    ("second GPU", "DIAG882", surge(), "keeps its GPU"),
    ("mount path", "DIAG879", controller(path="/etc/router"), "/etc/router"),
    ("changed config", "DIAG880", controller(changed="2026-11-21T09:25:00Z"), "was changed after"),
    ("class missing", "DIAG884", controller(config(list(CLASSES["task_router"][:-1]))), "Unknown is missing"),
    ("doubled /v1", "DIAG885", controller(config(base="http://front:8000/v1")), "/v1/v1"),
    ("no classifier", "DIAG883", [*controller(), *silent_server()], "no ready endpoint"),
]


@pytest.mark.parametrize(("rule", "objects", "text"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_what_is_seen(rule: str, objects: list[Object], text: str) -> None:
    found = [cause for cause in diagnose(evidence(*objects))["causes"] if cause["id"].startswith("DIAG8")]
    assert [(cause["id"], text in cause["evidence"][0]) for cause in found] == [(rule, True)], found


def test_a_config_that_no_controller_runs_with_is_told_by_its_log() -> None:
    deployment, owner, found, _pod = controller("policies:\n- name: a\n")
    failing, log = crashed(f"{FAILED}policies[0]: missing field `url` at line 2 column 3")
    failing["metadata"]["labels"]["app.kubernetes.io/component"] = CONTROLLER
    causes = diagnose(evidence(deployment, owner, found, failing, logs=[log]))["causes"]
    assert [cause["id"] for cause in causes] == ["DIAG871"]


@pytest.mark.parametrize(
    "objects",
    [
        controller(),
        controller(path="/app/"),
        # Written at the moment at which the pod started.
        controller(changed="2026-11-21T09:20:01Z"),
        [*controller(), *silent_server(ready=True)],
        # Of no controller.
        controller(config(list(CLASSES["task_router"][:-1])))[2:3],
    ],
)
def test_routers_without_a_fault(objects: list[Object]) -> None:
    assert diagnose(evidence(*objects))["causes"] == []
