# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Causes for which a router does not start or route, and what puts each of them on the lab."""

from __future__ import annotations

import datetime
import secrets
import subprocess
from collections.abc import Callable
from typing import Any, NamedTuple

import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.policies import CLASSES
from graphs_there import CHARTS
from plane_client import Lab, eventually
from small_stack import helm

PREFIX, PATIENCE = f"router-{secrets.token_hex(2)}-", 120.0
REGISTRY = "registry.example.com/llm/"
# The node that one case fills.
HOST, FULL = "kubernetes.io/hostname", "gpu-3"
BASE = "http://front.models.svc.cluster.local:8000"
Object = dict[str, Any]


def config(base: str = BASE, key: str = "${DYNAMO_API_KEY}", drop: str = "") -> str:
    """The config of both policies."""
    llm = {"api_base": base, "api_key": key, "model": "small"}
    rows = [
        {
            "name": policy,
            "url": f"http://llm-router-router-server:8000/v2/models/{policy}_ensemble/infer",
            "llms": [{"name": name, **llm} for name in names if name != drop],
        }
        for policy, names in CLASSES.items()
    ]
    return yaml.safe_dump({"policies": rows})


class Case(NamedTuple):
    """rule: the id expected; text: what its evidence says; values: of the chart; config: what the ConfigMap holds under
    its key; keys: values of the two Secrets, None for one that is not there; holds: what the claim has; then: done once
    its pods run, with what may be told before."""

    name: str
    rule: str
    text: str
    values: Object = {}
    config: str = config()
    file: str = "config.yaml"
    keys: tuple[str | None, str | None] = ("none", "none")
    holds: str = "routers"
    then: Callable[[Lab, str], None] | None = None


def whole_node() -> Object:
    """A server that takes all GPUs of one node."""
    gpus = {"nvidia.com/gpu": 8}
    server = {"resources": {"limits": gpus, "requests": gpus}, "affinity": {"nodeAffinity": None}}
    return {
        "nodeSelector": {HOST: FULL},
        "routerController": {"enabled": False},
        "routerServer": server,
    }


def apart() -> Object:
    """Two servers, each on a node of its own."""
    labels = {"app.kubernetes.io/component": "router-server"}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": HOST}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return {"routerServer": {"replicas": 2, "affinity": affinity}}


def rewrite(lab: Lab, namespace: str) -> None:
    """Change the config behind a controller some seconds after it has started: times are told in whole seconds."""
    (pod,) = lab.core.list_namespaced_pod(
        namespace, label_selector="app.kubernetes.io/component=router-controller"
    ).items
    started = pod.status.container_statuses[0].state.running.started_at
    eventually(lambda: datetime.datetime.now(datetime.timezone.utc) > started + datetime.timedelta(seconds=5))
    lab.apply(config_map(namespace, config(base="http://other.models:8000")))


def new_template(lab: Lab, namespace: str) -> None:
    """Roll the server out again."""
    body = {"spec": {"template": {"metadata": {"annotations": {"again": "1"}}}}}
    lab.resource("apps/v1", "Deployment").patch(
        name="llm-router-router-server", namespace=namespace, body=body, content_type="application/merge-patch+json"
    )


CASES = [
    Case("empty-key", "DIAG870", "Missing field 'api_key' in LLM 'Brainstorming'", keys=("none", "")),
    Case("no-yaml", "DIAG871", "Failed to load configuration", config="policies: [\n"),
    Case("no-url", "DIAG871", "missing field `url`", config="policies:\n- name: a\n"),
    Case("other-key", "DIAG872", "No such file or directory", file="router-config-dynamo.yaml"),
    Case("empty-claim", "DIAG873", "failed to stat file /model_repository/routers", holds=""),
    Case(
        "too-high",
        "DIAG874",
        "Poll failed for model directory 'routers'",
        {"routerServer": {"modelRepository": {"path": "/model_repository"}}},
    ),
    Case("no-steps", "DIAG875", "contains models that are not available", holds="routers/task_router_ensemble"),
    Case("placeholder", "DIAG877", "YOUR_REGISTRY_HERE", {"global": {"imageRegistry": "YOUR_REGISTRY_HERE/"}}),
    Case("no-secret", "DIAG878", 'secret "llm-api-keys" not found', keys=(None, "none")),
    Case("built-in", "DIAG879", "/etc/router", {"routerController": {"config": {"mountPath": "/etc/router"}}}),
    Case("older", "DIAG880", "was changed after", then=rewrite),
    Case("two-nodes", "DIAG881", "Multi-Attach", apart()),
    Case("surge", "DIAG882", "keeps its GPU", whole_node(), then=new_template),
    Case("silent", "DIAG883", "no ready endpoint", {"routerServer": {"replicas": 0}}),
    Case("class", "DIAG884", "Chatbot is missing", config=config(drop="Chatbot")),
    Case("doubled", "DIAG885", "/v1/v1", config=config(base=f"{BASE}/v1")),
    Case("healthy", "", ""),
]


def config_map(namespace: str, text: str, file: str = "config.yaml") -> Object:
    metadata = {"name": "router-config", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {file: text}}


def secret(namespace: str, name: str, key: str, value: str) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {key: value}}


def merged(base: Object, over: Object) -> Object:
    """Values merged as Helm does."""
    both = {
        key: merged(base[key], over[key])
        for key in base
        if isinstance(base[key], dict) and isinstance(over.get(key), dict)
    }
    return {**base, **over, **both}


def rendered(namespace: str, values: Object) -> list[Object]:
    key = {
        "name": "DYNAMO_API_KEY",
        "valueFrom": {"secretKeyRef": {"name": "dynamo-api-secret", "key": "DYNAMO_API_KEY"}},
    }
    claim = {"persistentVolumeClaim": {"existingClaim": "router-models"}}
    others = {"nodeSelectorTerms": [{"matchExpressions": [{"key": HOST, "operator": "NotIn", "values": [FULL]}]}]}
    own = {
        "global": {"imageRegistry": REGISTRY},
        "routerController": {"replicas": 1, "env": [key], "config": {"existingConfigMap": "router-config"}},
        "routerServer": {
            "replicas": 1,
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": others}},
            "modelRepository": {"path": "/model_repository/routers"},
            "volumes": {"modelRepository": {"storage": claim}},
        },
    }
    command = [helm(), "template", "llm-router", str(CHARTS / "llm-router"), "-n", namespace, "-f", "-"]
    text = yaml.safe_dump(merged(own, values))
    done = subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout
    return [item for item in yaml.safe_load_all(done) if item]


def plant(lab: Lab, case: Case) -> None:
    """Put up a case's router."""
    home = PREFIX + case.name
    lab.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}})
    eventually(lambda: lab.get("v1", "ServiceAccount", home, "default"), PATIENCE)
    metadata = {"name": "router-models", "namespace": home, "annotations": {"lab.llm-d.ai/holds": case.holds}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    lab.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    lab.apply(config_map(home, case.config, case.file))
    for (name, key), value in zip(
        (("llm-api-keys", "nvidia_api_key"), ("dynamo-api-secret", "DYNAMO_API_KEY")), case.keys, strict=True
    ):
        if value is not None:
            lab.apply(secret(home, name, key, value))
    for item in rendered(home, case.values):
        item["metadata"].setdefault("namespace", home)
        lab.apply(item)
