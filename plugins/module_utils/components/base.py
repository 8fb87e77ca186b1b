# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a stack is made of: its keys in variables, a cluster's facts, and the resolved parts."""

from __future__ import annotations

import base64
import dataclasses
import typing as t

from ..base.data import Object, Values
from ..base.names import RELEASE_LIMIT
from ..values.layers import Layer
from .gaie import Pool
from .modelservice import Model
from .providers import Provider

COMPONENTS = ("modelservice", "gaie", "gateway", "httproute")


DEFAULT_PORT = 8000


# Releases are named gaie-NAME and ms-NAME.
NAME_LIMITS = {
    "llm_d_models": RELEASE_LIMIT - len("gaie-"),
    "gaie_pools": RELEASE_LIMIT - len("gaie-"),
    "modelservice_models": RELEASE_LIMIT - len("ms-"),
}


MODEL_KEYS: dict[str, type] = {
    "name": str,
    "model": str,
    "release_name": str,
    "values_files": list,
    "values": dict,
    "pool": dict,
    "route": dict,
}


POOL_KEYS: dict[str, type] = {
    "release_name": str,
    "selector": dict,
    "target_ports": list,
    "model_server_type": str,
    "plugins_config_file": str,
    "plugins_custom_config": dict,
    "values_files": list,
    "values": dict,
}


ROUTE_KEYS: dict[str, type] = {"name": str, "path_prefix": str, "hostnames": list, "timeouts": dict}


@dataclasses.dataclass
class Facts:
    """What a cluster says. classes: {GatewayClass: controller}, None where unknown; secrets: {name: keys} of the
    namespace; gateways: the Gateways of the Gateway's namespace; namespace: its phase, None where it is absent."""

    classes: dict[str, str] | None = None
    secrets: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    gateways: list[dict] = dataclasses.field(default_factory=list)
    namespace: str | None = None
    reachable: bool = True
    # The own values of the charts in use, by component, where they are known.
    chart_values: dict[str, Values] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Gateway:
    """The Gateway: installed by a release, or adopted (release None)."""

    name: str
    namespace: str
    provider: str
    class_name: str
    release: str | None
    values: Values
    layers: list[Layer]


@dataclasses.dataclass
class Stack:
    """The resolved stack; entries maps a model's or route's name to its checked route entry."""

    params: dict
    provider: Provider
    gateway: Gateway
    pool_chart: str
    models: list[Model] = dataclasses.field(default_factory=list)
    pools: list[Pool] = dataclasses.field(default_factory=list)
    route_entries: list[dict] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    # {name, key} of the Hugging Face token's secret, None without one.
    token: dict | None = None


def filled(objects: t.Iterable[Object], fill: t.Mapping[str, t.Mapping[str, str]], secrets: Values) -> list[Object]:
    """Return objects with the data of their Secrets. fill: by Secret and key the name of a value in secrets."""
    found = []
    for item in objects:
        keys = fill.get(item["metadata"]["name"]) if item["kind"] == "Secret" else None
        if keys:
            data = {key: base64.b64encode(str(secrets[name]).encode()).decode() for key, name in keys.items()}
            item = {**item, "data": {**(item.get("data") or {}), **data}}
        found.append(item)
    return found
