# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a plan may be carried out: what changed since, digests, consents, questions, and how long it takes."""

from __future__ import annotations

import json

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.findings import Findings
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import Action
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.approval import against, approve
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.decisions import gateways, unowned
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.file import plan_text
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.outlook import needs, order
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.state import (
    changed_inputs,
    changed_states,
    live_hash,
    plan_digest,
    states,
)
from stack.component_options import table


def config(name="a", data="1", kind="ConfigMap", **meta):
    metadata = {"name": name, "namespace": "n", **meta}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": {"k": data}}


def action(verb, live=None, name="a", **more):
    return Action("gaie", "r", config(name), verb, live=live, **more)


def plan_of(actions, inputs=None, **more):
    inputs = {"gaie/r": "1"} if inputs is None else inputs
    state = states(actions)
    rows = [one.as_dict() for one in actions]
    plan = {"format": 1, "namespace": "n", "made": "20261121T083000Z", "inputs": inputs, "state": state}
    plan |= {"actions": rows, "cluster": {"uid": "u"}, "consents": [], "questions": []}
    return {**plan, "digest": plan_digest(inputs, state, "n"), **more}


@pytest.mark.parametrize(
    ("planned", "now", "rows"),
    [
        (action("reuse", config()), action("reuse", config()), []),
        (action("reuse", config()), action("reuse", config(labels={"x": "y"})), ["ConfigMap n/a changed"]),
        (action("reuse", config()), action("create"), ["ConfigMap n/a is gone"]),
        (action("create"), action("create"), []),
        (action("create"), action("reuse", config()), []),
        (action("create"), action("update", config(data="3")), ["ConfigMap n/a exists now"]),
        (action("update", config()), action("reuse", config(data="2")), []),
        (action("update", config()), action("update", config(data="3")), ["ConfigMap n/a changed"]),
        (action("replace", config()), action("reuse", config(data="2")), []),
        (action("replace", config()), action("create"), ["ConfigMap n/a is gone"]),
        (action("delete", config()), None, []),
        (action("reuse", config()), None, ["ConfigMap n/a is no longer affected"]),
        (None, action("create"), ["ConfigMap n/a was not planned"]),
    ],
)
def test_changed_states(planned, now, rows):
    assert changed_states(plan_of([planned] if planned else []), [now] if now else []) == rows


def test_changed_inputs():
    rows = changed_inputs({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "1"})
    assert rows == ["b changed", "c is no longer part of the stack", "d was not planned"]


def test_a_state_tells_secrets_apart_and_not_what_they_are():
    one, two = config(data="eA==", kind="Secret", uid="1"), config(data="eA==", kind="Secret", uid="2")
    assert live_hash(one) != live_hash(two)
    assert live_hash(one) != live_hash(config(data="eQ==", kind="Secret", uid="1"))
    assert live_hash(config(uid="1")) == live_hash(config(uid="2"))
    assert live_hash(None) == "absent"


def approval_texts(*given):
    found, notes = against(*given)
    return [one.text() for one in found], notes


def approval(**more):
    return {"approval": "enforce", "environment": "", "plan_file": "", "approved_digest": "", **more}


@pytest.mark.parametrize(
    ("params", "change", "said"),
    [
        ({}, {}, []),
        ({"environment": "production"}, {}, ["llm_d_approved_digest: is not set"]),
        ({"approved_digest": "sha256:" + "0" * 64}, {}, ["llm_d_approved_digest: it is sha256:000"]),
        ({}, {"namespace": "m"}, ["digest does not match"]),
        ({}, {"cluster": {"uid": "v"}}, ["for another cluster"]),
        ({}, {"format": 2}, ["has format 2, not 1"]),
        ({}, {"inputs": {"gaie/r": "1", "more": "2"}}, ["digest does not match"]),
    ],
    ids=["as planned", "no digest", "wrong digest", "edited", "another cluster", "another format", "edited inputs"],
)
def test_a_plan_file(tmp_path, params, change, said):
    now = [action("create")]
    path = tmp_path / "plan.json"
    path.write_text(plan_text({**plan_of(now), **change}))
    texts, notes = approval_texts(approval(plan_file=str(path), **params), plan_of(now), now)
    assert (len(texts), notes) == (len(said), [])
    assert all(part in text for part, text in zip(said, texts, strict=True)), texts


def test_a_plan_of_another_namespace(tmp_path):
    now = [action("create")]
    path = tmp_path / "plan.json"
    path.write_text(plan_text(plan_of(now)))
    (text,), _notes = approval_texts(approval(plan_file=str(path)), {**plan_of(now), "namespace": "other"}, now)
    assert "for the namespace" in text and "not other" in text


@pytest.mark.parametrize("environment", ["", "production"])
def test_without_a_plan(environment):
    texts, _notes = approval_texts(approval(environment=environment), plan_of([]), [])
    assert [text.partition(":")[0] for text in texts] == (
        ["llm_d_plan", "llm_d_approved_digest"] if environment else []
    )


def test_a_digest_without_its_plan_is_held_against_what_would_be_done():
    now = plan_of([])
    assert approval_texts(approval(approved_digest=now["digest"]), now, []) == ([], [])
    texts, _notes = approval_texts(approval(approved_digest="sha256:1"), now, [])
    assert "the current plan has " + now["digest"] in texts[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"east": "as planned"}, ""),
        ({"east": "as planned", "west": "sha256:2"}, ""),
        ({"west": "as planned"}, "llm_d_approved_digest: has no digest for east -> "),
        ({"east": {"digest": "as planned"}}, "llm_d_approved_digest: has no digest for east -> "),
        ({"east": "sha256:1"}, "llm_d_approved_digest: it is sha256:1, but the current plan has "),
        (["as planned"], "llm_d_approved_digest: is a list -> "),
    ],
)
@pytest.mark.parametrize("environment", ["", "production"])
def test_one_digest_for_each_cluster(given, said, environment):
    """The digest is enough in production too, since the plan is made anew."""
    now = plan_of([])
    given = json.loads(json.dumps(given).replace("as planned", now["digest"]))
    params = approval(approved_digest=given, cluster_name="east", environment=environment)
    texts, _notes = approval_texts(params, now, [])
    assert [text[: len(said)] for text in texts] == ([said] if said else [])


@pytest.mark.parametrize(
    ("now", "texts", "notes"),
    [
        ([action("reuse", config()), action("create", name="b")], [], ["partly deployed: 1 of"]),
        ([action("reuse", config()), action("reuse", config("b"), "b")], [], ["nothing remains to be done"]),
        (
            [action("reuse", config()), action("update", config("b", "9"), "b")],
            ["partly deployed, and since then ConfigMap n/b exists now"],
            [],
        ),
    ],
    ids=["interrupted", "done", "changed since"],
)
def test_a_plan_that_was_carried_out(tmp_path, now, texts, notes):
    path = tmp_path / "plan.json"
    path.write_text(plan_text(plan_of([action("create"), action("create", name="b")])))
    found = approval_texts(approval(plan_file=str(path)), plan_of(now), now)
    for said, lines in zip((texts, notes), found, strict=True):
        assert len(said) == len(lines)
        assert all(part in line for part, line in zip(said, lines, strict=True)), lines


CONSENT = {"id": "delete:ConfigMap/n/a", "kind": "delete", "what": "delete ConfigMap n/a", "granted": False}
QUESTION = {"id": "Gateway/n/g", "text": "which one", "choices": {"reuse": "set x", "new": "go on"}, "answer": None}


@pytest.mark.parametrize(
    ("mode", "check", "other", "mistakes", "notes"),
    [
        ("enforce", False, False, 2, 0),
        ("enforce", True, False, 0, 2),
        ("ask", False, False, 0, 0),
        ("ask", False, True, 3, 0),
        ("off", False, True, 1, 0),
    ],
)
def test_what_lacks_is_a_mistake_unless_somebody_is_asked(mode, check, other, mistakes, notes):
    found = Findings()
    if other:
        found.add("x", "is wrong")
    plan = plan_of([], consents=[CONSENT], questions=[QUESTION])
    said = approve(found, approval(approval=mode), plan, [], check_mode=check)
    assert (len(found.texts), len(said)) == (mistakes, notes)
    if mode == "enforce" and not check:
        assert found.texts[0] == "consent: delete ConfigMap n/a -> llm_d_consent: [delete]"
        assert "llm_d_decisions: {Gateway/n/g: ...}" in found.texts[1]


def test_an_answer_that_other_variables_carry_out_is_said():
    found = Findings()
    approve(
        found, approval(approval="off"), plan_of([], questions=[{**QUESTION, "answer": "reuse"}]), [], check_mode=False
    )
    assert found.texts == ["Gateway/n/g: llm_d_decisions is reuse, but which one -> set x"]


def gateway(name, class_name="istio", scope=None, protocol="HTTP"):
    listener = {"name": "l", "protocol": protocol}
    listener |= {"allowedRoutes": {"namespaces": {"from": scope}}} if scope else {}
    spec = {"gatewayClassName": class_name, "listeners": [listener]}
    return {"kind": "Gateway", "metadata": {"name": name, "namespace": "n"}, "spec": spec}


@pytest.mark.parametrize(
    ("found", "verb", "routes", "asked"),
    [
        (gateway("g"), "create", "n", True),
        (gateway("g"), "reuse", "n", False),
        (gateway("ours"), "create", "n", False),
        (gateway("g", "nginx"), "create", "n", False),
        (gateway("g", "istio-2"), "create", "n", True),
        (gateway("g"), "create", "m", False),
        (gateway("g", scope="All"), "create", "m", True),
        (gateway("g", scope="Selector"), "create", "n", False),
        (gateway("g", protocol="TCP"), "create", "n", False),
    ],
)
def test_gateways(found, verb, routes, asked):
    item = {"apiVersion": "g/v1", "kind": "Gateway", "metadata": {"name": "ours", "namespace": "n"}}
    classes = {"istio": "istio.io/c", "istio-2": "istio.io/c", "nginx": "nginx.org/c"}
    rows = gateways([Action("gateway", "r", item, verb)], [found], classes, "istio", routes, {})
    assert [row["id"] for row in rows] == (["Gateway/n/g"] if asked else [])
    if asked:
        assert rows[0]["choices"]["reuse"] == "set gateway_provider: none and gateway_existing_name: g"


@pytest.mark.parametrize(
    ("answer", "verb"), [(None, "reuse"), ("reuse", "reuse"), ("replace", "replace"), ("x", "reuse")]
)
def test_unowned(answer, verb):
    one = action("reuse", config(), asks=True, owner="unknown")
    rows = unowned([one], {"ConfigMap/n/a": answer} if answer else {})
    assert (rows[0]["answer"], one.action) == (None if answer == "x" else answer, verb)


def test_order_has_the_seconds_of_the_newest_record_with_work(tmp_path):
    def record(stamp, *steps):
        folder = tmp_path / "east" / stamp
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps({"steps": steps}))

    def step(component, name, begin, end, **more):
        return {"component": component, "step": name, "begin": begin, "end": end, "status": "done", **more}

    record("20260101T000000Z", step("gaie", "install", 1, 2), step("gaie", "ready", 2, 41.04))
    record("20260102T000000Z", step("gaie", "ready", 1, 2), step("httproute", "apply", 3, 4.5, detail="created"))
    (tmp_path / "east" / "20260103T000000Z").mkdir()
    (tmp_path / "east" / "20260103T000000Z" / "record.json").write_text("[")
    found = order(table(), {"gaie", "httproute", "gateway"}, str(tmp_path), "east")
    assert [(wave["wave"], wave["components"], wave["parallel"], wave["seconds"]) for wave in found] == [
        (1, ["gaie", "gateway"], True, 40.0),
        (2, ["httproute"], False, 1.5),
    ]
    assert order(table(), {"gaie"}, str(tmp_path), "west")[0]["seconds"] is None


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ([], {}),
        ([["a"]], {"a": []}),
        ([["platform", "router"], ["models"]], {"platform": [], "router": [], "models": ["platform"]}),
        (
            [["a"], ["platform", "router"], ["models"]],
            {"a": [], "platform": ["a"], "router": ["a"], "models": ["platform"]},
        ),
    ],
)
def test_a_component_needs_those_that_have_something_to_do(busy, expected):
    table = {"a": [], "platform": ["a"], "router": ["a"], "models": ["platform"]}
    assert needs([{"name": name, "needs": found} for name, found in table.items()], busy) == expected
