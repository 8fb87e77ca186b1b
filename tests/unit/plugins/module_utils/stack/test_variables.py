# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Variables that nothing reads, and shared ones of another type."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.variables import check_types, unknown

ROOT = pathlib.Path(__file__).resolve().parents[5]
SPECS = {
    path.parts[-3]: yaml.safe_load(path.read_text())["argument_specs"]
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
}
KNOWN = [name for points in SPECS.values() for point in points.values() for name in point["options"]]
SHARED = SPECS["stack"]["shared"]["options"]
PREFIXES = ["gateway_", "gaie_", "httproute_", "prepare_", "monitoring_", "teardown_", "status_"]


def found(*names: str) -> Findings:
    findings = Findings()
    unknown(names, KNOWN, PREFIXES, findings)
    return findings


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("llm_d_namspace", "llm_d_namespace"),
        ("llm_d_enviroment", "llm_d_environment"),
        ("llm-d_consent", "llm_d_consent"),
        ("llmd_namespace", "llm_d_namespace"),
        ("gatway_provider", "gateway_provider"),
        ("gateway_provder", "gateway_provider"),
        ("gateway_value_files", "gateway_values_files"),
        ("gaie_hf_secret", "gaie_hf_token_secret"),
        ("httproute_section", "httproute_section_name"),
        ("monitoring_enable", "monitoring_enabled"),
        ("prepare_pvc", "prepare_pvc_name"),
        ("teardown_confrim", "teardown_confirm"),
        ("model_service_values", "modelservice_values"),
    ],
)
def test_a_misspelt_variable_is_a_mistake_with_what_was_meant(name: str, meant: str) -> None:
    (one,) = found(name)
    assert (one.severity, one.hint) == ("error", meant)
    assert one.text().startswith(f"{name}: nothing reads this variable. Did you mean {meant}?")


@pytest.mark.parametrize(
    ("name", "severity"), [("llm_d_frobnicate", "error"), ("gateway_ip", "warning"), ("status_page", "warning")]
)
def test_a_variable_that_is_like_none(name: str, severity: str) -> None:
    (one,) = found(name)
    assert one.severity == severity and "Did you mean" not in one.message


def test_known_variables_and_those_of_others_are_left_alone() -> None:
    others = [
        "ansible_host",
        "awx_job_id",
        "awx_inventory_name",
        "tower_user_name",
        "lab_dir",
        "team",
        "gpu_count",
        "llm",
        "environment",
        "inventory_dir",
        "model_name",
        "namespace",
    ]
    assert found(*KNOWN, *others, "llm_d_approved_digest_east", "llm_d_deployed").texts == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("llm_d_namespace", ["llm-d"], "llm_d_namespace: is a list: ['llm-d'] -> a text"),
        ("llm_d_environment", "prod", "llm_d_environment: 'prod' is not known. Did you mean production?"),
        ("llm_d_environment", "staging", ""),
        ("llm_d_record_history", "ten", "llm_d_record_history: 'ten' is no whole number"),
        ("llm_d_consent", "scale, delete", ""),
        ("llm_d_consent", ["sacle"], "llm_d_consent[0]: 'sacle' is not known. Did you mean scale?"),
        ("llm_d_kubeconfig", [1], "llm_d_kubeconfig: is a list"),
        ("llm_d_api_token", {"a": "s3cret"}, "llm_d_api_token: is a map: (hidden)"),
        ("llm_d_models", None, ""),
    ],
)
def test_shared_variables_are_of_their_types(name: str, value: Any, said: str) -> None:
    findings = Findings()
    check_types([name], SHARED, {name: value}.__getitem__, findings)
    assert len(findings.texts) == bool(said)
    assert "".join(findings.texts).startswith(said) and "s3cret" not in "".join(findings.texts)


def test_a_variable_that_cannot_be_worked_out_is_named() -> None:
    def value_of(name: str) -> Any:
        raise OrchestratorError("cannot be worked out: 'nope' is undefined")

    findings = Findings()
    check_types(["llm_d_models"], SHARED, value_of, findings)
    assert [(one.rule, one.mark.file) for one in findings] == [("input-template", "llm_d_models")]
