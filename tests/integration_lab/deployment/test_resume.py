# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A background job whose playbook was killed installs nothing more, so that it is not in the way of the next run.

Where a run can be killed, and that the next one finishes it, is tried by tests/chaos.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.process import describe
from plane_client import Lab

from playbooks import ROOT, environment


def job(folder: pathlib.Path, namespace: str, owner: dict[str, str]) -> dict[str, Any]:
    """Run component_parts as a job does; return its result."""
    place = {"name": "infra", "namespace": namespace, "kind": "release"}
    arguments = {
        "component": "gateway",
        "parts": [{**place, "chart_ref": str(ROOT / "roles/lab/files/charts/llm-d-infra"), "values": {}}],
        "kubeconfig": os.environ["LAB_KUBECONFIG"],
        "wait": False,
        "owner": owner,
    }
    command = ["ansible", "localhost", "-m", "llm_d.orchestrator.component_parts", "-a", json.dumps(arguments)]
    env = environment(folder) | {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks/collections")}
    env |= {"ANSIBLE_LOAD_CALLBACK_PLUGINS": "1", "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.oneline"}
    variables = json.dumps({"ansible_python_interpreter": sys.executable})
    done = subprocess.run(
        [*command, "-e", variables], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    text = done.stdout
    assert "=> {" in text, text + done.stderr
    return json.loads(text[text.index("{") :])


@pytest.mark.skipif(not pathlib.Path("/proc/self").exists(), reason="needs /proc")
def test_a_job_ends_with_its_playbook(lab: Lab, new_namespace: Callable[[], str], tmp_path: pathlib.Path) -> None:
    namespace = new_namespace()
    mine = describe(os.getpid())
    result = job(tmp_path, namespace, {**mine, "start": "1"})
    assert "Not installed: its playbook has ended." in result["msg"]
    assert not lab.core.list_namespaced_secret(namespace, label_selector="owner=helm").items
    assert job(tmp_path, namespace, mine)["changed"] is True
