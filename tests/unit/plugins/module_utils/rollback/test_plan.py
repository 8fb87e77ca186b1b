# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a return to a recorded deployment comes to, and whether it may be carried out."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.apis import GATEWAY_API
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.mask import MASK
from ansible_collections.llm_d.orchestrator.plugins.module_utils.changes.actions import Action
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm.records import Release
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rollback import plan
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rollback.plan import approval
from ansible_collections.llm_d.orchestrator.plugins.module_utils.rollback.steps import (
    HISTORY,
    UNCHANGED,
    Step,
    not_remade,
)

OURS = {"orchestrator.llm-d.ai/managed": "true"}


def action(verb: str, kind: str = "ConfigMap", name: str = "c") -> Action:
    item = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "n"}}
    return Action("gateway", "r", item, verb, "it must")


def found(*actions: Action, verb: str = HISTORY, revision: int = 2) -> plan.Return:
    current = Release("r", "n", revision, "deployed", "chart", "1.0", {"a": 1}, "", OURS)
    row = {"name": "r", "namespace": "n", "revision": 1, "chart_version": "1.0", "component": "gateway"}
    return plan.Return(
        "20260101T000000Z", "n", [Step(row, {}, current, verb, "its values differ")], list(actions), [], []
    )


def params(**more: Any) -> dict[str, Any]:
    return {"environment": "", "approved_digest": "", "confirm": False, "consent": [], **more}


CLAIM = action("delete", "PersistentVolumeClaim")
APPROVALS: list[tuple[list[Action], dict[str, Any], bool, str, str]] = [
    ([], {}, False, "", ""),
    ([], {"confirm": True}, True, "", ""),
    ([], {"confirm": True, "environment": "production"}, True, "is not set, but llm_d_environment is production", ""),
    ([], {"approved_digest": "sha256:0"}, False, "it is sha256:0, but the current rollback plan has", ""),
    ([action("replace")], {"confirm": True}, False, "", "ConfigMap n/c is DELETED and recreated: it must"),
    ([action("replace")], {"confirm": True, "consent": ["replace"]}, True, "", ""),
    ([action("delete")], {"confirm": True}, True, "", ""),
    (
        [CLAIM],
        {"confirm": True, "consent": ["replace"]},
        False,
        "",
        ", with its data: it must -> llm_d_consent: [de",
    ),
    ([CLAIM], {"confirm": True, "consent": ["delete"]}, True, "", ""),
]


@pytest.mark.parametrize(("actions", "given", "confirmed", "refused", "lacking"), APPROVALS)
def test_approval(actions: list[Action], given: dict[str, Any], confirmed: bool, refused: str, lacking: str) -> None:
    result = approval(found(*actions), params(**given))
    assert result["confirmed"] is confirmed
    for text, rows in ((refused, result["refused"]), (lacking, result["lacking"])):
        assert len(rows) == bool(text) and all(text in row for row in rows), rows


def test_a_digest_approves_just_one_return() -> None:
    digest = found(action("replace")).digest()
    given = params(environment="production", approved_digest=digest)
    result = approval(found(action("replace")), given)
    assert result["approved"] and result["confirmed"] and not result["refused"] + result["lacking"]
    for other in (found(), found(action("replace", name="d")), found(action("replace"), revision=3)):
        assert approval(other, given)["refused"] and not approval(other, given)["approved"]


def test_what_changes_is_named() -> None:
    one = found(action("replace"), action("update", name="d"))
    place = {"kind": "HTTPRoute", "namespace": "n"}
    one.applied = [{**place, "name": "a", "action": "create"}, {**place, "name": "b", "action": UNCHANGED}]
    one.extra = [Release("x", "n", 1, "deployed", "chart", "1.0", {}, "", OURS)]
    assert one.changes
    assert one.changing() == ["release n/r", "replace ConfigMap/n/c", "create HTTPRoute/n/a", "remove n/x"]
    assert not found(verb=UNCHANGED).changes and found(verb=UNCHANGED).changing() == []


def route(name: str, **more: Any) -> dict[str, Any]:
    body = {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "spec": {"hostnames": ["a"]}}
    return {**body, "metadata": {"name": name, "namespace": "n"}, **more}


def test_routes() -> None:
    live = [route("same"), route("other", spec={"hostnames": ["b"]}), route("theirs"), route("left")]
    live[3]["metadata"]["labels"] = OURS
    rows = plan.applied_actions([route("same"), route("other"), route("new")], live)
    assert [(row["name"], row["action"]) for row in rows] == [
        ("same", UNCHANGED), ("other", "update"), ("new", "create"), ("left", "remove"),
    ]  # fmt: skip
    assert "- b" in rows[1]["before"] and "- a" in rows[1]["after"] and not rows[3]["after"]
    with pytest.raises(OrchestratorError, match="because their secrets"):
        plan.applied_actions([route("masked", spec={"hostnames": [MASK]})], [])


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"chart_ref": "c", "values": {"a": 1}}, ""),
        ({}, "does not have its chart's source"),
        ({"chart_ref": "c", "values": {"token": MASK}}, "secrets in its values"),
        ({"chart_ref": "c", "values_files": ["v.yaml"]}, "its values files are not in the record: v.yaml"),
    ],
)
def test_what_cannot_be_made_from_a_record(wanted: dict[str, Any], said: str) -> None:
    assert (said in not_remade(wanted)) and bool(not_remade(wanted)) is bool(said)
