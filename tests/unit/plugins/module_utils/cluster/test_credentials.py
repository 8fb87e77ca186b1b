# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""What a host's variables say of its credentials, and each mistake in them."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import certifi
import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.cluster import credentials

HOST, TOKEN = "https://api.example.com:6443", "opaque-token"
CONTENT = {"clusters": [{"name": "c", "cluster": {"server": HOST}}], "users": [{"name": "u", "user": {"token": TOKEN}}]}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        ({"llm_d_kubeconfig": "", "llm_d_context": None, "llm_d_api_token": ""}, {}),
        ({"llm_d_kubeconfig": "~/.kube/c", "llm_d_context": "x"}, {"kubeconfig": "~/.kube/c", "context": "x"}),
        ({"llm_d_kubeconfig": CONTENT}, {"kubeconfig": json.dumps(CONTENT)}),
        (
            {"llm_d_api_host": HOST, "llm_d_api_token": TOKEN, "llm_d_api_ca_cert": PEM, "llm_d_api_verify": False},
            {"host": HOST, "api_key": TOKEN, "ca_cert": PEM, "validate_certs": False},
        ),
        ({"llm_d_namespace": "n"}, {}),
    ],
)
def test_variables_become_options(variables: dict[str, Any], expected: dict[str, Any]) -> None:
    assert credentials.options(variables) == expected


def resolve(params: dict[str, Any], environ: dict[str, str] | None = None) -> dict[str, Any]:
    return credentials.resolved(credentials.given(params), environ or {})


@pytest.mark.parametrize(
    ("params", "environ", "expected"),
    [
        ({}, {}, {}),
        ({"namespace": "n"}, {}, {}),
        ({"context": "a"}, {"K8S_AUTH_CONTEXT": "b"}, {"context": "a"}),
        ({}, {"K8S_AUTH_CONTEXT": "b"}, {"context": "b"}),
        ({}, {"K8S_AUTH_VERIFY_SSL": "false"}, {"validate_certs": False}),
        ({"validate_certs": False}, {"K8S_AUTH_VERIFY_SSL": "true"}, {"validate_certs": False}),
        ({}, {"K8S_AUTH_PROXY_HEADERS_USER_AGENT": "a"}, {"proxy_headers": {"user_agent": "a"}}),
        ({"host": HOST, "api_key": TOKEN + "\n"}, {}, {"host": HOST, "api_key": TOKEN}),
        ({"kubeconfig": json.dumps(CONTENT)}, {}, {"kubeconfig": CONTENT}),
        ({"kubeconfig": CONTENT}, {}, {"kubeconfig": CONTENT}),
        # A host's variables win over the environment, which may be another cluster's.
        ({"kubeconfig": "/k"}, {"K8S_AUTH_HOST": HOST, "K8S_AUTH_API_KEY": TOKEN}, {"kubeconfig": "/k"}),
        (
            {"kubeconfig": "/k"},
            {"K8S_AUTH_SSL_CA_CERT": "/ca", "K8S_AUTH_PROXY": "p"},
            {"kubeconfig": "/k", "proxy": "p"},
        ),
        (
            {"host": HOST, "api_key": TOKEN},
            {"K8S_AUTH_KUBECONFIG": "/k", "K8S_AUTH_CONTEXT": "c"},
            {"host": HOST, "api_key": TOKEN},
        ),
        ({"context": "a"}, {"K8S_AUTH_HOST": HOST, "K8S_AUTH_API_KEY": TOKEN}, {"context": "a"}),
        # One address a host, one token for all from the environment.
        ({"host": HOST}, {"K8S_AUTH_API_KEY": TOKEN}, {"host": HOST, "api_key": TOKEN}),
        ({"context": "a"}, {"K8S_AUTH_KUBECONFIG": "/k"}, {"context": "a", "kubeconfig": "/k"}),
    ],
)
def test_environment(params: dict[str, Any], environ: dict[str, str], expected: dict[str, Any]) -> None:
    assert resolve(params, environ) == {"proxy_headers": {}, **expected}


@pytest.mark.parametrize(
    ("params", "texts"),
    [
        ({"kubeconfig": "/k", "api_key": TOKEN, "host": HOST}, ["Two ways", "llm_d_kubeconfig", "llm_d_api_token"]),
        ({"kubeconfig": "/k", "host": HOST}, ["Two ways", "llm_d_kubeconfig, and llm_d_api_host"]),
        ({"context": "c", "api_key": TOKEN, "host": HOST}, ["Two ways", "llm_d_context"]),
        ({"host": HOST}, ["llm_d_api_host is set, but llm_d_api_token is not"]),
        ({"api_key": TOKEN}, ["llm_d_api_token is set, but llm_d_api_host is not"]),
        (
            {"api_key": f"Bearer {TOKEN}", "host": HOST},
            ["llm_d_api_token is not a valid token", "without the word Bearer"],
        ),
        (
            {"api_key": TOKEN, "host": "api.example.com:6443"},
            ["llm_d_api_host is not a valid address", "https://HOST:PORT"],
        ),
        (
            {"api_key": TOKEN, "host": HOST, "ca_cert": "/none/ca"},
            ["llm_d_api_ca_cert: the file /none/ca cannot be read"],
        ),
        ({"api_key": TOKEN, "host": HOST, "ca_cert": __file__}, [__file__ + " contains no readable certificate"]),
        (
            {"api_key": TOKEN, "host": HOST, "ca_cert": PEM},
            ["llm_d_api_ca_cert: the text contains no readable certificate"],
        ),
        ({"kubeconfig": "a: 1\n b: 2\n"}, ["The kubeconfig in llm_d_kubeconfig is not valid YAML: line 2:"]),
        ({"kubeconfig": "a: 1\nb: 2\n"}, ["The kubeconfig in llm_d_kubeconfig has no cluster", "--raw --flatten"]),
    ],
)
def test_each_mistake_is_named_without_the_token(params: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(OrchestratorError) as found:
        resolve(params)
    assert all(text in str(found.value) for text in texts), str(found.value)
    assert TOKEN not in str(found.value)


def test_certificates_are_taken_as_text_and_from_a_file() -> None:
    path = certifi.where()
    text = pathlib.Path(path).read_text(encoding="utf-8")
    for value in (text, path):
        assert resolve({"host": HOST, "api_key": TOKEN, "ca_cert": value})["ca_cert"] == value
    assert (credentials.is_pem(text), credentials.is_pem(path)) == (True, False)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, set()),
        ({"api_key": TOKEN, "password": "p"}, {TOKEN, "p"}),
        ({"kubeconfig": "/path"}, set()),
        ({"kubeconfig": json.dumps(CONTENT)}, {TOKEN}),
        ({"kubeconfig": "a: [\n"}, set()),
    ],
)
def test_secrets(params: dict[str, Any], expected: set[str]) -> None:
    assert credentials.secrets(params) == expected


def test_hints_name_the_variables_of_the_way_that_is_used() -> None:
    token, kubeconfig = credentials.hint_to({"host": HOST}), credentials.hint_to({"kubeconfig": "/k"})
    assert [name in token[key] for key, name in (("refused", "llm_d_api_token"), ("trust", "llm_d_api_ca_cert"))] == [
        True,
        True,
    ]
    assert all("llm_d_kubeconfig" in text for text in kubeconfig.values())
