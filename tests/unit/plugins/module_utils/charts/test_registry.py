# SPDX-FileCopyrightText: llm_d.orchestrator contributors
# SPDX-License-Identifier: Apache-2.0
"""Registries of charts: digests in references, logins beside a user's own, errors of Helm told apart."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.llm_d.orchestrator.plugins.module_utils.base.errors import OrchestratorError
from ansible_collections.llm_d.orchestrator.plugins.module_utils.charts import registry

REF = "oci://r.example:5000/charts/demo"
HEX = "a" * 64


@pytest.mark.parametrize(("ref", "digest"), [(REF, ""), (f"{REF}@sha256:{HEX}", f"sha256:{HEX}")])
def test_a_digest_is_read(ref, digest):
    assert registry.pinned_digest(ref) == digest


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        (f"{REF}:v1", "contains a tag"),
        (f"{REF}:v1@sha256:{HEX}", "contains a tag"),
        (f"{REF}@sha256:12", "no valid digest"),
        (f"{REF}@sha512:{HEX}", "no valid digest"),
        (f"{REF}@", "no valid digest"),
    ],
)
def test_another_reference_is_refused(ref, text):
    with pytest.raises(OrchestratorError, match=text):
        registry.pinned_digest(ref)


def pair(text):
    return {"auth": base64.b64encode(text.encode()).decode()}


LOGINS = [{"host": "https://r.example:5000/x", "username": "u", "password": "p"}]


@pytest.mark.parametrize(
    ("own", "auths", "helpers"),
    [
        ({}, {}, {}),
        ({"auths": {"o.example": pair("o:o")}}, {"o.example": pair("o:o")}, {}),
        ({"auths": {"o.example": {}}, "credsStore": "pass"}, {"o.example": {}}, {"o.example": "pass"}),
        ({"credHelpers": {"r.example:5000": "gcloud", "g.example": "gcloud"}}, {}, {"g.example": "gcloud"}),
    ],
)
def test_a_login_is_put_beside_a_users_own(own, auths, helpers):
    made = registry.with_logins({**own, "other": 1}, LOGINS)
    assert made == {"auths": {**auths, "r.example:5000": pair("u:p")}, "credHelpers": helpers, "other": 1}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("GET x: basic credential not found", "requires a login", "helm registry login r.example:5000"),
        (
            "response status code 401: unauthorized: authentication required",
            "requires a login",
            "llm_d_registry_logins",
        ),
        ("response status code 403: denied: requested access", "requires a login", "helm registry login"),
        ("tls: failed to verify certificate: x509: certificate signed by", "is not trusted", "llm_d_registry_ca"),
        ("http: server gave HTTP response to HTTPS client", "is not trusted", "llm_d_plain_http"),
        ('"FetchReference" on source: x:v1: not found', "version v1 of the chart was not found", "the version"),
        ("dial tcp: lookup r.example: no such host", "no such host", "the network"),
    ],
)
def test_what_helm_says_is_told_apart(text, message, hint):
    error = registry.pull_error(REF, "v1", f"Error: {text}\n")
    assert message in error.message
    assert hint in str(error.hint)


def test_a_repository_is_no_registry():
    assert "registry" not in registry.pull_error("https://r.example#demo", "v1", "not found").message


def test_the_environment_is_as_before(tmp_path):
    environ = {"HELM_REGISTRY_CONFIG": str(tmp_path / "own.json"), "LLM_D_REGISTRY_CA": "mine"}
    (tmp_path / "ca.pem").write_text("")
    before = dict(environ)
    with registry.registry_access({"registry_logins": LOGINS, "registry_ca": str(tmp_path / "ca.pem")}, environ):
        assert environ["LLM_D_REGISTRY_CA"] == str(tmp_path / "ca.pem")
        assert environ["HELM_REGISTRY_CONFIG"] != before["HELM_REGISTRY_CONFIG"]
    assert environ == before


def test_logins_that_cannot_be_read_are_named_without_their_text(tmp_path):
    (tmp_path / "own.json").write_text("{secret")
    environ = {"HELM_REGISTRY_CONFIG": str(tmp_path / "own.json")}
    with (
        pytest.raises(OrchestratorError, match=r"Cannot read Helm's logins in .*own\.json") as caught,
        registry.registry_access({"registry_logins": LOGINS}, environ),
    ):
        pass
    assert "secret" not in str(caught.value)
