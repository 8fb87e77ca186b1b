# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Namespaces of the lab in which something is wrong with Dynamo's platform or graphs, and the causes to be named."""

from __future__ import annotations

from typing import Any, NamedTuple

from graphs_there import IMAGE, PROXY, frontend, graph, model, rendered, service

Object = dict[str, Any]
STORES = ("--set", "etcd.enabled=false,nats.enabled=false")
LATE = "0.9.1"
# Of an etcd outside the cluster, which the lab takes to be there.
ETCD = "etcd.example.com:2379"


class Case(NamedTuple):
    """causes: id -> what its evidence says; platform: arguments of Helm for the operators, by release; objects: graphs
    and what goes with them, to be applied once the operators run, or at once."""

    causes: dict[str, str]
    platform: dict[str, tuple[str, ...]]
    objects: tuple[Object, ...] = ()
    at_once: bool = False


def secured(item: Object, **fields: Any) -> Object:
    """A graph of one worker with other fields of that service."""
    (worker,) = item["spec"]["services"].values()
    worker.update(fields)
    return item


def slow(namespace: str) -> Object:
    """A model that takes longer than its startup probe allows."""
    made = secured(
        model(namespace, "slow", "slow"), extraPodMetadata={"annotations": {"lab.llm-d.ai/ready-delay": "10m"}}
    )
    probe = {"httpGet": {"path": "/live", "port": "system"}, "periodSeconds": 1, "failureThreshold": 2}
    made["spec"]["services"]["VllmDecodeWorker"]["extraPodSpec"]["mainContainer"]["startupProbe"] = probe
    return made


def by(item: Object, backend: str) -> Object:
    """A graph of a later version whose services look for each other in a place of their own."""
    for one in item["spec"]["services"].values():
        env = {"DYN_DISCOVERY_BACKEND": backend, "ETCD_ENDPOINTS": ETCD}
        main = one["extraPodSpec"]["mainContainer"]
        # The operator's own variables are stronger than those of a service.
        main["env"] = [{"name": name, "value": value} for name, value in env.items()]
        main["image"] = IMAGE.replace("0.5.0", LATE)
    return item


def leftover(namespace: str) -> Object:
    """What an operator of 0.5 keeps of a service that was taken out of a graph."""
    labels = {"nvidia.com/dynamo-graph-deployment-name": "plain", "nvidia.com/dynamo-component": "Planner"}
    metadata = {"name": "plain-planner", "namespace": namespace, "labels": labels}
    spec = {"serviceName": "Planner", "dynamoNamespace": "plain", "replicas": 0}
    return {
        "apiVersion": "nvidia.com/v1alpha1",
        "kind": "DynamoComponentDeployment",
        "metadata": metadata,
        "spec": spec,
    }


def webhook(namespace: str, service_in: str) -> Object:
    """A webhook about changes of the namespace's graphs, behind which the operator of a namespace should stand."""
    name = f"{namespace}-{service_in}"
    rule = {"apiGroups": ["nvidia.com"], "apiVersions": ["v1alpha1"], "operations": ["CREATE", "UPDATE"]}
    client = {"service": {"name": "webhook", "namespace": service_in, "path": "/validate"}}
    only = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [
            {
                "name": "vdynamographdeployment.kb.io",
                "admissionReviewVersions": ["v1"],
                "clientConfig": client,
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "timeoutSeconds": 2,
                "namespaceSelector": only,
                "rules": [{**rule, "resources": ["dynamographdeployments"]}],
            }
        ],
    }


def held(item: Object) -> Object:
    """A graph with the finalizer that only an operator takes."""
    return {**item, "metadata": {**item["metadata"], "finalizers": ["nvidia.com/finalizer"]}}


def cases(prefix: str) -> dict[str, Case]:
    """Return the cases by namespace."""
    graphs, images, nobody, late = (f"{prefix}{name}" for name in ("graphs", "images", "nobody", "late"))
    tag = f"dynamo-operator.controllerManager.manager.image.tag={LATE}"
    return {
        graphs: Case(
            {
                "DIAG401": 'secret "no-such-secret" not found',
                "DIAG205": "claim no-such-claim not found",
                "DIAG854": "namespace mismatch",
                "DIAG856": "org/mixed-a, org/mixed-b",
                "DIAG863": "startup probe allows 2 s",
                "DIAG864": "plain-planner",
                "DIAG867": "org/resting",
                "DIAG868": "no services",
            },
            {"dynamo-platform": ("--set", PROXY)},
            (
                frontend(graphs),
                model(graphs, "plain", "plain"),
                model(graphs, "mixed-a", "mixed"),
                model(graphs, "mixed-b", "mixed"),
                secured(model(graphs, "resting", "resting"), replicas=0),
                secured(model(graphs, "tokenless", "tokenless"), envFromSecret="no-such-secret"),
                secured(model(graphs, "claimless", "claimless"), pvc={"name": "no-such-claim", "mountPoint": "/m"}),
                slow(graphs),
                graph(graphs, "empty"),
                graph(
                    graphs,
                    "disagree",
                    Decode=service("vllm", "x", "--model", "m/x"),
                    Prefill=service("vllm", "y", "--model", "m/x", "--is-prefill-worker"),
                ),
                leftover(graphs),
            ),
        ),
        # Neither the proxy's image nor etcd's is where the charts looked for it.
        images: Case(
            {"DIAG850": "not found"},
            {"dynamo-platform": ("--set", "etcd.image.registry=docker.io,etcd.image.repository=bitnami/etcd")},
            (model(images, "waiting", "waiting"),),
            at_once=True,
        ),
        nobody: Case(
            {"DIAG851": "no operator watches namespace", "DIAG853": "no operator watches its namespace"},
            {},
            (model(nobody, "ignored", "ignored"), held(model(nobody, "hanging", "hanging"))),
            at_once=True,
        ),
        # Operators of 0.9 beside definitions of 0.5, two for one namespace, and webhooks that nobody can answer.
        late: Case(
            {
                "DIAG855": "both watch namespace",
                "DIAG857": "watches",
                "DIAG859": "etcd",
                "DIAG860": "has no caBundle",
                "DIAG861": "has no operator",
                "DIAG862": "has no field globalDynamoNamespace",
            },
            dict.fromkeys(("one", "other"), ("--set", f"{PROXY},{tag}", *STORES)),
            (
                by(frontend(late), "kubernetes"),
                by(model(late, "lost", "lost"), "etcd"),
            ),
        ),
    }


def operators(namespace: str, case: Case) -> list[Object]:
    """Return the objects of a case's operators."""
    found = []
    for release, args in case.platform.items():
        found += [
            item
            for item in rendered("dynamo-platform", namespace, *args, release=release)
            if item["kind"] != "CustomResourceDefinition"
        ]
    return found
