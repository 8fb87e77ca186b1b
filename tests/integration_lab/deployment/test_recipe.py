# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The component that CONTRIBUTING.md shows how to add, deployed by the playbooks as every other."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
from plane_client import Lab

from playbooks import ROOT, Run, play

sys.path.insert(0, str(ROOT / "tests"))
import docs_commands  # noqa: E402
import recipes  # noqa: E402

MODELS = [{"name": "qwen3-0-6b", "model": "Qwen/Qwen3-0.6B", "values": "{{ simulated_server }}"}]


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the checkout in which the recipe was followed; it names few files, and no playbook but the table."""
    copy = tmp_path / "checkout"
    docs_commands.copy_checkout(copy)
    files = recipes.follow(recipes.recipes()["Add a component"], copy, commands=False)
    changed = {name for name in files if (ROOT / name).exists()}
    assert changed == {"playbooks/vars/components.yml", "plugins/module_utils/components/registry.py"}
    return copy


def test_the_recipes_component_is_deployed(
    lab: Lab, new_namespace: Callable[[], str], checkout: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    namespace = new_namespace()
    variables: dict[str, Any] = {
        "llm_d_namespace": namespace,
        "llm_d_models": MODELS,
        "echo_image": "example.com/echo:1",
    }

    def run(name: str, *args: str, **more: Any) -> Run:
        done = play(tmp_path, name, *args, checkout=checkout, **{**variables, **more})
        assert done.code == 0, done.text
        return done

    def replicas() -> int | None:
        found = lab.get("apps/v1", "Deployment", namespace, "echo")
        return found["status"].get("readyReplicas", 0) if found else None

    run("plan")
    plan = json.loads((tmp_path / "plans" / "lab" / "latest" / "plan.json").read_text())
    assert [row["action"] for row in plan["actions"] if (row["kind"], row["name"]) == ("Deployment", "echo")] == [
        "create"
    ]
    assert replicas() is None
    run("site")
    assert replicas() == 1
    run("verify")
    assert run("site").changed == 0
    variables["echo_replicas"] = 2
    assert run("site").changed > 0
    assert replicas() == 2
    run("status", status_file=str(tmp_path / "status.json"))
    rows = json.loads((tmp_path / "status.json").read_text())["rows"]
    assert [(row["name"], row["ready"], row["drift"]) for row in rows if row["component"] == "echo"] == [
        ("echo", True, "")
    ]
    run("teardown", teardown_confirm=True)
    assert replicas() is None
