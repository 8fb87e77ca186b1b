# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the kinds and versions that the cluster serves. Without that fact they say nothing."""

from __future__ import annotations

import collections
import typing as t

from ..base.data import dicts, texts
from ..base.findings import WARNING, Finding, show_path
from ..base.names import did_you_mean
from ..model.items import Item
from ..model.model import StackModel
from ..programs.compatibility import picker_row
from ..values.origin import origin
from .base import Side, finding, listed, made, rule_factory

# Groups that an API server has without CRDs.
_BUILT_IN = (
    *("", "apps", "batch", "autoscaling", "policy", "admissionregistration.k8s.io", "apiextensions.k8s.io"),
    *("authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io"),
    *("discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io"),
    *("scheduling.k8s.io", "storage.k8s.io", "flowcontrol.apiserver.k8s.io"),
)

# What metrics-server, or another one that measures pods, adds to an API server.
_METRICS = "metrics.k8s.io"


def served(model: StackModel) -> t.Iterator[Finding]:
    return _kinds(model, other_version=False)


def served_version(model: StackModel) -> t.Iterator[Finding]:
    return _kinds(model, other_version=True)


def _kinds(model: StackModel, other_version: bool) -> t.Iterator[Finding]:
    """Kinds of the plan that the cluster lacks: altogether, or in the version that the plan uses."""
    table = model.facts.served
    users: dict[tuple[str, str, str], list[Side]] = collections.defaultdict(list)
    for item in model.planned:
        if _absent(item, table or {}, table is not None):
            users[(item.group, item.version, item.kind)].append(_named(item))
    for (group, _version_of, kind), sides in users.items():
        others = [api for api, kinds in (table or {}).items() if api.startswith(group + "/") and kind in kinds]
        if bool(others) is other_version:
            has = f"; it has {listed(others)}" if others else ""
            api = _version(sides[0].item)
            near = "" if others else did_you_mean(kind, (table or {}).get(api, ()))
            yield finding(f"the cluster does not serve {kind} ({api}){has}{near and '.' + near}", tuple(sides),
                          ("kind", group, kind))  # fmt: skip


def _absent(item: Item, table: t.Mapping[str, t.Sequence[str]], known: bool) -> bool:
    """Return whether the cluster is known not to serve an object's kind: of its own groups where it told of them."""
    kinds = table.get(_version(item))
    return item.kind not in kinds if kinds else known and _definable(item.group)


def _named(item: Item) -> Side:
    """Return the place of an object's kind, with the key of the values that has its name."""
    key = made(item, ("metadata", "name")).key
    return Side(item, ("apiVersion",), "values" if key else "", key)


def _version(item: Item) -> str:
    return f"{item.group}/{item.version}".lstrip("/")


def _definable(group: str) -> bool:
    return group not in _BUILT_IN


def watched_kinds(model: StackModel) -> t.Iterator[Finding]:
    """What an endpoint picker does not start without is served, in one of the groups that its Role names."""
    table = model.facts.served
    known = {(api.rpartition("/")[0], _plural(kind)) for api, kinds in (table or {}).items() for kind in kinds}
    for role in model.items("Role", planned_only=True) if table is not None else []:
        pickers = [picker for picker in model.pickers if picker.item.release == role.release]
        rows = [picker_row(str(picker.container.get("image"))) for picker in pickers]
        needs = {need for row in rows if row for need in row.needs}
        wanted: dict[str, set[str]] = collections.defaultdict(set)
        for rule in dicts(role.body.get("rules")):
            for resource in needs.intersection(texts(rule.get("resources"))):
                wanted[resource] |= {group for group in texts(rule.get("apiGroups")) if _definable(group)}
        for resource, groups in wanted.items():
            if groups and not any((group, resource) in known for group in groups):
                text = f"the endpoint picker watches {resource} ({listed(groups)}), which the cluster does not serve"
                yield finding(text, (Side(role, ("rules",)),), ("watched", resource))


def _plural(kind: str) -> str:
    return kind.lower() + "s"


def metrics(model: StackModel) -> t.Iterator[Finding]:
    """Autoscalers by CPU or memory have somebody who measures these."""
    served = model.facts.served
    measured = served is None or any(api.partition("/")[0] == _METRICS for api in served)
    for item in [] if measured else model.items("HorizontalPodAutoscaler", planned_only=True):
        for index, metric in enumerate(dicts(item.spec.get("metrics"))):
            if metric.get("type") in ("Resource", "ContainerResource"):
                text = f"{item.name} scales by a pod's resources, but the cluster does not serve {_METRICS}"
                yield finding(text, (Side(item, ("spec", "metrics", index)),), ("metrics", item.title))


def shapes(model: StackModel) -> t.Iterator[Finding]:
    """What is rendered are objects, with maps and lists where their kinds have them."""
    for item, one in model.misfits:
        key = origin(item.layers, {"object": one.body}, ("object", *one.path), item.name)
        text = f"{show_path(one.path)} of {item.title} {one.text}" if one.path else f"{item.title} {one.text}"
        side = Side(item, one.path, "values", key) if key else Side(item, one.path)
        yield finding(text, (side,), ("shape", item.title, one.path, one.text))


_rule = rule_factory("LLMD6")

RULES = (
    _rule(
        10,
        "The cluster serves every kind",
        served,
        "The cluster knows each kind that the plan creates.",
        "helm install fails: resource mapping not found, ensure CRDs are installed first.",
        "install the CRDs of the kind, or turn off what needs it",
        "Kubernetes, API discovery; F3",
    ),
    _rule(
        11,
        "The cluster serves the version",
        served_version,
        "Each kind is served in the version that the plan uses.",
        "helm install fails: no matches for kind in version.",
        "install the release of the CRDs that the chart is made for, or use the version that is served",
        "Kubernetes, CustomResourceDefinition spec.versions; F1, F3",
    ),
    _rule(
        12,
        "The cluster serves what pickers watch",
        watched_kinds,
        "The cluster serves the kinds that an endpoint picker of that version needs to start; optional ones may be "
        "missing.",
        "The picker crashes or never becomes Ready: if kind is a CRD, it should be installed before calling Start.",
        "install the CRDs of the picker's own release of the Gateway API Inference Extension",
        "gateway-api-inference-extension#1737, #1933; F3",
    ),
    _rule(
        13,
        "Objects have the shape of their kind",
        shapes,
        "Each document that a chart renders has an apiVersion, a kind and a name, and maps and lists where its kind has"
        " them.",
        "The API server refuses the object (cannot unmarshal), or Helm does (validation error).",
        "write a map as key: value, a list with a dash before each entry, and give each object a metadata.name",
        "Kubernetes API conventions",
    ),
    _rule(
        15,
        "Autoscalers have metrics",
        metrics,
        "Where a HorizontalPodAutoscaler goes by CPU or memory, the cluster serves metrics.k8s.io.",
        "Its condition ScalingActive is False (FailedGetResourceMetric), and there stay as many pods as there are.",
        "install metrics-server, or remove the autoscaler",
        "Kubernetes, HorizontalPodAutoscaler spec.metrics",
        WARNING,
    ),
)
