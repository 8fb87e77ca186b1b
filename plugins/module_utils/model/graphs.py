# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The DynamoGraphDeployments of a stack, and the objects that the operator is going to make of them.

Planned graphs are looked at as what they become: room, images, secrets and the rules about pods mean the same for them.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Object, dicts, dig, mapping, texts
from ..objects.graphs import KIND, Graph, Predicted, graph, is_graph, predicted
from ..programs.versions import Version, version
from .items import Item, RuleFacts

# Dynamo's version where nothing says it.
DEFAULT = "0.5.0"
# The operator's image, of whatever registry, and its container (deploy/operator/helm; deploy/cloud/helm/platform).
_OPERATOR, _MANAGER = "kubernetes-operator", "manager"
_PLATFORM = "dynamo-platform"


@dataclasses.dataclass(frozen=True)
class GraphItem:
    """A planned graph, read; version: of the Dynamo that reads it."""

    item: Item
    graph: Graph
    version: str

    @property
    def line(self) -> Version:
        """The version as numbers."""
        return self.graph.line


@dataclasses.dataclass(frozen=True)
class Operator:
    """The operator that a plan installs. scope: the one namespace that it looks at, '' for all."""

    item: Item
    version: str
    scope: str


def operators(planned: t.Iterable[Item]) -> list[Operator]:
    """Return the operators among planned objects, by what their Deployments are rendered to."""
    found = []
    items = list(planned)
    for item in items:
        for container in dicts(dig(item.spec, ("template", "spec", "containers"))) if item.kind == "Deployment" else []:
            name, _colon, tag = str(container.get("image") or "").rpartition("/")[2].partition("@")[0].partition(":")
            if name == _OPERATOR or (container.get("name") == _MANAGER and item.chart == _PLATFORM):
                said = tag if version(tag) else item.chart_version
                found.append(Operator(item, said, _scope(container, item, items)))
    return found


def _scope(container: Object, item: Item, planned: list[Item]) -> str:
    """Return the namespace to which an operator is restricted: by its argument, from 1.0 on by its config map."""
    for word in texts(container.get("args")):
        name, _equals, value = word.partition("=")
        if name.lstrip("-") == "restrictedNamespace":
            return value
    for other in planned:
        if other.kind == "ConfigMap" and other.release == item.release and other.name.endswith("operator-config"):
            for line in str(mapping(other.body.get("data")).get("config.yaml") or "").splitlines():
                key, _colon, value = line.strip().partition(":")
                if key == "restricted" and value.strip(" \"'"):
                    return value.strip(" \"'")
    return ""


def dynamo_version(planned: t.Sequence[Item], facts: RuleFacts) -> str:
    """Return the version of Dynamo that a stack runs: of its own platform, else as told of the cluster's."""
    own = next((one.version for one in operators(planned) if version(one.version)), "")
    chart = next((item.chart_version for item in planned if item.chart == _PLATFORM and item.chart_version), "")
    told = [mapping(facts.told.get("dynamo")), *dicts(facts.told.get("frontends"))]
    return own or chart or next((str(row["version"]) for row in told if row.get("version")), DEFAULT)


def graphs_of(planned: t.Sequence[Item], facts: RuleFacts) -> list[GraphItem]:
    """Return the graphs among planned objects, as their operator reads them."""
    items = [item for item in planned if is_graph(item.body)]
    said = dynamo_version(planned, facts) if items else ""
    return [GraphItem(_alone(item), graph(item.body, said, item.namespace), said) for item in items]


def _alone(item: Item) -> Item:
    """Return a graph with those layers alone that are its own document, where it is read of a file."""
    own = [layer for layer in item.layers if _is_document(layer.values, item)]
    return dataclasses.replace(item, layers=own) if own else item


def _is_document(values: Object, item: Item) -> bool:
    return values.get("kind") == KIND and mapping(values.get("metadata")).get("name") == item.name


def made_of(one: GraphItem) -> t.Iterator[Item]:
    """Yield the objects that the operator makes of a graph."""
    for made in predicted(one.graph.body, one.version, one.graph.namespace):
        yield _item(one.item, made)


def _item(by: Item, made: Predicted) -> Item:
    group, _slash, number = made.body["apiVersion"].rpartition("/")
    metadata = made.body["metadata"]
    return dataclasses.replace(
        by,
        body=made.body,
        kind=made.body["kind"],
        group=group,
        version=number,
        name=metadata["name"],
        namespace=metadata["namespace"],
        by=by,
        made=made,
    )
