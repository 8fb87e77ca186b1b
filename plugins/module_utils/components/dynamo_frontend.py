# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The frontend that all models of a stack on NVIDIA Dynamo share: an OpenAI API in front of their workers.

It watches the Dynamo namespaces of all: dynamoNamespace `dynamo` up to 0.6, globalDynamoNamespace later. One that names
the namespace of its models instead, as the recipe has it, sees no model from 0.7 on.
"""

from __future__ import annotations

import typing as t

from ..base import formats
from ..base.data import Object, Values
from ..objects.graphs import KIND as GRAPH
from ..objects.graphs import Graph, graph, is_graph
from ..values.layers import Layer
from .base import DYNAMO, OBJECTS, Component, NeededKind, Part, named
from .dynamo_graphs import frontend_graph, outgrown
from .dynamo_lines import API
from .dynamo_models import DynamoModelsComponent
from .dynamo_platform import DynamoPlatformComponent

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

PORT = 8000


class DynamoFrontendComponent(Component):
    """The component `dynamo_frontend`."""

    name = "dynamo_frontend"
    group = DYNAMO
    shapes = {"name": formats.dns_label, "image": formats.image, "pull_secret": formats.dns_name}

    @classmethod
    def asked(cls, given: Values) -> bool:
        return bool(given.get("graph_file"))

    def resolve(self) -> None:
        self.objects: list[Object] = []
        self.layers: list[Layer] = []
        models, given = self.stack.of(DynamoModelsComponent), self.given
        self.line = self.stack.of(DynamoPlatformComponent).line
        if self.idle or not given.get("enabled") or not (models.models or given.get("graph_file")):
            return
        if given.get("graph_file"):
            self.objects, self.layers = models.file(given["graph_file"], f"{self.name}_graph_file", {})
            return
        image = given.get("image") or models.given.get("image") or self.line.image(models.given.get("engine") or "vllm")
        body = frontend_graph(given.get("name") or "vllm-frontend", image, given, self.line)
        body["metadata"]["namespace"] = self.namespace
        self.objects, self.layers = [body], [Layer(given, self.name)]

    @property
    def graphs(self) -> list[Graph]:
        """Its graphs as their operator reads them."""
        return [graph(body, self.line.version, self.namespace) for body in self.objects if is_graph(body)]

    def outgrown(self, cluster: Cluster) -> list[Object]:
        return outgrown(cluster, self.graphs)

    def check(self) -> None:
        """Note a model that is called as the frontend."""
        taken = {one.name for one in self.graphs}
        for model in self.stack.of(DynamoModelsComponent).models:
            for one in model.graphs:
                if one.name in taken:
                    text = f"the graph {one.name} has the name of the frontend (dynamo_frontend_name)"
                    self.stack.findings.add(f"{model.where}.name", text, "use a unique name", rule="input-name-taken")

    def make_parts(self) -> list[Part]:
        if not self.objects:
            return []
        objects = self.stack.of(DynamoModelsComponent).mirrored(self.objects)
        spec = {"objects": objects, "prune": bool(self.given.get("prune"))}
        name = self.graphs[0].name if self.graphs else self.name
        return [Part(self.name, name, self.namespace, OBJECTS, spec, self.name, self.layers)]

    def needs(self) -> list[NeededKind]:
        return [NeededKind(API, GRAPH, self.name)] if self.objects else []

    def serves(self) -> list[Object]:
        return [named(str(one.body["apiVersion"]), GRAPH, one.name, self.namespace) for one in self.graphs]

    def tells(self) -> Object:
        models = self.stack.of(DynamoModelsComponent)
        rows, own = models.told(), [one for model in models.models for one in model.graphs if one.frontends]
        frontends = [(one, service) for one in [*self.graphs, *own] for service in one.frontends]
        return {
            "frontends": [
                {
                    "name": one.name,
                    "namespace": self.namespace,
                    "service": service.child,
                    "port": PORT,
                    "version": self.line.version,
                    # One of a model's own graph serves that model; one that stands alone serves them all.
                    "models": [row for row in rows if not one.models or row["graph"] == one.name],
                }
                for one, service in frontends
            ]
        }
