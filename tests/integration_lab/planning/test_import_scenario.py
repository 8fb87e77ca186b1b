# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A scenario of llm-d-benchmark becomes an inventory by the playbook, and planning finds nothing wrong with it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

from small_stack import CHARTS, helm

from playbooks import ROOT

SCENARIO = ROOT / "tests" / "unit" / "fixtures" / "scenarios" / "two-roles.scenario"


def play(folder: pathlib.Path, name: str, variables: dict[str, object], *args: str) -> str:
    """Return what a playbook prints; fail where it does."""
    command = ["ansible-playbook", str(ROOT / "playbooks" / f"{name}.yml"), *args, "-e", json.dumps(variables)]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "2000", "PWD": str(folder)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_imported_scenario_plans_clean(tmp_path: pathlib.Path) -> None:
    wanted = {"scenario": str(SCENARIO), "inventory_dir_out": "inventory", "host": "east"}
    play(tmp_path, "import_scenario", wanted, "--check")
    assert not (tmp_path / "inventory").exists()
    shown = play(tmp_path, "import_scenario", wanted, "--diff")
    assert str(tmp_path / "values" / "east" / "small-1b.yaml") in shown
    assert "changed=1" in shown
    assert "changed=0" in play(tmp_path, "import_scenario", wanted)
    lab = {
        **{f"{role}_chart_ref": str(ROOT / "roles/lab/files/charts" / name) for role, name in CHARTS.items()},
        **{f"{role}_chart_version": "" for role in ("gateway", "gaie", "modelservice")},
        "llm_d_kubeconfig": os.environ["LAB_KUBECONFIG"],
        "llm_d_helm_binary": helm(),
        "llm_d_rules": "error",
        # The lab's nodes have neither the label nor the storage class that the scenario names.
        "llm_d_capacity": "off",
        "prepare_pvc_storage_class": "",
    }
    planned = play(tmp_path, "site", lab, "-i", "inventory", "--tags", "planning")
    assert "LLMD" not in planned.replace("LLMDBENCH", "")
