# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The role's tasks hand to awx.awx's modules what these take, and all that descriptions may have."""

from __future__ import annotations

import ast
import importlib.util
import pathlib
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.action.awx_objects_info import installed
from ansible_collections.llm_d.orchestrator.plugins.module_utils.awx.kinds import PLAIN, REQUIRED

TASKS = pathlib.Path(__file__).resolve().parents[2] / "roles" / "awx" / "tasks"
# Module -> kind of its descriptions.
KINDS = {
    **{kind.removesuffix("s"): kind for kind in PLAIN},
    "inventory": "inventories",
    "notification_template": "notifications",
    "workflow_job_template": "workflows",
}
# What the role sets by itself.
SET = {
    *("name", "organization", "state", "wait", "kind", "inputs", "update_secrets", "inventory", "survey_enabled"),
    *("survey_spec", "unified_job_template", "instance_groups"),
    *(f"notification_templates_{event}" for event in ("started", "success", "error", "approvals")),
}


def tasks(node: Any) -> list[dict[str, Any]]:
    """All tasks of a file, those in blocks too."""
    return [task for one in node for task in (tasks(one["block"]) if "block" in one else [one])]


def awx_tasks(name: str) -> list[tuple[str, dict[str, Any]]]:
    """(module, arguments) of the tasks of a file that use awx.awx."""
    content = yaml.safe_load((TASKS / name).read_text(encoding="utf-8"))
    prefix = "awx.awx."
    return [
        (key.removeprefix(prefix), value)
        for task in tasks(content)
        for key, value in task.items()
        if key.startswith(prefix)
    ]


FILES = sorted(path.name for path in TASKS.glob("*.yml"))
ALL = [(file, module, arguments) for file in FILES for module, arguments in awx_tasks(file)]


def module_options(module: str) -> dict[str, Any]:
    """The options in a module's documentation, aliases too."""
    spec = importlib.util.find_spec(f"ansible_collections.awx.awx.plugins.modules.{module}")
    assert spec and spec.origin
    for node in ast.parse(pathlib.Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return yaml.safe_load(ast.literal_eval(node.value))["options"]
    raise AssertionError(f"{module} has no documentation")


@pytest.mark.parametrize(("file", "module", "arguments"), ALL, ids=[f"{file}-{module}" for file, module, _args in ALL])
def test_modules_take_what_tasks_give(file: str, module: str, arguments: dict[str, Any]) -> None:
    options = module_options(module)
    assert set(arguments) <= set(options)
    assert {name for name, option in options.items() if option.get("required")} <= set(arguments)


@pytest.mark.parametrize("kind", sorted(PLAIN))
def test_tasks_give_all_that_a_description_may_have(kind: str) -> None:
    given = [set(args) for file, module, args in ALL if KINDS.get(module) == kind and file != "absent.yml"]
    assert len(given) == 1
    assert set(PLAIN[kind]) <= given[0]
    assert given[0] - set(PLAIN[kind]) <= SET
    assert set(REQUIRED.get(kind, ())) - {"on", "nodes", "template"} <= set(PLAIN[kind])


def test_a_missing_collection_is_noticed() -> None:
    assert installed()
    assert not installed("ansible_collections.nobody.nothing")
