# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A cluster's whole stack, worked out from its variables and values files before anything is changed.

Pure: what a cluster knows comes in as Facts. Mistakes are collected, never raised one by one.
"""

from __future__ import annotations

import typing as t

from ..base.data import dig, plain
from ..base.errors import OrchestratorError
from ..base.findings import Findings
from ..base.names import LABEL_LIMIT, gateway_name, name_problem
from ..components.base import DEFAULT_PORT, MODEL_KEYS, NAME_LIMITS, POOL_KEYS, ROUTE_KEYS, Facts, Gateway, Stack
from ..components.gaie import Pool, PoolSettings, check_pool, pool_values, token_secret
from ..components.modelservice import Model, check_model, resolve_model
from ..components.monitoring import server_values
from ..components.providers import Provider, load_provider, provider_names
from ..values.layers import Layer, Loader, check_entry, merge, merge_all


class Resolver:
    """Turns parameters into a Stack; problems holds every mistake found on the way."""

    def __init__(self, params: dict, facts: Facts) -> None:
        """params: the options of module stack_info."""
        self.params = plain(params)
        self.facts = facts
        self.problems = Findings()
        self.loader = Loader(self.params.get("search_paths") or [], self.problems)
        self.notes: list[str] = []
        self.names: dict[tuple[str, str], str] = {}
        self.provider_known = True

    def resolve(self) -> Stack:
        """Return the stack as far as it can be worked out; look at problems before using it."""
        provider = self._provider()
        stack = Stack(self.params, provider, self._gateway(provider), self.params["gaie"]["chart"], notes=self.notes)
        shared = self.loader.layers(self.params["modelservice"], "modelservice")
        for entry, where in self._entries("models", "llm_d_models", MODEL_KEYS):
            self._add_model(stack, entry, where, shared)
        for entry, where in self._entries(
            "models", "modelservice_models", _without(MODEL_KEYS, "pool", "route"), "modelservice"
        ):
            stack.models.append(self._model(entry, where, shared, provider))
        self._add_pools(stack)
        for entry, where in self._entries(
            "routes", "httproute_routes", {**ROUTE_KEYS, "pool": str, "port": int, "model": str}, "httproute"
        ):
            stack.route_entries.append({"port": DEFAULT_PORT, **entry, "where": where})
        for model in stack.models:
            check_model(model, self.problems)
        return stack

    def _entries(
        self, key: str, variable: str, schema: dict[str, type], section: str | None = None
    ) -> t.Iterator[tuple[dict, str]]:
        raw = (self.params[section] if section else self.params).get(key) or []
        for index, item in enumerate(raw):
            where = f"{variable}[{index}]"
            entry = check_entry(item, schema, where, self.problems)
            if entry is None:
                continue
            if self._named(entry, where, variable):
                yield entry, where
            else:
                # Its files are still looked at, but nothing is derived from a name that cannot be.
                self.loader.layers(entry, where)

    def _named(self, entry: dict, where: str, variable: str) -> bool:
        """Return whether an entry's name can be used; note why not."""
        name = entry.get("name")
        if not name:
            self.problems.add(f"{where}.name", "is missing", "a DNS label, for example qwen3-32b", rule="input-name")
            return False
        wrong = name_problem(name, NAME_LIMITS.get(variable, LABEL_LIMIT))
        # Models share their names' space whichever variable they come from; pools and routes have their own.
        space = "model" if variable in ("llm_d_models", "modelservice_models") else variable
        first = self.names.setdefault((space, name), where)
        if wrong:
            derived = " (a Helm release is named after it)" if variable in NAME_LIMITS else ""
            self.problems.add(f"{where}.name", wrong + derived, "a name such as qwen3-32b", rule="input-name")
        elif first != where:
            self.problems.add(
                f"{where}.name", f"{name!r} is also the name of {first}", "a name of its own", rule="input-name-taken"
            )
        return not wrong and first == where

    def _provider(self) -> Provider:
        folder, name = self.params["providers_dir"], self.params["gateway"]["provider"]
        try:
            provider = load_provider(folder, name)
        except OrchestratorError as exc:
            self.problems.add(
                "gateway_provider", exc.message.removeprefix("gateway_provider: "), exc.hint, rule="input-provider"
            )
            self.provider_known = False
            return load_provider(folder, "none")
        if provider.class_names or provider.name != "none":
            return provider
        # An adopted Gateway: its class tells which provider's values the other charts need.
        found = self._existing_gateway()
        class_name = (found or {}).get("spec", {}).get("gatewayClassName", "")
        controller = (self.facts.classes or {}).get(class_name)
        for other in provider_names(folder):
            candidate = load_provider(folder, other)
            if class_name in candidate.class_names or (controller and controller in candidate.controller_names):
                return candidate
        return provider

    def _existing_gateway(self) -> dict | None:
        name = self.params["gateway"].get("existing_name")
        return next((item for item in self.facts.gateways if item["metadata"]["name"] == name), None)

    def _gateway(self, provider: Provider) -> Gateway:
        options = self.params["gateway"]
        namespace = options.get("namespace") or self.params["namespace"]
        if not self.provider_known:
            return Gateway("", namespace, options["provider"], "", None, {}, self.loader.layers(options, "gateway"))
        if options["provider"] == "none":
            name = options.get("existing_name") or ""
            if not name and "gateway" in self.params["components"]:
                self.problems.add(
                    "gateway_existing_name",
                    "is empty, but gateway_provider is none",
                    "the Gateway to adopt",
                    rule="input-gateway",
                )
            class_name = (self._existing_gateway() or {}).get("spec", {}).get("gatewayClassName", "")
            return Gateway(name, namespace, "none", class_name, None, {}, [])
        layers = self.loader.layers(options, "gateway")
        class_name = options.get("class_name") or self._class(provider)
        base = merge(
            provider.part("infra", self.facts.chart_values.get("gateway")),
            {"gateway": {"gatewayClassName": class_name}},
        )
        values = merge_all([base, *(layer.values for layer in layers)])
        class_name = dig(values, ("gateway", "gatewayClassName")) or class_name
        release = options.get("release_name") or f"infra-{options['name']}"
        return Gateway(gateway_name(release, values), namespace, provider.name, class_name, release, values, layers)

    def _class(self, provider: Provider) -> str:
        """Return the first of the provider's classes that the cluster has, its best one where none is known."""
        known = [name for name in provider.class_names if name in (self.facts.classes or {})]
        return (known or list(provider.class_names) or [""])[0]

    def _model(self, entry: dict, where: str, shared: list[Layer], provider: Provider) -> Model:
        layers = [*shared, *self.loader.layers(entry, where)]
        name = entry["name"]
        model = Model(name, where, entry.get("release_name") or f"ms-{name}", layers, entry.get("model") or "")
        model.complete = len(layers) >= len(shared) + len(entry.get("values_files") or [])
        own = self.facts.chart_values.get("modelservice") or {}
        return resolve_model(model, merge(provider.part("modelservice", own), self._monitors(model)), own)

    def _monitors(self, model: Model) -> dict:
        """Return the values of a model's PodMonitors; say where it has none."""
        settings = self.params.get("monitoring") or {}
        if not settings.get("enabled"):
            return {}
        values, nameless = server_values(settings, merge_all(layer.values for layer in model.layers))
        for role in nameless:
            text = f"Metrics of {model.name}'s {role} pods are not collected: none of their ports has a name."
            self.notes.append(f"{text} Name one in {role}.containers[].ports[].name, for example metrics.")
        return values

    def _add_model(self, stack: Stack, entry: dict, where: str, shared: list[Layer]) -> None:
        model = self._model(entry, where, shared, stack.provider)
        stack.models.append(model)
        pool = check_entry(entry.get("pool") or {}, POOL_KEYS, f"{where}.pool", self.problems) or {}
        stack.pools.append(self._pool(pool, f"{where}.pool", model.name, model.labels, model.port, model.name))
        route = check_entry(entry.get("route") or {}, ROUTE_KEYS, f"{where}.route", self.problems) or {}
        release = stack.pools[-1].release
        stack.route_entries.append(
            {**route, "model": model.name, "pool": release, "derived": True, "where": f"{where}.route"}
        )

    def _pool(self, entry: dict, where: str, name: str, labels: dict, port: t.Any, model: str | None = None) -> Pool:
        gaie = self.params["gaie"]
        shared = self.loader.layers(gaie, "gaie")
        default = [port] if isinstance(port, int) else [DEFAULT_PORT]
        return Pool(
            release=entry.get("release_name") or f"gaie-{name}",
            where=where,
            layers=[*shared, *self.loader.layers(entry, where)],
            selector={key: value for key, value in (entry.get("selector") or labels).items() if value is not None},
            target_ports=entry.get("target_ports") or default,
            server_type=entry.get("model_server_type") or gaie.get("model_server_type") or "vllm",
            plugins_file=entry.get("plugins_config_file") or gaie.get("plugins_config_file") or None,
            plugins_config=entry.get("plugins_custom_config") or gaie.get("plugins_custom_config") or {},
            model=model,
        )

    def _add_pools(self, stack: Stack) -> None:
        for entry, where in self._entries("pools", "gaie_pools", {"name": str, **POOL_KEYS}, "gaie"):
            stack.pools.append(self._pool(entry, where, entry["name"], {}, DEFAULT_PORT))
        settings = self._pool_settings(stack.provider)
        stack.token = settings.secret
        for pool in stack.pools:
            pool.values = pool_values(pool, settings)
            check_pool(pool, settings, self.problems)

    def _pool_settings(self, provider: Provider) -> PoolSettings:
        gaie = self.params["gaie"]
        secret, note = token_secret(
            self.facts.secrets, gaie.get("hf_token_secret") or "", gaie.get("hf_token_key") or ""
        )
        if note and secret is None and gaie.get("hf_token_key"):
            self.problems.add("gaie_hf_token_key", note, "a key of that secret", rule="input-secret")
        elif note and self.facts.reachable and "gaie" in self.params["components"]:
            self.notes.append(note)
        own = self.facts.chart_values.get("gaie") or {}
        monitoring = self.params.get("monitoring") or {}
        return PoolSettings(gaie["chart"], gaie["image"], provider.part(gaie["chart"], own), secret, own, monitoring)


def _without(schema: dict[str, type], *keys: str) -> dict[str, type]:
    return {key: value for key, value in schema.items() if key not in keys}
