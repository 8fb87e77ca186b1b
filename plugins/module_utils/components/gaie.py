# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Values of an inference pool's release: what this collection adds below the user's own, and what it refuses.

Two charts make the same objects from values of different shape; CHARTS holds where each keeps what.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..base import formats
from ..base.apis import MONITORING_API, POOL_API
from ..base.data import KeyPath as Path
from ..base.data import Object, Values, dig, mapping, nest
from ..base.findings import ERROR, WARNING, Findings
from ..base.names import RELEASE_LIMIT, epp_name, label_key_problem, label_problem
from ..objects.pools import ROLE_LABEL, selector_problem
from ..objects.set_labels import labels_met
from ..values.layers import Layer, check_entry, locate, merge, merge_all
from .base import DEFAULT_PORT, LLM_D, Component, NeededKind, Part, check_maps, named, unique
from .gateway import GatewayComponent
from .modelservice import Model, ModelserviceComponent
from .monitors import picker_values

# Tokenised requests and KV-cache events reach the endpoint picker here.
ZMQ_PORT = 5557
_CONTAINER_PORT = {"name": "zmq", "containerPort": ZMQ_PORT, "protocol": "TCP"}
_SERVICE_PORT = {"name": "zmq", "port": ZMQ_PORT, "targetPort": ZMQ_PORT, "protocol": "TCP"}
HF_SECRET_NAMES = ("llm-d-hf-token", "hf-secret", "hf-token")
HF_KEY = "HF_TOKEN"


@dataclasses.dataclass(frozen=True)
class PoolChart:
    """Where a chart's values keep what a pool needs. one_version: its releases have the picker's version."""

    extension: Path
    image_hub: str
    image_name: str
    selector: Path
    ports: Path
    server_type: Path
    service_ports: Path
    prometheus: tuple[str, ...]
    # The published chart, and the endpoint picker that it was tested with.
    ref: str = ""
    version: str = ""
    image: str = ""
    one_version: bool = False


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
        ref="oci://registry.k8s.io/gateway-api-inference-extension/charts/inferencepool",
        version="v1.3.0",
        image="ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0",
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
        ref="oci://ghcr.io/llm-d/charts/llm-d-router-gateway",
        version="v0.10.0",
        image="ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0",
        one_version=True,
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

PREFIX = "gaie-"


class GaieComponent(Component):
    """The component `gaie`: a release, so an InferencePool with its endpoint picker, for each model and gaie_pools."""

    name = "gaie"
    group = LLM_D
    chart = "inferencepool"
    asks = "gaie_pools"
    shapes = {
        "image": formats.image,
        "hf_token_secret": formats.dns_name,
        "plugins_custom_config": formats.map_of_texts,
    }

    @classmethod
    def checked(cls, given: Values, findings: Findings) -> Values:
        tested = CHARTS[given["chart"]]
        filled = dict(given)
        if not given["chart_ref"]:
            filled |= {"chart_ref": tested.ref, "chart_version": given["chart_version"] or tested.version}
        return filled

    def resolve(self) -> None:
        self.pools: list[Pool] = []
        self.shared = self.stack.loader.layers(self.given, f"{self.name}_")
        for model in self.stack.of(ModelserviceComponent).models:
            if model.where.startswith("llm_d_models"):
                where = f"{model.where}.pool"
                entry = check_entry(model.entry.get("pool") or {}, POOL_KEYS, where, self.stack.findings) or {}
                self.pools.append(self._pool(entry, where, model.name, model.labels, model.port, model.name))
        limit = RELEASE_LIMIT - len(PREFIX)
        for entry, where in self.stack.entries(
            self.given.get("pools") or [], "gaie_pools", {"name": str, **POOL_KEYS}, limit=limit
        ):
            self.pools.append(self._pool(entry, where, entry["name"], {}, DEFAULT_PORT))
        settings = self._settings()
        self.token = settings.secret
        for pool in self.pools:
            pool.values = pool_values(pool, settings)
            check_pool(pool, settings, self.stack.findings)

    def _pool(self, entry: Values, where: str, name: str, labels: dict, port: t.Any, model: str | None = None) -> Pool:
        given = self.given
        default = [port] if isinstance(port, int) else [DEFAULT_PORT]
        return Pool(
            release=entry.get("release_name") or f"{PREFIX}{name}",
            where=where,
            layers=[*self.shared, *self.stack.loader.layers(entry, where)],
            selector={key: value for key, value in (entry.get("selector") or labels).items() if value is not None},
            target_ports=entry.get("target_ports") or default,
            server_type=entry.get("model_server_type") or given.get("model_server_type") or "vllm",
            plugins_file=entry.get("plugins_config_file") or given.get("plugins_config_file") or None,
            plugins_config=entry.get("plugins_custom_config") or given.get("plugins_custom_config") or {},
            model=model,
        )

    def _settings(self) -> PoolSettings:
        given, facts = self.given, self.stack.facts
        secret, note = token_secret(facts.secrets, given.get("hf_token_secret") or "", given.get("hf_token_key") or "")
        if note and secret is None and given.get("hf_token_key"):
            self.stack.findings.add("gaie_hf_token_key", note, "use a key of that secret", rule="input-secret")
        elif note and facts.reachable and self.chosen:
            self.stack.notes.append(note)
        own = facts.chart_values.get(self.name) or {}
        provider = self.stack.of(GatewayComponent).provider
        monitoring = self.stack.settings.get("monitoring") or {}
        image = given["image"] or own_image(own, given["chart"], given["chart_version"])
        return PoolSettings(given["chart"], image, provider.part(given["chart"], own), secret, own, monitoring)

    def model_of(self, pool: Pool) -> Model | None:
        """Return the model that a pool is of."""
        models = self.stack.of(ModelserviceComponent).models
        return next((model for model in models if model.name == pool.model), None) if pool.model else None

    def check(self) -> None:
        """Note picker names given twice, and selectors and ports that miss the pods of the pool's model."""
        chart, findings = self.given["chart"], self.stack.findings
        unique([(epp_name(pool.release), pool.where) for pool in self.pools], "endpoint picker", findings)
        models = self.stack.of(ModelserviceComponent).models
        for pool in self.pools:
            own = self.model_of(pool)
            check_selector(pool, own, models, chart, findings)
            if own:
                check_port(pool, own, chart, findings)

    def make_parts(self) -> list[Part]:
        chart, token = self.given["chart"], self._token_layers()
        return [self.release(p.release, p.values, p.where, [*token, *p.layers], chart) for p in self.pools]

    def _token_layers(self) -> list[Layer]:
        """Return the variable that puts the token's secret into every picker's environment, where it is set."""
        values = nest((*CHARTS[self.given["chart"]].extension, "env"), [])
        return [Layer(values, "gaie_hf_token_secret")] if self.given.get("hf_token_secret") else []

    def needs(self) -> list[NeededKind]:
        found = [NeededKind(POOL_API, "InferencePool", self.name)]
        chart = self.given["chart"]
        if any(dig(pool.values, CHARTS[chart].prometheus) is True for pool in self.pools):
            found.append(NeededKind(MONITORING_API, "ServiceMonitor", "gaie's Prometheus monitoring"))
        return found + (self.stack.of(GatewayComponent).provider_kinds(chart) if self.pools else [])

    def serves(self) -> list[Object]:
        pools = [named(POOL_API, "InferencePool", pool.release, self.namespace) for pool in self.pools]
        return pools + [named("apps/v1", "Deployment", epp_name(p.release), self.namespace) for p in self.pools]

    def tells(self) -> Object:
        chart = self.given["chart"]
        rows = [
            {
                "name": pool.release,
                "model": pool.model,
                "selector": pool_selector(pool.values, chart),
                "target_ports": pool_ports(pool.values, chart),
                "endpoint_picker": epp_name(pool.release),
            }
            for pool in self.pools
        ]
        return {"pools": rows, "token": self.token}


# The rules that a mistake in a pool's selector breaks.
SELECTORS = ("LLMD101", "LLMD102", "LLMD103")


def check_selector(pool: Pool, own: Model | None, models: t.Sequence[Model], chart: str, findings: Findings) -> None:
    """Note a selector that misses the pods of the pool's own model, or selects another's too."""
    selector = pool_selector(pool.values, chart)
    where = locate(pool.layers, CHARTS[chart].selector, f"{pool.where}.selector")
    if not selector:
        more: t.Any = {"about": [pool.release], "covers": ["LLMD101", "LLMD106"]}
        fix = "set it to the labels of the pods that it serves"
        findings.add(where, "the pool has no selector", fix, rule="input-selector", **more)
        return
    more = {"about": [pool.release], "covers": SELECTORS}
    wrong = _missed(selector, own) if own else None
    if own and wrong:
        labels = ", ".join(f"{key}={value}" for key, value in own.labels.items())
        findings.add(where, wrong, f"labels of {own.name}'s pods: {labels}", rule="input-selector", **more)
    chosen = [model for model in models if _missed(selector, model) is None]
    for model in chosen:
        if model is own or not (own or model.model != chosen[0].model):
            continue
        shown = ", ".join(f"{key}={value}" for key, value in selector.items())
        mine = own.name if own else chosen[0].name
        findings.add(
            where,
            f"the selector {shown} of model {mine} selects the pods of model {model.name} too",
            f"select a label that only {mine} has, for example llm-d.ai/model",
            rule="input-selector-shared",
            **more,
        )


def _missed(selector: dict[str, t.Any], model: Model) -> str | None:
    """Return why a selector takes the pods of none of a model's roles, None where it takes some."""
    kind = "LeaderWorkerSet" if model.multinode else "Deployment"
    # How many workers a group has is known only once it is rendered: the rules look at that.
    size = 1 << 16
    pods = [labels_met({**model.labels, ROLE_LABEL: role}, selector, kind, "", size) for role in model.roles or ("",)]
    problems = [selector_problem(selector, labels) for labels in pods]
    return None if None in problems else problems[0]


def check_port(pool: Pool, model: Model, chart: str, findings: Findings) -> None:
    """Note a pool that sends to a port on which its model does not listen."""
    ports = pool_ports(pool.values, chart)
    if isinstance(model.port, int) and model.port not in ports:
        where = locate(pool.layers, CHARTS[chart].ports, f"{pool.where}.target_ports")
        at = locate(model.layers, ("routing", "servicePort"), "the chart's default of routing.servicePort")
        shown = ", ".join(str(port) for port in ports) or "no port"
        text = f"the pool sends requests to {shown}, but {model.name} listens on {model.port} ({at})"
        more: t.Any = {"about": [pool.release], "covers": ["LLMD104", "LLMD207"]}
        findings.add(where, text, str(model.port), rule="input-port", **more)


def split_image(image: str) -> tuple[str, str, str | None]:
    """Return hub, name and tag of an image reference; the tag is None where it has none."""
    path, _at, digest = image.partition("@")
    hub, _slash, name = path.rpartition("/")
    name, _colon, tag = name.partition(":")
    if digest:
        # The charts join name and tag with a colon, so a digest travels behind the tag.
        tag = f"{tag}@{digest}" if tag else ""
    return hub, name, tag or None


def own_image(own: Values, chart: str, version: str) -> str:
    """Return the picker's image that a version of the chart is made for, the tested one where that is not known.

    Picker and chart change together. own: the chart's values; version: as asked for, '' for any.
    """
    tested = CHARTS[chart].image
    name = split_image(tested)[1]
    found = dig(own, (*CHARTS[chart].extension, "image"))
    parts = [found.get(key) for key in ("registry", "hub", "repository", "name")] if isinstance(found, dict) else []
    path, tag = "/".join(str(part) for part in parts if part), str(found.get("tag") or "") if parts else ""
    if path.rpartition("/")[2] == name and re.match(r"v?\d", tag):
        return f"{path}:{tag}"
    released = CHARTS[chart].one_version and re.match(r"v\d", version or "")
    return f"{tested.rpartition(':')[0]}:{version}" if released else tested


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
    return dict(mapping(dig(values, CHARTS[chart].selector)))


def pool_ports(values: Values, chart: str) -> list:
    """Return the target ports of a release's pool."""
    ports = dig(values, CHARTS[chart].ports)
    found = ports if isinstance(ports, list) else []
    return [port.get("number") if isinstance(port, dict) else port for port in found]


def check_pool(pool: Pool, settings: PoolSettings, findings: Findings) -> None:
    """Note what the chart would ignore or what would not serve, with the file and line where it stands."""
    chart = CHARTS[settings.chart]
    _check_maps(pool, chart, findings)
    _check_image(pool, chart, findings)
    _check_zmq(pool, chart, findings)
    for key, value in pool_selector(pool.values, settings.chart).items():
        wrong = label_key_problem(str(key)) or label_problem(value)
        if wrong:
            findings.add(
                locate(pool.layers, (*chart.selector, key), f"{pool.where}.selector.{key}"), wrong, rule="input-label"
            )
    for value in pool_ports(pool.values, settings.chart):
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 65536:
            at = locate(pool.layers, chart.ports, f"{pool.where}.target_ports")
            findings.add(at, f"{value!r} is not a valid port", "use a number from 1 to 65535", rule="input-port")


def _check_maps(pool: Pool, chart: PoolChart, findings: Findings) -> None:
    """Note values that are no map where this collection's own are laid under them."""
    paths = {
        tuple(path[:end]) for path in (chart.extension, chart.selector, chart.ports) for end in range(1, len(path))
    }
    check_maps(pool.layers, sorted(paths | {tuple(chart.extension), tuple(chart.selector)}), findings)


def _check_image(pool: Pool, chart: PoolChart, findings: Findings) -> None:
    path = (*chart.extension, "image", "tag")
    tag = dig(pool.values, path)
    is_tag = isinstance(tag, str) and bool(tag.strip())
    if is_tag and tag.strip().lower() not in formats.FLOATING:
        return
    text = f"the endpoint picker's image has {f'the tag {tag!r}' if tag else 'no tag'}"
    where, fix = locate(pool.layers, path, "gaie_image"), "use a released version, for example v0.6.0"
    findings.add(where, text, fix, rule="image-tag", severity=WARNING if is_tag else ERROR)


def _check_zmq(pool: Pool, chart: PoolChart, findings: Findings) -> None:
    """Note a user's port that takes zmq's name or number for something else."""
    lists = (((*chart.extension, "extraContainerPorts"), "containerPort"), (chart.service_ports, "port"))
    for path, key in lists:
        ports = dig(pool.values, path)
        for index, port in enumerate(ports if isinstance(ports, list) else []):
            if isinstance(port, dict) and (port.get("name") == "zmq") != (port.get(key) == ZMQ_PORT):
                where = locate(pool.layers, (*path, index), pool.where)
                findings.add(
                    where,
                    f"{port!r} uses the name or number of zmq/{ZMQ_PORT}",
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
            }, f"secret not found: {name}; create it before the pods start."
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
            else f"The secret {name} has no key {chosen!r}; its keys are {', '.join(keys) or 'none'}."
        )
        return ({"name": name, "key": chosen}, None) if note is None else (None, note)
    if len(keys) == 1:
        return {"name": name, "key": keys[0]}, f"The secret {name} has the token under {keys[0]!r}, not {HF_KEY!r}."
    return None, f"The secret {name} has the keys {', '.join(keys) or '(none)'}: set gaie_hf_token_key to one of them."
