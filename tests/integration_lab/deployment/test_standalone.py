# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Routers that stand alone: up without a Gateway, verified through their Services, changed, broken, restored, gone."""

from __future__ import annotations

import copy
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab
from recorded_stack import model

from playbooks import ROOT, Run, play

CHART = "llm-d-router-standalone"
GATEWAY_API, POOL_API = "gateway.networking.k8s.io/v1", "inference.networking.k8s.io/v1"
APART = {"router": {"proxy": {"mode": "service"}, "inferencePool": {"create": False}}}
KINDS = (("apps/v1", "Deployment"), ("v1", "Service"), (POOL_API, "InferencePool"))


class Stack:
    """Two models: one has its proxy beside its picker, the other in pods of its own, and no InferencePool."""

    def __init__(self, lab: Lab, folder: pathlib.Path, namespace: str) -> None:
        self.lab, self.folder, self.namespace = lab, folder, namespace
        self.models = [{key: value for key, value in model(name, 2).items() if key != "route"} for name in "ab"]
        self.models[1]["pool"] = {"values": copy.deepcopy(APART)}

    def play(self, name: str, **more: Any) -> Run:
        """Run a playbook; `more` are variables besides the stack's."""
        charts = ROOT / "roles" / "lab" / "files" / "charts"
        variables = {"gaie_chart": CHART, "gaie_chart_ref": str(charts / CHART), "verify_timeout": 20}
        variables |= {"llm_d_namespace": self.namespace, "llm_d_models": self.models, **more}
        return play(self.folder, name, timeout=300, llm_d_records_dir=str(self.folder / "records"), **variables)

    def names(self, api: str, kind: str) -> set[str]:
        """The names of a kind's objects in the namespace."""
        return {item.metadata.name for item in self.lab.resource(api, kind).get(namespace=self.namespace).items}

    def record(self) -> dict[str, Any]:
        """The newest record."""
        newest = sorted((self.folder / "records").glob("*/2*/record.json"))[-1]
        return json.loads(newest.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def stack(lab: Lab, tmp_path_factory: pytest.TempPathFactory, new_namespace: Callable[[], str]) -> Stack:
    return Stack(lab, tmp_path_factory.mktemp("standalone"), new_namespace())


def test_it_goes_up_without_a_gateway_and_each_model_answers(stack: Stack) -> None:
    run = stack.play("site")
    assert run.code == 0, run.text
    for line in ("port-forward service/gaie-a-epp 8080:8081", "port-forward service/gaie-b-proxy 8081:8081"):
        assert line in run.text
    assert stack.names(GATEWAY_API, "Gateway") | stack.names(GATEWAY_API, "HTTPRoute") == set()
    assert stack.names(POOL_API, "InferencePool") == {"gaie-a"}
    assert {"gaie-a-epp", "gaie-b-epp", "gaie-b-proxy"} <= stack.names("apps/v1", "Deployment")
    found = stack.record()["verification"]
    assert found["failures"] == [] and [row["ok"] for row in found["models"]] == [True, True]
    checks = {(row["model"], row["name"]): row["ok"] for row in found["checks"]}
    wanted = [(name, check) for name in "ab" for check in ("router", "served_by", "selector", "endpoint_picker")]
    assert {key: checks.get(key) for key in wanted} == dict.fromkeys(wanted, True)


def test_again_nothing_changes_and_the_other_playbooks_agree(stack: Stack) -> None:
    run = stack.play("site")
    assert (run.code, run.changed) == (0, 0), run.text
    for name, said in (("verify", "VERIFIED"), ("status", "no drift"), ("diagnose", "show no failure")):
        run = stack.play(name)
        assert run.code == 0 and said in run.text, run.text


def test_a_change_is_deployed_and_what_was_there_before_is_restored(stack: Stack) -> None:
    before = copy.deepcopy(stack.models)
    port = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8081}
    stack.models[0]["pool"] = {"values": {"router": {"extraServicePorts": [port]}}}
    run = stack.play("site")
    assert run.code == 0 and "port-forward service/gaie-a-epp 8080:80 " in run.text, run.text
    stack.models = before
    run = stack.play("rollback", rollback_confirm=True)
    assert run.code == 0, run.text
    run = stack.play("verify")
    assert run.code == 0 and "port-forward service/gaie-a-epp 8080:8081" in run.text, run.text


def test_a_router_without_pods_is_named_and_the_others_serve(stack: Stack) -> None:
    deployments = stack.lab.resource("apps/v1", "Deployment")
    deployments.patch(
        {"spec": {"replicas": 0}},
        name="gaie-a-epp",
        namespace=stack.namespace,
        content_type="application/merge-patch+json",
    )
    run = stack.play("verify")
    assert run.code != 0 and f"Service {stack.namespace}/gaie-a-epp has no ready pod" in run.text, run.text
    assert "1 of 2 models behind standalone routers did not pass" in run.text, run.text
    run = stack.play("diagnose")
    assert "No route refers" not in run.text, run.text
    run = stack.play("site")
    assert run.code == 0 and "the models answer" in run.text, run.text


def test_it_goes_away_whole(stack: Stack) -> None:
    run = stack.play("teardown", teardown_confirm=True)
    assert run.code == 0, run.text
    assert {kind: stack.names(api, kind) for api, kind in KINDS} == {kind: set() for _api, kind in KINDS}
