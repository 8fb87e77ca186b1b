# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Failures to cause on a lab, each in a namespace of its own, with the rule that has to name it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import plane_stack as make
from diagnosis_admission import ADMISSION
from diagnosis_faults import FAULTS, LABEL, TAINTED, TOKEN, Case, held, workload
from diagnosis_gateways import GATEWAYS
from diagnosis_nodes import CORDONED, NODES, PLAYED
from plane_stack import Object, obj


def quota(namespace: str, **hard: str) -> Object:
    """A ResourceQuota."""
    return obj(
        "v1", "ResourceQuota", "narrow", namespace, spec={"hard": {key.replace("_", "."): v for key, v in hard.items()}}
    )


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


def stopped(namespace: str) -> list[Object]:
    """A model that a schedule has scaled to nothing, with all that leads to it."""
    asleep = workload(namespace, replicas=0)
    asleep["metadata"]["annotations"] = {"downscaler/original-replicas": "1"}
    way = [make.gateway(namespace), make.pool(namespace, "m", {"app": "web"}), make.route(namespace, "m", "m")]
    return [asleep, *way, *make.picker(namespace, "m")]


def unrouted(namespace: str) -> list[Object]:
    """A model that serves behind a Gateway, a pool and a picker, and no route."""
    labels = {"app": "m"}
    parts = [make.gateway(namespace), make.model(namespace, "m", labels), make.pool(namespace, "m", labels)]
    return [*parts, *make.picker(namespace, "m")]


API: list[Case] = [
    Case("no-route", "DIAG721", "every request gets 404", unrouted),
    Case(
        "runtime-class",
        "DIAG314",
        "RuntimeClass absent",
        lambda ns: [workload(ns, runtimeClassName="absent")],
    ),
    Case("quota", "DIAG301", "in use now: pods 1 of 1", lambda ns: [quota(ns, pods="1"), workload(ns, replicas=2)]),
    Case("quota-says", "DIAG302", "limits.cpu", lambda ns: [quota(ns, limits_cpu="4"), workload(ns)]),
    Case(
        "limit-range",
        "DIAG303",
        "LimitRange narrow: Container max cpu 100m",
        lambda ns: [_limits(ns), workload(ns, container=_resources(cpu="2"))],
    ),
    Case(
        "pod-security",
        "DIAG304",
        "hostNetwork",
        lambda ns: [workload(ns, hostNetwork=True)],
        {"pod-security.kubernetes.io/enforce": "baseline"},
    ),
    Case("account", "DIAG309", "ServiceAccount nobody", lambda ns: [workload(ns, serviceAccountName="nobody")]),
    Case("priority", "DIAG310", "no PriorityClass with name", lambda ns: [workload(ns, priorityClassName="nobody")]),
    Case(
        "no-class", "DIAG201", "class fast", lambda ns: [_claim(ns, storageClassName="fast"), _mounting(ns, "weights")]
    ),
    Case("no-claim", "DIAG205", "claim weigths not found", lambda ns: [_claim(ns), _mounting(ns, "weigths")]),
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
    Case("secret", "DIAG401", "Create the Secret absent", lambda ns: [held(ns, 'secret "absent" not found')]),
    Case(
        "key",
        "DIAG402",
        "Add the key HF_TOKN to the Secret",
        lambda ns: [held(ns, f"couldn't find key HF_TOKN in Secret {ns}/token")],
    ),
    Case("strange", "DIAG405", "something strange", lambda ns: [held(ns, "something strange")]),
    Case("config-map", "DIAG403", "Create the ConfigMap absent", lambda ns: [held(ns, 'configmap "absent" not found')]),
    Case("gateway-class", "DIAG701", "gatewayClassName is nobody", lambda ns: [make.gateway(ns, class_name="nobody")]),
    Case(
        "no-gateway",
        "DIAG711",
        "Gateway not found",
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
        "sends to port 9000, but pod m listens on 8000",
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
        lambda ns: [
            make.gateway(ns),
            make.model(ns, "m", {"app": "m"}),
            make.pool(ns, "m", {"app": "m"}),
            make.route(ns, "m", "m"),
        ],
    ),
    Case(
        "scaled",
        "DIAG734",
        "annotation downscaler/original-replicas: 1 of Deployment web",
        stopped,
    ),
]
CASES = [*FAULTS, *PLAYED, *ADMISSION, *API, *GATEWAYS, *NODES]
# Rules that test_diagnosis.py proves without a row here.
ODD_CAUSED = {"DIAG801", "DIAG802", "DIAG803"}
ODD_PLAYED = {"DIAG311", "DIAG312", "DIAG811", "DIAG812", "DIAG813"}
# By name, those whose pods' status and log the lab plays, as a node would report them.
PLAYED_NAMES = {case.name for case in (*FAULTS, *PLAYED)} - {"gpus"} | {"secret", "key", "config-map", "strange"}

__all__ = [
    "CASES",
    "CORDONED",
    "FAULTS",
    "LABEL",
    "ODD_CAUSED",
    "ODD_PLAYED",
    "PLAYED_NAMES",
    "TAINTED",
    "TOKEN",
    "Case",
]
__all__ += ["helm", "workload"]
