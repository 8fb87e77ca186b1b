# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Facts about known charts' values that neither values.yaml nor templates state, laid over inferred schemas.

A fact holds only where the chart at hand has the key, so that other versions of a chart are not judged by it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..templates.origins import ITEM, Path

GAIE = "kubernetes-sigs/gateway-api-inference-extension v1.3.0, config/charts/inferencepool"
MODELSERVICE = "llm-d-incubation/llm-d-modelservice v0.4.5, templates/_helpers.tpl"


ROUTER = "llm-d/llm-d-router v0.10.0, config/charts"


POOL = ("inferencepool",)


MODELS = ("llm-d-modelservice",)


ROUTERS = ("llm-d-router-gateway", "llm-d-router-standalone")


ROLES = ("decode", "prefill")


PULL_POLICIES = ["Always", "IfNotPresent", "Never"]


# A whole number, or its digits as text; templates print either alike.
WHOLE = {"type": ["integer", "string", "null"], "pattern": r"^[0-9]+$|\{\{"}


@dataclasses.dataclass(frozen=True)
class Overlay:
    """One fact about charts.

    path: keys from the top of the chart's values, "*" for any entry; kind: enum (value: the choices), schema (value:
    keywords), required (the key must hold something), open (any key may stand below), or forbidden (the key must be
    absent; value: why).
    """

    charts: tuple[str, ...]
    path: Path
    kind: str
    value: t.Any
    source: str


OVERLAYS = (
    Overlay(POOL, ("inferencePool", "modelServers", "matchLabels"), "required", None, f"{GAIE}/templates"),
    Overlay(
        POOL,
        ("inferencePool", "apiVersion"),
        "enum",
        ["inference.networking.k8s.io/v1", "inference.networking.x-k8s.io/v1alpha2"],
        f"{GAIE}/templates/inferencepool.yaml",
    ),
    Overlay(
        POOL,
        ("inferencePool", "modelServerType"),
        "enum",
        ["vllm", "sglang", "triton-tensorrt-llm", "trtllm-serve", "triton"],
        f"{GAIE}/values.yaml; {ROUTER}/routerlib/values.yaml",
    ),
    Overlay(POOL, ("inferencePool", "targetPortNumber"), "schema", WHOLE, f"{GAIE}/templates/inferencepool.yaml"),
    Overlay(
        POOL, ("inferencePool", "targetPorts", ITEM, "number"), "schema", WHOLE, f"{GAIE}/templates/inferencepool.yaml"
    ),
    Overlay(POOL, ("inferenceExtension", "replicas"), "schema", WHOLE, f"{GAIE}/templates/epp-deployment.yaml"),
    Overlay(POOL, ("inferenceExtension", "extProcPort"), "schema", WHOLE, f"{GAIE}/templates/epp-service.yaml"),
    Overlay(POOL, ("inferenceExtension", "metricsPort"), "schema", WHOLE, f"{GAIE}/templates/epp-service.yaml"),
    Overlay(POOL, ("inferenceExtension", "image", "pullPolicy"), "enum", PULL_POLICIES, f"{GAIE}/values.yaml"),
    Overlay(
        POOL,
        ("inferenceExtension", "failureMode"),
        "enum",
        ["FailOpen", "FailClose"],
        f"{GAIE}/templates/inferencepool.yaml",
    ),
    Overlay((*POOL, *ROUTERS), ("provider", "name"), "enum", ["gke", "istio", "none"], f"{GAIE}/values.yaml"),
    *(Overlay(MODELS, (role, "containers", ITEM, "image"), "required", None, MODELSERVICE) for role in ROLES),
    Overlay(ROUTERS, ("router", "epp", "image", "pullPolicy"), "enum", PULL_POLICIES, f"{ROUTER}/routerlib"),
    Overlay(
        ROUTERS,
        ("router", "inferencePool", "failureMode"),
        "enum",
        ["FailOpen", "FailClose"],
        f"{ROUTER}/routerlib/values.yaml",
    ),
    Overlay(ROUTERS, ("router", "modelServers", "protocol"), "enum", ["http", "grpc"], f"{ROUTER}/routerlib"),
    Overlay(ROUTERS, ("router", "modelServers", "targetPorts", ITEM, "number"), "schema", WHOLE, f"{ROUTER}/routerlib"),
    *(
        Overlay(MODELS, (role, "containers", ITEM, key), "enum", choices, MODELSERVICE)
        for role in ROLES
        for key, choices in (
            ("modelCommand", ["vllmServe", "imageDefault", "custom"]),
            ("imagePullPolicy", ["", *PULL_POLICIES]),
        )
    ),
    *(
        Overlay(ROUTERS, (old,), "forbidden", f"the chart refuses it: use {new}", f"{ROUTER}/routerlib/templates")
        for old, new in (
            ("inferenceExtension", "router.epp"),
            ("inferencePool", "router.modelServers and router.inferencePool"),
            ("experimentalHttpRoute", "httpRoute"),
            ("inferenceObjectives", "router.inferenceObjectives"),
        )
    ),
)


def apply_overlays(schema: dict[str, t.Any], chart: str, prefix: Path = ()) -> None:
    """Lay the facts about a chart over the schema of its values, which stand at a prefix."""
    for overlay in OVERLAYS:
        if chart in overlay.charts:
            _apply(schema, (*prefix, *overlay.path), overlay)


def _apply(schema: dict[str, t.Any], path: Path, overlay: Overlay) -> None:
    parent = _below(schema, path[:-1])
    node = _below(parent, path[-1:])
    if parent is None or node is None:
        return
    if overlay.kind == "forbidden":
        if parent.get("additionalProperties") is False:
            del parent["properties"][path[-1]]
        parent.setdefault("x-forbidden", {})[path[-1]] = {"message": overlay.value, "source": overlay.source}
        return
    if overlay.kind == "required":
        _require(schema, path)
        node["minProperties"] = 1
    elif overlay.kind == "enum":
        node.pop("type", None)
        node["enum"] = [*overlay.value, None]
    elif overlay.kind == "open":
        for keyword in ("type", "properties", "additionalProperties", "items"):
            node.pop(keyword, None)
    else:
        node.update(overlay.value)
    node["x-source"] = overlay.source


def _require(schema: dict[str, t.Any], path: Path) -> None:
    if ITEM in path:
        # What each entry of a list needs says nothing about the list.
        entry = _below(schema, path[:-1]) or {}
        entry["required"] = sorted({*entry.get("required", []), path[-1]})
        return
    node: dict[str, t.Any] | None = schema
    for name in path:
        if node is None or name == ITEM:
            return
        node["required"] = sorted({*node.get("required", []), name})
        node = _below(node, (name,))
        if node is not None and isinstance(node.get("type"), list):
            node["type"] = [kind for kind in node["type"] if kind != "null"]


def _below(schema: dict[str, t.Any] | None, path: Path) -> dict[str, t.Any] | None:
    for name in path:
        if schema is None:
            return None
        inner = schema.get("items") if name == ITEM else (schema.get("properties") or {}).get(name)
        schema = inner if isinstance(inner, dict) else None
    return schema


@dataclasses.dataclass(frozen=True)
class Fact:
    """One fact about one chart.

    kind: forbidden (the path must be absent), required (it must be a map or list that is not empty), or image (it
    holds name and tag of an image, and the tag must be a real one); path: keys from the top; rule: its id.
    """

    chart: str
    kind: str
    path: tuple[str, ...]
    rule: str
    message: str
    hint: str
    source: str


FACTS = (
    Fact(
        "inferencepool",
        "required",
        ("inferencePool", "modelServers", "matchLabels"),
        "pool-selector",
        "the pool's selector is missing, and the chart does not render without it",
        'give the labels that the model\'s pods carry, such as llm-d.ai/inference-serving: "true"',
        f"{GAIE}/templates/_validations.tpl",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("inferenceExtension", "resources"),
        "chart-ignores-key",
        "the chart never reads this key",
        "remove it: the chart sets no resources on the endpoint picker's container",
        f"{GAIE}/templates/epp-deployment.yaml",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("inferenceExtension", "service"),
        "chart-ignores-key",
        "the chart never reads this key",
        "remove it, and add ports by inferenceExtension.extraServicePorts",
        f"{GAIE}/templates/epp-service.yaml",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("routing",),
        "chart-ignores-key",
        "the chart never reads this key",
        "move it to the values of the chart llm-d-modelservice",
        f"{GAIE}/values.yaml",
    ),
    Fact(
        "inferencepool",
        "forbidden",
        ("gateway",),
        "chart-ignores-key",
        "the chart never reads this key",
        "move it to the values of the chart llm-d-infra",
        f"{GAIE}/values.yaml",
    ),
    Fact(
        "inferencepool",
        "image",
        ("inferenceExtension", "image"),
        "image-tag",
        "the endpoint picker's image has no fixed tag",
        "write the tag of one release in quotes, such as v0.6.0 of llm-d-inference-scheduler",
        f"{GAIE}/templates/epp-deployment.yaml joins hub, name and tag",
    ),
)


# Top-level keys that belong to one chart; one shared file for several charts is a frequent mistake.
KEY_OWNERS = {
    "gateway": "llm-d-infra",
    "ingress": "llm-d-infra",
    "inferenceExtension": "inferencepool",
    "inferencePool": "inferencepool",
    "provider": "inferencepool",
    "experimentalHttpRoute": "inferencepool",
    "accelerator": "llm-d-modelservice",
    "decode": "llm-d-modelservice",
    "modelArtifacts": "llm-d-modelservice",
    "multinode": "llm-d-modelservice",
    "prefill": "llm-d-modelservice",
    "routing": "llm-d-modelservice",
}


def facts_for(chart: str) -> list[Fact]:
    """Return what is known about a chart by name."""
    return [fact for fact in FACTS if fact.chart == chart]


def owner(key: str, chart: str) -> str | None:
    """Return the chart that a top-level key belongs to, None where it is unknown or this chart's own."""
    found = KEY_OWNERS.get(key)
    return found if found != chart else None
