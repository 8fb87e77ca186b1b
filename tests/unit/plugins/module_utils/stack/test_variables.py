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
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.variables import (
    Prefixes,
    check_types,
    reads,
    reads_in_text,
    unknown,
)

ROOT = pathlib.Path(__file__).resolve().parents[5]
SPECS = {
    path.parts[-3]: yaml.safe_load(path.read_text())["argument_specs"]
    for path in sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
}
KNOWN = [name for points in SPECS.values() for point in points.values() for name in point["options"]]
SHARED = SPECS["stack"]["shared"]["options"]
PREFIXES = Prefixes(
    ["gateway_", "gaie_", "httproute_", "prepare_", "monitoring_", "teardown_", "status_", "lab_", "awx_"], ["stack_"]
)


def found(*names: str, **values: Any) -> Findings:
    findings = Findings()
    unknown(names, KNOWN, PREFIXES, findings, lambda name: reads(values, name))
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
        ("llm_namespace", "llm_d_namespace"),
        ("httpoute_timeouts", "httproute_timeouts"),
        ("lab_nmae", "lab_name"),
        ("stack_namspace", "stack_namespace"),
        ("llm_d_provider", "gateway_provider"),
        ("llm_d_hf_tokn", "prepare_hf_token"),
    ],
)
def test_a_misspelt_variable_is_a_mistake_with_what_was_meant(name: str, meant: str) -> None:
    (one,) = found(name)
    assert (one.severity, one.hint) == ("error", meant)
    assert one.text().startswith(f"{name}: unknown variable. Did you mean {meant}?")


@pytest.mark.parametrize("name", ["llm_d_frobnicate", "gateway_ip", "status_page", "lab_color", "awx_hots"])
def test_a_variable_of_a_prefix_that_nothing_reads_is_a_mistake(name: str) -> None:
    (one,) = found(name)
    assert one.severity == "error" and "Did you mean" not in one.message
    findings = Findings()
    unknown([name], KNOWN, PREFIXES, findings, others=True)
    assert [found.severity for found in findings] == ["error" if name.startswith("llm_d_") else "warning"]


@pytest.mark.parametrize(
    ("value", "is_read"),
    [
        ("{{ llm_d_my_token }}", True),
        ({"a": [{"b": "x-{{ hostvars['east'].llm_d_my_token | default('') }}"}]}, True),
        ("{% if llm_d_my_token is defined %}a{% endif %}", True),
        ("{{ lookup('vars', 'llm_d_my_' ~ env) }}", True),
        ("{{ lookup('vars', 'llm_d_' ~ env) }}", False),
        ("llm_d_my_token", False),
        ("{{ llm_d_my_token_file }} {{ old_llm_d_my_token }}", False),
        ("{{ 'llm_d_my_' ~ env }}", False),
        ({"llm_d_my_token": 1}, False),
    ],
)
def test_what_a_template_reads_is_the_users_own(value: Any, is_read: bool) -> None:
    assert reads(value, "llm_d_my_token") == is_read
    assert bool(found("llm_d_my_token", other=value)) != is_read


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("vars: {gateway_ip: 10.0.0.1}", False),
        ("  gateway_ip: 10.0.0.1\n# gateway_ip\n", False),
        ("when: gateway_ip is defined", True),
        ('msg: "{{ gateway_ip }}"', True),
        ('msg: "{{ my_gateway_ip }}"', False),
    ],
)
def test_what_a_playbooks_files_read(text: str, is_read: bool) -> None:
    assert reads_in_text(text, "gateway_ip") == is_read


def test_known_variables_and_those_of_others_are_left_alone() -> None:
    others = [
        "ansible_host",
        "awx_job_id",
        "awx_inventory_name",
        "tower_user_name",
        "team",
        "gpu_count",
        "llm",
        "environment",
        "inventory_dir",
        "model_name",
        "stack_name",
        "namespace",
    ]
    assert found(*KNOWN, *others, "llm_d_approved_digest_east", "llm_d_deployed").texts == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("llm_d_namespace", ["llm-d"], "llm_d_namespace: is a list: ['llm-d'] -> use a string"),
        ("llm_d_environment", "prod", "llm_d_environment: 'prod' is not a valid choice. Did you mean production?"),
        ("llm_d_environment", "staging", ""),
        ("llm_d_record_history", "ten", "llm_d_record_history: 'ten' is not a whole number"),
        ("llm_d_consent", "scale, delete", ""),
        ("llm_d_consent", ["sacle"], "llm_d_consent[0]: 'sacle' is not a valid choice. Did you mean scale?"),
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
        raise OrchestratorError("cannot be evaluated: 'nope' is undefined")

    findings = Findings()
    check_types(["llm_d_models"], SHARED, value_of, findings)
    assert [(one.rule, one.mark.file) for one in findings] == [("input-template", "llm_d_models")]
