# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The mistakes in stacks on NVIDIA Dynamo, by what they are in: graphs, models, the platform, the router, policies."""

from __future__ import annotations

import copy
import random
from typing import Any

from bases import Base, Edit
from dynamo import LARGE, PROBE, ROUTER, RUNTIME, SMALL, bases
from generic import Case, shown, typo
from values import NAMESPACE

# (kind, bases, edits, printed keys of which one has to be named)
Row = tuple[str, tuple[str, ...], tuple[Edit, ...], tuple[str, ...]]
SETTINGS, FILES, LATE = ("dynamo settings",), ("dynamo files",), ("dynamo 1.x",)
BOTH = FILES + LATE
W, D, P = "spec.services.Worker", "spec.services.Decode", "spec.services.Prefill"
MAIN = "extraPodSpec.mainContainer"
MODELS = "dynamo_models.models"


def word(old: str, new: str) -> Any:
    """Return a change of a list's words, '' as new to drop one."""
    return lambda words: [new if one == old else one for one in words if new or one != old]


def swap(first: int, second: int) -> Any:
    """Return a change that lets two items of a list change places."""

    def change(items: list[Any]) -> list[Any]:
        items[first], items[second] = items[second], items[first]
        return items

    return change


def _tables(name: str, change: Any) -> tuple[Edit, ...]:
    return (("vars", f"llm_router.policies.{name}.classes", change),)


GRAPHS: tuple[Row, ...] = (
    (
        "graph: shared endpoint",
        FILES,
        (("large", f"{D}.dynamoNamespace", "small"), ("large", f"{P}.dynamoNamespace", "small")),
        (f"{D}.dynamoNamespace", f"{W}.dynamoNamespace", f"{P}.dynamoNamespace"),
    ),
    (
        "graph: shared endpoint",
        FILES,
        (("mixed", f"{D}.dynamoNamespace", "large"), ("mixed", f"{P}.dynamoNamespace", "large")),
        (f"{D}.dynamoNamespace",),
    ),
    ("graph: two namespaces", FILES, (("large", f"{P}.dynamoNamespace", "prefill"),), (f"{P}.dynamoNamespace",)),
    (
        "graph: blind frontend",
        FILES,
        (("front", "spec.services.Frontend.dynamoNamespace", "front"),),
        ("spec.services.Frontend.dynamoNamespace",),
    ),
    (
        "graph: blind frontend",
        LATE,
        (("front", "spec.services.Frontend.globalDynamoNamespace", False),),
        ("spec.services.Frontend.globalDynamoNamespace",),
    ),
    (
        "graph: blind frontend",
        LATE,
        (
            ("front", "spec.services.Frontend.globalDynamoNamespace", ...),
            ("front", "spec.services.Frontend.dynamoNamespace", "dynamo"),
        ),
        ("spec.services.Frontend.dynamoNamespace",),
    ),
    (
        "graph: field of another version",
        FILES,
        (
            ("front", "spec.services.Frontend.dynamoNamespace", ...),
            ("front", "spec.services.Frontend.globalDynamoNamespace", True),
        ),
        ("spec.services.Frontend.globalDynamoNamespace",),
    ),
    (
        "graph: field of another version",
        LATE,
        (("small", f"{W}.pvc", {"name": "models", "mountPoint": "/models", "create": False}),),
        (f"{W}.pvc",),
    ),
    (
        "graph: field of another version",
        FILES,
        (("small", f"{W}.volumeMounts", [{"name": "models", "mountPoint": "/models"}]),),
        (f"{W}.volumeMounts",),
    ),
    (
        "graph: field of another version",
        FILES,
        (("large", f"{D}.subComponentType", "decode"),),
        (f"{D}.subComponentType",),
    ),
    (
        "graph: claim that is not there",
        FILES,
        (("small", f"{W}.pvc", {"name": "modles", "mountPoint": "/models", "create": False}),),
        (f"{W}.pvc.name",),
    ),
    (
        "graph: GPUs",
        BOTH,
        (("large", f"{D}.{MAIN}.args", word("4", "8")),),
        (f"{D}.{MAIN}.args", f"{D}.resources.limits.gpu"),
    ),
    (
        "graph: GPUs",
        BOTH,
        (("large", f"{P}.resources.limits.gpu", "2"),),
        (f"{P}.{MAIN}.args", f"{P}.resources.limits.gpu"),
    ),
    ("graph: GPUs", FILES, (("small", f"{W}.resources.limits.gpu", "4"),), (f"{W}.resources.limits.gpu",)),
    ("graph: GPUs", FILES, (("small", f"{W}.resources", ...),), (f"{W}.resources", W)),
    (
        "graph: GPUs",
        FILES,
        (("mixed", f"{D}.resources.limits.gpu", "16"), ("mixed", f"{D}.{MAIN}.args", word("2", "16"))),
        (f"{D}.resources.limits.gpu", f"{D}.resources"),
    ),
    (
        "graph: model too large",
        FILES,
        (("small", f"{W}.{MAIN}.args", lambda words: [words[0], "org/small-72B", "--served-model-name", SMALL]),),
        (f"{W}.resources.limits.gpu", f"{W}.{MAIN}.args"),
    ),
    ("graph: GPU as a number", BOTH, (("small", f"{W}.resources.limits.gpu", 1),), (f"{W}.resources.limits.gpu",)),
    (
        "graph: time to start",
        FILES,
        (("large", f"{D}.{MAIN}.startupProbe", ...),),
        (f"{D}.{MAIN}.startupProbe", f"{D}.{MAIN}"),
    ),
    (
        "graph: time to start",
        BOTH,
        (("large", f"{P}.{MAIN}.startupProbe.failureThreshold", 30),),
        (f"{P}.{MAIN}.startupProbe",),
    ),
    (
        "graph: startup probe elsewhere",
        BOTH,
        (("large", f"{D}.{MAIN}.startupProbe", ...), ("large", f"{D}.startupProbe", PROBE)),
        (f"{D}.startupProbe",),
    ),
    (
        "graph: startup probe elsewhere",
        FILES,
        (("small", f"{W}.extraPodSpec.startupProbe", PROBE),),
        (f"{W}.extraPodSpec.startupProbe",),
    ),
    ("graph: empty", FILES, (("small", "spec.services", {}),), ("spec", "spec.services")),
    ("graph: empty", FILES, (("small", "spec", {}),), ("spec",)),
    (
        "graph: empty",
        LATE,
        (("large", "spec.services", ...), ("large", "spec.components", [])),
        ("spec", "spec.components"),
    ),
    ("graph: prefill alone", BOTH, (("large", D, ...),), (P,)),
    ("graph: decode alone", LATE, (("large", P, ...),), (f"{D}.{MAIN}.args",)),
    (
        "graph: two models in one",
        BOTH,
        (("large", f"{P}.{MAIN}.args", word(LARGE, "org/other-70B")),),
        (f"{P}.{MAIN}.args", f"{D}.{MAIN}.args"),
    ),
    (
        "graph: role's argument",
        LATE,
        (("large", f"{P}.{MAIN}.args", lambda words: [*words[:-2], "--is-prefill-worker"]),),
        (f"{P}.{MAIN}.args",),
    ),
    (
        "graph: role's argument",
        FILES,
        (("large", f"{P}.{MAIN}.args", lambda words: [*words[:-1], "--disaggregation-mode", "prefill"]),),
        (f"{P}.{MAIN}.args",),
    ),
    (
        "graph: working directory",
        LATE,
        (("small", f"{W}.{MAIN}.workingDir", "/workspace/components/backends/vllm"),),
        (f"{W}.{MAIN}.workingDir",),
    ),
    (
        "graph: working directory",
        FILES,
        (("small", f"{W}.{MAIN}.workingDir", "/workspace/examples/backends/vllm"),),
        (f"{W}.{MAIN}.workingDir",),
    ),
    ("graph: image", BOTH, (("small", f"{W}.{MAIN}.image", f"{RUNTIME}:"),), (f"{W}.{MAIN}.image",)),
    ("graph: image", FILES, (("small", f"{W}.{MAIN}.image", ...),), (f"{W}.{MAIN}.image", f"{W}.{MAIN}")),
    (
        "graph: image",
        FILES,
        (("small", f"{W}.{MAIN}.image", "nvcr.io/nvidian/dynamo-dev/vllm-runtime:0.5.0"),),
        (f"{W}.{MAIN}.image",),
    ),
    (
        "graph: image",
        FILES,
        (("small", f"{W}.{MAIN}.image", "my-registry/vllm-runtime:my-tag"),),
        (f"{W}.{MAIN}.image",),
    ),
    ("graph: image", LATE, (("small", f"{W}.{MAIN}.image", f"{RUNTIME}:1.5.0-dev"),), (f"{W}.{MAIN}.image",)),
    ("graph: image", BOTH, (("small", f"{W}.{MAIN}.image", f"{RUNTIME}:latest"),), (f"{W}.{MAIN}.image",)),
    (
        "graph: runtime of another line",
        FILES,
        (("small", f"{W}.{MAIN}.image", f"{RUNTIME}:1.0.1"),),
        (f"{W}.{MAIN}.image",),
    ),
    (
        "graph: runtime of another line",
        LATE,
        (("small", f"{W}.{MAIN}.image", f"{RUNTIME}:0.9.1"),),
        (f"{W}.{MAIN}.image",),
    ),
    (
        "graph: unfilled variable",
        FILES,
        (("small", f"{W}.{MAIN}.image", f"{RUNTIME}:${{DYNAMO_VERSON}}"),),
        ("DYNAMO_VERSON",),
    ),
    ("graph: unfilled variable", FILES, (("small", "metadata.name", "small-${SUFFIX}"),), ("SUFFIX",)),
    ("graph: secret that is not there", BOTH, (("small", f"{W}.envFromSecret", "hf-tokens"),), (f"{W}.envFromSecret",)),
    (
        "graph: node that is not there",
        FILES,
        (("small", f"{W}.extraPodSpec.nodeSelector", {"gpu": "b300"}),),
        (f"{W}.extraPodSpec.nodeSelector", f"{W}.extraPodSpec"),
    ),
    ("graph: type", BOTH, (("small", f"{W}.componentType", "wroker"),), (f"{W}.componentType",)),
    (
        "graph: type",
        FILES,
        (("front", "spec.services.Frontend.componentType", "Frontnd"),),
        ("spec.services.Frontend.componentType",),
    ),
    ("graph: version of the API", FILES, (("small", "apiVersion", "nvidia.com/v1beta1"),), ("apiVersion",)),
    (
        "graph: kind",
        FILES,
        (("small", "kind", "DynamoGraphDeploymnt"),),
        ("graph_file", "kind", "DynamoGraphDeploymnt"),
    ),
    ("graph: enum", LATE, (("large", "spec.backendFramework", "vlm"),), ("spec.backendFramework",)),
    ("graph: multinode", FILES, (("large", f"{D}.multinode", {"nodeCount": 1}),), (f"{D}.multinode.nodeCount",)),
    ("graph: namespace", FILES, (("small", "metadata.namespace", "elsewhere"),), ("metadata.namespace", "small.yaml")),
)
SETS: tuple[Row, ...] = (
    ("models: two of one name", SETTINGS, (("vars", f"{MODELS}.1.name", "small"),), ("dynamo_models[1].name",)),
    ("models: mode", SETTINGS, (("vars", f"{MODELS}.1.mode", "disaggregated"),), ("dynamo_models[1].mode",)),
    ("models: key misspelt", SETTINGS, (("vars", f"{MODELS}.0.replica", 2),), ("dynamo_models[0].replica",)),
    (
        "models: GPUs",
        SETTINGS,
        (("vars", f"{MODELS}.1.gpus", 2), ("vars", f"{MODELS}.1.tensor_parallel_size", 4)),
        ("dynamo_models[1].tensor_parallel_size", "dynamo_models[1].gpus", "gpus", "tensor_parallel_size"),
    ),
    ("models: GPUs", SETTINGS, (("vars", f"{MODELS}.1.gpus", 1),), ("gpus",)),
    ("models: room", SETTINGS, (("vars", f"{MODELS}.0.replicas", 40),), ("dynamo_models[0]", "replicas")),
    ("models: time to start", SETTINGS, (("vars", f"{MODELS}.1.startup_timeout", 600),), ("startup_timeout",)),
    ("models: secret", SETTINGS, (("vars", "dynamo_models.hf_token_secret", "hf-tokens"),), ("hf-tokens",)),
    ("models: image", SETTINGS, (("vars", f"{MODELS}.0.image", "VLLM:0.5"),), ("dynamo_models[0].image",)),
    ("models: claim", SETTINGS, (("vars", f"{MODELS}.0.pvc", {"name": "modls"}),), ("pvc",)),
    (
        "models: file that is not there",
        FILES,
        (("vars", f"{MODELS}.0.graph_file", "smal.yaml"),),
        ("dynamo_models[0].graph_file",),
    ),
    ("models: arguments", SETTINGS, (("vars", f"{MODELS}.0.args", ["--disaggregation-mode", "decode"]),), ("args",)),
)
PLATFORM: tuple[Row, ...] = (
    (
        "platform: scope",
        FILES,
        (
            ("vars", "dynamo_platform.namespace", ROUTER),
            (
                "vars",
                "dynamo_platform.values",
                {"dynamo-operator": {"namespaceRestriction": {"enabled": True, "targetNamespace": ROUTER}}},
            ),
        ),
        ("dynamo_platform_namespace", "targetNamespace", "dynamo-operator.namespaceRestriction.targetNamespace"),
    ),
    (
        "platform: image that is gone",
        FILES,
        (
            (
                "vars",
                "dynamo_platform.values",
                {
                    "dynamo-operator": {
                        "controllerManager": {
                            "kubeRbacProxy": {"image": {"repository": "gcr.io/kubebuilder/kube-rbac-proxy"}}
                        }
                    }
                },
            ),
        ),
        ("dynamo-operator.controllerManager.kubeRbacProxy.image.repository",),
    ),
    (
        "platform: image that is gone",
        FILES,
        (("vars", "dynamo_platform.values", {"etcd": {"image": {"repository": "bitnami/etcd"}}}),),
        ("etcd.image.repository", "image.repository"),
    ),
    (
        "platform: value of another version",
        LATE,
        (("vars", "dynamo_platform.values", {"etcd": {"enabled": True}}),),
        ("etcd.enabled",),
    ),
    (
        "platform: value of another version",
        LATE,
        (("vars", "dynamo_platform.values", {"nats": {"enabled": True}}),),
        ("nats.enabled",),
    ),
    ("platform: version", FILES, (("vars", "dynamo_platform.version", "latest"),), ("dynamo_platform_version",)),
    (
        "platform: key misspelt",
        FILES,
        (("vars", "dynamo_platform.values", {"dynamo-operator": {"namespaceRestrictions": {"enabled": False}}}),),
        ("dynamo-operator.namespaceRestrictions",),
    ),
    (
        "platform: storage class",
        FILES,
        (("vars", "dynamo_platform.values", {"etcd": {"persistence": {"storageClass": "fastest"}}}),),
        ("etcd.persistence.storageClass", "persistence.storageClass"),
    ),
)
PATH = {"path": "/", "pathType": "Prefix", "service": "router-controller"}
HOSTS = [{"host": "router.example.com", "paths": [PATH]}]
VALUES: tuple[Row, ...] = (
    (
        "router: registry",
        FILES,
        (("router", "global.imageRegistry", "YOUR_REGISTRY_HERE/"),),
        ("global.imageRegistry", "llm_router_image_registry"),
    ),
    ("router: registry", SETTINGS, (("router", "global.imageRegistry", ...),), ("llm_router_image_registry",)),
    (
        "router: mount path",
        FILES,
        (("router", "routerController.config", {"mountPath": "/config"}),),
        ("routerController.config.mountPath",),
    ),
    ("router: claim for one node", FILES, (("router", "routerServer.replicas", 2),), ("routerServer.replicas",)),
    (
        "router: claim for one node",
        SETTINGS,
        (
            (
                "router",
                "routerServer.strategy",
                {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            ),
        ),
        ("routerServer.strategy",),
    ),
    (
        "router: model repository",
        FILES,
        (("router", "routerServer.modelRepository.path", "/models/routers"),),
        ("routerServer.modelRepository.path",),
    ),
    (
        "router: model repository",
        SETTINGS,
        (("router", "routerServer.modelRepository.path", "/model_repository"),),
        ("routerServer.modelRepository.path",),
    ),
    ("router: demo app", FILES, (("router", "app", {"enabled": True}),), ("app.enabled",)),
    (
        "router: Ingress",
        FILES,
        (
            (
                "router",
                "ingress",
                {
                    "enabled": True,
                    "annotations": {"nginx.ingress.kubernetes.io/configuration-snippet": None},
                    "hosts": [{"host": "router.example.com", "paths": [{"path": "/", "pathType": "Prefix"}]}],
                },
            ),
        ),
        ("ingress.hosts[0].paths[0]", "ingress.hosts"),
    ),
    (
        "router: snippet",
        FILES,
        (("router", "ingress", {"enabled": True, "hosts": HOSTS}),),
        ("nginx.ingress.kubernetes.io/configuration-snippet",),
    ),
    ("router: value that is not read", FILES, (("router", "routerServer.shm_size", "8G"),), ("routerServer.shm_size",)),
    (
        "router: value that is not read",
        FILES,
        (("router", "global.storageClass", "standard"),),
        ("global.storageClass",),
    ),
    ("router: key misspelt", FILES, (("router", "routerServer.replica", 1),), ("routerServer.replica",)),
    (
        "router: storage class",
        SETTINGS,
        (("vars", "llm_router.model_repository", {"claim": "m", "size": "1Gi", "storage_class": "fastest"}),),
        ("fastest",),
    ),
    ("router: pull secret", SETTINGS, (("vars", "llm_router.pull_secret", "ncvr-secret"),), ("ncvr-secret",)),
    (
        "router: address",
        SETTINGS,
        (("vars", "llm_router.api_base", "http://front-frontend.dynamo-kubernetes.svc.cluster.local:8000"),),
        ("llm_router_api_base", "api_base", "dynamo-kubernetes"),
    ),
    (
        "router: address",
        SETTINGS,
        (("vars", "llm_router.api_base", f"http://front-frontend.{NAMESPACE}.svc.cluster.local:8000/v1"),),
        ("llm_router_api_base",),
    ),
)
TASK = "llm_router_policies.task_router.classes"
POLICIES: tuple[Row, ...] = (
    ("policy: class missing", SETTINGS, _tables("task_router", lambda rows: rows[:3] + rows[4:]), (TASK,)),
    ("policy: class missing", LATE, (("config", "policies.1.llms", lambda rows: rows[1:]),), ("policies[1].llms",)),
    ("policy: class twice", SETTINGS, _tables("task_router", lambda rows: [*rows, rows[2]]), (f"{TASK}[12].name",)),
    ("policy: class twice", LATE, (("config", "policies.0.llms.3.name", "Chatbot"),), ("policies[0].llms[3].name",)),
    (
        "policy: order",
        LATE,
        (("config", "policies.0.llms", swap(0, 1)),),
        ("policies[0].llms[0].name", "policies[0].llms"),
    ),
    (
        "policy: order",
        LATE,
        (("config", "policies.1.llms", swap(4, 5)),),
        ("policies[1].llms[4].name", "policies[1].llms"),
    ),
    (
        "policy: class unknown",
        SETTINGS,
        _tables("task_router", lambda rows: [*rows[:4], {**rows[4], "name": "Coding"}, *rows[5:]]),
        (f"{TASK}[4].name",),
    ),
    (
        "policy: class unknown",
        LATE,
        (("config", "policies.0.llms.4.name", "Code generation"),),
        ("policies[0].llms[4].name",),
    ),
    (
        "policy: model unknown",
        SETTINGS,
        _tables("complexity_router", lambda rows: [{**rows[0], "model": "org/smal-8B"}, *rows[1:]]),
        ("llm_router_policies.complexity_router.classes[0].model",),
    ),
    (
        "policy: model unknown",
        LATE,
        (("config", "policies.0.llms.7.model", "org/large-70b"),),
        ("policies[0].llms[7].model",),
    ),
    ("policy: key empty", LATE, (("config", "policies.0.llms.2.api_key", ""),), ("policies[0].llms[2].api_key",)),
    ("policy: key missing", LATE, (("config", "policies.0.llms.2.api_key", ...),), ("api_key",)),
    (
        "policy: /v1",
        LATE,
        (("config", "policies.0.llms.5.api_base", f"http://front-frontend.{NAMESPACE}.svc.cluster.local:8000/v1"),),
        ("policies[0].llms[5].api_base",),
    ),
    (
        "policy: address",
        LATE,
        (("config", "policies.0.url", lambda url: url.replace(f".{ROUTER}.", ".llm-router.")),),
        ("policies[0].url",),
    ),
    (
        "policy: address",
        LATE,
        (("config", "policies.1.url", lambda url: url.replace("llm-router-router-server", "router-server")),),
        ("policies[1].url",),
    ),
    (
        "policy: address",
        LATE,
        (("config", "policies.0.llms.1.api_base", f"http://vllm-frontend.{NAMESPACE}.svc.cluster.local:8000"),),
        ("policies[0].llms[1].api_base",),
    ),
    (
        "policy: variable",
        LATE,
        (("config", "policies.0.llms.1.api_base", "${DYNAMO_BASE}"),),
        ("policies[0].llms[1].api_base",),
    ),
    ("policy: name", LATE, (("config", "policies.1.name", "task_router"),), ("policies[1].name",)),
    ("policy: none", LATE, (("config", "policies", []),), ("policies",)),
)
PARTS: tuple[Row, ...] = GRAPHS + SETS + PLATFORM + VALUES + POLICIES


def cases() -> list[Case]:
    """Return the mistakes in stacks on Dynamo, and misspelt fields of graphs besides."""
    found = [Case(kind, name, edits, named) for kind, names, edits, named in PARTS for name in names]
    for base in bases().values():
        for file in ("small", "large") if "small" in base.files else ():
            found += _misspelt(base, file)
    return found


# Fields of which each is misspelt in some graph.
_FIELDS = (
    "envFromSecret",
    "replicas",
    "resources",
    "extraPodSpec",
    "workingDir",
    "startupProbe",
    "limits",
    "gpu",
    "image",
)


def _misspelt(base: Base, file: str) -> list[Case]:
    rng = random.Random(f"{base.name} {file}")
    service = "Worker" if file == "small" else "Prefill"
    held = base.files[file]["spec"]["services"][service]
    paths = [path for path in _paths(held) if path[-1] in _FIELDS]
    rng.shuffle(paths)
    made = []
    for path in paths[:4]:
        wrong = (*path[:-1], typo(path[-1], rng))
        at, to = (".".join(("spec", "services", service, *one)) for one in (path, wrong))
        value: Any = held
        for step in path:
            value = value[step]
        edits = ((file, at, ...), (file, to, copy.deepcopy(value)))
        made.append(Case("graph: field misspelt", base.name, edits, (shown(("spec", "services", service, *wrong)),)))
    return made


def _paths(tree: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for key, value in tree.items():
        found.append((*path, key))
        if isinstance(value, dict):
            found += _paths(value, (*path, key))
    return found
