# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""A kubeconfig of two clusters, with a relative path, an absolute one, and commands that make credentials."""

from __future__ import annotations

from typing import Any

CONTENT: dict[str, Any] = {
    "current-context": "east",
    "clusters": [
        {"name": "e", "cluster": {"server": "https://east", "certificate-authority": "ca.crt"}},
        {"name": "w", "cluster": {"server": "https://west", "certificate-authority-data": "YQ=="}},
    ],
    "users": [
        {"name": "eu", "user": {"client-key": "/abs/key", "exec": {"command": "bin/login", "args": ["ca.crt"]}}},
        {"name": "wu", "user": {"exec": {"command": "aws", "env": [{"name": "K", "value": "0123456789abcdefg"}]}}},
    ],
    "contexts": [
        {"name": "east", "context": {"cluster": "e", "user": "eu"}},
        {"name": "west", "context": {"cluster": "w", "user": "wu"}},
    ],
}
