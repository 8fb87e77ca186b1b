# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""The kubeconfigs that Helm gets."""

from __future__ import annotations

import base64
import pathlib
from typing import Any

import pytest
import yaml
from ansible_collections.llm_d.orchestrator.plugins.module_utils.helm import credentials
from cluster.kubeconfigs import CONTENT

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def helm(auth: dict[str, Any], **environ: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the cluster and the user that Helm gets."""
    content = credentials.for_helm(auth, environ)
    assert content is not None
    pair = next(item["context"] for item in content["contexts"] if item["name"] == content["current-context"])
    cluster = next(item["cluster"] for item in content["clusters"] if item["name"] == pair["cluster"])
    return cluster, next(item["user"] for item in content["users"] if item["name"] == pair["user"])


@pytest.mark.parametrize(
    ("auth", "cluster", "user"),
    [
        ({"kubeconfig": CONTENT, "context": "west"}, CONTENT["clusters"][1]["cluster"], CONTENT["users"][1]["user"]),
        ({"host": "https://h", "api_key": "t"}, {"server": "https://h"}, {"token": "t"}),
        (
            {"host": "https://h", "username": "u", "password": "p"},
            {"server": "https://h"},
            {"username": "u", "password": "p"},
        ),
        (
            {"host": "https://h", "client_cert": "/c", "client_key": "/k", "ca_cert": "/ca"},
            {"server": "https://h", "certificate-authority": "/ca"},
            {"client-certificate": "/c", "client-key": "/k"},
        ),
        (
            {"host": "https://h", "api_key": "t", "ca_cert": PEM},
            {"server": "https://h", "certificate-authority-data": base64.b64encode(PEM.encode()).decode()},
            {"token": "t"},
        ),
        (
            {"kubeconfig": CONTENT, "context": "west", "validate_certs": False, "proxy": "http://p"},
            {"server": "https://west", "insecure-skip-tls-verify": True, "proxy-url": "http://p"},
            CONTENT["users"][1]["user"],
        ),
        (
            {"host": "https://h", "api_key": "t", "impersonate_user": "i", "impersonate_groups": ["g"]},
            {"server": "https://h"},
            {"token": "t", "as": "i", "as-groups": ["g"]},
        ),
        # The environment's token beside a kubeconfig, as kubernetes.core has it.
        ({"kubeconfig": CONTENT, "context": "west", "api_key": "t"}, CONTENT["clusters"][1]["cluster"], {"token": "t"}),
    ],
)
def test_helm_gets_one_kubeconfig(auth: dict[str, Any], cluster: dict[str, Any], user: dict[str, Any]) -> None:
    assert helm(auth) == (cluster, user)


def test_helm_gets_the_file_of_the_environment_as_the_client_does(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(CONTENT))
    cluster, user = helm({}, KUBECONFIG=str(path))
    assert (cluster["certificate-authority"], user["exec"]["command"]) == (
        f"{tmp_path}/ca.crt",
        f"{tmp_path}/bin/login",
    )
    # Several files are Helm's to join.
    assert credentials.for_helm({"context": "a"}, {"KUBECONFIG": f"{path}:{path}"}) is None


def test_helm_gets_the_service_account_of_its_pod(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "IN_POD", str(tmp_path))
    pod = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443", "KUBECONFIG": "/none/config"}
    assert credentials.for_helm({}, pod) is None
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text("x")
    cluster, user = helm({}, **pod)
    assert cluster == {"server": "https://[fd00::1]:443", "certificate-authority": f"{tmp_path}/ca.crt"}
    # By its file: Kubernetes renews it.
    assert user == {"tokenFile": f"{tmp_path}/token"}
    # What is given wins.
    assert helm({"kubeconfig": CONTENT}, **pod)[0]["server"] == "https://east"
