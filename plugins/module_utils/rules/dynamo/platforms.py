# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about Dynamo's platform: where its operator looks, its charts by version, and images that are gone."""

from __future__ import annotations

import typing as t

from ...base.data import dicts, dig, leaves, mapping
from ...base.findings import Finding, show_path
from ...base.images import parse_image
from ...model.graphs import operators
from ...model.items import Item
from ...model.model import StackModel, pod_specs
from ...programs.versions import Version, version
from ..base import Path, Side, finding, made, rule_factory

PLATFORM, CRDS = "dynamo-platform", "dynamo-crds"
# From here on the definitions are in the platform's chart.
ONE_CHART: Version = (1, 0)
# Keys of the platform's chart that are global.* from 1.0 on.
REMOVED = {
    ("nats", "enabled"): "global.nats.install",
    ("etcd", "enabled"): "global.etcd.install",
    ("grove", "enabled"): "global.grove.install",
    ("kai-scheduler", "enabled"): "global.kai-scheduler.install",
}
# Repositories that are gone, and where their images are now.
GONE = {
    "gcr.io/kubebuilder/kube-rbac-proxy": "registry.k8s.io/kubebuilder/kube-rbac-proxy",
    "docker.io/bitnami/etcd": "use bitnamilegacy/etcd, with etcd.global.security.allowInsecureImages: true",
    "docker.io/bitnami/nats": "bitnamilegacy/nats",
    "docker.io/bitnami/os-shell": "bitnamilegacy/os-shell",
}


def scopes(model: StackModel) -> t.Iterator[Finding]:
    """Graphs in namespaces that no operator looks at."""
    own = operators(model.planned)
    told = mapping(model.facts.told.get("dynamo"))
    places = [one.scope for one in own] or ([str(told["scope"])] if told.get("scope") else [])
    for one in model.graphs:
        if places and "" not in places and one.graph.namespace not in places:
            text = f"{one.item.title}: the operator watches only the namespace {places[0]}"
            sides = [Side(one.item, ("metadata", "namespace"))]
            sides += [made(own[0].item, ("metadata", "namespace"))] if own else []
            yield finding(text, sides, ("scope", one.item.title))


def second(model: StackModel) -> t.Iterator[Finding]:
    """Two operators that look at the same namespaces."""
    own = operators(model.planned)
    for index, one in enumerate(own):
        for other in own[:index]:
            if "" in (one.scope, other.scope) or one.scope == other.scope:
                where = one.scope or other.scope or "all namespaces"
                text = f"{one.item.title} and {other.item.title} both watch {where}"
                yield finding(text, (Side(one.item), Side(other.item)), ("operators", one.item.title))


def gone(model: StackModel) -> t.Iterator[Finding]:
    """Images of repositories that are no more."""
    for item in model.planned:
        for path, spec in pod_specs(item):
            for kind in ("initContainers", "containers"):
                for index, container in enumerate(dicts(spec.get(kind))):
                    name = repository(container.get("image"))
                    if name in GONE:
                        side = _image_side(item, (*path, kind, index, "image"), name)
                        text = f"the image {container['image']} of {item.name} is in a repository that no longer exists"
                        yield finding(text, (side,), ("gone", item.title, name), GONE[name])


def _image_side(item: Item, path: Path, name: str) -> Side:
    """Return the place of an image with the key of the values that has its repository, whole or without its host."""
    texts = (name, name.removeprefix("docker.io/"), name.partition("/")[2])
    for layer in reversed(item.layers):
        for key, value in leaves(layer.values):
            if value in texts:
                return Side(item, path, "values", key)
    return made(item, path)


def repository(image: t.Any) -> str:
    try:
        found = parse_image(str(image or ""))
    except ValueError:
        return ""
    return f"{found.host}/{found.path}"


def _of_chart(model: StackModel, chart: str) -> Item | None:
    return next((item for item in model.planned if item.chart == chart and item.release), None)


def charts(model: StackModel) -> t.Iterator[Finding]:
    """The chart of the definitions beside a platform that has them itself, or that is of another line."""
    crds, platform = _of_chart(model, CRDS), _of_chart(model, PLATFORM)
    if crds is None or platform is None:
        return
    one, other = version(crds.chart_version) or (), version(platform.chart_version) or ()
    if other >= ONE_CHART:
        text = (
            f"{CRDS} {crds.chart_version} is deployed beside {PLATFORM} {platform.chart_version}, which already "
            "contains the CRDs"
        )
        remedy = "remove the CRDs' chart (dynamo_platform_crds_chart) from 1.0 on"
        yield finding(text, (Side(crds), Side(platform)), ("crds",), remedy)
    elif one[:2] != other[:2]:
        text = f"{CRDS} is of {crds.chart_version}, {PLATFORM} of {platform.chart_version}"
        yield finding(text, (Side(crds), Side(platform)), ("crds",), "use one version for both charts")


def removed(model: StackModel) -> t.Iterator[Finding]:
    """Values that the chart from 1.0 on refuses."""
    item = _of_chart(model, PLATFORM)
    if item is None or (version(item.chart_version) or ()) < ONE_CHART:
        return
    for path, right in REMOVED.items():
        if any(dig(layer.values, path) is not None for layer in item.layers):
            text = f"{show_path(path)} is no longer a value of {PLATFORM} {item.chart_version}"
            yield finding(text, (Side(item, (), "values", path),), ("removed", path), f"use {right} instead")


_rule = rule_factory("LLMD8")
_CHART = "ai-dynamo/dynamo, deploy/helm/charts/platform"

RULES = (
    _rule(
        79,
        "The operator watches the graphs' namespace",
        scopes,
        "Graphs are in a namespace that the operator watches: 0.5.0 is restricted to that of its release by default.",
        "Nothing happens to the graph: no status, no pods, no event, no line in the log.",
        "put graphs into the operator's namespace, or set dynamo-operator.namespaceRestriction.enabled: false",
        "ai-dynamo/dynamo, pull request 3104, issue 3199",
    ),
    _rule(
        80,
        "Namespaces have one operator",
        second,
        "No two operators watch the same namespace.",
        "Both reconcile each graph, and undo each other's work.",
        "use one operator for all namespaces",
        "ai-dynamo/dynamo, issue 4573",
    ),
    _rule(
        81,
        "Images still exist",
        gone,
        "No image is in a repository that its publisher has emptied.",
        "ImagePullBackOff.",
        "use the repository's successor",
        "NVIDIA/aicr, pull request 318; ai-dynamo/dynamo, issues 2806 and 4322",
    ),
    _rule(
        82,
        "CRDs and platform match",
        charts,
        "dynamo-crds is of the platform's version; from 1.0 on there is no such chart, because the platform contains "
        "the CRDs.",
        "The chart is not found, or two releases own the same CRDs; fields of graphs are dropped.",
        "use one version for both charts, and no CRDs' chart from 1.0 on",
        "ai-dynamo/dynamo, pull request 6466",
    ),
    _rule(
        83,
        "Values of the platform are those of its version",
        removed,
        "From 1.0 on what comes with the platform is turned on below global: global.nats.install, global.etcd.install.",
        "The chart does not render: it rejects the older keys.",
        "use the key below global",
        f"{_CHART} 1.0.1, templates/validate-values.yaml",
    ),
)
