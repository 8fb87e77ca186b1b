# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of a model's release, and what its pods will look like: labels, port, roles and their counts.

The facts about the chart are those of llm-d-modelservice v0.4.5 (values.yaml, templates/_helpers.tpl).
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import Values, dig
from ..base.findings import Findings
from ..base.names import LABEL_LIMIT, dns_label, label_key_problem, label_problem, modelservice_fullname
from ..base.ours import SERVING_LABEL
from ..values.layers import Layer, locate, merge, merge_all
from .gaie import MODEL_LABEL

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
    values: Values = dataclasses.field(default_factory=dict)
    labels: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    port: t.Any = _CHART_PORT
    roles: dict[str, int] = dataclasses.field(default_factory=dict)
    workloads: dict[str, str] = dataclasses.field(default_factory=dict)
    multinode: bool = False
    # Whether all of its values files could be read.
    complete: bool = True


def resolve_model(model: Model, provider_values: Values, chart_values: Values | None = None) -> Model:
    """Fill in what follows from a model's values layers; provider_values lie below them.

    chart_values: the chart's own, {} where unknown; its releases differ in the labels that pods have by default.
    """
    own = chart_values or {}
    user = merge_all(layer.values for layer in model.layers)
    values = merge(provider_values, user)
    given = dig(user, ("modelArtifacts", "labels")) or {}
    labels = merge(dig(own, ("modelArtifacts", "labels")) or _CHART_LABELS, given)
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


def check_model(model: Model, problems: Findings) -> None:
    """Note what would keep a model from being deployed or served."""
    served = dig(model.values, ("modelArtifacts", "name"))
    if not served and not model.complete:
        pass  # the name may stand in the file that could not be read
    elif not served:
        fix = f"{model.where}.model: org/name, or modelArtifacts.name in its values"
        problems.add(f"{model.where}.model", "the served model name is missing", fix, rule="input-served-name")
    elif model.model != served:
        where = locate(model.layers, ("modelArtifacts", "name"), model.where)
        problems.add(
            f"{model.where}.model",
            f"is {model.model!r}, but {where} serves {served!r}",
            "the same name in both",
            rule="input-served-name",
        )
    for key, value in model.labels.items():
        wrong = label_key_problem(str(key)) or label_problem(value)
        if wrong:
            problems.add(
                locate(model.layers, ("modelArtifacts", "labels", key), f"{model.where}.name"),
                f"label {key}: {wrong}",
                rule="input-label",
            )
    if not isinstance(model.port, int) or isinstance(model.port, bool):
        where = locate(model.layers, ("routing", "servicePort"), model.where)
        problems.add(where, f"{model.port!r} is no port", "a number", rule="input-port")
    if not model.roles.get("decode"):
        where = locate(model.layers, ("decode",), model.where)
        problems.add(
            where,
            "no decode pods: nothing would answer requests",
            "decode.create true and decode.replicas above 0",
            rule="input-no-decode",
        )
    for workload in model.workloads.values():
        longest = len(workload) + (_LWS_SUFFIX if model.multinode else 0)
        if longest > LABEL_LIMIT:
            fix = f"a name shorter by {longest - LABEL_LIMIT}, or fullnameOverride in its values"
            problems.add(
                f"{model.where}.name",
                f"its pods' names ({workload}-...) exceed {LABEL_LIMIT} characters",
                fix,
                rule="input-name",
            )


def monitors(model: Model) -> bool:
    """Return whether a model's release makes a PodMonitor."""
    return any(dig(model.values, (role, "monitoring", "podmonitor", "enabled")) is True for role in model.roles)


def secret_names(model: Model) -> list[str]:
    """Return the secrets that a model's pods cannot start without."""
    name = dig(model.values, ("modelArtifacts", "authSecretName"))
    return [name] if isinstance(name, str) and name else []
