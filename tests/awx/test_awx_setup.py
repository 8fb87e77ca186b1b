# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""awx_setup.yml against a server that speaks AWX's API: all objects, then nothing, then just what changed.

The tests follow each other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from awx_runs import FEW, MINE, SECRET, TEMPLATES, Run
from awx_server.server import ROOT, Awx
from awx_server.store import Store

sys.path.insert(0, str(ROOT / "tests"))
import docs_tables  # noqa: E402

SetUp = Callable[..., Run]


def name(store: Store, collection: str, number: int) -> str:
    """An object's name, without the prefix."""
    row = store.get(collection, number)
    return row.get("identifier", row.get("name", "")).removeprefix("east ")


def names(store: Store, collection: str, numbers: list[int]) -> list[str]:
    return sorted(name(store, collection, number) for number in numbers)


def linked(store: Store, collection: str, key: str, link: str, target: str = "") -> list[str]:
    """What an object is linked with, by name."""
    row = store.named(collection, key if collection == "workflow_job_template_nodes" else f"east {key}")
    return names(store, target or link, store.linked(collection, row["id"], link))


def documented() -> dict[str, Any]:
    """The files that docs/fleets/awx.md shows, as one, without their secrets."""
    text = (ROOT / "docs" / "fleets" / "awx.md").read_text(encoding="utf-8")
    shown = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[:2]]
    objects = {**shown[0].pop("awx_objects"), **shown[1].pop("awx_objects")}
    return {**shown[0], **shown[1], "awx_objects": objects, "awx_secrets": {}}


def test_check_mode_tells_of_an_empty_awx_and_takes_what_is_documented(set_up: SetUp) -> None:
    run = set_up("--check", **documented())
    assert (run.code, run.changed, run.requests) == (0, 1, []), run.text
    assert "no organization models yet" in run.text


def test_the_first_run_makes_all(awx: Awx, set_up: SetUp) -> None:
    run = set_up(**MINE)
    assert run.code == 0, run.text
    assert SECRET not in run.text
    made = {kind: len(rows) for kind, rows in awx.store.objects.items() if rows}
    assert made == {
        **dict.fromkeys(("organizations", "execution_environments", "credentials", "instance_groups"), 1),
        **dict.fromkeys(("inventories", "notification_templates", "workflow_job_templates", "schedules"), 1),
        **{"projects": 2, "inventory_sources": 2, "workflow_approval_templates": 2},
        **{"teams": 3, "credential_types": 3, "job_templates": 7, "workflow_job_template_nodes": 8},
    }
    assert all(
        row["name"].startswith("east ")
        for kind, rows in awx.store.objects.items()
        for row in rows.values()
        if kind not in ("organizations", "workflow_job_template_nodes", "workflow_approval_templates")
    )


def test_a_second_run_changes_nothing(set_up: SetUp) -> None:
    run = set_up(**MINE)
    assert (run.code, run.changed, run.requests) == (0, 0, []), run.text


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_has_all_it_needs(awx: Awx, key: str) -> None:
    store, row = awx.store, awx.store.named("job_templates", f"east {key}")
    assert row["playbook"] == f"playbooks/{'site' if key == 'deploy' else key}.yml"
    assert name(store, "organizations", row["organization"]) == "models"
    assert name(store, "projects", row["project"]) == "playbooks"
    assert name(store, "inventories", row["inventory"]) == "clusters"
    assert name(store, "execution_environments", row["execution_environment"]) == "orchestrator"
    assert linked(store, "job_templates", key, "credentials") == ["clusters"]
    assert linked(store, "job_templates", key, "instance_groups") == ["fleet"]
    assert linked(store, "job_templates", key, "notification_templates_error", "notification_templates") == ["alerts"]
    assert (row["job_slice_count"], row["ask_limit_on_launch"], row["survey_enabled"]) == (4, True, True)


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_survey_asks_what_the_roles_take(awx: Awx, key: str) -> None:
    """Each question is an option of a role, of its type, with its choices and its default."""
    row = awx.store.named("job_templates", f"east {key}")
    options: dict[str, Any] = {}
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        options.update(docs_tables.role_options(path.parent.parent.name))
    options["llm_d_consent"] = {"type": "list", "choices": ["delete", "replace", "scale"], "default": []}
    options["llm_d_prune"] = {"type": "str", "choices": ["ask", "true", "false"], "default": ""}
    options["llm_d_approved_digest"] = {"type": "str", "default": ""}
    options["llm_d_accept"] = {"type": "str", "default": ""}
    kinds = {"int": "integer", "float": "float", "bool": "multiplechoice", "list": "multiselect"}
    spec = awx.store.surveys["job_templates", row["id"]]["spec"]
    assert spec
    for question in spec:
        option = options[question["variable"]]
        kind = "multiplechoice" if option.get("choices") else "text"
        assert question["type"] == ("password" if option.get("no_log") else kinds.get(option["type"], kind))
        default = option.get("default")
        wanted = "\n".join(default) if isinstance(default, list) else default
        wanted = str(wanted).lower() if isinstance(wanted, bool) else wanted
        assert question.get("default", "") == wanted
        if option.get("choices"):
            assert question["choices"] == option["choices"]


def test_a_rollout_that_waits_keeps_none_from_planning_and_not_for_ever(awx: Awx) -> None:
    store = awx.store
    started = [row for kind in ("workflow_job_templates", "job_templates") for row in store.objects[kind].values()]
    assert all(row["allow_simultaneous"] for row in started)
    assert {row["timeout"] for row in store.objects["workflow_approval_templates"].values()} == {86400}


def test_numbers_that_make_no_sense_are_refused_at_launch(awx: Awx) -> None:
    row = awx.store.named("job_templates", "east verify")
    spec = awx.store.surveys["job_templates", row["id"]]["spec"]
    least = {question["variable"]: question.get("min") for question in spec}
    assert least["verify_requests"] == least["verify_max_tokens"] == least["verify_timeout"] == 1


def test_the_workflow_deploys_what_was_approved_and_offers_a_return(awx: Awx) -> None:
    store = awx.store
    links = {}
    for row in store.objects["workflow_job_template_nodes"].values():
        target = store.get("unified_job_templates", row["unified_job_template"])
        after = {
            kind: linked(
                store, "workflow_job_template_nodes", row["identifier"], f"{kind}_nodes", "workflow_job_template_nodes"
            )
            for kind in ("success", "failure", "always")
        }
        does = target["name"].removeprefix("east ") if "playbook" in target else "approval"
        links[row["identifier"]] = (does, {kind: nodes for kind, nodes in after.items() if nodes})
    assert links == {
        "plan": ("plan", {"success": ["approve"]}),
        "approve": ("approval", {"success": ["deploy"]}),
        "deploy": ("deploy", {"success": ["verify"], "failure": ["diagnose"]}),
        "verify": ("verify", {"failure": ["diagnose"]}),
        "diagnose": ("diagnose", {"always": ["look-back"]}),
        "look-back": ("rollback", {"success": ["approve-rollback"]}),
        "approve-rollback": ("approval", {"success": ["rollback"]}),
        "rollback": ("rollback", {}),
    }
    nodes = {row["identifier"]: row for row in store.objects["workflow_job_template_nodes"].values()}
    assert (nodes["look-back"]["job_type"], nodes["rollback"]["extra_data"]) == ("check", {"rollback_confirm": "true"})
    for event in ("error", "approvals"):
        link = f"notification_templates_{event}"
        assert linked(store, "workflow_job_templates", "rollout", link, "notification_templates") == ["alerts"]


def test_inventories_credentials_and_the_schedule(awx: Awx) -> None:
    store = awx.store
    file, plugin = (store.named("inventory_sources", f"east inventory {one}") for one in ("file", "plugin"))
    assert (file["source_path"], plugin["source_path"]) == ("inventory/hosts.yml", "inventory/all.clusters.yml")
    assert name(store, "projects", file["source_project"]) == "inventory" and file["update_on_launch"]
    assert (file["credential"], name(store, "credentials", plugin["credential"])) == (None, "clusters")
    kind = store.named("credential_types", "east kubeconfig")
    assert kind["injectors"]["extra_vars"] == {"llm_d_kubeconfig": "{{ tower.filename.kubeconfig }}"}
    assert kind["injectors"]["env"]["K8S_AUTH_KUBECONFIG"] == "{{ tower.filename.kubeconfig }}"
    token = store.named("credential_types", "east Hugging Face token")["injectors"]
    assert token == {"env": {"HF_TOKEN": "{{ token }}"}, "extra_vars": {"prepare_hf_token": "{{ token }}"}}
    secret = [
        field["id"]
        for row in store.objects["credential_types"].values()
        for field in row["inputs"]["fields"]
        if field.get("secret")
    ]
    assert sorted(secret) == ["kubeconfig", "token", "token"]
    assert store.named("credentials", "east clusters")["inputs"] == {"kubeconfig": SECRET}
    drift = store.named("schedules", "east drift")
    assert name(store, "unified_job_templates", drift["unified_job_template"]) == "status" and drift["enabled"]
    assert drift["extra_data"] == {"status_fail_on": ["unhealthy", "drift"]}


def test_who_may_do_what(awx: Awx) -> None:
    store = awx.store
    rights: dict[str, set[tuple[str, str]]] = {}
    for (role, _holders), teams in store.holders.items():
        collection, number, kind = store.roles[role]
        for team in teams:
            rights.setdefault(name(store, "teams", team), set()).add((kind, name(store, collection, number)))
    started = {*TEMPLATES, "rollout"}
    assert rights["approver"] == {("approval", "rollout")} | {("read", one) for one in (*started, "clusters")}
    assert {what for kind, what in rights["operator"] if kind == "execute"} == started
    assert not any(kind in ("approval", "admin") for kind, _what in rights["operator"])
    assert {kind for kind, _what in rights["viewer"]} == {"read"}


def test_a_changed_file_changes_just_that(awx: Awx, set_up: SetUp) -> None:
    store = awx.store
    run = set_up(**FEW)
    assert run.code == 0, run.text
    gone = ["diagnose", "look-back", "approve-rollback", "rollback"]
    nodes = [f"east rollout: {node}" for node in (*gone, "verify", "deploy")]
    assert sorted(run.items) == sorted(["east plan", "east verify", *nodes[:4]]), run.text
    assert store.named("job_templates", "east plan")["forks"] == 9
    verify = store.surveys["job_templates", store.named("job_templates", "east verify")["id"]]
    assert [question["variable"] for question in verify["spec"]] == ["verify_stream"]
    assert {row["identifier"] for row in store.objects["workflow_job_template_nodes"].values()} == {
        *("plan", "approve", "deploy", "verify")
    }


def test_it_is_removed_again_and_the_organization_stays(awx: Awx, set_up: SetUp) -> None:
    run = set_up(awx_state="absent", **FEW)
    assert run.code == 0, run.text
    objects = awx.store.objects
    emptied = ("workflow_job_templates", "workflow_job_template_nodes", "notification_templates", "inventories")
    assert [
        kind for kind in (*emptied, "inventory_sources", "projects", "execution_environments") if objects[kind]
    ] == []
    kept = {row["name"] for kind in ("organizations", "job_templates", "teams") for row in objects[kind].values()}
    assert {"models", "east status", "east viewer"} <= kept and not {"east plan", "east deploy"} & kept


def test_mistakes_are_told_at_once_before_anything_is_changed(set_up: SetUp) -> None:
    wrong = {"job_templates": {"plan": {"fork": 9}}, "schedules": {"drift": {"template": "none"}}}
    run = set_up(awx_image="registry.example.com/jobs:1", awx_objects=wrong)
    assert (run.code, run.requests) == (2, []), run.text
    assert "2 mistakes" in run.text and "did you mean forks" in run.text and "template none not found" in run.text


def test_a_secret_of_nothing_is_refused_before_anything_is_changed(set_up: SetUp) -> None:
    run = set_up(awx_image="registry.example.com/jobs:1", awx_secrets={"cluster": {"kubeconfig": SECRET}})
    assert (run.code, run.requests) == (2, []), run.text
    assert "awx_secrets has cluster, and awx_objects has no" in run.text and SECRET not in run.text
