# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Every provider's file can be loaded and stays within its charts."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.providers import (
    load_provider,
    provider_names,
)

FOLDER = str(pathlib.Path(__file__).resolve().parents[5] / "roles" / "gateway" / "files" / "providers")


def test_the_providers():
    files = sorted(path.stem for path in pathlib.Path(FOLDER).glob("*.yml"))
    assert provider_names(FOLDER) == files
    assert {"agentgateway", "gke", "istio", "kgateway", "none", "openshift"} <= set(files)


@pytest.mark.parametrize("name", provider_names(FOLDER))
def test_a_provider_gives_each_chart_only_its_own_keys(name):
    provider = load_provider(FOLDER, name)
    assert set(provider.values) <= {"infra", "inferencepool", "llm-d-router-gateway", "modelservice"}
    assert set(provider.part("infra")) <= {"gateway"}
    assert set(provider.part("inferencepool")) <= {"inferenceExtension", "provider"}
    assert set(provider.part("llm-d-router-gateway")) <= {"router", "provider"}
    assert set(provider.part("modelservice")) <= {"routing"}
    assert bool(provider.class_names) is (name != "none")


@pytest.mark.parametrize("name", [name for name in provider_names(FOLDER) if name != "none"])
def test_a_later_infra_chart_gets_its_own_shape(name):
    later = load_provider(FOLDER, name).part("infra", {"gateway": {"provider": "istio"}})
    assert later["gateway"]["provider"]
    assert "accessLogging" not in later["gateway"].get("gatewayParameters", {})
    assert "provider" not in load_provider(FOLDER, name).part("infra", {"gateway": {}}).get("gateway", {})


@pytest.mark.parametrize("name", ["istio", "openshift"])
def test_earlier_charts_get_only_what_they_read(name):
    provider = load_provider(FOLDER, name)
    flags = {"inferenceExtension": {"flags": [{"name": "v", "value": 1}]}}
    settings = provider.part("inferencepool")["provider"]["istio"]
    assert provider.part("inferencepool", flags) == {"provider": {"name": "istio"}}
    beside = provider.part("inferencepool", {**flags, "istio": {"destinationRule": {}}})
    assert beside == {"provider": {"name": "istio"}, "istio": settings}
    logs = provider.part("infra", {"gateway": {"gatewayParameters": {"logLevel": "info"}}})
    assert "accessLogging" not in logs.get("gateway", {}).get("gatewayParameters", {})
    assert provider.part("modelservice", {"routing": {"proxy": {"enabled": True}}}) == {}


def test_a_new_provider_is_a_new_file(tmp_path):
    (tmp_path / "envoy.yml").write_text("class_names: [envoy]\nroute_timeouts: false\n")
    provider = load_provider(str(tmp_path), "envoy")
    assert provider.class_names == ("envoy",)
    assert provider.route_timeouts is False


def test_an_unknown_provider_lists_the_known(tmp_path):
    with pytest.raises(OrchestratorError, match="Did you mean istio"):
        load_provider(FOLDER, "istoi")
    with pytest.raises(OrchestratorError, match="cannot be read"):
        provider_names(str(tmp_path / "none"))
