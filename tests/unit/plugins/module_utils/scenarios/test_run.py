# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Scenarios of llm-d-benchmark as inventories: what is written, what is reported, what is refused."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.data import dig
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.scenarios.run import Imported, import_scenario
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.written import write
from hypothesis import given, settings
from hypothesis import strategies as st

TWO_ROLES = pathlib.Path(__file__).parents[3] / "fixtures" / "scenarios" / "two-roles.scenario"
MODEL = "export LLMDBENCH_DEPLOY_MODEL_LIST=org/tiny\n"
DECODE = "LLMDBENCH_VLLM_MODELSERVICE_DECODE_"
NO_PREFILL = "LLMDBENCH_VLLM_MODELSERVICE_PREFILL_REPLICAS=0\n"


def imported(folder: pathlib.Path, text: str | None = None, **options: t.Any) -> Imported:
    path = TWO_ROLES
    if text is not None:
        path = folder / "scenarios" / "tiny.sh"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    defaults: dict[str, t.Any] = {"host": "east", "values_dir": "", "variables": {}, "force": False}
    return import_scenario(str(path), str(folder / "inventory"), **{**defaults, **options})


def values(found: Imported, ending: str = "tiny.yaml") -> dict[str, t.Any]:
    text = next(file.text for file in found.files if file.path.endswith("/" + ending))
    return t.cast(dict[str, t.Any], yaml.safe_load(text))


def decode(folder: pathlib.Path, text: str) -> dict[str, t.Any]:
    spec = values(imported(folder, MODEL + NO_PREFILL + text))["decode"]
    return {**spec, "container": spec["containers"][0]}


def changes(found: Imported) -> str:
    return "\n".join(f"{item['line']} {item['key']} {item['why']}" for item in found.report["changed"])


def test_a_whole_scenario_becomes_a_host(tmp_path: pathlib.Path) -> None:
    found = imported(tmp_path)
    assert found.variables == {
        "llm_d_namespace": "serving",
        "gateway_provider": "istio",
        "gateway_name": "east",
        "modelservice_chart_version": "v0.4.5",
        "llm_d_wait_timeout": 1200,
        "prepare_pvc_name": "model-pvc",
        "prepare_pvc_size": "50Gi",
        "prepare_pvc_storage_class": "fast-rwx",
        "prepare_pvc_access_modes": ["ReadWriteMany"],
        "prepare_downloads": ["example-org/Small-1B"],
        "prepare_wait_timeout": 2400,
        "llm_d_models": [
            {
                "name": "small-1b",
                "model": "example-org/Small-1B",
                "pool": {
                    "release_name": "small-1b-gaie",
                    "plugins_config_file": "two-profiles.yaml",
                    "values_files": ["../values/east/small-1b-pool.yaml"],
                },
                "values_files": ["../values/east/small-1b.yaml"],
            }
        ],
    }
    assert [file.path.removeprefix(str(tmp_path)) for file in found.files] == [
        "/inventory/hosts.yml",
        "/inventory/host_vars/east.yml",
        "/values/east/small-1b.yaml",
        "/values/east/small-1b-pool.yaml",
    ]
    pool = values(found, "small-1b-pool.yaml")["inferenceExtension"]["pluginsCustomConfig"]
    assert yaml.safe_load(pool["two-profiles.yaml"])["schedulingProfiles"][1]["name"] == "decode"


def test_a_models_values_hold_what_the_scenario_asks_for(tmp_path: pathlib.Path) -> None:
    found = values(imported(tmp_path), "small-1b.yaml")
    assert found["modelArtifacts"]["uri"] == "pvc+hf://model-pvc/hub/example-org/Small-1B"
    assert found["routing"]["proxy"]["targetPort"] == 8200
    spec, container = found["decode"], found["decode"]["containers"][0]
    assert (spec["replicas"], spec["parallelism"], found["prefill"]["replicas"]) == (2, {"tensor": 4}, 3)
    assert spec["acceleratorTypes"] == {"labelKey": "nvidia.com/gpu.product", "labelValues": ["NVIDIA-L40S"]}
    assert spec["volumes"] == [{"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": "8Gi"}}]
    assert container["volumeMounts"] == [{"name": "dshm", "mountPath": "/dev/shm"}]
    assert container["command"] == ["/bin/sh", "-c"]
    assert container["args"][0].startswith("/bin/true; vllm serve example-org/Small-1B --served-model-name")
    assert "--port $VLLM_METRICS_PORT --tensor-parallel-size 4 " in container["args"][0]
    env = {item["name"]: item.get("value", item.get("valueFrom")) for item in container["env"]}
    assert env["LEVEL"] == "3"
    assert env["VLLM_METRICS_PORT"] == "8200"
    assert env["VLLM_NIXL_SIDE_CHANNEL_HOST"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert container["resources"]["requests"] == {"memory": "40Gi", "cpu": "16"}
    assert found["prefill"]["containers"][0]["modelCommand"] == "vllmServe"
    connector = ["--kv-transfer-config", '{"kv_connector":"NixlConnector","kv_role":"kv_both"}']
    assert found["prefill"]["containers"][0]["args"] == ["--block-size", "64", "--seed", "7", *connector]


def test_the_report_names_lines(tmp_path: pathlib.Path) -> None:
    report = imported(tmp_path).report
    assert report["untranslatable"] == report["unknown"] == []
    assert {"line": 3, "variable": "LLMDBENCH_VLLM_COMMON_NAMESPACE", "keys": ["llm_d_namespace"]} in report[
        "translated"
    ]
    assert [item["variable"] for item in report["ignored"]] == ["LLMDBENCH_HARNESS_NAME", "LLMDBENCH_CONTROL_WORK_DIR"]
    assert any(item["line"] == 12 and "llm-d-benchmark-preprocesses" in item["why"] for item in report["changed"])


SERVER = "LLMDBENCH_VLLM_MODELSERVICE_"
CLASS = "data-science-gateway-class"
LIMITS = {"gateway": {"gatewayParameters": {"resources": {"limits": {"cpu": "2"}}}}}
PICKER = "ghcr.io/llm-d/llm-d-inference-scheduler:v9"
CONTAINER = ("decode", "containers", 0)
# What is set, where it is found: in the host's variables, or in the model's values.
SETTINGS = [
    ("model", "LLMDBENCH_DEPLOY_MODEL_LIST=a/x,b/x", "variables", ("llm_d_models", 1, "name"), "x-2"),
    ("gateway", f"{SERVER}GATEWAY_CLASS_NAME={CLASS}", "variables", ("gateway_class_name",), CLASS),
    ("picker", "LLMDBENCH_LLMD_INFERENCESCHEDULER_IMAGE_TAG=v9", "variables", ("gaie_image",), PICKER),
    ("wait", "LLMDBENCH_CONTROL_WAIT_TIMEOUT=60", "variables", ("llm_d_wait_timeout",), 60),
    ("room", "LLMDBENCH_VLLM_INFRA_GATEWAY_CPU_LIMIT=2", "variables", ("gateway_values",), LIMITS),
    ("no claim", f"{SERVER}URI_PROTOCOL=hf", "values", ("modelArtifacts", "uri"), "hf://org/tiny"),
    ("image", "LLMDBENCH_LLMD_IMAGE_TAG=v9", "values", (*CONTAINER, "image"), "ghcr.io/llm-d/llm-d-cuda:v9"),
    ("role's image", DECODE + "IMAGE=a/b:c", "values", (*CONTAINER, "image"), "a/b:c"),
    ("no accelerator", DECODE + "ACCELERATOR_NR=0", "values", ("accelerator",), {"type": "cpu"}),
    ("multinode", f"{SERVER}MULTINODE=true", "values", ("multinode",), True),
    ("no sidecar", "LLMDBENCH_LLMD_ROUTINGSIDECAR_ENABLED=false", "values", ("routing", "proxy"), {"enabled": False}),
    ("secret", "LLMDBENCH_VLLM_COMMON_HF_TOKEN_NAME=hf", "values", ("modelArtifacts", "authSecretName"), "hf"),
]


@pytest.mark.parametrize(
    ("text", "where", "path", "expected"), [row[1:] for row in SETTINGS], ids=[r[0] for r in SETTINGS]
)
def test_settings(text: str, where: str, path: tuple[t.Any, ...], expected: t.Any, tmp_path: pathlib.Path) -> None:
    found = imported(tmp_path, f"{MODEL}{NO_PREFILL}export {text}\n")
    assert dig(found.variables if where == "variables" else values(found), path) == expected


REPAIRS = [
    (
        "port without a sidecar",
        "LLMDBENCH_LLMD_ROUTINGSIDECAR_ENABLED=false\n",
        "vllm serve x --port 8200",
        "--port 8000",
    ),
    ("port behind a sidecar", "", "vllm serve x --port=$VLLM_INFERENCE_PORT", "--port=8200"),
    ("topic", "", 'vllm serve x "kv@${POD_IP}@QREPLACE_ENV_LLMDBENCH_DEPLOY_CURRENT_MODEL"', "@org/tiny"),
    ("model", "", "vllm serve /model-cache/models/a/b", "vllm serve org/tiny"),
]


@pytest.mark.parametrize(
    ("before", "script", "expected"), [row[1:] for row in REPAIRS], ids=[row[0] for row in REPAIRS]
)
def test_what_could_not_work_is_put_right_and_said(
    before: str, script: str, expected: str, tmp_path: pathlib.Path
) -> None:
    text = f"{MODEL}{before}{DECODE}MODEL_COMMAND=custom\n{DECODE}EXTRA_ARGS='{script}'\n"
    found = imported(tmp_path, text)
    assert expected in values(found)["decode"]["containers"][0]["args"][0]
    assert "replaced" in changes(found)


def test_an_unknown_value_is_left_out_with_its_line(tmp_path: pathlib.Path) -> None:
    found = imported(tmp_path, f"{MODEL}{DECODE}CPU_NR=$(nproc)\nexport LLMDBENCH_VLLM_COMMON_MAX_MODEL_LENGTH=3\n")
    assert "cpu" not in values(found)["decode"]["containers"][0]["resources"]["requests"]
    assert any(
        line.startswith("line 2: $(nproc): not translated") and f"{DECODE}CPU_NR" in line for line in found.summary
    )
    assert found.report["unknown"][0]["line"] == 3
    assert "VLLM_COMMON_MAX_MODEL_LEN" in found.report["unknown"][0]["hint"]


def test_templates_beside_the_scenario_are_filled_in_and_others_are_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "volumes.yaml.in").write_text(
        "- {name: a, size: REPLACE_ENV_LLMDBENCH_VLLM_COMMON_SHM_MEM}\n"
    )
    assert decode(tmp_path, f"{DECODE}EXTRA_VOLUMES=volumes.yaml.in\n")["volumes"] == [{"name": "a", "size": "16Gi"}]
    outside = tmp_path.parent / f"{tmp_path.name}-secret.yaml"
    outside.write_text("- {name: secret}\n")
    assert "volumes" not in decode(tmp_path, f"{DECODE}EXTRA_VOLUMES=../../{outside.name}\n")


def test_a_preset_of_the_repository_is_taken(tmp_path: pathlib.Path) -> None:
    preset = tmp_path / "setup" / "presets" / "gaie" / "queue.yaml"
    preset.parent.mkdir(parents=True)
    preset.write_text("kind: EndpointPickerConfig\n")
    found = imported(tmp_path, MODEL + "LLMDBENCH_VLLM_MODELSERVICE_GAIE_PLUGINS_CONFIGFILE=queue\n")
    assert found.variables["llm_d_models"][0]["pool"]["plugins_config_file"] == "queue.yaml"
    assert values(found, "tiny-pool.yaml")["inferenceExtension"]["pluginsCustomConfig"] == {
        "queue.yaml": preset.read_text()
    }


def test_tokens_are_not_written(tmp_path: pathlib.Path) -> None:
    token = "hf_" + "a1" * 16
    env = (
        f"cat <<EOF > ${DECODE}ENVVARS_TO_YAML\n- {{name: API_TOKEN, value: abc}}\n- {{name: X, value: {token}}}\nEOF\n"
    )
    found = imported(tmp_path, f"{MODEL}export LLMDBENCH_HF_TOKEN={token}\n{DECODE}ENVVARS_TO_YAML=$(mktemp)\n{env}")
    written = "".join(file.text for file in found.files) + repr(found.report) + repr(found.summary)
    assert token not in written
    assert "API_TOKEN" not in written
    assert "prepare_hf_token: \"{{ lookup('ansible.builtin.env', 'HF_TOKEN') }}\"" in written
    assert "tokens are not written" in changes(found)


def test_what_looks_like_a_template_stays_text(tmp_path: pathlib.Path) -> None:
    found = imported(tmp_path, MODEL + "LLMDBENCH_VLLM_COMMON_PVC_MODEL_CACHE_SIZE='{{ lookup(1) }}'\n")
    text = next(file.text for file in found.files if "host_vars" in file.path)
    assert 'prepare_pvc_size: !unsafe "{{ lookup(1) }}"' in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LLMDBENCH_DEPLOY_METHODS=standalone", "not translated"),
        ("LLMDBENCH_DEPLOY_MODEL_LIST=$(cat models)", "is unknown"),
        ("LLMDBENCH_DEPLOY_MODEL_LIST=,", "contains no model"),
        ("LLMDBENCH_VLLM_COMMON_NAMESPACE='a b'", "line 1: LLMDBENCH_VLLM_COMMON_NAMESPACE"),
        ("A=\0", "NUL"),
    ],
)
def test_what_cannot_be_imported(text: str, message: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match=message):
        imported(tmp_path, text)


def test_importing_again_changes_nothing_and_edits_are_kept(tmp_path: pathlib.Path) -> None:
    write(imported(tmp_path).files)
    assert not any(file.changed for file in imported(tmp_path).files)
    edited = tmp_path / "inventory" / "host_vars" / "east.yml"
    edited.write_text(edited.read_text() + "mine: true\n")
    with pytest.raises(OrchestratorError, match=str(edited)):
        imported(tmp_path)
    write(imported(tmp_path, force=True).files)
    assert "mine" not in edited.read_text()
    hosts = tmp_path / "inventory" / "hosts.yml"
    hosts.write_text("all: {hosts: {west: {}}}\n")
    assert "add the host east" in imported(tmp_path).summary[0]
    assert hosts.read_text() == "all: {hosts: {west: {}}}\n"


def test_values_do_not_go_into_the_inventory(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OrchestratorError, match="is in the inventory's folder"):
        imported(tmp_path, values_dir=str(tmp_path / "inventory" / "values"))


LINES = st.sampled_from(TWO_ROLES.read_text(encoding="utf-8").splitlines())


@settings(max_examples=60, deadline=2000)
@given(st.lists(st.one_of(LINES, st.text(max_size=12)), max_size=60).map("\n".join))
def test_no_scenario_crashes_the_import(text: str) -> None:
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.scenarios import scenario as scenarios_scenario
    from ansible_collections.llm_d.orchestrator.plugins.module_utils.scenarios import stack

    scenario = scenarios_scenario.Scenario(text)
    try:
        found = stack.translate(scenario, "values/")
    except OrchestratorError:
        return
    assert found.variables["llm_d_models"]
    assert scenario.report()
