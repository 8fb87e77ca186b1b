# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Why nothing becomes of graphs, and why a frontend and its workers do not find each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.dynamo_operators import LiveOperator
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.causes import diagnose
from ansible_collections.llm_d.orchestrator.plugins.module_utils.diagnose.evidence import Evidence
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.graph_definitions import span

from diagnose.world import NS, Object, crashed, event, evidence, item, pod, state, wide

GRAPH, COMPONENT = "DynamoGraphDeployment", "DynamoComponentDeployment"
HELD = ["nvidia.com/finalizer"]
NAME, SERVICE = "nvidia.com/dynamo-graph-deployment-name", "nvidia.com/dynamo-component"
TYPE = "nvidia.com/dynamo-component-type"
FIELDS = ("globalDynamoNamespace", "scalingAdapter", "eppConfig")


def operator(version: str = "0.5.1", scope: str = "", namespace: str = NS, **fields: Any) -> LiveOperator:
    return LiveOperator(f"op-{namespace}", namespace, version, scope, "platform", False, **fields)


def service(kind: str, *args: str, **fields: Any) -> Object:
    main = {"command": ["python3", "-m", f"dynamo.{kind}"], "args": list(args), "image": "r/vllm-runtime:0.5.1"}
    of = "frontend" if kind == "frontend" else "worker"
    return {"componentType": of, "replicas": 1, **fields, "extraPodSpec": {"mainContainer": main}}


def worker(model: str, **fields: Any) -> Object:
    return service("vllm", "--model", model, **fields)


def graph(name: str = "small", status: str = "", **services: Object) -> Object:
    said = {"state": status} if status else {}
    if status in ("successful", "failed"):
        ready = {"type": "Ready", "status": str(status == "successful"), "message": "namespace mismatch"}
        said = {**said, "conditions": [ready]}
    made = item(GRAPH, name, finalizers=HELD, spec={"services": services}, status=said)
    return {**made, "apiVersion": "nvidia.com/v1alpha1"}


def deleted(made: Object) -> Object:
    metadata = {**made["metadata"], "finalizers": HELD, "deletionTimestamp": "2026-11-21T09:30:00Z"}
    return {**made, "metadata": metadata}


def component(graph_name: str, name: str) -> Object:
    return item(COMPONENT, f"{graph_name}-{name.lower()}", labels={NAME: graph_name, SERVICE: name})


def hook(home: str, bundle: str = "", **fields: Any) -> Object:
    rule = {"apiGroups": ["nvidia.com"], "operations": ["CREATE", "UPDATE"], "resources": ["dynamographdeployments"]}
    client = {"service": {"name": "webhook", "namespace": home}, **({"caBundle": bundle} if bundle else {})}
    row = {"name": "vdynamographdeployment.kb.io", "clientConfig": client, "rules": [rule], **fields}
    return wide("ValidatingWebhookConfiguration", "dynamo-validating", webhooks=[row])


def definition(count: int) -> Object:
    """The definition of graphs with the first fields of the table."""
    known = dict.fromkeys(["componentType", *FIELDS[:count]], {"type": "object"})
    services = {"additionalProperties": {"properties": known}}
    schema = {"openAPIV3Schema": {"properties": {"spec": {"properties": {"services": services}}}}}
    spec = {"versions": [{"name": "v1alpha1", "schema": schema}]}
    return wide("CustomResourceDefinition", "dynamographdeployments.nvidia.com", spec=spec)


def of_graph(name: str, kind: str, backend: str = "", *states: Object, **container: Any) -> Object:
    env = {"env": [{"name": "DYN_DISCOVERY_BACKEND", "value": backend}]} if backend else {}
    main = {"name": "main", "image": "r/vllm-runtime:0.9.1", **env, **container}
    labels = {NAME: name, SERVICE: kind, TYPE: "frontend" if kind == "Frontend" else "worker"}
    return pod(f"{name}-1", *states, owner=name, labels=labels, spec={"containers": [main]})


def pulling(image: str, said: str = "not found", name: str = "op-1") -> Object:
    wait = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}": ErrImagePull: {said}'}
    return pod(name, state("c", waiting=wait), spec={"containers": [{"name": "c", "image": image}]})


def killed(budget: int) -> list[Object]:
    """A worker that its startup probe has ended, and the event."""
    end = {"exitCode": 137, "reason": "Error"}
    wait = {"reason": "CrashLoopBackOff"}
    probe = {"periodSeconds": 10, "failureThreshold": budget // 10}
    made = of_graph("small", "Worker", "", state("main", waiting=wait, last=end, restarts=3), startupProbe=probe)
    return [made, event(made, "Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 503")]


FRONT = graph("front", Frontend=service("frontend", dynamoNamespace="dynamo"))
SMALL = graph(Worker=worker("org/small", dynamoNamespace="small"))
LARGE = graph("large", Worker=worker("org/large", dynamoNamespace="large"))
PROXY, ETCD = "gcr.io/kubebuilder/kube-rbac-proxy:v0.15.0", "docker.io/bitnami/etcd:3.5.18"
ANY = [operator()]
CASES: list[tuple[str, str, str, list[LiveOperator] | None, list[Object]]] = [
    ("well", "", "", ANY, [FRONT, SMALL, LARGE, definition(0), hook(NS, "Q0E=")]),
    ("nothing known", "DIAG803", "kept by", None, [graph(), deleted(graph("b"))]),
    ("proxy", "DIAG850", "registry.k8s.io/kubebuilder", ANY, [pulling(PROXY)]),
    ("etcd", "DIAG850", "bitnamilegacy/etcd", None, [pulling(ETCD)]),
    ("own registry", "DIAG101", "", ANY, [pulling("r/kubebuilder/kube-rbac-proxy:v0.15.0")]),
    ("no way", "DIAG105", "", ANY, [pulling(PROXY, "dial tcp: i/o timeout")]),
    ("elsewhere", "DIAG851", "namespace other", [operator("0.5.0", "other", "other")], [graph()]),
    ("none", "DIAG851", "site.yml", [], [graph(), graph("b")]),
    ("down", "DIAG852", "is not available", [operator(available=False)], [graph()]),
    ("served once", "", "", [operator(available=False)], [graph(status="successful", A=worker("o/m"))]),
    ("hangs", "DIAG853", "kubectl patch", [], [deleted(graph()), deleted(component("small", "Worker"))]),
    ("hangs down", "DIAG853", "not available", [operator(available=False)], [deleted(graph())]),
    ("hangs on etcd", "DIAG853", "StatefulSet x-etcd", ANY, [
        deleted(component("small", "Worker")), item("StatefulSet", "x-etcd", spec={"replicas": 1}, status={}),
    ]),
    ("refused", "DIAG854", "namespace mismatch", ANY, [graph(status="failed", A=worker("o/m"))]),
    ("two", "DIAG855", "both watch", [operator(), operator("0.6.1", NS, "b")], [SMALL]),
    ("two with leases", "", "", [operator("0.9.1"), operator("0.9.1", NS, "b")], []),
    ("two for all", "DIAG855", "both watch", [operator("0.9.1"), operator("0.9.1", "", "b")], []),
    ("crosstalk", "DIAG856", "org/large", ANY, [
        FRONT, SMALL, graph("b", Worker=worker("org/large", dynamoNamespace="small")),
    ]),
    ("blind", "DIAG857", "org/small", ANY, [graph("f", F=service("frontend", dynamoNamespace="x")), SMALL]),
    ("late and blind", "DIAG857", "globalDynamoNamespace", [operator("0.9.1")], [
        graph("f", F=service("frontend")), graph(Worker=worker("org/small")),
    ]),
    ("late", "", "", [operator("0.9.1")], [
        graph("f", F=service("frontend", globalDynamoNamespace=True)), graph(Worker=worker("org/small")),
    ]),
    ("backends", "DIAG859", "etcd", [operator("0.9.1")], [
        of_graph("f", "Frontend", "kubernetes"), of_graph("small", "Worker", "etcd"),
    ]),
    ("no authority", "DIAG860", "caBundle", ANY, [hook(NS)]),
    ("silent", "DIAG861", "has no operator", [operator(namespace="b")], [hook("gone", "Q0E=")]),
    ("another's webhook", "", "", ANY, [
        hook("gone", namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "gone"}}),
    ]),
    ("older", "DIAG862", "eppConfig", [operator("1.0.1")], [definition(2)]),
    ("newer", "DIAG862", "globalDynamoNamespace", ANY, [definition(1)]),
    ("of its line", "", "", [operator("0.7.1")], [definition(1)]),
    ("slow", "DIAG863", "10 min", ANY, killed(600)),
    ("left", "DIAG864", "Planner", [operator("0.5.1")], [SMALL, component("small", "Worker"),
                                                         component("small", "Planner")]),
    ("zero", "DIAG867", "org/small", ANY, [graph(Worker=worker("org/small", dynamoNamespace="a", replicas=0))]),
    ("empty", "DIAG868", "no services", ANY, [graph(status="successful")]),
]  # fmt: skip


def causes(found: Evidence) -> list[Object]:
    return [cause for cause in diagnose(found)["causes"] if cause["id"] not in ("DIAG998", "DIAG999", "DIAG414")]


@pytest.mark.parametrize(("name", "rule", "text", "operators", "objects"), CASES, ids=[case[0] for case in CASES])
def test_causes(name: str, rule: str, text: str, operators: list[LiveOperator] | None, objects: list[Object]) -> None:
    found = causes(evidence(*objects, operators=operators))
    assert [cause["id"] for cause in found] == ([rule] if rule else []), found
    assert all(text in f"{cause['evidence']} {cause['remedy']}" for cause in found), found


def test_a_frontend_in_another_kubernetes_namespace() -> None:
    front = graph("f", F=service("frontend", globalDynamoNamespace=True))
    front["metadata"]["namespace"] = "other"
    found = causes(evidence(front, graph(Worker=worker("org/small")), operators=[operator("0.9.1")]))
    assert [cause["id"] for cause in found] == ["DIAG858"]


LOGS = [
    ("DIAG865", "ERROR dynamo_llm::hub: fetch failed: HTTP status client error (429 Too Many Requests) for url"),
    ("DIAG865", "ERROR modelexpress: 504 Gateway Timeout for https://huggingface.co/api/models/org/small"),
    ("DIAG866", "Error: Header Content-Range is missing"),
    ("DIAG866", "Error: HTTP status client error (403 Forbidden) for url (https://cas-bridge.xethub.hf.co/xet-bridge)"),
]


@pytest.mark.parametrize(("rule", "text"), LOGS)
def test_logs(rule: str, text: str) -> None:
    failing, log = crashed(text)
    assert [cause["id"] for cause in causes(evidence(failing, logs=[log]))] == [rule]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            "DIAG860",
            'Internal error occurred: failed calling webhook "vdynamographdeployment.kb.io": failed to call webhook:'
            ' Post "https://w.ns.svc:443/validate": tls: failed to verify certificate: x509: certificate signed by'
            " unknown authority",
        ),
        (
            "DIAG869",
            'Secret "sh.helm.release.v1.dynamo-crds.v1" is invalid: data: Too long: must have at most 1048576 bytes',
        ),
    ],
)
def test_what_a_run_was_told(rule: str, text: str) -> None:
    assert rule in [cause["id"] for cause in causes(evidence(failure=text))]


@pytest.mark.parametrize(
    ("count", "line", "older", "newer"),
    [
        (0, (0, 5, 1), False, False),
        (0, (0, 7, 1), True, False),
        (1, (0, 6, 1), False, True),
        (1, (0, 7, 1), False, False),
        (2, (0, 7, 1), False, False),
        (2, (0, 9, 1), False, False),
        (2, (1, 0, 1), True, False),
        (3, (1, 0, 1), False, False),
    ],
)
def test_the_line_of_a_definition(count: int, line: tuple[int, ...], older: bool, newer: bool) -> None:
    found = span(definition(count))
    assert found is not None
    assert (found.older_than(line), found.newer_than(line)) == (older, newer)


def test_a_definition_that_says_nothing() -> None:
    assert span(wide("CustomResourceDefinition", "x", spec={})) is None
