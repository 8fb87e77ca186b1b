# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the gateway's provider: the same everywhere, present in the cluster, and able to route to the pools."""

from __future__ import annotations

import typing as t

from ..base.data import dicts, mapping
from ..base.findings import Finding
from ..model.items import InferencePool, Item
from ..model.model import StackModel
from ..programs.compatibility import GatewayController
from .base import Side, finding, listed, rule_factory
from .routes_to_gateways import gateway_provider, rules_of
from .routes_to_pools import pool_of

# What the pool charts render for a provider: kind and the provider.name that asks for it.
RENDERED = {"DestinationRule": "istio", "HealthCheckPolicy": "gke", "GCPBackendPolicy": "gke"}
# Groups of what a provider's part of a chart renders.
_GROUPS = ("networking.istio.io", "networking.gke.io", "monitoring.googleapis.com")


def class_side(gateway: Item) -> Side:
    """Return the place of a Gateway's class."""
    return Side(gateway, ("spec", "gatewayClassName"), "class")


def served(model: StackModel) -> t.Iterator[tuple[InferencePool, Item, GatewayController | None]]:
    """Yield each planned pool with the Gateway that its requests come from, and that Gateway's provider."""
    pools = [pool for pool in model.pools if not pool.item.live]
    gateways = model.items("Gateway")
    planned = [gateway for gateway in gateways if not gateway.live]
    for pool in pools:
        reached = [g for g in gateways if any(_leads(route, pool, model) for route in model.routes_to(g))]
        for gateway in reached or planned[:1]:
            yield pool, gateway, gateway_provider(gateway, model)


def _leads(route: Item, pool: InferencePool, model: StackModel) -> bool:
    refs = [ref for _index, rule in rules_of(route) for ref in dicts(rule.get("backendRefs"))]
    return any(pool_of(ref, route, model) is pool for ref in refs)


def class_exists(model: StackModel) -> t.Iterator[Finding]:
    for gateway in model.items("Gateway", planned_only=True):
        name = str(gateway.spec.get("gatewayClassName") or "")
        if model.exists("GatewayClass", name) is False:
            known = listed((item.name for item in model.items("GatewayClass")), "none")
            text = f"Gateway {gateway.name} is of class {name!r}, but the cluster has {known}"
            yield finding(text, (class_side(gateway),), ("class", name))


def pool_provider(model: StackModel) -> t.Iterator[Finding]:
    """The pool chart's provider.name fits the Gateway's class."""
    for pool, gateway, provider in served(model):
        if provider is None or not pool.item.release:
            continue
        mine = [i for i in model.planned if i.release == pool.item.release and i.namespace == pool.item.namespace]
        made = {RENDERED[item.kind]: item for item in mine if item.kind in RENDERED}
        given = next(iter(made), "istio" if _ruled(pool, model) else "none")
        if given != provider.pool_provider:
            class_name = gateway.spec.get("gatewayClassName")
            text = (
                f"pool {pool.item.name} is made for provider {given}, Gateway {gateway.name} of class {class_name} "
                f"needs {provider.pool_provider}"
            )
            side = Side(made.get(given, pool.item), (), "provider")
            remedy = _provider_remedy(pool, provider.pool_provider)
            kinds = tuple(("kind", item.group, item.kind) for item in mine if item.group in _GROUPS)
            yield finding(text, (side, class_side(gateway)), ("provider", gateway.title), remedy, kinds)


def _provider_remedy(pool: InferencePool, wanted: str) -> str:
    # inferencepool v1.0.0 has no template for Istio; v1.0.1 does.
    if wanted == "istio" and pool.item.chart_version.lstrip("v") == "1.0.0":
        host = f"{pool.epp}.{pool.item.namespace}.svc.cluster.local"
        return (
            f"use inferencepool v1.0.1 or later, which creates the DestinationRule, or create one for {host} yourself"
        )
    return f"set provider.name: {wanted} in the pool's values, or another gatewayClassName"


def _hosts(pool: InferencePool) -> list[str]:
    """Return the names under which a pool's picker is known in its cluster, without the cluster's domain."""
    return [pool.epp, f"{pool.epp}.{pool.item.namespace}", f"{pool.epp}.{pool.item.namespace}.svc"]


def _is_picker(rule: Item, pool: InferencePool) -> bool:
    host = str(rule.spec.get("host") or "")
    near = rule.namespace == pool.item.namespace
    return host.startswith(_hosts(pool)[2] + ".") or host in _hosts(pool)[1:] or (near and host == pool.epp)


def _ruled(pool: InferencePool, model: StackModel) -> bool:
    """Return whether a DestinationRule of another origin is about a pool's picker."""
    return any(_is_picker(rule, pool) for rule in model.items("DestinationRule"))


def destination(model: StackModel) -> t.Iterator[Finding]:
    """The DestinationRule of a pool's release is about the picker's Service."""
    for pool in (pool for pool in model.pools if not pool.item.live and pool.epp):
        for rule in model.items("DestinationRule", planned_only=True):
            host = str(rule.spec.get("host") or "")
            near = rule.release == pool.item.release and rule.namespace == pool.item.namespace
            if near and not _is_picker(rule, pool):
                text = (
                    f"the DestinationRule is for {host}, but the picker of pool {pool.item.name} is {_hosts(pool)[2]}"
                )
                sides = (Side(rule, ("spec", "host"), "destination_host"), Side(pool.item, (*pool.epp_path, "name")))
                yield finding(text, sides, ("epp", pool.item.title))


def parameters(model: StackModel) -> t.Iterator[Finding]:
    """The parameters that a Gateway refers to exist."""
    for gateway in model.items("Gateway", planned_only=True):
        ref = mapping(mapping(gateway.spec.get("infrastructure")).get("parametersRef"))
        kind, name = str(ref.get("kind") or ""), str(ref.get("name") or "")
        if kind and model.exists(kind, name, gateway.namespace) is False:
            text = f"Gateway {gateway.name} takes its parameters from {kind} {name}, which does not exist"
            side = Side(gateway, ("spec", "infrastructure", "parametersRef"), "parameters")
            yield finding(text, (side,), ("parameters", gateway.title))


_rule = rule_factory("LLMD4")

RULES = (
    _rule(
        1,
        "The Gateway's class exists",
        class_exists,
        "The GatewayClass that the Gateway names is in the cluster.",
        "No controller handles the Gateway: no address, no status, every request times out.",
        "install the provider first, or set gateway_provider or gateway_class_name to one that the cluster has",
        "Gateway API v1, Gateway spec.gatewayClassName; F7",
    ),
    _rule(
        2,
        "One provider for Gateway and pools",
        pool_provider,
        "The pool's provider.name is what the Gateway's class needs: istio makes the picker's DestinationRule, "
        "gke its policies, none neither.",
        "Istio without the DestinationRule cannot talk TLS to the picker: requests get 500 with all conditions green.",
        "set provider.name in the pool's values to the Gateway's provider",
        "inferencepool v1.3.0, provider.name; F10; istio/istio#57855",
    ),
    _rule(
        3,
        "The DestinationRule is about the picker",
        destination,
        "The host of a pool's DestinationRule is its endpoint picker's Service.",
        "The rule has no effect: the gateway cannot talk TLS to the picker, requests get 500.",
        "leave provider.istio.destinationRule.host empty: the chart sets it",
        "inferencepool v1.3.0, provider.istio.destinationRule.host; F10",
    ),
    _rule(
        8,
        "The Gateway's parameters exist",
        parameters,
        "The object that spec.infrastructure.parametersRef names is in the plan or the cluster.",
        "Accepted=False/InvalidParameters: the Gateway is never programmed.",
        "keep gatewayParameters enabled, or remove the reference",
        "Gateway API v1, Gateway spec.infrastructure.parametersRef; F7",
    ),
)
