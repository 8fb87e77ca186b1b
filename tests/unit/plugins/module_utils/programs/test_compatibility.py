# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The compatibility table."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.apis import ALPHA_POOL_GROUP, POOL_GROUP
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.compatibility import (
    GATEWAYS,
    PICKERS,
    PROVIDERS,
    chart_row,
    gateway_row,
    picker_row,
    provider_of,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.programs.versions import version

ROOT = pathlib.Path(__file__).resolve().parents[5]
FILES = sorted(path for path in ROOT.glob("roles/*/*/providers/*.yml") if path.stem != "none")

GATEWAY_ROWS = [
    ("istio", "1.28.1", (POOL_GROUP,)),
    ("istio", "1.29.2", (POOL_GROUP,)),
    ("istio", "v1.27.0", (ALPHA_POOL_GROUP,)),
    ("istio", "1.26.3", ()),
    ("istio", None, None),
    ("istio", "latest", None),
    ("openshift", "1.28.2", (POOL_GROUP,)),
    ("openshift", None, None),
    ("kgateway", "2.2.1", ()),
    ("kgateway", "2.1.1", None),
    ("agentgateway", "1.0.0", (POOL_GROUP,)),
    ("gke", "1.34.1", None),
]


@pytest.mark.parametrize(("provider", "running", "groups"), GATEWAY_ROWS)
def test_what_a_gateway_routes_to(provider: str, running: str | None, groups: tuple[str, ...] | None) -> None:
    row = gateway_row(provider, running)
    assert (row.groups if row else None) == groups


IMAGES = [
    ("registry.k8s.io/gateway-api-inference-extension/epp:v0.5.1", (ALPHA_POOL_GROUP,)),
    ("registry.k8s.io/gateway-api-inference-extension/epp:v1.3.0", (POOL_GROUP, ALPHA_POOL_GROUP)),
    ("localhost:5000/llm-d-router-endpoint-picker:main@sha256:0", (POOL_GROUP,)),
    ("example.com/mine:1", None),
]


@pytest.mark.parametrize(("image", "groups"), IMAGES)
def test_what_a_picker_understands(image: str, groups: tuple[str, ...] | None) -> None:
    row = picker_row(image)
    assert (row.groups if row else None) == groups


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_providers_of_the_roles_are_the_table_s(path: pathlib.Path) -> None:
    data = yaml.safe_load(path.read_text())
    for class_name in data["class_names"]:
        found = provider_of(class_name)
        assert found and found.name == path.stem
        assert found.route_timeouts == data["route_timeouts"]
        chart = (data.get("values") or {}).get("inferencepool") or {}
        assert (chart.get("provider") or {}).get("name", "none") == found.pool_provider
    for controller in data["controller_names"]:
        assert provider_of("any", controller) == provider_of(data["class_names"][0])


def test_rows_have_sources_and_known_providers() -> None:
    names = {provider.name for provider in PROVIDERS}
    assert all(row.source and row.remedy and row.provider in names for row in GATEWAYS)
    assert all(row.source for row in PICKERS)


@pytest.mark.parametrize(("text", "number"), [("v1.28.1-rc2", (1, 28, 1)), ("2", (2,)), ("main", None), (None, None)])
def test_versions(text: str | None, number: tuple[int, ...] | None) -> None:
    assert version(text) == number


@pytest.mark.parametrize(
    ("chart", "running", "groups"),
    [
        ("inferencepool", "v0.5.1", (ALPHA_POOL_GROUP,)),
        ("inferencepool", "v1.2.1", (POOL_GROUP, ALPHA_POOL_GROUP)),
        ("inferencepool", "1.3.0", (POOL_GROUP, ALPHA_POOL_GROUP)),
        ("inferencepool", "v1.5.0", (POOL_GROUP,)),
        ("inferencepool", "", None),
        ("other", "v1.3.0", None),
    ],
)
def test_charts_by_version(chart: str, running: str, groups: tuple[str, ...] | None) -> None:
    row = chart_row(chart, running)
    assert (row.groups if row else None) == groups
