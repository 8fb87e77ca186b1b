# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Kubeconfigs of ServiceAccounts of the lab."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import yaml
from plane_client import Lab


def kubeconfig(lab: Lab, namespace: str, name: str) -> str:
    """Return a kubeconfig of a ServiceAccount: the lab's server, and a token."""
    config = yaml.safe_load(pathlib.Path(os.environ["LAB_KUBECONFIG"]).read_text())
    body: Any = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}}
    reply = lab.core.create_namespaced_service_account_token(name, namespace, body)
    config["users"] = [{"name": user["name"], "user": {"token": reply.status.token}} for user in config["users"]]
    return yaml.safe_dump(config)
