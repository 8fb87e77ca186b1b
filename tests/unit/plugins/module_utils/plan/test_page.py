# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.page import plan_page
from ansible_collections.llm_d.orchestrator.plugins.module_utils.plan.screen import difference, proposal, summary

from plan.world import DIGEST, SECRET, action, finding, plan, question

FILES = {"path": "/p/plan.json", "page": "/p/plan.md", "written": True}
# What a part of the plan says, and the line that shows it.
LINES = [
    ({}, "  2 to create, 1 to update, 1 to replace, 1 to delete, 1 unchanged"),
    ({}, "            delete  gaie gaie-a: ConfigMap demo/gaie-a-old, the chart no longer"),
    ({}, "                    makes it"),
    ({}, "            update  gaie gaie-a: Deployment image v1 → v2"),
    ({}, "            create  modelservice ms-a: Deployment, ServiceAccount"),
    ({}, "  charts    llm-d-modelservice v0.3.8 for ms-a"),
    ({}, "  order     modelservice + gaie + gateway (about 90 s), then httproute"),
    ({}, "  consents  missing: replace Service demo/gaie-a-epp -> llm_d_consent: [replace]"),
    ({}, "            consent with -e '{\"llm_d_consent\": [\"delete\", \"replace\"]}'"),
    ({}, f"  digest    {DIGEST}"),
    ({}, "  next      ansible-playbook x"),
    ({"consents": [{"id": "adopt:Service/a/b", "kind": "adopt", "what": "take it", "granted": False}]},
     "  consents  missing: take it -> llm_d_adopt: true"),
    ({"questions": [question()]}, "  questions Gateway/demo/other: whose is it?"),
    ({"questions": [question()]}, "  next      answer the questions, then make a new plan"),
    ({"leftovers": [{"kind": "Secret", "namespace": "demo", "name": "old", "why": ""}]},
     "            they stay: llm_d_prune is false"),
    ({"notes": ["LLMD601 values/a.yaml:3: there is no Secret hf -> make it"]}, "  digest    " + DIGEST),
]  # fmt: skip


@pytest.mark.parametrize(("more", "line"), LINES)
def test_the_summary(more, line):
    assert line in summary(plan(**more), name="lab", files=FILES, command="ansible-playbook x")


def test_the_summary_of_many_models_fits_a_screen():
    actions = [
        action("create", component, f"{component}-{index}", kind, f"{kind}-{index}")
        for index in range(32)
        for component, kind in (("gaie", "Service"), ("modelservice", "Deployment"), ("modelservice", "ServiceAccount"))
    ]
    actions += [action("delete", "gaie", "g", "ConfigMap", f"old-{index}") for index in range(30)]
    consents = [
        {"id": f"delete:{index}", "kind": "delete", "what": "delete it", "granted": False} for index in range(30)
    ]
    lines = summary(plan(actions=actions, consents=consents, findings=[finding()] * 40), command="x")
    assert len(lines) < 45
    assert "            create  gaie, 32 releases: 32 Service" in lines
    assert "            delete  gaie: 30 ConfigMap" in lines
    assert sum("more" in line for line in lines) == 2


ONE = ["replicas 2 → 3"]
THREE = ["image v1 → v2", "args +2", "env +HF_HOME"]
# Changes of releases, and the rows that tell of them.
ROWS = [
    ([("modelservice", "ms-a", "Deployment", ONE)], ["update  modelservice ms-a: Deployment replicas 2 → 3"]),
    ([("modelservice", name, "Deployment", ONE) for name in ("ms-a", "ms-b")],
     ["update  modelservice ms-a, ms-b: Deployment replicas 2 → 3"]),
    ([("modelservice", f"ms-{number}", "Deployment", ONE) for number in range(32)],
     ["update  modelservice, 32 releases: 32 Deployment replicas 2 → 3"]),
    ([("modelservice", f"ms-{number}", "Deployment", [f"replicas 2 → {number}"]) for number in range(3, 12)],
     ["update  modelservice, 9 releases: Deployment replicas 2 → 3,",
      "        replicas 2 → 4, replicas 2 → 5, and 6 more"]),
    ([("gaie", "g", "ConfigMap", ["a +1 lines", "b +1 lines", "c +1 lines"]), ("gaie", "g", "Deployment", THREE)],
     ["update  gaie g: ConfigMap a +1 lines, b +1 lines; Deployment",
      "        image v1 → v2, and 3 more"]),
    ([("modelservice", "ms-a", "Deployment", [*THREE, *ONE])],
     ["update  modelservice ms-a: Deployment image v1 → v2, args +2,", "        env +HF_HOME, and 1 more"]),
    ([("httproute", "", "HTTPRoute", [])], ["update  httproute: HTTPRoute its status is old"]),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "rows"), ROWS)
def test_what_changes_is_said_on_the_line(changed, rows):
    actions = [
        action("update", component, release, kind, f"{kind}-{number}", changes=texts, why="its status is old")
        for number, (component, release, kind, texts) in enumerate(changed)
    ]
    assert proposal(plan(actions=actions)) == rows


def test_what_was_changed_by_hand_is_said():
    found = action("update", "modelservice", "ms-a", "Deployment", "d", changes=["replicas 5 → 2"], drift=True)
    assert proposal(plan(actions=[found])) == ["update  modelservice ms-a: Deployment (drift) replicas 5 → 2"]


def test_the_whole_difference_is_short_and_without_secrets():
    lines = difference(plan())
    assert lines[0] == "update Deployment demo/gaie-a-epp" and len(lines) <= 24
    assert any(line.startswith("+") for line in lines) and SECRET not in str(lines) and "plain-" not in str(lines)


def test_the_page():
    page = plan_page(plan(questions=[question(answer="reuse")]), name="lab", command="ansible-playbook x")
    assert page.startswith("# Plan for lab\n")
    assert "| 2 | 1 | 1 | 1 | 1 |" in page and f"Digest: `{DIGEST}`" in page
    assert "```sh\nansible-playbook x\n```" in page
    assert "## Consents (1 missing)" in page and "| whose is it? |" in page
    assert "## Differences: gaie\n\n### update Deployment demo/gaie-a-epp\n\n```diff\n--- live" in page
    assert "| image v1 → v2 | its image differs |" in page
    assert "- `ghcr.io/llm-d/llm-d-cuda:v0.5.1`" in page
    assert SECRET not in page and "plain-" not in page


def test_a_page_where_nothing_would_change():
    page = plan_page(plan(actions=[], consents=[]), command="ansible-playbook x")
    assert "**Nothing would change**" in page and "How to approve" not in page


def test_text_of_others_stays_text():
    evil = action("update", "gaie", "g", "ConfigMap", "x", why="a|b\n# head <img>", diff="+```\n+# head\n")
    page = plan_page(plan(actions=[evil]))
    assert "a\\|b # head &lt;img>" in page
    assert re.search(r"^````diff\n\+```\n\+# head\n````$", page, re.MULTILINE)


CAPACITY = {
    "nodes": 4,
    "requested": {"cpu": "4", "nvidia.com/gpu": "9"},
    "free": {"cpu": "100", "nvidia.com/gpu": "8"},
    "allocatable": {"cpu": "128", "nvidia.com/gpu": "32"},
    "by_component": {"modelservice": {"cpu": "4"}},
    "pending": [{"workload": "Deployment demo/a", "pods": 1, "of": 9, "why": "no node has a free GPU"}],
    "quota": [{"name": "team", "resource": "requests.cpu", "hard": "10", "used": "5", "added": "4"}],
    "unread": ["nodes"],
}


def test_the_room_that_there_is():
    lines = [line[12:] for line in summary(plan(capacity=CAPACITY))]
    assert "cpu: 4 asked for, 100 of 128 on 4 nodes free now" in lines
    assert "1 of 9 pods of Deployment demo/a stay Pending: no node has a free GPU" in lines
    assert "quota team: 4 requests.cpu more, 5 of 10 used now" in lines
    assert "not permitted to read: nodes" in lines
    blind = {**CAPACITY, "nodes": None, "free": {}, "allocatable": {}}
    assert "  capacity  cpu: 4 asked for" in summary(plan(capacity=blind))


def test_permissions_that_are_missing():
    access = {"user": "eve", "missing": ["create Deployments"], "unknown": [], "role_yaml": "kind: Role\n"}
    page = plan_page(plan(access=access))
    assert "## Permissions that eve lacks\n\n- create Deployments\n" in page and "```yaml\nkind: Role\n```" in page
    assert "Permissions" not in plan_page(plan(access={**access, "missing": []}))
