# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The pools of a stack: a release for each, with its endpoint picker.

A release of a standalone router has a proxy of its own beside the picker: requests come in by its Service.
"""

from __future__ import annotations

import typing as t

from ..base import formats
from ..base.apis import MONITORING_API, POOL_API
from ..base.data import Object, Values, dig, nest
from ..base.findings import WARNING, Findings
from ..base.names import RELEASE_LIMIT, epp_name, proxy_name
from ..values.layers import Layer, check_entry
from .base import DEFAULT_PORT, LLM_D, OBJECTS, Component, NeededKind, Part, named, unique
from .gateway import GatewayComponent
from .modelservice import Model, ModelserviceComponent
from .pools.charts import CHARTS, PoolChart, chart_named, own_image
from .pools.checks import check_pool, check_port, check_selector
from .pools.objects import pool_objects
from .pools.values import HF_KEY, Pool, PoolSettings, pool_ports, pool_selector, pool_values

HF_SECRET_NAMES = ("llm-d-hf-token", "hf-secret", "hf-token")


POOL_KEYS: dict[str, type] = {
    "release_name": str,
    "selector": dict,
    "target_ports": list,
    "model_server_type": str,
    "plugins_config_file": str,
    "plugins_custom_config": dict,
    "values_files": list,
    "values": dict,
    "objects": list,
}

PREFIX = "gaie-"
# The part of what goes with the pools.
BESIDE = "gaie-objects"


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
    def opened(cls, given: Values, name: str, findings: Findings) -> Values:
        said, known = given["chart"], chart_named(name)
        if not known or known == said:
            return given
        text = f"is {said}, but the chart at {given['chart_ref']} is {name}"
        findings.add("gaie_chart", text, f"set gaie_chart: {known}", rule="input-other-chart")
        return {**given, "chart": known}

    @classmethod
    def lets_in(cls, given: Values) -> bool:
        return given.get("chart") in CHARTS and CHARTS[given["chart"]].standalone

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
        self.beside: dict[str, Object] = {}
        for pool in self.pools:
            where = f"{pool.where}.objects"
            self.beside |= pool_objects(pool.objects, pool.release, self.namespace, where, self.stack.findings)

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
            objects=entry.get("objects") or [],
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

    @property
    def pool_chart(self) -> PoolChart:
        """What is known of its chart."""
        return CHARTS[self.given["chart"]]

    def entrance(self, pool: Pool) -> str:
        """Return the Service by which requests to a pool get in, "" where a Gateway lets them in."""
        if not self.pool_chart.standalone:
            return ""
        return proxy_name(pool.release) if self.pool_chart.has_proxies(pool.values) else epp_name(pool.release)

    def model_of(self, pool: Pool) -> Model | None:
        """Return the model that a pool is of."""
        models = self.stack.of(ModelserviceComponent).models
        return next((model for model in models if model.name == pool.model), None) if pool.model else None

    def check(self) -> None:
        """Note picker names given twice, and selectors and ports that miss the pods of the pool's model."""
        chart, findings = self.given["chart"], self.stack.findings
        unique([(epp_name(pool.release), pool.where) for pool in self.pools], "endpoint picker", findings)
        named_ones = [(f"{item['kind']} {item['metadata']['name']}", place) for place, item in self.beside.items()]
        unique(named_ones, "object", findings)
        models = self.stack.of(ModelserviceComponent).models
        for pool in self.pools:
            own = self.model_of(pool)
            if own and own.unread:
                continue
            check_selector(pool, own, models, chart, findings)
            if own:
                check_port(pool, own, chart, findings)
        if self.pool_chart.standalone and not self.idle:
            self._check_alone()

    def _check_alone(self) -> None:
        """Note what is asked of a Gateway that is not there."""
        gateway = self.stack.of(GatewayComponent)
        for key in ("existing_name", "values_files", "values"):
            if gateway.given.get(key):
                text = f"has no effect: {self.given['chart']} lets requests in by itself, without a Gateway"
                fix = "remove it, or set gaie_chart: llm-d-router-gateway"
                place = f"{gateway.name}_{key}"
                self.stack.findings.add(place, text, fix, rule="input-no-gateway", severity=WARNING)

    def make_parts(self) -> list[Part]:
        chart, token = self.given["chart"], self._token_layers()
        found = [self.release(p.release, p.values, p.where, [*token, *p.layers], chart) for p in self.pools]
        spec, where = {"objects": [*self.beside.values()]}, next(iter(self.beside), "")
        beside = Part(self.name, BESIDE, self.namespace, OBJECTS, spec, where)
        return [*found, beside] if self.beside else found

    def _token_layers(self) -> list[Layer]:
        """Return the variable that puts the token's secret into every picker's environment, where it is set."""
        values = nest((*CHARTS[self.given["chart"]].extension, "env"), [])
        return [Layer(values, "gaie_hf_token_secret")] if self.given.get("hf_token_secret") else []

    def needs(self) -> list[NeededKind]:
        chart = self.given["chart"]
        install = f"install the CRDs of the Gateway API Inference Extension {self.pool_chart.definitions}"
        pool = NeededKind(POOL_API, "InferencePool", self.name, install)
        found = [pool] if self._made() or not self.pools else []
        if any(dig(pool.values, CHARTS[chart].prometheus) is True for pool in self.pools):
            found.append(NeededKind(MONITORING_API, "ServiceMonitor", "gaie's Prometheus monitoring"))
        kinds = dict.fromkeys((item["apiVersion"], item["kind"]) for item in self.beside.values())
        found += [NeededKind(*kind, "an object beside a pool", install) for kind in kinds]
        return found + (self.stack.of(GatewayComponent).provider_kinds(chart) if self.pools else [])

    def serves(self) -> list[Object]:
        pools = [named(POOL_API, "InferencePool", pool.release, self.namespace) for pool in self._made()]
        names = [epp_name(pool.release) for pool in self.pools]
        names += [proxy_name(pool.release) for pool in self.pools if self.pool_chart.has_proxies(pool.values)]
        return pools + [named("apps/v1", "Deployment", name, self.namespace) for name in names]

    def _made(self) -> list[Pool]:
        """Return the pools that are objects; the picker of another selects its pods by its own arguments."""
        return [pool for pool in self.pools if self.pool_chart.makes_pool(pool.values)]

    def tells(self) -> Object:
        chart = self.given["chart"]
        rows = [
            {
                "name": pool.release,
                "model": pool.model,
                "selector": pool_selector(pool.values, chart),
                "target_ports": pool_ports(pool.values, chart),
                "endpoint_picker": epp_name(pool.release),
                "service": self.entrance(pool),
            }
            for pool in self.pools
        ]
        return {"pools": rows, "token": self.token}


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
