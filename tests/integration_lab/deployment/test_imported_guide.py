# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A guide of llm-d, imported and deployed as its page says, by three commands."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

from plane_client import Lab

from playbooks import ROOT, environment

GUIDE = ROOT / "tests" / "unit" / "fixtures" / "guides" / "guides" / "small"
CHART = ROOT / "roles" / "lab" / "files" / "charts" / "llm-d-router-standalone"


def run(folder: pathlib.Path, name: str, *args: str, **variables: Any) -> str:
    """Run a playbook of the checkout in a folder; return what it printed."""
    done = subprocess.run(
        ["ansible-playbook", str(ROOT / "playbooks" / f"{name}.yml"), *args, "-e", json.dumps(variables)],
        cwd=folder,
        env=environment(folder) | {"HF_TOKEN": "hf_of_the_reader"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_guide_is_imported_planned_deployed_and_removed(
    lab: Lab, tmp_path: pathlib.Path, new_namespace: Callable[[], str]
) -> None:
    run(tmp_path, "import_guide", guide=str(GUIDE), inventory_dir_out="inventory", host="east")
    here = {"llm_d_namespace": new_namespace(), "llm_d_kubeconfig": os.environ["LAB_KUBECONFIG"]}
    # The lab's chart stands in for the published one.
    here |= {"gaie_chart_ref": str(CHART), "gaie_chart_version": ""}
    text = run(tmp_path, "plan", "-i", "inventory", **here)
    assert "Plan for east" in text and "create" in text, text
    text = run(tmp_path, "site", "-i", "inventory", **here)
    assert "the models answer" in text, text
    assert lab.get("v1", "Service", here["llm_d_namespace"], "small-epp")
    text = run(tmp_path, "site", "-i", "inventory", **here)
    assert "changed=0" in text, text
    run(tmp_path, "teardown", "-i", "inventory", teardown_confirm=True, **here)
    assert lab.get("v1", "Service", here["llm_d_namespace"], "small-epp") is None
