# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A resolved stack as plain data: releases, routes, models for verification."""

from __future__ import annotations

import typing as t

from ..base.data import Values
from ..base.names import epp_name
from ..components.base import Stack
from ..components.gaie import Pool, pool_ports, pool_selector
from ..components.modelservice import Model
from ..components.monitoring import monitoring_objects
from ..objects.routes import RouteRule
from ..values.layers import merge_all, remainder
from .checks import GATEWAY_API, LWS_API, POOL_API


def as_result(stack: Stack, routes: list[dict], rules: list[RouteRule], facts: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the stack as the module stack_info returns it; facts are joined in."""
    namespace = stack.params["namespace"]
    return {
        "namespace": namespace,
        "gateway": _gateway(stack),
        "releases": _releases(stack),
        "inputs": _inputs(stack),
        "pools": [_pool(pool, stack) for pool in stack.pools],
        "models": [_model(model, stack, rules) for model in stack.models],
        "routes": routes,
        "route_mode": stack.params["httproute"]["mode"],
        "route_gateway": _route_gateway(stack),
        "objects": _objects(stack, routes),
        "token": stack.token,
        "monitoring": monitoring_objects(
            stack.params.get("monitoring") or {}, namespace, [pool.release for pool in stack.pools]
        ),
        "notes": list(dict.fromkeys(stack.notes)),
        **facts,
    }


def _gateway(stack: Stack) -> dict[str, t.Any]:
    gateway = stack.gateway
    return {
        "name": gateway.name,
        "namespace": gateway.namespace,
        "provider": gateway.provider,
        "class_name": gateway.class_name,
        "release": gateway.release,
        "adopted": gateway.release is None,
    }


def _route_gateway(stack: Stack) -> dict[str, str]:
    """Return the Gateway that routes go to, and its listener; an empty name leaves the choice to the deployment."""
    options, gateway = stack.params["httproute"], stack.gateway
    ours = "gateway" in stack.params["components"] or gateway.release is None
    return {
        "name": options.get("gateway_name") or (gateway.name if ours else ""),
        "namespace": options.get("gateway_namespace") or gateway.namespace,
        "section_name": options.get("section_name") or "",
    }


def _objects(stack: Stack, routes: list[dict]) -> dict[str, list[dict]]:
    """Return per component the objects whose readiness says that the component serves."""
    namespace, gateway = stack.params["namespace"], stack.gateway

    def item(api_version: str, kind: str, name: str, where: str = namespace) -> dict[str, t.Any]:
        return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": where}}

    pools = [item(POOL_API, "InferencePool", pool.release) for pool in stack.pools]
    pickers = [item("apps/v1", "Deployment", epp_name(pool.release)) for pool in stack.pools]
    return {
        "gateway": [item(GATEWAY_API, "Gateway", gateway.name, gateway.namespace)] if gateway.name else [],
        "gaie": pools + pickers,
        "modelservice": [
            item(LWS_API, "LeaderWorkerSet", name) if model.multinode else item("apps/v1", "Deployment", name)
            for model in stack.models
            for name in model.workloads.values()
        ],
        "httproute": [item(GATEWAY_API, "HTTPRoute", route["metadata"]["name"]) for route in routes],
    }


def _release(name: str, options: dict, values: Values) -> dict[str, t.Any]:
    chart = {"chart_ref": options["chart_ref"], "chart_version": options.get("chart_version") or None}
    return {"name": name, **chart, "values": values}


def _releases(stack: Stack) -> dict[str, list[dict]]:
    params, gateway = stack.params, stack.gateway
    return {
        "gateway": [_release(gateway.release, params["gateway"], gateway.values)] if gateway.release else [],
        "gaie": [_release(pool.release, params["gaie"], pool.values) for pool in stack.pools],
        "modelservice": [_release(model.release, params["modelservice"], model.values) for model in stack.models],
    }


def _inputs(stack: Stack) -> list[dict]:
    """Return per release its chart and values as the module chart_values takes them.

    values holds only what the files do not say, so that a mistake in a file is shown with its line.
    """
    layers = [stack.gateway.layers] if stack.gateway.release else []
    layers = [pool.layers for pool in stack.pools] + layers + [model.layers for model in stack.models]
    releases = _releases(stack)
    rows = []
    named = [(role, release) for role in ("gaie", "gateway", "modelservice") for release in releases[role]]
    for (role, release), sources in zip(named, layers, strict=True):
        files = [layer for layer in sources if layer.root is not None]
        rest = remainder(release["values"], merge_all(layer.values for layer in files))
        inline = [layer.where for layer in sources if layer.root is None]
        more: dict[str, t.Any] = {"variables": inline, "chart_variable": f"{role}_chart"}
        more |= {"values_files": [layer.where for layer in files], "values": rest}
        rows.append({**release, **more})
    return rows


def _pool(pool: Pool, stack: Stack) -> dict[str, t.Any]:
    return {
        "name": pool.release,
        "model": pool.model,
        "selector": pool_selector(pool.values, stack.pool_chart),
        "target_ports": pool_ports(pool.values, stack.pool_chart),
        "endpoint_picker": epp_name(pool.release),
    }


def _model(model: Model, stack: Stack, rules: list[RouteRule]) -> dict[str, t.Any]:
    pool = next((pool.release for pool in stack.pools if pool.model == model.name), None)
    rule = next((rule for rule in rules if rule.model == model.name), None)
    return {
        "name": model.name,
        "model": model.model,
        "release": model.release,
        "pool": pool,
        "labels": model.labels,
        "port": model.port,
        "roles": model.roles,
        "workloads": model.workloads,
        "workload_kind": "LeaderWorkerSet" if model.multinode else "Deployment",
        "path_prefix": rule.path_prefix if rule else "/",
        "hostnames": list(rule.hostnames) if rule else [],
    }
