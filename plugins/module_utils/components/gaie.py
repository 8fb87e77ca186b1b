# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of an inference pool's release: what this collection adds below the user's own, and what it refuses.

Two charts make the same objects from values of different shape; CHARTS holds where each keeps what.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..base.data import KeyPath as Path
from ..base.data import Values, dig, kind, nest
from ..base.findings import Findings
from ..base.findings import show_path as dotted
from ..base.names import label_key_problem, label_problem
from ..values.layers import Layer, locate, merge, merge_all
from .monitoring import picker_values

# Tokenised requests and KV-cache events reach the endpoint picker here.
ZMQ_PORT = 5557


_CONTAINER_PORT = {"name": "zmq", "containerPort": ZMQ_PORT, "protocol": "TCP"}


_SERVICE_PORT = {"name": "zmq", "port": ZMQ_PORT, "targetPort": ZMQ_PORT, "protocol": "TCP"}


HF_SECRET_NAMES = ("llm-d-hf-token", "hf-secret", "hf-token")


HF_KEY = "HF_TOKEN"


MODEL_LABEL = "llm-d.ai/model"


@dataclasses.dataclass(frozen=True)
class PoolChart:
    """Where a chart's values keep what a pool needs. forbidden: keys that the chart has never had."""

    extension: Path
    image_hub: str
    image_name: str
    selector: Path
    ports: Path
    server_type: Path
    service_ports: Path
    prometheus: tuple[str, ...]
    forbidden: tuple[Path, ...] = ()


CHARTS = {
    # kubernetes-sigs/gateway-api-inference-extension, config/charts/inferencepool v1.3.0
    "inferencepool": PoolChart(
        extension=("inferenceExtension",),
        image_hub="hub",
        image_name="name",
        selector=("inferencePool", "modelServers", "matchLabels"),
        ports=("inferencePool", "targetPorts"),
        server_type=("inferencePool", "modelServerType"),
        service_ports=("inferenceExtension", "extraServicePorts"),
        prometheus=("inferenceExtension", "monitoring", "prometheus", "enabled"),
        forbidden=(("inferenceExtension", "resources"), ("inferenceExtension", "service"), ("routing",), ("gateway",)),
    ),
    # llm-d/llm-d-router, charts llm-d-router-gateway and its library llm-d-routerlib v0.10.0
    "llm-d-router-gateway": PoolChart(
        extension=("router", "epp"),
        image_hub="registry",
        image_name="repository",
        selector=("router", "modelServers", "matchLabels"),
        ports=("router", "modelServers", "targetPorts"),
        server_type=("router", "modelServers", "type"),
        service_ports=("router", "extraServicePorts"),
        prometheus=("router", "monitoring", "prometheus", "enabled"),
        forbidden=(("inferenceExtension",), ("inferencePool",), ("routing",), ("gateway",)),
    ),
}


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


def split_image(image: str) -> tuple[str, str, str | None]:
    """Return hub, name and tag of an image reference; the tag is None where it has none."""
    path, _at, digest = image.partition("@")
    hub, _slash, name = path.rpartition("/")
    name, _colon, tag = name.partition(":")
    if digest:
        # The charts join name and tag with a colon, so a digest travels behind the tag.
        tag = f"{tag}@{digest}" if tag else ""
    return hub, name, tag or None


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
        nest(chart.extension, extension),
        _monitoring(pool, settings, chart),
        nest(chart.ports, [{"number": port} for port in pool.target_ports]),
        nest(chart.server_type, pool.server_type),
    ]
    if not dig(user, chart.selector):
        # A selector in the user's values is the whole selector: joined to ours it could select nothing.
        layers.append(nest(chart.selector, pool.selector))
    return layers


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
        theirs = dig(values, path) or []
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
    return dict(dig(values, CHARTS[chart].selector) or {})


def pool_ports(values: Values, chart: str) -> list:
    """Return the target ports of a release's pool."""
    ports = dig(values, CHARTS[chart].ports) or []
    return [port.get("number") if isinstance(port, dict) else port for port in ports]


def check_pool(pool: Pool, settings: PoolSettings, problems: Findings) -> None:
    """Note what the chart would ignore or what would not serve, with the file and line where it stands."""
    chart = CHARTS[settings.chart]
    for path in chart.forbidden:
        for layer in pool.layers:
            where = layer.locate(path)
            if where:
                problems.add(
                    where, f"the chart {settings.chart} has no {dotted(path)}", "remove it", rule="chart-ignores-key"
                )
    _check_maps(pool, chart, problems)
    _check_image(pool, chart, problems)
    _check_zmq(pool, chart, problems)
    for key, value in (dig(pool.values, chart.selector) or {}).items():
        wrong = label_key_problem(str(key)) or label_problem(value)
        if wrong:
            problems.add(
                locate(pool.layers, (*chart.selector, key), f"{pool.where}.selector.{key}"), wrong, rule="input-label"
            )
    for value in pool_ports(pool.values, settings.chart):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
            at = locate(pool.layers, chart.ports, f"{pool.where}.target_ports")
            problems.add(at, f"{value!r} is no port", "a number from 1 to 65535", rule="input-port")


def _check_maps(pool: Pool, chart: PoolChart, problems: Findings) -> None:
    """Note values that are no map where this collection's own are laid under them."""
    paths = {
        tuple(path[:end]) for path in (chart.extension, chart.selector, chart.ports) for end in range(1, len(path))
    }
    for path in sorted(paths | {tuple(chart.extension), tuple(chart.selector)}):
        for layer in pool.layers:
            value = dig(layer.values, path)
            where = layer.locate(path)
            if where and value is not None and not isinstance(value, dict):
                problems.add(where, f"is a {kind(value)}: {value!r}", "a map", rule="input-type")


def _check_image(pool: Pool, chart: PoolChart, problems: Findings) -> None:
    path = (*chart.extension, "image", "tag")
    tag = dig(pool.values, path)
    if not isinstance(tag, str) or not tag.strip() or tag.strip() == "latest":
        shown = "no tag" if not tag else f"the tag {tag!r}"
        where = locate(pool.layers, path, "gaie_image")
        problems.add(
            where,
            f"the endpoint picker's image has {shown}",
            "a released version, for example v0.6.0",
            rule="image-tag",
        )


def _check_zmq(pool: Pool, chart: PoolChart, problems: Findings) -> None:
    """Note a user's port that takes zmq's name or number for something else."""
    lists = (((*chart.extension, "extraContainerPorts"), "containerPort"), (chart.service_ports, "port"))
    for path, key in lists:
        for index, port in enumerate(dig(pool.values, path) or []):
            if isinstance(port, dict) and (port.get("name") == "zmq") != (port.get(key) == ZMQ_PORT):
                where = locate(pool.layers, (*path, index), pool.where)
                problems.add(
                    where,
                    f"{port!r} takes the name or number of zmq/{ZMQ_PORT}",
                    f"name zmq, {key} {ZMQ_PORT}",
                    rule="input-zmq",
                )


def token_secret(secrets: dict[str, list[str]], name: str, key: str) -> tuple[dict | None, str | None]:
    """Choose the Hugging Face token's secret.

    secrets: {name: [its keys]} as found; name, key: the user's choice, '' to look for it.
    Returns ({name, key} or None, a note for the operator or None).
    """
    if name:
        if name not in secrets:
            return {
                "name": name,
                "key": key or HF_KEY,
            }, f"The secret {name} does not exist yet; it must before pods start."
        return _token_key(name, secrets[name], key)
    for candidate in HF_SECRET_NAMES:
        if candidate in secrets:
            return _token_key(candidate, secrets[candidate], key)
    return None, None


def _token_key(name: str, keys: list[str], key: str) -> tuple[dict | None, str | None]:
    if key or HF_KEY in keys:
        chosen = key or HF_KEY
        note = (
            None
            if chosen in keys
            else f"The secret {name} has no key {chosen}; its keys are {', '.join(keys) or 'none'}."
        )
        return ({"name": name, "key": chosen}, None) if note is None else (None, note)
    if len(keys) == 1:
        return {"name": name, "key": keys[0]}, f"The secret {name} keeps the token under {keys[0]!r}, not {HF_KEY}."
    return None, f"The secret {name} has the keys {', '.join(keys) or '(none)'}: name one in gaie_hf_token_key."
