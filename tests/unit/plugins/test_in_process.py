# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Modules run inside Ansible's own process: same arguments, same masks, same results."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import Ended, InProcessModule, discreet

SPEC = {"count": {"type": "int", "default": 3}, "name": {"required": True}, "token": {"no_log": True}}


def module(**arguments: object) -> InProcessModule:
    return InProcessModule(SPEC, arguments, check_mode=False, diff=False)


def test_arguments_get_their_types_and_defaults():
    assert module(name="a", count="5").params == {"name": "a", "count": 5, "token": None}
    assert module(name="a").params["count"] == 3


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "count": "many"}, {"name": "a", "cuont": 1}])
def test_arguments_that_do_not_fit_end_in_a_failure(arguments):
    with pytest.raises(Ended) as ended:
        module(**arguments)
    assert ended.value.result["failed"]
    assert ended.value.result["msg"]


def test_secrets_are_masked_and_warnings_shown():
    found = module(name="a", token="hunter2")
    found.warn("careful")
    with pytest.raises(Ended) as ended:
        found.exit_json(text="it was hunter2")
    assert "hunter2" not in str(ended.value.result)
    assert ended.value.result["warnings"] == ["careful"]
    assert ended.value.result["changed"] is False


@pytest.mark.parametrize("as_text", [False, True])
def test_secrets_of_a_kubeconfig_are_masked_and_nothing_else(as_text):
    content = {"apiVersion": "v1", "clusters": [{}], "users": [{"user": {"token": "hunter2"}}]}
    spec = {"kubeconfig": {"type": "raw", "no_log": True}}
    given = json.dumps(content, indent=1) if as_text else content
    found = InProcessModule(spec, {"kubeconfig": given}, check_mode=False, diff=False)
    with pytest.raises(Ended) as ended:
        found.exit_json(text="v1 said hunter2")
    assert ended.value.result["text"] == "v1 said ********"


def test_arguments_are_plain_data():
    class Tagged(str):
        """A string of Ansible's own."""

    assert not isinstance(module(name=Tagged("a")).params["name"], Tagged)


@pytest.mark.parametrize(
    ("result", "hidden"),
    [
        ({"stack": {"values": {"replicas": 1}}}, False),
        ({"stack": {"values": {"env": [{"name": "HF_TOKEN", "value": "abc"}]}}}, True),
        ({"stack": {"values": {"args": ["hf_abcdefghijkl"]}}}, True),
        ({"failed": True, "msg": "password: no", "password": "x"}, False),
    ],
)
def test_results_with_secrets_are_not_shown(result, hidden):
    assert discreet(result).get("_ansible_no_log", False) is hidden


@pytest.fixture
def ad_hoc(tmp_path):
    """Returns what a module returns that a run of Ansible calls with further options."""

    def call(*options: str) -> dict:
        folder = pathlib.Path(__file__).resolve().parents[3] / "playbooks/collections"
        env = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.json",
            "ANSIBLE_ASYNC_DIR": str(tmp_path / "async"),
        }
        arguments = {"path": str(tmp_path / "bundle.tar"), "parts": []}
        command = [str(pathlib.Path(sys.executable).parent / "ansible"), "localhost", *options]
        command += ["-m", "llm_d.orchestrator.stack_bundle", "-a", json.dumps(arguments)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["plays"][0]["tasks"][0]["hosts"]["localhost"]

    return call


def test_a_module_runs_in_the_background_as_any_other(ad_hoc, tmp_path):
    here = ad_hoc()
    assert here["changed"] and (tmp_path / "bundle.tar").is_file()
    behind = ad_hoc("-B", "60", "-P", "1")
    assert behind["finished"] and behind["sha256"] == here["sha256"] and not behind["changed"]
