# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.command_line import masked_arguments, next_command

SITE = "llm_d.orchestrator.site"
# Arguments of ansible-playbook, and the next command without the plan.
COMMANDS = [
    ([f"{SITE[:-5]}.plan", "-i", "inventory"], f"{SITE} -i inventory"),
    (["-i", "a b", "llm_d.orchestrator.plan", "-l", "east", "-C"], f"{SITE} -i 'a b' -l east"),
    (["mine.yml", "--inventory=x", "--check", "-D"], f"{SITE} --inventory=x"),
    (["/none/plan.yml"], SITE),
    (["plan.yml", "-e", "a=1 llm_d_plan=old"], f"{SITE} -e a=1"),
    (["plan.yml", "-e", "llm_d_plan=old", "-vv"], f"{SITE} -vv"),
    (["plan.yml", "-e", "llm_d_approve=prompt"], f"{SITE} -e llm_d_approve=prompt"),
    (["plan.yml", "--extra-vars=hf_token=abc b=c"], f"{SITE} -e 'hf_token='\"'\"'(masked)'\"'\"' b=c'"),
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
