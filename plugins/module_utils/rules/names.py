# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about names: releases, objects after the charts' own truncation, labels, and models that share a name."""

from __future__ import annotations

import re
import typing as t

from ..base.data import leaves, mapping
from ..base.findings import Finding, show_path
from ..base.names import LABEL_LIMIT, RELEASE_LIMIT, label_problem, name_problem
from ..kustomize.places import is_written
from ..model.items import Item
from ..model.model import StackModel
from ..values.layers import merge_all
from .base import Side, finding, listed, rule_factory

# Kinds whose name becomes a DNS label or a label's value: Services by their API, workloads by their pods' labels and
# host names, Gateways by the Services that controllers make of them.
LABEL_KINDS = ("Service", "Deployment", "StatefulSet", "LeaderWorkerSet", "Job", "Gateway", "InferencePool")
# A LeaderWorkerSet's worker is <set>-<group>-<worker>, which stands in a label; a StatefulSet's pod is <set>-<n>.
SUFFIXES = {"LeaderWorkerSet": len("-00-00"), "StatefulSet": len("-0000000000")}
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
# RBAC allows more than a DNS subdomain.
_FREE_NAMES = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
_MANAGED_BY = "meta.helm.sh/release-name"


def _releases(model: StackModel) -> dict[tuple[str, str], list[Item]]:
    found: dict[tuple[str, str], list[Item]] = {}
    for item in model.planned:
        if item.release:
            found.setdefault((item.release, item.namespace), []).append(item)
    return found


def unique_releases(model: StackModel) -> t.Iterator[Finding]:
    seen: dict[str, str] = {}
    for expected in model.expected:
        for what, name in (("release", expected.release), ("pool", expected.pool), ("name", expected.name)):
            key = f"{what} {name}"
            if name and key in seen:
                text = f"models {seen[key]} and {expected.name} have the same {key}"
                yield finding(text, tuple(map(Side, _named(model, name))), ("name", name))
            seen.setdefault(key, expected.name)
    charts: dict[tuple[str, str], set[str]] = {}
    for item in model.planned:
        if item.release and item.namespace:
            charts.setdefault((item.release, item.namespace), set()).add(item.component)
    for (release, namespace), components in charts.items():
        if len(components) > 1:
            text = f"components {listed(components)} use one release name, {namespace}/{release}"
            yield finding(text, (), ("name", release))


def _named(model: StackModel, release: str) -> list[Item]:
    kinds = ("InferencePool", "Deployment", "LeaderWorkerSet")
    return [item for item in model.planned if item.release == release and item.kind in kinds][:4]


def unique_objects(model: StackModel) -> t.Iterator[Finding]:
    first: dict[tuple[str, str, str, str], Item] = {}
    for item in model.planned:
        key = (item.group, item.kind, item.namespace, item.name)
        other = first.setdefault(key, item)
        if other is not item:
            makers = listed((other.release or other.component, item.release or item.component))
            text = f"{item.title} is created twice, by {makers}"
            same = other.release == item.release
            both: tuple[str, ...] = ("name", item.release) if same else ("twice", other.release, item.release)
            key = _name_key(item, model)
            remedy = f"use a unique {show_path(key)} for each release" if key and not same else ""
            sides = [Side(one, (), *(("values", key) if key else ("fullname",))) for one in (other, item)]
            yield finding(text, sides, both, remedy)


def _name_key(item: Item, model: StackModel) -> tuple[t.Any, ...]:
    """Return the key by which the values of a release give an object its whole name, () where they do not."""
    own = model.facts.chart_values.get(item.component) or {}
    values = merge_all([own, *(layer.values for layer in item.layers)])
    return next((path for path, value in leaves(values) if value == item.name), ())


def foreign_objects(model: StackModel) -> t.Iterator[Finding]:
    """An object of the plan that another Helm release owns already."""
    for body_kind, bodies in model.facts.objects.items():
        for body in bodies:
            metadata = mapping(body.get("metadata"))
            owner = mapping(metadata.get("annotations")).get(_MANAGED_BY)
            item = model.find(body_kind, str(metadata.get("name")), str(metadata.get("namespace") or ""))
            if item and not item.live and item.release and owner and owner != item.release:
                text = (
                    f"{item.title} already belongs to the Helm release {owner}, but release {item.release} contains it"
                )
                yield finding(text, (Side(item),), ("owner", owner, item.release))


def release_names(model: StackModel) -> t.Iterator[Finding]:
    for (release, _namespace), items in _releases(model).items():
        wrong = name_problem(release, RELEASE_LIMIT)
        if wrong:
            yield finding(f"the release name {wrong}", (Side(items[0]),), ("long", release))


def object_names(model: StackModel) -> t.Iterator[Finding]:
    for item in model.planned:
        limit = LABEL_LIMIT - SUFFIXES.get(item.kind, 0)
        wrong = name_problem(item.name, limit) if item.kind in LABEL_KINDS else None
        if wrong is None and item.kind not in (*LABEL_KINDS, *_FREE_NAMES) and not _SUBDOMAIN.match(item.name):
            wrong = f"{item.name!r} must be lower-case letters, digits, hyphens and dots"
        if wrong:
            yield finding(
                f"the name of {item.title} is refused: {wrong}",
                (Side(item, ("metadata", "name") if is_written(item.layers) else ()),),
                ("long", item.release or item.name),
            )


def label_values(model: StackModel) -> t.Iterator[Finding]:
    for item in model.planned:
        for path, labels, fact in _labels(item, model):
            for key, value in labels.items():
                wrong = label_problem(value)
                if wrong:
                    side = Side(item, (*path, str(key)), fact, (str(key),))
                    yield finding(f"label {key}: {wrong}", (side,), ("label", item.release, str(key)))


def _labels(item: Item, model: StackModel) -> t.Iterator[tuple[tuple[str, ...], dict, str]]:
    for pool in model.pools:
        if pool.item is item:
            yield pool.selector_path, pool.selector, "selector"
    for workload in model.workloads:
        if workload.item is item:
            yield (*workload.path, "metadata", "labels"), workload.labels, "labels"
    yield ("metadata", "labels"), item.labels, ""


def truncated(model: StackModel) -> t.Iterator[Finding]:
    """Pickers of two releases that have one name since the chart cuts it at 40 characters."""
    pools = [pool for pool in model.pools if not pool.item.live and pool.epp]
    for index, pool in enumerate(pools):
        for other in pools[index + 1 :]:
            key = (pool.epp, pool.item.namespace)
            if key == (other.epp, other.item.namespace) and pool.item.name != other.item.name:
                text = f"pools {pool.item.name} and {other.item.name} share the endpoint picker {pool.epp}"
                sides = (Side(pool.item, pool.epp_path), Side(other.item, other.epp_path))
                yield finding(text, sides, ("twice", pool.item.release, other.item.release))


_rule = rule_factory("LLMD3")

RULES = (
    _rule(
        1,
        "Releases and models have unique names",
        unique_releases,
        "No two models share a name, a release or a pool, and no two components share a release name.",
        "The second release replaces the first one's objects: one model disappears without an error.",
        "give one of them another name, or release_name",
        "Helm: a release name is unique in its namespace; llm-d/llm-d#545",
    ),
    _rule(
        2,
        "Two pools have two endpoint pickers",
        truncated,
        "The endpoint pickers' names differ after the chart has cut the release's name at 40 characters.",
        "One picker serves both pools and knows the pods of one only; requests for the other model fail.",
        "make the first 40 characters of the release names differ",
        "inferencepool v1.3.0, templates/_helpers.tpl",
    ),
    _rule(
        3,
        "No object is created twice",
        unique_objects,
        "After the charts' truncation no two releases render an object of the same kind, name and namespace.",
        "helm install fails (invalid ownership metadata), or one release overwrites the other's object.",
        "use names that differ in the characters that remain",
        "Helm: one release owns an object; production-stack#900",
    ),
    _rule(
        4,
        "Objects belong to no other release",
        foreign_objects,
        "An object that the plan makes does not exist already as part of another Helm release.",
        "helm install fails: invalid ownership metadata; what was installed before it remains.",
        "choose another name, or uninstall that release first",
        "Helm, annotation meta.helm.sh/release-name",
    ),
    _rule(
        5,
        "Release names are valid",
        release_names,
        f"A release's name is a DNS label of at most {RELEASE_LIMIT} characters.",
        "helm install refuses it.",
        "use a shorter or simpler name, or set release_name",
        "Helm, pkg/chartutil/validate_name.go",
    ),
    _rule(
        6,
        "Object names are valid",
        object_names,
        f"Names that become host names or labels (with the suffixes of pods) have at most {LABEL_LIMIT} characters.",
        "The API server refuses the object, or its pods are never created.",
        "use a shorter or simpler name, or set fullnameOverride",
        "Kubernetes, RFC 1123 labels; llm-d-deployer#11",
    ),
    _rule(
        7,
        "Label values are valid",
        label_values,
        f"A label's value is text of at most {LABEL_LIMIT} letters, digits, '-', '_' and '.'.",
        "The API server refuses the object.",
        "use a value without slashes and spaces, for example Qwen3-32B instead of Qwen/Qwen3-32B",
        "Kubernetes, labels and selectors",
    ),
)
