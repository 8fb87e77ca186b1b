# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""YAML as plain data: texts, those of Ansible too, and files."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base import plain_yaml


class Told(str):
    """A text that knows more than its characters, as Ansible's do."""

    __slots__ = ()


@pytest.mark.parametrize("kind", [str, Told, io.StringIO], ids=["text", "Ansible's text", "file"])
def test_what_is_read(kind: Any) -> None:
    assert plain_yaml.load(kind("a: [1]\n")) == {"a": [1]}
    assert list(plain_yaml.load_all(kind("a: 1\n---\nb: 2\n"))) == [{"a": 1}, {"b": 2}]
