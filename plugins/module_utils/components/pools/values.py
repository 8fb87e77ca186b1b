# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of an inference pool's release: what this collection adds below the user's own."""

from __future__ import annotations

import dataclasses
import typing as t

from ...base.data import Values, dicts, dig, mapping, nest
from ...base.names import epp_name
from ...values.layers import Layer, merge, merge_all
from ..monitors import picker_values
from .charts import CHARTS, PoolChart, split_image

# Tokenised requests and KV-cache events reach the endpoint picker here.
ZMQ_PORT = 5557
_CONTAINER_PORT = {"name": "zmq", "containerPort": ZMQ_PORT, "protocol": "TCP"}
_SERVICE_PORT = {"name": "zmq", "port": ZMQ_PORT, "targetPort": ZMQ_PORT, "protocol": "TCP"}
HF_KEY = "HF_TOKEN"
# The proxy of a standalone router where its values name none.
PROXY = "envoy"
PROXY_PORT = "http"


@dataclasses.dataclass
class PoolSettings:
    """What all pools share. secret: {name, key} of the Hugging Face token, or None; chart_values: the chart's own."""

    chart: str
    image: str
    provider_values: Values
    secret: dict | None = None
    chart_values: Values = dataclasses.field(default_factory=dict)
    # The role monitoring's settings.
    monitoring: dict = dataclasses.field(default_factory=dict)

    def image_keys(self, chart: PoolChart) -> tuple[str, str]:
        """Return the keys of an image's registry and name: inferencepool renamed them in v1.5.0."""
        own = dig(self.chart_values, (*chart.extension, "image")) or {}
        renamed = isinstance(own, dict) and "repository" in own
        return ("registry", "repository") if renamed else (chart.image_hub, chart.image_name)

    def has_monitoring(self, chart: PoolChart) -> bool:
        """Return whether the chart knows monitoring: inferencepool does from v1.0.1 on; True where it is not known."""
        own, inside = dig(self.chart_values, chart.extension), len(chart.extension)
        return not own or chart.prometheus[:inside] != chart.extension or chart.prometheus[inside] in own


@dataclasses.dataclass
class Pool:
    """One pool as resolved: everything that its release, its route and its checks need."""

    release: str
    where: str
    layers: list[Layer]
    selector: dict[str, str]
    target_ports: list[int]
    server_type: str = "vllm"
    plugins_file: str | None = None
    plugins_config: dict[str, str] = dataclasses.field(default_factory=dict)
    model: str | None = None
    values: Values = dataclasses.field(default_factory=dict)
    # Manifests that go with it.
    objects: list[t.Any] = dataclasses.field(default_factory=list)


def pool_values(pool: Pool, settings: PoolSettings) -> Values:
    """Return the whole values of a pool's release: ours, the provider's, then the user's on top."""
    chart = CHARTS[settings.chart]
    user = merge_all(layer.values for layer in pool.layers)
    base = merge_all(_base_layers(pool, settings, chart, user))
    return _with_lists(merge(base, user), settings, chart)


def _base_layers(pool: Pool, settings: PoolSettings, chart: PoolChart, user: Values) -> list[Values]:
    hub, name, tag = split_image(settings.image)
    hub_key, name_key = settings.image_keys(chart)
    image = {hub_key: hub, name_key: name, "tag": tag, "pullPolicy": "Always"}
    extension: Values = {"image": image}
    if pool.plugins_file:
        extension["pluginsConfigFile"] = pool.plugins_file
    if pool.plugins_config:
        extension["pluginsCustomConfig"] = pool.plugins_config
    layers = [
        settings.provider_values,
        _proxy(pool, settings, chart, user),
        nest(chart.extension, extension),
        _monitoring(pool, settings, chart),
        nest(chart.ports, [{"number": port} for port in pool.target_ports]),
        nest(chart.server_type, pool.server_type),
    ]
    if not dig(user, chart.selector):
        # A selector in the user's values is the whole selector: joined to ours it could select nothing.
        layers.append(nest(chart.selector, pool.selector))
    return layers


def _proxy(pool: Pool, settings: PoolSettings, chart: PoolChart, user: Values) -> Values:
    """Return a name of its own for the proxy's configuration, which the chart names alike in every release.

    Envoy's is mounted by a volume of the chart's values, whose list has to be written out with the name in it.
    """
    given = mapping(dig(user, chart.proxy)) if chart.standalone else {}
    kind_ = str(given.get("proxyType") or PROXY).lower()
    if not chart.standalone or dig(given, ("configMap", "name")):
        return {}
    name = f"{epp_name(pool.release).removesuffix('-epp')}-{kind_}"
    values: Values = {"configMap": {"name": name}}
    if kind_ == PROXY:
        own = dig(settings.chart_values, (*chart.proxy, "presets", kind_, "volumes"))
        items = [{"key": "envoy.yaml", "path": "envoy.yaml"}]
        volumes = own if isinstance(own, list) else [{"name": "config", "configMap": {"name": PROXY, "items": items}}]
        values["volumes"] = [
            {**one, "configMap": {**one["configMap"], "name": name}} if isinstance(one.get("configMap"), dict) else one
            for one in dicts(volumes)
        ]
    return nest(chart.proxy, values)


def _monitoring(pool: Pool, settings: PoolSettings, chart: PoolChart) -> Values:
    if not settings.has_monitoring(chart):
        return {}
    if settings.monitoring.get("enabled"):
        return picker_values(settings.monitoring, chart.prometheus, pool.release, settings.chart_values)
    return nest(chart.prometheus, False)


def _with_lists(values: Values, settings: PoolSettings, chart: PoolChart) -> Values:
    """Return values with the lists that every pool needs: Helm replaces lists, so ours are joined here."""
    container = (*chart.extension, "extraContainerPorts")
    lists = [
        (container, [_CONTAINER_PORT], _same_container_port),
        (chart.service_ports, [_SERVICE_PORT], _same_service_port),
    ]
    if settings.secret:
        ref = {"secretKeyRef": {"name": settings.secret["name"], "key": settings.secret["key"]}}
        lists.append(((*chart.extension, "env"), [{"name": HF_KEY, "valueFrom": ref}], _same_name))
    for path, ours, same in lists:
        own = dig(settings.chart_values, path) or (chart.own_ports if path == chart.service_ports else [])
        given = dig(values, path)
        theirs = list(own) if given is None else given or []
        if not isinstance(theirs, list):
            continue  # the chart's own check names the type
        added = [item for item in ours if not any(same(item, other) for other in theirs)]
        values = merge(values, nest(path, theirs + added))
    return values


def _same_container_port(ours: dict, other: t.Any) -> bool:
    return isinstance(other, dict) and (other.get("containerPort") == ZMQ_PORT or other.get("name") == "zmq")


def _same_service_port(ours: dict, other: t.Any) -> bool:
    return isinstance(other, dict) and (other.get("port") == ZMQ_PORT or other.get("name") == "zmq")


def _same_name(ours: dict, other: t.Any) -> bool:
    return isinstance(other, dict) and other.get("name") == ours["name"]


def pool_selector(values: Values, chart: str) -> dict[str, t.Any]:
    """Return the labels that a release's pool selects by."""
    return dict(mapping(dig(values, CHARTS[chart].selector)))


def pool_ports(values: Values, chart: str) -> list:
    """Return the target ports of a release's pool."""
    ports = dig(values, CHARTS[chart].ports)
    found = ports if isinstance(ports, list) else []
    return [port.get("number") if isinstance(port, dict) else port for port in found]
