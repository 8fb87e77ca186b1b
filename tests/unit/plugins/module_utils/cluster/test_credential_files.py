# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import base64
import os
import pathlib
from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster.credentials import removed_afterwards
from kubernetes import client, config


def connect(key: str) -> str:
    """Load a kubeconfig with a key in it; return the path of the file that the client makes of the key."""
    user = {"client-key-data": base64.b64encode(key.encode()).decode()}
    content: dict[str, Any] = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
    }
    settings = client.Configuration()
    config.load_kube_config_from_dict(content, client_configuration=settings)
    return str(settings.key_file)


def test_files_of_the_block_go_and_those_of_before_stay() -> None:
    before = connect("the main process's key")
    with removed_afterwards():
        inside = connect("a task's key")
        assert connect("the main process's key") == before
        assert pathlib.Path(inside).read_text(encoding="utf-8") == "a task's key"
    assert os.path.exists(before) and not os.path.exists(inside)
    # The client does not take what is gone for its own any more.
    assert os.path.exists(connect("a task's key"))


def test_files_go_after_a_failure_too() -> None:
    path = ""
    with pytest.raises(ValueError, match="broken"), removed_afterwards():
        path = connect("a failing task's key")
        raise ValueError("broken")
    assert path and not os.path.exists(path)
