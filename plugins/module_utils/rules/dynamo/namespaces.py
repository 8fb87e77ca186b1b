# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about where Dynamo's frontends look for workers, and which workers are taken for one another.

A worker is known by namespace.component.endpoint. Up to 0.6 the namespace is a field of the graph; from 0.7 on it is
the Kubernetes namespace and the graph's name.
"""

from __future__ import annotations

import collections
import typing as t

from ...base.data import dicts, mapping
from ...base.findings import WARNING, Finding
from ...model.graphs import GraphItem
from ...model.model import StackModel
from ...objects.graphs import COMPUTED, DECODE, GLOBAL, WORKER, Service
from ..base import Side, finding, listed, rule_factory

# From here on workers are looked for by the Kubernetes API, in the frontend's own Kubernetes namespace.
KUBERNETES_DISCOVERY = (0, 8)
Found = tuple[GraphItem, Service]


def services(model: StackModel) -> list[Found]:
    """Return all services of the planned graphs."""
    return [(one, service) for one in model.graphs for service in one.graph.services]


def _namespace_side(one: GraphItem, service: Service) -> Side:
    field = "dynamoNamespace" if one.line < COMPUTED else "globalDynamoNamespace"
    return Side(one.item, (*service.path, field))


def crosstalk(model: StackModel) -> t.Iterator[Finding]:
    """Workers of different models at one endpoint."""
    users: dict[tuple[str, str], list[Found]] = collections.defaultdict(list)
    for one, service in services(model):
        if service.endpoint and service.model and service.replicas:
            # Endpoints are kept by one etcd, or by one Kubernetes namespace each.
            space = one.graph.namespace if one.line >= KUBERNETES_DISCOVERY else ""
            users[space, service.endpoint].append((one, service))
    told: dict[str, list[tuple[str, list[Found]]]] = collections.defaultdict(list)
    for (_space, endpoint), found in users.items():
        if len({service.names or service.model for _one, service in found}) > 1:
            told[endpoint.partition(".")[0]].append((endpoint, found))
    for namespace, rows in told.items():
        found = [pair for _endpoint, pairs in rows for pair in pairs]
        names = listed(name for _one, service in found for name in service.names or (service.model,))
        endpoints = listed(endpoint for endpoint, _found in rows)
        text = (
            f"the workers of the models {names} share the endpoint {endpoints}: requests for one model are answered "
            "by another"
        )
        line = found[0][0].line
        remedy = "use a separate dynamoNamespace for each model, and dynamo for the frontend"
        if line >= COMPUTED:
            remedy = "use a separate graph for each model, and set globalDynamoNamespace: true for the frontend"
        sides = [_namespace_side(*pair) for pair in _ordered(found)]
        yield finding(text, sides, ("crosstalk", namespace), remedy, (("blind",),))


def _ordered(found: list[Found]) -> list[Found]:
    """Return services with one of the second model first: what came to a stack that was right is most often wrong."""
    first = found[0][1].model
    return sorted(found, key=lambda pair: pair[1].model == first)


def blind_frontends(model: StackModel) -> t.Iterator[Finding]:
    """Workers whose models no frontend of the plan lists."""
    fronts = [pair for pair in services(model) if pair[1].kind == "frontend"]
    workers = [pair for pair in services(model) if pair[1].kind in (DECODE, WORKER) and pair[1].component]
    unseen = [pair for pair in workers if fronts and not any(_sees(front, pair[1]) for front in fronts)]
    if not unseen:
        return
    # A frontend of its own graph is for that graph; the one that sees nothing is meant to see all.
    idle = [front for front in fronts if not any(_sees(front, worker) for _one, worker in workers)]
    one, front = (idle or fronts)[0]
    models = listed(name for _one, service in unseen for name in service.names or (service.model,))
    spaces = listed(service.dynamo_namespace for _one, service in unseen)
    text = f"no frontend sees the workers of {models} in the Dynamo namespace {spaces}: the frontend of "
    text += f"{one.item.name} watches {front.dynamo_namespace}"
    remedy = f"set dynamoNamespace: {GLOBAL} for the frontend"
    if one.line >= COMPUTED:
        remedy = "set globalDynamoNamespace: true for the frontend; dynamoNamespace is not read from 0.7 on"
    sides = [_front_side(one, front), *(_namespace_side(*pair) for pair in unseen)]
    yield finding(text, sides, ("blind",), remedy, (("unread", one.item.title),))


def _front_side(one: GraphItem, front: Service) -> Side:
    fields = [name for name in ("dynamoNamespace", "globalDynamoNamespace") if name in front.body]
    return Side(one.item, (*front.path, fields[0])) if len(fields) == 1 else _namespace_side(one, front)


def _sees(front: Found, worker: Service) -> bool:
    return front[1].dynamo_namespace in (GLOBAL, worker.dynamo_namespace)


def apart(model: StackModel) -> t.Iterator[Finding]:
    """Frontends and workers in different Kubernetes namespaces, where the Kubernetes API is asked for workers."""
    fronts = [pair for pair in services(model) if pair[1].kind == "frontend"]
    for one in model.graphs:
        workers = [service for service in one.graph.workers if service.component]
        near = [front for front, _service in fronts if front.graph.namespace == one.graph.namespace]
        seen = [(front, service) for front, service in fronts if any(_sees((front, service), w) for w in workers)]
        if one.line >= KUBERNETES_DISCOVERY and workers and seen and not near and not _by_etcd(one):
            front, _service = seen[0]
            text = f"the workers of {one.item.name} are in the namespace {one.graph.namespace}, and the frontend of "
            text += f"{front.item.name} looks for workers only in its own, {front.graph.namespace}"
            said = sorted((front.item, one.item), key=lambda item: "namespace" not in mapping(item.body["metadata"]))
            sides = [Side(item, ("metadata", "namespace")) for item in said]
            yield finding(text, sides, ("apart", front.item.title, one.item.title))


def _by_etcd(one: GraphItem) -> bool:
    """Return whether a graph's services ask etcd for each other."""
    env = [entry for service in one.graph.services for entry in dicts(service.container.get("env"))]
    return any(entry.get("name") == "DYN_DISCOVERY_BACKEND" and entry.get("value") == "etcd" for entry in env)


def unread(model: StackModel) -> t.Iterator[Finding]:
    """Fields of namespaces that this version does not read."""
    for one, service in services(model):
        late = one.line >= COMPUTED
        field = "dynamoNamespace" if late else "globalDynamoNamespace"
        if field in service.body:
            known = "set globalDynamoNamespace: true for a frontend that sees all" if late else "dynamoNamespace"
            text = f"{field} of {service.name} in {one.item.name} is not read by Dynamo {one.version}"
            side = Side(one.item, (*service.path, field))
            yield finding(text, (side,), ("unread", one.item.title), f"{known}, or nothing")


def one_namespace(model: StackModel) -> t.Iterator[Finding]:
    """Up to 0.6 all services of a graph are in one Dynamo namespace."""
    for one in model.graphs:
        given = {str(service.body.get("dynamoNamespace") or "") for service in one.graph.services}
        if one.line < COMPUTED and len(given) > 1:
            named = listed(name or "none" for name in given)
            text = f"the services of {one.item.name} name different Dynamo namespaces ({named})"
            sides = [Side(one.item, (*service.path, "dynamoNamespace")) for service in one.graph.services]
            common = collections.Counter(str(s.body.get("dynamoNamespace") or "") for s in one.graph.services)
            odd = [str(s.body.get("dynamoNamespace") or "") != common.most_common(1)[0][0] for s in one.graph.services]
            ordered = [side for _odd, side in sorted(zip(odd, sides, strict=True), key=lambda row: not row[0])]
            remedy = "use one dynamoNamespace for all of them"
            yield finding(text, ordered, ("namespaces", one.item.title), remedy, (("blind",),))


_rule = rule_factory("LLMD8")

RULES = (
    _rule(
        50,
        "Models do not share an endpoint",
        crosstalk,
        "Workers of different models differ in namespace.component.endpoint: up to 0.6 by dynamoNamespace, from 0.7 "
        "on because each graph has its own namespace.",
        "Requests are spread over all workers of the endpoint: a model's answers come under another name, without an "
        "error; later releases refuse the second model.",
        "use a separate dynamoNamespace (from 0.7 on: a separate graph) for each model",
        "ai-dynamo/dynamo, issues 3665 and 7738, pull request 4126; lib/runtime/src/discovery",
    ),
    _rule(
        54,
        "A graph is in one Dynamo namespace",
        one_namespace,
        "Up to 0.6 all services of a graph have the same dynamoNamespace, or none.",
        "The operator creates nothing: namespace mismatch for component.",
        "use one dynamoNamespace for all services of the graph",
        "ai-dynamo/dynamo, deploy/cloud/operator/internal/dynamo/graph.go getDynamoNamespace",
    ),
    _rule(
        51,
        "A frontend sees the models",
        blind_frontends,
        "A frontend is in the Dynamo namespace of the workers, or in the one that sees all: dynamoNamespace: dynamo up "
        "to 0.6, globalDynamoNamespace: true from 0.7 on.",
        "The frontend is Ready, /v1/models is empty, and every request is answered with 404.",
        "use the namespace that sees all, only for the frontend",
        "ai-dynamo/dynamo, lib/llm/src/namespace.rs; pull requests 3008 and 4126",
    ),
    _rule(
        52,
        "Frontend and workers share a Kubernetes namespace",
        apart,
        "From 0.8 on, where workers are found by the Kubernetes API, frontend and workers are in one namespace of it.",
        "The frontend is Ready, /v1/models is empty.",
        "use one namespace for the frontend and its models, or set DYN_DISCOVERY_BACKEND=etcd for all of them",
        "ai-dynamo/dynamo, lib/runtime/src/discovery/kube/daemon.rs",
    ),
    _rule(
        53,
        "Fields of namespaces are read",
        unread,
        "dynamoNamespace is read up to 0.6, globalDynamoNamespace from 0.7 on.",
        "The API server drops the field or the operator ignores it: the service is in another Dynamo namespace.",
        "use the field of the running Dynamo version",
        "ai-dynamo/dynamo, pull request 4126; deploy/operator/api/v1alpha1",
        WARNING,
    ),
)
