# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The variable in which one job leaves a cluster's digest is the one in which the next looks for it."""

from __future__ import annotations

import hashlib
import pathlib
import re

import jinja2
import yaml

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
HOST = "east-1.example.com"


def variable(role: str, name: str, pattern: str) -> str:
    """What an expression of a role's variables is for a host."""
    text = yaml.safe_load((ROLES / role / "vars" / "main.yml").read_text(encoding="utf-8"))[name]
    found = re.search(pattern, text)
    assert found, text
    environment = jinja2.Environment()
    environment.filters["hash"] = lambda value, kind: hashlib.new(kind, value.encode()).hexdigest()
    return environment.from_string(found[0] if "{{" in found[0] else "{{ " + found[0] + " }}").render(
        inventory_hostname=HOST
    )


def test_plan_stack_and_rollback_name_it_alike() -> None:
    names = {
        variable("plan", "_plan_digest_variable", r".+"),
        variable("stack", "_stack_digest_variable", r".+"),
        variable("rollback", "_rollback_digests", r"'llm_d_approved_digest_'.*?\[:16\]"),
    }
    assert len(names) == 1
    # Artifacts that are no names of variables are refused by set_stats.
    assert re.fullmatch(r"llm_d_approved_digest_[0-9a-f]{16}", names.pop())
