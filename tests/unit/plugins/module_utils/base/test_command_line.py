# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pathlib

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import (
    COLLECTION,
    OURS,
    masked_arguments,
    next_command,
)

PLAYBOOKS = pathlib.Path(__file__).parents[5] / "playbooks"
SITE = "llm_d.orchestrator.site"
# Arguments of ansible-playbook, and the next command without the plan.
COMMANDS = [
    ([f"{SITE[:-5]}.plan", "-i", "inventory"], f"{SITE} -i inventory"),
    (["-i", "a b", "llm_d.orchestrator.plan", "-l", "east", "-C"], f"{SITE} -i 'a b' -l east"),
    (["mine.yml", "--inventory=x", "--check", "-D"], f"{SITE} --inventory=x"),
    (["mine.yml", "--start-at-task", "Verify", "-l", "a", "--step"], f"{SITE} -l a"),
    (["mine.yml", "--start-at-task=Verify", "-v"], f"{SITE} -v"),
    (["/none/plan.yml"], SITE),
    (["plan.yml", "-e", "a=1 llm_d_plan=old"], f"{SITE} -e a=1"),
    (["plan.yml", "-e", "llm_d_plan=old", "-vv"], f"{SITE} -vv"),
    (["plan.yml", "-e", "llm_d_approve=prompt"], f"{SITE} -e llm_d_approve=prompt"),
    (["plan.yml", "--extra-vars=hf_token=abc b=c"], f"{SITE} -e 'hf_token=(masked) b=c'"),
    (["plan.yml", '-e{"a": 1, "prepare_hf_token": "x", "llm_d_plan": "y"}'],
     SITE + """ -e '{"a": 1, "prepare_hf_token": "(masked)"}'"""),
    (["plan.yml", "-e", "@vars.yml", "--vault-id", "x@y"], f"{SITE} -e @vars.yml --vault-id x@y"),
    (["plan.yml", "-e", "name='a b'"], f"{SITE} -e 'name='\"'\"'a b'\"'\"''"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "command"), COMMANDS, ids=[" ".join(row[0]) for row in COMMANDS])
def test_the_next_command(arguments, command):
    expected = f"ansible-playbook {command} -e llm_d_plan=/p/plan.json"
    assert next_command(masked_arguments(arguments), {"llm_d_plan": "/p/plan.json"}) == expected


def test_a_checkout_is_named_by_its_path(tmp_path):
    (tmp_path / "site.yml").touch()
    command = next_command([str(tmp_path / "plan.yml")], {"llm_d_approved_digest": "sha256:a"})
    assert command == f"ansible-playbook {tmp_path}/site.yml -e llm_d_approved_digest=sha256:a"


RUNNING = ["status.yml", "-i", "inventories/lab", "--inventory=x", "-e", "lab_name=a b=c", "--diff"]


@pytest.mark.parametrize(
    ("playbook", "inventory", "command"),
    [
        ("site", "", "site.yml -i inventories/lab --inventory=x -e b=c"),
        ("rollback", "", "rollback.yml -i inventories/lab --inventory=x -e b=c"),
        ("site", "/c/inventories/lab", "site.yml -i /c/inventories/lab -e b=c"),
        ("verify", "", f"{COLLECTION}.verify -i inventories/lab --inventory=x -e b=c"),
    ],
)
def test_another_playbook_is_named_as_the_running_one(playbook, inventory, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("site", "rollback"):
        (tmp_path / f"{name}.yml").touch()
    shown = next_command(RUNNING, {"lab_name": "demo"}, playbook, inventory)
    assert shown == f"ansible-playbook {command} -e lab_name=demo"


def test_a_path_with_blanks_is_quoted(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    (folder / "rollback.yml").touch()
    assert next_command([f"{folder}/site.yml"], {}, "rollback") == f"ansible-playbook '{folder}/rollback.yml'"


def test_a_playbook_of_the_users_own_is_not_taken_for_ours(tmp_path):
    (tmp_path / "site.yml").touch()
    assert next_command([f"{tmp_path}/mine.yml"], {}) == f"ansible-playbook {COLLECTION}.site"


def test_playbooks_that_print_commands_are_there():
    assert {f"{name}.yml" for name in OURS} <= {path.name for path in PLAYBOOKS.glob("*.yml")}
