# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Options are read from the documentation alone, and modules end in one way."""

from __future__ import annotations

import pathlib
import shlex
import sys

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import errors
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.module import argument_spec, run_module
from ansible_collections.llm_d.orchestrator.plugins.plugin_utils.in_process import Ended, InProcessModule

REQUIREMENTS = pathlib.Path(__file__).resolve().parents[5] / "requirements.txt"
DOCUMENTATION = """
module: sample
options:
  state:
    description: What is wanted.
    type: str
    choices: {present: It is there., absent: It is not.}
    default: present
  entries:
    description: Some.
    type: list
    elements: dict
    aliases: [items]
    suboptions:
      name: {description: Its name., type: str, required: true}
      token: {description: A secret., type: str}
"""
SHARED = DOCUMENTATION + "extends_documentation_fragment: [kubernetes.core.k8s_auth_options]\n"


def test_documented_options_are_the_specification():
    assert argument_spec(DOCUMENTATION, {"token": True}) == {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "entries": {
            "type": "list",
            "elements": "dict",
            "aliases": ["items"],
            "options": {"name": {"type": "str", "required": True}, "token": {"type": "str", "no_log": True}},
        },
    }


def test_a_clusters_credentials_are_options_where_the_documentation_has_them():
    added = set(argument_spec(SHARED)) - set(argument_spec(DOCUMENTATION))
    assert {"kubeconfig", "host", "api_key"} <= added
    assert argument_spec(SHARED)["api_key"]["no_log"] is True


class Partly(OrchestratorError):
    """An error that leaves something."""

    result = {"left": ["a"]}


def ending(carry_out):
    def make(**kwargs):
        return InProcessModule(arguments={"entries": []}, check_mode=True, diff=False, **kwargs)

    with pytest.raises(Ended) as ended:
        run_module(make, DOCUMENTATION, carry_out)
    return ended.value.result


def failing(_module):
    raise Partly("It stopped.", hint="Go on.")


@pytest.mark.parametrize(
    ("carry_out", "expected"),
    [
        (lambda module: {"changed": True, "state": module.params["state"]}, {"changed": True, "state": "present"}),
        (lambda module: {"check": module.check_mode}, {"changed": False, "check": True}),
        (
            lambda _module: {"failed": True, "msg": "no", "n": 1},
            {"changed": False, "failed": True, "msg": "no", "n": 1},
        ),
        (failing, {"changed": False, "failed": True, "msg": "It stopped.\nWhat to do: Go on.", "left": ["a"]}),
    ],
)
def test_a_module_ends_with_what_it_returns_or_with_its_error(carry_out, expected):
    assert ending(carry_out) == {**expected, "warnings": []}


def missing_package(_module):
    raise ModuleNotFoundError("No module named 'kubernetes'", name="kubernetes.client")


def test_a_missing_package_is_said_with_the_command_that_installs_it():
    message = ending(missing_package)["msg"]
    command = message.splitlines()[1].removeprefix("What to do: ")
    assert message.startswith(f"Python package not found: kubernetes. The modules run with {sys.executable}.")
    *program, path = shlex.split(command)
    assert program == [sys.executable, "-m", "pip", "install", "-r"]
    assert REQUIREMENTS.samefile(path)


def test_a_packed_module_names_the_packages_themselves(monkeypatch):
    monkeypatch.setattr(errors, "__file__", "payload.zip/plugins/module_utils/base/errors.py")
    assert shlex.split(errors.install_command("/usr/bin/python3"))[4:] == errors.PACKAGES
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == errors.PACKAGES
