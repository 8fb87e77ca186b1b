# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about versions that work together: the gateway, its switches and APIs, the picker's image (_compatibility)."""

from __future__ import annotations

import typing as t

from ..base.apis import ALPHA_POOL_GROUP
from ..base.data import dicts, mapping
from ..base.findings import WARNING, Finding
from ..components.pools.charts import built_against
from ..model.items import Item
from ..model.model import StackModel
from ..programs.compatibility import CHARTS, FIELDS, chart_row, gateway_row, picker_row
from ..programs.versions import version
from .base import Side, finding, listed, rule_factory
from .pickers import config_of
from .provider import class_side, served


def api(model: StackModel) -> t.Iterator[Finding]:
    """The gateway's version routes to pools of this API group."""
    for pool, gateway, provider in served(model):
        row = gateway_row(provider.name, model.facts.gateway_version) if provider else None
        if provider and row and pool.item.group not in row.groups:
            running = f"{provider.name} {model.facts.gateway_version or ''}".strip()
            knows = listed(row.groups, "no InferencePool at all")
            text = f"{running} supports {knows}, but pool {pool.item.name} is of {pool.item.group}"
            sides = (Side(pool.item, ("apiVersion",), "api"), class_side(gateway))
            remedy = row.remedy
            chart = chart_row(pool.item.chart, pool.item.chart_version)
            if chart and row.groups and not set(chart.groups) & set(row.groups):
                text += f"; chart {chart.chart} {pool.item.chart_version} creates no other ({chart.source})"
                fitting = [f"{one.since} or later" for one in CHARTS if one.chart == chart.chart and one.since]
                remedy = f"use a chart {chart.chart} of {fitting[0]}" if chart.groups == (ALPHA_POOL_GROUP,) else remedy
            yield finding(f"{text} ({row.source})", sides, ("api", gateway.title, pool.item.group), remedy)


def extension(model: StackModel) -> t.Iterator[Finding]:
    """The gateway controller's inference extension is on."""
    for pool, gateway, provider in served(model):
        if provider and provider.flag and model.facts.inference_extension is False:
            text = f"{provider.name}'s inference extension is off: it does not know InferencePool {pool.item.name}"
            remedy = f"turn on {provider.flag} and restart the controller"
            yield finding(text, (Side(pool.item), class_side(gateway)), ("extension", gateway.title), remedy)


def gateway_api(model: StackModel) -> t.Iterator[Finding]:
    """The installed release of the Gateway API has the fields that are used."""
    installed = version(model.facts.gateway_api_version)
    for field in FIELDS if installed else ():
        users = [item for item in model.items(field.kind, planned_only=True) if _has(item.spec, field.path)]
        if users and installed and installed < (version(field.since) or ()):
            path = ".".join(("spec", *field.path)).replace(".*", "[]")
            text = f"{path} of {field.kind} needs Gateway API {field.since}, the cluster has"
            sides = tuple(Side(item, ("spec", field.path[0])) for item in users)
            yield finding(f"{text} {model.facts.gateway_api_version} ({field.source})", sides, ("field", path))


def pool_api(model: StackModel) -> t.Iterator[Finding]:
    """The definition of InferencePool is of the release that the pools' chart was built against, or a later one."""
    installed = version(model.facts.pool_api_version)
    for chart, items in _pools_by_chart(model).items() if installed else ():
        wanted = built_against(chart, items[0].chart_version)
        if installed and wanted and installed < (version(wanted) or ()):
            text = f"chart {chart} was built against InferencePool of {wanted}, the cluster has"
            text += f" {model.facts.pool_api_version}"
            sides = tuple(Side(item, ("apiVersion",), "api") for item in items)
            yield finding(text, sides, ("pool-api", chart), f"install the CRDs of {wanted}")


def _pools_by_chart(model: StackModel) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for pool in model.pools:
        if not pool.item.live and pool.item.chart:
            found.setdefault(pool.item.chart, []).append(pool.item)
    return found


def _has(value: t.Any, path: tuple[str, ...]) -> bool:
    if not path:
        return bool(value)
    if path[0] == "*":
        return any(_has(item, path[1:]) for item in dicts(value))
    return _has(mapping(value).get(path[0]), path[1:])


def picker_image(model: StackModel) -> t.Iterator[Finding]:
    """The picker's image understands its configuration's and its pool's API."""
    for picker in (picker for picker in model.pickers if not picker.item.live):
        image = str(picker.container.get("image") or "")
        row, found = picker_row(image), config_of(picker, model)
        side = Side(picker.item, ("spec", "template", "spec", "containers", picker.index, "image"), "epp_image")
        if row and found and found[0].get("apiVersion") not in (None, *row.config):
            text = (
                f"image {image} reads a configuration of {listed(row.config)}, but the file is {found[0]['apiVersion']}"
            )
            yield finding(f"{text} ({row.source})", (side, found[1]), ("image", picker.item.title))
        group = picker.flag("pool-group") or row and row.groups[0]
        if row and group and "$" not in group and group not in row.groups:
            text = f"image {image} knows pools of {listed(row.groups)}, but must watch {group} ({row.source})"
            yield finding(text, (side,), ("image", picker.item.title))


_rule = rule_factory("LLMD4")

RULES = (
    _rule(
        4,
        "The gateway knows the pool's API",
        api,
        "The gateway's version routes to InferencePools of the API group that the pool is made in.",
        "ResolvedRefs=False/InvalidKind, requests get 500 or 404; the pool has no status.",
        "create the pool in the API group that the gateway knows",
        "compatibility table; F1; llm-d/llm-d#578",
    ),
    _rule(
        5,
        "The inference extension is on",
        extension,
        "The gateway controller runs with its inference extension switched on.",
        "ResolvedRefs=False/InvalidKind, or the pool never gets a parent; requests get 500.",
        "turn on ENABLE_GATEWAY_API_INFERENCE_EXTENSION and restart istiod",
        "Istio, pilot environment variables; F2",
    ),
    _rule(
        6,
        "The Gateway API has the fields that are used",
        gateway_api,
        "Fields that the standard channel has only since a later release of the Gateway API are not used.",
        "The API server drops the field without an error: timeouts or parameters have no effect.",
        "install a newer bundle of the Gateway API (standard channel)",
        "compatibility table",
        WARNING,
    ),
    _rule(
        9,
        "InferencePool is as new as its chart",
        pool_api,
        "The CRDs of the Gateway API Inference Extension are of the release that the pools' chart was built against.",
        "Fields of the pool are dropped without an error, or the picker waits for kinds that are not served.",
        "install the CRDs of that release",
        "gateway-api-inference-extension, config/crd; llm-d-router, go.mod",
        WARNING,
    ),
    _rule(
        7,
        "The picker's image fits its configuration",
        picker_image,
        "The endpoint picker's image reads the apiVersion of its configuration file and the pool's API group.",
        "The picker crashes at start (no kind is registered) or never finds its pool; requests get 500.",
        "use the image that the chart comes with, or the apiVersion that the image reads",
        "compatibility table; F1, F3",
    ),
)
