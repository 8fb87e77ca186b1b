# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The way of a plan by the playbooks: made, approved, refused where something changed, deployed as it says."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jsonschema
import pytest
from plane_client import Lab
from terminal import answer

from playbooks import ROOT, Run, command, environment, play

NAMESPACE = "plan-playbook"
SECRET = "hf_onlyForThisTest0123456789"
PLAIN = "only-for-this-test-too"
PRODUCTION = {"llm_d_environment": "production"}
DECODE = "ms-m0-llm-d-modelservice-decode"
CHANGING = ("create", "update", "replace", "delete")


def values(replicas: int = 1) -> dict[str, Any]:
    """Values of a simulated server, with secrets in its environment."""
    container = {"name": "vllm", "image": "ghcr.io/llm-d/llm-d-inference-sim:v0.7.1", "modelCommand": "imageDefault"}
    container["ports"] = [{"containerPort": 8000, "name": "vllm", "protocol": "TCP"}]
    container["env"] = [{"name": "HF_TOKEN", "value": SECRET}, {"name": "API_KEY", "value": PLAIN}]
    notes = {"lab.llm-d.ai/ready-delay": "200ms"}
    decode = {"create": True, "replicas": replicas, "podAnnotations": notes, "containers": [container]}
    sizes = {"accelerator": {"type": "cpu"}, "routing": {"proxy": {"enabled": False}}, "prefill": {"create": False}}
    return {**sizes, "decode": decode}


def models(count: int = 1, replicas: int = 1) -> list[dict[str, Any]]:
    """llm_d_models of a number of models."""
    return [{"name": f"m{index}", "model": f"org/m{index}", "values": values(replicas)} for index in range(count)]


class Plan(NamedTuple):
    """A plan that plan.yml wrote, and what it printed."""

    path: pathlib.Path
    content: dict[str, Any]
    run: Run

    @property
    def changes(self) -> set[tuple[str, str, str]]:
        """What changes, as (action, kind, name)."""
        rows = self.content["actions"]
        return {(row["action"], row["kind"], row["name"]) for row in rows if row["action"] in CHANGING}


class Stack(NamedTuple):
    """A namespace of one model, in a folder that gets plans and records."""

    folder: pathlib.Path
    lab: Lab

    def play(self, name: str, *args: str, **more: Any) -> Run:
        """Run a playbook on the namespace."""
        return play(self.folder, name, *args, **{"llm_d_namespace": NAMESPACE, "llm_d_models": models(), **more})

    def plan(self, **more: Any) -> Plan:
        """Make a plan."""
        run = self.play("plan", **more)
        assert (run.code, run.changed) == (0, 0), run.text
        path = self.folder / "plans" / "lab" / "latest" / "plan.json"
        return Plan(path.resolve(), json.loads(path.read_text(encoding="utf-8")), run)

    def refused(self, *texts: str, **more: Any) -> None:
        """Assert that site.yml names these texts and changes nothing."""
        run = self.play("site", **more)
        assert run.code != 0 and run.changed == 0, run.text
        for text in texts:
            assert text in run.text, run.text

    def deployed(self, **more: Any) -> Run:
        """Run site.yml to a good end."""
        run = self.play("site", **more)
        assert run.code == 0, run.text
        return run

    def typed(self, *typed: tuple[str, str], **more: Any) -> str:
        """Run site.yml on a terminal."""
        variables = {"llm_d_namespace": NAMESPACE, "llm_d_models": models(), **more}
        return answer(command("site", **variables), str(self.folder), environment(self.folder), list(typed), 240)

    def namespaces(self) -> list[str]:
        """The namespaces that there are."""
        return [item.metadata.name for item in self.lab.core.list_namespace().items]

    def replicas(self) -> int:
        """How many decode pods are asked for."""
        found = self.lab.get("apps/v1", "Deployment", NAMESPACE, DECODE)
        assert found
        return int(found["spec"]["replicas"])


@pytest.fixture(scope="module")
def stack(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack in a namespace that goes after the tests."""
    yield Stack(tmp_path_factory.mktemp("plan"), lab)
    if NAMESPACE in [item.metadata.name for item in lab.core.list_namespace().items]:
        lab.core.delete_namespace(NAMESPACE)


@pytest.fixture(scope="module")
def plan(stack: Stack) -> Plan:
    """The first plan of production."""
    checked = stack.play("plan", "--check", "--diff", "-vvv", **PRODUCTION)
    assert (checked.code, checked.changed) == (0, 0), checked.text
    assert "would be written to" in checked.text and not (stack.folder / "plans").exists()
    assert SECRET not in checked.text and PLAIN not in checked.text
    found = stack.plan(**PRODUCTION)
    assert found.content["digest"] in checked.text
    return found


def test_a_plan_changes_nothing_and_hides_secrets(stack: Stack, plan: Plan) -> None:
    assert plan.content["digest"] in plan.run.text
    assert plan.content["summary"]["create"] == len(plan.changes) > 5
    schema = json.loads((ROOT / "docs" / "operate" / "plan.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(plan.content)
    page = plan.path.with_name("plan.md").read_text(encoding="utf-8")
    for text in (page, plan.path.read_text(encoding="utf-8"), plan.run.text):
        assert SECRET not in text and PLAIN not in text
    assert {os.stat(file).st_mode & 0o777 for file in plan.path.parent.iterdir()} == {0o600}
    assert NAMESPACE not in stack.namespaces()


def test_production_deploys_just_what_was_approved(stack: Stack, plan: Plan) -> None:
    digest, path = plan.content["digest"], str(plan.path)
    assert f"-e llm_d_plan={path} -e llm_d_approved_digest={digest}" in plan.run.text
    unset = "llm_d_plan: is not set, but llm_d_environment is production"
    stack.refused("run the playbook plan", "llm_d_approved_digest", unset, **PRODUCTION)
    wrong = {"llm_d_approved_digest": "sha256:" + "0" * 64, "llm_d_models": models(replicas=2)}
    said = ("llm_d_approved_digest", "but the plan", "modelservice/ms-m0 changed")
    stack.refused(*said, **PRODUCTION, llm_d_plan=path, **wrong)
    assert NAMESPACE not in stack.namespaces()

    run = stack.deployed(**PRODUCTION, llm_d_plan=path, llm_d_approved_digest=digest)
    for row in plan.content["actions"]:
        assert stack.lab.get(row["api_version"], row["kind"], row["namespace"] or None, row["name"]), row
    record = next((stack.folder / "records" / "lab").glob("*/record.json"))
    assert json.loads(record.read_text(encoding="utf-8"))["plan_digest"] == digest
    assert SECRET not in run.text and PLAIN not in run.text


def test_after_it_nothing_would_change_and_more_models_take_no_more_tasks(stack: Stack) -> None:
    plan = stack.plan()
    assert plan.changes == set() and "Nothing would change" in plan.run.text
    more = stack.play("plan", llm_d_models=models(8))
    assert more.code == 0 and more.text.count("\nTASK [") == plan.run.text.count("\nTASK [") > 0, more.text
    run = stack.play("site", "--check", "--diff")
    assert (run.code, run.changed) == (0, 0), run.text


def test_what_others_changed_since_and_want_of_consent_refuse_a_plan(stack: Stack) -> None:
    wanted = {"llm_d_models": models(replicas=2), "llm_d_scale_threshold": 0}
    plan = stack.plan(**wanted)
    assert {(action, kind) for action, kind, _name in plan.changes} == {("update", "Deployment")}
    assert "Deployment replicas 1 → 2" in plan.run.text
    shown = stack.play("site", "--check", "--diff", **wanted, llm_d_consent=["scale"])
    # The whole plan is hidden, as the values hold secrets; the component's difference is not.
    assert shown.text.count("+  replicas: 2") == 1, shown.text
    route = next(row["name"] for row in plan.content["actions"] if row["kind"] == "HTTPRoute")
    live = stack.lab.get("gateway.networking.k8s.io/v1", "HTTPRoute", NAMESPACE, route)
    assert live
    stack.lab.delete(live)
    stack.lab.scale(NAMESPACE, "gaie-m0-epp", 2)
    gone = (f"HTTPRoute {NAMESPACE}/{route} is gone", f"Deployment {NAMESPACE}/gaie-m0-epp changed")
    texts = (*gone, "add 1 pods", "llm_d_consent: [scale]")
    stack.refused(*texts, **wanted, llm_d_plan=str(plan.path))
    assert stack.replicas() == 1
    again = stack.plan(**wanted)
    assert {("create", "HTTPRoute", route), ("update", "Deployment", "gaie-m0-epp")} <= again.changes
    # Yes on a terminal is the consent, too.
    text = stack.typed(("Type yes to deploy this", "yes"), **wanted, llm_d_plan=str(again.path))
    assert "[COMPLETE]" in text and stack.replicas() == 2, text


def test_without_a_terminal_nobody_can_be_asked(stack: Stack) -> None:
    stack.refused("The plan was not approved", "llm_d_plan", llm_d_approve="prompt")
    assert stack.replicas() == 2


def test_a_question_is_asked_and_its_answer_planned(stack: Stack, new_namespace: Callable[[], str]) -> None:
    namespace = new_namespace()
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP"}]
    gateway = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway"}
    spec = {"gatewayClassName": "istio", "listeners": listeners}
    stack.lab.apply({**gateway, "metadata": {"name": "theirs", "namespace": namespace}, "spec": spec})
    name = f"Gateway/{namespace}/theirs"
    more = {"llm_d_namespace": namespace, "llm_d_approve": "prompt"}
    stack.refused("A question is not answered", name, "llm_d_decisions", **more)
    text = stack.typed((name, "new"), ("Type yes to deploy this", "no"), **more)
    question, _name, plan = text.partition(f"lab: {name}")
    assert "Plan for lab" in plan and "Plan for lab" not in question
    assert "The plan was not approved" in text
    assert stack.lab.get("apps/v1", "Deployment", namespace, DECODE) is None
