# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Failures to cause on a lab, each in a namespace of its own, with the rule that has to name it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import plane_stack as make
from plane_stack import GATEWAY_API, Object, obj

# Planted in pods' logs, environment and Secrets: to be found in no output.
TOKEN = "hf_PlantedTokenOfThisTest0123456789"
PLAIN_SECRET = "correct-horse-battery-staple-77"
LABEL = "diagnosis-fault"
TAINTED = "diagnosis-tainted"
QUOTA_FIELDS = {"requests.nvidia.com/gpu": "1"}


class Case(NamedTuple):
    """rule: the id expected; text: what the evidence or the remedy says; objects: made in the namespace; labels: the
    namespace's; ahead: seconds that the diagnosis takes to have passed; fault and log: the lab's."""

    name: str
    rule: str
    text: str
    objects: Callable[[str], list[Object]]
    labels: dict[str, str] = {}
    ahead: float = 0.0
    fault: str = ""
    log: str = ""


def workload(namespace: str, name: str = "web", replicas: int = 1, **spec: Any) -> Object:
    """A Deployment; container: fields of its only container, labels: further labels of its pods."""
    labels = {"app": name, **spec.pop("labels", {})}
    container = {"name": "vllm", "image": "example.com/models/vllm:v1", **spec.pop("container", {})}
    template = {
        "metadata": {"labels": labels, "annotations": spec.pop("annotations", {})},
        "spec": {"containers": [container], **spec},
    }
    body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return obj("apps/v1", "Deployment", name, namespace, spec=body)


def faulty(name: str, fault: str, rule: str, text: str, log: str = "") -> Case:
    """A workload of two pods that the lab lets fail."""
    return Case(
        name, rule, text, lambda ns: [workload(ns, replicas=2, labels={LABEL: name})], {}, 0.0, fault, log or "no log\n"
    )


def crash(name: str, rule: str, log: str) -> Case:
    """A workload that crashes with a log; its last line is the evidence."""
    return faulty(name, "CrashLoopBackOff", rule, "container vllm", f"INFO starting, token {TOKEN}\n{log}\n")


TRACE = 'Traceback (most recent call last):\n  File "/opt/vllm/launch.py", line 12, in <module>\n'
URL = "https://huggingface.co/acme/secret-7b/resolve/main/config.json"
LOGS = [
    crash(
        "gated",
        "DIAG501",
        f"{TRACE}OSError: You are trying to access a gated repo.\n403 Client Error. Cannot access gated"
        f" repo for url {URL}. Access to model acme/secret-7b is restricted.",
    ),
    crash(
        "token",
        "DIAG502",
        f"{TRACE}huggingface_hub.errors.HfHubHTTPError: 401 Client Error: Unauthorized for url: {URL}",
    ),
    crash(
        "model",
        "DIAG503",
        f"{TRACE}huggingface_hub.errors.RepositoryNotFoundError: 404 Client Error. Repository Not Found"
        f" for url: {URL}.",
    ),
    crash("offline", "DIAG504", "OSError: We couldn't connect to 'https://huggingface.co' to load the files"),
    crash("driver", "DIAG511", "RuntimeError: The NVIDIA driver on your system is too old (found version 11040)."),
    crash("no-gpu", "DIAG512", "RuntimeError: No CUDA GPUs are available"),
    crash(
        "kv-cache",
        "DIAG521",
        "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB"
        " KV cache is needed, which is larger than the available KV cache memory (3.10 GiB).",
    ),
    crash("gpu-memory", "DIAG523", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB."),
    crash(
        "argument",
        "DIAG526",
        "usage: vllm serve [model_tag] [options]\nvllm: error: unrecognized arguments: --max-modl-len",
    ),
    crash(
        "shm",
        "DIAG531",
        "misc/shmutils.cc:129 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-x (size"
        " 33030528), error: No space left on device (28)",
    ),
    crash("nixl", "DIAG541", "RuntimeError: NIXL is not available"),
    crash(
        "sidecar",
        "DIAG542",
        'E1121 "failed to connect to vLLM decoder" err="dial tcp 127.0.0.1:8200: connect: connection refused"',
    ),
    crash(
        "picker-crd",
        "DIAG601",
        '{"level":"error","msg":"if kind is a CRD, it should be installed before calling Start",'
        '"kind":"InferenceObjective.inference.networking.x-k8s.io"}',
    ),
    crash(
        "picker-rbac",
        "DIAG602",
        "failed to list *v1.InferencePool: inferencepools is forbidden: User"
        ' "system:serviceaccount:ns:epp" cannot list resource "inferencepools"',
    ),
    crash(
        "picker-config", "DIAG603", "Failed to parse configuration: plugin type 'prefix-cach-scorer' is not registered"
    ),
    crash("unknown", "DIAG901", "the flux capacitor is empty"),
]
FAULTS = [
    *LOGS,
    faulty("image", "ImagePullBackOff", "DIAG101", "example.com/models/vllm:v1"),
    faulty("memory", "OOMKilled", "DIAG411", "OOMKilled"),
    faulty("gpus", "Pending", "DIAG211", "lacks"),
]


def quota(namespace: str, **hard: str) -> Object:
    """A ResourceQuota."""
    return obj(
        "v1", "ResourceQuota", "narrow", namespace, spec={"hard": {key.replace("_", "."): v for key, v in hard.items()}}
    )


def _policy(namespace: str) -> list[Object]:
    name = f"diagnosis-{namespace}"
    version = "admissionregistration.k8s.io/v1"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    spec = {
        "matchConstraints": {"resourceRules": rules},
        "failurePolicy": "Fail",
        "matchConditions": [{"name": "here", "expression": f"request.namespace == '{namespace}'"}],
        "validations": [{"expression": "false", "message": "no pods on Saturdays"}],
    }
    wide = {"metadata": {"name": name}}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    return [
        {"apiVersion": version, "kind": "ValidatingAdmissionPolicy", **wide, "spec": spec},
        {"apiVersion": version, "kind": "ValidatingAdmissionPolicyBinding", **wide, "spec": binding},
    ]


def _webhook(namespace: str) -> list[Object]:
    name = f"diagnosis-{namespace}"
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    hook = {
        "name": "gone.example.com",
        "rules": rules,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "failurePolicy": "Fail",
        "clientConfig": {"service": {"name": "gone", "namespace": namespace, "path": "/"}},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    version = "admissionregistration.k8s.io/v1"
    return [
        {
            "apiVersion": version,
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": [hook],
        }
    ]


def _claim(namespace: str, name: str = "weights", **spec: Any) -> Object:
    body = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}, **spec}
    return obj("v1", "PersistentVolumeClaim", name, namespace, spec=body)


def _mounting(namespace: str, claim: str) -> Object:
    return workload(namespace, volumes=[{"name": "w", "persistentVolumeClaim": {"claimName": claim}}])


def _limits(namespace: str) -> Object:
    item = {"type": "Container", "max": {"cpu": "100m"}, "default": {"cpu": "100m"}}
    return obj("v1", "LimitRange", "narrow", namespace, spec={"limits": [item]})


def _resources(**requests: str) -> Object:
    return {"resources": {"requests": requests, "limits": requests}}


def _held(namespace: str, message: str) -> Object:
    """A workload that the lab holds in CreateContainerConfigError."""
    return workload(namespace, annotations={"lab.llm-d.ai/config-error": message})


def helm(
    namespace: str, name: str, status: str, encode: Callable[[Object], str], description: str = "", manifest: str = ""
) -> Object:
    """Helm's record of a release."""
    begun = str(int(time.time()) - 600)
    labels = {"owner": "helm", "name": name, "status": status, "version": "1", "createdAt": begun}
    payload = {
        "name": name,
        "namespace": namespace,
        "version": 1,
        "info": {"status": status, "description": description},
        "chart": {"metadata": {"name": "demo", "version": "1.0.0"}},
        "manifest": manifest,
    }
    record = obj("v1", "Secret", f"sh.helm.release.v1.{name}.v1", namespace, labels=labels, type="helm.sh/release.v1")
    return {**record, "data": {"release": encode(json.loads(json.dumps(payload)))}}


def _named_rule(namespace: str, name: str, parent: Object | None = None) -> Object:
    """A route without backends, whose rule has a name."""
    route = make.route(namespace, name, "none", parent)
    route["spec"]["rules"][0]["name"] = "chat"
    route["spec"]["rules"][0]["backendRefs"] = []
    return route


API: list[Case] = [
    Case("quota", "DIAG301", "exceeded quota: narrow", lambda ns: [quota(ns, pods="1"), workload(ns, replicas=2)]),
    Case("quota-says", "DIAG302", "limits.cpu", lambda ns: [quota(ns, limits_cpu="4"), workload(ns)]),
    Case(
        "limit-range",
        "DIAG303",
        "maximum cpu usage per Container",
        lambda ns: [_limits(ns), workload(ns, container=_resources(cpu="2"))],
    ),
    Case(
        "pod-security",
        "DIAG304",
        "hostNetwork",
        lambda ns: [workload(ns, hostNetwork=True)],
        {"pod-security.kubernetes.io/enforce": "baseline"},
    ),
    Case("policy", "DIAG308", "no pods on Saturdays", lambda ns: [*_policy(ns), workload(ns)]),
    Case("webhook", "DIAG307", "gone.example.com", lambda ns: [*_webhook(ns), workload(ns)]),
    Case("account", "DIAG309", "ServiceAccount nobody", lambda ns: [workload(ns, serviceAccountName="nobody")]),
    Case("priority", "DIAG310", "no PriorityClass with name", lambda ns: [workload(ns, priorityClassName="nobody")]),
    Case(
        "no-class", "DIAG201", "class fast", lambda ns: [_claim(ns, storageClassName="fast"), _mounting(ns, "weights")]
    ),
    Case("no-claim", "DIAG205", "no claim weigths", lambda ns: [_claim(ns), _mounting(ns, "weigths")]),
    Case("room", "DIAG212", "lacks", lambda ns: [workload(ns, container=_resources(cpu="9000"))]),
    Case(
        "taint",
        "DIAG213",
        "diagnosis=held:NoSchedule",
        lambda ns: [workload(ns, nodeSelector={"kubernetes.io/hostname": TAINTED})],
    ),
    Case("labels", "DIAG214", "nodeSelector zone=moon", lambda ns: [workload(ns, nodeSelector={"zone": "moon"})]),
    Case(
        "gate",
        "DIAG217",
        "example.com/queue",
        lambda ns: [workload(ns, schedulingGates=[{"name": "example.com/queue"}])],
    ),
    Case("scheduler", "DIAG218", "schedulerName: mine", lambda ns: [workload(ns, schedulerName="mine")], {}, 60.0),
    Case("secret", "DIAG401", "Make the Secret absent", lambda ns: [_held(ns, 'secret "absent" not found')]),
    Case(
        "key",
        "DIAG402",
        "Add the key HF_TOKN to the Secret",
        lambda ns: [_held(ns, f"couldn't find key HF_TOKN in Secret {ns}/token")],
    ),
    Case("config-map", "DIAG403", "Make the ConfigMap absent", lambda ns: [_held(ns, 'configmap "absent" not found')]),
    Case("gateway-class", "DIAG701", "gatewayClassName is nobody", lambda ns: [make.gateway(ns, class_name="nobody")]),
    Case(
        "no-gateway",
        "DIAG711",
        "no such Gateway",
        lambda ns: [make.gateway(ns), make.route(ns, "r", "p", {"name": "gv"})],
    ),
    Case(
        "listener",
        "DIAG712",
        "NoMatchingParent",
        lambda ns: [make.gateway(ns), _named_rule(ns, "r", {"sectionName": "nobody"})],
    ),
    Case("backend", "DIAG715", "InferencePool absent", lambda ns: [make.gateway(ns), make.route(ns, "r", "absent")]),
    Case(
        "kind",
        "DIAG716",
        "InvalidKind",
        lambda ns: [make.gateway(ns), make.route(ns, "r", "p", None, {"group": "example.com", "kind": "Pool"})],
    ),
    Case(
        "grant",
        "DIAG717",
        "RefNotPermitted",
        lambda ns: [make.gateway(ns), make.route(ns, "r", "p", None, {"namespace": "default"})],
    ),
    Case(
        "rule-names",
        "DIAG720",
        "2 routes have a rule named chat",
        lambda ns: [make.gateway(ns), _named_rule(ns, "a"), _named_rule(ns, "b")],
    ),
    Case(
        "selector",
        "DIAG731",
        "app: other",
        lambda ns: [
            make.gateway(ns),
            make.model(ns, "m", {"app": "m"}),
            make.pool(ns, "m", {"app": "other"}),
            make.route(ns, "m", "m"),
            *make.picker(ns, "m"),
        ],
    ),
    Case(
        "port",
        "DIAG732",
        "sends to port 9000; pod m listens on 8000",
        lambda ns: [
            make.gateway(ns),
            make.model(ns, "m", {"app": "m"}),
            make.pool(ns, "m", {"app": "m"}, port=9000),
            make.route(ns, "m", "m"),
            *make.picker(ns, "m"),
        ],
    ),
    Case(
        "picker",
        "DIAG733",
        "does not exist",
        lambda ns: [make.model(ns, "m", {"app": "m"}), make.pool(ns, "m", {"app": "m"})],
    ),
    Case(
        "scaled",
        "DIAG734",
        "Deployment web",
        lambda ns: [workload(ns, replicas=0), make.pool(ns, "m", {"app": "web"}), *make.picker(ns, "m")],
    ),
]
CASES = [*FAULTS, *API]

__all__ = ["CASES", "FAULTS", "GATEWAY_API", "TAINTED", "Case", "helm", "workload"]
