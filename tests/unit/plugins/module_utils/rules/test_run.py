# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The consistency rules over a stack from its variables: charts rendered by the real Helm, a cluster of plain data."""

from __future__ import annotations

import copy
import dataclasses
import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Finding, Findings, Mark
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.base import Facts
from ansible_collections.llm_d.orchestrator.plugins.module_utils.components.pools.checks import SELECTORS
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model import serving
from ansible_collections.llm_d.orchestrator.plugins.module_utils.model.model import build_model
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules import run
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.base import ruled
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.registry import RULES
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rules.run import (
    StackRules,
)
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.resolve import resolve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.result import as_result
from ansible_collections.llm_d.orchestrator.plugins.module_utils.stack.settings import checked_settings
from stack.test_resolve import CLASSES, params

from rules import rendered

needs_helm = pytest.mark.skipif(not rendered.HELM, reason="needs helm on PATH, or its path in HELM")
NAMESPACE = "ns"


class Cluster:
    """Lists objects by kind; kinds in refused may not be listed."""

    def __init__(self, objects: dict[str, list[dict]], refused: tuple[str, ...] = ()) -> None:
        self.objects, self.refused = objects, refused
        self.client = self

    def request(self, _method: str, path: str, **_more: Any) -> Any:
        """What is read by its path is refused."""
        raise ValueError(path)

    def list(self, api_version: str, kind: str, namespace: str | None = None, *_selectors: Any) -> list[dict]:
        if kind in self.refused:
            raise OrchestratorError(f"may not list {kind}")
        found = [] if "x-k8s" in api_version else copy.deepcopy(self.objects.get(kind, []))
        return [item for item in found if namespace in (None, item["metadata"].get("namespace", namespace))]

    def get(self, _api_version: str, kind: str, name: str, namespace: str | None = None) -> dict | None:
        return next((item for item in self.list("", kind, namespace) if item["metadata"]["name"] == name), None)


class Inventory:
    version = "v1.34.0"
    apis = sorted(f"{group}/{kind}" for group, kinds in rendered.served().items() for kind in kinds)


def rules_of(
    *models: dict,
    refused: tuple[str, ...] = (),
    objects: dict | None = None,
    secrets: dict | None = None,
    **sections: Any,
) -> StackRules:
    charts = {section: str(rendered.CHARTS / name) for section, name in _charts().items()}
    settings = {
        section: {"chart_ref": ref, "chart_version": "", **sections.get(section, {})} for section, ref in charts.items()
    }
    settings["gaie"]["image"] = "ghcr.io/llm-d/llm-d-inference-scheduler:v0.6.0"
    findings = Findings()
    settings = {**sections, **settings}
    checked = checked_settings({**params(models, **settings), "secrets": secrets or {}}, findings)
    stack = resolve(checked, Facts(classes=CLASSES))
    result = as_result(stack)
    given = {"GatewayClass": rendered.live_objects()["GatewayClass"], **(objects or {})}
    fetching = {"helm": rendered.HELM, "cache_dir": None, "plain_http": False}
    return StackRules(Cluster(given, refused), Inventory(), stack, result, fetching)  # type: ignore[arg-type]


def _charts() -> dict[str, str]:
    return {"gateway": "llm-d-infra", "gaie": "inferencepool", "modelservice": "llm-d-modelservice"}


def model(name: str, **more: Any) -> dict[str, Any]:
    values = rendered.model_values(name)
    del values["modelArtifacts"]["labels"], values["modelArtifacts"]["authSecretName"]
    return {"name": name, "model": f"org/{name}", "values": values, **more}


def found(rules: StackRules) -> list[Finding]:
    rendered = rules.render({})
    assert rendered.errors == []
    return rules.findings(rendered.parts)


@needs_helm
@pytest.mark.parametrize("names", [("a",), ("a", "b")])
@pytest.mark.parametrize("refused", [(), ("Secret", "HTTPRoute", "StorageClass", "GatewayClass", "ServiceAccount")])
def test_a_correct_stack_has_no_findings(names: tuple[str, ...], refused: tuple[str, ...]) -> None:
    assert found(rules_of(*map(model, names), refused=refused)) == []


@needs_helm
def test_a_mistake_names_the_values_that_make_it() -> None:
    wrong = model("a", pool={"values": {"inferencePool": {"targetPorts": [{"number": 8001}]}}})
    (finding,) = found(rules_of(wrong))
    assert finding.rule == "LLMD104"
    assert finding.text().startswith("LLMD104 llm_d_models[0].pool.values")
    assert " -> " in finding.text()


@needs_helm
def test_what_is_made_before_the_releases_exists() -> None:
    wanted = model("a")
    wanted["values"]["modelArtifacts"]["authSecretName"] = "token"
    rules = rules_of(wanted)
    assert [finding.rule for finding in found(rules)] == ["LLMD601"]
    made = rules_of(wanted, prepare={"hf_token_secret": "token"}, secrets={"prepare_hf_token": "hf_x"})
    assert found(made) == []


@needs_helm
def test_releases_that_need_nothing_are_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(model("a"))
    started: list[str] = []
    rendered = run.StackRules._rendered

    def render(self: StackRules, helm: Any, part: Any, wanted: Any) -> str:
        started.append(part.component)
        return rendered(self, helm, part, wanted)

    monkeypatch.setattr(run.StackRules, "_rendered", render)
    parts = rules.render(
        {("gateway", "infra-llm-d"): "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\n"}
    ).parts
    assert sorted(started) == ["gaie", "modelservice"]
    assert [item["metadata"]["name"] for part in parts for item in part.manifests if part.component == "gateway"] == [
        "kept"
    ]


@needs_helm
def test_a_chart_that_does_not_render_is_named_with_helms_message(tmp_path: pathlib.Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: broken, version: 1.0.0}")
    (tmp_path / "templates" / "x.yaml").write_text('{{ fail "give it a name" }}')
    rendered = rules_of(model("a"), modelservice={"chart_ref": str(tmp_path)}).render({})
    assert rendered.parts == []
    ((release, text),) = rendered.errors
    assert release == "ms-a"
    assert "give it a name" in text


def test_values_of_secrets_are_dropped() -> None:
    metadata = {"name": "s", "namespace": NAMESPACE, "annotations": {"last": "hunter2"}}
    kept = rules_of(model("a"), objects={"Secret": [{"metadata": metadata, "data": {"KEY": "hunter2"}}]})._objects()
    assert "hunter2" not in str(kept)
    assert list(kept["Secret"][0]["data"]) == ["KEY"]


def _finding(rule: str) -> Finding:
    found = Finding(Mark("pool.yaml", 7), "a.b", "is wrong", "do this", "", place="pool.yaml:7 (a.b)")
    return ruled(next(one for one in RULES if one.id == rule), dataclasses.replace(found, about=frozenset(["a"])))


KNOWN = [
    (("x.yaml:3", "the selector requires a='b'", ["a"], SELECTORS), ["LLMD101", "LLMD104"], ["LLMD104"], "LLMD101 x"),
    (("x.yaml:3", "the pool sends to 8001", ["a"], ["LLMD104", "LLMD207"]), ["LLMD207", "LLMD104"], [], "LLMD104 x"),
    (("cluster", "it does not serve PodMonitor", ["PodMonitor"], ["LLMD610"]), [], [], "cluster"),
    (("llm_d_models[0].nam", "unknown key", [], []), ["LLMD101"], ["LLMD101"], "llm_d_models"),
    (("x.yaml:3", "the selector requires a='b'", ["b"], SELECTORS), ["LLMD101"], ["LLMD101"], "x.yaml:3"),
    (("gateway_existing_name", "no Gateway 'a'", [], ["LLMD201"]), ["LLMD201"], [], "LLMD201 gateway_ex"),
]


@pytest.mark.parametrize(("known", "rules", "left", "start"), KNOWN)
def test_a_mistake_known_already_is_not_named_twice(known: tuple, rules: list, left: list, start: str) -> None:
    where, message, about, covers = known
    findings = Findings()
    findings.add(where, message, about=about, covers=covers)
    rest = findings.join([_finding(rule) for rule in rules])
    assert [finding.rule for finding in rest] == left
    assert findings.texts[0].startswith(start)


def test_a_finding_is_one_line() -> None:
    assert _finding("LLMD104").text() == "LLMD104 pool.yaml:7 (a.b): is wrong -> do this"


@needs_helm
def test_what_models_serve_is_read_from_their_manifests() -> None:
    rules = rules_of(model("a"), model("b"))
    told, parts = rules.result, rules.render({}).parts
    assert serving.served(told, build_model(parts)) == {"models": told["models"], "pools": told["pools"]}
    # Only the manifests count.
    moved = copy.deepcopy(parts)
    for item in (item for part in moved for item in part.manifests if item["kind"] == "Deployment"):
        item["spec"]["template"]["metadata"]["labels"]["team"] = "x"
    assert [row["labels"].get("team") for row in serving.served(told, build_model(moved))["models"]] == ["x", "x"]
