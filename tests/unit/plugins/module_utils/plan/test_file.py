# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.job import digest_variable
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.file import (
    mask_diff,
    masked_plan,
    plan_text,
    read_plan,
)
from ansible_collections.llm_d.orchestrator.plugins.modules import deployment_plan

from plan.world import DIGEST, SECRET, action, plan, question

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[5] / "docs/operate/plan.schema.json").read_text())


def parameters(path, **more):
    base = {"state": "present", "plan": plan(), "directory": str(path), "cluster": "east", "environment": ""}
    base |= {"answers": [], "approve": "auto", "artifacts": None}
    return {**base, "arguments": ["llm_d.orchestrator.plan", "-i", "inv"], **more}


def test_a_plan_is_written_for_its_owner_and_read_again(tmp_path):
    result = deployment_plan.run(parameters(tmp_path / "plans"))
    folder = tmp_path / "plans" / "east" / "20261121T083000Z"
    assert result["path"] == str(folder / "plan.json") and result["digest"] == DIGEST
    assert result["files"] == [str(folder / "plan.json"), str(folder / "plan.md")]
    assert sorted(os.listdir(folder)) == ["plan.json", "plan.md"]
    assert {os.stat(file).st_mode & 0o777 for file in result["files"]} == {0o600}
    assert os.stat(folder).st_mode & 0o777 == 0o700
    made = read_plan(result["path"])
    assert made["cluster"]["host"] == "east" and made["digest"] == DIGEST
    assert read_plan(str(tmp_path / "plans" / "east" / "latest")) == made
    for file in result["files"]:
        assert SECRET not in pathlib.Path(file).read_text()
    assert "ansible-playbook llm_d.orchestrator.site -i inv" in result["summary"][-1]
    jsonschema.Draft202012Validator(SCHEMA).validate(made)


def test_the_newest_plan_is_the_latest(tmp_path):
    for made in ("20261121T083000Z", "20261121T083001Z"):
        result = deployment_plan.run(parameters(tmp_path, plan=plan(made=made)))
    assert os.readlink(result["latest"]) == "20261121T083001Z"


def test_check_mode_says_what_it_would_write(tmp_path):
    result = deployment_plan.run(parameters(tmp_path), check_mode=True)
    assert os.listdir(tmp_path) == [] and result["files"] == []
    assert any("would be written to" in line and result["path"] in line for line in result["summary"])


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_folder_that_cannot_be_written(tmp_path, check_mode):
    (tmp_path / "file").touch()
    with pytest.raises(OrchestratorError, match="Set llm_d_plan_dir"):
        deployment_plan.run(parameters(tmp_path / "file"), check_mode)


def test_what_is_missing_is_returned(tmp_path):
    given = plan(questions=[question(), question(id="b", answer="new")])
    result = deployment_plan.run(parameters(tmp_path, state="shown", plan=given))
    assert (result["path"], result["latest"]) == ("", "") and os.listdir(tmp_path) == []
    assert result["grants"] == {"llm_d_consent": ["delete", "replace"]}
    assert [row["id"] for row in result["questions"]] == ["Gateway/demo/other"]
    assert [row["kind"] for row in result["consents"]] == ["replace"]


def typed(**answers):
    """What pause returns for two clusters' questions."""
    rows = [{"item": {"cluster": "east", "id": name}, "user_input": text} for name, text in answers.items()]
    return [*rows, {"item": {"cluster": "west", "id": "b"}, "user_input": "replace"}]


def test_answers_are_held_against_the_choices(tmp_path):
    given = parameters(tmp_path, state="answered", plan=plan(questions=[question(), question(id="b")]))
    result = deployment_plan.run({**given, "answers": typed(**{"Gateway/demo/other": " reuse", "b": "new"})})
    assert result["decisions"] == {"Gateway/demo/other": "reuse", "b": "new"}
    with pytest.raises(OrchestratorError) as refused:
        deployment_plan.run({**given, "answers": typed(**{"Gateway/demo/other": "reuse", "b": "perhaps"})})
    text = str(refused.value)
    assert "A question is not answered. Nothing was changed." in text and "'perhaps' is not one of reuse, new" in text
    with pytest.raises(OrchestratorError, match="2 questions are not answered") as refused:
        deployment_plan.run(given)
    assert """-e '{"llm_d_decisions": {"Gateway/demo/other": "reuse|new", "b": "reuse|new"}}'""" in str(refused.value)


def test_a_refusal_names_what_lacks_and_what_gives_it(tmp_path):
    given = parameters(tmp_path, state="shown")
    result = deployment_plan.run(given)
    assert result["to_approve"] and result["grants"] == {"llm_d_consent": ["delete", "replace"]}
    assert "The plan was not approved; nothing was changed." in result["refusal"]
    assert "consent is missing: replace Service demo/gaie-a-epp" in result["refusal"]
    assert """-e '{"llm_d_consent": ["delete", "replace"]}'""" in result["refusal"]
    given["plan"] = plan(consents=[])
    assert "llm_d_approve" in deployment_plan.run(given)["refusal"]


@pytest.mark.parametrize(
    ("more", "approve", "asks"),
    [
        ({}, "auto", True),
        ({"consents": []}, "auto", False),
        ({"consents": []}, "prompt", True),
        ({"consents": [], "actions": []}, "prompt", False),
        ({"consents": [], "questions": [question()]}, "auto", True),
        ({"consents": [], "questions": [question(answer="new")]}, "auto", False),
    ],
)
def test_who_has_to_be_asked(tmp_path, more, approve, asks):
    given = parameters(tmp_path, state="shown", plan=plan(**more), approve=approve)
    assert deployment_plan.run(given)["to_approve"] is asks


def test_a_question_is_asked_with_its_choices(tmp_path):
    result = deployment_plan.run(parameters(tmp_path, state="shown", plan=plan(questions=[question()])))
    (row,) = result["prompts"]
    assert (row["cluster"], row["id"]) == ("east", "Gateway/demo/other")
    assert row["prompt"].startswith("east: Gateway/demo/other: ") and row["prompt"].endswith("Type reuse or new")


def test_artifacts_are_left_on_request(tmp_path):
    assert deployment_plan.run(parameters(tmp_path, artifacts=False))["artifacts"] == {}
    left = deployment_plan.run(parameters(tmp_path, artifacts=True))["artifacts"]
    assert left == {"llm_d_approved_digest": {"east": DIGEST}, digest_variable("east"): DIGEST}


def test_production_is_approved_by_digest(tmp_path):
    last = deployment_plan.run(parameters(tmp_path, environment="production"))["summary"][-1]
    assert last.endswith(f"-e llm_d_approved_digest={DIGEST}")


def test_nothing_to_do_needs_no_command(tmp_path):
    kept = [action("reuse", "gaie", "gaie-a", "Service", "a")]
    result = deployment_plan.run(parameters(tmp_path, plan=plan(actions=kept, consents=[])))
    assert result["changes"] == 0
    assert "Nothing would change: all 1 objects are up to date." in result["summary"][1]
    assert "ansible-playbook" not in "\n".join(result["summary"])


DAMAGED = [
    ("no JSON", "{", "is damaged"),
    ("no plan", "[1]", "is not a plan"),
    ("another form", '{"a": 1}', "is not a plan"),
    ("another format", json.dumps(plan(format=2)), "has format 2, not 1"),
    ("a digest that is none", json.dumps(plan(digest="abc")), "wrong or missing digest"),
    ("no state", json.dumps(plan(state=None)), "wrong or missing state"),
    ("deep", "[" * 200_000, "is damaged"),
]


@pytest.mark.parametrize(("text", "reason"), [row[1:] for row in DAMAGED], ids=[row[0] for row in DAMAGED])
def test_a_file_that_is_no_plan(tmp_path, text, reason):
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(OrchestratorError, match=reason):
        read_plan(str(path))


def test_a_plan_that_is_not_there(tmp_path):
    with pytest.raises(OrchestratorError, match="No such file.*\n.*Set llm_d_plan"):
        read_plan(str(tmp_path / "none.json"))


def test_the_text_is_stable():
    assert plan_text(plan()) == plan_text(json.loads(plan_text(plan())))


# Indented texts of a diff, secret Secret or not, and what is shown.
DIFFS = [
    ("a token by its look", f"+  uri: {SECRET}", False, "+  uri: (masked)"),
    ("a secret key", "-  password: abc", False, "-  password: (masked)"),
    ("a quoted secret key", '+  "api-key": abc', False, '+  "api-key": (masked)'),
    ("an environment", "   - name: HF_TOKEN\n+    value: abc", False, "   - name: HF_TOKEN\n+    value: (masked)"),
    ("another environment", "   - name: LEVEL\n+    value: abc", False, "   - name: LEVEL\n+    value: abc"),
    ("a text of lines", "+  token: |\n+    abc\n+    def\n   next: 1", False,
     "+  token: |\n+    (masked)\n+    (masked)\n   next: 1"),
    ("a list", "   tokens:\n+  - abc\n   next: [1]", False, "   tokens:\n+  - (masked)\n   next: [1]"),
    ("a Secret's name", "   secret:\n     secretName: hf", False, "   secret:\n     secretName: hf"),
    ("a Secret", " data:\n-  a: YWJj\n+  b: ZGVm\n kind: Secret", True,
     " data:\n-  a: (masked)\n+  b: (masked)\n kind: Secret"),
    ("a hidden Secret", "+  data:\n+    a: (hidden, changed)", True, "+  data:\n+    a: (hidden, changed)"),
    ("no Secret", " data:\n-  a: YWJj", False, " data:\n-  a: YWJj"),
    ("an empty value", "+  token: ''", False, "+  token: ''"),
    ("headers", "--- live\n+++ planned\n@@ -1,2 +1,2 @@", False, "--- live\n+++ planned\n@@ -1,2 +1,2 @@"),
]  # fmt: skip


@pytest.mark.parametrize(("diff", "secret", "shown"), [row[1:] for row in DIFFS], ids=[row[0] for row in DIFFS])
def test_diffs(diff, secret, shown):
    assert mask_diff(diff, secret=secret) == shown


def test_a_plan_without_secrets():
    secret = action("update", "prepare", "prepare", "Secret", "hf", diff=" data:\n+  HF: YWJj\n")
    made = plan(actions=[*plan()["actions"], secret], notes=[f"found {SECRET}"], images=[f"reg/u:{SECRET}"])
    made["findings"][0]["message"] = "Bearer abcdefghijklmn"
    hidden = masked_plan(made)
    text = str(hidden)
    assert SECRET not in text and "plain-" not in text and "YWJj" not in text and "abcdefghijklmn" not in text
    assert list(hidden) == list(made)
    assert [row["name"] for row in hidden["actions"]] == [row["name"] for row in made["actions"]]
    for key in ("digest", "inputs", "state", "charts", "consents"):
        assert hidden[key] == made[key]
