# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Gateway providers: one YAML file each, found by listing a folder, so that a new one is a new file."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ..base.errors import OrchestratorError
from ..base.names import did_you_mean
from ..base.plain_yaml import load
from ..charts.defaults import has_path

# Nothing is installed: a Gateway that exists is used.
NO_PROVIDER = "none"


@dataclasses.dataclass(frozen=True)
class Provider:
    """What a gateway implementation needs.

    class_names: GatewayClasses it answers to, best first; empty for a provider that installs nothing.
    route_timeouts: whether its routes may carry timeouts.
    requires: API kinds, [{api_version, kind, chart}], needed when that chart is installed.
    values: per chart (infra, inferencepool, llm-d-router-gateway, modelservice) the values it adds.
    variants: [{chart, has, lacks, values}], values for releases of the chart whose own values have the paths of
    has, and not those of lacks (either may be left out); the first that fits is taken.
    """

    name: str
    class_names: tuple[str, ...]
    controller_names: tuple[str, ...]
    route_timeouts: bool
    requires: tuple[dict, ...]
    values: dict[str, dict]
    variants: tuple[dict, ...] = ()

    def part(self, chart: str, defaults: dict | None = None) -> dict:
        """Return the values for one chart, {} where it needs none. defaults: the chart's own values, where known."""
        for variant in self.variants:
            if variant["chart"] == chart and defaults and _fits(variant, defaults):
                return variant["values"]
        return self.values.get(chart) or {}


def _fits(variant: dict, defaults: dict) -> bool:
    has, lacks = variant.get("has") or [], variant.get("lacks") or []
    return all(has_path(defaults, path) for path in has) and not any(has_path(defaults, path) for path in lacks)


def provider_names(folder: str) -> list[str]:
    """Return the names of the providers that a folder describes, sorted."""
    try:
        files = os.listdir(folder)
    except OSError as exc:
        raise OrchestratorError(f"The folder of gateway providers cannot be read: {exc}") from exc
    return sorted(name[:-4] for name in files if name.endswith(".yml"))


def load_provider(folder: str, name: str) -> Provider:
    """Return a provider by name; raise OrchestratorError that lists the known ones."""
    known = provider_names(folder)
    if name not in known:
        raise OrchestratorError(
            f"unknown gateway provider {name!r}.{did_you_mean(str(name), known)}",
            hint="Set gateway_provider to one of: " + ", ".join(known),
        )
    with open(os.path.join(folder, name + ".yml"), encoding="utf-8") as stream:
        return _provider(name, load(stream) or {})


def _provider(name: str, data: dict[str, t.Any]) -> Provider:
    return Provider(
        name=name,
        class_names=tuple(data.get("class_names") or ()),
        controller_names=tuple(data.get("controller_names") or ()),
        route_timeouts=bool(data.get("route_timeouts", True)),
        requires=tuple(data.get("requires") or ()),
        values=data.get("values") or {},
        variants=tuple(data.get("variants") or ()),
    )
