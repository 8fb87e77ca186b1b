# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Kubeconfigs as they are given."""

from __future__ import annotations

import copy
import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import kubeconfig

from cluster.kubeconfigs import CONTENT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("~/.kube/config", False),
        ("/a b/c\n", False),
        ('{"clusters": []}', True),
        ("clusters:\n- name: a\n", True),
        ({"clusters": []}, False),
        (None, False),
    ],
)
def test_text_is_told_from_a_path(value: Any, expected: bool) -> None:
    assert kubeconfig.is_content(value) is expected


@pytest.mark.parametrize(
    ("context", "changes", "expected"),
    [
        (None, {}, "east"),
        ("west", {}, "west"),
        ("west", {"current-context": ""}, "west"),
        ("north", {}, "The kubeconfig has no context 'north'.\nWhat to do: Set llm_d_context to one of: east, west"),
        (None, {"current-context": ""}, "has no current context, and llm_d_context is not set"),
        (None, {"current-context": "gone"}, "The kubeconfig's current context 'gone' is not in it"),
        ("west", {"contexts": None}, "Set llm_d_context to one of: (it has none)"),
        ("west", {"contexts": ["x", {"context": {}}]}, "Set llm_d_context to one of: (it has none)"),
    ],
)
def test_contexts(context: str | None, changes: dict[str, Any], expected: str) -> None:
    content = {**CONTENT, **changes}
    if " " not in expected:
        assert kubeconfig.check_context(content, context) == expected
        return
    with pytest.raises(OrchestratorError) as found:
        kubeconfig.check_context(content, context)
    assert expected in str(found.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "The kubeconfig config does not exist in "),
        (b"a: 1\n b: secret\n", "is not valid YAML: line 2:"),
        (b"- a\n", "has no cluster"),
        (b"", "has no cluster"),
        (b"clusters: [{name: \xe9}]", "is not UTF-8"),
    ],
)
def test_files_that_are_no_kubeconfig(data: bytes | None, text: str, tmp_path: pathlib.Path) -> None:
    if data is not None:
        (tmp_path / "config").write_bytes(data)
    with pytest.raises(OrchestratorError) as found:
        kubeconfig.read(str(tmp_path / "config"))
    assert text in str(found.value)
    assert "secret" not in str(found.value)


def test_file_names_become_absolute_and_commands_of_the_path_stay() -> None:
    before = copy.deepcopy(CONTENT)
    found = kubeconfig.absolute(CONTENT, "/k")
    assert found["clusters"][0]["cluster"]["certificate-authority"] == "/k/ca.crt"
    assert found["users"][0]["user"]["client-key"] == "/abs/key"
    assert [user["user"]["exec"]["command"] for user in found["users"]] == ["/k/bin/login", "aws"]
    assert found["users"][0]["user"]["exec"]["args"] == ["ca.crt"]
    assert before == CONTENT


def test_secrets() -> None:
    users = [
        {"token": "a"},
        {"password": "b", "username": "x"},
        {"client-key-data": "c", "client-certificate-data": "y"},
    ]
    users.append({"auth-provider": {"config": {"refresh-token": "d"}}})
    content = {"users": [{"name": "n", "user": user} for user in users] + CONTENT["users"] + [{"name": "none"}]}
    assert kubeconfig.secrets_in(content) == {"a", "b", "c", "d", "0123456789abcdefg"}
