# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Facts about known charts' values that neither values.yaml nor templates state, laid over inferred schemas.

A fact holds only where the chart at hand has the key, so that other versions of a chart are not judged by it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.apis import POOL_APIS
from ..templates.origins import ITEM, Path

GAIE = "kubernetes-sigs/gateway-api-inference-extension v1.3.0, config/charts/inferencepool"
MODELSERVICE = "llm-d-incubation/llm-d-modelservice v0.4.5, templates/_helpers.tpl"
ROUTER = "llm-d/llm-d-router v0.10.0, config/charts"
POOL = ("inferencepool",)
MODELS = ("llm-d-modelservice",)
ROUTERS = ("llm-d-router-gateway", "llm-d-router-standalone")
ROLES = ("decode", "prefill")
PULL_POLICIES = ["Always", "IfNotPresent", "Never"]
FAILURE_MODES = ["FailOpen", "FailClose"]
SERVER_TYPES = ["vllm", "sglang", "triton-tensorrt-llm", "trtllm-serve", "triton"]
# A whole number, or its digits as text; templates print either alike.
WHOLE = {"type": ["integer", "string", "null"], "pattern": r"^[0-9]+$|\{\{"}
# Keys of the router charts that are another chart's, and what stands for them.
RENAMED = {
    "inferenceExtension": "router.epp",
    "inferencePool": "router.modelServers and router.inferencePool",
    "experimentalHttpRoute": "httpRoute",
    "inferenceObjectives": "router.inferenceObjectives",
}


@dataclasses.dataclass(frozen=True)
class Overlay:
    """One fact about charts.

    path: keys from the top of the chart's values, "*" for any entry; kind: enum (value: the choices), schema (value:
    keywords), required (the key must hold something), or forbidden (the key must be absent; value: why).
    """

    charts: tuple[str, ...]
    path: Path
    kind: str
    value: t.Any
    source: str


OVERLAYS = tuple(
    Overlay(charts, tuple(path.split(".")), kind, value, source)
    for charts, path, kind, value, source in (
        (POOL, "inferencePool.modelServers.matchLabels", "required", None, f"{GAIE}/templates"),
        (POOL, "inferencePool.apiVersion", "enum", list(POOL_APIS), f"{GAIE}/templates/inferencepool.yaml"),
        (
            POOL,
            "inferencePool.modelServerType",
            "enum",
            SERVER_TYPES,
            f"{GAIE}/values.yaml; {ROUTER}/routerlib/values.yaml",
        ),
        (POOL, "inferencePool.targetPortNumber", "schema", WHOLE, f"{GAIE}/templates/inferencepool.yaml"),
        (POOL, "inferencePool.targetPorts.*.number", "schema", WHOLE, f"{GAIE}/templates/inferencepool.yaml"),
        (POOL, "inferenceExtension.replicas", "schema", WHOLE, f"{GAIE}/templates/epp-deployment.yaml"),
        (POOL, "inferenceExtension.extProcPort", "schema", WHOLE, f"{GAIE}/templates/epp-service.yaml"),
        (POOL, "inferenceExtension.metricsPort", "schema", WHOLE, f"{GAIE}/templates/epp-service.yaml"),
        (POOL, "inferenceExtension.image.pullPolicy", "enum", PULL_POLICIES, f"{GAIE}/values.yaml"),
        (POOL, "inferenceExtension.failureMode", "enum", FAILURE_MODES, f"{GAIE}/templates/inferencepool.yaml"),
        ((*POOL, *ROUTERS), "provider.name", "enum", ["gke", "istio", "none"], f"{GAIE}/values.yaml"),
        *((MODELS, f"{role}.containers.*.image", "required", None, MODELSERVICE) for role in ROLES),
        (ROUTERS, "router.epp.image.pullPolicy", "enum", PULL_POLICIES, f"{ROUTER}/routerlib"),
        (ROUTERS, "router.inferencePool.failureMode", "enum", FAILURE_MODES, f"{ROUTER}/routerlib/values.yaml"),
        (ROUTERS, "router.modelServers.protocol", "enum", ["http", "grpc"], f"{ROUTER}/routerlib"),
        (ROUTERS, "router.modelServers.targetPorts.*.number", "schema", WHOLE, f"{ROUTER}/routerlib"),
        *(
            (MODELS, f"{role}.containers.*.{key}", "enum", choices, MODELSERVICE)
            for role in ROLES
            for key, choices in (
                ("modelCommand", ["vllmServe", "imageDefault", "custom"]),
                ("imagePullPolicy", ["", *PULL_POLICIES]),
            )
        ),
        *(
            (ROUTERS, old, "forbidden", f"the chart rejects it: use {new}", f"{ROUTER}/routerlib/templates")
            for old, new in RENAMED.items()
        ),
    )
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


def may_read(schema: dict[str, t.Any], path: Path) -> bool:
    """Return whether a chart reads what stands at a path, by the schema of its files; True where that is not known."""
    return "x-open" in schema or _below(schema, path) is not None


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
        "the pool's selector is missing, and the chart requires it",
        'set the labels that the model\'s pods have, such as llm-d.ai/inference-serving: "true"',
        f"{GAIE}/templates/_validations.tpl",
    ),
    *(
        Fact(*POOL, "forbidden", path, "chart-ignores-key", "the chart never reads this key", hint, f"{GAIE}/{source}")
        for path, hint, source in (
            (
                ("inferenceExtension", "resources"),
                "remove it: before v1.4.0 the chart sets no resources on the endpoint picker's container",
                "templates/epp-deployment.yaml",
            ),
            (
                ("inferenceExtension", "service"),
                "remove it, and add ports by inferenceExtension.extraServicePorts",
                "templates/epp-service.yaml",
            ),
            (("routing",), "move it to the values of the chart llm-d-modelservice", "values.yaml"),
            (("gateway",), "move it to the values of the chart llm-d-infra", "values.yaml"),
        )
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
    **dict.fromkeys(("gateway", "ingress"), "llm-d-infra"),
    **dict.fromkeys(("inferenceExtension", "inferencePool", "provider", "experimentalHttpRoute"), "inferencepool"),
    **dict.fromkeys(
        ("accelerator", "decode", "modelArtifacts", "multinode", "prefill", "routing"), "llm-d-modelservice"
    ),
}


# Charts that are taken for those of a stack, and what they are.
OTHER_CHARTS = {
    "llm-d-router-standalone": "a picker with a proxy of its own, without InferencePool, Gateway and route",
    "standalone": "a picker with a proxy of its own, without InferencePool, Gateway and route",
    "body-based-routing": "an extension that reads the model's name from a request's body",
}


def facts_for(chart: str) -> list[Fact]:
    """Return what is known about a chart by name."""
    return [fact for fact in FACTS if fact.chart == chart]


def owner(key: str, chart: str) -> str | None:
    """Return the chart that a top-level key belongs to, None where it is unknown or this chart's own."""
    found = KEY_OWNERS.get(key)
    return found if found != chart else None
