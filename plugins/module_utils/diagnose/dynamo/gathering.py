# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads what decides over graphs of NVIDIA Dynamo and is not in their namespace: operators, webhooks, definitions."""

from __future__ import annotations

import typing as t

from ...base.apis import CRD_API
from ...base.data import Object, dicts, dig, mapping, texts
from ...base.errors import OrchestratorError
from ...cluster.client import Cluster
from ...components.dynamo_lines import API, COMPONENT
from ...components.dynamo_operators import OPERATOR, find
from ...objects import graph_definitions
from ...objects.graphs import GROUP
from ...objects.graphs import KIND as GRAPH
from ..evidence import Evidence, ref

KINDS = ((API, GRAPH), (API, COMPONENT))
DEFINITION, METADATA = "CustomResourceDefinition", "DynamoWorkerMetadata"
WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_ADMISSION = "admissionregistration.k8s.io/v1"
# Reads a kind: (apiVersion, kind, namespace or "", options) -> objects, None where they may not be read.
Read = t.Callable[..., "list[Object] | None"]


def look(cluster: Cluster, evidence: Evidence, read: Read) -> None:
    """Add it to the evidence of a namespace that has graphs, or an operator."""
    if not _concerned(evidence):
        return
    try:
        found = find(cluster, evidence.namespace)
        definition = cluster.get(CRD_API, DEFINITION, graph_definitions.NAME)
    except OrchestratorError as exc:
        evidence.unseen.append(f"operators of Dynamo: {exc.message}")
        return
    mine = [one for one in found.operators if one.covers(evidence.namespace)]
    # That there is none can be said only where all namespaces were looked at.
    evidence.operators = found.operators if found.everywhere or mine else None
    evidence.lists[DEFINITION] = [definition] if definition else []
    if definition and cluster.resource(API, METADATA) is None:
        evidence.unserved.add(METADATA)
    for kind in WEBHOOKS:
        items = read(_ADMISSION, kind, "")
        if items is not None:
            evidence.lists[kind] = [item for item in items if any(map(_is_of_dynamo, dicts(item.get("webhooks"))))]
    for one in mine:
        if one.namespace != evidence.namespace and not one.available:
            selector = ",".join(f"{key}={value}" for key, value in sorted(one.labels.items()))
            pods = read("v1", "Pod", one.namespace, label_selector=selector) or []
            evidence.lists.setdefault("Pod", []).extend(pods)
            for pod in pods:
                about = {"field_selector": f"involvedObject.name={ref(pod)[2]}"}
                evidence.lists.setdefault("Event", []).extend(read("v1", "Event", one.namespace, **about) or [])
    if evidence.of(GRAPH) and not any(map(has_frontend, evidence.of(GRAPH))):
        everywhere = read(API, GRAPH, "") or []
        evidence.lists[GRAPH] += [
            item for item in everywhere if ref(item)[1] != evidence.namespace and has_frontend(item)
        ]


def _concerned(evidence: Evidence) -> bool:
    labels = [mapping(item["metadata"].get("labels")) for item in evidence.of("Deployment")]
    named = any(row.get("app.kubernetes.io/name") == OPERATOR for row in labels)
    return bool(evidence.of(GRAPH) or evidence.of(COMPONENT) or named)


def _is_of_dynamo(webhook: Object) -> bool:
    """Return whether a webhook is asked about changes of Dynamo's objects."""
    rules = [rule for rule in dicts(webhook.get("rules")) if GROUP in texts(rule.get("apiGroups"))]
    return any({"*", "CREATE", "UPDATE"} & set(texts(rule.get("operations"))) for rule in rules)


def has_frontend(item: Object) -> bool:
    """Return whether a graph has a service of the type frontend."""
    services = dicts(list(mapping(dig(item, ("spec", "services"))).values()))
    return any(service.get("componentType") == "frontend" for service in services)
