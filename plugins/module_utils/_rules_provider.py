# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Rules about the gateway's provider: the same everywhere, present in the cluster, and able to route to the pools."""

from __future__ import annotations

import typing as t

from ansible_collections.llm_d.orchestrator.plugins.module_utils._compatibility import (
    GATEWAY_APIS,
    Provider,
    gateway_row,
    picker_row,
    version,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._model_servers import dicts, mapping
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_backend import pool_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_base import (
    ERROR,
    WARNING,
    Hit,
    Rule,
    Side,
    listed,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_picker import config_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils._rules_route import gateway_provider, rules_of
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_items import Item, Pool
from ansible_collections.llm_d.orchestrator.plugins.module_utils._stack_model import StackModel

# What the pool charts render for a provider: kind and the provider.name that asks for it.
RENDERED = {"DestinationRule": "istio", "HealthCheckPolicy": "gke", "GCPBackendPolicy": "gke"}
# Groups of what a provider's part of a chart renders.
_GROUPS = ("networking.istio.io", "networking.gke.io", "monitoring.googleapis.com")


def _class_side(gateway: Item) -> Side:
    return Side(gateway, ("spec", "gatewayClassName"), "class")


def _served(model: StackModel) -> t.Iterator[tuple[Pool, Item, Provider | None]]:
    """Yield each planned pool with the Gateway that its requests come from, and that Gateway's provider."""
    pools = [pool for pool in model.pools if not pool.item.live]
    gateways = model.items("Gateway")
    planned = [gateway for gateway in gateways if not gateway.live]
    for pool in pools:
        reached = [g for g in gateways if any(_leads(route, pool, model) for route in model.routes_to(g))]
        for gateway in reached or planned[:1]:
            yield pool, gateway, gateway_provider(gateway, model)


def _leads(route: Item, pool: Pool, model: StackModel) -> bool:
    refs = [ref for _index, rule in rules_of(route) for ref in dicts(rule.get("backendRefs"))]
    return any(pool_of(ref, route, model) is pool for ref in refs)


def class_exists(model: StackModel) -> t.Iterator[Hit]:
    for gateway in model.items("Gateway", planned_only=True):
        name = str(gateway.spec.get("gatewayClassName") or "")
        if model.exists("GatewayClass", name) is False:
            known = listed((item.name for item in model.items("GatewayClass")), "none")
            text = f"Gateway {gateway.name} is of class {name!r}, the cluster has {known}"
            yield Hit(text, (_class_side(gateway),), ("class", name))


def pool_provider(model: StackModel) -> t.Iterator[Hit]:
    """The pool chart's provider.name fits the Gateway's class."""
    for pool, gateway, provider in _served(model):
        if provider is None or not pool.item.release:
            continue
        mine = [i for i in model.planned if i.release == pool.item.release and i.namespace == pool.item.namespace]
        made = {RENDERED[item.kind]: item for item in mine if item.kind in RENDERED}
        given = next(iter(made), "none")
        if given != provider.pool_provider:
            class_name = gateway.spec.get("gatewayClassName")
            text = (
                f"pool {pool.item.name} is made for provider {given}, Gateway {gateway.name} of class {class_name} "
                f"needs {provider.pool_provider}"
            )
            side = Side(made.get(given, pool.item), (), "provider")
            remedy = f"set provider.name: {provider.pool_provider} in the pool's values, or another gatewayClassName"
            kinds = tuple(("kind", item.group, item.kind) for item in mine if item.group in _GROUPS)
            yield Hit(text, (side, _class_side(gateway)), ("provider", gateway.title), remedy, kinds)


def destination(model: StackModel) -> t.Iterator[Hit]:
    """The DestinationRule of a pool's release is about the picker's Service."""
    for pool in (pool for pool in model.pools if not pool.item.live and pool.epp):
        home = pool.item.namespace
        names = [pool.epp, f"{pool.epp}.{home}", f"{pool.epp}.{home}.svc"]
        for rule in model.items("DestinationRule", planned_only=True):
            host = str(rule.spec.get("host") or "")
            near = rule.release == pool.item.release and rule.namespace == home
            if near and host not in names and not host.startswith(f"{pool.epp}.{home}.svc."):
                text = f"the DestinationRule is for {host}, the picker of pool {pool.item.name} is {names[2]}"
                sides = (Side(rule, ("spec", "host"), "destination_host"), Side(pool.item, (*pool.epp_path, "name")))
                yield Hit(text, sides, ("epp", pool.item.title))


def api(model: StackModel) -> t.Iterator[Hit]:
    """The gateway's version routes to pools of this API group."""
    for pool, gateway, provider in _served(model):
        row = gateway_row(provider.name, model.facts.gateway_version) if provider else None
        if provider and row and pool.item.group not in row.groups:
            running = f"{provider.name} {model.facts.gateway_version or ''}".strip()
            knows = listed(row.groups, "no InferencePool at all")
            text = f"{running} routes to {knows}, pool {pool.item.name} is of {pool.item.group}"
            sides = (Side(pool.item, ("apiVersion",), "api"), _class_side(gateway))
            yield Hit(f"{text} ({row.source})", sides, ("api", gateway.title, pool.item.group), row.remedy)


def extension(model: StackModel) -> t.Iterator[Hit]:
    """The gateway controller's inference extension is on."""
    for pool, gateway, provider in _served(model):
        if provider and provider.flag and model.facts.inference_extension is False:
            text = f"{provider.name}'s inference extension is off: it does not know InferencePool {pool.item.name}"
            remedy = f"turn on {provider.flag} and restart the controller"
            yield Hit(text, (Side(pool.item), _class_side(gateway)), ("extension", gateway.title), remedy)


def gateway_api(model: StackModel) -> t.Iterator[Hit]:
    installed = version(model.facts.gateway_api_version)
    for gateway in model.items("Gateway", planned_only=True):
        provider, running = gateway_provider(gateway, model), version(model.facts.gateway_version)
        for row in GATEWAY_APIS:
            fits = provider and row.provider == provider.name and running and running >= (version(row.since) or ())
            if fits and installed and installed < (version(row.minimum) or ()):
                text = (
                    f"{row.provider} {model.facts.gateway_version} needs Gateway API {row.minimum} or later, "
                    f"the cluster has {model.facts.gateway_api_version} ({row.source})"
                )
                yield Hit(text, (_class_side(gateway),), ("gateway-api",))


def picker_image(model: StackModel) -> t.Iterator[Hit]:
    """The picker's image understands its configuration's and its pool's API."""
    for picker in (picker for picker in model.pickers if not picker.item.live):
        image = str(picker.container.get("image") or "")
        row, found = picker_row(image), config_of(picker, model)
        side = Side(picker.item, ("spec", "template", "spec", "containers", picker.index, "image"), "epp_image")
        if row and found and found[0].get("apiVersion") not in (None, *row.config):
            text = f"image {image} reads a configuration of {listed(row.config)}, the file is {found[0]['apiVersion']}"
            yield Hit(f"{text} ({row.source})", (side, found[1]), ("image", picker.item.title))
        group = picker.flag("pool-group") or row and row.groups[0]
        if row and group and "$" not in group and group not in row.groups:
            text = f"image {image} knows pools of {listed(row.groups)}, it is to watch {group} ({row.source})"
            yield Hit(text, (side,), ("image", picker.item.title))


def parameters(model: StackModel) -> t.Iterator[Hit]:
    """The parameters that a Gateway refers to exist."""
    for gateway in model.items("Gateway", planned_only=True):
        ref = mapping(mapping(gateway.spec.get("infrastructure")).get("parametersRef"))
        kind, name = str(ref.get("kind") or ""), str(ref.get("name") or "")
        if kind and model.exists(kind, name, gateway.namespace) is False:
            text = f"Gateway {gateway.name} takes its parameters from {kind} {name}, which does not exist"
            side = Side(gateway, ("spec", "infrastructure", "parametersRef"), "parameters")
            yield Hit(text, (side,), ("parameters", gateway.title))


def _rule(
    number: int, title: str, check: t.Any, meaning: str, failure: str, remedy: str, source: str, severity: str = ERROR
) -> Rule:
    return Rule(f"LLMD4{number:02d}", title, severity, check, meaning, failure, remedy, source)


RULES = (
    _rule(
        1,
        "The Gateway's class exists",
        class_exists,
        "The GatewayClass that the Gateway names is in the cluster.",
        "No controller takes the Gateway: no address, no status, every request times out.",
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
        "leave provider.istio.destinationRule.host empty: the chart works it out",
        "inferencepool v1.3.0, provider.istio.destinationRule.host; F10",
    ),
    _rule(
        4,
        "The gateway knows the pool's API",
        api,
        "The gateway's version routes to InferencePools of the API group that the pool is made in.",
        "ResolvedRefs=False/InvalidKind, requests get 500 or 404; the pool has no status.",
        "make the pool in the API group that the gateway knows",
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
        "The Gateway API is new enough",
        gateway_api,
        "The installed Gateway API is of a release that the gateway's version works with.",
        "The controller ignores fields or kinds that it needs; routes are not programmed.",
        "install a newer bundle of the Gateway API (standard channel)",
        "compatibility table",
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
