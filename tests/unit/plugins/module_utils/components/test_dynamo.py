# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Stacks on NVIDIA Dynamo from their variables: platform, models and frontend of each release line."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.dynamo_platform import (
    LiveOperator,
    Operators,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.objects.graphs import graph
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.checks import needed_kinds
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings
from stack.component_options import component_options

ROOT = pathlib.Path(__file__).resolve().parents[5]
VERSIONS = ("0.5.0", "0.5.1", "0.6.1", "0.7.1", "0.9.1", "1.0.1", "1.3.0")
BASE: dict[str, dict[str, Any]] = {
    "gateway": {"provider": "istio", "name": "llm-d", "chart_ref": "infra", "chart_version": "v1.3.6"},
    "gaie": {"chart": "inferencepool"},
    "modelservice": {"chart_ref": "ms"},
    "httproute": {"mode": "per_model", "name": "llm-d"},
    "prepare": {"hf_token_secret": "llm-d-hf-token"},
    "dynamo_platform": {"enabled": True, "existing": "auto"},
    "dynamo_frontend": {"enabled": True, "replicas": 1},
}
MODELS = [
    {"name": "small", "model": "org/small"},
    {"name": "big", "model": "org/big", "mode": "disagg", "decode": {"gpus": 4, "replicas": 2}, "prefill": {"gpus": 2}},
]


def stack(models: Any = None, facts: Facts | None = None, llm_d: Any = (), **sections: Any):
    """Return a resolved stack, with the texts of its findings."""
    models = MODELS if models is None else models
    registry = sections.pop("registry", None)
    names = {*BASE, *sections, "dynamo_models"}
    components = {name: {**BASE.get(name, {}), **sections.get(name, {})} for name in names}
    components["dynamo_models"] = {"models": models, **components["dynamo_models"]}
    params = {
        "namespace": "ns",
        "models": list(llm_d),
        "components": components,
        "options": component_options(),
        "only": None,
        "search_paths": [str(sections.get("paths", {}).get("folder", ""))],
        "providers_dir": str(ROOT / "roles" / "gateway" / "files" / "providers"),
        "places": sections.get("places"),
        "image_registry": registry,
    }
    components.pop("paths", None)
    components.pop("places", None)
    findings = Findings()
    made = resolve(checked_settings(params, findings), facts or Facts(classes={"istio": "istio.io/gateway-controller"}))
    for component in made.at_work:
        component.check_cluster()
    return made, findings.texts + made.findings.texts


def graphs(made: Any) -> dict[str, Any]:
    """By name the graphs of a stack."""
    found = [item for part in made.parts() for item in part.spec.get("objects", [])]
    return {item["metadata"]["name"]: item for item in found if item["kind"] == "DynamoGraphDeployment"}


def at(version: str) -> dict[str, dict[str, Any]]:
    return {"dynamo_platform": {"version": version}}


def test_a_stack_of_dynamo_alone_needs_nothing_of_llm_d() -> None:
    made, findings = stack()
    assert findings == []
    assert [(part.component, part.name) for part in made.parts() if part.component != "prepare"] == [
        ("dynamo_platform", "dynamo-crds"),
        ("dynamo_platform", "dynamo-platform"),
        ("dynamo_models", "small"),
        ("dynamo_models", "big"),
        ("dynamo_frontend", "vllm-frontend"),
    ]
    # The kind of graphs comes with the stack's own platform.
    assert needed_kinds(made) == []
    result = as_result(made)
    assert result["gateway"]["name"] == "" and result["objects"]["gateway"] == []
    (frontend,) = result["frontends"]
    assert (frontend["service"], frontend["namespace"], frontend["port"]) == ("vllm-frontend-frontend", "ns", 8000)
    assert [(row["model"], row["graph"], row["mode"], row["roles"]) for row in frontend["models"]] == [
        ("org/small", "small", "agg", {"decode": 1}),
        ("org/big", "big", "disagg", {"decode": 2, "prefill": 1}),
    ]


def test_a_stack_of_both_has_all_and_one_of_llm_d_has_nothing_of_dynamo() -> None:
    both, _findings = stack(llm_d=[{"name": "a", "model": "org/a"}])
    assert {"dynamo_models", "modelservice", "gateway"} <= {part.component for part in both.parts()}
    only, findings = stack([], llm_d=[{"name": "a", "model": "org/a"}], dynamo_platform={"enabled": False})
    assert findings == []
    assert not {"dynamo_models", "dynamo_frontend", "dynamo_platform"} & {part.component for part in only.parts()}


def test_a_stack_of_nothing_says_so() -> None:
    _made, findings = stack([], dynamo_platform={"enabled": False})
    assert any("there is nothing to deploy" in text and "dynamo_models" in text for text in findings)


@pytest.mark.parametrize("version", VERSIONS)
def test_models_never_share_an_endpoint_and_the_frontend_sees_them_all(version: str) -> None:
    made, findings = stack(**at(version))
    assert findings == []
    read = [graph(body, version, "ns") for body in graphs(made).values()]
    workers = [(one.name, service) for one in read for service in one.workers]
    namespaces = {name: {s.dynamo_namespace for other, s in workers if other == name} for name, _service in workers}
    assert len(set.union(*namespaces.values())) == len(namespaces) == 2
    endpoints = [service.endpoint for _name, service in workers]
    assert len(set(endpoints)) == len(endpoints) == 3
    (front,) = [service for one in read for service in one.frontends]
    assert front.dynamo_namespace == "dynamo"
    assert {service.kind for _name, service in workers} == {"worker", "decode", "prefill"} or version < "0.7"
    assert [one.mode for one in read if one.workers] == ["agg", "disagg"]


@pytest.mark.parametrize(
    ("version", "charts"),
    [
        ("0.5.0", ["dynamo-crds-0.5.0.tgz", "dynamo-platform-0.5.0.tgz"]),
        ("0.9.1", ["dynamo-crds-0.9.1.tgz", "dynamo-platform-0.9.1.tgz"]),
        ("1.0.1", ["dynamo-platform-1.0.1.tgz"]),
    ],
)
def test_charts_of_a_version(version: str, charts: list[str]) -> None:
    made, _findings = stack(**at(version))
    parts = [part for part in made.parts() if part.component == "dynamo_platform"]
    assert [part.spec["chart_ref"].rpartition("/")[2] for part in parts] == charts
    assert {part.spec["chart_version"] for part in parts} == {version}
    # The operator needs the definitions when it starts.
    assert parts[-1].spec.get("after", False) is (len(parts) > 1)


def test_images_that_left_their_registries_lie_below_the_users_values() -> None:
    own = {"proxy": {"repository": "mine/proxy"}}
    values = {"dynamo-operator": {"controllerManager": {"kubeRbacProxy": {"image": own["proxy"]}}}}
    made, _findings = stack(dynamo_platform={"values": values})
    (platform,) = [part for part in made.parts() if part.name == "dynamo-platform"]
    assert platform.spec["values"]["dynamo-operator"]["controllerManager"]["kubeRbacProxy"]["image"] == own["proxy"]
    assert platform.spec["values"]["etcd"]["image"]["repository"] == "bitnamilegacy/etcd"
    # A chart that has no such keys is not given them.
    facts = Facts(classes={}, chart_values={"dynamo_platform": {"nats": {"enabled": True}}})
    small, _findings = stack(facts=facts)
    assert [part.spec["values"] for part in small.parts() if part.name == "dynamo-platform"] == [{}]


@pytest.mark.parametrize(
    ("version", "engine", "role", "words"),
    [
        ("0.5.0", "vllm", "Prefill", ["--is-prefill-worker"]),
        ("0.5.0", "vllm", "Decode", []),
        ("0.9.1", "vllm", "Decode", ["--is-decode-worker"]),
        ("1.0.1", "vllm", "Prefill", ["--disaggregation-mode", "prefill", "--kv-transfer-config"]),
        ("1.0.1", "vllm", "Decode", ["--disaggregation-mode", "decode"]),
        ("0.5.0", "sglang", "Decode", ["--disaggregation-transfer-backend", "nixl"]),
        ("0.9.1", "sglang", "Prefill", ["--disaggregation-bootstrap-port", "12345"]),
        ("0.5.0", "trtllm", "Prefill", ["--extra-engine-args", "engine_configs/prefill.yaml"]),
        ("0.9.1", "trtllm", "Decode", ["--disaggregation-mode", "decode"]),
    ],
)
def test_command_lines_of_a_version(version: str, engine: str, role: str, words: list[str]) -> None:
    models = [{"name": "m", "model": "org/m", "mode": "disagg", "engine": engine, "gpus": 2, "args": ["--mine"]}]
    made, findings = stack(models, **at(version))
    assert findings == []
    service = graphs(made)["m"]["spec"]["services"][f"{engine.capitalize()}{role}Worker"]
    main = service["extraPodSpec"]["mainContainer"]
    args = main["args"]
    assert args[-1] == "--mine" and "org/m" in args
    assert [word for word in args if word in words] == words
    assert ("--tp" if engine == "sglang" else "--tensor-parallel-size") in args
    assert service["resources"]["limits"]["gpu"] == "2"
    folder = "components" if version < "0.7" else "examples"
    assert main["workingDir"].startswith(f"/workspace/{folder}/backends/{engine}") or engine == "trtllm"
    assert main["command"] == ["python3", "-m", f"dynamo.{engine}"]
    assert main["image"].endswith(f":{version}")


@pytest.mark.parametrize(
    ("version", "entry", "times"),
    [
        ("0.5.0", {}, 720),
        ("0.6.1", {}, None),
        ("0.9.1", {"startup_timeout": 3600}, 360),
        ("0.5.1", {"startup_timeout": 65}, 7),
    ],
)
def test_the_startup_probe_leaves_time_for_download_and_load(version: str, entry: Any, times: int | None) -> None:
    made, _findings = stack([{"name": "m", "model": "org/m", **entry}], **at(version))
    main = graphs(made)["m"]["spec"]["services"]["VllmDecodeWorker"]["extraPodSpec"]["mainContainer"]
    assert main.get("startupProbe", {}).get("failureThreshold") == times


@pytest.mark.parametrize("version", ["0.5.0", "0.6.0", "1.0.1"])
def test_a_claim_is_mounted_as_its_version_has_it(version: str) -> None:
    made, findings = stack([{"name": "m", "model": "org/m", "pvc": {"name": "cache"}}], **at(version))
    assert findings == []
    spec = graphs(made)["m"]["spec"]
    service = spec["services"]["VllmDecodeWorker"]
    if version == "0.5.0":
        assert service["pvc"] == {"create": False, "name": "cache", "mountPoint": "/model-cache"}
    else:
        assert spec["pvcs"] == [{"name": "cache", "create": False}]
        assert service["volumeMounts"] == [{"name": "cache", "mountPoint": "/model-cache"}]
    assert {"name": "HF_HOME", "value": "/model-cache"} in service["envs"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"mode": "disag"}, "dynamo_models[0].mode: 'disag' is not a valid choice. Did you mean disagg?"),
        ({"engine": "vlm"}, "dynamo_models[0].engine"),
        ({"model": "https://hf.co/org/m"}, "dynamo_models[0].model"),
        ({"model": None}, "dynamo_models[0].model: is missing"),
        ({"decode": {"replica": 2}, "mode": "disagg"}, "dynamo_models[0].decode.replica: unknown key."),
        ({"prefill": {"replicas": 1}}, "dynamo_models[0].prefill: is set, but mode is agg"),
        ({"gpu": 2}, "dynamo_models[0].gpu: unknown key. Did you mean gpus?"),
        ({"gpus": -1}, "dynamo_models[0].gpus: -1 is below 0"),
        ({"pvc": {"mount_path": "/x"}}, "dynamo_models[0].pvc.name: is missing"),
        ({"name": "Big_Model"}, "dynamo_models[0].name"),
        ({"name": "vllm-frontend"}, "has the name of the frontend"),
        ({"image": "nvcr.io/nvidia/ai-dynamo/vllm-runtime:"}, "dynamo_models[0].image"),
    ],
)
def test_mistakes_of_an_entry(entry: Any, said: str) -> None:
    _made, findings = stack([{"name": "m", "model": "org/m", **entry}])
    assert any(said in text for text in findings), findings


def test_the_list_may_be_no_list() -> None:
    _made, findings = stack({"name": "m"})
    assert any("dynamo_models: is not a list" in text for text in findings)


OPERATOR = LiveOperator("dyn-controller-manager", "dynamo-system", "0.9.1", "", "dyn", False)


@pytest.mark.parametrize(
    ("existing", "operator", "adopted", "said"),
    [
        ("auto", OPERATOR, True, ""),
        ("true", OPERATOR, True, ""),
        ("true", None, False, "no Dynamo operator watches namespace ns"),
        ("false", OPERATOR, False, "two operators would watch"),
        ("auto", LiveOperator("x", "other", "0.5.0", "other", "x", False), False, ""),
        ("auto", LiveOperator("x", "ns", "0.5.0", "ns", "dynamo-platform", True), False, ""),
        ("maybe", None, False, "dynamo_platform_existing: 'maybe' is not a valid choice"),
    ],
)
def test_a_platform_that_is_there(existing: str, operator: LiveOperator | None, adopted: bool, said: str) -> None:
    facts = Facts(classes={}, seen={"dynamo_platform": Operators([operator] if operator else [], None)})
    made, findings = stack(facts=facts, dynamo_platform={"existing": existing})
    assert bool(made.components["dynamo_platform"].adopted) is adopted
    assert any(said in text for text in findings) if said else findings == []
    if adopted:
        # What graphs look like goes by the operator that is there.
        assert graphs(made)["vllm-frontend"]["spec"]["services"]["Frontend"]["globalDynamoNamespace"] is True
        assert not [part for part in made.parts() if part.component == "dynamo_platform"]
        assert [need.kind for need in needed_kinds(made)] == ["DynamoGraphDeployment"] * 2


@pytest.mark.parametrize("setting", ["chart", "crds_chart"])
def test_a_registry_that_has_no_charts_is_named(setting: str) -> None:
    ref = f"oci://helm.ngc.nvidia.com/nvidia/ai-dynamo/charts/{setting}"
    _made, findings = stack(dynamo_platform={setting: ref})
    assert any(f"dynamo_platform_{setting}: '{ref}': NVIDIA publishes no OCI charts" in text for text in findings)


def test_another_version_than_the_one_that_is_there_is_refused() -> None:
    facts = Facts(classes={}, seen={"dynamo_platform": Operators([OPERATOR], None)})
    _made, findings = stack(facts=facts, places={"dynamo_platform_version": "hosts.yml:3"}, **at("0.5.0"))
    assert any("dynamo_platform_version: is 0.5.0, but the operator" in text for text in findings)


def test_a_cluster_wide_operator_beside_a_restricted_one_is_refused_up_to_0_6() -> None:
    there = LiveOperator("x", "other", "0.6.1", "other", "x", False)
    facts = Facts(classes={}, seen={"dynamo_platform": Operators([there], None)})
    _made, findings = stack(facts=facts, **at("0.6.1"))
    assert any("two operators would watch other" in text for text in findings)
    there = LiveOperator("x", "other", "0.9.1", "other", "x", False)
    later = Facts(classes={}, seen={"dynamo_platform": Operators([there], None)})
    assert stack(facts=later, **at("0.9.1"))[1] == []


def test_definitions_of_another_are_used_as_they_are() -> None:
    notes = {"meta.helm.sh/release-name": "theirs", "meta.helm.sh/release-namespace": "default"}
    facts = Facts(classes={}, seen={"dynamo_platform": Operators([], {"metadata": {"annotations": notes}})})
    made, findings = stack(facts=facts)
    assert findings == []
    assert [part.name for part in made.parts() if part.component == "dynamo_platform"] == ["dynamo-platform"]


@pytest.mark.parametrize(
    ("fields", "version", "said"),
    [
        ((), "0.9.1", "has no field globalDynamoNamespace"),
        (("globalDynamoNamespace", "scalingAdapter"), "0.9.1", ""),
        (("globalDynamoNamespace",), "0.5.1", "is of 0.7 or later"),
        ((), "0.5.1", ""),
    ],
)
def test_definitions_of_another_line_are_refused(fields: tuple[str, ...], version: str, said: str) -> None:
    services = {"additionalProperties": {"properties": dict.fromkeys(("componentType", *fields), {})}}
    schema = {"openAPIV3Schema": {"properties": {"spec": {"properties": {"services": services}}}}}
    definition = {"metadata": {}, "spec": {"versions": [{"name": "v1alpha1", "schema": schema}]}}
    facts = Facts(classes={}, seen={"dynamo_platform": Operators([], definition)})
    _made, findings = stack(facts=facts, **at(version))
    assert any(said in text for text in findings) if said else findings == []


FILE = """\
# The image of ${NOBODY} is not asked for in a comment.
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: cache
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata:
  name: vllm-agg-${MODEL_SUFFIX}
spec:
  services:
    VllmDecodeWorker:
      dynamoNamespace: vllm-${MODEL_SUFFIX}
      componentType: worker
      replicas: ${COUNT}
      extraPodSpec:
        mainContainer:
          image: nvcr.io/nvidia/ai-dynamo/vllm-runtime:${DYNAMO_VERSION}
          command: [/bin/sh, -c]
          args: [python3 -m dynamo.vllm --model ${MODEL_NAME} $HOME]
"""


def test_a_graph_file_is_taken_with_its_variables_filled(tmp_path: pathlib.Path) -> None:
    (tmp_path / "agg.yaml").write_text(FILE)
    models = [{"name": "small", "model": "org/small", "graph_file": "agg.yaml", "variables": {"COUNT": 2}}]
    made, findings = stack(models, paths={"folder": tmp_path})
    assert findings == []
    (part,) = [part for part in made.parts() if part.component == "dynamo_models"]
    assert [item["kind"] for item in part.spec["objects"]] == ["PersistentVolumeClaim", "DynamoGraphDeployment"]
    body = part.spec["objects"][1]
    service = body["spec"]["services"]["VllmDecodeWorker"]
    assert body["metadata"] == {"name": "vllm-agg-small", "namespace": "ns"}
    assert service["replicas"] == 2
    assert service["extraPodSpec"]["mainContainer"]["image"].endswith("vllm-runtime:0.5.0")
    # No shell has looked at it.
    assert service["extraPodSpec"]["mainContainer"]["args"] == ["python3 -m dynamo.vllm --model org/small $HOME"]
    assert part.layers[1].mark(("spec", "services", "VllmDecodeWorker", "replicas")).line == 17
    told = as_result(made)["frontends"][0]["models"]
    assert [(row["model"], row["graph"], row["roles"]) for row in told] == [
        ("org/small", "vllm-agg-small", {"decode": 2})
    ]


def test_a_variable_that_nothing_fills_is_named_with_file_and_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "agg.yaml").write_text(FILE)
    _made, findings = stack(
        [{"name": "small", "model": "org/small", "graph_file": "agg.yaml"}], paths={"folder": tmp_path}
    )
    assert [text for text in findings if "has no value" in text] == [
        next(text for text in findings if f"{tmp_path}/agg.yaml:17" in text and "${COUNT}" in text)
    ]


@pytest.mark.parametrize(
    ("secrets", "given", "used"),
    [([], "", None), (["llm-d-hf-token"], "", "llm-d-hf-token"), ([], "mine", "mine")],
)
def test_the_secret_with_the_token(secrets: list[str], given: str, used: str | None) -> None:
    facts = Facts(classes={}, secrets={name: ["HF_TOKEN"] for name in secrets})
    made, _findings = stack(facts=facts, dynamo_models={"hf_token_secret": given})
    service = graphs(made)["small"]["spec"]["services"]["VllmDecodeWorker"]
    assert service.get("envFromSecret") == used


def test_images_of_graphs_come_from_the_sites_registry() -> None:
    made, _findings = stack(registry="registry.site.example:5000/mirror")
    images = {
        service["extraPodSpec"]["mainContainer"]["image"]
        for body in graphs(made).values()
        for service in body["spec"]["services"].values()
    }
    assert images == {"registry.site.example:5000/mirror/nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.5.0"}


def test_what_is_no_longer_in_the_list_is_looked_for_once_and_the_others_are_spared() -> None:
    made, _findings = stack(dynamo_models={"prune": True})
    first, second = (part for part in made.parts() if part.component == "dynamo_models")
    assert first.spec["prune"] is True and first.spec["spared"] == second.spec["objects"]
    assert "prune" not in second.spec


@pytest.mark.parametrize(("release", "brought", "charts"), [("theirs", 0, 1), ("dynamo-crds", 4, 2)])
def test_definitions_of_others_are_not_brought_so_that_the_api_server_is_asked(
    release: str, brought: int, charts: int
) -> None:
    notes = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "ns"}
    seen = Operators(operators=[], definition={"metadata": {"name": "graphs", "annotations": notes}})
    made, findings = stack(facts=Facts(seen={"dynamo_platform": seen}))
    platform = made.components["dynamo_platform"]
    assert findings == []
    assert (len(platform.brings()), len(platform.parts())) == (brought, charts)
    assert any("used unchanged" in note for note in made.notes) is (brought == 0)
