# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Guides of llm-d as inventories: what is written, what is reported with its line, what is refused and why."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.guides.run import ImportedGuide, import_guide
from ansible_collections.llm_d.orchestrator.plugins.module_utils.values.written import write
from hypothesis import given, settings
from hypothesis import strategies as st

CHECKOUT = pathlib.Path(__file__).parents[3] / "fixtures" / "guides"


def imported(guide: str, root: pathlib.Path = CHECKOUT, **options: t.Any) -> ImportedGuide:
    return import_guide(str(root / "guides" / guide), "", **options)


def model(found: ImportedGuide) -> dict[str, t.Any]:
    (entry,) = found.variables["llm_d_models"]
    return t.cast(dict[str, t.Any], entry)


def names(paths: list[str]) -> list[str]:
    return [path.removeprefix(f"{CHECKOUT}/guides/") for path in paths]


def places(found: ImportedGuide, kind: str) -> list[tuple[str, int]]:
    return [(entry["file"], entry["line"]) for entry in found.report[kind]]


def line(name: str, text: str, root: pathlib.Path = CHECKOUT) -> int:
    lines = (root / name).read_text().splitlines()
    return next(number for number, one in enumerate(lines, 1) if text in one)


def test_what_a_page_deploys_by_default() -> None:
    found = imported("small")
    folder = f"{CHECKOUT}/guides"
    assert found.variables == {
        "llm_d_namespace": "llm-d-small",
        "gaie_chart": "llm-d-router-standalone",
        "gaie_chart_ref": "oci://ghcr.io/llm-d/charts/llm-d-router-standalone",
        "gaie_chart_version": "v0.10.0",
        "prepare_hf_token": "{{ lookup('ansible.builtin.env', 'HF_TOKEN') }}",
        "prepare_hf_token_secret": "llm-d-hf-token",
        "llm_d_models": [
            {
                "name": "small",
                "model": "example-org/Small-1B",
                "kustomization": f"{folder}/small/modelserver/gpu/vllm/base",
                "pool": {
                    "release_name": "small",
                    "values_files": [f"{folder}/recipes/router/base.yaml", f"{folder}/small/router/small.yaml"],
                    "values": {"router": {"epp": {"flags": {"v": 2}}}},
                },
            }
        ],
    }
    assert (found.variant, found.mode, found.variants) == ("gpu/vllm/base", "standalone", ["gpu/vllm/base", "cpu/vllm"])


def test_behind_a_gateway_the_charts_own_route_becomes_ours() -> None:
    found = imported("small", mode="gateway")
    assert model(found)["route"] == {"name": "small"}
    assert names(model(found)["pool"]["values_files"]) == ["recipes/router/base.yaml", "small/router/small.yaml"]
    assert {key: found.variables[key] for key in ("gateway_provider", "gateway_name", "gaie_chart")} == {
        "gateway_provider": "istio",
        "gateway_name": "llm-d-inference-gateway",
        "gaie_chart": "llm-d-router-gateway",
    }
    assert imported("small", mode="gateway", provider="gke").variables["gateway_provider"] == "gke"


def test_a_variant_has_its_own_router_values_and_served_name() -> None:
    found = imported("small", variant="cpu/vllm")
    assert model(found)["model"] == "tiny"
    assert names(model(found)["pool"]["values_files"])[-1] == "small/router/small-cpu.yaml"


@pytest.mark.parametrize(
    ("variant", "values"),
    [("gpu/vllm/base", "steps.yaml"), ("gpu/sglang/base", "steps-sglang.yaml"), ("tpu/v6/vllm", "steps.yaml")],
)
def test_steps_are_chosen_by_the_variant(variant: str, values: str) -> None:
    found = imported("steps", variant=variant)
    assert model(found)["kustomization"].endswith(f"/steps/modelserver/{variant}")
    assert names(model(found)["pool"]["values_files"])[-1] == f"steps/router/{values}"
    assert model(found)["model"] == "example-org/Small-1B"


def test_what_is_not_translated_is_listed_with_its_line() -> None:
    found = imported("small")
    page = "guides/small/README.md"
    assert places(found, "untranslated") == [(page, line(page, "guides/recipes/monitoring"))]
    assert (page, line(page, "kubectl create clusterrole")) in places(found, "ignored")
    assert (page, line(page, "helm uninstall")) in places(found, "ignored")
    assert ("guides/env.sh", line("guides/env.sh", "ROUTER_EPP_VERSION")) in places(found, "notes")
    steps = "guides/steps/guide.yaml"
    assert places(imported("steps"), "untranslated") == [(steps, line(steps, "helm upgrade --install cache"))]


def test_the_environment_wins_over_the_guide() -> None:
    given = {"ROUTER_CHART_VERSION": "v0.9.0", "ROUTER_EPP_VERSION": "v0.9.1", "NAMESPACE": "mine"}
    found = imported("small", variables=given).variables
    assert found["gaie_chart_version"] == "v0.9.0"
    assert found["gaie_image"] == "ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.9.1"
    assert found["llm_d_namespace"] == "mine"


def test_a_helmfile_is_read_and_not_run() -> None:
    found = imported("spring")
    assert {key: value for key, value in found.variables.items() if key != "llm_d_models"} == {
        "llm_d_namespace": "llm-d-of-spring",
        "gateway_provider": "istio",
        "gateway_name": "spring",
        "gateway_chart_version": "v1.3.6",
        "gaie_chart_version": "v1.3.0",
        "gaie_chart_ref": "oci://registry.k8s.io/gateway-api-inference-extension/charts/inferencepool",
        "modelservice_chart_version": "v0.4.5",
        "prepare_hf_token": "{{ lookup('ansible.builtin.env', 'HF_TOKEN') }}",
        "prepare_hf_token_secret": "llm-d-hf-token",
    }
    entry = model(found)
    assert (entry["name"], entry["release_name"], entry["route"]) == ("spring", "ms-spring", {"name": "llm-d-spring"})
    # --set of an item: the whole list, with that item changed.
    assert entry["values"]["decode"]["containers"][0]["env"] == [
        {"name": "RELEASE", "value": "spring"},
        {"name": "OTHER", "value": "1"},
    ]
    host = "gaie-spring-epp.llm-d-of-spring.svc.cluster.local"
    assert entry["pool"]["values"] == {"provider": {"istio": {"destinationRule": {"host": host}}}}
    assert model(imported("spring", variant="cpu"))["model"] == "example-org/Tiny-1B"
    renamed = imported("spring", variables={"RELEASE_NAME_POSTFIX": "two"})
    assert model(renamed)["release_name"] == "ms-two"


@pytest.mark.parametrize(
    ("guide", "options", "said"),
    [
        ("small", {"variant": "gpu/vlm/base"}, "Did you mean gpu/vllm/base?"),
        ("small", {"mode": "gateway", "provider": "istoi"}, "Did you mean istio?"),
        ("spring", {"mode": "standalone"}, "no router that stands alone"),
        ("spring", {"variant": "alone"}, "guides/spring/helmfile.yaml.gotmpl"),
        ("spring", {"variant": "cpuu"}, "Did you mean cpu?"),
        ("recipes", {}, "neither README.md nor guide.yaml"),
        ("nowhere", {}, "guide not found"),
        ("../guides", {}, "small, spring, steps"),
    ],
)
def test_what_cannot_be_imported_is_refused(guide: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(OrchestratorError) as caught:
        imported(guide, **options)
    assert said in str(caught.value)


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    shutil.copytree(CHECKOUT, tmp_path / "checkout")
    return tmp_path / "checkout"


BREAKS = [
    ("small/router/small.yaml", None, "guides/small/README.md:30", {}),
    ("small/router/small.yaml", "[1]", "guides/small/router/small.yaml is not a map", {}),
    ("small/router/small.yaml", "a: [", "guides/small/router/small.yaml:2", {}),
    ("small/modelserver/gpu/vllm/base/patch.yaml", None, "base/kustomization.yaml:11", {}),
    ("small/modelserver/gpu/vllm/base/patch.yaml", "a: {", "base/patch.yaml:2: not valid", {}),
    ("small/modelserver/gpu/vllm/base/kustomization.yaml", "- 1", "base/kustomization.yaml: it is not a map", {}),
    ("recipes/server/kustomization.yaml", None, "guides/recipes/server: the folder has no kustomization.yaml", {}),
    ("recipes/server/kustomization.yaml", "helmCharts: [{name: a}]", "helmCharts runs Helm", {}),
    ("recipes/server/kustomization.yaml", "resources: [../../../../up.yaml]", "outside of the checkout", {}),
    ("spring/gaie/values.yaml", None, "helmfile.yaml.gotmpl:36: the values file gaie/values.yaml", {}),
    ("spring/gateway-istio.yaml", None, "gateway-istio.yaml does not exist", {}),
    ("spring/helmfile.yaml.gotmpl", "releases:\n{{ if }}\n", "helmfile.yaml.gotmpl:2", {}),
    ("spring/helmfile.yaml.gotmpl", "releases:\n  - {{ lookup }}\n{{ end }}", "helmfile.yaml.gotmpl:2", {}),
    ("spring/helmfile.yaml.gotmpl", "a: 1", "it has no releases", {}),
    ("steps/guide.yaml", "deploy: [", "guides/steps/guide.yaml:2: not a valid", {}),
]


@pytest.mark.parametrize(("name", "text", "said", "options"), BREAKS)
def test_a_broken_checkout_is_named_with_file_and_line(
    checkout: pathlib.Path, name: str, text: str | None, said: str, options: dict[str, str]
) -> None:
    file = checkout / "guides" / name
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    guide = name.partition("/")[0]
    with pytest.raises(OrchestratorError) as caught:
        imported("small" if guide == "recipes" else guide, checkout, **options)
    assert said in str(caught.value)


def test_a_helmfile_names_its_provider_from_infra_v1_4_on(checkout: pathlib.Path) -> None:
    values = checkout / "guides" / "spring" / "gateway-istio.yaml"
    values.write_text("gateway: {provider: kgateway, port: 80}\nprovider: {name: kgateway}\n")
    found = imported("spring", checkout).variables
    assert (found["gateway_provider"], found["gateway_values"]) == ("kgateway", {"gateway": {"port": 80}})


def test_sed_between_kustomize_and_kubectl_becomes_an_overlay(checkout: pathlib.Path) -> None:
    page = checkout / "guides" / "small" / "README.md"
    old = "kubectl apply -n ${NAMESPACE} -k ${REPO_ROOT}/guides/${GUIDE_NAME}/modelserver/gpu/vllm/${INFRA_PROVIDER}/"
    new = (
        "kubectl kustomize ${REPO_ROOT}/guides/steps/modelserver/gpu/vllm/${INFRA_PROVIDER}/ \\\n"
        '  | sed "s/steps/${GUIDE_NAME}/g" | kubectl apply -n ${NAMESPACE} -f -'
    )
    page.write_text(page.read_text().replace(old, new))
    shutil.rmtree(checkout / "guides" / "small" / "modelserver" / "gpu")
    entry = model(imported("small", checkout))
    assert entry["kustomization"] == str(checkout / "guides/steps/modelserver/gpu/vllm/base")
    assert entry["overlay"]["labels"] == {"llm-d.ai/guide": "small"}
    (patch,) = entry["overlay"]["patches"]
    assert yaml.safe_load(patch["patch"])[0]["path"] == "/spec/selector/matchLabels/llm-d.ai~1guide"


def test_files_of_an_inventory(tmp_path: pathlib.Path) -> None:
    inventory = str(tmp_path / "inventory")
    found = import_guide(str(CHECKOUT / "guides" / "small"), inventory, host="east")
    write(found.files)
    assert [file.path for file in found.files] == [f"{inventory}/hosts.yml", f"{inventory}/host_vars/east.yml"]
    entry = yaml.safe_load((tmp_path / "inventory" / "host_vars" / "east.yml").read_text())["llm_d_models"][0]
    path = (tmp_path / "inventory" / entry["kustomization"]).resolve()
    assert path == CHECKOUT / "guides/small/modelserver/gpu/vllm/base"
    again = import_guide(str(CHECKOUT / "guides" / "small"), inventory, host="east")
    assert [file.changed for file in again.files] == [False]


FILES = (
    "env.sh",
    "small/README.md",
    "small/modelserver/gpu/vllm/base/kustomization.yaml",
    "small/modelserver/gpu/vllm/base/patch.yaml",
    "steps/guide.yaml",
    "spring/helmfile.yaml.gotmpl",
    "spring/ms/values.yaml",
)


SIGNS = ['"', "'", "`", "${", "$(", "{{", "}}", "\\\n", "<<E\n", "- ", "&a *a"]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(FILES),
    start=st.integers(0, 3000),
    size=st.integers(0, 200),
    text=st.one_of(
        st.text(max_size=12), st.sampled_from(['"', "'", "`", "${", "$(", "{{", "}}", "\\\n", "<<E\n", "- ", "&a *a"])
    ),
)
def test_whatever_stands_in_a_file_is_imported_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, start: int, size: int, text: str
) -> None:
    root = tmp_path_factory.mktemp("guides") / "checkout"
    shutil.copytree(CHECKOUT, root)
    file = root / "guides" / name
    content = file.read_text()
    file.write_text(content[:start] + text + content[start + size :], encoding="utf-8", errors="surrogatepass")
    guide = "small" if name == "env.sh" else name.partition("/")[0]
    for mode in ("standalone", "gateway"):
        try:
            found = imported(guide, root, mode=mode)
        except OrchestratorError:
            continue
        assert found.variables["llm_d_models"]
    shutil.rmtree(root.parent)
