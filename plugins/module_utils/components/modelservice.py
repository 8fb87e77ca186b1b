# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of a model's release, and what its pods will look like: labels, port, roles and their counts.

Where a kustomization makes its servers, all of this is read from what the folder renders to; of servers that already
run, the entry says it.

The facts about the chart are those of llm-d-modelservice v0.4.5 (values.yaml, templates/_helpers.tpl).
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.apis import LWS_API, MONITORING_API
from ..base.data import Object, Values, dig, mapping
from ..base.findings import NOTE, Findings, finding_at
from ..base.names import LABEL_LIMIT, RELEASE_LIMIT, dns_label, label_key_problem, label_problem, modelservice_fullname
from ..base.ours import MODEL_LABEL, SERVING_LABEL
from ..kustomize import overlay as overlays
from ..kustomize import servers as kustomized
from ..values.layers import Layer, locate, merge, merge_all
from .base import KUSTOMIZATION, LLM_D, Component, NeededKind, Part, check_maps, named, unique
from .gateway import GatewayComponent
from .monitors import server_values

ROLES = ("decode", "prefill")
_CHART_LABELS = {SERVING_LABEL: "true"}
_CHART_PORT = 8000
_CHART_CREATE = True
_CHART_REPLICAS = {"decode": 1, "prefill": 0}
# A LeaderWorkerSet names a worker <set>-<replica>-<worker> and puts that into labels.
_LWS_SUFFIX = len("-00-00")


@dataclasses.dataclass
class Model:
    """One model as resolved. values: those of its release; labels: its pods', without the role's own."""

    name: str
    where: str
    release: str
    layers: list[Layer]
    model: str = ""
    # Its entry in the variable, with the pool and the route that go with it.
    entry: Values = dataclasses.field(default_factory=dict)
    values: Values = dataclasses.field(default_factory=dict)
    labels: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    port: t.Any = _CHART_PORT
    roles: dict[str, int] = dataclasses.field(default_factory=dict)
    workloads: dict[str, str] = dataclasses.field(default_factory=dict)
    multinode: bool = False
    # Whether all of its values files could be read.
    complete: bool = True
    # What makes its servers where no chart does.
    kustomized: kustomized.Kustomized | None = None

    @property
    def existing(self) -> bool:
        """Whether its servers already run, and are not this collection's."""
        return self.entry.get("existing") is True

    @property
    def unread(self) -> bool:
        """Whether nothing is known of its pods: its kustomization cannot be rendered, or its labels are not given."""
        if self.existing:
            return not self.labels
        return "kustomization" in self.entry and not (self.kustomized and self.kustomized.workloads)

    @property
    def objects(self) -> list[Object]:
        """The workloads of a kustomization; those of a chart are not known before it is rendered."""
        return self.kustomized.workloads if self.kustomized else []


# Of an entry whose servers already run: the labels of their pods, and the port on which they listen.
OF_EXISTING: dict[str, type] = {"labels": dict, "port": int}
# What makes servers.
MAKERS = ("values_files", "values", *kustomized.KEYS)
MODEL_KEYS: dict[str, type] = {
    "name": str,
    "model": str,
    "release_name": str,
    "values_files": list,
    "values": dict,
    **kustomized.KEYS,
    "existing": bool,
    **OF_EXISTING,
    "pool": dict,
    "route": dict,
}
# Values that are read here as maps.
MAPS = (("modelArtifacts",), ("modelArtifacts", "labels"), ("routing",), *((role,) for role in ROLES))
# Releases are named ms-NAME, and gaie-NAME where a model has a pool of its own.
PREFIX, LONGEST_PREFIX = "ms-", "gaie-"


class ModelserviceComponent(Component):
    """The component `modelservice`: one release for each model of llm_d_models and modelservice_models."""

    name = "modelservice"
    group = LLM_D
    chart = "llm-d-modelservice"
    serves_models = True
    asks = "modelservice_models"

    @classmethod
    def charted(cls, given: Values, params: Values) -> bool:
        entries = [*(params.get("models") or []), *(given.get("models") or [])]
        makes = [isinstance(one, dict) and not (one.get("kustomization") or one.get("existing")) for one in entries]
        return not entries or any(makes)

    def resolve(self) -> None:
        self.models: list[Model] = []
        self.shared = self.stack.loader.layers(self.given, f"{self.name}_")
        limit = RELEASE_LIMIT - len(LONGEST_PREFIX)
        for entry, where in self.stack.entries(
            self.stack.params["models"], "llm_d_models", MODEL_KEYS, limit=limit, space="model"
        ):
            self.models.append(self._model(entry, where))
        routed = ("pool", "route", "existing", *OF_EXISTING)
        alone = {key: value for key, value in MODEL_KEYS.items() if key not in routed}
        limit = RELEASE_LIMIT - len(PREFIX)
        for entry, where in self.stack.entries(
            self.given.get("models") or [], "modelservice_models", alone, limit=limit, space="model"
        ):
            self.models.append(self._model(entry, where))
        for model in self.models:
            check_model(model, self.stack.findings)

    def _model(self, entry: Values, where: str) -> Model:
        if entry.get("existing"):
            return self._existing(entry, where)
        for key in OF_EXISTING:
            if entry.get(key):
                fix = "set existing: true, or remove it"
                self.stack.findings.add(f"{where}.{key}", "is of servers that already run", fix, rule="input-choice")
        if entry.get("kustomization"):
            return self._kustomized(entry, where)
        for key in ("overlay", "remote"):
            if entry.get(key):
                fix = "set kustomization to a folder, or remove it"
                self.stack.findings.add(f"{where}.{key}", "is of a kustomization only", fix, rule="input-choice")
        layers = [*self.shared, *self.stack.loader.layers(entry, where)]
        name = entry["name"]
        model = Model(
            name, where, entry.get("release_name") or f"{PREFIX}{name}", layers, entry.get("model") or "", entry
        )
        model.complete = len(layers) >= len(self.shared) + len(entry.get("values_files") or [])
        own = self.stack.facts.chart_values.get(self.name) or {}
        provider = self.stack.of(GatewayComponent).provider
        return resolve_model(model, merge(provider.part(self.name, own), self._monitors(model)), own)

    def _existing(self, entry: Values, where: str) -> Model:
        """Return a model whose servers already run: nothing is deployed for it but its pool and its route."""
        for key in MAKERS:
            if entry.get(key):
                fix = "remove it, or existing: true"
                text = "is set beside existing: true, which deploys no servers"
                self.stack.findings.add(f"{where}.{key}", text, fix, rule="input-choice")
        model = Model(entry["name"], where, "", [], entry.get("model") or "", entry)
        model.labels, model.port = dict(entry.get("labels") or {}), entry.get("port", _CHART_PORT)
        check_existing(model, self.stack.findings)
        # What is wrong with them is said once, and not again of the pool.
        model.labels = {key: value for key, value in model.labels.items() if _label_problem(key, value) is None}
        model.port = model.port if _is_port(model.port) else _CHART_PORT
        return model

    def _kustomized(self, entry: Values, where: str) -> Model:
        """Return a model whose servers a kustomization makes."""
        binary = self.stack.params.get("kustomize_binary")
        made = kustomized.kustomized(entry, where, self.stack.loader, binary, self.stack.findings)
        name = entry["name"]
        model = Model(name, where, entry.get("release_name") or f"{PREFIX}{name}", [], entry.get("model") or "", entry)
        model.complete, model.kustomized = made is not None, made
        if made is None:
            return model
        model.model = model.model or next(iter(made.names), "")
        model.labels, model.port = made.labels, made.port or _CHART_PORT
        model.multinode = any(body["kind"] == "LeaderWorkerSet" for body in made.workloads)
        for body in made.workloads:
            role = overlays.role_of(body) or "decode"
            count = dig(body, ("spec", "replicas"))
            model.roles[role] = model.roles.get(role, 0) + (count if isinstance(count, int) else 1)
            model.workloads.setdefault(role, body["metadata"]["name"])
        return model

    def _monitors(self, model: Model) -> Values:
        """Return the values of a model's PodMonitors; say where it has none."""
        settings = self.stack.settings.get("monitoring") or {}
        if not settings.get("enabled"):
            return {}
        values, nameless = server_values(settings, merge_all(layer.values for layer in model.layers))
        for role in nameless:
            text = f"Metrics of {model.name}'s {role} pods are not collected: none of their ports has a name."
            self.stack.notes.append(f"{text} Set {role}.containers[].ports[].name, for example metrics.")
        return values

    def check(self) -> None:
        workloads = [(name, model.where) for model in self.models for name in model.workloads.values()]
        unique(workloads, "workload", self.stack.findings)

    def make_parts(self) -> list[Part]:
        made = [model for model in self.models if not model.existing]
        return [self._part(model) for model in made if model.kustomized or "kustomization" not in model.entry]

    def _part(self, model: Model) -> Part:
        made = model.kustomized
        if made is None:
            return self.release(model.release, model.values, model.where, model.layers)
        return Part(self.name, model.release, self.namespace, KUSTOMIZATION, made.spec, model.where, made.documents)

    def needs(self) -> list[NeededKind]:
        found = [NeededKind(LWS_API, "LeaderWorkerSet", f"{m.name} (multinode)") for m in self.models if m.multinode]
        watched = [model for model in self.models if monitors(model)]
        return found + [NeededKind(MONITORING_API, "PodMonitor", f"{m.name}'s podmonitor") for m in watched]

    def check_cluster(self) -> None:
        """Note each secret of a model that is not there; the rule about secrets says it too."""
        for model in self.models:
            for name in secret_names(model):
                if name not in self.stack.facts.secrets:
                    text = (
                        f"its pods cannot start without the secret {name} (modelArtifacts.authSecretName),"
                        f" which namespace {self.namespace} does not have; prepare_hf_token makes it."
                    )
                    note = finding_at(model.where, text, rule="LLMD601")
                    more: t.Any = {"severity": NOTE, "about": frozenset([name]), "covers": ("LLMD601",)}
                    self.stack.absent.append(dataclasses.replace(note, **more))

    def serves(self) -> list[Object]:
        found = [
            named(body["apiVersion"], body["kind"], body["metadata"]["name"], self.namespace)
            for model in self.models
            for body in model.objects
        ]
        return found + [
            named(
                *((LWS_API, "LeaderWorkerSet") if model.multinode else ("apps/v1", "Deployment")), name, self.namespace
            )
            for model in self.models
            if not model.kustomized
            for name in model.workloads.values()
        ]


def resolve_model(model: Model, provider_values: Values, chart_values: Values | None = None) -> Model:
    """Fill in what follows from a model's values layers; provider_values lie below them.

    chart_values: the chart's own, {} where unknown; its releases differ in the labels that pods have by default.
    """
    own = chart_values or {}
    user = merge_all(layer.values for layer in model.layers)
    values = merge(provider_values, user)
    given = mapping(dig(user, ("modelArtifacts", "labels")))
    labels = merge(mapping(dig(own, ("modelArtifacts", "labels"))) or _CHART_LABELS, given)
    if dig(given, (MODEL_LABEL,)) is None:
        value = dns_label(model.name)
        labels[MODEL_LABEL] = value
        values = merge(values, {"modelArtifacts": {"labels": {MODEL_LABEL: value}}})
    model.labels = {key: value for key, value in labels.items() if value is not None}
    if model.model and not dig(user, ("modelArtifacts", "name")):
        values = merge(values, {"modelArtifacts": {"name": model.model}})
    model.model = model.model or dig(user, ("modelArtifacts", "name")) or ""
    model.values = values
    model.port = dig(merge(own, values), ("routing", "servicePort")) or _CHART_PORT
    model.multinode = dig(values, ("multinode",)) is True
    model.roles = {role: count for role in ROLES if (count := _replicas(values, role)) is not None}
    base = modelservice_fullname(model.release, values)
    model.workloads = {role: f"{base}-{role}" for role in model.roles}
    return model


def _replicas(values: Values, role: str) -> int | None:
    """Return how many replicas a role asks for, None where it is not created."""
    spec = values.get(role)
    spec = spec if isinstance(spec, dict) else {}
    if spec.get("create", _CHART_CREATE) is False:
        return None
    replicas = spec.get("replicas", _CHART_REPLICAS[role])
    return replicas if isinstance(replicas, int) else _CHART_REPLICAS[role]


def check_model(model: Model, findings: Findings) -> None:
    """Note what would keep a model from being deployed or served."""
    if model.existing:
        return  # checked where it was read
    if model.kustomized or "kustomization" in model.entry:
        check_kustomized(model, findings)
        return
    check_maps(model.layers, MAPS, findings)
    served = dig(model.values, ("modelArtifacts", "name"))
    if not served and not model.complete:
        pass  # the name may stand in the file that could not be read
    elif not served:
        fix = f"set {model.where}.model: org/name, or modelArtifacts.name in its values"
        findings.add(f"{model.where}.model", "the model's name is missing", fix, rule="input-served-name")
    elif model.model != served:
        where = locate(model.layers, ("modelArtifacts", "name"), model.where)
        findings.add(
            f"{model.where}.model",
            f"is {model.model!r}, but {where} serves {served!r}",
            "use the same name in both",
            rule="input-served-name",
        )
    check_labels(model, f"{model.where}.name", findings)
    if not isinstance(model.port, int) or isinstance(model.port, bool):
        where = locate(model.layers, ("routing", "servicePort"), model.where)
        findings.add(where, f"{model.port!r} is not a valid port", "use a number", rule="input-port")
    if not model.roles.get("decode"):
        where = locate(model.layers, ("decode",), model.where)
        findings.add(
            where,
            "there are no decode pods to answer requests",
            "set decode.create: true and decode.replicas above 0",
            rule="input-no-decode",
        )
    for workload in model.workloads.values():
        longest = len(workload) + (_LWS_SUFFIX if model.multinode else 0)
        if longest > LABEL_LIMIT:
            fix = f"shorten the name by {longest - LABEL_LIMIT} characters, or set fullnameOverride in its values"
            findings.add(
                f"{model.where}.name",
                f"its pods' names ({workload}-...) exceed {LABEL_LIMIT} characters",
                fix,
                rule="input-name",
            )


def check_labels(model: Model, where: str, findings: Findings) -> None:
    """Note labels that Kubernetes refuses. where: the place of those that no values file sets."""
    for key, value in model.labels.items():
        wrong = _label_problem(key, value)
        if wrong:
            place = locate(model.layers, ("modelArtifacts", "labels", key), where)
            findings.add(place, f"label {key}: {wrong}", rule="input-label")


def _label_problem(key: t.Any, value: t.Any) -> str | None:
    return label_key_problem(str(key)) or label_problem(value)


def _is_port(value: t.Any) -> bool:
    return isinstance(value, int) and 0 < value < 65536


def check_existing(model: Model, findings: Findings) -> None:
    """Note what is missing to reach servers that already run."""
    if not model.labels:
        text, fix = "the labels of the servers' pods are missing", "set them, for example {app: vllm}"
        findings.add(f"{model.where}.labels", text, fix, rule="input-selector")
    if not model.model:
        text, fix = "the model's name is missing", f"set {model.where}.model: org/name"
        findings.add(f"{model.where}.model", text, fix, rule="input-served-name")
    if not _is_port(model.port):
        text = f"{model.port} is not a valid port"
        findings.add(f"{model.where}.port", text, "use a number from 1 to 65535", rule="input-port")
    check_labels(model, f"{model.where}.labels", findings)


def check_kustomized(model: Model, findings: Findings) -> None:
    """Note what would keep a kustomization's model from being deployed or served."""
    made = model.kustomized
    if made is None:
        return  # which is said already
    if not made.servers:
        kinds = ", ".join(dict.fromkeys(str(body.get("kind")) for body in made.objects))
        text = f"renders no workload that serves a model, only: {kinds}"
        findings.add(f"{model.where}.kustomization", text, "use the folder of a model server", rule="input-no-decode")
    elif not model.model:
        text, place = "the model's name is missing", made.nameless()
        text += f": the command line of its servers names none ({place})" if place else ""
        fix = f"set {model.where}.model: org/name, or correct the command line"
        findings.add(f"{model.where}.model", text, fix, rule="input-served-name")
    elif made.names and model.model not in made.names:
        body, path, server = next(row for row in made.servers if row[2].names)
        place = made.place(body, (*path, "spec", "containers", server.index, "args"))
        text = f"is {model.model!r}, but {place or made.path} serves {', '.join(map(repr, made.names))}"
        findings.add(f"{model.where}.model", text, "use the same name in both", rule="input-served-name")


def monitors(model: Model) -> bool:
    """Return whether a model's release makes a PodMonitor."""
    return any(dig(model.values, (role, "monitoring", "podmonitor", "enabled")) is True for role in model.roles)


def secret_names(model: Model) -> list[str]:
    """Return the secrets that a model's pods cannot start without."""
    name = dig(model.values, ("modelArtifacts", "authSecretName"))
    return [name] if isinstance(name, str) and name else []
