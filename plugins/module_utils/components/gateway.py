# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The Gateway: a release of the chart llm-d-infra for a provider, or one that exists and is adopted."""

from __future__ import annotations

import typing as t

from ..base import formats
from ..base.apis import GATEWAY_API
from ..base.data import Object, Values, dig
from ..base.errors import OrchestratorError
from ..base.names import gateway_name, name_problem
from ..values.layers import Layer, locate, merge, merge_all
from .base import LLM_D, Component, NeededKind, Part, Stack, named
from .providers import NO_PROVIDER, Provider, load_provider, provider_names


class GatewayComponent(Component):
    """The component `gateway`. release: the name of its Helm release, None where the Gateway is adopted."""

    name = "gateway"
    group = LLM_D
    by_gateway = True
    chart = "llm-d-infra"
    shapes = {"namespace": formats.dns_label, "class_name": formats.dns_name}

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.provider_known = True
        self.gateway = ""
        self.class_name = ""
        self.release_name: str | None = None
        self.values: Values = {}
        self.layers: list[Layer] = []

    @classmethod
    def place(cls, given: Values, namespace: str) -> str:
        return given.get("namespace") or namespace

    @property
    def adopted(self) -> bool:
        """Whether the Gateway exists and is used as it is."""
        return self.release_name is None

    def resolve(self) -> None:
        if self.idle:
            self.provider = load_provider(self.stack.params["providers_dir"], NO_PROVIDER)
            return
        self.provider = self._provider()
        given, loader = self.given, self.stack.loader
        if not self.provider_known:
            self.layers = loader.layers(given, f"{self.name}_")
            return
        if given["provider"] == NO_PROVIDER:
            self._adopt()
            return
        self.layers = loader.layers(given, f"{self.name}_")
        class_name = given.get("class_name") or self._class()
        own = self.stack.facts.chart_values.get(self.name)
        base = merge(self.provider.part("infra", own), {"gateway": {"gatewayClassName": class_name}})
        self.values = merge_all([base, *(layer.values for layer in self.layers)])
        self.class_name = dig(self.values, ("gateway", "gatewayClassName")) or class_name
        self.release_name = given.get("release_name") or f"infra-{given['name']}"
        self.gateway = gateway_name(self.release_name, self.values)

    def _provider(self) -> Provider:
        folder, name = self.stack.params["providers_dir"], self.given["provider"]
        try:
            provider = load_provider(folder, name)
        except OrchestratorError as exc:
            self.stack.findings.add("gateway_provider", exc.message, exc.hint, rule="input-provider")
            self.provider_known = False
            return load_provider(folder, NO_PROVIDER)
        if provider.class_names or provider.name != NO_PROVIDER:
            return provider
        # An adopted Gateway: its class tells which provider's values the other charts need.
        class_name = (self._existing() or {}).get("spec", {}).get("gatewayClassName", "")
        controller = (self.stack.facts.classes or {}).get(class_name)
        for other in provider_names(folder):
            candidate = load_provider(folder, other)
            if class_name in candidate.class_names or (controller and controller in candidate.controller_names):
                return candidate
        return provider

    def _existing(self) -> Object | None:
        name = self.given.get("existing_name")
        return next((item for item in self._found() if item["metadata"]["name"] == name), None)

    def _found(self) -> list[Object]:
        """Return the Gateways of the namespace."""
        where = self.namespace
        return [item for item in self.stack.facts.gateways if item["metadata"].get("namespace", where) == where]

    def _adopt(self) -> None:
        self.gateway = self.given.get("existing_name") or ""
        self.class_name = (self._existing() or {}).get("spec", {}).get("gatewayClassName", "")
        if not self.gateway and self.chosen:
            self.stack.findings.add(
                "gateway_existing_name",
                "is empty, but gateway_provider is none",
                "set it to the name of the Gateway to adopt",
                rule="input-gateway",
            )

    def _class(self) -> str:
        """Return the first of the provider's classes that the cluster has, its best one where none is known."""
        known = [name for name in self.provider.class_names if name in (self.stack.facts.classes or {})]
        return (known or list(self.provider.class_names) or [""])[0]

    def check(self) -> None:
        wrong = name_problem(self.gateway, 253) if self.adopted and self.gateway else None
        if wrong:
            self.stack.findings.add("gateway_existing_name", wrong, rule="input-gateway")
        if self.release_name is not None and self.class_name not in self.provider.class_names:
            self._check_class(self.release_name)

    def _check_class(self, release: str) -> None:
        """Note a class that is another provider's than the one that all charts get their values for."""
        folder, mine = self.stack.params["providers_dir"], self.provider
        others = [name for name in provider_names(folder) if self.class_name in load_provider(folder, name).class_names]
        if others:
            at = locate(self.layers, ("gateway", "gatewayClassName"), "gateway_class_name")
            text = f"is {mine.name}, but {at} is {self.class_name}, a class of {others[0]}"
            fix = f"use {others[0]}, or the class {' or '.join(mine.class_names)}"
            more: t.Any = {"about": [release], "covers": ["LLMD402", "LLMD401"]}
            self.stack.findings.add("gateway_provider", text, fix, rule="input-provider", **more)

    def make_parts(self) -> list[Part]:
        if self.release_name is None:
            return []
        where = "gateway_release_name" if self.given.get("release_name") else "gateway_name"
        return [self.release(self.release_name, self.values, where, self.layers)]

    def needs(self) -> list[NeededKind]:
        own = [NeededKind(GATEWAY_API, kind, self.name) for kind in ("Gateway", "GatewayClass")]
        return own if self.adopted else own + self.provider_kinds("infra")

    def provider_kinds(self, chart: str) -> list[NeededKind]:
        """Return the kinds that the provider needs where a chart is installed."""
        why = f"gateway_provider {self.provider.name}"
        return [
            NeededKind(row["api_version"], row["kind"], why)
            for row in self.provider.requires
            if row.get("chart") == chart
        ]

    def check_cluster(self) -> None:
        """Note a class that the cluster lacks, and an adopted Gateway that is absent."""
        facts, findings = self.stack.facts, self.stack.findings
        if self.adopted:
            names = [item["metadata"]["name"] for item in self._found()]
            if self.gateway and self.gateway not in names:
                fix = "use one of: " + (", ".join(sorted(names)) or f"(namespace {self.namespace} has none)")
                text = f"Gateway {self.gateway!r} not found in namespace {self.namespace}"
                more: t.Any = {"about": [self.gateway], "covers": ["LLMD201"]}
                findings.add("gateway_existing_name", text, fix, rule="input-gateway", **more)
            return
        if facts.classes is None or self.class_name in facts.classes:
            return
        known, provider = ", ".join(sorted(facts.classes)) or "(it has none)", self.provider.name
        fallback = "gateway_class_name" if self.given.get("class_name") else "gateway_provider"
        findings.add(
            locate(self.layers, ("gateway", "gatewayClassName"), fallback),
            f"{provider} needs the GatewayClass {self.class_name!r}, which the cluster does not have",
            f"install {provider} first, or set gateway_class_name or gateway_provider to fit one of: {known}",
            rule="cluster-class",
            about=[str(self.release_name)],
            covers=["LLMD401"],
        )

    def serves(self) -> list[Object]:
        return [named(GATEWAY_API, "Gateway", self.gateway, self.namespace)] if self.gateway else []

    def tells(self) -> Object:
        given = NO_PROVIDER if self.idle else self.given["provider"]
        place: t.Any = {"name": self.gateway, "namespace": self.namespace, "provider": given}
        if self.provider_known and self.release_name is not None:
            place["provider"] = self.provider.name
        return {
            "gateway": {**place, "class_name": self.class_name, "release": self.release_name, "adopted": self.adopted}
        }


def gateway_of(stack: Object) -> Object:
    """Return what a stack's plain data tell of its Gateway, {} where they tell nothing."""
    return stack.get(GatewayComponent.name) or {}
