# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Who reads a Secret when a container starts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.deploy.secret_readers import reads


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"envFrom": [{"secretRef": {"name": "token"}}]}, True),
        ({"env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "token", "key": "k"}}}]}, True),
        ({"envFrom": [{"configMapRef": {"name": "token"}}]}, False),
        ({"env": [{"name": "T", "value": "token"}]}, False),
        ({"envFrom": [{"secretRef": {"name": "other"}}]}, False),
    ],
)
@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_reads(kind: str, container: dict[str, Any], expected: bool) -> None:
    assert reads({"spec": {"template": {"spec": {kind: [{"name": "c", **container}]}}}}, "token") is expected


def test_what_is_mounted_follows_by_itself() -> None:
    spec = {"containers": [{"name": "c"}], "volumes": [{"name": "v", "secret": {"secretName": "token"}}]}
    assert reads({"spec": {"template": {"spec": spec}}}, "token") is False
