# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What AWX is to have: descriptions joined and checked, names, surveys, nodes, grants and notifications."""

from __future__ import annotations

import pathlib
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.awx.objects import awx_objects
from ansible_collections.llm_d.orchestrator.plugins.module_utils.awx.survey import survey
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[5]))
import docs_tables  # noqa: E402

OPTIONS = {
    "verify_requests": {"type": "int", "default": 1, "description": "Requests for V(each) model."},
    "verify_timeout": {"type": "float", "default": 60},
    "verify_chat": {"type": "bool", "default": False},
    "verify_via": {"type": "str", "choices": ["auto", "address"], "default": "auto"},
    "verify_models": {"type": "list", "elements": "dict", "default": []},
    "status_fail_on": {"type": "list", "choices": ["unhealthy", "drift"], "default": ["unhealthy", "drift"]},
    "prepare_hf_token": {"type": "str", "no_log": True, "default": "hidden"},
    "stack_lock": {"type": "str", "choices": ["refuse", "wait"], "default": "{{ llm_d_lock | default('refuse') }}"},
    "stack_digest": {"type": "raw", "default": "{{ llm_d_digest | default('', true) }}"},
    "stack_scale": {"type": "int", "default": "{{ llm_d_scale | default(32) }}"},
    "stack_worked": {"type": "int", "default": "{{ [llm_d_scale | default(32)] | sum }}"},
}


def asked(*entries):
    said = []
    found = survey("s", list(entries), OPTIONS, said.append)
    return found.get("spec", []), said


@pytest.mark.parametrize(
    ("entry", "question"),
    [
        ("verify_requests", ("verify_requests", "integer", "Requests", "Requests for each model.", 1, None)),
        ("verify_timeout", ("verify_timeout", "float", "Timeout", "", 60.0, None)),
        ("verify_chat", ("verify_chat", "multiplechoice", "Chat", "", "false", ["true", "false"])),
        ("verify_via", ("verify_via", "multiplechoice", "Via", "", "auto", ["auto", "address"])),
        (
            "status_fail_on",
            ("status_fail_on", "multiselect", "Fail on", "", "unhealthy\ndrift", ["unhealthy", "drift"]),
        ),
        ("prepare_hf_token", ("prepare_hf_token", "password", "Hf token", "", None, None)),
        ("stack_lock", ("llm_d_lock", "multiplechoice", "Lock", "", "refuse", ["refuse", "wait"])),
        ("stack_digest", ("llm_d_digest", "text", "Digest", "", None, None)),
        ("stack_scale", ("llm_d_scale", "integer", "Scale", "", 32, None)),
        ("stack_worked", ("stack_worked", "integer", "Worked", "", None, None)),
        (
            {"option": "stack_digest", "question": "Which", "type": "multiselect", "choices": ["a"], "required": True},
            ("llm_d_digest", "multiselect", "Which", "", None, ["a"]),
        ),
        ({"variable": "mine", "type": "textarea", "default": "x"}, ("mine", "textarea", "Mine", "", "x", None)),
    ],
    ids=str,
)
def test_a_question(entry, question):
    [found], said = asked(entry)
    names = ("variable", "type", "question_name", "question_description", "default", "choices")
    assert (tuple(found.get(name) for name in names), said) == (question, [])
    assert found["required"] is (isinstance(entry, dict) and entry.get("required", False))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("verify_request", "no role has an option verify_request"),
        ("verify_models", "verify_models is a list, which a survey cannot ask for"),
        ({"option": "stack_digest", "type": "multiselect"}, "llm_d_digest has no choices"),
        ({"variable": "mine"}, ""),
        ({"option": "verify_chat", "colour": "red"}, "unknown key colour"),
    ],
    ids=str,
)
def test_a_mistake_in_a_survey(entry, said):
    found, texts = asked(entry)
    assert said in " ".join(texts) and bool(found) is (not said)


BASE = {
    "projects": {"code": {"scm_type": "git", "scm_url": "u"}},
    "inventories": {"clusters": {"sources": {"file": {"source": "scm", "source_project": "code"}}}},
    "defaults": {"job_templates": {"project": "code", "inventory": "clusters", "credentials": ["key", "Vault"]}},
    "credential_types": {"kind": {"kind": "cloud", "inputs": {"fields": []}, "injectors": {"env": {}}}},
    "credentials": {"key": {"credential_type": "kind"}},
    "job_templates": {
        "plan": {"playbook": "plan.yml"},
        "deploy": {"playbook": "site.yml", "survey": ["verify_requests"]},
    },
    "workflows": {
        "rollout": {
            "nodes": {
                "plan": {"template": "plan", "success": ["ask"]},
                "ask": {"approval": "Well?", "timeout": 9, "success": ["deploy"]},
                "deploy": {"template": "deploy", "extra_data": {"a": "b"}, "join": True},
            }
        }
    },
    "schedules": {"drift": {"template": "plan", "rrule": "r"}},
    "notifications": {
        "all": {
            "notification_type": "webhook",
            "notification_configuration": {"url": "u"},
            "on": ["error", "approvals"],
        },
        "one": {
            "notification_type": "webhook",
            "notification_configuration": {"url": "u"},
            "on": ["success"],
            "templates": ["plan"],
        },
    },
    "teams": {
        "viewer": {"grants": [{"role": "read", "job_templates": "all", "workflows": ["rollout"]}]},
    },
}


def made(*sources, prefix="p"):
    return awx_objects([BASE, *sources], prefix, OPTIONS)


def test_names_and_references():
    found = made()
    plan, deploy = found["job_templates"]
    assert (plan["name"], plan["project"], plan["inventory"]) == ("p plan", "p code", "p clusters")
    assert plan["credentials"] == ["p key", "Vault"] and found["credentials"][0]["credential_type"] == "p kind"
    assert (plan["survey_enabled"], deploy["survey_enabled"]) == (False, True)
    assert deploy["survey_spec"]["spec"][0]["variable"] == "verify_requests"
    source = {"name": "p file", "inventory": "p clusters", "source": "scm", "source_project": "p code"}
    assert found["inventory_sources"] == [source]
    assert found["schedules"][0]["unified_job_template"] == "p plan"
    assert found["grants"] == [
        {"team": "p viewer", "role": "read", "job_templates": ["p plan", "p deploy"], "workflows": ["p rollout"]}
    ]
    assert made(prefix="")["job_templates"][0]["name"] == "plan"


def test_a_workflow():
    found = made({"workflows": {"rollout": {"nodes": {"gone": None}}}})
    deploy, ask, plan = found["nodes"]
    assert plan == {
        "workflow": "p rollout",
        "identifier": "plan",
        "all_parents_must_converge": False,
        "unified_job_template": "p plan",
        "success_nodes": ["ask"],
        "failure_nodes": [],
        "always_nodes": [],
    }
    assert ask["approval_node"] == {"name": "Well?", "description": "", "timeout": 9}
    assert (deploy["extra_data"], deploy["all_parents_must_converge"]) == ({"a": "b"}, True)
    assert [(link["identifier"], link["success_nodes"]) for link in found["links"]] == [("ask", ["deploy"])]
    assert found["removed_nodes"] == [{"workflow": "p rollout", "identifier": "gone"}]


def test_notifications_of_templates():
    found = made()
    plan, deploy = found["job_templates"]
    assert plan["notification_templates_error"] == ["p all"] == deploy["notification_templates_error"]
    assert (plan["notification_templates_success"], deploy["notification_templates_success"]) == (["p one"], [])
    assert found["workflows"][0]["notification_templates_approvals"] == ["p all"]


def test_a_later_description_changes_adds_and_takes_out():
    found = made(
        {"job_templates": {"plan": {"forks": 9}, "deploy": None, "other": {"playbook": "x.yml", "credentials": []}}},
        {"workflows": {"rollout": None}, "teams": {"viewer": {"description": "d"}}},
    )
    plan, other = found["job_templates"]
    assert (plan["forks"], plan["playbook"], other["credentials"]) == (9, "plan.yml", [])
    assert (found["workflows"], found["nodes"]) == ([], [])
    assert found["grants"][0]["job_templates"] == ["p plan", "p other"] and found["grants"][0]["workflows"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"job_template": {}}, "unknown key job_template -> did you mean job_templates?"),
        (
            {"job_templates": {"plan": {"playbok": "x"}}},
            "job_templates.plan: unknown key playbok -> did you mean",
        ),
        ({"job_templates": {"new": {}}}, "job_templates.new: playbook is missing"),
        ({"job_templates": {"new": "x.yml"}}, "job_templates.new: is not a map"),
        (
            {"job_templates": {"plan": {"project": "none"}}},
            "job_templates.plan.project: none not found -> use one of projects",
        ),
        ({"job_templates": {"plan": {"survey": ["none"]}}}, "job_templates.plan: survey: no role has an option none"),
        ({"schedules": {"drift": {"template": "none"}}}, "schedules.drift: template none not found"),
        ({"projects": {"plan": {"scm_type": "git"}}}, "plan is a key in job_templates and in projects"),
        ({"workflows": {"rollout": {"nodes": {"ask": {"success": ["none"]}}}}}, "nodes.ask: node none not found"),
        ({"workflows": {"rollout": {"nodes": {"ask": {"template": "plan"}}}}}, "either template or approval"),
        ({"workflows": {"rollout": {"nodes": {"deploy": {"always": ["plan"]}}}}}, "form a cycle"),
        ({"teams": {"viewer": {"grants": [{"role": "read", "hosts": []}]}}}, "teams.viewer.grants[0]: is not a grant"),
        ({"notifications": {"all": {"on": ["failure"]}}}, "notifications.all.on: unknown event failure"),
        (
            {"inventories": {"clusters": {"sources": {"new": {}}}}},
            "inventories.clusters.sources.new: source is missing",
        ),
        ({"job_templates": {"deploy": None}}, "workflows.rollout.nodes.deploy: template deploy not found"),
    ],
    ids=str,
)
def test_all_mistakes_are_told(change, said):
    with pytest.raises(OrchestratorError) as caught:
        made(change)
    assert any(said in text for text in caught.value.details), caught.value.details


@pytest.mark.parametrize(
    ("role", "name", "kind"),
    [
        ("dynamo_platform", "dynamo_platform_version", "text"),
        ("dynamo_platform", "dynamo_platform_enabled", "multiplechoice"),
        ("dynamo_models", "dynamo_models_prune", "multiplechoice"),
        ("dynamo_frontend", "dynamo_frontend_replicas", "integer"),
        ("llm_router", "llm_router_image_registry", "text"),
        ("llm_router", "llm_router_ngc_api_key", "password"),
        ("teardown", "teardown_delete_crds", "multiplechoice"),
    ],
)
def test_variables_of_dynamo_may_be_asked(role, name, kind):
    said = []
    found = survey("s", [name], docs_tables.role_options(role), said.append)
    assert (said, [(row["variable"], row["type"]) for row in found["spec"]]) == ([], [(name, kind)])
