# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The models of a stack on NVIDIA Dynamo: a graph of workers for each, made of its settings or read of a user's file.

Up to 0.6 a graph says itself in which Dynamo namespace its workers are; each model has one of its own, as workers of
two models at one endpoint get each other's requests (ai-dynamo/dynamo issues 3665, 7738). Later versions see to that.
"""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from ..base import formats
from ..base.data import Object, Values, mapping
from ..base.images import rewrite_object
from ..base.names import LABEL_LIMIT, did_you_mean
from ..base.ours import object_key
from ..helm.image_check import registry_of
from ..objects.graphs import DECODE, PREFILL, Graph, graph, is_graph
from ..objects.graphs import KIND as GRAPH
from ..values.layers import Layer, check_entry
from .base import DYNAMO, OBJECTS, Component, NeededKind, Part, named
from .dynamo_graphs import model_graph, outgrown, read_graph_file
from .dynamo_lines import AGG, API, DISAGG, ENGINES
from .dynamo_platform import DynamoPlatformComponent

if t.TYPE_CHECKING:
    from ..cluster.client import Cluster

LIST = "dynamo_models"
ROLE_KEYS: dict[str, type] = {
    "replicas": int,
    "gpus": int,
    "tensor_parallel_size": int,
    "args": list,
    "env": dict,
    "node_selector": dict,
    "tolerations": list,
}
MODEL_KEYS: dict[str, type] = {
    "name": str,
    "model": str,
    "mode": str,
    "engine": str,
    "image": str,
    DECODE: dict,
    PREFILL: dict,
    "startup_timeout": int,
    "probes": dict,
    "pvc": dict,
    "resources": dict,
    "shared_memory": str,
    "pull_secret": str,
    "graph_file": str,
    "variables": dict,
    **ROLE_KEYS,
}
CLAIM_KEYS: dict[str, type] = {"name": str, "mount_path": str}
PROBES = ("startup", "liveness", "readiness")
# What the operator adds to the name of a graph: the service's, and from 1.0 on a hash.
_LONGEST, _HASH = len("-sglangprefillworker"), len("-00000000")


@dataclasses.dataclass
class GraphModel:
    """One model as resolved. objects: what is applied for it; graphs: as their operator reads them."""

    name: str
    where: str
    model: str
    objects: list[Object]
    layers: list[Layer]
    graphs: list[Graph] = dataclasses.field(default_factory=list)


class DynamoModelsComponent(Component):
    """The component `dynamo_models`: the graphs of the list dynamo_models."""

    name = LIST
    group = DYNAMO
    serves_models = True
    asks = LIST
    shapes = {"image": formats.image, "hf_token_secret": formats.dns_name, "pull_secret": formats.dns_name}

    @classmethod
    def asked(cls, given: Values) -> bool:
        return bool(given.get("models"))

    def resolve(self) -> None:
        self.models: list[GraphModel] = []
        self.line = self.stack.of(DynamoPlatformComponent).line
        limit = LABEL_LIMIT - _LONGEST - (0 if self.line < (1, 0) else _HASH)
        raw = self.given.get("models") or []
        if not isinstance(raw, list):
            self.stack.findings.add(
                LIST, ("is not a list"), ("use a list, each entry beginning with - name: NAME"), "input-type"
            )
            return
        for entry, where in self.stack.entries(raw, LIST, MODEL_KEYS, limit=limit, space="graph"):
            self.models.append(self._model(entry, where))

    def _model(self, entry: Values, where: str) -> GraphModel:
        if entry.get("graph_file"):
            return self._read(entry, where)
        entry = self._complete(entry, where)
        image = entry.get("image") or self.given.get("image") or self.line.image(entry["engine"])
        body = model_graph(entry, image, self._secret(), self.namespace, self.line)
        body["metadata"]["namespace"] = self.namespace
        return self._made(GraphModel(entry["name"], where, entry["model"], [body], [Layer(entry, where)]))

    def _read(self, entry: Values, where: str) -> GraphModel:
        """Return the model of a user's graph file."""
        variables = {"MODEL_NAME": entry.get("model"), "MODEL_SUFFIX": entry["name"], **mapping(entry.get("variables"))}
        objects, layers = self.file(entry["graph_file"], f"{where}.graph_file", variables)
        return self._made(GraphModel(entry["name"], where, entry.get("model") or "", objects, layers))

    def file(self, name: str, where: str, more: Values) -> tuple[list[Object], list[Layer]]:
        """Return the objects of a graph file; note what is wrong with it. more: variables besides those of all."""
        path = self.stack.loader.find(name, where)
        if path is None:
            return [], []
        known = {"NAMESPACE": self.namespace, "DYNAMO_VERSION": self.line.version}
        known["DYNAMO_IMAGE"] = self.given.get("image") or self.line.image("vllm")
        known |= {**mapping(self.given.get("variables")), **{key: value for key, value in more.items() if value}}
        found = read_graph_file(path, known, self.stack.findings)
        objects = [self._placed(body, path) for body in found.objects]
        if not any(is_graph(body) for body in objects) and not self.stack.findings:
            text = f"contains no {GRAPH}"
            self.stack.findings.add(where, f"{path} {text}", f"use a file with a {GRAPH}", rule="input-graph")
        return objects, found.layers

    def _placed(self, body: Object, path: str) -> Object:
        """Return an object of a file in the stack's namespace; note one that names another."""
        metadata = mapping(body.get("metadata"))
        other = metadata.get("namespace")
        if not (body.get("apiVersion") and body.get("kind") and metadata.get("name")):
            fix = "use objects with apiVersion, kind and metadata.name"
            self.stack.findings.add(
                path, ("contains a document that is not a Kubernetes object"), fix, rule="input-graph"
            )
        elif other and other != self.namespace:
            text = (
                f"{body['kind']} {metadata['name']} is in the namespace {other}, but the stack is in {self.namespace}"
            )
            self.stack.findings.add(path, text, "remove the namespace", rule="input-namespace")
        return {**body, "metadata": {**metadata, "namespace": self.namespace}}

    def _made(self, model: GraphModel) -> GraphModel:
        model.graphs = [graph(body, self.line.version, self.namespace) for body in model.objects if is_graph(body)]
        if not model.model:
            model.model = next((name for one in model.graphs for name in one.models), "")
        return model

    def _complete(self, entry: Values, where: str) -> Values:
        """Return an entry with what it leaves out; note what cannot be."""
        findings, given = self.stack.findings, self.given
        full = {"mode": AGG, "engine": given.get("engine") or "vllm", "model": "", **entry}
        full.setdefault("pull_secret", given.get("pull_secret") or "")
        full.setdefault("startup_timeout", given.get("startup_timeout") or 0)
        full["env"] = {**mapping(given.get("env")), **mapping(entry.get("env"))}
        if not full["model"]:
            fix = "set OWNER/NAME of Hugging Face, or a graph_file"
            findings.add(f"{where}.model", "is missing", fix, rule="input-served-name")
        elif wrong := formats.repository(full["model"]):
            findings.add(f"{where}.model", wrong.what, wrong.fix, rule=wrong.rule)
        for key, known in (("mode", (AGG, DISAGG)), ("engine", tuple(ENGINES))):
            if full[key] not in known:
                text = f"{full[key]!r} is not a valid choice.{did_you_mean(full[key], known)}"
                findings.add(f"{where}.{key}", text, "use one of: " + ", ".join(known), rule="input-choice")
                full[key] = known[0]
        if full.get("image") and (wrong := formats.image(full["image"])):
            findings.add(f"{where}.image", wrong.what, wrong.fix, rule=wrong.rule)
        self._check_inner(full, where)
        return full

    def _check_inner(self, entry: Values, where: str) -> None:
        """Note what is wrong inside an entry: roles, claim, probes, and numbers that say nothing."""
        findings = self.stack.findings
        schemas: dict[str, dict[str, type]] = dict.fromkeys((DECODE, PREFILL), ROLE_KEYS)
        schemas |= {"pvc": CLAIM_KEYS, "probes": dict.fromkeys(PROBES, dict)}
        for key, schema in schemas.items():
            if entry.get(key):
                entry[key] = check_entry(entry[key], schema, f"{where}.{key}", findings) or {}
        if entry.get("pvc") and not mapping(entry["pvc"]).get("name"):
            findings.add(f"{where}.pvc.name", "is missing", "set it to the name of a claim", rule="input-name")
            entry["pvc"] = {}
        if entry["mode"] == AGG and entry.get(PREFILL):
            findings.add(f"{where}.{PREFILL}", "is set, but mode is agg", "set mode: disagg", rule="input-choice")
        for place, settings in ((where, entry), *((f"{where}.{role}", entry.get(role)) for role in (DECODE, PREFILL))):
            for key in ("replicas", "gpus", "tensor_parallel_size", "startup_timeout"):
                value = mapping(settings).get(key)
                if isinstance(value, int) and value < 0:
                    findings.add(
                        f"{place}.{key}", f"{value} is below 0", ("use a number of at least 0"), rule="input-value"
                    )

    def _secret(self) -> str:
        """Return the secret with the token: the one asked for, or prepare's where it is there or is made."""
        asked = self.given.get("hf_token_secret") or ""
        default = (self.stack.settings.get("prepare") or {}).get("hf_token_secret") or ""
        if asked:
            return asked
        return default if default in self.stack.facts.secrets else ""

    def mirrored(self, objects: t.Sequence[Object]) -> list[Object]:
        """Return objects with their images in the site's registry, where there is one."""
        registry = registry_of(self.stack.params)
        return [rewrite_object(copy.deepcopy(body), registry) for body in objects] if registry else list(objects)

    def make_parts(self) -> list[Part]:
        found = [
            Part(
                self.name,
                model.name,
                self.namespace,
                OBJECTS,
                {"objects": self.mirrored(model.objects), "keep": ["PersistentVolumeClaim"]},
                model.where,
                model.layers,
            )
            for model in self.models
            if model.objects
        ]
        if self.given.get("prune") and found:
            others = [item for part in found[1:] for item in part.spec["objects"]]
            found[0].spec |= {"prune": True, "spared": others}
        return found

    def check(self) -> None:
        """Note objects that two graph files have, or that are named as the frontend's."""
        first: dict[tuple[str, ...], str] = {}
        for model in self.models:
            for body in model.objects:
                if not body.get("apiVersion") or not body.get("kind"):
                    continue
                other = first.setdefault(object_key(body), model.where)
                if other != model.where:
                    name = mapping(body.get("metadata")).get("name")
                    text = f"{body['kind']} {name} is already used by {other}"
                    self.stack.findings.add(model.where, text, "use a unique name", rule="input-name-taken")

    def outgrown(self, cluster: Cluster) -> list[Object]:
        return outgrown(cluster, [one for model in self.models for one in model.graphs])

    def needs(self) -> list[NeededKind]:
        return [NeededKind(API, GRAPH, LIST)] if self.models else []

    def serves(self) -> list[Object]:
        return [
            named(str(body["apiVersion"]), GRAPH, body["metadata"]["name"], self.namespace)
            for model in self.models
            for body in model.objects
            if is_graph(body)
        ]

    def told(self) -> list[Object]:
        """Return what verification asks of each model: the graph of its workers, and how many of each role."""
        return [
            {
                "name": model.name,
                "model": served,
                "graph": one.name,
                "namespace": one.namespace,
                "mode": one.mode,
                "roles": _roles(one),
            }
            for model in self.models
            for one in model.graphs
            for served in one.models
        ]


def _roles(one: Graph) -> dict[str, int]:
    """Return how many pods decode and prefill."""
    found = {DECODE: 0}
    for service in one.workers:
        role = PREFILL if service.kind == PREFILL else DECODE
        found[role] = found.get(role, 0) + service.replicas
    return found
